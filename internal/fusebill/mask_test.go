package fusebill

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	t.Parallel()
	hide := newMask("MDpU+GUr/a2V5L29m==")
	for text, want := range map[string]string{
		"":                                       "",
		"a MDpU+GUr/a2V5L29m== b":                "a ***== b",
		"MDpU+GUr/a2V5L29m=MDpU+GUr/a2V5L29m":    "***=***",
		"half of it: U+GUr/a2V5, and no more":    "half of it: ***, and no more",
		"a short part: MDpU+GUr":                 "a short part: MDpU+GUr",
		`MDpU\u002bGUr\/a2V5\u004c29m`:           "***",
		`\x4DDpU\\u002BGUr\\\/a2V5L29m`:          "***",
		"MDpU%2BGUr%2fa2V5L29m%3D%3D":            "***%3D%3D",
		"MDpU%252BGUr%252Fa2V5L29m":              "***",
		"MDpU&#43;GUr&#x2F;a2V5L29m&equals;":     "***&equals;",
		"MDpU&plus;GUr&amp;#47;a2V5&#76;29m":     "***",
		"MDpU GUr_a2V5\r\n\tL29m":                "***",
		"100 % of \\ & customers; 50 %, &co.; %": "100 % of \\ & customers; 50 %, &co.; %",
		"caf\xe9 MDpUGUra2V5L29m \xff":           "caf\xe9 *** \xff",
	} {
		if got := hide(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := newMask("key+%2B")("a key+%2B and a monkey"); got != "a key+%2B and a monkey" {
		t.Errorf("a short key spoils the text: %q", got)
	}
	if got := newMask("abc%2Bdef%41ghi")("an abc%2Bdef%41ghi"); got != "an ***" {
		t.Errorf("a key with escapes: %q", got)
	}
}

func TestMaskErrorCanBeMatched(t *testing.T) {
	t.Parallel()
	hide := newMask(testKey)
	err := hide.error(fmt.Errorf("reading %s: %w", testKey, io.ErrUnexpectedEOF))
	if err.Error() != "reading ***==: unexpected EOF" && err.Error() != "reading ***=: unexpected EOF" ||
		!errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	if hide.error(nil) != nil || hide.error(io.EOF) != io.EOF { //nolint:errorlint // The very same error.
		t.Error("an error without the key is not the same error")
	}
}

// echoes are the ways in which a server may return what it got.
var echoes = map[string]func(string) string{
	"as it is": func(text string) string { return text },
	"JSON": func(text string) string {
		return strings.NewReplacer("+", `\u002B`, "/", `\/`, "=", `\u003d`).Replace(text)
	},
	"JSON, every character": func(text string) string { return each(text, `\u%04x`) },
	"JSON in JSON": func(text string) string {
		return strings.NewReplacer("+", `\\u002b`, "/", `\\\/`).Replace(text)
	},
	"HTML": func(text string) string {
		return strings.NewReplacer("+", "&#43;", "/", "&#x2F;", "=", "&equals;").Replace(text)
	},
	"HTML, every character": func(text string) string { return each(text, "&#%d;") },
	"HTML in HTML":          func(text string) string { return html.EscapeString(each(text, "&#%d;")) },
	"URL":                   url.QueryEscape,
	"path":                  url.PathEscape,
	"URL, every character":  func(text string) string { return each(text, "%%%02x") },
	"URL in a URL":          func(text string) string { return url.QueryEscape(url.QueryEscape(text)) },
	"form":                  func(text string) string { return strings.ReplaceAll(text, "+", " ") },
	"lines": func(text string) string {
		half := len(text) / 2
		return text[:half] + "\r\n " + text[half:]
	},
}

func each(text, format string) string {
	var out strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&out, format, text[i])
	}
	return out.String()
}

// No part of a key is in an error, in a log, or in a customer, wherever and however it is echoed.
func TestEchoedKeyInEveryForm(t *testing.T) {
	t.Parallel()
	for form, echo := range echoes {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(5) {
				requireEchoIsMasked(t, randomKey(seed), echo)
			}
		})
	}
}

func FuzzEchoedKey(f *testing.F) {
	f.Add(uint64(1), "text", 17)
	f.Fuzz(func(t *testing.T, seed uint64, before string, cut int) {
		key := randomKey(seed)
		for _, echo := range echoes {
			text := before + echo(key[min(max(cut, 0), len(key)):]) + before
			requireNoPart(t, key, newMask(key)(text))
			requireNoPart(t, key, newMask(key).excerpt([]byte(text)))
		}
	})
}

// randomKey returns a key in the form of a real one.
func randomKey(seed uint64) string {
	random := rand.New(rand.NewPCG(seed, seed))
	secret := []byte("0:")
	for range 64 {
		secret = append(secret, byte(random.IntN(256)))
	}
	return base64.StdEncoding.EncodeToString(secret)
}

// requireEchoIsMasked lets a server echo a key in every place of an answer that may become a part
// of a message.
func requireEchoIsMasked(t *testing.T, key string, echo func(string) string) {
	t.Helper()
	text := echo(key)
	quoted := strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(text)
	line := strings.NewReplacer("\n", "", "\r", "").Replace(text)
	if !json.Valid([]byte(`"` + quoted + `"`)) {
		t.Fatalf("%s is no JSON", quoted)
	}
	for _, answer := range []func() (*http.Response, error){
		func() (*http.Response, error) { return textAnswer(400, text, "Content-Type", line), nil },
		func() (*http.Response, error) { return textAnswer(400, strings.Repeat("x", 170)+text), nil },
		func() (*http.Response, error) {
			return textAnswer(400, strings.Repeat("x", maxLoggedBody-20)+text), nil
		},
		func() (*http.Response, error) { return textAnswer(401, `{"Errors":[{"Value":"got `+quoted+`"}]}`), nil },
		func() (*http.Response, error) { return textAnswer(404, `{"Message":"got `+quoted+`"}`), nil },
		func() (*http.Response, error) { return textAnswer(502, "<pre>"+text+"</pre>"), nil },
		func() (*http.Response, error) { return textAnswer(429, text, "X-Rate-Limit-Remaining-Day", "0"), nil },
		func() (*http.Response, error) { return textAnswer(200, text, "Content-Type", line), nil },
		func() (*http.Response, error) { return textAnswer(200, `{"`+quoted+`":`), nil },
		func() (*http.Response, error) { return textAnswer(200, `{"id":"`+quoted+`"}`), nil },
		func() (*http.Response, error) {
			return textAnswer(200, `{"id":7,"hubSpotId":"`+quoted+`","hubSpotCompanyId":1}`), nil
		},
		func() (*http.Response, error) {
			return textAnswer(200, strings.ReplaceAll(`{"id":7,"hubSpotId":null,"hubSpotCompanyId":null,
				"reference":"KEY","companyName":"KEY","status":"KEY",
				"firstName":"KEY","lastName":"KEY","primaryEmail":"KEY"}`,
				"KEY", quoted)), nil
		},
		func() (*http.Response, error) {
			return textAnswer(302, "", "Location", "https://elsewhere.example/"+line), nil
		},
		func() (*http.Response, error) { return textAnswer(302, "", "Location", "%zz"+line), nil },
		func() (*http.Response, error) { return nil, errors.New("malformed response: " + text) },
	} {
		records := new(logRecorder)
		client, err := NewClient(key, WithMaxRetries(0), WithLogger(slog.New(records)),
			WithTransport(roundTripper(func(*http.Request) (*http.Response, error) { return answer() })))
		if err != nil {
			t.Fatal(err)
		}
		customer, err := client.Customer(t.Context(), 7)
		var wrapped strings.Builder
		for ; err != nil; err = errors.Unwrap(err) {
			if isOurs(err) {
				fmt.Fprintf(&wrapped, "%v %+v\n", err, err)
			}
		}
		requireNoPart(t, key, wrapped.String())
		requireNoPart(t, key, strings.Join([]string{
			customer.Reference, customer.FirstName, customer.LastName, customer.CompanyName, customer.PrimaryEmail,
			customer.Status,
		}, "\n"))
		requireNoPart(t, key, strings.Join(records.with(""), "\n"))
	}
}

// isOurs reports whether an error is not one that another library made of an answer: a wrapper has
// a masked text for it.
func isOurs(err error) bool {
	return !strings.HasPrefix(fmt.Sprintf("%T", err), "*errors.")
}

// requireNoPart fails where a text, or what its escapes stand for, holds 8 letters and digits of a
// key in a row. A part of 8 characters with others among them is shorter than the mask looks for.
func requireNoPart(t *testing.T, key, text string) {
	t.Helper()
	plain := text
	for range 3 {
		plain = html.UnescapeString(plain)
		plain = unescapeJSON(plain)
		if unescaped, err := url.PathUnescape(strings.ReplaceAll(plain, "% ", "")); err == nil {
			plain = unescaped
		}
	}
	for i := 0; i+8 <= len(key); i++ {
		part := key[i : i+8]
		if len(letters(part)) < gramLength {
			continue
		}
		if strings.Contains(text, part) || strings.Contains(plain, part) {
			t.Fatalf("%q of the key is in %q", part, text)
		}
	}
}

func unescapeJSON(text string) string {
	var plain string
	if json.Unmarshal([]byte(`"`+strings.NewReplacer("\n", "", "\r", "", `"`, "").Replace(text)+`"`), &plain) != nil {
		return text
	}
	return plain
}

// A server that answers with the request itself, which is no HTTP answer.
func TestEchoedRequest(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It ends with the test.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(conn, "Authorization: Basic %s\r\n\r\n", testKey)
			_ = conn.Close()
		}
	}()
	records := new(logRecorder)
	client := newTestClient(t, WithBaseURL("http://"+listener.Addr().String()), WithMaxRetries(0),
		WithLogger(slog.New(records)))
	_, err = client.Customer(t.Context(), 7)
	if err == nil {
		t.Fatal("no error")
	}
	requireNoKey(t, "the error", err.Error())
	requireNoKey(t, "the log", strings.Join(records.with(""), "\n"))
}

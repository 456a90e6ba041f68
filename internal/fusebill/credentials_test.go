package fusebill

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestParseAPIKey(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // Raw to parsed; empty: an error.
		testKey:                         testKey,
		"  " + testKey + "\r\n":         testKey,
		"Basic " + testKey:              testKey,
		"bAsIc   " + testKey + "\t":     testKey,
		"\ufeff" + testKey:              "",
		"Basically" + testKey:           "Basically" + testKey,
		"":                              "",
		" \t\n":                         "",
		"Basic":                         "",
		"basic  ":                       "",
		testKey[:10] + " " + testKey:    "",
		testKey[:10] + "\n" + testKey:   "",
		testKey[:10] + "\x00" + testKey: "",
		testKey + "é":                   "",
		"Bearer " + testKey:             "",
		"Basic Basic " + testKey:        "",
	}
	for raw, want := range tests {
		got, err := ParseAPIKey(raw)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, error %v", raw, got, err)
		}
		if err != nil {
			requireNoKey(t, "the error", err.Error())
		}
	}
}

func TestParseBaseURL(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // Raw to parsed; empty: an error.
		DefaultBaseURL:                       DefaultBaseURL,
		" https://secure.fusebill.com/v1/\n": DefaultBaseURL,
		"https://secure.fusebill.com/v1//":   DefaultBaseURL,
		"HTTPS://secure.fusebill.com/v1":     DefaultBaseURL,
		"https://proxy.example/a/b/v1":       "https://proxy.example/a/b/v1",
		"https://proxy.example":              "https://proxy.example",
		"https://proxy.example:8443/v1":      "https://proxy.example:8443/v1",
		"http://127.0.0.1:8080/v1":           "http://127.0.0.1:8080/v1",
		"http://127.9.9.9/v1":                "http://127.9.9.9/v1",
		"http://[::1]:8080/v1/":              "http://[::1]:8080/v1",
		"http://localhost:8080/v1":           "http://localhost:8080/v1",
		"http://LocalHost/v1":                "http://LocalHost/v1",
		"http://secure.fusebill.com/v1":      "",
		"http://localhost.example/v1":        "",
		"http://127.0.0.1.example/v1":        "",
		"http://128.0.0.1/v1":                "",
		"http://0.0.0.0/v1":                  "",
		"http://[::2]/v1":                    "",
		"http://10.0.0.1/v1":                 "",
		"https://user@secure.fusebill.com":   "",
		"https://u:p@secure.fusebill.com/v1": "",
		"http://localhost@evil.example/v1":   "",
		"https://secure.fusebill.com/v1?a=b": "",
		"https://secure.fusebill.com/v1?":    "",
		"https://secure.fusebill.com/v1#a":   "",
		"secure.fusebill.com/v1":             "",
		"//secure.fusebill.com/v1":           "",
		"ftp://secure.fusebill.com/v1":       "",
		"https:///v1":                        "",
		"https:secure.fusebill.com":          "",
		"https://secure.fusebill.com:port":   "",
		"https://secure fusebill.com":        "",
		"":                                   "",
		testKey:                              "", // Two settings confused.
		"ftp://" + testKey + "@host/":        "",
	}
	for raw, want := range tests {
		base, err := ParseBaseURL(raw)
		switch {
		case err != nil:
			requireNoKey(t, "the error", err.Error())
			if want != "" || base != nil {
				t.Errorf("%q: got %v, error %v", raw, base, err)
			}
		case base.String() != want:
			t.Errorf("%q: got %q, want %q", raw, base, want)
		}
	}
}

func TestHasUsualForm(t *testing.T) {
	t.Parallel()
	encode := func(secret string) string { return base64.StdEncoding.EncodeToString([]byte(secret)) }
	issued := encode("0:" + strings.Repeat("x", 64))
	for key, want := range map[string]bool{
		issued:                                 true,
		randomKey(1):                           true,
		issued[:44]:                            false,
		issued + issued:                        false,
		testKey:                                false,
		"a-token_of-else":                      false,
		"":                                     false,
		encode("1:" + strings.Repeat("x", 64)): false,
		encode("0:" + strings.Repeat("x", 63)): false,
		encode("0:" + strings.Repeat("x", 65)): false,
		strings.TrimRight(encode("0:"+strings.Repeat("x", 65)), "="): false,
		encode("me:" + strings.Repeat("x", 63)):                      false,
		"0:" + strings.Repeat("x", 64):                               false,
	} {
		if HasUsualForm(key) != want || want && len(key) != 88 {
			t.Errorf("a key of %d characters: %v", len(key), HasUsualForm(key))
		}
	}
}

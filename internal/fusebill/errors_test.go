package fusebill

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

const errorObject = `{"ErrorId":0,"HttpStatusCode":%d,"Errors":[{"Key":"Api Error","Value":%q}]}`

func TestStatusesOfTheReference(t *testing.T) {
	t.Parallel()
	words := map[int]string{
		400: "The was an error getting the contact from HubSpot: resource not found",
		401: "The API key is of another environment.",
		403: "Forbidden for this key",
		404: "Customer with id 7 was not found.",
		409: "  The contact is already latched to another customer.  ",
		500: "An unexpected error occurred.",
		503: "Back in a minute",
	}
	for status, text := range words {
		client := newTestClient(t, WithMaxRetries(0), answering(status, fmt.Sprintf(errorObject, status, text)))
		_, err := client.Latch(t.Context(), 7, Latch{HubSpotID: 1})
		var apiErr *APIError
		if !errors.As(err, &apiErr) {
			t.Fatalf("%d: got %v", status, err)
		}
		if diff := cmp.Diff([]string{strings.TrimSpace(text)}, apiErr.Messages); apiErr.StatusCode != status ||
			diff != "" {
			t.Errorf("%d: status %d, %s", status, apiErr.StatusCode, diff)
		}
		want := fmt.Sprintf("POST HubSpot/latchCustomer: %d %s: %q", status, http.StatusText(status),
			strings.TrimSpace(text))
		if status >= 500 {
			want += " (the outcome is unknown)"
		}
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		if IsNotFound(err) != (status == 404) || isOutcomeUnknown(err) != (status >= 500) {
			t.Errorf("%d: not found %v, outcome unknown %v", status, IsNotFound(err), isOutcomeUnknown(err))
		}
	}
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status            int
		contentType, body string
		want              string
		notFound          bool
	}{
		"the service's": {404, "application/json", `{"Errors":[{"Key":"Api Error","Value":"gone"}]}`,
			`404 Not Found: "gone"`, true},
		"other case": {404, "application/json", `{"errors":[{"value":"gone"}]}`, `404 Not Found: "gone"`, true},
		"several": {400, "application/json", `{"Errors":[{"Value":"one"},{"Value":""},{"Value":"two"}]}`,
			`400 Bad Request: "one"; "two"`, false},
		"HTML": {404, "text/html", "<h1>Not\r\n Found</h1>",
			"404 Not Found, not in the API's form (text/html): <h1>Not Found</h1>", false},
		"empty":           {404, "", "", "404 Not Found without a body", false},
		"white space":     {404, "text/plain", "\r\n", "404 Not Found without a body", false},
		"the framework's": {404, "application/json", `{"Message":"No route"}`, `404 Not Found: "No route"`, true},
		"other JSON": {404, "application/json", `{"detail":"No route"}`,
			`404 Not Found, not in the API's form (application/json): {"detail":"No route"}`, false},
		"no errors": {404, "application/json", `{"Errors":[]}`,
			`404 Not Found, not in the API's form (application/json): {"Errors":[]}`, false},
		"null errors": {404, "application/json", `{"Errors":null}`,
			`404 Not Found, not in the API's form (application/json): {"Errors":null}`, false},
		"errors all empty": {404, "application/json", `{"Errors":[{}]}`,
			`404 Not Found, not in the API's form (application/json): {"Errors":[{}]}`, false},
		"text": {404, "", "gone", "404 Not Found, not in the API's form (no content type): gone", false},
		"half an object": {404, "application/json", `{"Errors":[{"Value":"go`,
			`404 Not Found, not in the API's form (application/json): {"Errors":[{"Value":"go`, false},
		"own status": {499, "", "", "499 without a body", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newTestClient(t, answering(test.status, test.body, "Content-Type", test.contentType))
			_, err := client.Customer(t.Context(), 7)
			if got := err.Error(); got != "GET customers/7: "+test.want {
				t.Errorf("got %q", got)
			}
			if IsNotFound(err) != test.notFound {
				t.Errorf("not found: %v", IsNotFound(err))
			}
		})
	}
}

func TestIsNotFound(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		nil, errors.New("404 not found"), &APIError{StatusCode: 404},
		&APIError{StatusCode: 400, Messages: []string{"not found"}},
		&MalformedAnswerError{Err: errors.New("x")}, &RateLimitError{},
	} {
		if IsNotFound(err) {
			t.Errorf("%v counts as not found", err)
		}
	}
}

func TestMalformedAnswerErrorText(t *testing.T) {
	t.Parallel()
	client := newTestClient(t, WithMaxRetries(0), answering(200, "<html>\nlog in</html>", "Content-Type", "text/html"))
	_, err := client.Customer(t.Context(), 7)
	want := "GET customers/7: the answer cannot be understood: invalid character '<' at start of value at byte 0 " +
		"(text/html: <html> log in</html>)"
	if err.Error() != want {
		t.Errorf("got %q", err)
	}
	client = newTestClient(t, WithMaxRetries(0), answering(200, `{"id":7,"hubSpotId":1,"hubSpotCompanyId":2} trailing`))
	var malformed *MalformedAnswerError
	if _, err := client.Customer(t.Context(), 7); !errors.As(err, &malformed) {
		t.Errorf("trailing text: got %v", err)
	}
}

func TestRateLimitErrorText(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*RateLimitError{
		"the account's quota of calls per day is used up": {Window: Day},
		"the account's quota of 50 calls per minute is used up until 2026-01-02 15:04:00 UTC " +
			`(429 Too Many Requests: "slow down")`: {
			Window: Minute, Limit: 50, Reset: time.Date(2026, 1, 2, 16, 4, 0, 0, time.FixedZone("", 3600)),
			Err: &APIError{StatusCode: 429, Messages: []string{"slow down"}},
		},
	} {
		if err.Error() != want {
			t.Errorf("got %q", err)
		}
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                             "",
		"a\r\n\t b\x1b[31m\x00c":       "a b [31m c",
		"caf\xe9 d\u202e":              "caf d",
		strings.Repeat("é", 100):       strings.Repeat("é", 100),
		strings.Repeat("é", 101):       strings.Repeat("é", 100) + " …",
		"x" + strings.Repeat("é", 100): "x" + strings.Repeat("é", 99) + " …",
	} {
		if got := mask(noMask).excerpt([]byte(body)); got != want {
			t.Errorf("%q: got %q", body, got)
		}
	}
}

func FuzzErrorBodies(f *testing.F) {
	for _, seed := range []string{
		fmt.Sprintf(errorObject, 404, "gone"), `{"Errors":[{"Value":"a"},{"Value":"\u0000\n"}]}`, `{"Errors":{}}`,
		`null`, `[]`, ``,
		"<html>\xff\xfe", `{"errors":[null]}`, `{"Errors":[{"Value":5}]}`, strings.Repeat("é", 500),
	} {
		f.Add(404, []byte(seed))
	}
	// An error quotes the service's words, or else an excerpt of one printable line; and only the
	// words make it a "not found".
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		err := newAPIError(&http.Response{StatusCode: status, Header: http.Header{}}, body, noMask)
		text := err.Error()
		if len(err.Messages) > 0 == (err.excerpt != "") && len(bytes.TrimSpace(body)) > 0 && text != "" &&
			!strings.Contains(text, "without a body") {
			t.Errorf("both or neither of words %q and excerpt %q", err.Messages, err.excerpt)
		}
		for _, words := range err.Messages {
			if words == "" || !json.Valid(body) || !strings.Contains(text, words) {
				t.Errorf("%q lacks the words %q", text, words)
			}
		}
		if IsNotFound(err) != (status == 404 && len(err.Messages) > 0) {
			t.Errorf("not found: %v", IsNotFound(err))
		}
		for _, r := range err.excerpt {
			if !unicode.IsPrint(r) {
				t.Errorf("the excerpt holds %q", r)
			}
		}
		if len(err.excerpt) > maxExcerpt+len(" …") {
			t.Errorf("an excerpt of %d bytes", len(err.excerpt))
		}
	})
}

package fusebill

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// APIError is an answer that refuses a call, or a failure that the service or a proxy reports. The
// predicates of this package, such as [IsKeyRefused], decide what it means.
type APIError struct {
	StatusCode int
	// Form is the form in which the body reports the error.
	Form ErrorForm
	// Messages are the service's own words, in its order; empty where the body is not the
	// service's, as when a proxy answers.
	Messages []string
	// IsRead reports whether the refused call was a read, which changes nothing.
	IsRead bool
	// BaseURL is the base URL of the client that made the call.
	BaseURL string

	isList      bool // the refused call was a list call
	contentType string
	excerpt     string // of a body that is not the service's
}

// ErrorForm is the form in which the body of a response reports an error.
type ErrorForm string

// The forms of an error's body.
const (
	// ErrorsForm is the documented form: {"Errors":[{"Key":"Api Error","Value":"…"}]}. See
	// https://developer.staxbill.com/reference/errors.
	ErrorsForm ErrorForm = "Errors"
	// MessageForm is the form of the framework that the service is built with: {"Message":"…"}. The
	// framework uses it for example for an unknown path, and the service for some missing objects.
	MessageForm ErrorForm = "Message"
	// ForeignForm is any other body, or none. No such answer of the service is known.
	ForeignForm ErrorForm = ""
)

// isServices reports whether the body has a form that the service is known to use.
func (e *APIError) isServices() bool { return len(e.Messages) > 0 }

// Error returns the status and the service's own words in quotation marks.
func (e *APIError) Error() string {
	status := strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode)))
	switch {
	case len(e.Messages) > 0:
		return fmt.Sprintf(`%s: "%s"`, status, strings.Join(e.Messages, `"; "`))
	case e.excerpt == "":
		return status + " without a body"
	default:
		contentType := cmp.Or(e.contentType, "no content type")
		return fmt.Sprintf("%s, not in the API's form (%s): %s", status, contentType, e.excerpt)
	}
}

// RateLimitError reports that the account's quota of the day is used up, or that a call was refused
// in several minutes in a row. It unwraps to the [APIError], if there was one.
type RateLimitError struct {
	Window RateLimitWindow
	Limit  int       // the number of calls in that window; 0 where the service did not report it
	Reset  time.Time // when the next window begins; zero where the service did not report it
	Err    error
}

// RateLimitWindow is the time in which a rate limit counts calls.
type RateLimitWindow string

// The windows, see https://developer.staxbill.com/reference/rate-limits.
const (
	Minute RateLimitWindow = "minute"
	Day    RateLimitWindow = "day"
)

// Error names the quota that is used up, and its end.
func (e *RateLimitError) Error() string {
	text := "the account's quota of calls per " + string(e.Window) + " is used up"
	if e.Limit > 0 {
		text = fmt.Sprintf("the account's quota of %d calls per %s is used up", e.Limit, e.Window)
	}
	if !e.Reset.IsZero() {
		text += " until " + e.Reset.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	if e.Err != nil {
		text += " (" + e.Err.Error() + ")"
	}
	return text
}

func (e *RateLimitError) Unwrap() error { return e.Err }

// MalformedAnswerError is an answer that accepts a call but cannot be understood.
type MalformedAnswerError struct {
	ContentType string
	Excerpt     string
	Err         error
}

func (e *MalformedAnswerError) Error() string {
	text := "the answer cannot be understood: " + e.Err.Error()
	if e.Excerpt != "" {
		text += fmt.Sprintf(" (%s: %s)", cmp.Or(e.ContentType, "no content type"), e.Excerpt)
	}
	return text
}

func (e *MalformedAnswerError) Unwrap() error { return e.Err }

// OutcomeUnknownError wraps the failure of a write that the service may have carried out
// nevertheless.
type OutcomeUnknownError struct {
	Err error
}

func (e *OutcomeUnknownError) Error() string {
	return e.Err.Error() + " (the outcome is unknown)"
}

func (e *OutcomeUnknownError) Unwrap() error { return e.Err }

// newAPIError reads an error's body in either form of the service.
func newAPIError(resp *http.Response, body []byte, mask mask) *APIError {
	var object struct {
		Errors  []struct{ Key, Value string }
		Message string
	}
	apiErr := &APIError{StatusCode: resp.StatusCode, contentType: resp.Header.Get("Content-Type")}
	if json.Unmarshal(body, &object) == nil {
		for _, e := range object.Errors {
			if words := strings.TrimSpace(mask(e.Value)); words != "" {
				apiErr.Form, apiErr.Messages = ErrorsForm, append(apiErr.Messages, words)
			}
		}
		if words := strings.TrimSpace(mask(object.Message)); words != "" && len(apiErr.Messages) == 0 {
			apiErr.Form, apiErr.Messages = MessageForm, []string{words}
		}
	}
	if len(apiErr.Messages) == 0 {
		apiErr.excerpt = mask.excerpt(body)
	}
	return apiErr
}

// maxExcerpt is the number of bytes of a foreign body that an error shows. They suffice to
// recognize the page of a proxy.
const maxExcerpt = 200

// excerpt returns the beginning of a body as one line of a message.
func (m mask) excerpt(body []byte) string {
	text := oneLine(m.cut(body, maxExcerpt))
	if len(body) > maxExcerpt {
		text += " …"
	}
	return text
}

// cut returns the beginning of a body. It hides the key before it cuts, so no part of the key
// remains at the end.
func (m mask) cut(body []byte, length int) string {
	const longestKey = 4 << 10 // This is long enough even if each character is escaped several times.
	text := m(string(body[:min(len(body), length+longestKey)]))
	return text[:min(len(text), length)]
}

// oneLine returns a foreign text as one line of a message, with only printable characters and one
// space between words.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, " "))
	return strings.Join(strings.Fields(text), " ")
}

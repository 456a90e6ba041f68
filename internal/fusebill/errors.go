package fusebill

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// APIError is an answer that refuses a call.
type APIError struct {
	StatusCode int
	// Messages are the service's own words, in its order; empty where the body isn't the service's error object, as
	// when a proxy answers.
	Messages []string

	contentType string
	excerpt     string // of a body that isn't the service's
}

// Error gives the status and the service's own words.
func (e *APIError) Error() string {
	status := strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode)))
	switch {
	case len(e.Messages) > 0:
		return status + ": " + strings.Join(e.Messages, "; ")
	case e.excerpt == "":
		return status + " without a body"
	default:
		return fmt.Sprintf("%s, not in the API's form (%s): %s", status, cmp.Or(e.contentType, "no content type"), e.excerpt)
	}
}

// IsNotFound says whether err is the service's own word that a resource doesn't exist. A 404 whose body isn't the
// service's error object doesn't count: it comes from a proxy or a wrong base URL, and says nothing of a customer.
func IsNotFound(err error) bool {
	var apiErr *APIError
	return errors.As(err, &apiErr) && apiErr.StatusCode == http.StatusNotFound && len(apiErr.Messages) > 0
}

// RateLimitError says that the account's quota for the day is used up, or that calls were refused for the minute's
// however long they waited. It unwraps to the [APIError], where there was one.
type RateLimitError struct {
	Window RateLimitWindow
	Limit  int       // calls in that window; 0 where the service didn't say
	Reset  time.Time // when the next window begins; zero where the service didn't say
	Err    error
}

// RateLimitWindow is what a rate limit counts calls in.
type RateLimitWindow string

// The two windows of the API reference.
const (
	Minute RateLimitWindow = "minute"
	Day    RateLimitWindow = "day"
)

// Error names the limit that was hit and when it ends.
func (e *RateLimitError) Error() string {
	text := "the account's limit of calls per " + string(e.Window) + " is used up"
	if e.Limit > 0 {
		text = fmt.Sprintf("the account's limit of %d calls per %s is used up", e.Limit, e.Window)
	}
	if !e.Reset.IsZero() {
		text += ", until " + e.Reset.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	if e.Err != nil {
		text += " (" + e.Err.Error() + ")"
	}
	return text
}

func (e *RateLimitError) Unwrap() error { return e.Err }

// MalformedAnswerError is an answer that accepts a call but can't be understood.
type MalformedAnswerError struct {
	ContentType string
	Excerpt     string
	Err         error
}

func (e *MalformedAnswerError) Error() string {
	text := "the answer can't be understood: " + e.Err.Error()
	if e.Excerpt != "" {
		text += fmt.Sprintf(" (%s: %s)", cmp.Or(e.ContentType, "no content type"), e.Excerpt)
	}
	return text
}

func (e *MalformedAnswerError) Unwrap() error { return e.Err }

// OutcomeUnknownError wraps the failure of a write that the service may have carried out all the same.
type OutcomeUnknownError struct {
	Err error
}

func (e *OutcomeUnknownError) Error() string {
	return e.Err.Error() + " (whether it was done is unknown)"
}

func (e *OutcomeUnknownError) Unwrap() error { return e.Err }

// newAPIError reads the error object of the API reference:
// {"ErrorId":0,"HttpStatusCode":400,"Errors":[{"Key":"Api Error","Value":"…"}]}.
func newAPIError(resp *http.Response, body []byte) *APIError {
	var object struct {
		Errors []struct{ Key, Value string }
	}
	apiErr := &APIError{StatusCode: resp.StatusCode, contentType: resp.Header.Get("Content-Type")}
	if json.Unmarshal(body, &object) == nil {
		for _, e := range object.Errors {
			if words := strings.TrimSpace(e.Value); words != "" {
				apiErr.Messages = append(apiErr.Messages, words)
			}
		}
	}
	if len(apiErr.Messages) == 0 {
		apiErr.excerpt = excerpt(body)
	}
	return apiErr
}

// maxExcerpt is how much of a foreign body an error shows: enough to tell a proxy's page from the API.
const maxExcerpt = 200

// excerpt makes the beginning of a body fit for one line of a message.
func excerpt(body []byte) string {
	cut := len(body) > maxExcerpt
	if cut {
		body = body[:maxExcerpt]
	}
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(string(body), " "))
	text = strings.Join(strings.Fields(text), " ")
	if cut {
		text += " …"
	}
	return text
}

package fusebill

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// predicates are those of status.go, by name.
var predicates = []struct {
	name      string
	predicate func(error) bool
}{
	{"fault", IsFault},
	{"refusal", IsRefusal},
	{"key refused", IsKeyRefused},
	{"forbidden", IsForbidden},
	{"not found", IsNotFound},
	{"conflict", IsConflict},
	{"certain conflict", IsCertainConflict},
	{"rate limited", IsRateLimited},
	{"too large", IsTooLarge},
	{"foreign", IsForeign},
}

// trueOf lists the predicates that are true of an error.
func trueOf(err error) string {
	var names []string
	for _, p := range predicates {
		if p.predicate(err) {
			names = append(names, p.name)
		}
	}
	return strings.Join(names, ", ")
}

func TestStatusMeanings(t *testing.T) {
	t.Parallel()
	const (
		errorsBody   = `{"ErrorId":0,"Errors":[{"Key":"Api Error","Value":"no"}]}`
		messageBody  = `{"Message":"No HTTP resource was found that matches the request URI."}`
		keyBody      = `{"ErrorId":0,"Errors":[{"Value":"AUTHORIZATION key is not in the correct format."}]}`
		keyBodyOther = `{"Message":"Authorization key is not in the correct format."}`
	)
	tests := []struct {
		status             int
		body               string
		write, read, pages string // true of a write, of the read of one customer, and of a list call
	}{
		{200, `{"id":`, "too large", "too large", "too large"},
		{204, ``, "too large", "too large", "too large"},
		{302, ``, "foreign", "foreign", "foreign"},
		{400, errorsBody, "refusal, conflict", "refusal", "refusal, too large"},
		{400, keyBody, "refusal, key refused", "refusal, key refused", "refusal, key refused"},
		{400, keyBodyOther, "refusal, key refused", "refusal, key refused", "refusal, key refused"},
		{401, errorsBody, "refusal, key refused", "refusal, key refused", "refusal, key refused"},
		{401, ``, "refusal, key refused, foreign", "refusal, key refused, foreign", "refusal, key refused, foreign"},
		{403, errorsBody, "refusal, forbidden", "refusal, forbidden", "refusal, forbidden"},
		{403, `<html>`, "refusal, foreign", "refusal, foreign", "refusal, foreign"},
		{404, errorsBody, "refusal, not found", "refusal, not found", "refusal, too large"},
		{404, messageBody, "refusal, not found", "refusal, not found", "refusal, too large"},
		{404, `<html>`, "refusal, foreign", "refusal, foreign", "refusal, too large, foreign"},
		{408, ``, "fault, foreign", "fault, foreign", "fault, foreign"},
		{409, errorsBody, "refusal, conflict, certain conflict", "refusal", "refusal"},
		{409, keyBody, "refusal, conflict, certain conflict", "refusal", "refusal"},
		{413, ``, "refusal, foreign", "refusal, foreign", "refusal, too large, foreign"},
		{414, ``, "refusal, foreign", "refusal, foreign", "refusal, too large, foreign"},
		{422, errorsBody, "refusal", "refusal", "refusal"},
		{429, `{"Errors":[{"Value":"the day's limit"}]}`, "refusal, rate limited", "refusal, rate limited",
			"refusal, rate limited"},
		{431, ``, "refusal, foreign", "refusal, foreign", "refusal, too large, foreign"},
		{500, errorsBody, "fault", "fault", "fault"},
		{502, `<html>`, "fault, foreign", "fault, foreign", "fault, foreign"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d %s", test.status, test.body), func(t *testing.T) {
			t.Parallel()
			client := newTestClient(t, WithMaxRetries(0),
				answering(test.status, test.body, "X-Rate-Limit-Remaining-Day", "0"))
			_, write := client.Latch(t.Context(), 7, Latch{HubSpotID: 1})
			_, read := client.Customer(t.Context(), 7)
			_, pages := client.Customers(t.Context(), CustomersRequest{})
			for _, call := range []struct {
				err  error
				want string
			}{{write, test.write}, {read, test.read}, {pages, test.pages}} {
				if got := trueOf(call.err); got != call.want {
					t.Errorf("%v: got %q, want %q", call.err, got, call.want)
				}
			}
		})
	}
}

func TestStatusMeaningsOfOtherErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("404 not found: Authorization key"), ""},
		{&RedirectError{}, ""},
		{&answerTooLargeError{}, "too large"},
		{&RateLimitError{Window: Day}, "refusal, rate limited"},
		{&OutcomeUnknownError{Err: &APIError{StatusCode: 409, Messages: []string{"no"}}},
			"refusal, conflict, certain conflict"},
	} {
		if got := trueOf(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}

// A 404 in either form is a 404, and says in which form it came.
func TestErrorForms(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]ErrorForm{
		`{"Errors":[{"Value":"gone"}]}`:                   ErrorsForm,
		`{"Message":"gone"}`:                              MessageForm,
		`{"message":"gone","MessageDetail":"no route"}`:   MessageForm,
		`{"Message":"other","Errors":[{"Value":"gone"}]}`: ErrorsForm,
		`{"Message":"gone","Errors":[]}`:                  MessageForm,
		`{"Message":"gone","Errors":null}`:                MessageForm,
		`{"Message":" "}`:                                 ForeignForm,
		`{"Message":5}`:                                   ForeignForm,
		`"gone"`:                                          ForeignForm,
		``:                                                ForeignForm,
	} {
		_, err := newTestClient(t, answering(404, body)).Customer(t.Context(), 7)
		apiErr, ok := errors.AsType[*APIError](err)
		if !ok || apiErr.Form != want || IsNotFound(err) != (want != ForeignForm) {
			t.Errorf("%s: got %q, %v", body, apiErr.Form, err)
		}
		if want != ForeignForm && !strings.HasSuffix(err.Error(), `404 Not Found: "gone"`) {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

// The refusal of a day is the answer to all later calls, side by side: none of them may change it.
func TestSharedRefusal(t *testing.T) {
	t.Parallel()
	client := newTestClient(t, WithMaxRetries(0), answering(429, `{"Errors":[{"Value":"the day's limit"}]}`, "X-Rate-Limit-Remaining-Day", "0"))
	var calls sync.WaitGroup
	for range 5 {
		calls.Go(func() {
			if _, err := client.Customers(t.Context(), CustomersRequest{}); !IsRateLimited(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	calls.Wait()
}

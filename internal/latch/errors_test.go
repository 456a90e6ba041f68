package latch

import (
	"errors"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Errors say in one sentence what is so, for which customer.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	refused := &fusebill.APIError{StatusCode: 409, Messages: []string{"no"}}
	for want, err := range map[string]error{
		"customer 1 is latched to contact 101 and company 201 already":                                                                                                                         &AlreadyLatchedError{1, pair(101, 201)},
		"customer 1 is latched to nothing, and no longer to contact 101 as when the plan was made":                                                                                             &ChangedError{1, pair(101, 0), pair(0, 0)},
		"customer 1 was to be latched to contact 101, and the API answered that it is latched to contact 102":                                                                                  &UnexpectedAnswerError{1, pair(101, 0), pair(102, 0)},
		"409 Conflict: no (whether it was done is unknown); read afterwards, customer 1 is latched to nothing, and the service may still latch it to contact 101, which customer 2 would lose": &UnconfirmedError{1, pair(101, 0), pair(0, 0), []int64{2}, &fusebill.OutcomeUnknownError{Err: refused}, nil},
		"409 Conflict: no (whether it was done is unknown); customer 1 could not be read afterwards (c), and the service may have latched it, or may still latch it, to contact 101":           &UnconfirmedError{1, pair(101, 0), pair(0, 0), nil, &fusebill.OutcomeUnknownError{Err: refused}, errors.New("c")},
		"contact 101 is latched to customer 2":                                                                                     &HeldError{CustomerID: 1, Held: []Holding{{fusebill.Claim{Kind: fusebill.Contact, ID: 101}, 2}}},
		"customer 1 is also declared elsewhere in this configuration":                                                              &DeclaredTwiceError{CustomerID: 1, Other: 1},
		"contact 101 is also declared elsewhere in this configuration, for customer 2":                                             &DeclaredTwiceError{1, fusebill.Claim{Kind: fusebill.Contact, ID: 101}, 2},
		"a; customer 1 had released contact 101 for the change, which could not be restored (b): it is latched to company 201 now": &NotRestoredError{1, pair(101, 201), pair(0, 201), errors.New("a"), errors.New("b")},
	} {
		if err.Error() != want {
			t.Errorf("got  %q\nwant %q", err, want)
		}
	}
	lost := error(&NotRestoredError{Cause: &HeldError{}, Err: refused})
	wantError[*HeldError](t, lost)
	wantError[*fusebill.APIError](t, lost)
}

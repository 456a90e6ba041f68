package latch

import (
	"errors"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// TestErrorTexts expects one line that names the customers, and the current latch of each.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	contact := fusebill.Claim{Kind: fusebill.Contact, ID: 101}
	refused := &fusebill.APIError{StatusCode: 409, Messages: []string{"no"}}
	unknown := &fusebill.OutcomeUnknownError{Err: refused}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&AlreadyLatchedError{1, pair(101, 201)}, "customer 1 is already latched to contact 101 and company 201"},
		{&ChangedError{1, pair(101, 0), pair(0, 0)},
			"customer 1 was latched to contact 101, and is latched to nothing now"},
		{&UnexpectedAnswerError{1, pair(101, 0), pair(102, 0)},
			"customer 1 was to be latched to contact 101, and Fusebill answered that the customer is latched to contact 102"},
		{&UnconfirmedError{1, pair(101, 0), pair(0, 0), []int64{2, 3}, unknown, nil},
			`409 Conflict: "no" (the outcome is unknown); afterwards customer 1 was latched to nothing, but Fusebill may ` +
				"still latch the customer to contact 101, which customer 2 and customer 3 would lose"},
		{&UnconfirmedError{1, pair(101, 0), pair(0, 0), nil, unknown, errors.New("c.")},
			`409 Conflict: "no" (the outcome is unknown); customer 1 could not be read afterwards (c), so Fusebill may ` +
				"have latched the customer to contact 101, or may still do so"},
		{&HeldError{CustomerID: 1, Held: []Holding{{contact, 2}, {fusebill.Claim{Kind: fusebill.Company, ID: 201}, 3}}},
			"contact 101 is latched to customer 2, and company 201 is latched to customer 3"},
		{&NotRestoredError{1, pair(101, 201), pair(0, 201), errors.New("a"), errors.New("b")},
			"a; customer 1 had released contact 101 for this change, and it could not be restored (b); " +
				"customer 1 is latched to company 201 now"},
		{&NoCustomerError{CustomerID: 1}, "customer 1 does not exist"},
		{&NoCustomerError{1, refused}, `customer 1 does not exist: 409 Conflict: "no"`},
		{&OtherLatchError{1, pair(101, 0), pair(0, 201)}, "customer 1 is latched to company 201, not to contact 101"},
		{&DeclaredTwiceError{CustomerID: 1, Other: 1}, "another resource of this configuration also declares customer 1"},
		{&DeclaredTwiceError{1, contact, 2}, "this configuration also declares contact 101 for customer 2"},
		{&RemovedElsewhereError{1}, "one object of the state keeps the latch of customer 1, and another one removes it"},
		{&UnlatchConflictError{1}, "a resource of this run latches customer 1, and an action unlatches the customer"},
		{&ExclusiveError{}, "another latch set of this configuration is exclusive too"},
		{&ExclusiveError{1}, "an exclusive latch set of this configuration does not list customer 1"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%T: got\n%s\nwant\n%s", c.err, got, c.want)
		}
	}
	lost := error(&NotRestoredError{Cause: &HeldError{}, Err: refused})
	wantError[*HeldError](t, lost)
	wantError[*fusebill.APIError](t, lost)
}

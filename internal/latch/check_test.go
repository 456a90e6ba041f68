package latch

import (
	"slices"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func (r *trial) checker(maxPages int) *Checker {
	return NewChecker(r.keeper.reader, NewIntents(), maxPages)
}

// finding returns the only finding of a change, and an empty one where there is none.
func (r *trial) finding(c *Checker, change Change, reassociate bool) Finding {
	r.t.Helper()
	findings, err := c.Check(r.t.Context(), []Change{change}, reassociate)
	wantNil(r.t, err)
	if len(findings) == 0 {
		return Finding{}
	}
	return findings[0]
}

// A plan warns of the claims that other customers hold, except for those that other objects are
// planned to release.
func TestChecker_held(t *testing.T) {
	contact := func(id int64) fusebill.Claim { return fusebill.Claim{Kind: fusebill.Contact, ID: id} }
	company := func(id int64) fusebill.Claim { return fusebill.Claim{Kind: fusebill.Company, ID: id} }
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 202), 3: pair(103, 203), 4: pair(104, 0)})
		c := r.checker(DefaultMaxPages)
		c.intents.Note(ObjectPlan{Owner: "c", Intents: []Intent{declare(3, 103, 209)}})
		for name, test := range map[string]struct {
			change Change
			want   []Holding
		}{
			"free":               {Change{CustomerID: 1, Declared: pair(101, 201)}, nil},
			"held":               {Change{CustomerID: 1, Declared: pair(102, 202)}, []Holding{{contact(102), 2}, {company(202), 2}}},
			"planned to be free": {Change{CustomerID: 1, Declared: pair(103, 203)}, []Holding{{contact(103), 3}}},
			"its own":            {Change{CustomerID: 4, Prior: pair(104, 0), Declared: pair(104, 202)}, []Holding{{company(202), 2}}},
			"nothing new":        {Change{CustomerID: 4, Prior: pair(104, 0), Declared: pair(104, 0)}, nil},
		} {
			if got := r.finding(c, test.change, false).Held; !slices.Equal(got, test.want) {
				t.Errorf("%s: got %v, want %v", name, got, test.want)
			}
		}
		r.wantWrites(0)
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 1 {
			t.Errorf("%d lists", lists)
		}
	})
}

// A plan warns of a customer that does not exist, and of a latch that an apply refuses to replace.
// The latch of another object of the state is no surprise: that object removes it first.
func TestChecker_creates(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201), 2: pair(102, 0), 3: pair(103, 0)})
		c := r.checker(DefaultMaxPages)
		c.intents.Note(ObjectPlan{Owner: "b", Intents: []Intent{{CustomerID: 2, Kind: Destroy, Prior: pair(102, 0)}}})
		c.intents.Observe(3)
		for name, test := range map[string]struct {
			change      Change
			reassociate bool
			want        []error
		}{
			"no such customer":   {Change{CustomerID: 9, Declared: pair(109, 0)}, false, []error{&NoCustomerError{CustomerID: 9}}},
			"latched otherwise":  {Change{CustomerID: 1, Declared: pair(109, 0)}, false, []error{&AlreadyLatchedError{1, pair(101, 201)}}},
			"may be replaced":    {Change{CustomerID: 1, Declared: pair(109, 0)}, true, nil},
			"as declared":        {Change{CustomerID: 1, Declared: pair(101, 201)}, false, nil},
			"removed by another": {Change{CustomerID: 2, Declared: pair(109, 0)}, false, nil},
			"of a state":         {Change{CustomerID: 3, Declared: pair(109, 0)}, false, nil},
		} {
			got := r.finding(c, test.change, test.reassociate).Errors()
			if !slices.EqualFunc(got, test.want, func(a, b error) bool { return a.Error() == b.Error() }) {
				t.Errorf("%s: got %v, want %v", name, got, test.want)
			}
		}
	})
}

// A plan does not depend on the API: one error says that it cannot be asked, and then nothing is
// checked any more. A refused key stops every plan.
func TestChecker_withoutTheAPI(t *testing.T) {
	for name, test := range map[string]struct {
		fault     fusebillsim.FaultKind
		isRefused bool
	}{
		"outage": {fusebillsim.FaultStatus500Before, false}, "malformed key": {fusebillsim.FaultMalformedKey, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: {}, 2: pair(102, 0)})
				r.sim.Inject(fusebillsim.Fault{Kind: test.fault, Times: -1})
				c := r.checker(DefaultMaxPages)
				changes := []Change{{CustomerID: 1, Declared: pair(101, 0)}}
				if _, err := c.Check(t.Context(), changes, false); err == nil || fusebill.IsKeyRefused(err) != test.isRefused {
					t.Errorf("first: %v", err)
				}
				if _, err := c.Check(t.Context(), changes, false); (err != nil) != test.isRefused {
					t.Errorf("second: %v", err)
				}
			})
		})
	}
}

// In an account that is not to be read whole, the plan checks the customers alone.
func TestChecker_unreadAccount(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 0), 3: pair(103, 0)})
		c := r.checker(0)
		if got := r.finding(c, Change{CustomerID: 1, Declared: pair(102, 0)}, false); got.Held != nil {
			t.Errorf("got %+v", got)
		}
		if got := r.finding(c, Change{CustomerID: 3, Declared: pair(101, 0)}, false); got.Current != pair(103, 0) {
			t.Errorf("got %+v", got)
		}
	})
}

// Single latches that each claim the contact of the next one are a chain of as many places. A set
// needs none.
func TestChecker_chain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		account := latches{}
		for id := int64(1); id <= 30; id++ {
			account[id] = pair(100+id, 0)
		}
		r := newTrial(t, account)
		c := r.checker(DefaultMaxPages)
		chain := 0
		var all []Change
		for id := int64(1); id < 30; id++ {
			change := Change{CustomerID: id, Prior: pair(100+id, 0), Declared: pair(101+id, 0)}
			chain = r.finding(c, change, false).Chain
			all = append(all, change)
		}
		if chain != 30 {
			t.Errorf("a chain of %d", chain)
		}
		findings, err := c.Check(t.Context(), all, false)
		wantNil(t, err)
		if findings[0].Chain != 0 {
			t.Errorf("a set is a chain of %d", findings[0].Chain)
		}
	})
}

package latch

import (
	"slices"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// checker returns a checker with its own intents, which reads through the coordinator's reader.
func (r *trial) checker(maxPages int) *Checker {
	return NewChecker(r.coordinator.reader, NewIntents(), maxPages)
}

// finding returns the finding of a change, or a zero Finding where there is none.
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
func TestChecker_warnsOfOtherHolders(t *testing.T) {
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
			"free": {Change{CustomerID: 1, Declared: pair(101, 201)}, nil},
			"held": {
				Change{CustomerID: 1, Declared: pair(102, 202)}, []Holding{{contact(102), 2}, {company(202), 2}},
			},
			"released by a plan": {Change{CustomerID: 1, Declared: pair(103, 203)}, []Holding{{contact(103), 3}}},
			"more IDs": {
				Change{CustomerID: 4, Prior: pair(104, 0), Declared: pair(104, 202)}, []Holding{{company(202), 2}},
			},
			"the same IDs": {Change{CustomerID: 4, Prior: pair(104, 0), Declared: pair(104, 0)}, nil},
		} {
			if got := r.finding(c, test.change, false).Held; !slices.Equal(got, test.want) {
				t.Errorf("%s: got %v, want %v", name, got, test.want)
			}
		}
		r.wantWrites(0)
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 1 {
			t.Errorf("%d list calls, want 1", lists)
		}
	})
}

// A plan warns of a customer that does not exist, and of a latch that an apply refuses to replace.
// It does not warn of the latch of another object of the state, which that object removes first.
func TestChecker_warnsOfCreates(t *testing.T) {
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
			"missing customer": {
				Change{CustomerID: 9, Declared: pair(109, 0)}, false, []error{&NoCustomerError{CustomerID: 9}},
			},
			"another latch": {
				Change{CustomerID: 1, Declared: pair(109, 0)}, false, []error{&AlreadyLatchedError{1, pair(101, 201)}},
			},
			"reassociation":     {Change{CustomerID: 1, Declared: pair(109, 0)}, true, nil},
			"as declared":       {Change{CustomerID: 1, Declared: pair(101, 201)}, false, nil},
			"removed by a plan": {Change{CustomerID: 2, Declared: pair(109, 0)}, false, nil},
			"in the state":      {Change{CustomerID: 3, Declared: pair(109, 0)}, false, nil},
		} {
			got := r.finding(c, test.change, test.reassociate).Errors()
			if !slices.EqualFunc(got, test.want, func(a, b error) bool { return a.Error() == b.Error() }) {
				t.Errorf("%s: got %v, want %v", name, got, test.want)
			}
		}
	})
}

// An outage is reported by one plan, and the later ones check nothing, because a plan does not
// depend on the API. A refused key is reported by every plan, because no apply can succeed with it.
func TestChecker_reportsOutageOnce(t *testing.T) {
	for name, test := range map[string]struct {
		fault     fusebillsim.FaultKind
		isRefused bool
	}{
		"outage":        {fusebillsim.FaultStatus500Before, false},
		"malformed key": {fusebillsim.FaultMalformedKey, true},
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: {}, 2: pair(102, 0)})
			r.sim.Inject(fusebillsim.Fault{Kind: test.fault, Times: -1})
			c := r.checker(DefaultMaxPages)
			changes := []Change{{CustomerID: 1, Declared: pair(101, 0)}}
			if _, err := c.Check(t.Context(), changes, false); err == nil || fusebill.IsKeyRefused(err) != test.isRefused {
				t.Errorf("first check: got error %v", err)
			}
			if _, err := c.Check(t.Context(), changes, false); (err != nil) != test.isRefused {
				t.Errorf("second check: got error %v", err)
			}
		})
	}
}

// In an account that is too large to be read whole, a plan checks only the customers.
func TestChecker_checksCustomersWithoutAccount(t *testing.T) {
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

// Single latches of which each one claims the contact of the next one are a chain. The changes of a
// set are none.
func TestChecker_countsChain(t *testing.T) {
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
			t.Errorf("got a chain of %d, want 30", chain)
		}
		findings, err := c.Check(t.Context(), all, false)
		wantNil(t, err)
		if findings[0].Chain != 0 {
			t.Errorf("got a chain of %d for a set, want 0", findings[0].Chain)
		}
	})
}

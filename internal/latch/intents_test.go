package latch

import (
	"reflect"
	"slices"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// The pairs of kinds that conflict, in both orders of planning. A wrong cell loses a latch without a word, or blocks a plan
// that an apply can carry out.
func TestIntents_pairs(t *testing.T) {
	t.Parallel()
	intents := map[IntentKind]Intent{
		Declare:   {CustomerID: 1, Kind: Declare, Prior: pair(100, 0), Declared: pair(101, 0)},
		Keep:      {CustomerID: 1, Kind: Keep, Prior: pair(101, 0), Declared: pair(101, 0)},
		RemoveRow: {CustomerID: 1, Kind: RemoveRow, Prior: pair(101, 0)},
		Destroy:   {CustomerID: 1, Kind: Destroy, Prior: pair(101, 0)},
		Unlatch:   {CustomerID: 1, Kind: Unlatch},
	}
	var (
		none    []error
		spares  = []error{nil}
		doubled = []error{&DeclaredTwiceError{CustomerID: 1, Other: 1}}
		unlatch = []error{&UnlatchConflictError{CustomerID: 1}}
		lost    = []error{&RemovedElsewhereError{CustomerID: 1}}
	)
	for _, test := range []struct {
		first, second   IntentKind
		planned, inTurn []error // of the second intent; of the first one where it comes second
	}{
		{Declare, Declare, doubled, doubled},
		{Declare, Keep, doubled, doubled},
		{Keep, Keep, doubled, doubled},
		{Declare, RemoveRow, none, none},
		{Declare, Destroy, none, none},
		{Keep, RemoveRow, lost, lost},
		{Keep, Destroy, spares, lost},
		{Declare, Unlatch, unlatch, unlatch},
		{Keep, Unlatch, unlatch, unlatch},
		{RemoveRow, RemoveRow, none, none},
		{RemoveRow, Destroy, none, none},
		{RemoveRow, Unlatch, none, none},
		{Destroy, Destroy, none, none},
		{Destroy, Unlatch, none, none},
		{Unlatch, Unlatch, none, none},
	} {
		for _, order := range []struct {
			first, second IntentKind
			want          []error
		}{{test.first, test.second, test.planned}, {test.second, test.first, test.inTurn}} {
			i := NewIntents()
			if conflicts := i.Note(ObjectPlan{Owner: "a", Intents: []Intent{intents[order.first]}}); conflicts != nil {
				t.Errorf("%d alone: %v", order.first, conflicts)
			}
			i.Observe(1) // Terraform reads an object right before it plans it.
			if got := errorsOf(i.Note(ObjectPlan{Owner: "b", Intents: []Intent{intents[order.second]}})); !reflect.DeepEqual(got, order.want) {
				t.Errorf("%d and then %d: got %v, want %v", order.first, order.second, got, order.want)
			}
		}
	}
}

func note(i *Intents, owner string, intents ...Intent) []Conflict {
	return i.Note(ObjectPlan{Owner: owner, Intents: intents})
}

func noteExclusive(i *Intents, owner string, intents ...Intent) []Conflict {
	return i.Note(ObjectPlan{Owner: owner, Intents: intents, IsExclusive: true})
}

func errorsOf(conflicts []Conflict) []error {
	var errs []error
	for _, c := range conflicts {
		errs = append(errs, c.Err)
	}
	return errs
}

func declare(id, contact, company int64) Intent {
	return Intent{CustomerID: id, Kind: Declare, Declared: pair(contact, company)}
}

func TestIntents_claims(t *testing.T) {
	t.Parallel()
	i := NewIntents()
	note(i, "a", declare(1, 101, 0))
	for name, test := range map[string]struct {
		intent Intent
		want   []error
	}{
		"the same contact":                     {declare(2, 101, 0), []error{&DeclaredTwiceError{2, fusebill.Claim{Kind: fusebill.Contact, ID: 101}, 1}}},
		"a company with the ID of a contact":   {declare(2, 0, 101), nil},
		"another contact":                      {declare(2, 102, 0), nil},
		"a removal of what another one claims": {Intent{CustomerID: 2, Kind: Destroy, Prior: pair(101, 0)}, nil},
	} {
		if got := errorsOf(note(i, "b", test.intent)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	note(i, "b")
	note(i, "a") // Planned again, as something else.
	if got := note(i, "b", declare(2, 101, 0)); got != nil {
		t.Errorf("after the other one has been replaced: %v", got)
	}
}

// Two customers of one set that claim the same contact are a conflict, too.
func TestIntents_claimsOfOneOwner(t *testing.T) {
	t.Parallel()
	if got := note(NewIntents(), "a", declare(1, 101, 0), declare(2, 101, 0)); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

// Terraform plans a replacement twice; the second plan has no prior state. The destroy half stays known.
func TestIntents_replacement(t *testing.T) {
	t.Parallel()
	keep := Intent{CustomerID: 1, Kind: Keep, Prior: pair(101, 0), Declared: pair(101, 0)}
	for name, test := range map[string]struct {
		first  []Intent
		second Intent
	}{
		"of the customer":        {[]Intent{{CustomerID: 1, Kind: Destroy, Prior: pair(101, 0)}, declare(2, 101, 0)}, declare(2, 101, 0)},
		"that nothing asked for": {[]Intent{keep}, declare(1, 102, 0)},
	} {
		i := NewIntents()
		note(i, "a", test.first...)
		if got := i.Note(ObjectPlan{Owner: "a", Intents: []Intent{test.second}, IsReplacement: true}); got != nil {
			t.Errorf("%s: %v", name, got)
		}
		if !i.Removes(1) || !i.Releases(1, fusebill.Claim{Kind: fusebill.Contact, ID: 101}) {
			t.Errorf("%s: the release of contact 101 by customer 1 is not known", name)
		}
		if got := errorsOf(note(i, "b", keep)); len(got) != 1 || got[0] == nil {
			t.Errorf("%s: another object keeps customer 1: %v", name, got)
		}
	}
}

func TestIntents_exclusive(t *testing.T) {
	t.Parallel()
	unlisted := []error{&ExclusiveError{CustomerID: 2}}
	i := NewIntents()
	if got := noteExclusive(i, "set", declare(1, 101, 0)); got != nil {
		t.Errorf("alone: %v", got)
	}
	if got := errorsOf(note(i, "single", declare(2, 102, 0))); !reflect.DeepEqual(got, unlisted) {
		t.Errorf("a latch that it does not list, planned later: %v", got)
	}
	if got := errorsOf(noteExclusive(i, "set", declare(1, 101, 0))); !reflect.DeepEqual(got, unlisted) {
		t.Errorf("a latch that it does not list, planned before: %v", got)
	}
	if got := note(i, "single", Intent{CustomerID: 2, Kind: Destroy, Prior: pair(102, 0)}); got != nil {
		t.Errorf("a removal: %v", got)
	}
	if got := errorsOf(noteExclusive(i, "other", declare(3, 103, 0))); !reflect.DeepEqual(got, []error{&ExclusiveError{}}) {
		t.Errorf("another exclusive set: %v", got)
	}
}

func TestIntents_releases(t *testing.T) {
	t.Parallel()
	contact := fusebill.Claim{Kind: fusebill.Contact, ID: 101}
	for name, test := range map[string]struct {
		intents []Intent
		want    bool
	}{
		"unknown":               {nil, false},
		"kept":                  {[]Intent{{CustomerID: 1, Kind: Keep, Declared: pair(101, 0)}}, false},
		"declared otherwise":    {[]Intent{declare(1, 102, 0)}, true},
		"destroyed":             {[]Intent{{CustomerID: 1, Kind: Destroy}}, true},
		"destroyed and renamed": {[]Intent{{CustomerID: 1, Kind: Destroy}, declare(1, 101, 0)}, false},
	} {
		i := NewIntents()
		for n, intent := range test.intents {
			note(i, string(rune('a'+n)), intent)
		}
		if got := i.Releases(1, contact); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// The state of an object is all that reaches the destroy of a deposed one, and its Read writes that.
func TestIntents_readBeforeTheOtherIsPlanned(t *testing.T) {
	t.Parallel()
	keep := Intent{CustomerID: 1, Kind: Keep, Prior: pair(101, 0), Declared: pair(101, 0)}
	i := NewIntents()
	if kept := i.Observe(1); kept != nil {
		t.Errorf("kept before the plan of the other: %v", kept)
	}
	note(i, "other", keep)
	destroy := Intent{CustomerID: 1, Kind: Destroy, Prior: pair(101, 0)}
	if got := errorsOf(note(i, "deposed", destroy)); !reflect.DeepEqual(got, []error{&RemovedElsewhereError{CustomerID: 1}}) {
		t.Errorf("read before: %v", got)
	}
	if kept := i.Observe(1, 2); !slices.Equal(kept, []int64{1}) {
		t.Errorf("kept after the plan of the other: %v", kept)
	}
	if got := note(i, "deposed", destroy); len(got) != 1 || got[0].Err != nil {
		t.Errorf("read after: %+v", got)
	}
}

// A tainted object is planned as a create, and destroyed without a plan of that. Another object of
// the state that keeps the same latch must not lose it.
func TestIntents_tainted(t *testing.T) {
	t.Parallel()
	keep := Intent{CustomerID: 1, Kind: Keep, Prior: pair(101, 0), Declared: pair(101, 0)}
	create := ObjectPlan{Owner: "tainted", Intents: []Intent{declare(2, 102, 0)}, IsCreate: true}

	kept := NewIntents()
	kept.Observe(1)
	note(kept, "other", keep)
	kept.Observe(1)
	if got := kept.Note(create); len(got) != 1 || got[0].Err != nil || got[0].Intent.CustomerID != 1 {
		t.Errorf("planned second: %+v", got)
	}

	early := NewIntents()
	early.Observe(1)
	early.Observe(1)
	note(early, "other", keep)
	if got := errorsOf(early.Note(create)); !reflect.DeepEqual(got, []error{&RemovedElsewhereError{CustomerID: 1}}) {
		t.Errorf("planned second, and read before: %v", got)
	}

	planned := NewIntents()
	planned.Observe(1)
	planned.Note(create)
	planned.Observe(1)
	if got := errorsOf(note(planned, "other", keep)); !reflect.DeepEqual(got, []error{&RemovedElsewhereError{CustomerID: 1}}) {
		t.Errorf("planned first: %v", got)
	}

	once := NewIntents()
	once.Observe(1)
	once.Note(create)
	if got := note(once, "other", keep); got != nil {
		t.Errorf("in the state once: %v", got)
	}
}

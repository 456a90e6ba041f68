package latch

import (
	"reflect"
	"slices"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Every pair of kinds has its verdict, in both orders of planning. A wrong verdict loses a latch
// without an error, or blocks a plan that an apply can carry out.
func TestIntents_verdictOfEachPair(t *testing.T) {
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
		first, second IntentKind
		want          []error // the conflicts of second, planned after first
		wantReversed  []error // the conflicts of first, planned after second
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
		}{{test.first, test.second, test.want}, {test.second, test.first, test.wantReversed}} {
			i := NewIntents()
			if conflicts := i.Note(ObjectPlan{Owner: "a", Intents: []Intent{intents[order.first]}}); conflicts != nil {
				t.Errorf("kind %d alone: got %v", order.first, conflicts)
			}
			i.Observe(1) // Terraform reads an object right before it plans it.
			got := errorsOf(i.Note(ObjectPlan{Owner: "b", Intents: []Intent{intents[order.second]}}))
			if !reflect.DeepEqual(got, order.want) {
				t.Errorf("kind %d, then kind %d: got %v, want %v", order.first, order.second, got, order.want)
			}
		}
	}
}

// note notes the plan of an object.
func note(i *Intents, owner string, intents ...Intent) []Conflict {
	return i.Note(ObjectPlan{Owner: owner, Intents: intents})
}

// noteExclusive notes the plan of an exclusive set.
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

// declare returns the intent to declare a latch on an unlatched customer.
func declare(id, contact, company int64) Intent {
	return Intent{CustomerID: id, Kind: Declare, Declared: pair(contact, company)}
}

// An intent conflicts with another object that declares the same contact or company.
func TestIntents_refusesClaimDeclaredTwice(t *testing.T) {
	t.Parallel()
	i := NewIntents()
	note(i, "a", declare(1, 101, 0))
	for name, test := range map[string]struct {
		intent Intent
		want   []error
	}{
		"the same contact": {
			declare(2, 101, 0), []error{&DeclaredTwiceError{2, fusebill.Claim{Kind: fusebill.Contact, ID: 101}, 1}},
		},
		"a company with the ID of a contact":       {declare(2, 0, 101), nil},
		"another contact":                          {declare(2, 102, 0), nil},
		"a destroy of a latch to the same contact": {Intent{CustomerID: 2, Kind: Destroy, Prior: pair(101, 0)}, nil},
	} {
		if got := errorsOf(note(i, "b", test.intent)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	note(i, "b")
	note(i, "a") // A new plan replaces the first one.
	if got := note(i, "b", declare(2, 101, 0)); got != nil {
		t.Errorf("after a new plan of the other object: got %v", got)
	}
}

// Two rows of one set that declare the same contact are a conflict, too.
func TestIntents_refusesClaimTwiceInOneSet(t *testing.T) {
	t.Parallel()
	if got := note(NewIntents(), "a", declare(1, 101, 0), declare(2, 101, 0)); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

// The second plan of a replacement, which has no prior state, does not replace the destroy that the
// first plan has noted.
func TestIntents_keepDestroyOfReplacement(t *testing.T) {
	t.Parallel()
	keep := Intent{CustomerID: 1, Kind: Keep, Prior: pair(101, 0), Declared: pair(101, 0)}
	for name, test := range map[string]struct {
		first  []Intent
		second Intent
	}{
		"with another customer": {
			[]Intent{{CustomerID: 1, Kind: Destroy, Prior: pair(101, 0)}, declare(2, 101, 0)}, declare(2, 101, 0),
		},
		"by -replace": {[]Intent{keep}, declare(1, 102, 0)},
	} {
		i := NewIntents()
		note(i, "a", test.first...)
		if got := i.Note(ObjectPlan{Owner: "a", Intents: []Intent{test.second}, IsReplacement: true}); got != nil {
			t.Errorf("%s: %v", name, got)
		}
		if !i.Removes(1) || !i.Releases(1, fusebill.Claim{Kind: fusebill.Contact, ID: 101}) {
			t.Errorf("%s: the destroy of the latch of customer 1 to contact 101 is missing", name)
		}
		if got := errorsOf(note(i, "b", keep)); len(got) != 1 || got[0] == nil {
			t.Errorf("%s: another object that keeps customer 1: got %v", name, got)
		}
	}
}

// An exclusive set conflicts with each declared latch that it does not list, and with another
// exclusive set. It does not conflict with a removal.
func TestIntents_refusesLatchUnlistedByExclusiveSet(t *testing.T) {
	t.Parallel()
	unlisted := []error{&ExclusiveError{CustomerID: 2}}
	i := NewIntents()
	if got := noteExclusive(i, "set", declare(1, 101, 0)); got != nil {
		t.Errorf("alone: got %v", got)
	}
	if got := errorsOf(note(i, "single", declare(2, 102, 0))); !reflect.DeepEqual(got, unlisted) {
		t.Errorf("an unlisted latch, planned later: got %v", got)
	}
	if got := errorsOf(noteExclusive(i, "set", declare(1, 101, 0))); !reflect.DeepEqual(got, unlisted) {
		t.Errorf("an unlisted latch, planned before: got %v", got)
	}
	if got := note(i, "single", Intent{CustomerID: 2, Kind: Destroy, Prior: pair(102, 0)}); got != nil {
		t.Errorf("a removal: got %v", got)
	}
	got := errorsOf(noteExclusive(i, "other", declare(3, 103, 0)))
	if !reflect.DeepEqual(got, []error{&ExclusiveError{}}) {
		t.Errorf("another exclusive set: got %v", got)
	}
}

// Releases reports whether all plans of a customer leave a claim to others.
func TestIntents_releases(t *testing.T) {
	t.Parallel()
	contact := fusebill.Claim{Kind: fusebill.Contact, ID: 101}
	for name, test := range map[string]struct {
		intents []Intent
		want    bool
	}{
		"not planned":              {nil, false},
		"kept":                     {[]Intent{{CustomerID: 1, Kind: Keep, Declared: pair(101, 0)}}, false},
		"another contact declared": {[]Intent{declare(1, 102, 0)}, true},
		"destroyed":                {[]Intent{{CustomerID: 1, Kind: Destroy}}, true},
		"destroyed and renamed":    {[]Intent{{CustomerID: 1, Kind: Destroy}, declare(1, 101, 0)}, false},
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

// A Read that follows the plan of another object notes that this one keeps the latch. The state is
// all that the destroy of a deposed object gets, so only after such a Read the destroy spares the
// latch.
func TestIntents_sparesLatchReadAfterOtherPlan(t *testing.T) {
	t.Parallel()
	keep := Intent{CustomerID: 1, Kind: Keep, Prior: pair(101, 0), Declared: pair(101, 0)}
	i := NewIntents()
	if kept := i.Observe(1); kept != nil {
		t.Errorf("a read before the plan of the other object: got %v", kept)
	}
	note(i, "other", keep)
	destroy := Intent{CustomerID: 1, Kind: Destroy, Prior: pair(101, 0)}
	removed := []error{&RemovedElsewhereError{CustomerID: 1}}
	if got := errorsOf(note(i, "deposed", destroy)); !reflect.DeepEqual(got, removed) {
		t.Errorf("a destroy after that read: got %v", got)
	}
	if kept := i.Observe(1, 2); !slices.Equal(kept, []int64{1}) {
		t.Errorf("a read after the plan of the other object: got %v", kept)
	}
	if got := note(i, "deposed", destroy); len(got) != 1 || got[0].Err != nil {
		t.Errorf("a destroy after that read: got %+v", got)
	}
}

// Terraform plans a tainted object as a create, and destroys it without a plan. Another object of
// the state that keeps the same latch must not lose it.
func TestIntents_sparesLatchOfTaintedObject(t *testing.T) {
	t.Parallel()
	keep := Intent{CustomerID: 1, Kind: Keep, Prior: pair(101, 0), Declared: pair(101, 0)}
	create := ObjectPlan{Owner: "tainted", Intents: []Intent{declare(2, 102, 0)}, IsCreate: true}

	removed := []error{&RemovedElsewhereError{CustomerID: 1}}

	kept := NewIntents()
	kept.Observe(1)
	note(kept, "other", keep)
	kept.Observe(1)
	if got := kept.Note(create); len(got) != 1 || got[0].Err != nil || got[0].Intent.CustomerID != 1 {
		t.Errorf("tainted object read and planned after the other one: got %+v", got)
	}

	early := NewIntents()
	early.Observe(1)
	early.Observe(1)
	note(early, "other", keep)
	if got := errorsOf(early.Note(create)); !reflect.DeepEqual(got, removed) {
		t.Errorf("tainted object read before and planned after the other one: got %v", got)
	}

	planned := NewIntents()
	planned.Observe(1)
	planned.Note(create)
	planned.Observe(1)
	if got := errorsOf(note(planned, "other", keep)); !reflect.DeepEqual(got, removed) {
		t.Errorf("tainted object planned before the other one: got %v", got)
	}

	once := NewIntents()
	once.Observe(1)
	once.Note(create)
	if got := note(once, "other", keep); got != nil {
		t.Errorf("no other object of the state has the latch: got %v", got)
	}
}

package latch

import (
	"slices"
	"sync"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Intents records what the objects of a configuration and of its state intend for the latches of
// customers. Terraform plans one object at a time and does not know that latches are unique, so
// Intents finds the conflicts between objects. It compares each new intent with those of other
// objects for the same customer or the same claim.
//
// Intents is safe for concurrent use. One serves a whole provider process.
type Intents struct {
	mu        sync.Mutex
	customers map[int64][]record
	claims    map[fusebill.Claim][]record // of intents that declare or keep a latch
	noted     map[string][]Intent         // by owner, to replace them where Terraform plans an object twice
	exclusive map[string]map[int64]bool   // by owner, the customers that an exclusive set lists
	inState   map[int64]int               // by customer, the number of objects of the state that have its latch
	// isShared has the customers whose latch one object keeps, where another object that has the
	// same latch was read after the first one was planned.
	isShared map[int64]bool
	creates  int // the number of planned objects that are new or tainted
}

// Intent is the plan of one object for the latch of one customer.
type Intent struct {
	CustomerID int64
	Kind       IntentKind
	Prior      fusebill.Latch // the object's latch in the state
	Declared   fusebill.Latch // the object's latch in the configuration, for [Declare] and [Keep]
}

// IntentKind is what an object does with a customer's latch.
type IntentKind int

const (
	// Declare brings the customer to a latch, by a change of the apply.
	Declare IntentKind = iota
	// Keep leaves the customer's latch as it is: the state has the declared latch, so the apply
	// does nothing.
	Keep
	// RemoveRow drops the customer from a set, by an update.
	RemoveRow
	// Destroy removes the latch because its object is destroyed or replaced.
	Destroy
	// Unlatch removes the latch by an action.
	Unlatch
)

// verdict is whether two intents of different owners for one customer are compatible.
type verdict int

const (
	compatible       verdict = iota // the apply can carry out both, in any order
	declaredTwice                   // both objects declare the customer's latch
	unlatchedToo                    // an object declares the latch that an action removes
	removedElsewhere                // one object keeps the latch that the other removes, and the apply would not notice
	destroySpared                   // the same, but a destroy whose object was read after the other plan spares the latch
)

// verdicts has a row for the intent that is noted first and a column for the later one. The change
// of an object that declares a latch is part of the apply, where the coordinator orders it with the
// changes that remove the latch. An object that keeps a latch has no part in the apply, because
// Terraform applies only objects with changes.
var verdicts = [...][5]verdict{
	//          Declare     Keep       RemoveRow   Destroy     Unlatch
	Declare:   {declaredTwice, declaredTwice, compatible, compatible, unlatchedToo},
	Keep:      {declaredTwice, declaredTwice, removedElsewhere, destroySpared, unlatchedToo},
	RemoveRow: {compatible, removedElsewhere, compatible, compatible, compatible},
	Destroy:   {compatible, removedElsewhere, compatible, compatible, compatible},
	Unlatch:   {unlatchedToo, unlatchedToo, compatible, compatible, compatible},
}

// Conflict is an intent that another object's intent contradicts.
type Conflict struct {
	Intent Intent
	// Err is a [DeclaredTwiceError], [UnlatchConflictError], [RemovedElsewhereError] or
	// [ExclusiveError]. It is nil where the intent is a destroy that must spare the latch, because
	// another object keeps it.
	Err error
}

// record is an intent with its owner.
type record struct {
	owner string
	Intent
}

// NewIntents returns a record without intents.
func NewIntents() *Intents {
	return &Intents{
		customers: make(map[int64][]record),
		claims:    make(map[fusebill.Claim][]record),
		noted:     make(map[string][]Intent),
		exclusive: make(map[string]map[int64]bool),
		inState:   make(map[int64]int),
		isShared:  make(map[int64]bool),
	}
}

// Observe notes that an object of the state has been read and has the latches of these customers.
// It returns those whose latch another object keeps, by the plans so far.
//
// The caller stores the result with the state of the object. Terraform plans the destroy of a
// deposed object (one that create_before_destroy has left behind) again in the process that applies
// it. That plan gets nothing from the first one but the state.
func (i *Intents) Observe(customerIDs ...int64) (kept []int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, id := range customerIDs {
		i.inState[id]++
		if i.isKeptLocked(id) {
			i.isShared[id] = true
			kept = append(kept, id)
		}
	}
	return kept
}

// isKeptLocked reports whether an object keeps the latch of a customer. The caller holds i.mu.
func (i *Intents) isKeptLocked(customerID int64) bool {
	return slices.ContainsFunc(i.customers[customerID], func(r record) bool { return r.Kind == Keep })
}

// InState returns the number of objects of the state that have a customer's latch, among those that
// have been read so far.
func (i *Intents) InState(customerID int64) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.inState[customerID]
}

// ObjectPlan is what one object of the state or the configuration intends.
type ObjectPlan struct {
	// Owner identifies the object.
	Owner   string
	Intents []Intent
	// IsExclusive reports whether the object is a set that is responsible for the whole account.
	// Such a set also declares that each customer which it does not list is unlatched.
	IsExclusive bool
	// IsReplacement reports whether this is the second plan of an object that Terraform replaces,
	// which has no prior state. The apply destroys the prior latches of the first plan. This plan
	// may declare them again.
	IsReplacement bool
	// IsCreate reports whether Terraform has given the plan neither a prior state nor private data.
	// The object is new or tainted. Terraform destroys a tainted object without planning the
	// destroy.
	IsCreate bool
}

// Note records the plan of an object in place of its earlier plan, and returns the conflicts with
// the plans of other objects.
func (i *Intents) Note(plan ObjectPlan) []Conflict {
	i.mu.Lock()
	defer i.mu.Unlock()
	intents := plan.Intents
	if plan.IsReplacement {
		intents = append(i.destroysLocked(plan.Owner), intents...)
	}
	i.forgetLocked(plan.Owner)
	var conflicts []Conflict
	if plan.IsExclusive {
		if len(i.exclusive) > 0 {
			return []Conflict{{Err: &ExclusiveError{}}}
		}
		listed := listedBy(intents)
		i.exclusive[plan.Owner] = listed
		conflicts = i.unlistedLocked(plan.Owner, listed)
	}
	if plan.IsCreate {
		i.creates++
		conflicts = append(conflicts, i.sparedByTaintedLocked()...)
	}
	return append(conflicts, i.noteLocked(plan.Owner, intents)...)
}

// listedBy returns the customers whose latches intents declare.
func listedBy(intents []Intent) map[int64]bool {
	listed := make(map[int64]bool, len(intents))
	for _, intent := range intents {
		if intent.declares() {
			listed[intent.CustomerID] = true
		}
	}
	return listed
}

// destroysLocked returns a destroy for each prior latch that an owner has noted. The caller holds
// i.mu.
func (i *Intents) destroysLocked(owner string) []Intent {
	var destroys []Intent
	for _, before := range i.noted[owner] {
		if !before.Prior.IsZero() {
			destroys = append(destroys, Intent{CustomerID: before.CustomerID, Kind: Destroy, Prior: before.Prior})
		}
	}
	return destroys
}

// sparedByTaintedLocked returns a conflict for each customer whose latch the destroy of a tainted
// object must spare, because another object of the state has it too and keeps it. The caller holds
// i.mu.
func (i *Intents) sparedByTaintedLocked() []Conflict {
	var spared []Conflict
	for id, objects := range i.inState {
		if objects < 2 || !i.isKeptLocked(id) {
			continue
		}
		conflict := Conflict{Intent: Intent{CustomerID: id, Kind: Destroy}}
		if !i.isShared[id] {
			conflict.Err = &RemovedElsewhereError{CustomerID: id}
		}
		spared = append(spared, conflict)
	}
	return spared
}

// Releases reports whether the plans so far release a claim of a customer: at least one plan is
// about the customer, and none declares the claim for it.
func (i *Intents) Releases(customerID int64, claim fusebill.Claim) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	releases := false
	for _, r := range i.customers[customerID] {
		if r.declares() && r.Declared.Holds(claim) {
			return false
		}
		releases = true
	}
	return releases
}

// Removes reports whether a plan so far removes the latch of a customer. The destroy half of a
// replacement counts, too.
func (i *Intents) Removes(customerID int64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, r := range i.customers[customerID] {
		if r.removes() {
			return true
		}
	}
	return false
}

func (i Intent) declares() bool { return i.Kind == Declare || i.Kind == Keep }

func (i Intent) removes() bool { return !i.declares() }

// forgetLocked removes the intents of an owner. The caller holds i.mu.
func (i *Intents) forgetLocked(owner string) {
	isOwned := func(r record) bool { return r.owner == owner }
	for _, intent := range i.noted[owner] {
		deleteRecords(i.customers, intent.CustomerID, isOwned)
		for _, claim := range intent.Declared.Claims() {
			deleteRecords(i.claims, claim, isOwned)
		}
	}
	delete(i.noted, owner)
	delete(i.exclusive, owner)
}

// deleteRecords removes records of one key.
func deleteRecords[K comparable](records map[K][]record, key K, isDeleted func(record) bool) {
	left := records[key][:0]
	for _, r := range records[key] {
		if !isDeleted(r) {
			left = append(left, r)
		}
	}
	if len(left) == 0 {
		delete(records, key)
		return
	}
	records[key] = left
}

// noteLocked records the intents of an owner, and returns their conflicts with those of others. The
// caller holds i.mu.
func (i *Intents) noteLocked(owner string, intents []Intent) []Conflict {
	var conflicts []Conflict
	for _, intent := range intents {
		if conflict, ok := i.conflictLocked(owner, intent); ok {
			conflicts = append(conflicts, conflict)
		}
		r := record{owner, intent}
		i.customers[intent.CustomerID] = append(i.customers[intent.CustomerID], r)
		for _, claim := range intent.Declared.Claims() {
			i.claims[claim] = append(i.claims[claim], r)
		}
	}
	i.noted[owner] = intents
	return conflicts
}

// conflictLocked returns the conflict of an intent with those of other owners, and reports whether
// there is one. The caller holds i.mu.
func (i *Intents) conflictLocked(owner string, intent Intent) (Conflict, bool) {
	id := intent.CustomerID
	isSpared := false
	for _, other := range i.customers[id] {
		if other.owner == owner {
			continue
		}
		switch verdicts[other.Kind][intent.Kind] {
		case declaredTwice:
			return Conflict{intent, &DeclaredTwiceError{CustomerID: id, Other: id}}, true
		case unlatchedToo:
			return Conflict{intent, &UnlatchConflictError{CustomerID: id}}, true
		case removedElsewhere:
			return Conflict{intent, &RemovedElsewhereError{CustomerID: id}}, true
		case destroySpared:
			if !i.isShared[id] {
				return Conflict{intent, &RemovedElsewhereError{CustomerID: id}}, true
			}
			isSpared = true
		case compatible:
		}
	}
	if !intent.declares() {
		return Conflict{intent, nil}, isSpared
	}
	// Another object of the state has the latch but no intent for it. It may be tainted, and so was
	// planned as a create.
	if intent.Kind == Keep && i.inState[id] > 1 && len(i.customers[id]) == 0 && i.creates > 0 {
		return Conflict{intent, &RemovedElsewhereError{CustomerID: id}}, true
	}
	for other, listed := range i.exclusive {
		if other != owner && !listed[id] {
			return Conflict{intent, &ExclusiveError{CustomerID: id}}, true
		}
	}
	for _, claim := range intent.Declared.Claims() {
		for _, other := range i.claims[claim] {
			if other.CustomerID != id {
				return Conflict{intent, &DeclaredTwiceError{CustomerID: id, Claim: claim, Other: other.CustomerID}}, true
			}
		}
	}
	return Conflict{}, false
}

// unlistedLocked returns a conflict for each latch that another owner declares and an exclusive set
// does not list. The caller holds i.mu.
func (i *Intents) unlistedLocked(owner string, listed map[int64]bool) []Conflict {
	var conflicts []Conflict
	for id, records := range i.customers {
		for _, r := range records {
			if r.declares() && r.owner != owner && !listed[id] {
				conflicts = append(conflicts, Conflict{r.Intent, &ExclusiveError{CustomerID: id}})
			}
		}
	}
	return conflicts
}

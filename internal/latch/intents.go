package latch

import (
	"slices"
	"sync"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Intents records what the objects of a configuration and of its state intend for the latches of customers. Terraform
// plans one object at a time and knows nothing of uniqueness, so conflicts between objects are found here: each new
// intent is compared with those that other objects have noted for the same customer or the same claim.
//
// Intents is safe for concurrent use. One serves a whole provider process.
type Intents struct {
	mu        sync.Mutex
	customers map[int64][]record
	claims    map[fusebill.Claim][]record // of intents that declare or keep a latch
	noted     map[string][]Intent         // by owner, to replace them where Terraform plans an object twice
	exclusive map[string]map[int64]bool   // the customers that each exclusive set lists, by owner
	inState   map[int64]int               // how many objects of the state have the customer's latch
	isShared  map[int64]bool              // customers whose latch an object keeps, and another one was read after that was planned
	creates   int                         // plans of objects that are new or tainted
}

// Intent is the plan of one object for the latch of one customer.
type Intent struct {
	CustomerID int64
	Kind       IntentKind
	Prior      fusebill.Latch // the object's latch in the state
	Declared   fusebill.Latch // of [Declare] and [Keep]
}

// IntentKind is what an object does with a customer's latch.
type IntentKind int

const (
	// Declare brings the customer to a latch, by a change of the apply.
	Declare IntentKind = iota
	// Keep leaves the customer's latch as it is: the state has it as declared, and the apply does nothing.
	Keep
	// RemoveRow drops the customer from a set, by an update.
	RemoveRow
	// Destroy removes the latch because its object is destroyed or replaced.
	Destroy
	// Unlatch removes the latch by an action.
	Unlatch
)

// verdict is the result of two intents for one customer by different owners.
type verdict int

const (
	compatible       verdict = iota // the apply settles it, in any order
	declaredTwice                   // two objects declare the customer's latch
	unlatchedToo                    // one object declares what an action removes
	removedElsewhere                // one object keeps what the other removes: the apply would not notice
	destroySpared                   // the destroy makes no call, where its object was read after the other was planned
)

// verdicts has a row for the intent that is noted first and a column for the later one. An object that declares a latch
// by a change takes part in the apply, where the coordinator puts it in order with those that remove the latch. An object
// that keeps a latch takes no part, because Terraform applies nothing without changes.
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
	// Err is a [DeclaredTwiceError], [UnlatchConflictError], [RemovedElsewhereError] or [ExclusiveError]. It is nil where
	// the intent is a destroy that makes no call, because another object keeps the latch.
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

// Observe notes that an object of the state has been read, and has the latches of these customers. It
// returns the customers whose latch another object keeps, as far as objects have been planned by now.
//
// The caller stores these with the state of the object. A destroy of a deposed object, which
// create_before_destroy has left, is planned again by the process that applies it, and gets nothing
// else from the first plan.
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

// isKeptLocked reports whether an object keeps the latch of a customer. i.mu is held.
func (i *Intents) isKeptLocked(customerID int64) bool {
	return slices.ContainsFunc(i.customers[customerID], func(r record) bool { return r.Kind == Keep })
}

// InState returns how many objects of the state have a customer's latch, as far as they have been read by now.
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
	// IsExclusive reports that the object is a set which is responsible for the whole account: it
	// declares each customer that it does not list, too.
	IsExclusive bool
	// IsReplacement reports that this is the second plan of an object that Terraform replaces, which
	// has no prior state. What the first plan noted as prior is destroyed, and may be declared again.
	IsReplacement bool
	// IsCreate reports that Terraform has given the plan neither a prior state nor private data. The
	// object is new or tainted. A tainted object is destroyed without a plan of that.
	IsCreate bool
}

// Note records the plan of an object, instead of an earlier one, and returns what contradicts it.
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

func listedBy(intents []Intent) map[int64]bool {
	listed := make(map[int64]bool, len(intents))
	for _, intent := range intents {
		if intent.declares() {
			listed[intent.CustomerID] = true
		}
	}
	return listed
}

// destroysLocked returns the destroys of what an owner has noted as its prior latches. i.mu is held.
func (i *Intents) destroysLocked(owner string) []Intent {
	var destroys []Intent
	for _, before := range i.noted[owner] {
		if !before.Prior.IsZero() {
			destroys = append(destroys, Intent{CustomerID: before.CustomerID, Kind: Destroy, Prior: before.Prior})
		}
	}
	return destroys
}

// sparedByTaintedLocked returns the customers that the destroy of a tainted object must leave alone:
// another object of the state has their latches too, and keeps them. i.mu is held.
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

// Releases reports whether the objects that have noted intents for a customer, as far as they have been planned by now,
// leave its claim to others.
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

// Removes reports whether an object, as far as it has been planned by now, removes the latch of a customer. The destroy half
// of a replacement does.
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

// forgetLocked removes what an owner has noted. i.mu is held.
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

// conflictLocked compares an intent with those of other owners. i.mu is held.
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
	// Another object of the state has the latch, and intends nothing. It may have been planned as a
	// create, because it is tainted.
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

// unlistedLocked returns what other owners declare for customers that an exclusive set does not list. i.mu is held.
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

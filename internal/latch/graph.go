package latch

import (
	"slices"
	"sync"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// graph holds the changes under way in this process, by customer, and the claims between them. All of its methods whose
// names end in Locked need mu. A caller that changes something calls settleLocked before it unlocks, which lets every change
// go on that now can.
//
// A change that waits is registered under what it waits for: the claim, and the customer that holds it. Only an event of one
// of these wakes it, so a permutation of many contacts costs time that grows linearly with their number.
type graph struct {
	holders func(fusebill.Claim) []int64 // the customers that hold a claim, as far as they were read

	mu       sync.Mutex
	runs     map[*run]bool
	first    map[int64]*change        // the change whose turn it is, by customer
	queues   map[int64][]*change      // the changes that wait for their turn, by customer
	kept     map[int64]bool           // customers whose latch a change of this process has declared
	refused  map[int64]fusebill.Latch // what a change declared that was refused
	ended    map[int64]*change        // the last change of a customer that has ended, and was not refused, if there is one
	reserved map[fusebill.Claim]*change
	released map[fusebill.Claim]int // the number of the event by which a claim was last released
	events   int
	open     map[*change]bool // the changes that have released something that nobody has restored yet
	waiters  map[fusebill.Claim][]*change
	woken    []*change // to be evaluated
	unsure   []*change // waiting, and not known to be settling
	pass     int       // the number of the last search for rings
	busy     int       // changes that neither wait nor have ended
	stall    stall
}

// phase is how far a change is.
type phase int

const (
	queued  phase = iota // another change of the customer has its turn
	reading              // the customer is to be read
	waiting              // for others to release what the change claims
	ready                // for a worker
	working              // a worker is at it
	done
)

// step is the next thing that a worker does for a change.
type step int

const (
	finish  step = iota // bring the declared latch
	release             // release first what others in a ring wait for
	restore             // put back what was released
)

// change is one customer's change, from begin to end.
type change struct {
	Change
	run     *run          // nil: it takes something from its customer on behalf of another change
	unlatch *unlatchOrder // nil: it belongs to a resource

	phase      phase
	step       step
	isKnown    bool           // whether the next three are set
	before     fusebill.Latch // what the customer held at first
	current    fusebill.Latch // what it holds now
	target     fusebill.Latch // what it is to hold
	isParked   bool           // it waits, without its turn, for another change to remove the customer's other latch
	isLookedAt bool           // its holders were read again while nothing went on
	isExpired  bool           // it has waited long enough: unless its claims turn out to be free, it ends
	isWoken    bool
	freshUntil time.Time // how long what was read of the customer, for the run as a whole, is good for a write
	sendBefore time.Time // when its next write must have been sent, since what was read is too old then
	late       int       // how often its write was put off
	lateAt     time.Time

	held       []Holding // what others hold of the target
	blockers   []*change // the changes that are to release it
	isBlocked  bool      // something of it is not to be released by a change that is under way, as far as is known
	isSettling bool      // the search for rings has shown that its claims will be free
	isUnsure   bool
	search     search

	isFirst      bool // it releases, or has released, before others in a ring
	reservations []fusebill.Claim
	calls        *fusebill.Reservation
	isReleased   bool      // it has released something first, on the way to its target
	taken        []*change // of the holders from which it takes something
	last         *change   // where it is one of these: the change of the holder that has ended, and has failed to release it
	refusal      error     // the service's, by a holder that nobody knows
	// unconfirmed is the outcome of a write that may have reached the service and was put off after
	// that, until another write of the customer is answered. The change must not end without it.
	unconfirmed *UnconfirmedError
	refusals    int
	writeEvent  int // the number of the last event before its last write
	tookFrom    []int64

	lost      []Holding // what cannot be restored, since others hold it by now
	isKept    bool
	isDropped bool // it has ended before it was begun
	err       error
}

// isOpen reports whether the change has released something that its customer is to get back, or something else instead.
func (c *change) isOpen() bool {
	return c.isReleased && !c.before.Without(c.current).IsZero() && (c.run == nil || c.current != c.target)
}

// isFailing reports whether the change has failed and restores what it has released.
func (c *change) isFailing() bool { return c.err != nil }

func (c *change) isRelease() bool { return c.Declared.IsZero() }

// customerClaim is the claim on a customer's latch.
func customerClaim(customerID int64) fusebill.Claim {
	return fusebill.Claim{Kind: "customer", ID: customerID}
}

func newGraph(holders func(fusebill.Claim) []int64) *graph {
	return &graph{
		holders:  holders,
		runs:     make(map[*run]bool),
		first:    make(map[int64]*change),
		queues:   make(map[int64][]*change),
		kept:     make(map[int64]bool),
		refused:  make(map[int64]fusebill.Latch),
		ended:    make(map[int64]*change),
		reserved: make(map[fusebill.Claim]*change),
		released: make(map[fusebill.Claim]int),
		open:     make(map[*change]bool),
		waiters:  make(map[fusebill.Claim][]*change),
	}
}

// settleAndUnlock ends a critical section.
func (g *graph) settleAndUnlock() {
	g.settleLocked()
	g.mu.Unlock()
}

// settleLocked evaluates every change that something has happened to, and breaks the rings that have closed.
func (g *graph) settleLocked() {
	for len(g.woken) > 0 || len(g.unsure) > 0 {
		for i := 0; i < len(g.woken); i++ {
			c := g.woken[i]
			c.isWoken = false
			if c.phase == waiting {
				g.evaluateLocked(c)
			}
		}
		g.woken = g.woken[:0]
		g.breakRingsLocked()
	}
	g.watchStallLocked()
}

// addLocked begins the changes of a run, each as soon as it is its customer's turn.
func (g *graph) addLocked(r *run) {
	g.runs[r] = true
	for _, c := range r.changes {
		if g.first[c.CustomerID] != nil {
			g.queues[c.CustomerID] = append(g.queues[c.CustomerID], c)
			continue
		}
		g.giveTurnLocked(c)
	}
}

// giveTurnLocked makes it a change's turn on its customer, which has to be read first.
func (g *graph) giveTurnLocked(c *change) {
	g.first[c.CustomerID] = c
	c.isParked = false
	if c.isRelease() && c.unlatch == nil && g.kept[c.CustomerID] {
		if last := g.ended[c.CustomerID]; last != nil {
			c.current = last.current
		}
		g.keepLocked(c)
		return
	}
	g.setPhaseLocked(c, reading)
	c.run.unread = append(c.run.unread, c)
	c.run.signal()
	g.wakeLocked(customerClaim(c.CustomerID))
}

// keepLocked ends the release of a latch that another change of this process has declared.
func (g *graph) keepLocked(c *change) {
	c.isKept, c.isKnown = true, false
	g.finishLocked(c, nil)
}

// nextTurnLocked gives the turn on a customer to the next change. One that is parked comes last.
func (g *graph) nextTurnLocked(customerID int64) {
	delete(g.first, customerID)
	queue := g.queues[customerID]
	if len(queue) == 0 {
		return
	}
	i := max(slices.IndexFunc(queue, func(c *change) bool { return !c.isParked }), 0)
	next := queue[i]
	if g.queues[customerID] = slices.Delete(queue, i, i+1); len(queue) == 1 {
		delete(g.queues, customerID)
	}
	g.giveTurnLocked(next)
}

// parkLocked gives a change's turn away until another change of its customer has ended.
func (g *graph) parkLocked(c *change) {
	id := c.CustomerID
	g.setPhaseLocked(c, queued)
	c.isParked, c.isKnown = true, false
	delete(g.first, id)
	if slices.ContainsFunc(g.queues[id], func(q *change) bool { return !q.isParked }) {
		g.nextTurnLocked(id)
	}
	g.queues[id] = append(g.queues[id], c)
	g.wakeLocked(customerClaim(id))
}

func (g *graph) setPhaseLocked(c *change, p phase) {
	isBusy := func(p phase) bool { return p == reading || p == ready || p == working }
	if isBusy(c.phase) {
		g.busy--
	}
	if isBusy(p) {
		g.busy++
	}
	c.phase = p
}

// prepareLocked takes in what a change's customer holds, and decides what it is to hold, or refuses to change it.
func (g *graph) prepareLocked(c *change, current fusebill.Latch) {
	c.isKnown, c.before, c.current = true, current, current
	foreign := current.Without(c.Prior).Without(c.Declared)
	switch {
	case c.unlatch != nil:
		if err := g.refuseUnlatchLocked(c); err != nil {
			g.refuseLocked(c, err)
			return
		}
		c.target = fusebill.Latch{}
	case c.isRelease():
		if g.kept[c.CustomerID] {
			g.keepLocked(c)
			return
		}
		if c.Strict && !current.IsZero() && current != c.Prior {
			g.refuseLocked(c, &ChangedError{CustomerID: c.CustomerID, Planned: c.Prior, Current: current})
			return
		}
		c.target = g.leftByReleaseLocked(c)
	case foreign.IsZero(), c.Prior.IsZero() && c.run.options.Reassociate:
		c.target = c.Declared
	case !c.Prior.IsZero():
		g.refuseLocked(c, &ChangedError{CustomerID: c.CustomerID, Planned: c.Prior, Current: current})
		return
	case c.isExpired || g.kept[c.CustomerID]:
		g.refuseLocked(c, &AlreadyLatchedError{CustomerID: c.CustomerID, Current: current})
		return
	default:
		g.parkLocked(c)
		return
	}
	if c.current == c.target {
		g.finishLocked(c, nil)
		return
	}
	g.setPhaseLocked(c, waiting)
	g.pushLocked(c)
	g.wakeLocked(customerClaim(c.CustomerID))
	for _, claim := range current.Claims() {
		g.wakeLocked(claim)
	}
}

// leftByReleaseLocked is what a release leaves of a customer's latch: what somebody else has latched it to since, and what
// another change of this process declares, whose turn comes after or that was refused.
func (g *graph) leftByReleaseLocked(c *change) fusebill.Latch {
	removed := c.Prior.Without(g.refused[c.CustomerID])
	for _, next := range g.queues[c.CustomerID] {
		removed = removed.Without(next.Declared)
	}
	c.isKept = removed != c.Prior && c.current.Without(removed) == c.current
	return c.current.Without(removed)
}

// refuseLocked ends a change that is not to be made. What its customer holds counts as declared by nobody.
func (g *graph) refuseLocked(c *change, err error) {
	c.isKnown = false
	g.refused[c.CustomerID] = c.Declared
	g.finishLocked(c, err)
}

// pushLocked lets a waiting change be evaluated.
func (g *graph) pushLocked(c *change) {
	if !c.isWoken {
		c.isWoken = true
		g.woken = append(g.woken, c)
	}
}

// wakeLocked lets those who wait for a claim be evaluated again.
func (g *graph) wakeLocked(claim fusebill.Claim) {
	list := g.waiters[claim]
	delete(g.waiters, claim)
	for _, c := range list {
		if c.phase == waiting {
			g.pushLocked(c)
		}
	}
}

// wakeAllLocked does so for all changes, after the account was read.
func (g *graph) wakeAllLocked() {
	for claim := range g.waiters {
		g.wakeLocked(claim)
	}
}

// obstacle is how a claim that another customer holds may become free.
type obstacle int

const (
	willRelease obstacle = iota // a change that is under way is to release it
	canBeTaken                  // no change of this process is about the holder, and the claim may be taken from it
	mayRelease                  // nobody knows
	keeps                       // it does not
)

func (g *graph) obstacleLocked(c *change, h Holding) obstacle {
	other := g.first[h.Holder]
	switch {
	case g.reserved[h.Claim] != nil && (other == nil || !other.isKnown || !other.current.Holds(h.Claim)):
		return mayRelease // Its write decides.
	case other == nil:
		last := g.ended[h.Holder]
		switch {
		case last != nil && last.isKnown && (!c.run.options.Reassociate || last.target.Holds(h.Claim)):
			return keeps
		case c.run.options.Reassociate:
			return canBeTaken
		default:
			return mayRelease
		}
	case !other.isKnown, other.run == nil, other.isFailing(), !other.current.Holds(h.Claim):
		return mayRelease
	case !other.target.Holds(h.Claim):
		return willRelease
	case len(g.queues[h.Holder]) > 0: // Another change of the customer comes after.
		return mayRelease
	default:
		return keeps
	}
}

// heldByOthersLocked lists what others than a change's customer hold of a latch, or are about to.
func (g *graph) heldByOthersLocked(c *change, wanted fusebill.Latch) []Holding {
	var held []Holding
	for _, claim := range wanted.Without(c.current).Claims() {
		if by := g.reserved[claim]; by != nil && by != c {
			held = append(held, Holding{Claim: claim, Holder: by.CustomerID})
			continue
		}
		for _, holder := range g.holders(claim) {
			if holder != c.CustomerID {
				held = append(held, Holding{Claim: claim, Holder: holder})
			}
		}
	}
	return held
}

// evaluateLocked decides whether a waiting change can go on.
func (g *graph) evaluateLocked(c *change) {
	if c.isFailing() {
		g.evaluateRestoreLocked(c)
		return
	}
	c.held = g.heldByOthersLocked(c, c.target)
	var blockers []*change
	isBlocked, canTake := false, true
	for _, h := range c.held {
		o := g.obstacleLocked(c, h)
		if o == keeps {
			g.failLocked(c, g.heldErrorLocked(c, HolderKeeps))
			return
		}
		if o == willRelease {
			blockers = append(blockers, g.first[h.Holder])
		}
		isBlocked = isBlocked || o == mayRelease
		canTake = canTake && o == canBeTaken
	}
	if len(c.held) == 0 && c.refusal != nil {
		isBlocked = !g.wasReleasedLocked(c)
	}
	isNew := isBlocked && !c.isBlocked || slices.ContainsFunc(blockers, func(b *change) bool {
		return b.phase == waiting && !b.isSettling || !slices.Contains(c.blockers, b)
	})
	c.blockers, c.isBlocked = blockers, isBlocked
	switch {
	case len(c.held) == 0 && !isBlocked:
		g.handLocked(c, finish)
		return
	case len(c.held) > 0 && canTake:
		g.takeLocked(c)
		g.handLocked(c, finish)
		return
	case c.isExpired:
		g.failLocked(c, g.waitErrorLocked(c))
		return
	}
	g.registerLocked(c)
	if c.isSettling && isNew {
		g.unsettleLocked(c)
	} else if !c.isSettling {
		g.markUnsureLocked(c)
	}
}

// wasReleasedLocked reports whether somebody has released what a change claims since its last write was refused.
func (g *graph) wasReleasedLocked(c *change) bool {
	return slices.ContainsFunc(c.target.Claims(), func(claim fusebill.Claim) bool { return g.released[claim] > c.writeEvent })
}

// registerLocked lets a change be woken by whatever may free its claims.
func (g *graph) registerLocked(c *change) {
	for _, claim := range c.target.Without(c.current).Claims() {
		g.waiters[claim] = append(g.waiters[claim], c)
	}
	for _, h := range c.held {
		claim := customerClaim(h.Holder)
		g.waiters[claim] = append(g.waiters[claim], c)
	}
}

// waitErrorLocked is the error of a change that has waited in vain.
func (g *graph) waitErrorLocked(c *change) error {
	if len(c.held) == 0 {
		return c.refusal
	}
	reason := HolderWaits
	if c.isBlocked {
		reason = HolderUnchanged
	}
	return g.heldErrorLocked(c, reason)
}

func (g *graph) heldErrorLocked(c *change, reason HeldReason) error {
	err := &HeldError{CustomerID: c.CustomerID, Held: c.held, Reason: reason}
	seen := map[*change]bool{c: true}
	for at := c; len(at.blockers) > 0 && !seen[at.blockers[0]]; at = at.blockers[0] {
		seen[at.blockers[0]] = true
		err.Chain++
	}
	return err
}

// handLocked gives a change to the workers of its run.
func (g *graph) handLocked(c *change, s step) {
	if s == finish {
		c.isExpired = false
		g.reserveLocked(c, c.target)
		for _, w := range g.waiters[customerClaim(c.CustomerID)] {
			if w.phase == waiting && !w.isSettling {
				g.markUnsureLocked(w) // The change is no part of a ring any more.
			}
		}
	}
	c.step = s
	g.setPhaseLocked(c, ready)
	switch r := c.run; {
	case s == release:
		r.releases = append(r.releases, c)
	case s == restore || c.isSettling:
		r.urgent = append(r.urgent, c)
	default:
		r.ready = append(r.ready, c)
	}
	c.run.signal()
}

// takeLocked begins a change of each holder on behalf of a change that takes something from it.
func (g *graph) takeLocked(c *change) {
	for _, h := range c.held {
		if g.first[h.Holder] == nil {
			t := &change{Change: Change{CustomerID: h.Holder}, last: g.ended[h.Holder]}
			if t.last != nil {
				t.last.run.lent++ // Its result waits for this.
			}
			g.first[h.Holder] = t
			g.setPhaseLocked(t, working)
			c.taken = append(c.taken, t)
			c.tookFrom = append(c.tookFrom, h.Holder)
			g.wakeLocked(customerClaim(h.Holder))
		}
	}
}

// returnTakenLocked ends these changes. Their customers' own changes may still come, so nothing is settled.
func (g *graph) returnTakenLocked(c *change) {
	for _, t := range c.taken {
		if t.last != nil {
			if t.isKnown {
				t.last.current = t.current
			}
			t.last.run.lent--
			t.last.run.signal()
		}
		g.setPhaseLocked(t, done)
		g.unreserveLocked(t)
		delete(g.open, t)
		g.nextTurnLocked(t.CustomerID)
		g.wakeLocked(customerClaim(t.CustomerID))
	}
	c.taken = nil
}

func (g *graph) reserveLocked(c *change, l fusebill.Latch) {
	for _, claim := range l.Without(c.current).Claims() {
		if g.reserved[claim] != c {
			g.reserved[claim] = c
			c.reservations = append(c.reservations, claim)
		}
	}
}

func (g *graph) unreserveLocked(c *change) {
	for _, claim := range c.reservations {
		if g.reserved[claim] == c {
			delete(g.reserved, claim)
			g.wakeLocked(claim)
			g.wakeLocked(customerClaim(c.CustomerID))
		}
	}
	c.reservations = nil
}

// holdsLocked takes in what a change's customer holds, by the answer to a write or a read.
func (g *graph) holdsLocked(c *change, current fusebill.Latch) {
	g.events++
	for _, claim := range c.current.Without(current).Claims() {
		g.released[claim] = g.events
		g.wakeLocked(claim)
	}
	c.current = current
	if c.isOpen() {
		g.open[c] = true
	} else {
		delete(g.open, c)
	}
	g.wakeLocked(customerClaim(c.CustomerID))
}

// failLocked ends a change, once it has restored what it has released.
func (g *graph) failLocked(c *change, err error) {
	g.unreserveLocked(c)
	if !c.isOpen() {
		g.finishLocked(c, err)
		return
	}
	c.err = err
	g.setPhaseLocked(c, waiting)
	g.unsettleLocked(c)
	g.pushLocked(c)
	g.wakeLocked(customerClaim(c.CustomerID))
}

// evaluateRestoreLocked lets a change restore what it has released, except what others hold by now. A write under way that
// may take it decides first. A change that waits for that has nothing reserved, so no other waits for it in turn.
func (g *graph) evaluateRestoreLocked(c *change) {
	c.isBlocked, c.blockers = true, nil
	c.lost = g.heldByOthersLocked(c, c.before)
	for _, h := range c.lost {
		switch {
		case g.reserved[h.Claim] == nil:
		case c.run.restoring.Err() != nil: // After a cancel there is no more time for that.
			g.finishLocked(c, c.notRestored(nil))
			return
		default:
			g.waiters[h.Claim] = append(g.waiters[h.Claim], c)
			return
		}
	}
	g.reserveLocked(c, less(c.before, c.lost))
	g.handLocked(c, restore)
}

// finishLocked ends a change. What its customer holds is settled for this process: whoever waits for a claim that the
// customer still holds waits in vain, and only reassociation can take it, where the change has failed to release it.
func (g *graph) finishLocked(c *change, err error) {
	c.err = c.withUnconfirmed(err)
	g.setPhaseLocked(c, done)
	c.calls.Release()
	delete(g.open, c)
	if last := g.ended[c.CustomerID]; c.isKnown || last == nil || !last.isKnown {
		g.ended[c.CustomerID] = c
	}
	if !c.isRelease() && (c.isKnown || c.isDropped) {
		g.kept[c.CustomerID] = true
	}
	g.returnTakenLocked(c)
	g.unreserveLocked(c)
	if g.first[c.CustomerID] == c {
		g.nextTurnLocked(c.CustomerID)
	} else {
		g.queues[c.CustomerID] = slices.DeleteFunc(g.queues[c.CustomerID], func(q *change) bool { return q == c })
	}
	g.wakeLocked(customerClaim(c.CustomerID))
	for _, claim := range c.current.Claims() {
		g.wakeLocked(claim)
	}
	if c.isFirst {
		c.run.open--
	}
	c.run.left--
	c.run.signal()
}

// dropLocked ends a change that has done nothing.
func (g *graph) dropLocked(c *change) {
	c.isDropped = true
	g.unreserveLocked(c)
	g.finishLocked(c, nil)
}

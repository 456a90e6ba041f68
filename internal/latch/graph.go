package latch

import (
	"slices"
	"sync"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// graph holds the changes under way in this process, by customer, and the claims between them. All
// of its methods whose names end in Locked need mu. A caller that changes something calls
// settleLocked before it unlocks, which lets every change go on that now can.
//
// A change that waits is registered under what it waits for: the claim, and the customer that holds
// it. Only an event of one of these wakes it, so a permutation of many contacts costs time that
// grows linearly with their number.
type graph struct {
	holders func(fusebill.Claim) []int64 // the customers that hold a claim, as far as they were read

	mu        sync.Mutex
	runs      map[*run]bool
	customers map[int64]*customerState
	claims    map[fusebill.Claim]*claimState
	events    int
	open      map[*change]bool // the changes that have released something that nobody has restored yet
	woken     []*change        // the changes to evaluate
	unsure    []*change        // the waiting changes that are not known to be settling
	pass      int              // the number of the last search for rings
	busy      int              // the number of changes that neither wait nor have ended
	stall     stall
}

// customerState has the facts about a customer that the graph needs. Its waiters wait for the
// claims that the customer holds.
type customerState struct {
	waiters
	turn    *change        // the change under way, or nil
	queue   []*change      // the changes that wait for their turn
	ended   *change        // the last change that has ended and was not refused
	isKept  bool           // a change of this process has declared the latch
	refused fusebill.Latch // the latch that a refused change declared
}

// claimState has the facts about a contact or a company that the graph needs.
type claimState struct {
	waiters
	reservedBy *change
	released   int // the number of the event by which it was last released
}

// waiters are the changes that an event wakes.
type waiters []*change

const (
	queued  phase = iota // another change of the customer has its turn
	reading              // the customer is to be read
	waiting              // for others to release what the change claims
	ready                // for a worker
	working              // a worker is at it
	done
)

const (
	finish  step = iota // bring the declared latch
	release             // release first what others in a ring wait for
	restore             // put back what was released
)

func newGraph(holders func(fusebill.Claim) []int64) *graph {
	return &graph{
		holders:   holders,
		runs:      make(map[*run]bool),
		customers: make(map[int64]*customerState),
		claims:    make(map[fusebill.Claim]*claimState),
		open:      make(map[*change]bool),
	}
}

func (g *graph) customerLocked(id int64) *customerState { return stateOf(g.customers, id) }

func (g *graph) claimLocked(claim fusebill.Claim) *claimState { return stateOf(g.claims, claim) }

// stateOf returns what is known under a key, at first nothing.
func stateOf[K comparable, S any](states map[K]*S, key K) *S {
	state := states[key]
	if state == nil {
		state = new(S)
		states[key] = state
	}
	return state
}

// settleAndUnlock ends a critical section.
func (g *graph) settleAndUnlock() {
	g.settleLocked()
	g.mu.Unlock()
}

// settleLocked evaluates the changes that were woken, and breaks the rings that have closed.
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
		c.customer = g.customerLocked(c.CustomerID)
		if c.customer.turn != nil {
			c.customer.queue = append(c.customer.queue, c)
			continue
		}
		g.giveTurnLocked(c)
	}
}

// giveTurnLocked begins a change, whose customer is read next.
func (g *graph) giveTurnLocked(c *change) {
	c.customer.turn = c
	c.isParked = false
	if c.isRelease() && c.unlatch == nil && c.customer.isKept {
		if last := c.customer.ended; last != nil {
			c.current = last.current
		}
		g.keepLocked(c)
		return
	}
	g.setPhaseLocked(c, reading)
	c.run.unread = append(c.run.unread, c)
	c.run.signal()
	g.wakeLocked(&c.customer.waiters)
}

// keepLocked ends the release of a latch that another change of this process has declared.
func (g *graph) keepLocked(c *change) {
	c.isKept, c.isKnown = true, false
	g.finishLocked(c, nil)
}

// nextTurnLocked begins the next change of a customer. A parked change comes last.
func (g *graph) nextTurnLocked(customer *customerState) {
	customer.turn = nil
	if len(customer.queue) == 0 {
		return
	}
	next := customer.queue[max(slices.IndexFunc(customer.queue, func(c *change) bool { return !c.isParked }), 0)]
	customer.leaveQueue(next)
	g.giveTurnLocked(next)
}

func (s *customerState) leaveQueue(c *change) {
	s.queue = slices.DeleteFunc(s.queue, func(q *change) bool { return q == c })
}

// parkLocked ends the turn of a change until another change of its customer has ended.
func (g *graph) parkLocked(c *change) {
	customer := c.customer
	g.setPhaseLocked(c, queued)
	c.isParked, c.isKnown = true, false
	customer.turn = nil
	if slices.ContainsFunc(customer.queue, func(q *change) bool { return !q.isParked }) {
		g.nextTurnLocked(customer)
	}
	customer.queue = append(customer.queue, c)
	g.wakeLocked(&customer.waiters)
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

// prepareLocked records the current latch of a change's customer, and decides on the target or
// refuses the change.
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
		if c.customer.isKept {
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
	case c.isExpired || c.customer.isKept:
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
	g.wakeLocked(&c.customer.waiters)
	for _, claim := range current.Claims() {
		g.wakeLocked(&g.claimLocked(claim).waiters)
	}
}

// leftByReleaseLocked returns the part of a customer's latch that a release keeps: what somebody
// else has latched since, and what another change of this process declares that is queued or was
// refused.
func (g *graph) leftByReleaseLocked(c *change) fusebill.Latch {
	removed := c.Prior.Without(c.customer.refused)
	for _, next := range c.customer.queue {
		removed = removed.Without(next.Declared)
	}
	c.isKept = removed != c.Prior && c.current.Without(removed) == c.current
	return c.current.Without(removed)
}

// isToKeepMoreLocked reports whether another change has begun to declare a part of the latch that a
// release is about to remove, whether or not that change has ended since.
func (g *graph) isToKeepMoreLocked(c *change) bool {
	isRelease := c.run != nil && c.unlatch == nil && c.isRelease() && !c.isFailing()
	return isRelease && (c.customer.isKept || g.leftByReleaseLocked(c) != c.target)
}

// refuseLocked ends a change with an error, before it has written anything. It does not count as a
// declaration of the customer's latch.
func (g *graph) refuseLocked(c *change, err error) {
	c.isKnown = false
	c.customer.refused = c.Declared
	g.finishLocked(c, err)
}

// pushLocked queues a waiting change for evaluation.
func (g *graph) pushLocked(c *change) {
	if !c.isWoken {
		c.isWoken = true
		g.woken = append(g.woken, c)
	}
}

func (w *waiters) addWaiter(c *change) { *w = append(*w, c) }

// wakeLocked queues the changes that wait for a claim or a customer for evaluation.
func (g *graph) wakeLocked(w *waiters) {
	list := *w
	*w = nil
	for _, c := range list {
		if c.phase == waiting {
			g.pushLocked(c)
		}
	}
}

// wakeAllLocked does so for all changes, after the account was read.
func (g *graph) wakeAllLocked() {
	for _, customer := range g.customers {
		g.wakeLocked(&customer.waiters)
	}
	for _, claim := range g.claims {
		g.wakeLocked(&claim.waiters)
	}
}

const (
	willRelease obstacle = iota // a change that is under way is to release it
	canBeTaken                  // no change of this process is about the holder, and the claim may be taken from it
	mayRelease                  // nobody knows
	keeps                       // it does not
)

// handLocked queues a change for the workers of its run.
func (g *graph) handLocked(c *change, s step) {
	if s == finish {
		c.isExpired, c.refusal = false, nil // Its write decides again.
		g.reserveLocked(c, c.target)
		for _, w := range c.customer.waiters {
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

// holdsLocked records the current latch of a change's customer, by the answer to a write or a read.
func (g *graph) holdsLocked(c *change, current fusebill.Latch) {
	g.events++
	for _, claim := range c.current.Without(current).Claims() {
		state := g.claimLocked(claim)
		state.released = g.events
		g.wakeLocked(&state.waiters)
	}
	c.current = current
	if c.isOpen() {
		g.open[c] = true
	} else {
		delete(g.open, c)
	}
	g.wakeLocked(&c.customer.waiters)
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
	g.wakeLocked(&c.customer.waiters)
}

// finishLocked ends a change. Its customer keeps the claims that it still holds: a change that
// waits for one of them fails, unless it may take the claim because this change has failed to
// release it.
func (g *graph) finishLocked(c *change, err error) {
	c.err = c.withDoubt(err)
	g.setPhaseLocked(c, done)
	c.calls.Release()
	delete(g.open, c)
	if last := c.customer.ended; c.isKnown || last == nil || !last.isKnown {
		c.customer.ended = c
	}
	if !c.isRelease() && (c.isKnown || c.isDropped) {
		c.customer.isKept = true
	}
	g.returnTakenLocked(c)
	g.unreserveLocked(c)
	if c.customer.turn == c {
		g.nextTurnLocked(c.customer)
	} else {
		c.customer.leaveQueue(c)
	}
	g.wakeLocked(&c.customer.waiters)
	for _, claim := range c.current.Claims() {
		g.wakeLocked(&g.claimLocked(claim).waiters)
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

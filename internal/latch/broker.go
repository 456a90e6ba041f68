package latch

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// DefaultStallTimeout is how long a claim waits for a holder whose own change hasn't begun, counted from when nothing
// else is going on: every change under way waits for a claim, and none begins or ends. Terraform begins what it can begin
// within milliseconds, so nothing comes after that.
const DefaultStallTimeout = 5 * time.Second

// broker knows which changes of latches are under way in this process. Terraform gives no order between two resources:
// where one gives up a contact and another takes it, the taker may come first. So a claim waits for the change of its
// holder; where claims wait for each other in a ring, the one that closes it gives up what it has first, takes part, and
// gets its new one last.
//
// Work on one customer is done one after another.
type broker struct {
	holders      func(fusebill.Claim) []int64
	stallTimeout time.Duration

	mu       sync.Mutex
	changes  map[int64]*change        // under way, by customer
	settled  map[int64]fusebill.Latch // what the changes that have ended, one way or the other, declared
	kept     map[int64]bool           // customers whose latch a resource of this run declares
	letGo    map[fusebill.Claim]bool  // what a customer has let go of since another last went for it
	reserved map[fusebill.Claim]int64 // what a write under way may latch, and to which customer
	changed  chan struct{}            // closed and made anew when a waiting change should look again
}

// change is one customer's change, from begin to end.
type change struct {
	customerID int64
	known      bool           // whether the next three are set
	current    fusebill.Latch // what the customer holds now
	declared   fusebill.Latch // what it is to hold
	prior      fusebill.Latch // what it held at first
	waiting    bool           // for a claim
	givesUp    bool           // lets go of what others in its ring wait for
	lent       bool           // the customer is another change's: that takes something from it
}

func newBroker(holders func(fusebill.Claim) []int64) *broker {
	return &broker{
		holders:      holders,
		stallTimeout: DefaultStallTimeout,
		changes:      make(map[int64]*change),
		settled:      make(map[int64]fusebill.Latch),
		kept:         make(map[int64]bool),
		letGo:        make(map[fusebill.Claim]bool),
		reserved:     make(map[fusebill.Claim]int64),
		changed:      make(chan struct{}),
	}
}

// begin waits for the customer's other changes to end, and begins one.
func (b *broker) begin(ctx context.Context, customerID int64) (*change, error) {
	for {
		b.mu.Lock()
		if b.changes[customerID] == nil {
			c := &change{customerID: customerID}
			b.changes[customerID] = c
			b.wakeAll()
			b.mu.Unlock()
			return c, nil
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-changed:
		}
	}
}

// declare says what a change starts from and is to end in.
func (b *broker) declare(c *change, current, declared fusebill.Latch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.known, c.current, c.prior, c.declared = true, current, current, declared
	b.wakeAll()
}

// holdsNow notes what the customer of a change holds.
func (b *broker) holdsNow(c *change, current fusebill.Latch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, claim := range c.current.Without(current).Claims() {
		b.letGo[claim] = true
	}
	c.current = current
	b.wakeAll()
}

// end ends a change. From now on its customer's claims are settled for this run: whoever waits for one that the customer
// still holds waits in vain, and only reassociation can take it, if the change was to let go of it and has failed.
func (b *broker) end(c *change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.changes, c.customerID)
	b.settled[c.customerID] = c.declared
	b.freeClaims(c)
	b.wakeAll()
}

// wakeAll lets every waiting change look again. b.mu is held.
func (b *broker) wakeAll() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// turn is what a change that wants to go on has to do next.
type turn int

const (
	goOn    turn = iota // every claim is free
	giveUp              // give up first what others in a ring wait for
	take                // take what is held from holders that no change is under way for
	await               // wait for a holder
	refused             // a holder won't let go
)

// step is a turn with what it needs.
type step struct {
	turn    turn
	held    []Holding       // what others hold
	lent    []*change       // take: the holders' customers, which are the change's from now on
	changed <-chan struct{} // await: closed when it is time to look again
}

// next says what a change does next. Reassociate allows it to take from holders that no change of this run is about, or
// whose change has failed to let go.
func (b *broker) next(c *change, reassociate bool) step {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := step{held: b.heldByOthers(c, c.declared)}
	s.turn = b.turnOf(c, s.held, reassociate)
	b.setWaiting(c, s.turn == await)
	switch s.turn {
	case goOn:
		b.reserveClaims(c, c.declared)
	case giveUp:
		c.givesUp = true
	case take:
		b.reserveClaims(c, c.declared)
		s.lent = b.lend(s.held)
	}
	s.changed = b.changed
	return s
}

func (b *broker) turnOf(c *change, held []Holding, reassociate bool) turn {
	idle := 0 // holders that no change is under way for
	for _, h := range held {
		other := b.changes[h.Holder]
		declared, ended := b.settled[h.Holder]
		switch {
		case other == nil && ended && (!reassociate || declared.Holds(h.Claim)):
			return refused
		case other == nil:
			idle++
		case other.known && !other.lent && other.declared.Holds(h.Claim):
			return refused
		}
	}
	switch {
	case len(held) == 0:
		return goOn
	case !c.givesUp && b.leadsTo(c, c):
		return giveUp
	case reassociate && idle == len(held):
		return take
	default:
		return await
	}
}

// setWaiting notes whether a change waits for a claim. b.mu is held.
func (b *broker) setWaiting(c *change, waiting bool) {
	if waiting && !c.waiting {
		b.wakeAll() // The others count the time from when the last one waits.
	}
	c.waiting = waiting
}

// stopWaiting notes that a change waits for no claim any more.
func (b *broker) stopWaiting(c *change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.setWaiting(c, false)
}

// heldByOthers lists what others than a change's customer hold of a latch, or are about to, as far as it is known. b.mu
// is held.
func (b *broker) heldByOthers(c *change, wanted fusebill.Latch) []Holding {
	var held []Holding
	for _, claim := range wanted.Without(c.current).Claims() {
		holders := b.holders(claim)
		if holder, ok := b.reserved[claim]; ok {
			holders = []int64{holder}
		}
		for _, holder := range holders {
			if holder != 0 && holder != c.customerID {
				held = append(held, Holding{Claim: claim, Holder: holder})
			}
		}
	}
	return held
}

// reserve keeps what nobody else holds of a latch for a change that is going to write it, and returns what others hold.
// Their writes under way it waits for, since these decide: a service that moves what is claimed without a refusal would
// take it from whoever comes first.
func (b *broker) reserve(ctx context.Context, c *change, wanted fusebill.Latch) []Holding {
	for {
		b.mu.Lock()
		changed := b.changed
		held := b.heldByOthers(c, wanted)
		decided := !slices.ContainsFunc(held, func(h Holding) bool { return b.reserved[h.Claim] != 0 })
		if decided || ctx.Err() != nil {
			b.reserveClaims(c, less(wanted, held))
			b.mu.Unlock()
			return held
		}
		b.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

// reserveClaims reserves what a latch claims. b.mu is held.
func (b *broker) reserveClaims(c *change, l fusebill.Latch) {
	for _, claim := range l.Without(c.current).Claims() {
		delete(b.letGo, claim)
		b.reserved[claim] = c.customerID
	}
}

// unreserve ends what is reserved for a change whose write has failed.
func (b *broker) unreserve(c *change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.freeClaims(c)
	b.wakeAll()
}

// freeClaims ends what is reserved for a change. b.mu is held.
func (b *broker) freeClaims(c *change) {
	maps.DeleteFunc(b.reserved, func(_ fusebill.Claim, customerID int64) bool { return customerID == c.customerID })
}

// leadsTo says whether a change waits for a target, over others that are to give up what is waited for, and none of which
// does so out of turn already. A change that leads to itself closes a ring. b.mu is held.
func (b *broker) leadsTo(from, target *change) bool {
	seen := make(map[*change]bool)
	var reaches func(from *change) bool
	reaches = func(from *change) bool {
		for _, h := range b.heldByOthers(from, from.declared) {
			other := b.changes[h.Holder]
			if other == nil || !other.known || other.declared.Holds(h.Claim) {
				continue
			}
			if other == target {
				return true
			}
			if other.givesUp || seen[other] {
				continue
			}
			seen[other] = true
			if reaches(other) {
				return true
			}
		}
		return false
	}
	return reaches(from)
}

// isNeeded says whether a customer that has given something up can get what it gave it up for only if a change goes on.
func (b *broker) isNeeded(c *change) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, giver := range b.changes {
		onItsWay := giver.current != giver.declared && !giver.prior.Without(giver.current).IsZero()
		if onItsWay && (giver == c || b.leadsTo(giver, c)) {
			return true
		}
	}
	return false
}

// wait waits until a change that awaits a holder should look again. It says false where the run has stalled: nothing
// will happen any more without it.
func (b *broker) wait(ctx context.Context, changed <-chan struct{}) (bool, error) {
	timer := time.NewTimer(b.stallTimeout)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-changed:
			return true, nil
		case <-timer.C:
			if b.stalled() {
				return false, nil
			}
			timer.Reset(b.stallTimeout)
		}
	}
}

// stalled says whether every change under way waits for a claim.
func (b *broker) stalled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.changes {
		if !c.waiting {
			return false
		}
	}
	return true
}

// isUnderWay says whether a change of a customer is under way.
func (b *broker) isUnderWay(customerID int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changes[customerID] != nil
}

// mayTryAgain says whether a change that was refused knows more than it did: that others than those it had taken from
// hold what it claims, or that somebody has let go of it since.
func (b *broker) mayTryAgain(c *change, lent []*change) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.knowsMore(c, lent)
}

// knowsMore is mayTryAgain where b.mu is held.
func (b *broker) knowsMore(c *change, lent []*change) bool {
	isNew := func(h Holding) bool {
		return !slices.ContainsFunc(lent, func(l *change) bool { return l.customerID == h.Holder })
	}
	return slices.ContainsFunc(b.heldByOthers(c, c.declared), isNew) ||
		slices.ContainsFunc(c.declared.Claims(), func(claim fusebill.Claim) bool { return b.letGo[claim] })
}

// awaitHolder waits until a change that was refused by a holder nobody knows may try again. It says false where that
// isn't to be expected.
func (b *broker) awaitHolder(ctx context.Context, c *change, lent []*change) bool {
	for {
		b.mu.Lock()
		knowsMore := b.knowsMore(c, lent)
		b.setWaiting(c, !knowsMore)
		changed := b.changed
		b.mu.Unlock()
		if knowsMore {
			return true
		}
		if goesOn, err := b.wait(ctx, changed); err != nil || !goesOn {
			return false
		}
	}
}

// keep notes that a resource of this run declares a customer's latch: no other is to remove it.
func (b *broker) keep(customerID int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[customerID] = true
}

func (b *broker) isKept(customerID int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept[customerID]
}

// lend begins a change of each holder's customer on behalf of a change that takes something from it. b.mu is held, and no
// change of theirs is under way.
func (b *broker) lend(held []Holding) []*change {
	var lent []*change
	for _, h := range held {
		if !slices.ContainsFunc(lent, func(c *change) bool { return c.customerID == h.Holder }) {
			c := &change{customerID: h.Holder, lent: true}
			b.changes[h.Holder] = c
			lent = append(lent, c)
		}
	}
	b.wakeAll()
	return lent
}

// giveBack ends lent changes. Their customers' own changes may still come, so nothing is settled.
func (b *broker) giveBack(lent []*change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range lent {
		b.freeClaims(c)
		delete(b.changes, c.customerID)
	}
	b.wakeAll()
}

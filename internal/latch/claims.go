package latch

import (
	"slices"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// obstacle is how a claim that another customer holds may become free.
type obstacle int

// obstacleLocked returns how a claim of another customer may become free for a change.
func (g *graph) obstacleLocked(c *change, h Holding) obstacle {
	holder := g.customerLocked(h.Holder)
	other := holder.turn
	switch {
	case g.claimLocked(h.Claim).reservedBy != nil && (other == nil || !other.isKnown || !other.current.Holds(h.Claim)):
		return mayRelease // Its write decides.
	case other == nil:
		last := holder.ended
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
	case len(holder.queue) > 0: // Another change of the customer comes after.
		return mayRelease
	default:
		return keeps
	}
}

// heldByOthersLocked returns the claims of a latch that other customers hold, or that other changes
// have reserved.
func (g *graph) heldByOthersLocked(c *change, wanted fusebill.Latch) []Holding {
	var held []Holding
	for _, claim := range wanted.Without(c.current).Claims() {
		if by := g.claimLocked(claim).reservedBy; by != nil && by != c {
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
			blockers = append(blockers, g.customerLocked(h.Holder).turn)
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

// wasReleasedLocked reports whether somebody has released what a change claims since its last write
// was refused.
func (g *graph) wasReleasedLocked(c *change) bool {
	return slices.ContainsFunc(c.target.Claims(), func(claim fusebill.Claim) bool {
		return g.claimLocked(claim).released > c.writeEvent
	})
}

// registerLocked registers a waiting change for the events that may free its claims.
func (g *graph) registerLocked(c *change) {
	for _, claim := range c.target.Without(c.current).Claims() {
		g.claimLocked(claim).addWaiter(c)
	}
	for _, h := range c.held {
		g.customerLocked(h.Holder).addWaiter(c)
	}
}

// waitErrorLocked returns the error of a change whose wait has ended.
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

// takeLocked begins a change of each holder on behalf of a change that takes something from it.
func (g *graph) takeLocked(c *change) {
	for _, h := range c.held {
		holder := g.customerLocked(h.Holder)
		if holder.turn == nil {
			t := &change{Change: Change{CustomerID: h.Holder}, customer: holder, last: holder.ended}
			if t.last != nil {
				t.last.run.takers++ // Its result waits for this.
			}
			holder.turn = t
			g.setPhaseLocked(t, working)
			c.taken = append(c.taken, t)
			c.tookFrom = append(c.tookFrom, h.Holder)
			g.wakeLocked(&holder.waiters)
		}
	}
}

// returnTakenLocked ends the changes that takeLocked has begun. Changes of the holders themselves
// may follow.
func (g *graph) returnTakenLocked(c *change) {
	for _, t := range c.taken {
		if t.last != nil {
			// A change that has succeeded keeps the answer as its result: Terraform refuses another one.
			if t.isKnown && t.last.err != nil {
				t.last.current = t.current
			}
			t.last.run.takers--
			t.last.run.signal()
		}
		g.setPhaseLocked(t, done)
		g.unreserveLocked(t)
		delete(g.open, t)
		g.nextTurnLocked(t.customer)
		g.wakeLocked(&t.customer.waiters)
	}
	c.taken = nil
}

func (g *graph) reserveLocked(c *change, l fusebill.Latch) {
	for _, claim := range l.Without(c.current).Claims() {
		if state := g.claimLocked(claim); state.reservedBy != c {
			state.reservedBy = c
			c.reservations = append(c.reservations, claim)
		}
	}
}

func (g *graph) unreserveLocked(c *change) {
	for _, claim := range c.reservations {
		if state := g.claimLocked(claim); state.reservedBy == c {
			state.reservedBy = nil
			g.wakeLocked(&state.waiters)
			g.wakeLocked(&c.customer.waiters)
		}
	}
	c.reservations = nil
}

// evaluateRestoreLocked hands a failed change to a worker that restores what it has released,
// except the claims that others hold by now. If a write under way may take one of these claims,
// the restore waits for it. A waiting restore has nothing reserved, so no other change waits for
// it.
func (g *graph) evaluateRestoreLocked(c *change) {
	c.isBlocked, c.blockers = true, nil
	c.lost = g.heldByOthersLocked(c, c.before)
	for _, h := range c.lost {
		claim := g.claimLocked(h.Claim)
		switch {
		case claim.reservedBy == nil:
		case c.run.restoring.Err() != nil: // After a cancel there is no more time for that.
			g.finishLocked(c, c.notRestored(nil))
			return
		default:
			claim.addWaiter(c)
			return
		}
	}
	g.reserveLocked(c, less(c.before, c.lost))
	g.handLocked(c, restore)
}

// isReservedLocked reports whether what a change claims is still free for it, or can be taken.
func (g *graph) isReservedLocked(c *change) bool {
	for _, h := range g.heldByOthersLocked(c, c.target) {
		if t := g.customerLocked(h.Holder).turn; !slices.Contains(c.taken, t) {
			return false
		}
	}
	return true
}

package latch

import (
	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// undo restores what a failed change has taken from others, and returns the error of the change.
func (r *run) undo(c *change, cause error) error {
	g := r.graph
	for _, t := range c.taken {
		g.mu.Lock()
		t.before = t.before.Without(c.current) // The change may have got it, whatever the answer was.
		for _, claim := range t.before.Without(t.current).Claims() {
			if state := g.claimLocked(claim); state.reservedBy == c {
				state.reservedBy = t
				t.reservations = append(t.reservations, claim)
			}
		}
		t.lost = g.heldByOthersLocked(t, t.before)
		g.reserveLocked(t, less(t.before, t.lost))
		t.err = cause
		g.mu.Unlock()
		cause = t.withDoubt(r.putBack(t))
		g.mu.Lock()
		g.settleAndUnlock()
	}
	return cause
}

// restore puts back what a change has released.
func (r *run) restore(c *change) {
	err := r.putBack(c)
	r.graph.mu.Lock()
	defer r.graph.settleAndUnlock()
	r.graph.finishLocked(c, err)
}

// putBack restores what a failed change has released, except what others hold by now, and returns
// the error of the change. It does not change a customer that somebody else has changed since.
// If others hold what was released, as in a ring, it brings the declared latch instead if that
// is free, and returns no error.
func (r *run) putBack(c *change) error {
	if !c.isOpen() {
		return c.err
	}
	ctx := r.restoring
	var err error
	for {
		var customer fusebill.Customer
		customer, err = r.readNow(ctx, c)
		if err != nil {
			break
		}
		switch current := customers.LatchOf(customer); current {
		case c.current:
		case c.before: // It was not released after all.
			c.current = current
			return c.err
		default:
			return c.changedMeanwhile(current)
		}
		if len(c.lost) > 0 && r.mayFinish(c) {
			if err = r.write(ctx, c, c.target); err == nil {
				return nil
			}
		}
		if rest := less(c.before, c.lost); rest != c.current {
			err = r.write(ctx, c, rest)
		}
		if !isTooLate(err) {
			break
		}
		c.putOff()
	}
	if c.before.Without(c.current).IsZero() { // Even where the answer was not the expected one.
		return c.err
	}
	return c.notRestored(err)
}

// mayFinish reports whether nobody else holds the declared latch of a change that cannot restore
// what it has released, and reserves it.
func (r *run) mayFinish(c *change) bool {
	g := r.graph
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.run == nil || len(g.heldByOthersLocked(c, c.target)) > 0 {
		return false
	}
	g.reserveLocked(c, c.target)
	return true
}

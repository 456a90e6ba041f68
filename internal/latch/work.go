package latch

import (
	"context"
	"errors"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// maxRefusals is the number of refusals after which a change fails although it could wait and
	// try again.
	maxRefusals = 5
	// maxLate is how often a write may be put off because its read has become too old. After that,
	// the write is sent whenever the quota allows it: with one call a minute, no write could follow
	// its read in time.
	maxLate = 4
	// timeToSend is the maximum time until a write is sent, without a wait for the quota.
	timeToSend = 2 * time.Second
	// answerTimeout bounds how long a write under way may take to answer after a cancel, and
	// readBackTimeout the read that follows where it does not, so Ctrl-C ends within two seconds.
	answerTimeout   = time.Second
	readBackTimeout = 800 * time.Millisecond
	// callsOfRelease is how many calls a change that releases something first reserves: a read and
	// a write to release it, and the same twice to finish or to restore it.
	callsOfRelease = 6
	// callsOfWrite is how many calls a change reserves whose write was put off: a read and a write.
	callsOfWrite = 2
)

// work does one step of a change.
func (r *run) work(c *change, s step) {
	ctx := r.ctx
	if ctx.Err() != nil {
		ctx = r.lasting
	}
	switch s {
	case release:
		r.releaseFirst(ctx, c)
	case restore:
		r.restore(c)
	default:
		r.finish(ctx, c)
	}
}

// reserveCalls reserves the calls of a step. A step that releases something reserves all calls that
// may follow the release. A step whose write was put off before reserves a read and a write.
func (r *run) reserveCalls(ctx context.Context, c *change, releases int) error {
	if c.calls != nil || releases == 0 && c.late == 0 {
		return nil
	}
	reserve, n := r.coordinator.client.Reserve, callsOfRelease*releases
	if releases == 0 {
		reserve, n = r.coordinator.client.ReserveBriefly, callsOfWrite
	}
	calls, err := reserve(ctx, n)
	r.graph.mu.Lock()
	defer r.graph.mu.Unlock()
	c.calls = calls
	return err
}

// releaseFirst releases what the other changes of a ring wait for.
func (r *run) releaseFirst(ctx context.Context, c *change) {
	if err := r.reserveCalls(ctx, c, 1); err != nil {
		r.end(c, err)
		return
	}
	g := r.graph
	if !r.verify(ctx, c, func() bool { return c.isSettling }) {
		return
	}
	err := r.writeLess(ctx, c, c.current.Common(c.target))
	g.mu.Lock()
	defer g.settleAndUnlock()
	switch {
	case isTooLate(err):
		c.putOff()
		g.retryLocked(c)
	case err != nil:
		g.failLocked(c, err)
	default:
		g.setPhaseLocked(c, waiting)
		g.pushLocked(c)
	}
}

// isTooLate reports whether a write was not sent in time, or not sent again in time, so the change
// has to start again with a read. A customer that could not be restored must be reported instead.
func isTooLate(err error) bool {
	_, isLost := errors.AsType[*NotRestoredError](err)
	return errors.Is(err, fusebill.ErrTooLate) && !isLost
}

// end ends a change whose step has failed before a write.
func (r *run) end(c *change, err error) {
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	switch {
	case r.ctx.Err() != nil:
		g.setPhaseLocked(c, waiting)
		g.cancelLocked(c)
	default:
		g.failLocked(c, err)
	}
}

// retryLocked lets a change be evaluated again.
func (g *graph) retryLocked(c *change) {
	g.returnTakenLocked(c)
	g.unreserveLocked(c)
	g.unsettleLocked(c)
	if !c.isReleased {
		c.calls.Release()
		c.calls = nil
	}
	g.setPhaseLocked(c, waiting)
	g.pushLocked(c)
}

// verify checks, before a write, that the customer has the latch that the change expects, and that
// stillHolds returns true. It calls stillHolds with the graph's mu held. If verify returns
// false, it has already decided how the change goes on.
func (r *run) verify(ctx context.Context, c *change, stillHolds func() bool) bool {
	if c.claimsMore() {
		if err := r.coordinator.knowHolders(c.with(ctx)); err != nil {
			r.end(c, err)
			return false
		}
	}
	customer, sendBefore, err := r.coordinator.reader.CustomerBeforeWrite(c.with(ctx), c.CustomerID)
	c.sendBefore = sendBefore
	if err != nil && !fusebill.IsNotFound(err) {
		r.end(c, err)
		return false
	}
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	switch current := customers.LatchOf(customer); {
	case err == nil && current == c.current && g.isToKeepMoreLocked(c):
		g.retryLocked(c)
		g.prepareLocked(c, current)
	case err == nil && current == c.current && stillHolds():
		return true
	case err == nil && current == c.current:
		g.retryLocked(c)
	case c.isOpen():
		g.finishLocked(c, c.changedMeanwhile(current))
	case err == nil:
		g.retryLocked(c)
		g.prepareLocked(c, current)
	case c.isRelease() && c.unlatch == nil:
		g.holdsLocked(c, fusebill.Latch{})
		g.finishLocked(c, nil)
	default:
		g.holdsLocked(c, fusebill.Latch{})
		g.refuseLocked(c, &NoCustomerError{CustomerID: c.CustomerID, Err: err})
	}
	return false
}

// finish brings the declared latch, and takes from others first where that is allowed.
func (r *run) finish(ctx context.Context, c *change) {
	if err := r.reserveCalls(ctx, c, len(c.taken)); err != nil {
		r.end(c, err)
		return
	}
	g := r.graph
	if !r.verify(ctx, c, func() bool { return g.isReservedLocked(c) }) {
		return
	}
	err := r.take(ctx, c)
	if err == nil {
		if order := c.unlatch; order != nil && order.removed != c.current {
			order.removed = c.current
			order.tell(c.current)
		}
		err = r.write(ctx, c, c.target)
	}
	if err != nil && len(c.taken) > 0 {
		err = r.undo(c, err)
	}
	isWorthWaiting := err != nil && r.looksUp(ctx, c, err)
	g.mu.Lock()
	defer g.settleAndUnlock()
	_, isUnexpected := errors.AsType[*UnexpectedAnswerError](err)
	switch {
	case err == nil, isUnexpected, c.isRelease() && fusebill.IsNotFound(err) && c.unlatch == nil:
		if c.isRelease() && fusebill.IsNotFound(err) { // It was deleted since it was read.
			g.holdsLocked(c, fusebill.Latch{})
			err = nil
		}
		g.finishLocked(c, err)
	case isTooLate(err):
		c.putOff()
		g.retryLocked(c)
	case isWorthWaiting:
		c.refusal = err
		g.retryLocked(c)
	case r.isCancelled(err):
		g.setPhaseLocked(c, waiting)
		g.cancelLocked(c)
	default:
		g.failLocked(c, err)
	}
}

// take releases the claims of a change from their holders, which keep their other IDs. It reads the
// customer of the change again where its last read has become too old meanwhile.
func (r *run) take(ctx context.Context, c *change) error {
	g := r.graph
	for _, t := range c.taken {
		t.calls, t.late = c.calls, c.late
		customer, err := r.readNow(ctx, t)
		if err != nil && !fusebill.IsNotFound(err) { // One that is gone holds nothing.
			return err
		}
		g.mu.Lock()
		current := customers.LatchOf(customer)
		t.isKnown, t.before, t.current, t.target = true, current, current, current.Without(c.target)
		g.mu.Unlock()
		if t.target == current {
			continue
		}
		if err := r.writeLess(ctx, t, t.target); err != nil {
			return err
		}
	}
	if len(c.taken) == 0 || time.Until(c.sendBefore) > timeToSend {
		return nil
	}
	customer, err := r.readNow(ctx, c)
	if err == nil && customers.LatchOf(customer) != c.current {
		return fusebill.ErrTooLate
	}
	return err
}

package latch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// writeLess writes a part of the current latch, which releases the rest. A write whose outcome
// stays unknown counts as made, so a failed change restores the rest.
func (r *run) writeLess(ctx context.Context, c *change, rest fusebill.Latch) error {
	err := r.write(ctx, c, rest)
	_, isUnknown := errors.AsType[*UnconfirmedError](err)
	_, isUnexpected := errors.AsType[*UnexpectedAnswerError](err)
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	c.isReleased = err == nil || isUnknown || isUnexpected
	if isUnknown {
		g.holdsLocked(c, rest)
	} else {
		g.holdsLocked(c, c.current) // It is open from now on.
	}
	return err
}

// readNow reads a change's customer before a write.
func (r *run) readNow(ctx context.Context, c *change) (fusebill.Customer, error) {
	c.sendBefore = time.Now().Add(customers.MaxAgeBeforeWrite)
	return r.coordinator.reader.CustomerNow(c.with(ctx), c.CustomerID)
}

// write sets the latch of a change's customer and checks the answer. If the outcome is unknown,
// it reads the customer, which may prove that the write was made.
func (r *run) write(ctx context.Context, c *change, latch fusebill.Latch) error {
	g, reader := r.graph, r.coordinator.reader
	g.mu.Lock()
	c.writeEvent = g.events
	g.mu.Unlock()
	calls := fusebill.SendWhile(c.with(ctx), func() bool { return g.isWanted(c) })
	lasting, cancel := outlasting(calls, answerTimeout)
	defer cancel()
	reader.BeginWrite(c.CustomerID)
	customer, err := r.coordinator.client.Latch(lasting, c.CustomerID, latch)
	if err != nil {
		reader.EndWrite(c.CustomerID, nil)
		return r.readBack(ctx, c, latch, err)
	}
	answered := customers.LatchOf(customer)
	if answered == latch {
		reader.EndWrite(c.CustomerID, &customer)
		r.holds(c, answered, true)
		return nil
	}
	reader.EndWrite(c.CustomerID, nil) // Such an answer proves nothing about this customer, nor about holders.
	r.holds(c, answered, true)
	if read, err := r.readAfterwards(ctx, c); err == nil { // A restore starts from the truth.
		r.holds(c, customers.LatchOf(read), false)
	}
	c.doubt = &UnexpectedAnswerError{CustomerID: c.CustomerID, Requested: latch, Answered: answered}
	return c.doubt
}

// isWanted reports whether a write of a change may be sent now: the read that it relies on is not
// too old, and no other change has begun to declare something that the write would release.
func (g *graph) isWanted(c *change) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return (c.late >= maxLate || !time.Now().After(c.sendBefore)) && !g.isToKeepMoreLocked(c)
}

// holds records the current latch of a customer.
func (r *run) holds(c *change, current fusebill.Latch, isProgress bool) {
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	if isProgress {
		c.doubt = nil
		g.stall.progressLocked()
	}
	g.holdsLocked(c, current)
}

// readBack reads the customer after a write whose outcome is unknown. A customer that has the latch
// proves that the write was made. Another latch proves nothing, because the service may make the
// write later.
func (r *run) readBack(ctx context.Context, c *change, latch fusebill.Latch, failure error) error {
	unknown, isUnknown := errors.AsType[*fusebill.OutcomeUnknownError](failure)
	if !isUnknown {
		return failure
	}
	customer, err := r.readAfterwards(ctx, c)
	read := customers.LatchOf(customer)
	isMade := err == nil && read == latch
	if isMade || err == nil && !c.isReleased { // A restore starts from what it was before others changed it.
		r.holds(c, read, isMade)
	}
	unconfirmed := &UnconfirmedError{
		CustomerID: c.CustomerID, Requested: latch, Current: c.current, Others: r.losers(c, latch), Err: unknown,
		ReadErr: err,
	}
	if r.ctx.Err() != nil {
		c.cutOff = unconfirmed
	}
	if isMade {
		return nil
	}
	c.doubt = unconfirmed
	return unconfirmed
}

// readAfterwards reads the customer of a write, even shortly after a cancel.
func (r *run) readAfterwards(ctx context.Context, c *change) (fusebill.Customer, error) {
	ctx, cancel := outlasting(ctx, readBackTimeout)
	defer cancel()
	return r.coordinator.reader.CustomerNow(c.with(ctx), c.CustomerID)
}

// losers returns the customers that have released something for a latch. They would lose it if they
// restored it and the service made the latch later.
func (r *run) losers(c *change, latch fusebill.Latch) (ids []int64) {
	g := r.graph
	g.mu.Lock()
	defer g.mu.Unlock()
	for other := range g.open {
		if other != c && !other.before.Common(latch).IsZero() {
			ids = append(ids, other.CustomerID)
		}
	}
	slices.Sort(ids)
	return ids
}

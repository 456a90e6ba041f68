package latch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// maxRefusals ends a change that the service keeps refusing although nobody is known to hold what is claimed.
	maxRefusals = 5
	// readBackTimeout bounds the one read that follows a cancelled write, so that Ctrl-C ends within two seconds.
	readBackTimeout = 1500 * time.Millisecond
	// ringTimeout bounds how long the rest of a ring goes on after a cancel.
	ringTimeout = 2 * time.Second
	// putBackTimeout bounds how long a cancelled change takes to put back what it gave up.
	putBackTimeout = 10 * time.Second
)

// become makes the customer of a change hold what is declared. Whatever fails, what was given up or taken on the way is
// put back.
func (k *Keeper) become(ctx context.Context, c *change, reassociate bool) error {
	err := k.goThrough(ctx, c, reassociate)
	if err != nil && ctx.Err() != nil && k.broker.isNeeded(c) {
		// In a ring that has begun, what one gave up another may have got by now: only its end loses no latch.
		lasting, cancel := outlasting(ctx, ringTimeout)
		defer cancel()
		err = k.goThrough(lasting, c, reassociate)
	}
	if err != nil {
		k.broker.stopWaiting(c)
		return k.putBack(ctx, c, err)
	}
	return nil
}

// goThrough goes through with a change, until it is done or can't be.
func (k *Keeper) goThrough(ctx context.Context, c *change, reassociate bool) error {
	for refusals := 0; c.current != c.declared; refusals++ {
		lent, err := k.makeWay(ctx, c, reassociate)
		if err == nil {
			err = k.write(ctx, c, c.declared)
		}
		if err != nil {
			k.broker.unreserve(c)
			err = k.undo(ctx, c, lent, err)
		}
		k.broker.giveBack(lent)
		if err != nil && (refusals == maxRefusals || !k.findHolder(ctx, c, lent, err)) {
			return err
		}
	}
	return nil
}

// makeWay returns when every claim of a change is free. The changes that it returns are those of customers from which
// something was taken.
func (k *Keeper) makeWay(ctx context.Context, c *change, reassociate bool) (lent []*change, err error) {
	for {
		step := k.broker.next(c, reassociate)
		switch step.turn {
		case goOn:
			return nil, nil
		case take:
			return step.lent, k.takeFrom(ctx, step.lent, c.declared)
		case giveUp:
			if err := k.giveUp(ctx, c, c.current.Common(c.declared)); err != nil {
				return nil, err
			}
		case refused:
			return nil, k.heldError(c, step.held, true)
		case await:
			goesOn, err := k.broker.wait(ctx, step.changed)
			if err != nil {
				return nil, fmt.Errorf("%w (waited until: %w)", k.heldError(c, step.held, false), err)
			}
			if !goesOn && !reassociate && k.waitsInVain(ctx, step.held) { // Else it's only for others under way that it waits.
				return nil, k.heldError(c, step.held, false)
			}
		}
	}
}

// waitsInVain says, in a run that has stalled, whether a holder for which no change is under way still holds what is
// claimed: what is known of it may be old. Changes that wait for each other wait on, until those ahead of them have failed.
func (k *Keeper) waitsInVain(ctx context.Context, held []Holding) bool {
	for _, h := range held {
		if k.broker.isUnderWay(h.Holder) {
			continue
		}
		customer, err := k.reader.CustomerNow(ctx, h.Holder)
		if err == nil && customers.LatchOf(customer).Holds(h.Claim) || err != nil && !fusebill.IsNotFound(err) {
			return true
		}
	}
	return false
}

func (k *Keeper) heldError(c *change, held []Holding, declared bool) error {
	return &HeldError{CustomerID: c.customerID, Held: held, Declared: declared}
}

// takeFrom releases from holders what a latch claims; their other IDs are kept. Each is read first, since what is known
// of it may be old.
func (k *Keeper) takeFrom(ctx context.Context, holders []*change, claimed fusebill.Latch) error {
	for _, holder := range holders {
		customer, err := k.reader.CustomerNow(ctx, holder.customerID)
		if err != nil && !fusebill.IsNotFound(err) { // One that is gone holds nothing.
			return err
		}
		current := customers.LatchOf(customer)
		k.broker.declare(holder, current, current.Without(claimed))
		if holder.declared == current {
			continue
		}
		if err := k.giveUp(ctx, holder, holder.declared); err != nil {
			return err
		}
	}
	return nil
}

// giveUp writes less than a customer holds, on the way to something else. Where the outcome stays unknown it counts as
// done, so that it is put back if the rest fails.
func (k *Keeper) giveUp(ctx context.Context, c *change, rest fusebill.Latch) error {
	err := k.write(ctx, c, rest)
	if unknown := (*fusebill.OutcomeUnknownError)(nil); errors.As(err, &unknown) {
		k.broker.holdsNow(c, rest)
	}
	return err
}

// undo gives back to holders what was taken from them, since what it was taken for has failed.
func (k *Keeper) undo(ctx context.Context, c *change, holders []*change, cause error) error {
	if got := c.current.Without(c.prior); len(holders) > 0 && !got.IsZero() { // By an answer that nobody could expect.
		ctx, cancel := outlasting(ctx, putBackTimeout)
		defer cancel()
		_ = k.write(ctx, c, c.current.Common(c.prior))
	}
	for _, holder := range holders {
		cause = k.putBack(ctx, holder, cause)
	}
	return cause
}

// putBack gives a customer back what its change has given up, after a failure. Where that has gone to somebody else
// meanwhile, as in a ring, going through with the change is the other way not to lose a latch; that is no failure. What
// others hold isn't written, since a service that moves it without a refusal would take it from them.
func (k *Keeper) putBack(ctx context.Context, c *change, cause error) error {
	if c.prior.Without(c.current).IsZero() {
		return cause
	}
	ctx, cancel := outlasting(ctx, putBackTimeout)
	defer cancel()
	gone := k.broker.reserve(ctx, c, c.prior)
	err := k.heldError(c, gone, true)
	if len(gone) == 0 {
		// Even where the answer isn't what it should be, the customer may hold it again.
		if err = k.write(ctx, c, c.prior); err == nil || c.prior.Without(c.current).IsZero() {
			return cause
		}
	}
	if !c.lent && len(k.broker.reserve(ctx, c, c.declared)) == 0 && k.write(ctx, c, c.declared) == nil {
		return nil
	}
	if rest := less(c.prior, k.broker.reserve(ctx, c, c.prior)); len(gone) > 0 && rest != c.current {
		_ = k.write(ctx, c, rest) // The error below tells what has come of it.
	}
	return &NotPutBackError{CustomerID: c.customerID, Prior: c.prior, Current: c.current, Cause: cause, Err: err}
}

// findHolder looks, after a refusal, for another customer that holds what is claimed, and says whether trying again
// makes sense. The service isn't known to say who it is, nor that this was its reason. Those from whom something was
// taken hold it again by now, and aren't the reason.
func (k *Keeper) findHolder(ctx context.Context, c *change, lent []*change, refusal error) bool {
	status := customers.RefusalStatus(refusal)
	if notPutBack := (*NotPutBackError)(nil); errors.As(refusal, &notPutBack) {
		return false
	}
	if ctx.Err() != nil || status != http.StatusConflict && status != http.StatusBadRequest {
		return false
	}
	if k.broker.mayTryAgain(c, lent) {
		return true
	}
	age := customers.MaxAge
	if status == http.StatusConflict {
		age = 0 // What is known must be out of date.
	}
	if err := k.reader.ReadAccount(ctx, age, k.maxPages); err == nil {
		return k.broker.mayTryAgain(c, lent)
	}
	// Nobody can be asked. A holder whose own change comes will be known by that. A 400 may have any other reason, and so
	// isn't worth a long wait.
	if status == http.StatusBadRequest {
		short, cancel := context.WithTimeout(ctx, k.broker.stallTimeout)
		defer cancel()
		ctx = short
	}
	return k.broker.awaitHolder(ctx, c, lent)
}

// write sets the latch of a change's customer and makes sure that it is set. After a failure that leaves the outcome
// open it reads the customer: a lost response isn't a lost write.
func (k *Keeper) write(ctx context.Context, c *change, latch fusebill.Latch) error {
	k.reader.BeginWrite(c.customerID)
	customer, err := k.client.Latch(ctx, c.customerID, latch)
	if err != nil {
		k.reader.EndWrite(c.customerID, nil)
		return k.settle(ctx, c, latch, err)
	}
	k.reader.EndWrite(c.customerID, &customer)
	k.broker.holdsNow(c, customers.LatchOf(customer))
	if customers.LatchOf(customer) == latch {
		return nil
	}
	if read, err := k.reader.CustomerNow(ctx, c.customerID); err == nil { // What is put back depends on the truth.
		k.broker.holdsNow(c, customers.LatchOf(read))
	}
	return &UnexpectedAnswerError{CustomerID: c.customerID, Requested: latch, Answered: customers.LatchOf(customer)}
}

// settle finds out what became of a write that failed, where that is open. If it can't be found out, the write's own
// error comes back.
func (k *Keeper) settle(ctx context.Context, c *change, latch fusebill.Latch, failure error) error {
	var unknown *fusebill.OutcomeUnknownError
	if !errors.As(failure, &unknown) {
		return failure
	}
	ctx, cancel := outlasting(ctx, readBackTimeout)
	defer cancel()
	customer, err := k.reader.CustomerNow(ctx, c.customerID)
	if err != nil {
		return failure
	}
	k.broker.holdsNow(c, customers.LatchOf(customer))
	if customers.LatchOf(customer) != latch {
		return &NotDoneError{CustomerID: c.customerID, Current: customers.LatchOf(customer), Err: unknown.Err}
	}
	return nil
}

// outlasting returns a context for what has to be done even after a cancel, with so much time for it from then on.
func outlasting(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(grace):
			cancel(context.Cause(ctx))
		case <-lasting.Done():
		}
	})
	return lasting, func() {
		stop()
		cancel(nil)
	}
}

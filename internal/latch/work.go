package latch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// maxRefusals ends a change that the service keeps refusing although nobody is known to hold what it claims.
	maxRefusals = 5
	// maxLate is how often a write may be put off since the customer has to be read again. After that
	// it is sent whenever the quota allows it: at one call a minute, no write would follow its read
	// in time.
	maxLate = 4
	// timeToSend is how long a write takes at most until it is sent, unless it waits for the quota.
	timeToSend = 2 * time.Second
	// answerTimeout bounds how long a write under way may take to answer after a cancel, and readBackTimeout the read that
	// follows where it does not, so Ctrl-C ends within two seconds.
	answerTimeout   = time.Second
	readBackTimeout = 800 * time.Millisecond
	// callsOfRelease is how many calls a change that releases something first reserves: a read and a write to release it, and
	// the same twice to finish or to restore it.
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

// with returns the context of a change's calls, which may have calls reserved.
func (c *change) with(ctx context.Context) context.Context {
	if c.calls == nil {
		return ctx
	}
	return c.calls.Context(ctx)
}

// reserveCalls reserves the calls that a step of a change needs: all that may follow once something
// is released, or else, where a write came too late before, a read and a write.
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

// releaseFirst writes less than the declared latch, so that others in a ring can go on.
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
		c.putOff(err)
		g.retryLocked(c)
	case err != nil:
		g.failLocked(c, err)
	default:
		g.setPhaseLocked(c, waiting)
		g.pushLocked(c)
	}
}

// isCancelled reports whether a call was not made since the context of the run has ended.
func (r *run) isCancelled(err error) bool {
	_, isUnknown := errors.AsType[*fusebill.OutcomeUnknownError](err)
	_, isLost := errors.AsType[*NotRestoredError](err)
	return r.ctx.Err() != nil && !isUnknown && !isLost && errors.Is(err, r.ctx.Err())
}

// isTooLate reports whether a write was not sent, or not sent again, in time, so the change starts
// again with a read. Where a customer could not be restored, that must be reported instead.
func isTooLate(err error) bool {
	_, isLost := errors.AsType[*NotRestoredError](err)
	return errors.Is(err, fusebill.ErrTooLate) && !isLost
}

// putOff counts how often a write was put off, at most once for each read. An earlier try of that
// write may have reached the service.
func (c *change) putOff(err error) {
	if unconfirmed, isUnknown := errors.AsType[*UnconfirmedError](err); isUnknown {
		c.unconfirmed = unconfirmed
	}
	if time.Since(c.lateAt) > customers.MaxAgeBeforeWrite {
		c.lateAt = time.Now()
		c.late++
	}
}

// withUnconfirmed adds to the error of a change that its last write may still be made.
func (c *change) withUnconfirmed(err error) error {
	if _, isUnknown := errors.AsType[*fusebill.OutcomeUnknownError](err); err == nil || isUnknown || c.unconfirmed == nil {
		return err
	}
	return fmt.Errorf("%w; %w", c.unconfirmed, err)
}

// writeLess writes less than a customer holds, on the way to something else. Where the outcome stays unknown it counts as
// made, so it is restored.
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

// end ends a change whose step has failed before a write.
func (r *run) end(c *change, err error) {
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	switch {
	case r.ctx.Err() != nil:
		g.setPhaseLocked(c, waiting)
		g.giveUpLocked(c)
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

// verify makes sure, before a write, that the customer holds what the change expects, and that stillHolds, which is called
// with the graph's mu held. If not, it has decided how the change goes on.
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

// changedMeanwhile is the error of a change that has released something, and whose customer somebody else has changed since.
func (c *change) changedMeanwhile(current fusebill.Latch) error {
	err := &ChangedError{CustomerID: c.CustomerID, Planned: c.current, Current: current}
	lost := &NotRestoredError{CustomerID: c.CustomerID, Prior: c.before, Current: current, Cause: c.err, Err: err}
	c.current = current
	if lost.Cause == nil {
		lost.Cause = err
	}
	return lost
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
		c.putOff(err)
		g.retryLocked(c)
	case isWorthWaiting:
		c.refusal = err
		g.retryLocked(c)
	case r.isCancelled(err):
		g.setPhaseLocked(c, waiting)
		g.giveUpLocked(c)
	default:
		g.failLocked(c, err)
	}
}

// isReservedLocked reports whether what a change claims is still free for it, or can be taken.
func (g *graph) isReservedLocked(c *change) bool {
	for _, h := range g.heldByOthersLocked(c, c.target) {
		if t := g.first[h.Holder]; !slices.Contains(c.taken, t) {
			return false
		}
	}
	return true
}

// take releases from the holders what a change claims. They keep their other IDs. It reads the
// change's customer again where that has made what is known of it too old.
func (r *run) take(ctx context.Context, c *change) error {
	g := r.graph
	for _, t := range c.taken {
		t.calls = c.calls
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

// readNow reads a change's customer before a write.
func (r *run) readNow(ctx context.Context, c *change) (fusebill.Customer, error) {
	c.sendBefore = time.Now().Add(customers.MaxAgeBeforeWrite)
	return r.coordinator.reader.CustomerNow(c.with(ctx), c.CustomerID)
}

// undo restores what was taken from others, since what it was taken for has failed.
func (r *run) undo(c *change, cause error) error {
	g := r.graph
	for _, t := range c.taken {
		g.mu.Lock()
		t.before = t.before.Without(c.current) // Whatever the answer was, the change may have it.
		for _, claim := range t.before.Without(t.current).Claims() {
			if g.reserved[claim] == c {
				g.reserved[claim] = t
				t.reservations = append(t.reservations, claim)
			}
		}
		t.lost = g.heldByOthersLocked(t, t.before)
		g.reserveLocked(t, less(t.before, t.lost))
		t.err = cause
		g.mu.Unlock()
		cause = r.putBack(t)
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

// putBack restores what a failed change has released, except what others hold by now, and returns the error of the change.
// It leaves a customer that somebody else has changed since. Where others, as in a ring, hold what the customer had, the
// declared latch is the other way not to lose one; then there is no error.
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
		case c.before: // What it had was not released after all.
			c.current = current
			return c.err
		default:
			return c.changedMeanwhile(current)
		}
		if len(c.lost) == 0 {
			err = r.write(ctx, c, c.before)
		} else if r.mayFinish(c) && r.write(ctx, c, c.target) == nil {
			return nil
		} else if rest := less(c.before, c.lost); rest != c.current {
			err = r.write(ctx, c, rest)
		}
		if !isTooLate(err) {
			break
		}
		c.putOff(err)
	}
	if c.before.Without(c.current).IsZero() { // Even where the answer was not the expected one.
		return c.err
	}
	return c.notRestored(err)
}

// notRestored returns the error of a change that could not restore what it has released, since
// others hold it, or else for the reason given.
func (c *change) notRestored(reason error) error {
	if len(c.lost) > 0 {
		reason = &HeldError{CustomerID: c.CustomerID, Held: c.lost, Reason: HolderKeeps}
	}
	return &NotRestoredError{CustomerID: c.CustomerID, Prior: c.before, Current: c.current, Cause: c.err, Err: reason}
}

// mayFinish reports whether nobody else holds the declared latch of a change that cannot restore what it has released, and
// reserves it.
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

// write sets the latch of a change's customer, and makes sure that it is set. After a failure that leaves the outcome open it
// reads the customer, which may prove that the write was made.
func (r *run) write(ctx context.Context, c *change, latch fusebill.Latch) error {
	g, reader := r.graph, r.coordinator.reader
	g.mu.Lock()
	c.writeEvent = g.events
	g.mu.Unlock()
	calls := c.with(ctx)
	if c.late < maxLate {
		calls = fusebill.SendBefore(calls, c.sendBefore)
	}
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
	if read, err := reader.CustomerNow(c.with(ctx), c.CustomerID); err == nil { // What is restored depends on the truth.
		r.holds(c, customers.LatchOf(read), false)
	}
	return &UnexpectedAnswerError{CustomerID: c.CustomerID, Requested: latch, Answered: answered}
}

// holds takes in what a customer holds.
func (r *run) holds(c *change, current fusebill.Latch, isProgress bool) {
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	if isProgress {
		c.unconfirmed = nil
		g.stall.progressLocked()
	}
	g.holdsLocked(c, current)
}

// readBack finds out whether a write that has failed was made, where that is open. A customer that does not hold the latch
// proves nothing: the service may make the write later.
func (r *run) readBack(ctx context.Context, c *change, latch fusebill.Latch, failure error) error {
	unknown, isUnknown := errors.AsType[*fusebill.OutcomeUnknownError](failure)
	if !isUnknown {
		return failure
	}
	ctx, cancel := outlasting(ctx, readBackTimeout)
	defer cancel()
	customer, err := r.coordinator.reader.CustomerNow(c.with(ctx), c.CustomerID)
	if read := customers.LatchOf(customer); err == nil && read == latch {
		r.holds(c, read, true)
		return nil
	} else if err == nil && !c.isReleased { // What is restored depends on what it was before others changed it.
		r.holds(c, read, false)
	}
	return &UnconfirmedError{
		CustomerID: c.CustomerID, Requested: latch, Current: c.current, Others: r.losers(c, latch), Err: unknown,
		ReadErr: err,
	}
}

// losers returns the customers that have released something for a latch, and would lose it if they restored it before the
// service makes the latch.
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

// conflicts remembers whether the last conflict was explained by who holds what in the account. One that is not, such as that
// of a customer who is cancelled, is no reason to read the account again for the next.
type conflicts struct {
	mu            sync.Mutex
	isUnexplained bool
}

// maxAge is how old the account, as it was read, may be to explain a conflict.
func (c *conflicts) maxAge(err error) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.isUnexplained:
		return customers.MaxAge
	case fusebill.IsCertainConflict(err):
		return 0 // What is known must be out of date.
	default:
		return customers.MaxAgeBeforeWrite
	}
}

func (c *conflicts) explain(isExplained bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isUnexplained = !isExplained
}

// looksUp finds out, after a refusal, whether another customer holds what a change claims, and reports whether it makes sense
// that the change goes on. The service is not known to say who the holder is, nor that this was its reason. Those from whom
// the change took something hold it again by now, and are not the reason.
func (r *run) looksUp(ctx context.Context, c *change, refusal error) bool {
	if _, isLost := errors.AsType[*NotRestoredError](refusal); isLost || !fusebill.IsConflict(refusal) || ctx.Err() != nil {
		return false
	}
	if c.refusals++; c.refusals > maxRefusals {
		return false
	}
	if r.knowsMore(c) {
		return true
	}
	conflicts := &r.coordinator.conflicts
	if err := r.coordinator.reader.ReadAccount(ctx, conflicts.maxAge(refusal), r.coordinator.maxPages); err == nil {
		knowsMore := r.knowsMore(c)
		conflicts.explain(knowsMore)
		r.graph.mu.Lock()
		defer r.graph.settleAndUnlock()
		r.graph.wakeAllLocked()
		return knowsMore
	}
	// Nobody can be asked. A holder whose own change comes will be known by that. A 400 may have any other reason, and so is
	// not worth a long wait.
	if !fusebill.IsCertainConflict(refusal) {
		time.AfterFunc(r.coordinator.stallTimeout, func() { r.expireRefused(c) })
	}
	return len(c.tookFrom) == 0
}

// knowsMore reports whether others than those that a change took from are known to hold what it claims, or somebody has
// released it since the last write.
func (r *run) knowsMore(c *change) bool {
	g := r.graph
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range g.heldByOthersLocked(c, c.target) {
		if !slices.Contains(c.tookFrom, h.Holder) {
			return true
		}
	}
	return g.wasReleasedLocked(c)
}

// expireRefused ends the wait of a change that was refused, and whose holder is still unknown.
func (r *run) expireRefused(c *change) {
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	if c.phase == waiting && c.refusal != nil && len(c.held) == 0 {
		c.isExpired = true
		g.pushLocked(c)
	}
}

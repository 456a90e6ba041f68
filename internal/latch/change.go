package latch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// phase is the progress of a change.
type phase int

// step is the next thing that a worker does for a change.
type step int

// change is the change of one customer, while it is under way and after it has ended.
type change struct {
	Change
	run     *run          // nil: it takes something from its customer on behalf of another change
	unlatch *unlatchOrder // nil: it belongs to a resource

	// Its progress.
	phase     phase
	step      step
	isParked  bool // it waits, without its turn, for another change to remove the customer's other latch
	isExpired bool // it has waited long enough: unless its claims turn out to be free, it ends
	isWoken   bool
	// isLookedAt is set once its holders were read again while nothing went on.
	isLookedAt bool

	// Its customer: the latches are known once it was read.
	customer *customerState
	isKnown  bool
	before   fusebill.Latch // the latch when the change began
	current  fusebill.Latch
	target   fusebill.Latch // the latch that the change brings
	// freshUntil is when the run reads the customer again, with others, before it is written.
	freshUntil time.Time
	// sendBefore is when the next write must have been sent: later, the last read is too old.
	sendBefore time.Time
	late       int       // how often its write was put off
	lateAt     time.Time // the last time

	// The claims of its target.
	held       []Holding // by others
	blockers   []*change // the changes that are to release them
	isBlocked  bool      // as far as is known, no change under way is to release some of them
	isSettling bool      // the search for rings has shown that they will be free
	isUnsure   bool
	search     search
	refusal    error // the service's, by a holder that nobody knows
	refusals   int
	writeEvent int     // the number of the last event before its last write
	tookFrom   []int64 // the holders from which it has ever taken something

	// Its writes.
	reservations []fusebill.Claim
	calls        *fusebill.Reservation
	isFirst      bool      // it releases, or has released, before others in a ring
	isReleased   bool      // it has released something first, on the way to its target
	taken        []*change // of the holders from which it takes something
	// last is, for one of these, the change of the holder that has ended and has failed to release
	// it.
	last *change
	// doubt is the outcome of the last write of the customer if that is unknown or not as
	// requested, until another write is answered. The error of a failed change must include it.
	doubt error
	// cutOff is the outcome of a write that was under way at a cancel. The service may make it
	// later, even where a read has shown that it was made, because a second try may be under way.
	// The change must report it if its customer would lose something by that.
	cutOff *UnconfirmedError

	// Its end.
	lost      []Holding // others hold it by now, so it cannot be restored
	isKept    bool
	isDropped bool // it has ended before it was begun
	err       error
}

// isOpen reports whether the change has released something, and has neither restored it nor brought
// the declared latch.
func (c *change) isOpen() bool {
	return c.isReleased && !c.before.Without(c.current).IsZero() && (c.run == nil || c.current != c.target)
}

// isFailing reports whether the change has failed and restores what it has released.
func (c *change) isFailing() bool { return c.err != nil }

func (c *change) isRelease() bool { return c.Declared.IsZero() }

func (c Change) claimsMore() bool { return !c.Declared.Without(c.Prior).IsZero() }

// with returns the context of a change's calls, which may have calls reserved.
func (c *change) with(ctx context.Context) context.Context {
	if c.calls == nil {
		return ctx
	}
	return c.calls.Context(ctx)
}

// putOff counts the writes that were put off, at most one for each read.
func (c *change) putOff() {
	if time.Since(c.lateAt) > customers.MaxAgeBeforeWrite {
		c.lateAt = time.Now()
		c.late++
	}
}

// withDoubt adds the unknown outcomes of a change's writes to its error.
func (c *change) withDoubt(err error) error {
	if late := c.cutOff; late != nil && late.Requested != c.current && !errors.Is(err, late) {
		late.Current = c.current
		if err == nil {
			return late
		}
		err = fmt.Errorf("%w; %w", late, err)
	}
	if err == nil || c.doubt == nil || errors.Is(err, c.doubt) {
		return err
	}
	return fmt.Errorf("%w; %w", c.doubt, err)
}

// changedMeanwhile is the error of a change that has released something, and whose customer
// somebody else has changed since.
func (c *change) changedMeanwhile(current fusebill.Latch) error {
	err := &ChangedError{CustomerID: c.CustomerID, Planned: c.current, Current: current}
	lost := &NotRestoredError{CustomerID: c.CustomerID, Prior: c.before, Current: current, Cause: c.err, Err: err}
	c.current = current
	if lost.Cause == nil {
		lost.Cause = err
	}
	return lost
}

// notRestored returns the error of a change that could not restore all that it has released,
// because others hold it, or for the given reason, or both.
func (c *change) notRestored(reason error) error {
	if len(c.lost) > 0 {
		held := error(&HeldError{CustomerID: c.CustomerID, Held: c.lost, Reason: HolderKeeps})
		if reason != nil {
			held = fmt.Errorf("%w; %w", held, reason)
		}
		reason = held
	}
	return &NotRestoredError{CustomerID: c.CustomerID, Prior: c.before, Current: c.current, Cause: c.err, Err: reason}
}

// unlatchOrder has the arguments and the result of [Coordinator.Unlatch].
type unlatchOrder struct {
	expected fusebill.Latch
	tell     func(current fusebill.Latch)
	removed  fusebill.Latch
}

package latch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// stop is called after a cancel, once for each context of the run. First it ends every change that
// has released nothing, except those that open changes need. After ringTimeout it ends these too,
// and after restoreTimeout the restores that still wait for others.
func (r *run) stop() {
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	r.isStopping = true
	needed := g.neededLocked()
	if r.lasting.Err() != nil {
		needed = nil
	}
	for _, c := range r.changes {
		switch {
		case c.isFailing() && c.phase == waiting:
			g.pushLocked(c)
		case c.phase == done, c.phase == working, c.isFailing(), needed[c] && c.isKnown:
		default:
			g.cancelLocked(c)
		}
	}
}

// cancelLocked ends a change whose context has ended.
func (g *graph) cancelLocked(c *change) {
	cause := context.Cause(c.run.ctx)
	switch {
	case c.isOpen(), c.doubt != nil:
		g.failLocked(c, cause)
	case c.phase == waiting && len(c.run.changes) == 1 && len(c.held) > 0:
		g.failLocked(c, fmt.Errorf("%w (stopped waiting: %w)", g.waitErrorLocked(c), cause))
	default:
		g.dropLocked(c)
	}
}

// neededLocked returns the changes that must go on after a cancel: open changes that cannot restore
// their latches, because others hold the claims by now, and the changes that these wait for.
func (g *graph) neededLocked() map[*change]bool {
	needed := make(map[*change]bool)
	var stack []*change
	for c := range g.open {
		if c.run != nil && !c.isFailing() && len(g.heldByOthersLocked(c, c.before)) > 0 {
			needed[c] = true
			stack = append(stack, c)
		}
	}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, b := range top.blockers {
			if !needed[b] {
				needed[b] = true
				stack = append(stack, b)
			}
		}
	}
	return needed
}

// outlasting returns a context that ends a grace period after ctx. It is for calls that must be
// made even after a cancel.
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
		cancel(errors.New("the work is done"))
	}
}

// isCancelled reports whether a call was not made because the context of the run has ended.
func (r *run) isCancelled(err error) bool {
	_, isUnknown := errors.AsType[*fusebill.OutcomeUnknownError](err)
	_, isLost := errors.AsType[*NotRestoredError](err)
	return r.ctx.Err() != nil && !isUnknown && !isLost && errors.Is(err, r.ctx.Err())
}

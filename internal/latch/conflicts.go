package latch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// conflicts remembers whether the last conflict was explained by who holds what in the account. One
// that is not, such as that of a customer who is cancelled, is no reason to read the account again
// for the next.
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
		return 0 // Its picture must be out of date.
	default:
		return customers.MaxAgeBeforeWrite
	}
}

func (c *conflicts) explain(isExplained bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isUnexplained = !isExplained
}

// looksUp finds out, after a refusal, whether another customer holds what a change claims, and
// reports whether it makes sense that the change goes on. The service is not known to say who the
// holder is, nor that this was its reason. Those from whom the change took something hold it again
// by now, and are not the reason.
func (r *run) looksUp(ctx context.Context, c *change, refusal error) bool {
	_, isLost := errors.AsType[*NotRestoredError](refusal)
	if isLost || !fusebill.IsConflict(refusal) || ctx.Err() != nil {
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
	// Nobody can be asked. A holder whose own change comes will be known by that. A 400 may have any
	// other reason, and so is not worth a long wait.
	if !fusebill.IsCertainConflict(refusal) {
		time.AfterFunc(r.coordinator.stallTimeout, func() { r.expireRefused(c) })
	}
	return len(c.tookFrom) == 0
}

// knowsMore reports whether others than those that a change took from are known to hold what it
// claims, or somebody has released it since the last write.
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

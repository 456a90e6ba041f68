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

// conflicts records whether the account, as it was read, explained the last conflict by a holder.
// If it did not, the service may have refused the write by another rule, for example because the
// customer is cancelled. Then the next conflict is no reason to read the account again.
type conflicts struct {
	mu            sync.Mutex
	isUnexplained bool
}

// maxAge returns the maximum age of the last reading of the account that may explain a conflict.
func (c *conflicts) maxAge(err error) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.isUnexplained:
		return customers.MaxAge
	case fusebill.IsCertainConflict(err):
		return 0 // The last reading shows no holder, so it must be out of date.
	default:
		return customers.MaxAgeBeforeWrite
	}
}

// explain records whether the account explained a conflict.
func (c *conflicts) explain(isExplained bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isUnexplained = !isExplained
}

// looksUp searches for the holder of a claim after the service has refused a write. It returns true
// if the change should wait and try again. A refusal may name neither the holder nor the
// reason. The customers from which the change has taken something hold it again by now, and are not
// the reason.
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
	// The account cannot be read. A change of the holder may still show who it is. A 400 may have
	// another reason, so it is not worth a long wait.
	if !fusebill.IsCertainConflict(refusal) {
		time.AfterFunc(r.coordinator.stallTimeout, func() { r.expireRefused(c) })
	}
	return len(c.tookFrom) == 0
}

// knowsMore reports whether the graph knows a holder of a claim from which the change has not taken
// anything, or a claim that was released since the last write.
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

// expireRefused ends the wait of a refused change whose holder is still unknown.
func (r *run) expireRefused(c *change) {
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	if c.phase == waiting && c.refusal != nil && len(c.held) == 0 {
		c.isExpired = true
		g.pushLocked(c)
	}
}

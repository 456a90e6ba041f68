package latch_test

import (
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// The invariants of this file are about latches: none is lost, none is taken by surprise, and the
// results of an apply are what the account holds.

const (
	maxAge        = 15 * time.Second // of the read that a write is based on
	maxAccountAge = 10 * time.Minute // of what is known of holders
)

// noLatchIsLost checks that a customer still has each claim that it had at the beginning, unless a
// change that succeeded released it, another customer was declared to take it, somebody else
// changed the customer, or an error names the customer.
func (r *run) noLatchIsLost(violated report) {
	final := r.service.current()
	for _, id := range ids(r.account) {
		for _, claim := range r.account[id].Without(final[id]).Claims() {
			if !r.isReleased(id, claim) && !r.isTaken(id, claim) && !r.isChangedByOthers(id) && !r.isNamed(id) {
				violated("customer %d has lost %s: it holds %s", id, claim, final[id])
			}
		}
	}
}

// isReleased reports whether a change that succeeded was to remove a claim from a customer, and no
// change that had begun by then was to keep it.
func (r *run) isReleased(id int64, claim fusebill.Claim) bool {
	released := r.hasOutcome(func(o outcome) bool {
		return o.CustomerID == id && o.succeeded() && !o.Declared.Holds(claim) && !o.result.Kept
	})
	allowed := r.hasOutcome(func(o outcome) bool { return o.CustomerID == id && o.mayReplace(claim) })
	sent := r.releaseSent(id, claim)
	kept := r.hasOutcome(func(o outcome) bool {
		return o.CustomerID == id && o.Declared.Holds(claim) && o.began < sent
	})
	return released && allowed && !kept
}

// releaseSent returns when the provider first sent a write that removed a claim from a customer.
func (r *run) releaseSent(id int64, claim fusebill.Claim) time.Duration {
	for _, c := range r.service.changes {
		if c.customer == id && c.by != nil && c.from.Holds(claim) && !c.to.Holds(claim) {
			return c.by.first
		}
	}
	return 0
}

// isTaken reports whether a change of another customer has taken a claim, and was allowed to: by
// allow_reassociation, or because nobody could know of the holder. The change has succeeded, or its
// outcome is open. In the latter case the provider must not have moved the claim on itself, since
// it has to restore the holder then.
func (r *run) isTaken(id int64, claim fusebill.Claim) bool {
	isUnknown := r.neverReads && r.conflict == fusebillsim.ConflictMoves
	return r.hasOutcome(func(o outcome) bool {
		isDone := o.succeeded() || isOpen(o.result.Err) && (isUnknown || r.isHeldOrLost(o.CustomerID, claim))
		return o.CustomerID != id && o.Declared.Holds(claim) && isDone && (isUnknown || o.resource.reassociate)
	})
}

// isHeldOrLost reports whether a customer has got a claim, and holds it or has lost it to others.
func (r *run) isHeldOrLost(id int64, claim fusebill.Claim) bool {
	for _, c := range slices.Backward(r.service.changes) {
		if c.customer == id && c.from.Holds(claim) != c.to.Holds(claim) {
			return c.to.Holds(claim) || c.by == nil || c.by.late
		}
	}
	return false
}

// isChangedByOthers reports whether somebody else changed a customer during the run.
func (r *run) isChangedByOthers(id int64) bool {
	return slices.ContainsFunc(r.service.changes, func(c accountChange) bool { return c.customer == id && c.by == nil })
}

// noClaimIsGained checks that a customer holds only what it held, what is declared for it, and what
// others gave it.
func (r *run) noClaimIsGained(violated report) {
	final := r.service.current()
	for _, id := range ids(final) {
		rest := final[id].Without(r.account[id])
		for _, o := range r.outcomes() {
			if o.CustomerID == id {
				rest = rest.Without(o.Declared).Without(r.afterMerges(o.Declared))
			}
		}
		for _, c := range r.service.changes {
			if c.customer == id && c.by == nil {
				rest = rest.Without(c.to)
			}
		}
		if !rest.IsZero() {
			violated("customer %d has got %s", id, rest)
		}
	}
}

// noNewerChangeIsOverwritten checks that a write of the provider changes nothing that somebody else
// has written more than 15 seconds before, or that the provider has read before it sent the write.
// Exceptions are claims that the configuration allows to replace.
func (r *run) noNewerChangeIsOverwritten(violated report) {
	for i, c := range r.service.changes {
		if c.by == nil || c.by.late || c.customer != c.by.ids[0] {
			continue
		}
		last := lastChange(r.service.changes[:i], c.customer)
		if last == nil || last.by != nil || r.seemsOwn(last, c.by) || !r.mustKnow(last, c.by) {
			continue
		}
		for _, claim := range last.to.Without(c.to).Without(last.from).Claims() {
			mayRemove := func(o outcome) bool {
				return o.CustomerID == c.customer && o.mayReplace(claim) || o.CustomerID != c.customer && o.mayTake(claim)
			}
			if !r.hasOutcome(mayRemove) {
				violated("the write of customer %d at %s removed %s, which others wrote at %s", c.customer, c.at, claim, last.at)
			}
		}
		declared := r.declaredFor(c.customer)
		restored := last.from.Without(last.to).Common(c.to).Without(declared).Without(r.afterMerges(declared))
		for _, claim := range restored.Claims() {
			violated("the write of customer %d at %s restored %s, which others removed at %s", c.customer, c.at, claim, last.at)
		}
	}
}

func lastChange(changes []accountChange, customer int64) *accountChange {
	for i, c := range slices.Backward(changes) {
		if c.customer == customer {
			return &changes[i]
		}
	}
	return nil
}

// seemsOwn reports whether a change by others looks like that of a write that the provider sent.
func (r *run) seemsOwn(c *accountChange, before *request) bool {
	return slices.ContainsFunc(r.service.requests, func(req *request) bool {
		return req.write && req.ids[0] == c.customer && req.latch == c.to && req.first < before.first
	})
}

// mustKnow reports whether the provider must know of a change when it sends a write. Faults make
// lists stale.
func (r *run) mustKnow(c *accountChange, write *request) bool {
	if write.first-c.at > maxAge && r.faults == 0 {
		return true
	}
	return slices.ContainsFunc(r.service.requests, func(read *request) bool {
		isReliable := r.faults == 0 || len(read.ids) == 1
		return !read.write && isReliable && slices.Contains(read.ids, c.customer) && read.status == 200 &&
			read.handled > c.at && read.ended < write.first
	})
}

// declaredFor returns the latch that a change of the run declares for a customer.
func (r *run) declaredFor(id int64) fusebill.Latch {
	o, _ := r.outcomeOf(func(o outcome) bool { return o.CustomerID == id && !o.releases() })
	return o.Declared
}

// noHolderIsRobbed checks that a service that moves claims silently is not asked to take one from a
// holder that the provider must know, unless the configuration allows it.
func (r *run) noHolderIsRobbed(violated report) {
	for i, c := range r.service.changes {
		if c.by == nil || c.by.late || c.customer == c.by.ids[0] || r.neverReads {
			continue
		}
		taker := c.by.ids[0]
		for _, claim := range c.from.Without(c.to).Claims() {
			isAllowed := r.hasOutcome(func(o outcome) bool { return o.CustomerID == taker && o.mayTake(claim) })
			if !isAllowed && !isNew(gained(r.service.changes[:i], c.customer, claim), c.by) {
				violated("the write of customer %d at %s took %s from customer %d", taker, c.at, claim, c.customer)
			}
		}
	}
}

// gained returns the change by which a customer got a claim that it holds; nil: it had it from the
// beginning.
func gained(changes []accountChange, customer int64, claim fusebill.Claim) *accountChange {
	for i, c := range slices.Backward(changes) {
		if c.customer == customer && c.to.Holds(claim) && !c.from.Holds(claim) {
			return &changes[i]
		}
	}
	return nil
}

// isNew reports whether the provider need not know of a gain when it sends a write.
func isNew(gain *accountChange, write *request) bool {
	switch {
	case gain == nil:
		return false
	case gain.by == nil:
		return write.first-gain.at < maxAccountAge
	default: // Nobody knows whether a write was made that was not answered.
		return gain.by.late || gain.by.status == 0 || gain.by.status >= 500
	}
}

// resultsEqualAccount checks that the result of a change is what its customer holds when the
// operation ends, and that a change without an error ends as it was declared. If others or other
// operations changed the customer meanwhile, the result is one of its latches since the read that
// the change was based on; where lists may be stale, it is any that the customer had.
func (r *run) resultsEqualAccount(violated report) {
	for _, o := range r.outcomes() {
		if !o.begun || o.result.Kept || len(all[*fusebill.OutcomeUnknownError](o.result.Err)) > 0 {
			continue
		}
		held := r.heldBetween(o)
		for _, other := range all[*latch.UnexpectedAnswerError](o.result.Err) {
			held = append(held, other.Answered)
		}
		if o.succeeded() {
			held = append(held, r.answers(o)...)
		}
		if !slices.Contains(held, o.result.Latch) {
			violated("%s ended with %s for customer %d, which held %v", o.name, o.result.Latch, o.CustomerID, held)
		}
		switch left := o.result.Latch.Common(o.Prior).Without(r.declaredFor(o.CustomerID)); {
		case !o.succeeded():
		case !o.releases() && o.result.Latch != o.Declared:
			violated("%s succeeded, and its result for customer %d is %s", o.name, o.CustomerID, o.result.Latch)
		case o.releases() && !left.IsZero():
			violated("%s succeeded, and left %s with customer %d", o.name, left, o.CustomerID)
		}
	}
}

// answers returns the answers to the writes that a successful change has made. Terraform needs them
// as results, even if another customer has taken a claim since.
func (r *run) answers(o outcome) []fusebill.Latch {
	var all []fusebill.Latch
	for _, req := range r.service.requests {
		isOwn := req.write && req.ids[0] == o.CustomerID && req.latch == o.Declared && req.sent >= o.began
		if isOwn && req.answer != nil {
			all = append(all, *req.answer)
		}
	}
	return all
}

// otherAnswersAreShown checks that an answer to a write that shows another latch than the requested
// one is an error that shows both, unless a later write of the customer was answered as requested.
func (r *run) otherAnswersAreShown(violated report) {
	last := make(map[int64]*request)
	for _, req := range r.service.requests {
		if req.write && req.answer != nil {
			last[req.ids[0]] = req
		}
	}
	for _, req := range last {
		isShown := r.hasOutcome(func(o outcome) bool {
			unexpected := all[*latch.UnexpectedAnswerError](o.result.Err)
			return slices.ContainsFunc(unexpected, func(e *latch.UnexpectedAnswerError) bool {
				return e.CustomerID == req.ids[0] && e.Requested == req.latch && e.Answered == *req.answer
			})
		})
		if *req.answer != req.latch && !isShown {
			violated("the answer to a write of customer %d to %s showed %s, and no error has both",
				req.ids[0], req.latch, req.answer)
		}
	}
}

// heldBetween returns the latches that the result of a change may have.
func (r *run) heldBetween(o outcome) []fusebill.Latch {
	isShared := r.hasOutcome(func(other outcome) bool {
		return other.operation != o.operation &&
			(other.CustomerID == o.CustomerID || slices.Contains(r.takesFrom(other), o.CustomerID))
	})
	held := []fusebill.Latch{r.account[o.CustomerID]}
	for _, c := range r.service.changes {
		isDisturbed := isShared || c.by == nil || c.by.ids[0] != o.CustomerID || c.by.late
		switch {
		case c.customer != o.CustomerID || c.at > o.ended:
		case r.faults > 0, isDisturbed && c.at > o.began-maxAge:
			held = append(held, c.to)
		default:
			held = []fusebill.Latch{c.to}
		}
	}
	return held
}

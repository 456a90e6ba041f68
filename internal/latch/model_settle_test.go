package latch_test

import (
	"slices"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// whatCanSettleIsSettled checks that, without disturbances and slow dependencies, and with room for
// all operations at once, every change succeeds that an apply has to complete.
func (r *run) whatCanSettleIsSettled(violated report) {
	isSlow := slices.ContainsFunc(r.operations, func(o *operation) bool { return o.takes > 0 })
	if !r.isQuiet() || isSlow || r.parallelism < len(r.operations) {
		return
	}
	final, settled := r.service.current(), r.settleable()
	for _, o := range r.operations {
		for _, change := range o.changes {
			key := step{o, change.CustomerID}
			result := o.results[change.CustomerID]
			if !settled[key] {
				continue
			}
			switch isDone := o.begun && o.err == nil && result.Err == nil; {
			case !isDone:
				violated("%s did not change customer %d: %v", o.name, change.CustomerID, result.Err)
			case !change.Declared.IsZero() && final[change.CustomerID] != change.Declared:
				violated("%s succeeded, and customer %d holds %s", o.name, change.CustomerID, final[change.CustomerID])
			}
		}
	}
}

// step is the change of one customer in an operation.
type step struct {
	*operation
	customer int64
}

// settleable returns the changes that an apply has to complete. It begins with none and adds, until
// nothing changes, all changes that can be completed together: their operations can begin, and each
// of their claims is free, may be taken, or is released by one of them or by one that is settled.
func (r *run) settleable() map[step]bool {
	settled := make(map[step]bool)
	for {
		together := make(map[step]bool)
		for _, o := range r.operations {
			for _, change := range o.changes {
				if r.canBegin(o, settled) {
					together[step{o, change.CustomerID}] = true
				}
			}
		}
		for shrunk := true; shrunk; {
			shrunk = false
			for key := range together {
				if !settled[key] && !r.canComplete(key, together) {
					delete(together, key)
					shrunk = true
				}
			}
		}
		if len(together) == len(settled) {
			return settled
		}
		settled = together
	}
}

// canBegin reports whether the operations that an operation comes after can be completed.
func (r *run) canBegin(o *operation, settled map[step]bool) bool {
	for _, before := range r.operations {
		if !slices.Contains(o.after, before.name) {
			continue
		}
		for _, change := range before.changes {
			if !settled[step{before, change.CustomerID}] {
				return false
			}
		}
		if !r.canBegin(before, settled) {
			return false
		}
	}
	return true
}

// canComplete reports whether a change can be completed together with others.
func (r *run) canComplete(s step, together map[step]bool) bool {
	change := s.changeOf(s.customer)
	if _, exists := r.account[s.customer]; !exists || slices.Contains(r.refuses, s.customer) {
		return false
	}
	if r.afterMerges(change.Declared) != change.Declared {
		return false // The service answers with another latch.
	}
	if change.Declared.IsZero() {
		isRefused := change.Strict && r.mayBeTaken(change) // A strict release is refused once a part is gone.
		return !isRefused && !r.waitsForDeclaring(s, together)
	}
	foreign := r.account[s.customer].Without(change.Prior).Without(change.Declared)
	for other := range together {
		if other.customer == s.customer && other.destroysRow() {
			foreign = foreign.Without(other.changeOf(s.customer).Prior)
		}
	}
	if !foreign.IsZero() && !s.resource.reassociate {
		return false // The customer is latched otherwise.
	}
	for _, claim := range change.Declared.Without(r.account[s.customer]).Claims() {
		if holder := r.holder(claim); holder != 0 && !r.isReleasedBy(holder, claim, together) && !r.mayTake(s, holder) {
			return false
		}
	}
	return true
}

// mayBeTaken reports whether another change of the run may take a part of what a change releases.
func (r *run) mayBeTaken(change latch.Change) bool {
	return slices.ContainsFunc(r.operations, func(o *operation) bool {
		return (r.neverReads || o.resource.reassociate) && slices.ContainsFunc(o.changes, func(c latch.Change) bool {
			return !c.Declared.Common(change.Prior).IsZero()
		})
	})
}

func (s step) destroysRow() bool { return s.changeOf(s.customer).Declared.IsZero() }

func (s *scenario) holder(claim fusebill.Claim) int64 {
	for id, l := range s.account {
		if l.Holds(claim) {
			return id
		}
	}
	return 0
}

// isReleasedBy reports whether changes that are completed together leave a customer without a
// claim. If a change of the run declares the customer, that one decides: a release leaves it
// alone.
func (r *run) isReleasedBy(holder int64, claim fusebill.Claim, together map[step]bool) bool {
	released := false
	for _, o := range r.operations {
		for _, change := range o.changes {
			if change.CustomerID != holder {
				continue
			}
			isCompleted := together[step{o, holder}]
			if !change.Declared.IsZero() && (!isCompleted || change.Declared.Holds(claim)) {
				return false
			}
			released = released || isCompleted && (change.Prior.Holds(claim) || !change.Declared.IsZero())
		}
	}
	return released
}

// waitsForDeclaring reports whether a release waits for a change that declares its customer, and
// that is not completed together with it.
func (r *run) waitsForDeclaring(s step, together map[step]bool) bool {
	return slices.ContainsFunc(r.operations, func(o *operation) bool {
		declares := func(c latch.Change) bool { return c.CustomerID == s.customer && !c.Declared.IsZero() }
		return slices.ContainsFunc(o.changes, declares) && !together[step{o, s.customer}] && !r.comesAfter(o, s.operation)
	})
}

// comesAfter reports whether an operation begins only when another one has succeeded.
func (r *run) comesAfter(later, earlier *operation) bool {
	return slices.Contains(later.after, earlier.name) || slices.ContainsFunc(r.operations, func(o *operation) bool {
		return slices.Contains(later.after, o.name) && r.comesAfter(o, earlier)
	})
}

// mayTake reports whether a change takes a claim from its holder: with allow_reassociation, where
// the provider or the service knows the holder, and no change of the run is about it.
func (r *run) mayTake(s step, holder int64) bool {
	isChanged := slices.ContainsFunc(r.operations, func(o *operation) bool {
		return slices.ContainsFunc(o.changes, func(c latch.Change) bool { return c.CustomerID == holder })
	})
	isPossible := !slices.Contains(r.refuses, holder) && (!r.neverReads || r.conflict == fusebillsim.ConflictMoves)
	return s.resource.reassociate && !isChanged && isPossible
}

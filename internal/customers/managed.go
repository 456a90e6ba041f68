package customers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// samples is the number of customers that are read individually to check lists that show more than
// this number of customers unlatched.
const samples = 10

// Managed returns the current latches of the existing customers that a resource manages, and the
// customers that are gone. Absence is proved, so a resource may remove a customer from the state if
// it is gone or if its current latch is zero:
//
//   - A customer is gone if an individual read was answered with 404 and the same account has
//     answered a list call. So a wrong base URL, where every answer is a 404, is an error.
//   - A latch is zero if an individual read showed both IDs null, because a list may lag behind.
//     Where lists show more than ten customers unlatched, Managed reads only ten of them
//     individually. If all ten are unlatched, it relies on the lists for the rest. Otherwise it
//     reads each of them.
//
// Answers are at most [MaxAge] old.
func (r *Reader) Managed(ctx context.Context, ids []int64) (current map[int64]fusebill.Latch, gone []int64, err error) {
	notBefore := time.Now().Add(-MaxAge)
	found, err := r.readMany(ctx, ids, acceptance{notBefore: notBefore}, fusebill.IsNotFound)
	if err == nil {
		err = r.proveUnlatched(ctx, found, notBefore)
	}
	if err != nil {
		return nil, nil, err
	}
	current = make(map[int64]fusebill.Latch, len(found))
	for _, id := range ids {
		if customer, ok := found[id]; ok {
			current[id] = *customer.Latch
		} else {
			gone = append(gone, id)
		}
	}
	if len(gone) > 0 {
		if err := r.proveAccount(ctx, gone[0]); err != nil {
			return nil, nil, err
		}
	}
	return current, gone, nil
}

// proveAccount returns an error unless the account answers a list call, so a 404 for a customer
// means that the customer does not exist.
func (r *Reader) proveAccount(ctx context.Context, missing int64) error {
	if _, err := r.Fingerprint(ctx); err != nil {
		return fmt.Errorf("the service answered 404 for customer %d, and the list of customers that would "+
			"confirm it failed: %w", missing, err)
	}
	return nil
}

// proveUnlatched reads customers individually that only lists show unlatched: all of them, or a
// sample. A caller with few of them takes part in the sample of all callers, so single latches are
// treated like the rows of a latch set.
func (r *Reader) proveUnlatched(ctx context.Context, found map[int64]fusebill.Customer, notBefore time.Time) error {
	single := acceptance{notBefore: notBefore, isSingle: true}
	var doubtful []int64
	r.mu.Lock()
	isProved := r.lists.areUnlatchedProved()
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if customer, ok := r.cache.get(id, single); ok {
			found[id] = customer
		} else if found[id].Latch.IsZero() {
			doubtful = append(doubtful, id)
		}
	}
	r.mu.Unlock()
	sample := doubtful
	if len(doubtful) > samples {
		sample = nil
		for i := range samples {
			sample = append(sample, doubtful[i*len(doubtful)/samples])
		}
	} else if isProved {
		return nil
	}
	isRight, err := r.checkUnlatched(ctx, found, sample, single)
	if err == nil && !isRight && len(sample) < len(doubtful) {
		_, err = r.checkUnlatched(ctx, found, doubtful, single)
	}
	return err
}

// checkUnlatched individually reads customers that lists show unlatched, and reports whether the
// lists were right about all of them.
func (r *Reader) checkUnlatched(
	ctx context.Context, found map[int64]fusebill.Customer, ids []int64, single acceptance,
) (isRight bool, err error) {
	own, err := r.readMany(ctx, ids, single, fusebill.IsNotFound)
	if err != nil {
		return false, err
	}
	isRight = true
	for _, id := range ids {
		customer, exists := own[id]
		if found[id] = customer; !exists {
			delete(found, id)
		}
		isRight = isRight && exists && customer.Latch.IsZero()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lists.isContradicted = r.lists.isContradicted || !isRight
	for _, id := range ids[:min(len(ids), samples)] {
		r.lists.confirmed[id] = true
	}
	return isRight, nil
}

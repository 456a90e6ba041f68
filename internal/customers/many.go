package customers

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// setsAtOnce are asked for side by side.
	setsAtOnce = 4
	// singlesAtOnce are read side by side where lists leave gaps.
	singlesAtOnce = 16
)

// Customers returns those of many customers that exist, each of them read no longer ago than maxAge. Here the number is
// known, so the cheaper way is chosen at once: sets of 100, or the pages of the account.
func (r *Reader) Customers(ctx context.Context, ids []int64, maxAge time.Duration) (map[int64]fusebill.Customer, error) {
	notBefore := time.Now().Add(-maxAge)
	found := make(map[int64]fusebill.Customer, len(ids))
	missing := r.pick(found, ids, notBefore)
	if len(missing) > 0 {
		err := r.readAccountInstead(ctx, ceilDiv(len(missing), maxSet), maxAge)
		// Sets may be answered where pages are refused or fail.
		if err != nil && !errors.Is(err, errAccountFailed) && !ServiceDecides(err) {
			return nil, err
		}
		missing = r.pick(found, missing, notBefore)
	}
	if !r.accountIsFresh(notBefore) {
		if err := r.readSets(ctx, missing); err != nil {
			return nil, err
		}
		missing = r.pick(found, missing, notBefore)
	}
	return found, r.fillGaps(ctx, found, missing, notBefore)
}

// readAccountInstead reads the account if that costs no more calls than so many sets, and those that were spent otherwise
// before: others may ask for many customers too.
func (r *Reader) readAccountInstead(ctx context.Context, sets int, maxAge time.Duration) error {
	// Where the account takes more pages than that, one page tells, and most likely has some of them.
	err := r.ReadAccount(ctx, maxAge, r.pagesInsteadOf(sets))
	if errors.Is(err, ErrAccountUnread) && !r.rent(sets) {
		return r.ReadAccount(ctx, maxAge, r.pagesInsteadOf(sets))
	}
	return err
}

// pagesInsteadOf is how many pages the account may have to be read instead of so many sets.
func (r *Reader) pagesInsteadOf(sets int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.waiting[wholeAccount] != nil && r.account.size != unknown: // It's read for others anyway.
		return pagesOf(r.account.size)
	case r.account.size == unknown && sets == 1: // A page to find out would cost as much.
		return 0
	default:
		return r.spent + sets
	}
}

// rent counts so many sets as spent, unless the account has become the better choice by now: its size may not have been
// known before, and others decide at the same time.
func (r *Reader) rent(sets int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.account
	if a.size != unknown && !a.useless && pagesOf(a.size) <= r.spent+sets {
		return false
	}
	r.spent += sets
	return true
}

// pick moves customers that are known well enough from ids to found, and returns the rest.
func (r *Reader) pick(found map[int64]fusebill.Customer, ids []int64, notBefore time.Time) (rest []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if customer, ok := r.cache.get(id, notBefore); ok {
			found[id] = customer
		} else {
			rest = append(rest, id)
		}
	}
	return rest
}

// readSets reads customers by sets, by smaller ones where the service refuses them as too large. What sets can't bring is
// left to fillGaps.
func (r *Reader) readSets(ctx context.Context, ids []int64) error {
	for limit := r.setLimit(); limit > 1 && len(ids) > 0; limit = r.setLimit() {
		refused, err := r.readSetsOf(ctx, ids, limit)
		if err != nil {
			return err
		}
		ids = refused
	}
	return nil
}

// readSetsOf reads customers by sets of one size, and returns those of the sets that are too large. Once one is, no more
// sets of this size are asked for.
func (r *Reader) readSetsOf(ctx context.Context, ids []int64, size int) ([]int64, error) {
	sets := slices.Collect(slices.Chunk(ids, size))
	refused := make([][]int64, len(sets))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(setsAtOnce)
	for i, set := range sets {
		group.Go(func() error {
			if r.setLimit() < size {
				refused[i] = set
				return nil
			}
			asked := r.ask()
			page, err := r.client.Customers(ctx, fusebill.CustomersRequest{IDs: set})
			switch {
			case isTooLarge(err):
				refused[i] = set
				r.limitSets(len(set) / 2)
				return nil
			case err != nil:
				return err
			case len(page.Customers) > len(set): // The service ignores the filter.
				r.limitSets(0)
			}
			r.keepList(asked, page)
			return nil
		})
	}
	err := group.Wait()
	return slices.Concat(refused...), err
}

func (r *Reader) setLimit() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sets.limit
}

func (r *Reader) limitSets(limit int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sets.limit = min(r.sets.limit, limit)
}

// fillGaps reads by themselves, or together with others who ask, the customers that no list has brought: a gap in a list
// proves nothing.
func (r *Reader) fillGaps(ctx context.Context, found map[int64]fusebill.Customer, missing []int64, notBefore time.Time) error {
	customers := make([]*fusebill.Customer, len(missing))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(singlesAtOnce)
	for i, id := range missing {
		group.Go(func() error {
			customer, err := r.customer(ctx, id, notBefore)
			switch {
			case fusebill.IsNotFound(err):
				return nil
			case err != nil:
				return err
			}
			customers[i] = &customer
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, customer := range customers {
		if customer != nil {
			found[missing[i]] = *customer
		}
	}
	return nil
}

// Latched returns every customer of the account that is latched, with its latch, read no longer ago than maxAge.
func (r *Reader) Latched(ctx context.Context, maxAge time.Duration, maxPages int) (map[int64]fusebill.Latch, error) {
	if err := r.ReadAccount(ctx, maxAge, maxPages); err != nil {
		return nil, err
	}
	customers, err := r.ofAccount(ctx, fusebill.Filter{})
	latched := make(map[int64]fusebill.Latch)
	for _, customer := range customers {
		if !customer.Latch.IsZero() {
			latched[customer.ID] = *customer.Latch
		}
	}
	return latched, err
}

func (r *Reader) accountIsFresh(notBefore time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.account.isFresh(notBefore)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

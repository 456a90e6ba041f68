package latch

import (
	"context"
	"errors"
	"maps"
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
	if sets := ceilDiv(len(missing), maxSet); sets > 1 {
		// Where the account takes more pages than that, one page tells, and most likely has some of them.
		if err := r.ReadAccount(ctx, maxAge, sets); err != nil && !errors.Is(err, ErrAccountUnread) {
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
	return found, r.fillGaps(ctx, found, missing)
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

// readSets reads customers by sets, as large as the service takes them. What it refuses is left to fillGaps.
func (r *Reader) readSets(ctx context.Context, ids []int64) error {
	r.mu.Lock()
	limit := r.sets.limit
	r.mu.Unlock()
	if limit < 2 {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(setsAtOnce)
	for set := range slices.Chunk(ids, limit) {
		group.Go(func() error {
			asked := r.ask()
			page, err := r.client.Customers(ctx, fusebill.CustomersRequest{IDs: set})
			if isTooLarge(err) {
				return nil
			}
			if err == nil {
				r.keepList(asked, page)
			}
			return err
		})
	}
	return group.Wait()
}

// fillGaps reads by themselves, or together with others who ask, the customers that no list has brought: a gap in a list
// proves nothing.
func (r *Reader) fillGaps(ctx context.Context, found map[int64]fusebill.Customer, missing []int64) error {
	customers := make([]*fusebill.Customer, len(missing))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(singlesAtOnce)
	for i, id := range missing {
		group.Go(func() error {
			customer, err := r.CustomerBeforeWrite(ctx, id)
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
	r.mu.Lock()
	defer r.mu.Unlock()
	latched := maps.Clone(r.cache.holders.latches)
	maps.DeleteFunc(latched, func(_ int64, l fusebill.Latch) bool { return l.IsZero() })
	return latched, nil
}

func (r *Reader) accountIsFresh(notBefore time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.account.isFresh(notBefore)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

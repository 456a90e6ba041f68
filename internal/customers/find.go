package customers

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// searchesAtOnce is the maximum number of searches with a filter at the same time. With fewer of
// them, the Reader notices sooner that reading the account is cheaper.
const searchesAtOnce = 4

// Find returns the customers that a filter selects, each with its latch, in the order of their IDs.
// After many searches the Reader reads the account instead, as it does for reads of single
// customers. A customer that is created or changed meanwhile may be missing.
func (r *Reader) Find(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	customers, err := r.find(ctx, filter)
	slices.SortFunc(customers, byID)
	return customers, err
}

func byID(a, b fusebill.Customer) int { return cmp.Compare(a.ID, b.ID) }

func (r *Reader) find(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	if filter.IsZero() {
		return r.fromAccount(ctx, filter)
	}
	select {
	case r.searches <- struct{}{}:
		defer func() { <-r.searches }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if r.isAccountCheaper() {
		customers, err := r.fromAccount(ctx, filter)
		if err == nil || !ServiceDecides(err) {
			return customers, err
		}
	}
	return r.fromPages(ctx, filter)
}

// FindHolder returns the customer that holds a contact or a company, or a customer with the ID 0 if
// no customer holds it. It reads the holder again if the answer about it is older than
// [MaxAge].
func (r *Reader) FindHolder(ctx context.Context, claim fusebill.Claim) (fusebill.Customer, error) {
	err := r.ReadAccount(ctx, MaxAge, math.MaxInt)
	if errors.Is(err, ErrAccountUnread) {
		_, err = r.fromPages(ctx, fusebill.Filter{})
	}
	if err != nil {
		return fusebill.Customer{}, err
	}
	for _, holder := range r.Holders(claim) {
		customer, err := r.Customer(ctx, holder)
		if err != nil && !fusebill.IsNotFound(err) {
			return fusebill.Customer{}, err
		}
		if LatchOf(customer).Holds(claim) {
			return customer, nil
		}
	}
	return fusebill.Customer{}, nil
}

// Pages yields the customers of [Reader.Find] page by page, as the service answers, for callers
// that may stop before the end. Each page is in the order of IDs. A customer may be on two pages.
// An error ends the iteration.
func (r *Reader) Pages(ctx context.Context, filter fusebill.Filter) iter.Seq2[[]fusebill.Customer, error] {
	return func(yield func([]fusebill.Customer, error) bool) {
		for number := 0; ; number++ {
			customers, isLast, err := r.findPage(ctx, filter, number)
			if !yield(customers, err) || isLast || err != nil {
				return
			}
		}
	}
}

// isAccountCheaper reports whether reading the whole account is cheaper than a search.
func (r *Reader) isAccountCheaper() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isAccountFreshLocked(time.Now().Add(-MaxAge)) || r.account.size != unknown && r.arePagesCheaperLocked(1, true)
}

// fromPages reads the customers that the service lists for a filter.
func (r *Reader) fromPages(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	found := make(map[int64]fusebill.Customer) // A customer may be on two pages if others were deleted meanwhile.
	for customers, err := range r.Pages(ctx, filter) {
		if err != nil {
			return nil, err
		}
		for _, customer := range customers {
			found[customer.ID] = customer
		}
	}
	return slices.Collect(maps.Values(found)), nil
}

// findPage reads one page of the list of a filter. It individually reads the customers whose
// entries lack the latch or may be older than a write of this process.
func (r *Reader) findPage(ctx context.Context, filter fusebill.Filter, number int) ([]fusebill.Customer, bool, error) {
	asked := r.ask()
	page, err := r.client.Customers(ctx, fusebill.CustomersRequest{Filter: filter, PageNumber: number, PageSize: pageSize})
	r.mu.Lock()
	r.spent++
	if err != nil {
		r.mu.Unlock()
		return nil, false, err
	}
	r.keepListLocked(asked, page)
	r.mu.Unlock()
	var ids []int64
	for _, customer := range selected(page.Customers, filter) {
		ids = append(ids, customer.ID)
	}
	found, err := r.Customers(ctx, ids, MaxAge)
	customers := selected(slices.Collect(maps.Values(found)), filter)
	slices.SortFunc(customers, byID)
	return customers, page.Last, err
}

// fromAccount selects customers from the whole account.
func (r *Reader) fromAccount(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	err := r.ReadAccount(ctx, MaxAge, math.MaxInt)
	switch {
	case errors.Is(err, ErrAccountUnread): // Its lists do not show latches.
		return r.fromPages(ctx, filter)
	case err != nil:
		return nil, err
	default:
		return r.ofAccount(ctx, filter)
	}
}

// ofAccount returns the customers that a filter selects, after the account was read. It reads the
// customers again that this reading has not shown, because they may have been deleted.
func (r *Reader) ofAccount(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	r.mu.Lock()
	notBefore := r.account.read
	ids := slices.Concat(slices.Collect(maps.Keys(r.cache.holders.latches)), r.cache.oddSince(notBefore))
	ids = slices.DeleteFunc(ids, r.cache.isGone)
	r.mu.Unlock()
	found, err := r.readMany(ctx, ids, acceptance{notBefore: notBefore}, fusebill.IsNotFound)
	return selected(slices.Collect(maps.Values(found)), filter), err
}

// selected returns the customers that a filter selects.
func selected(customers []fusebill.Customer, filter fusebill.Filter) []fusebill.Customer {
	return slices.DeleteFunc(slices.Clone(customers), func(c fusebill.Customer) bool { return !filter.Matches(c) })
}

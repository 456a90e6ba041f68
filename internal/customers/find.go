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

// lookupsAtOnce are made side by side. The fewer, the fewer come before it shows that reading the account is cheaper.
const lookupsAtOnce = 4

// Find returns the customers that a filter chooses, each with its latch, in the order of their IDs. What is asked for by
// many filters, one at a time, ends in one reading of the account, like reads of single customers. A customer that was
// made or changed meanwhile may be missing.
func (r *Reader) Find(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	customers, err := r.find(ctx, filter)
	slices.SortFunc(customers, byID)
	return customers, err
}

func byID(a, b fusebill.Customer) int { return cmp.Compare(a.ID, b.ID) }

// FindHolder returns the customer that holds a contact or a company, as the account says now. There is none where its ID
// is 0.
func (r *Reader) FindHolder(ctx context.Context, claim fusebill.Claim) (fusebill.Customer, error) {
	return r.findHolder(ctx, claim)
}

// Pages yields what [Reader.Find] returns page by page, as the service answers, for those who may stop before the end.
// Each page is in the order of IDs. A customer may come twice, and after an error nothing more comes.
func (r *Reader) Pages(ctx context.Context, filter fusebill.Filter) iter.Seq2[[]fusebill.Customer, error] {
	return r.findPages(ctx, filter)
}

func (r *Reader) find(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	if filter.IsZero() {
		return r.fromAccount(ctx, filter)
	}
	select {
	case r.lookups <- struct{}{}:
		defer func() { <-r.lookups }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if r.accountIsCheaper() {
		customers, err := r.fromAccount(ctx, filter)
		if err == nil || !ServiceDecides(err) {
			return customers, err
		}
	}
	return r.fromPages(ctx, filter)
}

// fromPages takes the list that the service answers a filter with.
func (r *Reader) fromPages(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	found := make(map[int64]fusebill.Customer) // One may come again on a later page, where others were deleted meanwhile.
	for customers, err := range r.findPages(ctx, filter) {
		if err != nil {
			return nil, err
		}
		for _, customer := range customers {
			found[customer.ID] = customer
		}
	}
	return slices.Collect(maps.Values(found)), nil
}

// accountIsCheaper decides between renting and buying, as pagesWorthReading does.
func (r *Reader) accountIsCheaper() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.account
	return a.isFresh(time.Now().Add(-MaxAge)) || a.size != unknown && !a.useless && r.spent >= pagesOf(a.size) && r.spent >= a.tryAgain
}

// fromAccount takes the whole account, and chooses by itself.
func (r *Reader) fromAccount(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	err := r.ReadAccount(ctx, MaxAge, math.MaxInt)
	switch {
	case errors.Is(err, ErrAccountUnread): // Its lists don't tell latches.
		return r.fromPages(ctx, filter)
	case err != nil:
		return nil, err
	default:
		return r.ofAccount(ctx, filter)
	}
}

// ofAccount returns the customers of the account, which was read just now, that a filter chooses. One that was seen before,
// and not by that reading, may have been deleted.
func (r *Reader) ofAccount(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	found, uncertain, notBefore := r.known(filter)
	customers := make(map[int64]fusebill.Customer)
	if err := r.fillGaps(ctx, customers, uncertain, notBefore); err != nil {
		return nil, err
	}
	return append(found, chosen(slices.Collect(maps.Values(customers)), filter)...), nil
}

// known returns the customers that a filter chooses by what is known, and those of which that must be read.
func (r *Reader) known(filter fusebill.Filter) (found []fusebill.Customer, uncertain []int64, notBefore time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	notBefore = time.Now().Add(-MaxAge)
	if r.account.whole { // Else another reading has begun.
		notBefore = r.account.asked
	}
	for id := range r.cache.holders.latches {
		customer, isKnown := r.cache.get(id, notBefore)
		switch e, ok := r.cache.entries[id]; {
		case isKnown && filter.Matches(customer):
			found = append(found, customer)
		case !isKnown && (!ok || e.customer.Latch != nil): // and isn't known to be gone
			uncertain = append(uncertain, id)
		}
	}
	return found, uncertain, notBefore
}

// findPages reads the pages of a filter's list one after another.
func (r *Reader) findPages(ctx context.Context, filter fusebill.Filter) iter.Seq2[[]fusebill.Customer, error] {
	return func(yield func([]fusebill.Customer, error) bool) {
		for number := 0; ; number++ {
			customers, last, err := r.findPage(ctx, filter, number)
			if !yield(customers, err) || last || err != nil {
				return
			}
		}
	}
}

func (r *Reader) findPage(ctx context.Context, filter fusebill.Filter, number int) ([]fusebill.Customer, bool, error) {
	asked := r.askToFind()
	page, err := r.client.Customers(ctx, fusebill.CustomersRequest{Filter: filter, PageNumber: number, PageSize: pageSize})
	if err != nil {
		return nil, false, notOfCustomer(err)
	}
	r.keepList(asked, page)
	ids := make([]int64, 0, len(page.Customers))
	for _, customer := range chosen(page.Customers, filter) {
		ids = append(ids, customer.ID)
	}
	customers, err := r.withLatches(ctx, ids, time.Now().Add(-MaxAge))
	customers = chosen(customers, filter)
	slices.SortFunc(customers, byID)
	return customers, page.Last, err
}

func (r *Reader) askToFind() *question {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spent++
	return r.cache.ask()
}

// withLatches returns customers by what is known of them, and reads those by themselves whose entries in lists lack the
// latch, may be older than what this process has written, or are from before that time. Those that are gone by then are
// left out.
func (r *Reader) withLatches(ctx context.Context, ids []int64, notBefore time.Time) ([]fusebill.Customer, error) {
	found := make(map[int64]fusebill.Customer, len(ids))
	if err := r.fillGaps(ctx, found, r.pick(found, ids, notBefore), notBefore); err != nil {
		return nil, err
	}
	return slices.Collect(maps.Values(found)), nil
}

func (r *Reader) findHolder(ctx context.Context, claim fusebill.Claim) (fusebill.Customer, error) {
	err := r.ReadAccount(ctx, MaxAge, math.MaxInt)
	if errors.Is(err, ErrAccountUnread) {
		_, err = r.fromPages(ctx, fusebill.Filter{})
	}
	if err != nil {
		return fusebill.Customer{}, err
	}
	holder := r.Holder(claim)
	if holder == 0 {
		return fusebill.Customer{}, nil
	}
	customer, err := r.Customer(ctx, holder)
	switch {
	case fusebill.IsNotFound(err), err == nil && !customer.Latch.Holds(claim):
		return fusebill.Customer{}, nil
	default:
		return customer, err
	}
}

// chosen are the customers that a filter chooses.
func chosen(customers []fusebill.Customer, filter fusebill.Filter) []fusebill.Customer {
	return slices.DeleteFunc(slices.Clone(customers), func(c fusebill.Customer) bool { return !filter.Matches(c) })
}

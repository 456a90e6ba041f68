package latch

import (
	"context"
	"iter"
	"math"
	"sync/atomic"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Keeper joins the coordinator to the reading for resources and to the checks at plan time, until their callers use each of
// them alone.
type Keeper struct {
	*Coordinator
	planned plannedClaims
	// planUnchecked is set once the API could not be asked while planning.
	planUnchecked atomic.Bool
}

// NewKeeper makes a keeper that writes through client and reads through a [customers.Reader] of its own.
func NewKeeper(client *fusebill.Client, options ...Option) *Keeper {
	return &Keeper{Coordinator: New(client, customers.NewReader(client), options...), planned: newPlannedClaims()}
}

// Read returns the latch of a customer for a resource that manages it.
func (k *Keeper) Read(ctx context.Context, customerID int64) (fusebill.Latch, error) {
	customer, err := k.reader.Customer(ctx, customerID)
	switch {
	case fusebill.IsNotFound(err):
		k.planned.vanish(customerID)
	case err == nil && !customer.Latch.IsZero():
		k.planned.manage(customerID)
	}
	return customers.LatchOf(customer), err
}

// ReadSet returns the latch of each of these customers that is latched, for a resource that manages them.
func (k *Keeper) ReadSet(ctx context.Context, customerIDs []int64) (map[int64]fusebill.Latch, error) {
	found, err := k.reader.Customers(ctx, customerIDs, customers.MaxAge)
	if err != nil {
		return nil, err
	}
	latches := make(map[int64]fusebill.Latch, len(found))
	for id, customer := range found {
		if l := customers.LatchOf(customer); !l.IsZero() {
			latches[id] = l
			k.planned.manage(id)
		}
	}
	return latches, nil
}

// Latched returns the latch of every customer of the account that is latched, however large the account is.
func (k *Keeper) Latched(ctx context.Context) (map[int64]fusebill.Latch, error) {
	return k.reader.Latched(ctx, customers.MaxAge, math.MaxInt)
}

// ReadBeforePlan reads what [Keeper.CheckPlan] needs for many changes at once, and returns which of their customers exist.
func (k *Keeper) ReadBeforePlan(ctx context.Context, changes []Change) (exists map[int64]bool, err error) {
	ids := make([]int64, len(changes))
	claimsMore := false
	for i, c := range changes {
		ids[i] = c.CustomerID
		claimsMore = claimsMore || !c.Declared.Without(c.Prior).IsZero()
	}
	if claimsMore {
		if err := k.knowHolders(ctx); err != nil {
			return nil, err
		}
	}
	found, err := k.reader.Customers(ctx, ids, customers.MaxAgeBeforeWrite)
	exists = make(map[int64]bool, len(found))
	for id := range found {
		exists[id] = true
	}
	return exists, err
}

// Unlatch is [Coordinator.Unlatch] for what no resource of the configuration declares.
func (k *Keeper) Unlatch(
	ctx context.Context, customerID int64, expected fusebill.Latch, tell func(current fusebill.Latch),
) (released fusebill.Latch, err error) {
	if err := k.DeclareUnlatch(customerID); err != nil {
		return fusebill.Latch{}, err
	}
	return k.Coordinator.Unlatch(ctx, customerID, expected, tell)
}

// Customer returns a customer with its latch, as [customers.Reader.Customer] does.
func (k *Keeper) Customer(ctx context.Context, id int64) (fusebill.Customer, error) {
	return k.reader.Customer(ctx, id)
}

// Find returns the customers that a filter selects, as [customers.Reader.Find] does.
func (k *Keeper) Find(ctx context.Context, filter fusebill.Filter) ([]fusebill.Customer, error) {
	return k.reader.Find(ctx, filter)
}

// FindHolder returns the customer that holds a claim, as [customers.Reader.FindHolder] does.
func (k *Keeper) FindHolder(ctx context.Context, claim fusebill.Claim) (fusebill.Customer, error) {
	return k.reader.FindHolder(ctx, claim)
}

// Pages yields the customers that a filter selects, as [customers.Reader.Pages] does.
func (k *Keeper) Pages(ctx context.Context, filter fusebill.Filter) iter.Seq2[[]fusebill.Customer, error] {
	return k.reader.Pages(ctx, filter)
}

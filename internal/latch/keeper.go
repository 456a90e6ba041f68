package latch

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Keeper reads and writes latches for every resource of one provider process. It is safe for concurrent use.
type Keeper struct {
	client  *fusebill.Client
	reader  *customers.Reader
	broker  *broker
	planned plannedClaims
	// planUnchecked is set once the API couldn't be asked while planning.
	planUnchecked atomic.Bool
	maxPages      int // of the account that are read to know who holds what
}

// DefaultMaxPages is how many pages of 1,000 customers are read to know who holds what.
const DefaultMaxPages = 20

// Option sets one property of a [Keeper].
type Option func(*Keeper)

// WithMaxPages sets how many pages an account may have for the keeper to read it whole, to know who holds what before it
// writes. In a larger one the service's own refusal decides. Default: [DefaultMaxPages].
func WithMaxPages(n int) Option {
	return func(k *Keeper) { k.maxPages = n }
}

// WithStallTimeout sets how long a claim waits for a holder whose own change hasn't begun, while nothing else is going
// on. Default: [DefaultStallTimeout].
func WithStallTimeout(d time.Duration) Option {
	return func(k *Keeper) { k.broker.stallTimeout = d }
}

// NewKeeper makes a keeper that writes through client and reads through a [customers.Reader] of its own.
func NewKeeper(client *fusebill.Client, options ...Option) *Keeper {
	reader := customers.NewReader(client)
	k := &Keeper{
		client:   client,
		reader:   reader,
		broker:   newBroker(reader.Holders),
		planned:  newPlannedClaims(),
		maxPages: DefaultMaxPages,
	}
	for _, option := range options {
		option(k)
	}
	return k
}

// Read returns the latch of a customer for a resource that manages it. An error for which [fusebill.IsNotFound] holds says
// that there is no such customer; no other error does.
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

// Create latches a customer that isn't latched. One that is latched exactly so is left as it is; one that is latched
// otherwise is an [AlreadyLatchedError]. What another customer holds and doesn't give up is a [HeldError]. With
// reassociate both are overcome: the customer's latch is replaced, and what another customer holds is taken from it.
func (k *Keeper) Create(ctx context.Context, customerID int64, declared fusebill.Latch, reassociate bool) error {
	return k.change(ctx, customerID, declared, declared, reassociate, func(current fusebill.Latch) error {
		if !reassociate && !current.Without(declared).IsZero() {
			return &AlreadyLatchedError{CustomerID: customerID, Current: current}
		}
		return nil
	})
}

// Update changes a latch from what the plan started from to what is declared. A customer that holds something that is
// neither is a [ChangedError]; for what other customers hold see [Keeper.Create].
func (k *Keeper) Update(ctx context.Context, customerID int64, planned, declared fusebill.Latch, reassociate bool) error {
	claimed := declared.Without(planned)
	return k.change(ctx, customerID, declared, claimed, reassociate, func(current fusebill.Latch) error {
		if !current.Without(planned).Without(declared).IsZero() {
			return &ChangedError{CustomerID: customerID, Planned: planned, Current: current}
		}
		return nil
	})
}

// change makes a customer's latch what is declared, unless check refuses to change what it is now. Claimed is what the
// customer isn't known to hold already.
func (k *Keeper) change(
	ctx context.Context, customerID int64, declared, claimed fusebill.Latch, reassociate bool,
	check func(current fusebill.Latch) error,
) error {
	c, err := k.broker.begin(ctx, customerID)
	if err != nil {
		return err
	}
	defer k.broker.end(c)
	current, err := k.readBeforeChange(ctx, customerID, claimed)
	if err != nil {
		k.broker.keep(customerID)
		return err
	}
	if err := check(current); err != nil {
		return err
	}
	k.broker.keep(customerID) // Even if this fails: a resource that is destroyed mustn't remove what this one is to hold.
	k.broker.declare(c, current, declared)
	return k.become(ctx, c, reassociate)
}

// readBeforeChange reads a customer, and first who holds what is claimed, since the answer to that may hold the customer
// too.
func (k *Keeper) readBeforeChange(ctx context.Context, customerID int64, claimed fusebill.Latch) (fusebill.Latch, error) {
	if !claimed.IsZero() {
		if err := k.knowHolders(ctx); err != nil && !customers.ServiceDecides(err) {
			return fusebill.Latch{}, err
		}
	}
	return k.readBeforeWrite(ctx, customerID)
}

// Delete releases what is held of a customer's latch. It returns what it left in place: what somebody else has latched
// the customer to since, or all of it, where another resource of the same run declares the customer's latch. A customer
// that is gone has nothing to release.
func (k *Keeper) Delete(ctx context.Context, customerID int64, held fusebill.Latch) (left fusebill.Latch, err error) {
	c, err := k.broker.begin(ctx, customerID)
	if err != nil {
		return fusebill.Latch{}, err
	}
	defer k.broker.end(c)
	current, err := k.readBeforeWrite(ctx, customerID)
	if fusebill.IsNotFound(err) {
		return fusebill.Latch{}, nil
	}
	if err != nil {
		return fusebill.Latch{}, err
	}
	left = current.Without(held)
	if k.broker.isKept(customerID) {
		left = current
	}
	k.broker.declare(c, current, left)
	if left == current {
		return left, nil
	}
	if err := k.write(ctx, c, left); err != nil && !fusebill.IsNotFound(err) { // It may have been deleted since it was read.
		return left, err
	}
	return left, nil
}

func (k *Keeper) readBeforeWrite(ctx context.Context, customerID int64) (fusebill.Latch, error) {
	customer, err := k.reader.CustomerBeforeWrite(ctx, customerID)
	return customers.LatchOf(customer), err
}

// knowHolders reads the account, unless it was read a short while ago or is too large for that.
func (k *Keeper) knowHolders(ctx context.Context) error {
	return k.reader.ReadAccount(ctx, customers.MaxAge, k.maxPages)
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

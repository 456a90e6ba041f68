package latch

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// plannedClaims is what the resources of one configuration claim. Terraform plans one resource at a time and knows
// nothing of uniqueness, so two that claim the same thing are found here: the second to be planned is refused.
type plannedClaims struct {
	mu        sync.Mutex
	customers map[int64]declaration
	claims    map[fusebill.Claim]int64 // the customer that a claim is declared for
	managed   map[int64]bool           // customers that are latched as resources have it in their state
	unlatched map[int64]bool           // customers whose latch is removed without a resource
	keptBy    map[int64]string         // the owner that has a customer's latch as declared
	removedBy map[int64]string         // the owner that removes a customer's latch
	vanished  map[int64]bool           // customers of resources that turned out not to exist any more
}

// declaration is what an owner, such as one instance of a resource, declares for a customer.
type declaration struct {
	owner string
	latch fusebill.Latch
}

func newPlannedClaims() plannedClaims {
	return plannedClaims{
		customers: make(map[int64]declaration),
		claims:    make(map[fusebill.Claim]int64),
		managed:   make(map[int64]bool),
		unlatched: make(map[int64]bool),
		keptBy:    make(map[int64]string),
		removedBy: make(map[int64]string),
		vanished:  make(map[int64]bool),
	}
}

// DeclaredTwiceError refuses a latch whose customer, contact or company another resource of the configuration declares.
type DeclaredTwiceError struct {
	CustomerID int64
	Claim      fusebill.Claim // zero: the customer itself is declared twice
	Other      int64          // the customer that the other resource latches
}

func (e *DeclaredTwiceError) Error() string {
	if e.Claim == (fusebill.Claim{}) {
		return fmt.Sprintf("customer %d is also declared elsewhere in this configuration", e.CustomerID)
	}
	return fmt.Sprintf("%s is also declared elsewhere in this configuration, for customer %d", e.Claim, e.Other)
}

// Declare notes what an owner, such as one instance of a resource, declares for a customer. What it declared for that
// customer before is replaced: Terraform may plan one instance twice.
func (k *Keeper) Declare(owner string, customerID int64, declared fusebill.Latch) error {
	p := &k.planned
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, ok := p.customers[customerID]; ok && before.owner != owner {
		return &DeclaredTwiceError{CustomerID: customerID, Other: customerID}
	}
	if p.unlatched[customerID] && !declared.IsZero() {
		return &UnlatchConflictError{CustomerID: customerID}
	}
	for _, claim := range declared.Claims() {
		if other, ok := p.claims[claim]; ok && other != customerID {
			return &DeclaredTwiceError{CustomerID: customerID, Claim: claim, Other: other}
		}
	}
	for _, claim := range p.customers[customerID].latch.Claims() {
		delete(p.claims, claim)
	}
	p.customers[customerID] = declaration{owner: owner, latch: declared}
	for _, claim := range declared.Claims() {
		p.claims[claim] = customerID
	}
	return nil
}

// givesUp says whether a customer's declaration, as far as it was planned by now, leaves a claim to others.
func (p *plannedClaims) givesUp(customerID int64, claim fusebill.Claim) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.customers[customerID]
	return ok && !d.latch.Holds(claim)
}

// Vanished says whether [Keeper.Read] or [Keeper.ReadSet] found, for a resource that had a customer in its state, that
// the customer doesn't exist any more. Its latch is to show as one to create, where that of a customer that never was is
// an error.
func (k *Keeper) Vanished(customerID int64) bool {
	p := &k.planned
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.vanished[customerID]
}

func (p *plannedClaims) vanish(customerID int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.vanished[customerID] = true
}

// CheckPlan looks, at plan time and without a write, for what would stop an apply from latching a customer as declared.
// It returns what other customers hold by then and aren't planned to give up, as far as the account is known. Prior is
// what the resource holds, zero for a create.
//
// An error for which [fusebill.IsNotFound] holds, or an [AlreadyLatchedError], means that a create is sure to fail. Any
// other error says that the API couldn't be asked; it comes once, and then no plan is checked any more: a plan doesn't
// depend on it.
func (k *Keeper) CheckPlan(ctx context.Context, customerID int64, prior, declared fusebill.Latch, reassociate bool) ([]Holding, error) {
	wanted := declared.Without(prior)
	if wanted.IsZero() || k.planUnchecked.Load() {
		return nil, nil
	}
	err := k.knowHolders(ctx)
	if errors.Is(err, customers.ErrAccountUnread) {
		err = nil
	}
	var current fusebill.Latch
	if err == nil && prior.IsZero() {
		var customer fusebill.Customer
		customer, err = k.reader.Customer(ctx, customerID)
		current = customers.LatchOf(customer)
	}
	switch {
	case fusebill.IsNotFound(err):
		return nil, err
	case err != nil && k.planUnchecked.Swap(true):
		return nil, nil
	case err != nil:
		return nil, err
	case prior.IsZero() && !reassociate && !current.Without(declared).IsZero():
		return nil, &AlreadyLatchedError{CustomerID: customerID, Current: current}
	}
	var held []Holding
	for _, claim := range wanted.Claims() {
		for _, holder := range k.reader.Holders(claim) {
			if holder != customerID && !k.planned.givesUp(holder, claim) {
				held = append(held, Holding{Claim: claim, Holder: holder})
			}
		}
	}
	return held, nil
}

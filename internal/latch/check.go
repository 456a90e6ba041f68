package latch

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Checker finds, at plan time and without a write, the reasons that may make an apply fail. A
// finding is a warning, because it depends on the order of changes, on other users of the account,
// or on the current state of the account. The apply checks all of it again.
//
// A Checker is safe for concurrent use. One serves a whole provider process.
type Checker struct {
	reader   *customers.Reader
	intents  *Intents
	chains   *chains
	maxPages int // the number of pages up to which the account is read, to know the holders of claims
	// isOff is set after the account could not be read: a plan does not depend on the check, and
	// one warning is enough. It is also set once an apply has begun, see [Checker.Stop].
	isOff atomic.Bool
}

// NewChecker returns a checker that reads the account through reader where it has at most maxPages
// pages. The checker learns from intents which claims other objects of the configuration release.
func NewChecker(reader *customers.Reader, intents *Intents, maxPages int) *Checker {
	return &Checker{reader: reader, intents: intents, chains: newChains(), maxPages: maxPages}
}

// Finding has the reasons that may make one change of an apply fail.
type Finding struct {
	Change    Change
	IsMissing bool           // the customer does not exist
	Current   fusebill.Latch // the latch that a create would replace; zero: none
	Held      []Holding      // claims of other customers that no plan releases
	Chain     int            // the number of single latches that wait for each other, by the plans so far; 0 in a set
}

// Errors returns the errors that an apply would report for the change if nothing changed until
// then. The claims of other customers are not among them.
func (f Finding) Errors() []error {
	var errs []error
	if f.IsMissing {
		errs = append(errs, &NoCustomerError{CustomerID: f.Change.CustomerID})
	}
	if !f.Current.IsZero() {
		errs = append(errs, &AlreadyLatchedError{CustomerID: f.Change.CustomerID, Current: f.Current})
	}
	return errs
}

// Check returns a finding for each change that claims something, which is empty where nothing may
// stop the change. It returns an error where the account cannot be read. Where
// [fusebill.IsKeyRefused] reports true for the error, no apply can succeed. Check returns any other
// error only once, and finds nothing for later plans of this process.
func (c *Checker) Check(ctx context.Context, changes []Change, reassociate bool) ([]Finding, error) {
	claiming := claimingChanges(changes)
	if len(claiming) == 0 || c.isOff.Load() {
		return nil, nil
	}
	found, err := c.read(ctx, claiming)
	if err != nil {
		if !fusebill.IsKeyRefused(err) && c.isOff.Swap(true) {
			return nil, nil
		}
		return nil, err
	}
	if c.isOff.Load() { // An apply has begun meanwhile.
		return nil, nil
	}
	var findings []Finding
	for _, change := range claiming {
		finding := c.finding(change, found, reassociate)
		if len(changes) == 1 {
			finding.Chain = c.chains.join(change.CustomerID, c.holders(change)...)
		}
		findings = append(findings, finding)
	}
	return findings, nil
}

// Stop ends the checks of this process, because an apply has begun in it. During an apply,
// Terraform plans each object again right before it applies it, but does not plan destroys again.
// So these plans do not show what is released, and the apply makes its own checks.
func (c *Checker) Stop() { c.isOff.Store(true) }

// claimingChanges returns the changes that claim something which is not in the state.
func claimingChanges(changes []Change) []Change {
	var claiming []Change
	for _, change := range changes {
		if change.claimsMore() {
			claiming = append(claiming, change)
		}
	}
	return claiming
}

// read reads the account, to know the holders of claims, and returns the customers of creates. The
// other customers have been read for the state.
func (c *Checker) read(ctx context.Context, changes []Change) (map[int64]fusebill.Customer, error) {
	err := c.reader.ReadAccount(ctx, customers.MaxAge, c.maxPages)
	if err != nil && !errors.Is(err, customers.ErrAccountUnread) {
		return nil, err
	}
	var ids []int64
	for _, change := range changes {
		if change.Prior.IsZero() {
			ids = append(ids, change.CustomerID)
		}
	}
	return c.reader.Customers(ctx, ids, customers.MaxAge)
}

// finding compares a change with the account and with the other plans.
func (c *Checker) finding(change Change, found map[int64]fusebill.Customer, reassociate bool) Finding {
	f := Finding{Change: change}
	if change.Prior.IsZero() {
		customer, exists := found[change.CustomerID]
		f.IsMissing = !exists
		if current := customers.LatchOf(customer); !reassociate && c.isForeign(change, current) {
			f.Current = current
		}
	}
	for _, claim := range change.Declared.Without(change.Prior).Claims() {
		for _, holder := range c.reader.Holders(claim) {
			if holder != change.CustomerID && !c.intents.Releases(holder, claim) {
				f.Held = append(f.Held, Holding{Claim: claim, Holder: holder})
			}
		}
	}
	return f
}

// isForeign reports whether the current latch of a customer is neither declared by the change, nor
// in the state, nor removed by another plan.
func (c *Checker) isForeign(change Change, current fusebill.Latch) bool {
	return !current.Without(change.Declared).IsZero() && !c.intents.Removes(change.CustomerID) &&
		c.intents.InState(change.CustomerID) == 0
}

// holders returns the other customers that hold what a change claims.
func (c *Checker) holders(change Change) []int64 {
	var holders []int64
	for _, claim := range change.Declared.Without(change.Prior).Claims() {
		holders = append(holders, c.reader.Holders(claim)...)
	}
	return holders
}

package latch

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Checker looks, at plan time and without a write, for what may stop an apply. Its findings are
// warnings: they depend on the order of changes, on others, or on the present state of the account,
// and the apply checks them again.
//
// A Checker is safe for concurrent use. One serves a whole provider process.
type Checker struct {
	reader   *customers.Reader
	intents  *Intents
	chains   *chains
	maxPages int // of the account that are read to know who holds what
	// isOff is set once the account could not be read: a plan does not depend on it, and one warning
	// is enough. It is also set once an apply has begun, see Stop.
	isOff atomic.Bool
}

// NewChecker returns a checker that reads the account through reader where it has at most maxPages
// pages, and knows from intents what the other objects of the configuration release.
func NewChecker(reader *customers.Reader, intents *Intents, maxPages int) *Checker {
	return &Checker{reader: reader, intents: intents, chains: newChains(), maxPages: maxPages}
}

// Finding is what may stop one change of an apply.
type Finding struct {
	Change    Change
	IsMissing bool           // the customer does not exist
	Current   fusebill.Latch // where it is not zero: the customer of a create is latched to something else
	Held      []Holding      // claims that other customers hold, and are not planned to release
	Chain     int            // how many single latches wait for each other, as far as they are planned; 0 in a set
}

// Errors returns what an apply would report if nothing changed until then, except for claims that
// other customers hold.
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

// Check returns what may stop changes, one finding for each of them that has any. It returns an
// error where the account cannot be read: where [fusebill.IsKeyRefused] holds for it, no apply can
// succeed. Any other error comes once, and no later plan of this process is checked.
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

// Stop ends the checks of this process, because an apply has begun in it. Terraform plans each object
// again right before it applies it, and does not plan destroys again. So these plans do not show who
// releases what, and the apply checks itself.
func (c *Checker) Stop() { c.isOff.Store(true) }

// claimingChanges returns the changes that claim something which their customers are not known to
// hold.
func claimingChanges(changes []Change) []Change {
	var claiming []Change
	for _, change := range changes {
		if change.claimsMore() {
			claiming = append(claiming, change)
		}
	}
	return claiming
}

// read reads the account, to know who holds what, and the customers of creates. The others have
// been read for the state.
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

// isForeign reports whether a customer has a latch that neither the change nor any object of the
// state has.
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

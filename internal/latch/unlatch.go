package latch

import (
	"context"
	"fmt"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// UnlatchConflictError refuses to remove a latch that a resource of the same run declares, and to declare one that is
// removed: which of the two came last would decide.
type UnlatchConflictError struct {
	CustomerID int64
}

func (e *UnlatchConflictError) Error() string {
	return fmt.Sprintf("the same run latches customer %d by a resource and unlatches it by an action", e.CustomerID)
}

// OtherLatchError refuses to remove another latch than the one that was meant.
type OtherLatchError struct {
	CustomerID int64
	Expected   fusebill.Latch
	Current    fusebill.Latch
}

func (e *OtherLatchError) Error() string {
	return fmt.Sprintf("customer %d is latched to %s, and not to %s", e.CustomerID, e.Current, e.Expected)
}

// DeclareUnlatch notes that a customer is to be unlatched without a resource that manages its latch. Where a resource
// declares it, before this or after, the later of the two is refused with an [UnlatchConflictError].
func (k *Keeper) DeclareUnlatch(customerID int64) error {
	p := &k.planned
	p.mu.Lock()
	defer p.mu.Unlock()
	if d, ok := p.customers[customerID]; ok && !d.latch.IsZero() {
		return &UnlatchConflictError{CustomerID: customerID}
	}
	p.unlatched[customerID] = true
	return nil
}

// IsManaged says whether [Keeper.Read] or [Keeper.ReadSet] found a customer latched for a resource that has it in its
// state. That resource may be about to be destroyed, so this is no conflict yet.
func (k *Keeper) IsManaged(customerID int64) bool {
	p := &k.planned
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.managed[customerID]
}

func (p *plannedClaims) manage(customerID int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.managed[customerID] = true
}

// Unlatch removes a customer's latch, and returns what it was. A customer that isn't latched is left as it is. Expected,
// where it isn't zero, is the only latch that is removed; any other is an [OtherLatchError]. Tell is called before the
// write, with what is going to be removed. An apply knows no resource but those that it changes, so that a plan has to
// refuse the others, by [Keeper.DeclareUnlatch].
func (k *Keeper) Unlatch(
	ctx context.Context, customerID int64, expected fusebill.Latch, tell func(current fusebill.Latch),
) (released fusebill.Latch, err error) {
	if err := k.DeclareUnlatch(customerID); err != nil {
		return fusebill.Latch{}, err
	}
	c, err := k.broker.begin(ctx, customerID)
	if err != nil {
		return fusebill.Latch{}, err
	}
	released, err = k.unlatch(ctx, c, expected, tell)
	if c.known {
		k.broker.end(c)
	} else { // Refused. That settles nothing of what the customer holds.
		k.broker.giveBack([]*change{c})
	}
	return released, err
}

func (k *Keeper) unlatch(
	ctx context.Context, c *change, expected fusebill.Latch, tell func(current fusebill.Latch),
) (released fusebill.Latch, err error) {
	current, err := k.readBeforeWrite(ctx, c.customerID)
	if err == nil {
		err = k.mayUnlatch(c.customerID, expected, current)
	}
	if err != nil {
		return fusebill.Latch{}, err
	}
	k.broker.declare(c, current, fusebill.Latch{})
	if current.IsZero() {
		return current, nil
	}
	tell(current)
	if err := k.write(ctx, c, fusebill.Latch{}); err != nil {
		return fusebill.Latch{}, err
	}
	return current, nil
}

func (k *Keeper) mayUnlatch(customerID int64, expected, current fusebill.Latch) error {
	switch {
	case k.broker.isKept(customerID):
		return &UnlatchConflictError{CustomerID: customerID}
	case !expected.IsZero() && !current.IsZero() && current != expected:
		return &OtherLatchError{CustomerID: customerID, Expected: expected, Current: current}
	default:
		return nil
	}
}

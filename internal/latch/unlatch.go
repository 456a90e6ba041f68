package latch

import "fmt"

// UnlatchConflictError refuses to remove a latch that a resource of the same run declares, and to declare one that is
// removed: which of the two came last would decide.
type UnlatchConflictError struct {
	CustomerID int64
}

func (e *UnlatchConflictError) Error() string {
	return fmt.Sprintf("the same run latches customer %d by a resource and unlatches it by an action", e.CustomerID)
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

package latch

import "fmt"

// RemovedElsewhereError refuses a plan in which one resource removes the latch that another one has in its state as
// declared, such as one that has just been imported. An apply does nothing for that one, so nobody would notice that the
// latch isn't the first one's to remove any more.
type RemovedElsewhereError struct {
	CustomerID int64
}

func (e *RemovedElsewhereError) Error() string {
	return fmt.Sprintf("one resource has the latch of customer %d as declared, and another one removes it", e.CustomerID)
}

// DeclareKept notes that an owner has a customer's latch as declared, so that an apply has nothing to do for it. Where
// another owner removes that latch, the later of the two is refused with a [RemovedElsewhereError].
func (k *Keeper) DeclareKept(owner string, customerID int64) error {
	return k.planned.handOver(customerID, owner, k.planned.keptBy, k.planned.removedBy)
}

// DeclareRemoved notes that an owner removes a customer's latch; see [Keeper.DeclareKept].
func (k *Keeper) DeclareRemoved(owner string, customerID int64) error {
	return k.planned.handOver(customerID, owner, k.planned.removedBy, k.planned.keptBy)
}

func (p *plannedClaims) handOver(customerID int64, owner string, own, opposite map[int64]string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := opposite[customerID]; ok && other != owner {
		return &RemovedElsewhereError{CustomerID: customerID}
	}
	own[customerID] = owner
	return nil
}

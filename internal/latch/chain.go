package latch

import "sync"

// chains groups single latches into chains: each member claims what another member releases, and
// waits for it. Terraform starts a limited number of changes at the same time, and a waiting change
// counts towards the limit. So Terraform's parallelism must be at least the length of the longest
// chain.
//
// chains is safe for concurrent use.
type chains struct {
	mu     sync.Mutex
	parent map[int64]int64 // by customer, the next one on the path to the root of its chain; a root has none
	size   map[int64]int   // by root, the number of single latches in its chain
}

// newChains returns a record of no chains.
func newChains() *chains {
	return &chains{parent: make(map[int64]int64), size: make(map[int64]int)}
}

// join notes that the single latch of a customer claims something from holders, and returns the
// number of single latches in its chain.
func (c *chains) join(customerID int64, holders ...int64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	root := c.rootLocked(customerID)
	for _, holder := range holders {
		other := c.rootLocked(holder)
		if other == root {
			continue
		}
		c.parent[other] = root
		c.size[root] += c.size[other]
		delete(c.size, other)
	}
	return c.size[root]
}

// rootLocked returns the customer that identifies the chain of a customer. A customer that is in no
// chain becomes one of its own. The caller holds c.mu.
func (c *chains) rootLocked(customerID int64) int64 {
	if _, isMember := c.parent[customerID]; !isMember && c.size[customerID] == 0 {
		c.size[customerID] = 1
		return customerID
	}
	root := customerID
	for next, ok := c.parent[root]; ok; next, ok = c.parent[root] {
		root = next
	}
	for customerID != root { // Shorten the path for the next call.
		next := c.parent[customerID]
		c.parent[customerID] = root
		customerID = next
	}
	return root
}

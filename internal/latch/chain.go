package latch

import "sync"

// chains groups single latches that wait for each other, because one claims what another one releases. Terraform starts a
// limited number of changes at once, and each that waits occupies a place, so a chain of single latches needs as many
// places as it has members.
//
// chains is safe for concurrent use.
type chains struct {
	mu     sync.Mutex
	parent map[int64]int64 // of each customer in the tree of its chain; a root has none
	size   map[int64]int   // of the chain of each root
}

// newChains returns chains without members.
func newChains() *chains {
	return &chains{parent: make(map[int64]int64), size: make(map[int64]int)}
}

// join notes that the single latch of a customer claims what holders have, and returns how many single latches the chain
// has by now.
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

// rootLocked returns the customer that stands for a chain, and makes a chain of one where there is none. c.mu is held.
func (c *chains) rootLocked(customerID int64) int64 {
	if _, isMember := c.parent[customerID]; !isMember && c.size[customerID] == 0 {
		c.size[customerID] = 1
		return customerID
	}
	root := customerID
	for next, ok := c.parent[root]; ok; next, ok = c.parent[root] {
		root = next
	}
	for customerID != root { // Shorten the way for the next time.
		next := c.parent[customerID]
		c.parent[customerID] = root
		customerID = next
	}
	return root
}

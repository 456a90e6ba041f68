package customers

import (
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// cache keeps what was read and written. Its order of events is a sequence number: an answer that was asked for before
// a write and arrives after it is older than the write, whatever it says.
//
// Errors aren't kept, nor is absence.
type cache struct {
	entries  map[int64]entry
	holders  holders          // by the last word on each customer, however old; a write in flight doesn't change it
	writes   map[int64]uint64 // when this process last began or ended a write
	sequence uint64
}

// entry is the last word on a customer. Where that was that there is none, it has no latch, and only keeps older answers
// out.
type entry struct {
	customer fusebill.Customer
	asked    *question // an answer is as old as its question
}

func newCache() cache {
	return cache{entries: make(map[int64]entry), holders: newHolders(), writes: make(map[int64]uint64)}
}

// question is when an answer was asked for, the same for all entries of a list.
type question struct {
	sequence uint64
	at       time.Time
}

func (c *cache) ask() *question {
	c.sequence++
	return &question{sequence: c.sequence, at: time.Now()}
}

// get returns a customer that was asked for at that time or later.
func (c *cache) get(id int64, notBefore time.Time) (fusebill.Customer, bool) {
	e, ok := c.entries[id]
	if !ok || e.customer.Latch == nil || e.asked.at.Before(notBefore) {
		return fusebill.Customer{}, false
	}
	return e.customer, true
}

// put keeps a customer, unless something newer is known.
func (c *cache) put(customer fusebill.Customer, asked *question) {
	if c.isOutdated(customer.ID, asked) {
		return
	}
	c.entries[customer.ID] = entry{customer: customer, asked: asked}
	c.holders.set(customer.ID, *customer.Latch)
}

// putListed keeps an entry of a list, unless its latch is missing. A list may lag behind the customers themselves, so it
// has no say about those that this process has written: they are read by themselves.
func (c *cache) putListed(customer fusebill.Customer, asked *question) {
	if _, written := c.writes[customer.ID]; !written && customer.Latch != nil {
		c.put(customer, asked)
	}
}

// gone notes that there is no such customer, unless something newer is known.
func (c *cache) gone(id int64, asked *question) {
	if c.isOutdated(id, asked) {
		return
	}
	c.entries[id] = entry{asked: asked}
	c.holders.set(id, fusebill.Latch{})
}

// isOutdated says whether a customer was written, or asked for again, after a question whose answer comes only now.
func (c *cache) isOutdated(id int64, asked *question) bool {
	e, ok := c.entries[id]
	return c.writes[id] > asked.sequence || ok && e.asked.sequence > asked.sequence
}

// written notes that a write of a customer begins or ends.
func (c *cache) written(id int64) {
	c.sequence++
	c.writes[id] = c.sequence
	delete(c.entries, id)
}

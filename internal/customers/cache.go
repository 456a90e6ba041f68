package customers

import (
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// cache keeps the answers to reads and writes. A sequence number orders the events: an answer that
// was requested before a write and arrives after it is older than the write.
//
// The cache keeps no errors.
type cache struct {
	entries  map[int64]entry
	holders  holders                     // by the last answer about each customer; a write in flight does not change it
	writes   map[int64]uint64            // when this process last began or ended a write
	odd      map[int64]bool              // customers whose last list entry does not show the current latch
	names    map[int64]fusebill.Customer // for messages, of customers whose entries were dropped
	sequence uint64
}

// entry is the last answer about a customer. After a 404, the customer has no Latch, and the entry
// only prevents that an older answer is kept.
type entry struct {
	customer fusebill.Customer
	asked    *question // an answer is as old as its question
	isListed bool      // the answer is an entry of a list
	kept     uint64    // the cache's sequence when the answer came
}

func newCache() cache {
	return cache{
		entries: make(map[int64]entry), holders: newHolders(), writes: make(map[int64]uint64), odd: make(map[int64]bool),
		names: make(map[int64]fusebill.Customer),
	}
}

// question is when an answer was requested. All entries of a list share it.
type question struct {
	sequence uint64
	at       time.Time
}

func (c *cache) ask() *question {
	c.sequence++
	return &question{sequence: c.sequence, at: time.Now()}
}

// get returns a customer if an accepted answer is known.
func (c *cache) get(id int64, accepted acceptance) (fusebill.Customer, bool) {
	e, ok := c.entries[id]
	if !ok || e.customer.Latch == nil || e.asked.at.Before(accepted.notBefore) || accepted.isSingle && e.isListed {
		return fusebill.Customer{}, false
	}
	return e.customer, true
}

// put keeps a customer, unless a newer answer is known.
func (c *cache) put(customer fusebill.Customer, asked *question, isListed bool) {
	if c.isOutdated(customer.ID, asked) {
		return
	}
	c.entries[customer.ID] = entry{customer: customer, asked: asked, isListed: isListed, kept: c.sequence}
	c.holders.set(customer.ID, *customer.Latch)
}

// putListed keeps an entry of a list, unless lists are no source for that customer.
func (c *cache) putListed(customer fusebill.Customer, asked *question) {
	if customer.Latch == nil || c.contradicts(customer, asked) {
		c.odd[customer.ID] = true
		return
	}
	delete(c.odd, customer.ID)
	if !c.isUnlisted(customer.ID) {
		c.put(customer, asked, true)
	}
}

// contradicts reports whether an entry of a list differs from the answer to an earlier individual
// read of the customer. Either somebody has changed the customer since, or the list lags behind and
// the entry is older than that answer. So the customer has to be read individually.
func (c *cache) contradicts(customer fusebill.Customer, asked *question) bool {
	e, ok := c.entries[customer.ID]
	return ok && !e.isListed && e.asked.sequence < asked.sequence && LatchOf(e.customer) != *customer.Latch
}

// isUnlisted reports whether lists are no source for a customer: its last list entry is odd, or
// this process has written it, and lists may lag behind.
func (c *cache) isUnlisted(id int64) bool {
	_, isWritten := c.writes[id]
	return isWritten || c.odd[id]
}

// oddSince returns the customers whose list entries do not show the current latch, except those
// with an answer that was requested at that time or later.
func (c *cache) oddSince(since time.Time) (ids []int64) {
	for id := range c.odd {
		if e, ok := c.entries[id]; !ok || e.asked.at.Before(since) {
			ids = append(ids, id)
		}
	}
	return ids
}

// holdsAlone records that only this customer held its contact and company at some time after a
// point of the sequence. Other customers whose answers arrived before that point have lost them.
// Later answers may be older or newer.
func (c *cache) holdsAlone(customer fusebill.Customer, since uint64) {
	for _, claim := range customer.Latch.Claims() {
		for _, other := range c.holders.of(claim) {
			if e, ok := c.entries[other]; ok && other != customer.ID && e.kept < since {
				c.holders.set(other, c.holders.latches[other].Less(claim))
			}
		}
	}
}

// gone records that the service answered 404 about a customer, unless a newer answer is known.
func (c *cache) gone(id int64, asked *question) {
	if c.isOutdated(id, asked) {
		return
	}
	c.entries[id] = entry{asked: asked}
	c.holders.set(id, fusebill.Latch{})
}

// isGone reports whether the last answer about a customer was a 404.
func (c *cache) isGone(id int64) bool {
	e, ok := c.entries[id]
	return ok && e.customer.Latch == nil
}

// isOutdated reports whether the answer to a question is older than a write of the customer or than
// the answer that is kept.
func (c *cache) isOutdated(id int64, asked *question) bool {
	e, ok := c.entries[id]
	return c.writes[id] > asked.sequence || ok && e.asked.sequence > asked.sequence
}

// written records that a write of a customer begins or ends.
func (c *cache) written(id int64) {
	c.sequence++
	c.writes[id] = c.sequence
	if e, ok := c.entries[id]; ok {
		c.names[id] = e.customer
	}
	delete(c.entries, id)
}

// named returns a customer with its last known name.
func (c *cache) named(id int64) fusebill.Customer {
	e, ok := c.entries[id]
	if !ok || e.customer.ID == 0 {
		return c.names[id]
	}
	return e.customer
}

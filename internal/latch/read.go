package latch

import (
	"context"
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// takeUnreadLocked returns the changes whose customers are read together next.
func (r *run) takeUnreadLocked() []*change {
	if r.isReading || r.isStopping {
		return nil
	}
	batch := slices.DeleteFunc(r.unread, func(c *change) bool { return c.phase != reading })
	r.unread = nil
	return batch
}

// read reads the customers of changes that have begun. If one of them claims something, it reads
// the account first, whose pages may include the customers.
func (r *run) read(batch []*change) {
	found, errs := r.readCustomers(batch)
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	r.isReading = false
	r.signal()
	for _, c := range batch {
		customer, isFound := found[c.CustomerID]
		err := errs[c.CustomerID]
		switch {
		case c.phase != reading: // The change has been cancelled.
		case isFound:
			g.prepareLocked(c, customers.LatchOf(customer))
		case err != nil && !fusebill.IsNotFound(err):
			r.errOfReading = err
			g.dropLocked(c)
		case c.isRelease() && c.unlatch == nil: // There is nothing to release.
			g.finishLocked(c, nil)
		default:
			g.refuseLocked(c, &NoCustomerError{CustomerID: c.CustomerID, Err: err})
		}
	}
}

// readCustomers returns the customers of changes, and the errors of those that could not be read.
// It leaves out customers that do not exist.
func (r *run) readCustomers(batch []*change) (map[int64]fusebill.Customer, map[int64]error) {
	ctx, begun := r.ctx, time.Now()
	errs := make(map[int64]error)
	fail := func(err error) {
		for _, c := range batch {
			errs[c.CustomerID] = err
		}
	}
	if slices.ContainsFunc(batch, func(c *change) bool { return c.claimsMore() }) {
		if err := r.coordinator.knowHolders(ctx); err != nil {
			fail(err)
			return nil, errs
		}
	}
	if len(batch) == 1 {
		id := batch[0].CustomerID
		customer, _, err := r.coordinator.reader.CustomerBeforeWrite(ctx, id)
		if err != nil {
			fail(err)
			return nil, errs
		}
		return map[int64]fusebill.Customer{id: customer}, nil
	}
	found, err := r.coordinator.reader.Customers(ctx, idsOf(batch), time.Since(begun)+readMoment)
	if err != nil {
		fail(err)
	}
	for _, c := range batch {
		c.freshUntil = begun.Add(aheadFor - readMoment)
	}
	return found, errs
}

func idsOf(changes []*change) []int64 {
	ids := make([]int64, len(changes))
	for i, c := range changes {
		ids[i] = c.CustomerID
	}
	return ids
}

// knowHolders reads the account to know the holders of claims, unless that was done recently or the
// account is too large to be read whole.
func (c *Coordinator) knowHolders(ctx context.Context) error {
	if err := c.reader.ReadAccount(ctx, customers.MaxAge, c.maxPages); err != nil && !customers.ServiceDecides(err) {
		return err
	}
	return nil
}

// isReadAhead reports whether a customer should be read in a batch before it is written at a given
// time. A customer that lists do not show is read individually, when the quota also allows the
// write.
func (r *run) isReadAhead(c *change, at time.Time) bool {
	return c.freshUntil.Before(at) && r.coordinator.reader.IsListed(c.CustomerID)
}

// nextLocked returns the changes whose customers are likely to be written next, and so are read in
// a batch: those that are ready, and those that wait for them.
func (r *run) nextLocked() []*change {
	var next []*change
	soon := time.Now().Add(readMoment)
	begun := time.Now()
	add := func(c *change) {
		if len(next) < ahead && c.run == r && (c.phase == ready || c.phase == waiting) && r.isReadAhead(c, soon) {
			c.freshUntil = begun.Add(aheadFor - readMoment)
			next = append(next, c)
		}
	}
	for _, queue := range [][]*change{r.urgent, r.releases, r.ready} {
		for _, c := range queue[:min(len(queue), ahead)] {
			add(c)
		}
	}
	for i := 0; i < len(next) && len(next) < ahead; i++ {
		for _, w := range next[i].customer.waiters {
			add(w)
		}
	}
	return next
}

// readAhead reads customers in a batch before their writes, which takes fewer calls than a read
// before each write. It ignores errors, because the read before the write returns them, too.
func (r *run) readAhead(next []*change) {
	_, _ = r.coordinator.reader.Customers(r.ctx, idsOf(next), readMoment)
	r.graph.mu.Lock()
	defer r.graph.mu.Unlock()
	r.isAhead = false
	r.signal()
}

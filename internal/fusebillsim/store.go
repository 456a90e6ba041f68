package fusebillsim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

var (
	errNoCustomer  = errors.New("no such customer")
	errContactHeld = errors.New("the HubSpot contact is already latched to another customer")
	errCompanyHeld = errors.New("the HubSpot company is already latched to another customer")
)

// latch is the latch of a latch call; 0 is no contact or no company.
type latch struct {
	customer, contact, company int64
}

// store has the customers of the account. At most one customer has a contact or a company.
type store struct {
	mu        sync.RWMutex
	table     table
	contacts  map[int64]int64 // the customer that holds a contact
	companies map[int64]int64

	mergedContacts, mergedCompanies map[int64]int64 // from the ID of a merged record to the new one
}

func (st *store) init() {
	st.contacts = make(map[int64]int64)
	st.companies = make(map[int64]int64)
	st.mergedContacts = make(map[int64]int64)
	st.mergedCompanies = make(map[int64]int64)
}

// view runs f on the customers. f must neither keep nor change the table.
func (st *store) view(f func(table)) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	f(st.table)
}

func (st *store) get(id int64) (*record, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	i, ok := st.table.find(id)
	if !ok {
		return nil, false
	}
	return st.table[i], true
}

func (st *store) add(customers []Customer) {
	// In order, each of many new customers is appended instead of inserted.
	customers = slices.Clone(customers)
	slices.SortStableFunc(customers, func(a, b Customer) int { return cmp.Compare(a.ID, b.ID) })

	st.mu.Lock()
	defer st.mu.Unlock()
	now := time.Now().UTC()
	for _, c := range customers {
		c.Status = cmp.Or(c.Status, "Active")
		c.Created = cmp.Or(c.Created, now)
		c.Modified = cmp.Or(c.Modified, now)
		if c.ID < 1 || c.HubSpotID < 0 || c.HubSpotCompanyID < 0 {
			panic(fmt.Sprintf("fusebillsim: AddCustomers: customer %d: an ID is out of range", c.ID))
		}
		if err := st.conflict(latch{c.ID, c.HubSpotID, c.HubSpotCompanyID}); err != nil {
			panic(fmt.Sprintf("fusebillsim: AddCustomers: customer %d: %v", c.ID, err))
		}
		st.put(c)
	}
}

// changeRules are rules for changing a customer that differ between services.
type changeRules struct {
	take         bool // take what another customer holds, in place of an error
	keepModified bool
}

// latch sets both sides of a customer's latch.
func (st *store) latch(l latch, rules changeRules) (*record, error) {
	return st.change(l.customer, rules, func(c *Customer) {
		c.HubSpotID, c.HubSpotCompanyID = l.contact, l.company
	})
}

// change changes a customer. It returns an error and changes nothing where the customer does not
// exist or another one holds the contact or the company.
func (st *store) change(id int64, rules changeRules, f func(*Customer)) (*record, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i, ok := st.table.find(id)
	if !ok {
		return nil, errNoCustomer
	}
	c := st.table[i].Customer
	f(&c)
	l := latch{c.ID, c.HubSpotID, c.HubSpotCompanyID}
	if err := st.conflict(l); err != nil {
		if !rules.take {
			return nil, err
		}
		st.release(l, rules)
	}
	if c == st.table[i].Customer {
		return st.table[i], nil
	}
	return st.putChanged(c, rules), nil
}

func (st *store) putChanged(c Customer, rules changeRules) *record {
	if !rules.keepModified {
		c.Modified = time.Now().UTC()
	}
	return st.put(c)
}

// conflict returns an error if another customer holds the contact or the company of l.
func (st *store) conflict(l latch) error {
	if holder, held := st.contacts[l.contact]; held && holder != l.customer {
		return errContactHeld
	}
	if holder, held := st.companies[l.company]; held && holder != l.customer {
		return errCompanyHeld
	}
	return nil
}

// release takes the contact and the company of l from the other customers that hold them.
func (st *store) release(l latch, rules changeRules) {
	if holder, held := st.contacts[l.contact]; held && holder != l.customer {
		i, _ := st.table.find(holder)
		c := st.table[i].Customer
		c.HubSpotID = 0
		st.putChanged(c, rules)
	}
	if holder, held := st.companies[l.company]; held && holder != l.customer {
		i, _ := st.table.find(holder)
		c := st.table[i].Customer
		c.HubSpotCompanyID = 0
		st.putChanged(c, rules)
	}
}

// put stores c as a new record, in place of the customer's previous one.
func (st *store) put(c Customer) *record {
	r := &record{Customer: c}
	i, ok := st.table.find(c.ID)
	if ok {
		st.forget(&st.table[i].Customer)
		st.table[i] = r
	} else {
		st.table = slices.Insert(st.table, i, r)
	}
	if c.HubSpotID != 0 {
		st.contacts[c.HubSpotID] = c.ID
	}
	if c.HubSpotCompanyID != 0 {
		st.companies[c.HubSpotCompanyID] = c.ID
	}
	return r
}

func (st *store) delete(id int64) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if i, ok := st.table.find(id); ok {
		st.forget(&st.table[i].Customer)
		st.table = slices.Delete(st.table, i, i+1)
	}
}

// forget removes c as the holder of its contact and company.
func (st *store) forget(c *Customer) {
	delete(st.contacts, c.HubSpotID)
	delete(st.companies, c.HubSpotCompanyID)
}

// snapshot returns a table that later changes do not affect.
func (st *store) snapshot() table {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return slices.Clone(st.table)
}

// table has customers in the order of their IDs. Its records never change: a change of a customer
// puts another record in its place.
type table []*record

// find returns the index at which the customer is, or would be, and reports whether it is there.
func (t table) find(id int64) (int, bool) {
	return slices.BinarySearchFunc(t, id, func(r *record, id int64) int { return cmp.Compare(r.ID, id) })
}

// freeIDs returns the n lowest IDs from a first one on that no customer has.
func (t table) freeIDs(first int64, n int) []int64 {
	ids := make([]int64, 0, n)
	i, _ := t.find(first)
	for id := first; len(ids) < n; id++ {
		if i < len(t) && t[i].ID == id {
			i++
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

package acceptance

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// randomConfig is a configuration of single latches and latch sets. An exclusive set is alone,
// since it declares every customer.
type randomConfig struct {
	resources []*randomResource
	moved     []string // blocks
	names     int      // given so far
}

// randomResource is a resource of a configuration. A single latch has one row.
type randomResource struct {
	name        string
	isSet       bool
	isExclusive bool
	rows        map[int64]acctest.Customer
	reassociate bool
	createFirst bool
}

func newRandomConfig(x *trial) randomConfig {
	var c randomConfig
	if x.chance(6) {
		c.add(x)
		c.resources[0].isSet, c.resources[0].isExclusive = true, true
		return c
	}
	for range 2 + x.dice.IntN(4) {
		c.add(x)
	}
	return c
}

func (r *randomResource) address() string {
	if r.isSet {
		return acctest.LatchesType + "." + r.name
	}
	return acctest.LatchType + "." + r.name
}

func (c *randomConfig) addresses() []string {
	var all []string
	for _, r := range c.resources {
		all = append(all, r.address())
	}
	return all
}

func (c *randomConfig) isExclusive() bool { return len(c.resources) == 1 && c.resources[0].isExclusive }

// declared returns the latches of all resources, by customer.
func (c *randomConfig) declared() map[int64]acctest.Customer {
	all := map[int64]acctest.Customer{}
	for _, r := range c.resources {
		maps.Copy(all, r.rows)
	}
	return all
}

// owner returns the resource that declares a customer; nil: none does.
func (c *randomConfig) owner(id int64) *randomResource {
	for _, r := range c.resources {
		if _, found := r.rows[id]; found {
			return r
		}
	}
	return nil
}

// mayTake reports whether a resource may take a claim from any customer.
func (c *randomConfig) mayTake(claim string) bool {
	for _, r := range c.resources {
		for _, row := range r.rows {
			if r.reassociate && slices.Contains(claimsOf(row), claim) {
				return true
			}
		}
	}
	return false
}

// movesFrom reports whether a moved block gives a resource of the state another name.
func (c *randomConfig) movesFrom(address string) bool {
	return slices.ContainsFunc(c.moved, func(block string) bool {
		return strings.Contains(block, "from = "+address+"\n")
	})
}

func (c *randomConfig) hcl() string {
	var text strings.Builder
	for _, r := range c.resources {
		text.WriteString(r.hcl())
	}
	return text.String() + strings.Join(c.moved, "")
}

func (r *randomResource) hcl() string {
	var more []string
	if r.reassociate {
		more = append(more, "allow_reassociation = true")
	}
	if r.isExclusive {
		more = append(more, "exclusive = true")
	}
	if r.createFirst {
		more = append(more, "lifecycle {\n    create_before_destroy = true\n  }")
	}
	rows := slices.SortedFunc(maps.Values(r.rows), func(a, b acctest.Customer) int { return cmp.Compare(a.ID, b.ID) })
	if r.isSet {
		return acctest.LatchSet(rows).BlockOf(r.name, more...)
	}
	return acctest.Block(fmt.Sprintf("resource %q %q", acctest.LatchType, r.name), append([]string{
		fmt.Sprintf("fusebill_id = %d", rows[0].ID),
		"hubspot_id = " + acctest.OrNull(rows[0].Contact),
		"hubspot_company_id = " + acctest.OrNull(rows[0].Company),
	}, more...)...)
}

// add adds a resource of customers that no other one declares, if there are any left.
func (c *randomConfig) add(x *trial) {
	r := &randomResource{
		name: c.newName(), isSet: x.chance(3), reassociate: x.chance(2), createFirst: x.chance(4),
		rows: map[int64]acctest.Customer{},
	}
	c.resources = append(c.resources, r)
	n := 1
	if r.isSet {
		n += x.dice.IntN(3)
	}
	for range n {
		c.addRow(x, r)
	}
	c.removeIfEmpty(r)
}

func (c *randomConfig) newName() string {
	c.names++
	return fmt.Sprintf("r%d", c.names)
}

func (c *randomConfig) addRow(x *trial, r *randomResource) {
	if id := c.undeclaredCustomer(x); id != 0 {
		r.rows[id] = c.newRow(x, id)
	}
}

func (c *randomConfig) removeRow(r *randomResource, id int64) {
	delete(r.rows, id)
	c.removeIfEmpty(r)
}

func (c *randomConfig) removeIfEmpty(r *randomResource) {
	if len(r.rows) == 0 {
		c.resources = slices.DeleteFunc(c.resources, func(other *randomResource) bool { return other == r })
	}
}

// undeclaredCustomer returns a customer that no resource declares, or 0.
func (c *randomConfig) undeclaredCustomer(x *trial) int64 {
	for range 20 {
		if id := x.anyCustomer(); c.owner(id) == nil {
			return id
		}
	}
	return 0
}

// newRow returns a row with a contact, a company, or both that no other customer is declared to
// have.
func (c *randomConfig) newRow(x *trial, id int64) acctest.Customer {
	row := acctest.Customer{ID: id, Contact: 101 + x.dice.Int64N(10), Company: 201 + x.dice.Int64N(10)}
	if x.chance(2) {
		row.Company = 0
	} else if x.chance(3) {
		row.Contact = 0
	}
	for other, declared := range c.declared() {
		if other != id && declared.Contact == row.Contact {
			row.Contact = 0
		}
		if other != id && declared.Company == row.Company {
			row.Company = 0
		}
	}
	if row.Contact == 0 && row.Company == 0 {
		row.Contact = id - firstCustomer + 1001
	}
	return row
}

// change changes something at random.
func (c *randomConfig) change(x *trial) {
	if len(c.resources) == 0 {
		c.add(x)
		return
	}
	r, id := c.anyRow(x)
	other, otherID := c.anyRow(x)
	n := x.dice.IntN(11)
	if c.isExclusive() && n > 4 {
		if c.addRow(x, r); x.chance(10) {
			r.isExclusive = false
		}
		return
	}
	switch n {
	case 0:
		r.rows[id] = c.newRow(x, id)
	case 1:
		if len(r.rows) > 1 || !r.isExclusive {
			c.removeRow(r, id)
		}
	case 2:
		r.reassociate = !r.reassociate
	case 3:
		r.createFirst = !r.createFirst
	case 4:
		c.rename(x, r)
	case 5:
		c.add(x)
	case 6:
		c.swapClaims(x, r, id, other, otherID)
	case 7:
		c.rotateContacts()
	case 8:
		c.swapCustomers(x, r, id, other, otherID)
	case 9: // A customer becomes a row of a set.
		if other.isSet && r != other {
			other.rows[id] = r.rows[id]
			c.removeRow(r, id)
		}
	case 10: // A latch goes to another customer.
		if to := c.undeclaredCustomer(x); to != 0 {
			row := r.rows[id]
			row.ID = to
			delete(r.rows, id)
			r.rows[to] = row
		}
	}
}

// anyRow returns a row of any resource.
func (c *randomConfig) anyRow(x *trial) (*randomResource, int64) {
	r := c.resources[x.dice.IntN(len(c.resources))]
	ids := slices.Sorted(maps.Keys(r.rows))
	return r, ids[x.dice.IntN(len(ids))]
}

// rename gives a resource a new name, with a moved block or without one.
func (c *randomConfig) rename(x *trial, r *randomResource) {
	from := r.address()
	r.name = c.newName()
	if x.chance(2) {
		c.moved = append(c.moved, acctest.Block("moved", "from = "+from, "to = "+r.address()))
	}
}

// swapClaims swaps the contacts of two customers, and sometimes their companies.
func (c *randomConfig) swapClaims(x *trial, r *randomResource, id int64, other *randomResource, otherID int64) {
	a, b := r.rows[id], other.rows[otherID]
	a.Contact, b.Contact = b.Contact, a.Contact
	if x.chance(2) {
		a.Company, b.Company = b.Company, a.Company
	}
	if len(claimsOf(a)) > 0 && len(claimsOf(b)) > 0 {
		r.rows[id], other.rows[otherID] = a, b
	}
}

// swapCustomers swaps the customers of two resources. Their latches stay with the resources, or
// go with the customers.
func (c *randomConfig) swapCustomers(x *trial, r *randomResource, id int64, other *randomResource, otherID int64) {
	if r == other {
		return
	}
	a, b := other.rows[otherID], r.rows[id]
	if x.chance(2) {
		a, b = acctest.Customer{ID: otherID, Contact: b.Contact, Company: b.Company},
			acctest.Customer{ID: id, Contact: a.Contact, Company: a.Company}
	}
	delete(r.rows, id)
	delete(other.rows, otherID)
	r.rows[a.ID], other.rows[b.ID] = a, b
}

// rotateContacts moves each contact to the next customer, in one ring.
func (c *randomConfig) rotateContacts() {
	declared := c.declared()
	ring := slices.DeleteFunc(slices.Sorted(maps.Keys(declared)), func(id int64) bool { return declared[id].Contact == 0 })
	for i, id := range ring {
		row := declared[id]
		row.Contact = declared[ring[(i+1)%len(ring)]].Contact
		c.owner(id).rows[id] = row
	}
}

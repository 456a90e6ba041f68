package acctest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// LatchSet has the latches of a set that are declared, in the state, or in the account.
type LatchSet []Customer

// NumberedSet returns latches of customers 1 to n, each to the contact whose ID is higher by a
// number.
func NumberedSet(n, above int64) LatchSet {
	var s LatchSet
	for id := range n {
		s = append(s, Customer{ID: id + 1, Contact: id + 1 + above})
	}
	return s
}

// Block returns the block of the set "test", with further arguments or blocks inside.
func (s LatchSet) Block(more ...string) string { return s.BlockOf("test", more...) }

// BlockOf is Block for a set with another name.
func (s LatchSet) BlockOf(name string, more ...string) string {
	header := fmt.Sprintf("resource %q %q", LatchesType, name)
	contacts := s.idMap("hubspot_ids", func(h Customer) int64 { return h.Contact })
	companies := s.idMap("hubspot_company_ids", func(h Customer) int64 { return h.Company })
	return Block(header, append([]string{contacts, companies}, more...)...)
}

// idMap returns one of the two maps of the set, without empty values.
func (s LatchSet) idMap(name string, id func(Customer) int64) string {
	var elements strings.Builder
	for _, h := range s {
		if id(h) != 0 {
			fmt.Fprintf(&elements, "    \"%d\" = %d\n", h.ID, id(h))
		}
	}
	return name + " = {\n" + elements.String() + "  }"
}

// Expression returns the set as a map of objects for the for_each of single latches.
func (s LatchSet) Expression() string {
	var elements strings.Builder
	for _, h := range s {
		fmt.Fprintf(&elements, "    \"%d\" = { hubspot_id = %s, hubspot_company_id = %s }\n",
			h.ID, OrNull(h.Contact), OrNull(h.Company))
	}
	return "{\n" + elements.String() + "  }"
}

// With returns the set with these latches in place of those of the same customers. A customer
// without IDs is removed.
func (s LatchSet) With(changed ...Customer) LatchSet {
	all := slices.Clone(s)
	for _, c := range changed {
		all = slices.DeleteFunc(all, func(h Customer) bool { return h.ID == c.ID })
		if c.Contact != 0 || c.Company != 0 {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b Customer) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Unlatched returns the set's customers without latches.
func (s LatchSet) Unlatched() LatchSet {
	all := slices.Clone(s)
	for i := range all {
		all[i] = Customer{ID: all[i].ID}
	}
	return all
}

// Renumbered returns the set with contacts whose IDs are higher than those of the customers by a
// number.
func (s LatchSet) Renumbered(above int64) LatchSet {
	all := slices.Clone(s)
	for i := range all {
		all[i].Contact = all[i].ID + above
	}
	return all
}

// Shuffled returns the set with its contacts moved to other customers at random.
func (s LatchSet) Shuffled(dice *rand.Rand) LatchSet {
	all := slices.Clone(s)
	for i, j := range dice.Perm(len(s)) {
		all[i].Contact = s[j].Contact
	}
	return all
}

package acctest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// LatchSet is a set of latches, as it is declared, in state, or in the account.
type LatchSet []Customer

// NumberedSet is n latches of customers from 1 on, each to the contact that is so far above its ID.
func NumberedSet(n, above int64) LatchSet {
	var s LatchSet
	for id := range n {
		s = append(s, Customer{ID: id + 1, Contact: id + 1 + above})
	}
	return s
}

// Block declares the set "test", with further arguments or blocks inside.
func (s LatchSet) Block(more ...string) string { return s.BlockOf("test", more...) }

// BlockOf is Block for a set of another name.
func (s LatchSet) BlockOf(name string, more ...string) string {
	header := fmt.Sprintf("resource %q %q", LatchesType, name)
	contacts := s.idMap("hubspot_ids", func(h Customer) int64 { return h.Contact })
	companies := s.idMap("hubspot_company_ids", func(h Customer) int64 { return h.Company })
	return Block(header, append([]string{contacts, companies}, more...)...)
}

// idMap is one of the two maps of the set, without empty values.
func (s LatchSet) idMap(name string, id func(Customer) int64) string {
	var elements strings.Builder
	for _, h := range s {
		if id(h) != 0 {
			fmt.Fprintf(&elements, "    \"%d\" = %d\n", h.ID, id(h))
		}
	}
	return name + " = {\n" + elements.String() + "  }"
}

// Expression is a map of objects, as for_each of single latches takes it.
func (s LatchSet) Expression() string {
	var elements strings.Builder
	for _, h := range s {
		fmt.Fprintf(&elements, "    \"%d\" = { hubspot_id = %s, hubspot_company_id = %s }\n",
			h.ID, OrNull(h.Contact), OrNull(h.Company))
	}
	return "{\n" + elements.String() + "  }"
}

// With is the set with these latches in place of those of the same customers; one without IDs is
// left out.
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

// Unlatched are the set's customers without latches.
func (s LatchSet) Unlatched() LatchSet {
	all := slices.Clone(s)
	for i := range all {
		all[i] = Customer{ID: all[i].ID}
	}
	return all
}

// Renumbered is the set with contacts that are so far above the customers' IDs.
func (s LatchSet) Renumbered(above int64) LatchSet {
	all := slices.Clone(s)
	for i := range all {
		all[i].Contact = all[i].ID + above
	}
	return all
}

// Shuffled is the set with its contacts at random among its customers.
func (s LatchSet) Shuffled(dice *rand.Rand) LatchSet {
	all := slices.Clone(s)
	for i, j := range dice.Perm(len(s)) {
		all[i].Contact = s[j].Contact
	}
	return all
}

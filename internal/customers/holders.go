package customers

import (
	"slices"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// holders is an index of the last known latches. It has every customer that was ever read, even one
// without a latch.
type holders struct {
	latches  map[int64]fusebill.Latch
	byClaims map[fusebill.Claim][]int64 // the customers that may hold each, in the order of their IDs
}

func newHolders() holders {
	return holders{latches: make(map[int64]fusebill.Latch), byClaims: make(map[fusebill.Claim][]int64)}
}

// set records the latch of a customer. Another customer that was last seen with the same contact or
// company keeps it, because it is unknown which of the two answers is older.
func (h *holders) set(customerID int64, latch fusebill.Latch) {
	before := h.latches[customerID]
	h.latches[customerID] = latch
	for _, claim := range before.Without(latch).Claims() {
		rest := slices.DeleteFunc(h.byClaims[claim], func(id int64) bool { return id == customerID })
		if h.byClaims[claim] = rest; len(rest) == 0 {
			delete(h.byClaims, claim)
		}
	}
	for _, claim := range latch.Without(before).Claims() {
		all := h.byClaims[claim]
		place, _ := slices.BinarySearch(all, customerID)
		h.byClaims[claim] = slices.Insert(all, place, customerID)
	}
}

// of returns the customers that may hold a claim.
func (h *holders) of(claim fusebill.Claim) []int64 { return slices.Clone(h.byClaims[claim]) }

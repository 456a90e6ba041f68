package customers

import "github.com/fusebill/terraform-provider-fusebill/internal/fusebill"

// holders is what is known of who holds what. A customer that nobody has asked about is in it with nothing.
type holders struct {
	latches             map[int64]fusebill.Latch
	contacts, companies map[int64]int64 // the customer that holds each
}

func newHolders() holders {
	return holders{latches: make(map[int64]fusebill.Latch), contacts: make(map[int64]int64), companies: make(map[int64]int64)}
}

// set notes the latch of a customer.
func (h *holders) set(customerID int64, l fusebill.Latch) {
	before := h.latches[customerID]
	replaceHeld(h.contacts, customerID, before.HubSpotID, l.HubSpotID)
	replaceHeld(h.companies, customerID, before.HubSpotCompanyID, l.HubSpotCompanyID)
	h.latches[customerID] = l
}

func replaceHeld(holder map[int64]int64, customerID, before, after int64) {
	if holder[before] == customerID {
		delete(holder, before)
	}
	if after != 0 {
		holder[after] = customerID
	}
}

// of returns the customer that holds what is claimed, 0 where none is known to.
func (h *holders) of(claim fusebill.Claim) int64 {
	if claim.Kind == fusebill.Contact {
		return h.contacts[claim.ID]
	}
	return h.companies[claim.ID]
}

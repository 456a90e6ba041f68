package latch

import (
	"fmt"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Claim is a contact or a company that only one customer may hold (the API reference).
type Claim struct {
	Kind Kind
	ID   int64
}

// Kind is what a customer can be latched to.
type Kind string

// The two kinds.
const (
	Contact Kind = "contact"
	Company Kind = "company"
)

func (c Claim) String() string { return fmt.Sprintf("%s %d", c.Kind, c.ID) }

// ClaimsOf lists what a latch claims.
func ClaimsOf(l fusebill.Latch) []Claim {
	var claims []Claim
	if l.HubSpotID != 0 {
		claims = append(claims, Claim{Contact, l.HubSpotID})
	}
	if l.HubSpotCompanyID != 0 {
		claims = append(claims, Claim{Company, l.HubSpotCompanyID})
	}
	return claims
}

// holds says whether a latch holds what is claimed.
func holds(l fusebill.Latch, claim Claim) bool {
	if claim.Kind == Contact {
		return l.HubSpotID == claim.ID
	}
	return l.HubSpotCompanyID == claim.ID
}

// without returns a latch less the IDs of another one.
func without(l, other fusebill.Latch) fusebill.Latch {
	if l.HubSpotID == other.HubSpotID {
		l.HubSpotID = 0
	}
	if l.HubSpotCompanyID == other.HubSpotCompanyID {
		l.HubSpotCompanyID = 0
	}
	return l
}

// common returns the IDs that two latches share.
func common(l, other fusebill.Latch) fusebill.Latch { return without(l, without(l, other)) }

// less returns a latch less what others hold.
func less(l fusebill.Latch, held []Holding) fusebill.Latch {
	for _, h := range held {
		if h.Claim.Kind == Contact {
			l.HubSpotID = 0
		} else {
			l.HubSpotCompanyID = 0
		}
	}
	return l
}

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
func (h *holders) of(claim Claim) int64 {
	if claim.Kind == Contact {
		return h.contacts[claim.ID]
	}
	return h.companies[claim.ID]
}

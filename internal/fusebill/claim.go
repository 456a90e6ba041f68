package fusebill

import "fmt"

// Claim is a contact or a company, which only one customer can hold.
//
// Source: https://developer.staxbill.com/reference/latch-customer-1.
type Claim struct {
	Kind Kind
	ID   int64
}

// Kind is the kind of HubSpot record that a customer can be latched to.
type Kind string

// The two kinds of HubSpot records.
const (
	Contact Kind = "contact"
	Company Kind = "company"
)

// String returns the claim as messages show it, such as "contact 101".
func (c Claim) String() string { return fmt.Sprintf("%s %d", c.Kind, c.ID) }

// Claims returns the contact and the company of a latch.
func (l Latch) Claims() []Claim {
	var claims []Claim
	if l.HubSpotID != 0 {
		claims = append(claims, Claim{Contact, l.HubSpotID})
	}
	if l.HubSpotCompanyID != 0 {
		claims = append(claims, Claim{Company, l.HubSpotCompanyID})
	}
	return claims
}

// Holds reports whether the latch has the contact or company of a claim.
func (l Latch) Holds(claim Claim) bool {
	if claim.Kind == Contact {
		return l.HubSpotID == claim.ID
	}
	return l.HubSpotCompanyID == claim.ID
}

// Without returns the latch without the IDs that another latch has, too.
func (l Latch) Without(other Latch) Latch {
	if l.HubSpotID == other.HubSpotID {
		l.HubSpotID = 0
	}
	if l.HubSpotCompanyID == other.HubSpotCompanyID {
		l.HubSpotCompanyID = 0
	}
	return l
}

// Common returns the IDs that two latches share.
func (l Latch) Common(other Latch) Latch { return l.Without(l.Without(other)) }

// Less returns the latch without the contact or company of a claim.
func (l Latch) Less(claim Claim) Latch {
	if l.HubSpotID == claim.ID && claim.Kind == Contact {
		l.HubSpotID = 0
	}
	if l.HubSpotCompanyID == claim.ID && claim.Kind == Company {
		l.HubSpotCompanyID = 0
	}
	return l
}

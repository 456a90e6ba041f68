package acctest

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Customer is the latch of one customer; 0 is no contact or no company. Tests use it for latches
// that are declared, planned, in the state, in the account, and written.
type Customer struct {
	ID, Contact, Company int64
}

// Latch returns the latch as a value of the API client.
func (h Customer) Latch() fusebill.Latch {
	return fusebill.Latch{HubSpotID: h.Contact, HubSpotCompanyID: h.Company}
}

// Block returns the block of the latch "test", with further arguments or blocks inside.
func (h Customer) Block(more ...string) string {
	lines := []string{fmt.Sprintf("fusebill_id = %d", h.ID)}
	if h.Contact != 0 {
		lines = append(lines, fmt.Sprintf("hubspot_id = %d", h.Contact))
	}
	if h.Company != 0 {
		lines = append(lines, fmt.Sprintf("hubspot_company_id = %d", h.Company))
	}
	return LatchBlock(append(lines, more...)...)
}

// InState checks the latch "test" in the state, and that the state has nothing else.
func (h Customer) InState() []statecheck.StateCheck {
	id := func(id int64) knownvalue.Check {
		if id == 0 {
			return knownvalue.Null()
		}
		return knownvalue.StringExact(formatID(id))
	}
	return []statecheck.StateCheck{
		statecheck.ExpectKnownValue(LatchAddress, tfjsonpath.New("fusebill_id"), id(h.ID)),
		statecheck.ExpectKnownValue(LatchAddress, tfjsonpath.New("hubspot_id"), id(h.Contact)),
		statecheck.ExpectKnownValue(LatchAddress, tfjsonpath.New("hubspot_company_id"), id(h.Company)),
	}
}

// formatID returns an ID as the schemas have it.
func formatID(id int64) string { return strconv.FormatInt(id, 10) }

// customerIn reads a latch in the JSON form of a plan. A value that is not an ID is -1.
func customerIn(object any) Customer {
	attributes, _ := object.(map[string]any)
	id := func(name string) int64 {
		switch value := attributes[name].(type) {
		case nil:
			return 0
		case string:
			if id, err := strconv.ParseInt(value, 10, 64); err == nil {
				return id
			}
		}
		return -1
	}
	return Customer{ID: id("fusebill_id"), Contact: id("hubspot_id"), Company: id("hubspot_company_id")}
}

// Times returns n times the same write.
func Times(n int, h Customer) []Customer { return slices.Repeat([]Customer{h}, n) }

// OrNull returns an ID in HCL or JSON; 0 is null.
func OrNull(id int64) string {
	if id == 0 {
		return "null"
	}
	return fmt.Sprint(id)
}

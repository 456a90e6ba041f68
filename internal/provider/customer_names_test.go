package provider

import (
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Messages name a customer by its company, or else its reference, and never by a person.
func TestMessages_nameCustomers(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t,
		fusebillsim.Customer{ID: 11, CompanyName: "Brown Coffee", FirstName: "Ann", HubSpotID: 101},
		fusebillsim.Customer{ID: 22, Reference: "C-22", FirstName: "Bob", LastName: "Stone"},
		fusebillsim.Customer{ID: 33, FirstName: "Cleo", LastName: "Reed", PrimaryEmail: "cleo@example.com", HubSpotID: 103},
		fusebillsim.Customer{ID: 44, HubSpotID: 104},
	)
	p := c.plan(map[string]any{contactsAttribute: ids{"22": "101", "44": "103"}})
	p.diags.errors().isEmpty(t)
	p.diags.has(t, "HubSpot contact is latched to another customer", "customer 11 (Brown Coffee) now",
		"customer 22 (C-22)")
	for _, name := range []string{"Ann", "Bob", "Cleo", "Stone", "Reed", "example.com"} {
		if strings.Contains(p.diags.String(), name) {
			t.Errorf("%s in:\n%s", name, p.diags)
		}
	}
	c.succeeds(map[string]any{contactsAttribute: ids{"22": "102"}})
	p = c.plan(map[string]any{contactsAttribute: ids{}})
	p.diags.has(t, "HubSpot latches will be removed", "customer 22 (C-22)")
}

// The plan of a set counts and names the customers whose latches it adopts.
func TestMessages_countAdoptedLatches(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 101, 0}, [3]int64{22, 102, 0}, [3]int64{33, 0, 0})...)
	declared := map[string]any{contactsAttribute: ids{"11": "101", "22": "102", "33": "103"}}
	p := c.plan(declared)
	p.diags.has(t, "HubSpot latches exist already", "already has the latches of 2 customers as declared",
		"customer 11, customer 22.")
	c.apply(p).errors().isEmpty(t)
	c.succeeds(declared)
}

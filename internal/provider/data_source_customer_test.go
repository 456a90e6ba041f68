package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file look up one customer. They check that:
//
//   - each argument finds the customer with exactly this value, even if lists do not show latches;
//   - if no customer or several customers match, an error on the argument gives the next step, and
//     names the customers that match.

// customerIs checks the values of a customer in a data source.
func customerIs(c fusebillsim.Customer) knownvalue.Check {
	text := func(text string) knownvalue.Check {
		if text == "" {
			return knownvalue.Null()
		}
		return knownvalue.StringExact(text)
	}
	id := func(id int64) knownvalue.Check {
		if id == 0 {
			return knownvalue.Null()
		}
		return knownvalue.StringExact(formatID(id))
	}
	return knownvalue.ObjectExact(map[string]knownvalue.Check{
		"id": id(c.ID), "hubspot_id": id(c.HubSpotID), "hubspot_company_id": id(c.HubSpotCompanyID),
		"reference": text(c.Reference), "first_name": text(c.FirstName), "last_name": text(c.LastName),
		"company_name": text(c.CompanyName), "primary_email": text(c.PrimaryEmail), "status": text(c.Status),
	})
}

func TestAccCustomerDataSource(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fusebillsim.Behavior){
		"as documented":         func(*fusebillsim.Behavior) {},
		"lists without latches": func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true },
		"filters ignored":       func(b *fusebillsim.Behavior) { b.IgnoreFilters = true },
		"IDs as strings":        func(b *fusebillsim.Behavior) { b.IDsAsStrings = true },
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.NewAccount(t, append(directory(), fusebillsim.Customer{ID: 77})...)
			a.Configure(change)
			var blocks []string
			var checks []statecheck.StateCheck
			for argument, id := range map[string]int64{
				`id = 22`:                                22,
				`id = 77`:                                77,
				`id = 9007199254740993`:                  9007199254740993,
				`reference = "C-1"`:                      11,
				`reference = "c-1"`:                      33,
				`reference = "a;b"`:                      44,
				`reference = "x:status:Draft"`:           55,
				`reference = "[empty]"`:                  66,
				`primary_email = "A@example.com"`:        22,
				`hubspot_id = 104`:                       44,
				`hubspot_id = 9007199254740995`:          9007199254740993,
				`hubspot_company_id = 203`:               33,
				`hubspot_company_id = 4294967297`:        9007199254740993,
				"reference = \"C-2\"\nhubspot_id = null": 22,
			} {
				want, _ := a.Customer(id)
				label := fmt.Sprintf("case%d", len(blocks))
				blocks = append(blocks, acctest.Block(fmt.Sprintf("data %q %q", "fusebill_customer", label), argument),
					acctest.Block(fmt.Sprintf("output %q", label), "value = data.fusebill_customer."+label))
				checks = append(checks, statecheck.ExpectKnownOutputValue(label, customerIs(want)))
			}
			acctest.Run(t, resource.TestStep{Config: a.With(blocks...), ConfigStateChecks: checks})
		})
	}
}

func TestAccCustomerDataSource_noneOrSeveralMatch(t *testing.T) {
	a := acctest.NewAccount(t, append(directory(),
		fusebillsim.Customer{ID: 77, Reference: "twice", FirstName: "Ada", LastName: "Brown", Status: "Cancelled"},
		fusebillsim.Customer{ID: 88, Reference: "twice", CompanyName: "Brown\x1b Coffee"},
	)...)
	for id := range int64(12) {
		a.AddCustomers(fusebillsim.Customer{ID: 101 + id, PrimaryEmail: "billing@example.com"})
	}
	fails := func(argument, summary string, parts ...string) resource.TestStep {
		config := a.With(dataBlock("fusebill_customer", argument))
		return acctest.Refused(config, acctest.Diagnosis(summary, argument, parts...))
	}
	const exactly = "Check that it is written exactly as in Fusebill, letter case and white space included"
	acctest.Run(t,
		fails(`id = 99`, "Customer not found in Fusebill",
			`Could not read customer 99: GET customers/99: 404 Not Found: "Customer with id 99 was not found."`,
			"Check that 99 is the ID of the customer, as in the URL of its page in Fusebill, and not its reference"),
		fails(`reference = "C-3"`, "No such customer", `No customer of the account has the reference "C-3".`, exactly),
		fails(`reference = "*"`, "No such customer", `No customer of the account has the reference "*".`),
		fails(`primary_email = "a@Example.com"`, "No such customer",
			`No customer of the account has the primary email address "a@Example.com".`, exactly),
		fails(`hubspot_id = 999`, "No such customer", "No customer of the account is latched to contact 999.",
			"Check that it is the ID of a HubSpot contact"),
		fails(`hubspot_company_id = 101`, "No such customer", "No customer of the account is latched to company 101."),
		fails(`reference = "twice"`, "Several such customers",
			`2 customers of the account have the reference "twice", but this data source reads one:`,
			`77 "Ada Brown" (Cancelled)`, `88 "Brown\x1b Coffee" (Active)`,
			"Look up the right one by its id, or give it another reference in Fusebill."),
		fails(`primary_email = "billing@example.com"`, "Several such customers",
			"12 customers of the account have the primary email address",
			"101 (Active)", "110 (Active)", "and 2 more", "give it another primary email in Fusebill"),
		acctest.Refused(a.With(dataBlock("fusebill_customer")), acctest.Diagnosis(
			"Missing Attribute Configuration", `data "fusebill_customer" "test" {`,
			"Exactly one of these attributes must be configured")),
		fails(`reference = " "`, "Invalid Attribute Value Match", "must not be empty"),
		resource.TestStep{Config: a.With()}, // plugin-testing destroys the last configuration, which must be valid.
	)
}

// If a call fails, the error is not on the argument.
func TestAccCustomerDataSource_failures(t *testing.T) {
	a := acctest.NewAccount(t, directory()...)
	acctest.Run(t, failures(a, "fusebill_customer",
		failure{fusebillsim.FaultUnauthorized, "id = 11", "Fusebill refused the API key",
			"Could not read customer 11: GET customers/11: 401 Unauthorized: "},
		failure{fusebillsim.FaultUnauthorized, `reference = "C-1"`, "Fusebill refused the API key",
			`Could not find the customer with the reference "C-1": GET customers: 401 Unauthorized: `},
		failure{fusebillsim.FaultStatus500Before, "hubspot_id = 101", "Fusebill returned a server error",
			"Could not find the customer that is latched to contact 101: GET customers: 500 Internal Server Error: "},
		failure{fusebillsim.FaultHTMLBody, `primary_email = "a@example.com"`, "Fusebill's answer cannot be understood",
			"A proxy may have answered instead of Fusebill"},
	)...)
}

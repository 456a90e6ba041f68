package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file list latches. They check that:
//
//   - the list has all latches of the account with all digits, and no other customers;
//   - values that a customer does not have are null;
//   - an import of all listed latches reads the account once, and the plan after it is empty.
//
// Filters are in data_source_test.go.

func TestAccHubSpotLatchesDataSource(t *testing.T) {
	text, null := knownvalue.StringExact, knownvalue.Null()
	a := acctest.NewAccount(t, append(directory(), fusebillsim.Customer{ID: 77, Reference: "unlatched"})...)
	latches := func(want knownvalue.Check) []statecheck.StateCheck {
		return []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.fusebill_hubspot_latches.test", tfjsonpath.New("latches"), want),
		}
	}
	acctest.Run(t,
		acctest.Refused(a.With(dataBlock("fusebill_hubspot_latches", `modified_since = "yesterday"`)),
			acctest.Diagnosis("Invalid filter", `modified_since = "yesterday"`, `"yesterday" is neither a date such as 2026-01-31`)),
		resource.TestStep{
			Config: a.With(dataBlock("fusebill_hubspot_latches")),
			ConfigStateChecks: latches(knownvalue.MapPartial(map[string]knownvalue.Check{
				"11": knownvalue.ObjectExact(map[string]knownvalue.Check{
					"hubspot_id": text("101"), "hubspot_company_id": text("201"), "name": text("Stolen Bikes"),
					"company_name": text("Stolen Bikes"), "reference": text("C-1"), "status": text("Active"),
				}),
				"22": knownvalue.ObjectExact(map[string]knownvalue.Check{
					"hubspot_id": text("102"), "hubspot_company_id": null, "name": text("John Doe"),
					"company_name": null, "reference": text("C-2"), "status": text("Hold"),
				}),
				"9007199254740993": knownvalue.ObjectExact(map[string]knownvalue.Check{
					"hubspot_id": text("9007199254740995"), "hubspot_company_id": text("4294967297"), "name": null,
					"company_name": null, "reference": null, "status": text("Active"),
				}),
			})),
		},
		resource.TestStep{
			Config:            a.With(dataBlock("fusebill_hubspot_latches", `reference = "unlatched"`)),
			ConfigStateChecks: latches(knownvalue.MapExact(nil)),
		},
	)
}

func TestAccHubSpotLatchesDataSource_failures(t *testing.T) {
	a := acctest.NewAccount(t, directory()...)
	acctest.Run(t, failures(a, "fusebill_hubspot_latches",
		failure{fusebillsim.FaultUnauthorized, "", "Fusebill refused the API key",
			"Could not list the HubSpot latches: GET customers: 401 Unauthorized: "},
		failure{fusebillsim.FaultStatus500Before, `reference = "C-1"`, "Fusebill returned a server error",
			`Could not list the HubSpot latches: GET customers: 500 Internal Server Error: "An unexpected error occurred."`},
		failure{fusebillsim.FaultHTMLBody, "", "Fusebill's answer cannot be understood",
			"A proxy may have answered instead of Fusebill"},
	)...)
}

// A set can declare the two maps of the data source. Its create makes no write.
func TestAccHubSpotLatchesDataSource_declaredAsSet(t *testing.T) {
	a := acctest.NewAccount(t, directory()...)
	acctest.Run(t, resource.TestStep{
		Config: a.With(dataBlock("fusebill_hubspot_latches"),
			acctest.Block(`resource "fusebill_hubspot_latches" "test"`,
				"hubspot_ids = data.fusebill_hubspot_latches.test.hubspot_ids",
				"hubspot_company_ids = data.fusebill_hubspot_latches.test.hubspot_company_ids")),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(acctest.SetAddress, tfjsonpath.New("hubspot_ids").AtMapKey("9007199254740993"),
				knownvalue.StringExact("9007199254740995")),
		},
		PostApplyFunc: func() { a.Wrote(t) },
	})
}

// An import of all listed latches makes no calls other than those of the data source.
func TestAccHubSpotLatchesDataSource_import(t *testing.T) {
	const n = 100
	a := acctest.NewAccount(t)
	for i, id := range a.AddSampleCustomers(n) {
		a.SetLatch(id, int64(i+1), 0)
	}
	const latches = "data.fusebill_hubspot_latches.test.latches"
	acctest.Needs(t, "imports by for_each", tfversion.SkipBelow(tfversion.Version1_7_0), resource.TestStep{
		PreConfig: a.ResetCalls,
		Config: a.With(dataBlock("fusebill_hubspot_latches"),
			acctest.Block("import", "for_each = "+latches, "to = "+acctest.LatchAddress+"[each.key]", "id = each.key"),
			acctest.LatchBlock("for_each = "+latches, "fusebill_id = each.key", "hubspot_id = each.value.hubspot_id",
				"hubspot_company_id = each.value.hubspot_company_id"),
		),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(fmt.Sprintf("%s[%q]", acctest.LatchAddress, "2500099"),
				tfjsonpath.New("hubspot_id"), knownvalue.StringExact(formatID(n))),
		},
		PostApplyFunc: func() {
			a.Wrote(t)
			if calls := a.Count(); calls > 3 { // for the plan, the apply that plans again, and the plan after it
				t.Errorf("%d calls, want at most 3: %v", calls, a.Calls())
			}
		},
	}, resource.TestStep{Config: a.With()}) // plugin-testing cannot end with instances of for_each in the state.
}

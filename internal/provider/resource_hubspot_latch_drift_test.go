package provider

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file change a latch outside of Terraform. They check that:
//
//   - the next plan shows exactly that change, and the apply reverts it with one write;
//   - a latch leaves the state only if the customer's own record shows no latch, or if the service
//     itself answers that the customer does not exist.
//
// Package acceptance checks the warning about a deleted customer, because plugin-testing does not
// show warnings.

func TestAccHubSpotLatchDrift_isShownAndReverted(t *testing.T) {
	t.Parallel()
	declared := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	for name, changed := range map[string]acctest.Customer{
		"contact changed":  {ID: 11, Contact: 999, Company: 202},
		"contact removed":  {ID: 11, Company: 202},
		"company changed":  {ID: 11, Contact: 101, Company: 888},
		"company removed":  {ID: 11, Contact: 101},
		"both changed":     {ID: 11, Contact: 999, Company: 888},
		"both IDs swapped": {ID: 11, Contact: 202, Company: 101}, // contacts and companies have separate IDs
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			acctest.Run(t, a.Creates(t, declared), a.Step(t, acctest.Step{
				Prepare: func() { a.SetLatch(11, changed.Contact, changed.Company) },
				Action:  plancheck.ResourceActionUpdate, Before: changed, After: declared,
				Writes: []acctest.Customer{declared},
			}))
		})
	}
}

// If the configuration declares no company, the customer must have none.
func TestAccHubSpotLatchDrift_addedIDIsRemoved(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	declared := acctest.Customer{ID: 11, Contact: 101}
	acctest.Run(t, a.Creates(t, declared), a.Step(t, acctest.Step{
		Prepare: func() { a.SetLatch(11, 101, 888) },
		Action:  plancheck.ResourceActionUpdate,
		Before:  acctest.Customer{ID: 11, Contact: 101, Company: 888}, After: declared,
		Writes: []acctest.Customer{declared},
	}))
}

func TestAccHubSpotLatchDrift_removedLatchIsCreatedAgain(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	declared := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	acctest.Run(t, a.Creates(t, declared), a.Step(t, acctest.Step{
		Prepare: func() { a.SetLatch(11, 0, 0) },
		Action:  plancheck.ResourceActionCreate, After: declared, Writes: []acctest.Customer{declared},
	}))
}

// The account has another customer, which proves that it is still the same account.
func TestAccHubSpotLatchDrift_deletedCustomer(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	declared := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	gone := a.Step(t, acctest.Step{
		Prepare: func() { a.DeleteCustomer(11) },
		Action:  plancheck.ResourceActionCreate, After: declared,
	})
	gone.ExpectError = acctest.Diagnosis("Customer not found in Fusebill", "fusebill_id = 11",
		// The plan only warns, because somebody may create the customer before the apply.
		"Could not create the HubSpot latch of customer 11 to contact 101 and company 202: customer 11 does not exist: ",
		`404 Not Found: "Customer with id 11 was not found."`, "Check that 11 is the ID of the customer")
	acctest.Run(t, a.Creates(t, declared), gone, a.Step(t, acctest.Step{
		Prepare: func() {
			a.Wrote(t)
			a.AddCustomers(fusebillsim.Customer{ID: 11})
		},
		Action: plancheck.ResourceActionCreate, After: declared, Writes: []acctest.Customer{declared},
	}))
}

// A customer that is deleted between the plan and the apply of a destroy has no latch to remove.
func TestAccHubSpotLatchDrift_destroyOfDeletedCustomerSucceeds(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	declared := acctest.Customer{ID: 11, Contact: 101}
	deleteAfterPlan := acctest.CheckPlan(func(plancheck.CheckPlanRequest) error { a.DeleteCustomer(11); return nil })
	acctest.Run(t, a.Creates(t, declared), resource.TestStep{
		PreConfig:        a.ResetCalls,
		Config:           a.With(declared.Block()),
		Destroy:          true,
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{deleteAfterPlan}},
		PostApplyFunc:    func() { a.Wrote(t) },
	})
}

// A 404 from a proxy, or because of a wrong base_url, does not mean that the customer was deleted.
// If the provider took it for that, one such run would remove all latches from the state.
func TestAccHubSpotLatchDrift_foreignNotFoundKeepsLatch(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	misdirected := acctest.Account{Simulator: a.Simulator, URL: elsewhere.URL}
	declared := acctest.Customer{ID: 11, Contact: 101}
	acctest.Run(t, a.Creates(t, declared),
		acctest.Refused(misdirected.With(declared.Block()), acctest.Diagnosis(
			"Unexpected response, not from Fusebill", latchLine,
			"Could not read the HubSpot latch of customer 11", "404 Not Found, not in the API's form", "404 page not found",
			"Check that base_url")),
		a.Step(t, acctest.Step{Action: plancheck.ResourceActionNoop, Before: declared, After: declared}),
	)
}

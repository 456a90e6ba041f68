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

// The promises tested here: whatever somebody else does to a latch, the next plan shows exactly that and the apply heals
// it with one write; a latch leaves the state only when the customer's own record, or the service's own word that there
// is no customer, says so.
//
// That a customer's end is told in a warning is tested in internal/acceptance, since plugin-testing shows no warnings.

func TestAccHubSpotLatchDrift_isShownAndHealed(t *testing.T) {
	t.Parallel()
	declared := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	for name, changed := range map[string]acctest.Customer{
		"contact changed":    {ID: 11, Contact: 999, Company: 202},
		"contact removed":    {ID: 11, Company: 202},
		"company changed":    {ID: 11, Contact: 101, Company: 888},
		"company removed":    {ID: 11, Contact: 101},
		"both changed":       {ID: 11, Contact: 999, Company: 888},
		"both sides swapped": {ID: 11, Contact: 202, Company: 101}, // contacts and companies are numbered apart
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

// An ID that the configuration leaves out is one that the customer isn't to have.
func TestAccHubSpotLatchDrift_addedIDIsRemoved(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	acctest.Run(t, a.Creates(t, acctest.Customer{ID: 11, Contact: 101}), a.Step(t, acctest.Step{
		Prepare: func() { a.SetLatch(11, 101, 888) },
		Action:  plancheck.ResourceActionUpdate, Before: acctest.Customer{ID: 11, Contact: 101, Company: 888}, After: acctest.Customer{ID: 11, Contact: 101},
		Writes: []acctest.Customer{{ID: 11, Contact: 101}},
	}))
}

func TestAccHubSpotLatchDrift_goneLatchIsCreatedAgain(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	acctest.Run(t, a.Creates(t, acctest.Customer{ID: 11, Contact: 101, Company: 202}), a.Step(t, acctest.Step{
		Prepare: func() { a.SetLatch(11, 0, 0) },
		Action:  plancheck.ResourceActionCreate, After: acctest.Customer{ID: 11, Contact: 101, Company: 202},
		Writes: []acctest.Customer{{ID: 11, Contact: 101, Company: 202}},
	}))
}

// The account is known by its other customer: without one it could be another account.
func TestAccHubSpotLatchDrift_deletedCustomer(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	declared := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	gone := a.Step(t, acctest.Step{
		Prepare: func() { a.DeleteCustomer(11) },
		Action:  plancheck.ResourceActionCreate, After: declared,
	})
	gone.ExpectError = acctest.Diagnosis("Customer not found in Fusebill", "fusebill_id = 11",
		// The plan only warns: the customer may be there by the time of the apply.
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

// Deleted customers have no latch to remove, and need no configuration of ours to be destroyed.
func TestAccHubSpotLatchDrift_destroyOfDeletedCustomerSucceeds(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	acctest.Run(t, a.Creates(t, acctest.Customer{ID: 11, Contact: 101}), resource.TestStep{
		PreConfig:        a.ResetCalls,
		Config:           a.With(acctest.Customer{ID: 11, Contact: 101}.Block()),
		Destroy:          true,
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{acctest.CheckPlan(func(plancheck.CheckPlanRequest) error { a.DeleteCustomer(11); return nil })}},
		PostApplyFunc:    func() { a.Wrote(t) },
	})
}

// A 404 that isn't the service's own, as from a proxy or for a wrong base_url, says nothing of a customer. Taken for
// its end it would empty the state of all latches at once.
func TestAccHubSpotLatchDrift_foreignNotFoundIsNoDeletedCustomer(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	misdirected := acctest.Account{Simulator: a.Simulator, URL: elsewhere.URL}
	declared := acctest.Customer{ID: 11, Contact: 101}
	acctest.Run(t, a.Creates(t, declared),
		acctest.Refused(misdirected.With(declared.Block()), acctest.Diagnosis("Unexpected response, not from Fusebill", latchLine,
			"Could not read the HubSpot latch of customer 11", "404 Not Found, not in the API's form", "404 page not found",
			"Check that base_url")),
		a.Step(t, acctest.Step{Action: plancheck.ResourceActionNoop, Before: declared, After: declared}),
	)
}

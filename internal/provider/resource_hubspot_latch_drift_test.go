package provider

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: whatever somebody else does to a latch, the next plan shows exactly that and the apply heals
// it with one write; a latch leaves the state only when the customer's own record, or the service's own word that there
// is no customer, says so.
//
// That a customer's end is told in a warning is tested in cli_test.go, since plugin-testing shows no warnings.

func TestAccHubSpotLatchDrift_isShownAndHealed(t *testing.T) {
	t.Parallel()
	declared := held{11, 101, 202}
	for name, changed := range map[string]held{
		"contact changed":    {11, 999, 202},
		"contact removed":    {11, 0, 202},
		"company changed":    {11, 101, 888},
		"company removed":    {11, 101, 0},
		"both changed":       {11, 999, 888},
		"both sides swapped": {11, 202, 101}, // contacts and companies are numbered apart
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0})
			run(t, a.creates(t, declared), a.step(t, step{
				prepare: func() { a.SetLatch(11, changed.contact, changed.company) },
				action:  plancheck.ResourceActionUpdate, before: changed, after: declared,
				writes: []held{declared},
			}))
		})
	}
}

// An ID that the configuration leaves out is one that the customer isn't to have.
func TestAccHubSpotLatchDrift_addedIDIsRemoved(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	run(t, a.creates(t, held{11, 101, 0}), a.step(t, step{
		prepare: func() { a.SetLatch(11, 101, 888) },
		action:  plancheck.ResourceActionUpdate, before: held{11, 101, 888}, after: held{11, 101, 0},
		writes: []held{{11, 101, 0}},
	}))
}

func TestAccHubSpotLatchDrift_goneLatchIsCreatedAgain(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	run(t, a.creates(t, held{11, 101, 202}), a.step(t, step{
		prepare: func() { a.SetLatch(11, 0, 0) },
		action:  plancheck.ResourceActionCreate, after: held{11, 101, 202},
		writes: []held{{11, 101, 202}},
	}))
}

func TestAccHubSpotLatchDrift_deletedCustomer(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	declared := held{11, 101, 202}
	gone := a.step(t, step{
		prepare: func() { a.DeleteCustomer(11) },
		action:  plancheck.ResourceActionCreate, after: declared,
	})
	gone.ExpectError = diagnosis("Customer not found in Fusebill", "fusebill_id = 11",
		// Terraform plans a latch once more right before it applies it, and by then in another process.
		"Could not plan the HubSpot latch of customer 11 (contact 101 and company 202): ",
		"404 Not Found: Customer with id 11 was not found.", "Check that 11 is the customer's own ID")
	run(t, a.creates(t, declared), gone, a.step(t, step{
		prepare: func() {
			a.wrote(t)
			a.AddCustomers(fusebillsim.Customer{ID: 11})
		},
		action: plancheck.ResourceActionCreate, after: declared, writes: []held{declared},
	}))
}

// Deleted customers have no latch to remove, and need no configuration of ours to be destroyed.
func TestAccHubSpotLatchDrift_destroyOfDeletedCustomerSucceeds(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	run(t, a.creates(t, held{11, 101, 0}), resource.TestStep{
		PreConfig:        a.ResetCalls,
		Config:           a.with(held{11, 101, 0}.block()),
		Destroy:          true,
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{checkPlan(func(plancheck.CheckPlanRequest) error { a.DeleteCustomer(11); return nil })}},
		PostApplyFunc:    func() { a.wrote(t) },
	})
}

// A 404 that isn't the service's own, as from a proxy or for a wrong base_url, says nothing of a customer. Taken for
// its end it would empty the state of all latches at once.
func TestAccHubSpotLatchDrift_foreignNotFoundIsNoDeletedCustomer(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	misdirected := account{Simulator: a.Simulator, url: elsewhere.URL}
	declared := held{11, 101, 0}
	run(t, a.creates(t, declared),
		refused(misdirected.with(declared.block()), diagnosis("Something else than Fusebill answered", latchLine,
			"Could not read the HubSpot latch of customer 11", "404 Not Found, not in the API's form", "404 page not found",
			"Check base_url")),
		a.step(t, step{action: plancheck.ResourceActionNoop, before: declared, after: declared}),
	)
}

package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file inject faults into the calls for a latch set. They check that:
//
//   - a row that fails does not stop the others;
//   - the state has the current latches, and the next apply makes only the missing changes;
//   - the replacement of a tainted set, whose create has failed in part, removes no latch that is
//     still declared.
//
// Interrupted runs are in resource_hubspot_latches_interrupted_test.go.

// neverUnlatched fails the test if any call removed a latch.
func neverUnlatched(t *testing.T, a acctest.Account) {
	t.Helper()
	for _, r := range a.Requests() {
		isEmpty := strings.Contains(r.Body, `"hubSpotId":null,"hubSpotCompanyId":null`)
		if r.Route == fusebillsim.RouteUnlatch || r.Route == fusebillsim.RouteLatch && isEmpty {
			t.Errorf("the call %s %s removed a latch", r.Path, r.Body)
		}
	}
}

// unknownContacts removes these contacts from HubSpot, and restores all others.
func unknownContacts(a acctest.Account, contacts ...int64) {
	a.Configure(func(b *fusebillsim.Behavior) {
		b.UnknownContacts = make(map[int64]bool)
		for _, contact := range contacts {
			b.UnknownContacts[contact] = true
		}
	})
}

// failedCreate applies a set of 100 rows, of which 5 fail. It returns the corrected set, and its 5
// corrected rows as fixes.
func failedCreate(
	t *testing.T, arguments ...string,
) (a acctest.Account, c *acctest.Workspace, corrected, fixes acctest.LatchSet) {
	t.Helper()
	declared := acctest.NumberedSet(100, 1000)
	fixes = acctest.LatchSet{
		{ID: 7, Contact: 2007}, {ID: 19, Contact: 2019}, {ID: 42, Company: 3042}, {ID: 77, Contact: 2077, Company: 3077},
		{ID: 100, Contact: 2100},
	}
	a = acctest.AccountWith(t, declared.Unlatched()...)
	var bad []int64
	done := declared
	for _, fix := range fixes {
		bad = append(bad, fix.ID+1000)
		done = done.With(acctest.Customer{ID: fix.ID})
	}
	unknownContacts(a, bad...)
	c = acctest.NewWorkspace(t, a)
	c.Declare(declared.Block(arguments...))
	output := c.Run(1, "apply", "-no-color", "-auto-approve")
	if got := strings.Count(output, "Error: HubSpot contact cannot be latched"); got != 5 {
		t.Errorf("the errors name %d customers, want 5:\n%s", got, output)
	}
	acctest.Prints(t, output,
		"Could not create the HubSpot latch of customer 42 to contact 1042: POST HubSpot/latchCustomer: 400 Bad Request: "+
			`"The was an error getting the contact from HubSpot: resource not found".`,
		"Error: HubSpot latches are incomplete", "Of 100 changes 95 were made, 5 failed and 0 were not begun.",
		"The replacement removes no latch that is still declared; it continues from here.")
	showsSet(c, done)
	a.WroteSet(t, declared...)
	a.ResetCalls()
	return a, c, declared.With(fixes...), fixes
}

// After a create that has failed in part, the next apply makes only the failed rows, also if
// Terraform replaces the set.
func TestAccCLILatches_partFailure(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments string
		untaint   bool
		plan      string
	}{
		"replaced":              {"", false, "must be replaced"},
		"untainted":             {"", true, "will be updated in-place"},
		"create before destroy": {"lifecycle {\n    create_before_destroy = true\n  }", false, "must be replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c, corrected, fixes := failedCreate(t, test.arguments)
			c.Declare(corrected.Block(test.arguments))
			if test.untaint {
				c.Run(0, "untaint", acctest.SetAddress)
			}
			acctest.Prints(t, c.PlanIs(true), acctest.SetAddress, test.plan)
			c.Run(0, "apply", "-no-color", "tfplan")
			a.WroteSet(t, fixes...)
			a.Holds(t, corrected...)
			showsSet(c, corrected)
			c.PlanIs(false)
		})
	}
}

// The replacement of a set that has failed in part removes the latches that are no longer declared,
// as an update would.
func TestAccCLILatches_partFailureWithRowsRemoved(t *testing.T) {
	t.Parallel()
	a, c, corrected, fixes := failedCreate(t)
	corrected = corrected.With(acctest.Customer{ID: 1}, acctest.Customer{ID: 2})
	c.Declare(corrected.Block())
	c.Apply()
	a.WroteSet(t, append(fixes, acctest.Customer{ID: 1}, acctest.Customer{ID: 2})...)
	a.Holds(t, corrected.With(acctest.Customer{ID: 1})...)
	showsSet(c, corrected)
}

// The replacement changes a row that the create has made and that is declared otherwise now.
func TestAccCLILatches_partFailureWithRowsChanged(t *testing.T) {
	t.Parallel()
	a, c, corrected, fixes := failedCreate(t)
	changed := acctest.Customer{ID: 1, Contact: 2001}
	c.Declare(corrected.With(changed).Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: HubSpot latch set is resumed",
		"The state has 95 customers.", "It removes no latch.",
		"changes the IDs of 1 customer: customer 1.", "It latches 5 customers that the set did not list before.")
	c.Run(0, "apply", "-no-color", "tfplan")
	a.WroteSet(t, append(fixes, changed)...)
	neverUnlatched(t, a)
	a.Holds(t, corrected.With(changed)...)
	c.PlanIs(false)
}

// max_removals limits the replacement of a tainted set, even if the plan has not read the set.
func TestAccCLILatches_limitsOfTaintedSet(t *testing.T) {
	t.Parallel()
	a, c, corrected, _ := failedCreate(t, "max_removals = 3")
	c.Declare(corrected[:15].Block("max_removals = 3"))
	acctest.Prints(t, c.Run(1, "plan", "-no-color"),
		"Error: Too many HubSpot latches would be removed", "max_removals allows 3.")
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "-auto-approve", "-refresh=false"),
		"Error: Too many HubSpot latches would be removed")
	a.WroteSet(t)
	c.Declare(corrected[:15].Block("max_removals = 85"))
	acctest.Prints(t, c.PlanIs(true), "Warning: HubSpot latch set is resumed",
		"that the set no longer lists: customer 16")
	c.Run(0, "apply", "-no-color", "tfplan")
	a.Holds(t, append(corrected[:15:15], corrected[15:].Unlatched()...)...)
	c.PlanIs(false)
}

// The create of an exclusive set fails for one row. The next apply makes that row, and unlatches no
// customer.
func TestAccCLILatches_exclusiveAfterPartFailure(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]string{"exclusive": "exclusive = true", "no longer exclusive": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			declared := acctest.NumberedSet(5, 1000)
			others := acctest.NumberedSet(45, 2000)[5:]
			a := acctest.AccountWith(t, append(declared.Unlatched(), others...)...)
			unknownContacts(a, 1003)
			c := acctest.NewWorkspace(t, a)
			c.Declare(declared.Block("exclusive = true"))
			c.Run(1, "apply", "-no-color", "-auto-approve")
			unknownContacts(a)
			a.ResetCalls()
			c.Declare(declared.Block(again))
			c.Apply()
			a.WroteSet(t, declared[2])
			a.Holds(t, append(others, declared...)...)
		})
	}
}

// The rows of a replacement may be unknown at plan. The replacement then removes no latch.
func TestAccCLILatches_partFailureReplacedByUnknown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		later string // an expression in place of hubspot_company_ids, which is its %s
		warns bool
	}{
		"an ID":   {`merge(%s, { "42" = terraform_data.later.output })`, false},
		"the map": {`{ for id, company in %s : id => company if id != "42" || terraform_data.later.output != "" }`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c, corrected, fixes := failedCreate(t)
			maps := strings.SplitAfterN(corrected.Block(), "hubspot_company_ids = ", 2)
			companies, rest, _ := strings.Cut(maps[1], "}")
			c.Declare(acctest.Block(`resource "terraform_data" "later"`, `input = "3042"`),
				maps[0]+fmt.Sprintf(test.later, companies+"}")+rest)
			output := c.Run(0, "apply", "-no-color", "-auto-approve")
			if warned := strings.Contains(output, "Warning: HubSpot latches were left in place"); warned != test.warns {
				t.Errorf("got a warning: %v, want %v\n%s", warned, test.warns, output)
			}
			a.WroteSet(t, fixes...)
			neverUnlatched(t, a)
			a.Holds(t, corrected...)
			showsSet(c, corrected)
			c.PlanIs(false)
		})
	}
}

// The destroy half of a replacement may fail for a row that it removes. The rows that it keeps stay
// in the state.
func TestAccCLILatches_replacementWithFailedDestroy(t *testing.T) {
	t.Parallel()
	a, c, corrected, fixes := failedCreate(t)
	corrected = corrected.With(acctest.Customer{ID: 1}, acctest.Customer{ID: 2})
	c.Declare(corrected.Block())
	repair := a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteLatch, Times: -1,
		Match: func(r *http.Request) bool { return acctest.CustomerOf(t, r) == 1 },
	})
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "-auto-approve"), "Could not delete the HubSpot latch of customer 1")
	var failed []acctest.Customer
	for _, fix := range fixes {
		failed = append(failed, acctest.Customer{ID: fix.ID})
	}
	showsSet(c, corrected.With(failed...).With(acctest.Customer{ID: 1, Contact: 1001}))
	repair()
	a.ResetCalls()
	c.Apply()
	a.WroteSet(t, append(fixes, acctest.Customer{ID: 1})...)
	showsSet(c, corrected)
}

// The destroy of a tainted set removes all of its latches.
func TestAccCLILatches_destroyAfterPartFailure(t *testing.T) {
	t.Parallel()
	a, c, corrected, _ := failedCreate(t)
	c.Declare(corrected.Block())
	c.Run(0, "destroy", "-no-color", "-auto-approve")
	a.Holds(t, corrected.Unlatched()...)
	if n := a.Writes(); n != 95 {
		t.Errorf("%d writes, want 95, one for each latch", n)
	}
}

// A set that is replaced with the option -replace keeps its latches.
func TestAccCLILatches_replacedOnDemand(t *testing.T) {
	t.Parallel()
	for name, lifecycle := range map[string]string{
		"destroyed first": "", "created first": "lifecycle {\n    create_before_destroy = true\n  }",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			declared := acctest.NumberedSet(30, 1000)
			a := acctest.AccountWith(t, declared.Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			c.Declare(declared.Block(lifecycle))
			c.Apply()
			a.ResetCalls()
			c.Run(0, "apply", "-no-color", "-auto-approve", "-replace="+acctest.SetAddress)
			a.WroteSet(t)
			a.Holds(t, declared...)
			showsSet(c, declared)
		})
	}
}

// If all rows of a create fail, there is no state that could be tainted.
func TestAccHubSpotLatchesFaults_allRowsFail(t *testing.T) {
	declared := acctest.NumberedSet(30, 1000)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	var repair func()
	acctest.Run(t,
		resource.TestStep{
			PreConfig: func() { repair = a.Faults(fusebillsim.FaultStatus500Before, fusebillsim.RouteLatch, -1) },
			Config:    a.With(declared.Block()),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", "",
				"Could not create the HubSpot latch of customer 1 to contact 1001: ",
				"afterwards customer 1 was latched to nothing, but Fusebill may still latch the customer to contact 1001."),
		},
		stepOfSet(t, a, setStep{
			prepare: func() { repair() }, action: plancheck.ResourceActionCreate, after: declared, writes: declared,
		}))
}

// After an update that has failed in part, the state has the rows that were changed, and the prior
// latches of those that failed.
func TestAccHubSpotLatchesFaults_partOfUpdateFails(t *testing.T) {
	before := acctest.NumberedSet(60, 1000)
	after := before.With([]acctest.Customer{
		{ID: 1, Contact: 2001}, {ID: 2, Contact: 404}, {ID: 3}, {ID: 4, Contact: 1004, Company: 3004}, {ID: 5},
		{ID: 61, Contact: 405}, {ID: 62, Contact: 1062},
	}...)
	a := acctest.AccountWith(t, append(before.Unlatched(), acctest.Customer{ID: 61}, acctest.Customer{ID: 62})...)
	var repair func()
	acctest.Run(t, createsSet(t, a, before),
		resource.TestStep{
			PreConfig: func() {
				unknownContacts(a, 404, 405)
				repair = a.Inject(fusebillsim.Fault{
					Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteLatch, Times: -1,
					Match: func(r *http.Request) bool { return acctest.CustomerOf(t, r) == 5 },
				})
			},
			Config: a.With(after.Block()),
			// The CLI sorts errors by the line that they point at.
			ExpectError: acctest.Diagnosis("HubSpot latches are incomplete", latchesLine,
				"Of 7 changes 4 were made, 3 failed and 0 were not begun.",
				"Could not update the HubSpot latch of customer 5:",
				"customer 5 was latched to contact 1005, but Fusebill may still latch the customer to nothing.",
				`"2" = 404`, "Could not update the HubSpot latch of customer 2 to contact 404",
				`"61" = 405`, "Could not update the HubSpot latch of customer 61 to contact 405"),
		},
		stepOfSet(t, a, setStep{
			prepare: func() { repair(); unknownContacts(a) }, action: plancheck.ResourceActionUpdate,
			before: after.With([]acctest.Customer{{ID: 2, Contact: 1002}, {ID: 5, Contact: 1005}, {ID: 61}}...), after: after,
			writes: acctest.LatchSet{{ID: 2, Contact: 404}, {ID: 5}, {ID: 61, Contact: 405}},
		}))
}

// latchesLine is the first line of the block of the set "test". The CLI shows it with an error that
// is not on an attribute.
const latchesLine = `resource "fusebill_hubspot_latches" "test" {`

// A row succeeds if only its response is lost, because the provider then reads the customer. A row
// fails if its response differs from the request.
func TestAccHubSpotLatchesFaults_lostAndOtherResponses(t *testing.T) {
	declared := acctest.NumberedSet(20, 1000)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	fault := func(kind fusebillsim.FaultKind, customer int64) func() {
		return a.Inject(fusebillsim.Fault{
			Kind: kind, Route: fusebillsim.RouteLatch, Times: -1,
			Match: func(r *http.Request) bool { return acctest.CustomerOf(t, r) == customer },
		})
	}
	var repair func()
	acctest.Run(t, resource.TestStep{
		PreConfig: func() {
			repair = fault(fusebillsim.FaultDifferentAnswer, 3)
			fault(fusebillsim.FaultDropAfter, 4)
		},
		Config: a.With(declared.Block()),
		ExpectError: acctest.Diagnosis("HubSpot latches are incomplete", latchesLine, "Of 20 changes 19 were made, 1 failed",
			"Error: Fusebill answered with another latch", `"3" = 1003`,
			"customer 3 was to be latched to contact 1003"),
	}, stepOfSet(t, a, setStep{
		prepare: func() { repair(); a.Holds(t, declared...) },
		action:  plancheck.ResourceActionDestroyBeforeCreate, before: declared, after: declared,
	}))
	a.Holds(t, declared.Unlatched()...)
}

func TestAccCLILatches_fiftyOfAThousandFail(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(1000, 10_000)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	var bad []int64
	var fixes acctest.LatchSet
	for i := 19; i < len(declared); i += 20 {
		bad = append(bad, declared[i].Contact)
		fixes = append(fixes, acctest.Customer{ID: declared[i].ID, Contact: declared[i].Contact + 10_000})
	}
	unknownContacts(a, bad...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	output := c.Run(1, "apply", "-no-color", "-auto-approve")
	acctest.Prints(t, output, "Of 1000 changes 950 were made, 50 failed and 0 were not begun. "+
		"The first 20 failures are listed individually.")
	a.WroteSet(t, declared...)

	a.ResetCalls()
	c.Declare(declared.With(fixes...).Block())
	c.Apply()
	a.WroteSet(t, fixes...)
	neverUnlatched(t, a)
	a.Holds(t, declared.With(fixes...)...)
	c.PlanIs(false)
}

package provider

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: one bad row doesn't stop the others; state holds what is so; the next apply does what is missing
// and nothing else. A create that ended with errors is tainted, and yet its replacement removes no latch that is still
// declared, however it comes about. The same holds for a run that was interrupted or died.

// neverUnlatched fails the test if any call removed a latch.
func neverUnlatched(t *testing.T, a acctest.Account) {
	t.Helper()
	for _, r := range a.Requests() {
		if r.Route == fusebillsim.RouteUnlatch || r.Route == fusebillsim.RouteLatch && strings.Contains(r.Body, `"hubSpotId":null,"hubSpotCompanyId":null`) {
			t.Errorf("a latch was removed: %s %s", r.Path, r.Body)
		}
	}
}

// unknownContacts makes HubSpot not have contacts.
func unknownContacts(a acctest.Account, contacts ...int64) {
	a.Configure(func(b *fusebillsim.Behavior) {
		b.UnknownContacts = make(map[int64]bool)
		for _, contact := range contacts {
			b.UnknownContacts[contact] = true
		}
	})
}

// failedCreate is a create of 100 of which 5 have failed, and what is declared once their rows are right.
func failedCreate(t *testing.T, arguments ...string) (a acctest.Account, c *acctest.Workspace, corrected acctest.LatchSet, fixes acctest.LatchSet) {
	t.Helper()
	declared := acctest.NumberedSet(100, 1000)
	fixes = acctest.LatchSet{{ID: 7, Contact: 2007}, {ID: 19, Contact: 2019}, {ID: 42, Company: 3042}, {ID: 77, Contact: 2077, Company: 3077}, {ID: 100, Contact: 2100}}
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
		t.Errorf("%d customers are told as failed, want 5:\n%s", got, output)
	}
	acctest.Prints(t, output, "Could not create the HubSpot latch of customer 42 to contact 1042: POST HubSpot/latchCustomer: 400 Bad Request: "+
		`"The was an error getting the contact from HubSpot: resource not found".`,
		"Error: HubSpot latches are incomplete", "Of 100 changes 95 were made, 5 failed and 0 were not begun.",
		"The replacement removes no latch that is still declared; it continues from here.")
	showsSet(c, done)
	a.WroteSet(t, declared...)
	a.ResetCalls()
	return a, c, declared.With(fixes...), fixes
}

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

// The replacement of a set that failed in part removes what isn't declared any more, as an update would.
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

// A row that was made and is changed before the next apply is changed by the replacement.
func TestAccCLILatches_partFailureWithRowsChanged(t *testing.T) {
	t.Parallel()
	a, c, corrected, fixes := failedCreate(t)
	changed := acctest.Customer{ID: 1, Contact: 2001}
	c.Declare(corrected.With(changed).Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: HubSpot latch set is resumed", "The state has 95 customers.", "It removes no latch.",
		"changes the IDs of 1 customer: customer 1.", "It latches 5 customers that the set did not list before.")
	c.Run(0, "apply", "-no-color", "tfplan")
	a.WroteSet(t, append(fixes, changed)...)
	neverUnlatched(t, a)
	a.Holds(t, corrected.With(changed)...)
	c.PlanIs(false)
}

// max_removals bounds the replacement of a tainted set, even where the plan has not read it.
func TestAccCLILatches_limitsOfATaintedSet(t *testing.T) {
	t.Parallel()
	a, c, corrected, _ := failedCreate(t, "max_removals = 3")
	c.Declare(corrected[:15].Block("max_removals = 3"))
	acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Error: Too many HubSpot latches would be removed", "max_removals allows 3.")
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "-auto-approve", "-refresh=false"), "Error: Too many HubSpot latches would be removed")
	a.WroteSet(t)
	c.Declare(corrected[:15].Block("max_removals = 85"))
	acctest.Prints(t, c.PlanIs(true), "Warning: HubSpot latch set is resumed", "that the set no longer lists: customer 16")
	c.Run(0, "apply", "-no-color", "tfplan")
	a.Holds(t, append(corrected[:15:15], corrected[15:].Unlatched()...)...)
	c.PlanIs(false)
}

// The apply after a create of an exclusive set that failed for one row makes that row, and unlatches nobody.
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

// What the replacement declares may not be known when it is planned. Nothing is removed on a guess.
func TestAccCLILatches_partFailureReplacedByUnknown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		later string // what replaces the contacts and the companies in the configuration
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
				t.Errorf("a warning: %v, want %v\n%s", warned, test.warns, output)
			}
			a.WroteSet(t, fixes...)
			neverUnlatched(t, a)
			a.Holds(t, corrected...)
			showsSet(c, corrected)
			c.PlanIs(false)
		})
	}
}

// The destroy half of a replacement may fail for a row that is removed. What it was to leave alone stays in the state.
func TestAccCLILatches_replacementWhoseDestroyFails(t *testing.T) {
	t.Parallel()
	a, c, corrected, fixes := failedCreate(t)
	corrected = corrected.With(acctest.Customer{ID: 1}, acctest.Customer{ID: 2})
	c.Declare(corrected.Block())
	back := a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteLatch, Times: -1,
		Match: func(r *http.Request) bool { return acctest.CustomerOf(t, r) == 1 },
	})
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "-auto-approve"), "Could not delete the HubSpot latch of customer 1")
	var failed []acctest.Customer
	for _, fix := range fixes {
		failed = append(failed, acctest.Customer{ID: fix.ID})
	}
	showsSet(c, corrected.With(failed...).With(acctest.Customer{ID: 1, Contact: 1001}))
	back()
	a.ResetCalls()
	c.Apply()
	a.WroteSet(t, append(fixes, acctest.Customer{ID: 1})...)
	showsSet(c, corrected)
}

// A destroy of a tainted set is one like any other.
func TestAccCLILatches_destroyAfterPartFailure(t *testing.T) {
	t.Parallel()
	a, c, corrected, _ := failedCreate(t)
	c.Declare(corrected.Block())
	c.Run(0, "destroy", "-no-color", "-auto-approve")
	a.Holds(t, corrected.Unlatched()...)
	if n := a.Writes(); n != 95 {
		t.Errorf("%d writes, want one for each latch", n)
	}
}

// A whole set that is replaced for no other reason than that somebody asks for it keeps its latches.
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

// Where everything fails there is nothing to keep, no state, and so no taint.
func TestAccHubSpotLatchesFaults_allFail(t *testing.T) {
	declared := acctest.NumberedSet(30, 1000)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	var back func()
	acctest.Run(t,
		resource.TestStep{
			PreConfig: func() { back = a.Faults(fusebillsim.FaultStatus500Before, fusebillsim.RouteLatch, -1) },
			Config:    a.With(declared.Block()),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", "", "Could not create the HubSpot latch of customer 1 to contact 1001: ",
				"afterwards customer 1 was latched to nothing, but Fusebill may still latch the customer to contact 1001."),
		},
		stepOfSet(t, a, setStep{prepare: func() { back() }, action: plancheck.ResourceActionCreate, after: declared, writes: declared}))
}

// An update keeps what it has made, what it has removed, and what has failed as it was.
func TestAccHubSpotLatchesFaults_partOfAnUpdate(t *testing.T) {
	before := acctest.NumberedSet(60, 1000)
	after := before.With(acctest.Customer{ID: 1, Contact: 2001}, acctest.Customer{ID: 2, Contact: 404}, acctest.Customer{ID: 3}, acctest.Customer{ID: 4, Contact: 1004, Company: 3004}, acctest.Customer{ID: 5}, acctest.Customer{ID: 61, Contact: 405}, acctest.Customer{ID: 62, Contact: 1062})
	a := acctest.AccountWith(t, append(before.Unlatched(), acctest.Customer{ID: 61}, acctest.Customer{ID: 62})...)
	var back func()
	acctest.Run(t, createsSet(t, a, before),
		resource.TestStep{
			PreConfig: func() {
				unknownContacts(a, 404, 405)
				back = a.Inject(fusebillsim.Fault{
					Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteLatch, Times: -1,
					Match: func(r *http.Request) bool { return acctest.CustomerOf(t, r) == 5 },
				})
			},
			Config: a.With(after.Block()),
			// The CLI sorts errors by the line that they point at.
			ExpectError: acctest.Diagnosis("HubSpot latches are incomplete", latchesLine, "Of 7 changes 4 were made, 3 failed and 0 were not begun.",
				"Could not update the HubSpot latch of customer 5:", "customer 5 was latched to contact 1005, but Fusebill may still latch the customer to nothing.",
				`"2" = 404`, "Could not update the HubSpot latch of customer 2 to contact 404",
				`"61" = 405`, "Could not update the HubSpot latch of customer 61 to contact 405"),
		},
		stepOfSet(t, a, setStep{
			prepare: func() { back(); unknownContacts(a) }, action: plancheck.ResourceActionUpdate,
			before: after.With(acctest.Customer{ID: 2, Contact: 1002}, acctest.Customer{ID: 5, Contact: 1005}, acctest.Customer{ID: 61}), after: after,
			writes: acctest.LatchSet{{ID: 2, Contact: 404}, {ID: 5}, {ID: 61, Contact: 405}},
		}))
}

// latchesLine is where a diagnostic points at that is about the set "test" as a whole.
const latchesLine = `resource "fusebill_hubspot_latches" "test" {`

// Answers that are lost, and answers that say something else than was asked for.
func TestAccHubSpotLatchesFaults_answers(t *testing.T) {
	declared := acctest.NumberedSet(20, 1000)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	fault := func(kind fusebillsim.FaultKind, customer int64) func() {
		return a.Inject(fusebillsim.Fault{
			Kind: kind, Route: fusebillsim.RouteLatch, Times: -1, Match: func(r *http.Request) bool { return acctest.CustomerOf(t, r) == customer },
		})
	}
	var back func()
	acctest.Run(t, resource.TestStep{
		PreConfig: func() {
			back = fault(fusebillsim.FaultDifferentAnswer, 3)
			fault(fusebillsim.FaultDropAfter, 4) // A lost answer isn't a lost write: the customer is read.
		},
		Config: a.With(declared.Block()),
		ExpectError: acctest.Diagnosis("HubSpot latches are incomplete", latchesLine, "Of 20 changes 19 were made, 1 failed",
			"Error: Fusebill answered with another latch", `"3" = 1003`,
			"customer 3 was to be latched to contact 1003"),
	}, stepOfSet(t, a, setStep{
		prepare: func() { back(); a.Holds(t, declared...) },
		action:  plancheck.ResourceActionDestroyBeforeCreate, before: declared, after: declared,
	}))
	a.Holds(t, declared.Unlatched()...)
}

// stopAt runs an apply that a signal ends at its n-th latch call: the CLI, or the provider where kill says so. Calls from
// then on hang until their caller gives them up.
func stopAt(c *acctest.Workspace, a acctest.Account, n int64, stop func(*exec.Cmd)) (output string) {
	c.T.Helper()
	cmd, buffer := c.Command("apply", "-no-color", "-auto-approve")
	started := make(chan struct{})
	var calls atomic.Int64
	hung := a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultLatencyBefore, Route: fusebillsim.RouteLatch, Latency: acctest.Forever, Times: -1,
		Match: func(*http.Request) bool {
			<-started
			call := calls.Add(1)
			if call == n {
				stop(cmd)
			}
			return call >= n
		},
	})
	endsWithError(c, cmd, buffer, started)
	hung()
	return buffer.String()
}

// fails runs a command that is to end with an error, and says when it has a process.
func endsWithError(c *acctest.Workspace, cmd *exec.Cmd, output *bytes.Buffer, started chan struct{}) {
	c.T.Helper()
	err := cmd.Start()
	close(started)
	if err == nil {
		err = cmd.Wait()
	}
	c.Ended(cmd, output, err, 1)
}

// dieAt applies, and kills the provider when it makes the n-th call to change a latch, with whatever else is under way.
func dieAt(c *acctest.Workspace, a acctest.Account, n int64) {
	c.T.Helper()
	cmd, output := c.Command("apply", "-no-color", "-auto-approve")
	started := make(chan struct{})
	var calls atomic.Int64
	lived := a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultNone, Route: fusebillsim.RouteLatch, Times: -1,
		OnRequest: func(*http.Request) {
			<-started
			if calls.Add(1) == n {
				c.KillProvider(cmd)
			}
		},
	})
	defer lived()
	endsWithError(c, cmd, output, started)
}

// Interrupted in the midst of a create, update or destroy, the set is in the state as far as it came, and the next apply does
// the rest.
func TestAccCLILatches_interrupted(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(100, 1000)
	for name, test := range map[string]struct {
		before, after acctest.LatchSet
	}{
		"create":  {nil, declared},
		"update":  {declared, declared.Unlatched().Renumbered(5000)},
		"destroy": {declared, acctest.LatchSet{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, declared.Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			if test.before != nil {
				c.Declare(test.before.Block())
				c.Apply()
			}
			a.ResetCalls()
			if len(test.after) > 0 {
				c.Declare(test.after.Block("max_changes = 100"))
			} else {
				c.Declare()
			}
			output := stopAt(c, a, 40, c.Interrupt)
			acctest.Prints(t, output, "Interrupt received", "Error: Interrupted", "were not begun", "context canceled", "Run Terraform again to continue.")
			if state := setInState(c); len(test.after) > 0 {
				for key, contact := range state {
					var id int64
					if _, err := fmt.Sscanf(key, "hubspot_ids[%d]", &id); err != nil {
						t.Fatal(err)
					}
					customer, _ := a.Customer(id)
					if contact != fmt.Sprint(customer.HubSpotID) {
						t.Errorf("the state has %s for customer %d, which is latched to contact %d", contact, id, customer.HubSpotID)
					}
				}
			}
			written := a.Writes()
			lost := written - 39 // Calls that hung, and weren't made.
			a.ResetCalls()
			c.Apply()
			if want := 100 - written + lost; a.Writes() != want {
				t.Errorf("%d writes, want %d for the rest", a.Writes(), want)
			}
			if name != "destroy" {
				neverUnlatched(t, a)
				showsSet(c, test.after)
				a.Holds(t, test.after...)
			} else {
				a.Holds(t, declared.Unlatched()...)
			}
			c.PlanIs(false)
		})
	}
}

// Where the provider dies, Terraform learns nothing of what was done. The next apply finds out.
func TestAccCLILatches_providerDies(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(100, 1000)
	for name, before := range map[string]acctest.LatchSet{"in a create": nil, "in an update": declared.Unlatched().Renumbered(5000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, declared.Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			if before != nil {
				c.Declare(before.Block())
				c.Apply()
			}
			c.Declare(declared.Block("max_changes = 100"))
			a.ResetCalls()
			stopAt(c, a, 40, c.KillProvider)
			a.ResetCalls()
			c.Apply()
			if n := a.Writes(); n != 100-39 {
				t.Errorf("%d writes, want those of the customers that are missing", n)
			}
			neverUnlatched(t, a)
			a.Holds(t, declared...)
			showsSet(c, declared)
			c.PlanIs(false)
		})
	}
}

// A thousand customers exchange their contacts, round after round, and each time the provider dies on the way.
func TestAccCLILatches_providerDiesAtAnyMoment(t *testing.T) {
	t.Parallel()
	const rounds, n = 20, 1000
	dice := rand.New(rand.NewPCG(20, 0))
	declared := acctest.NumberedSet(n, 10_000)
	a := acctest.AccountWith(t, declared...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	c.Apply() // It takes over what is there.
	for range rounds {
		declared = declared.Shuffled(dice)
		c.Declare(declared.Block(fmt.Sprint("max_changes = ", n)))
		dieAt(c, a, 1+dice.Int64N(n*9/10))
		c.Apply()
		a.Holds(t, declared...)
	}
	c.PlanIs(false)
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
	acctest.Prints(t, output, "Of 1000 changes 950 were made, 50 failed and 0 were not begun. The first 20 failures are listed individually.")
	a.WroteSet(t, declared...)

	a.ResetCalls()
	c.Declare(declared.With(fixes...).Block())
	c.Apply()
	a.WroteSet(t, fixes...)
	neverUnlatched(t, a)
	a.Holds(t, declared.With(fixes...)...)
	c.PlanIs(false)
}

package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: what is declared is what the account has, with one call for each change; only another
// customer replaces; nothing is overwritten that the plan didn't show; values may be unknown at plan; what can't be right
// is refused before the first call.
//
// Elsewhere: drift, import and faults in the files of those names, errors' full texts in diagnostics_test.go, what a
// warning says and how digits survive in internal/acceptance, identity without a new CLI in protocol_test.go.

func TestAccHubSpotLatch_createAndDestroyAreOneWriteEach(t *testing.T) {
	t.Parallel()
	for name, declared := range map[string]acctest.Customer{
		"contact": {ID: 11, Contact: 101},
		"company": {ID: 11, Company: 202},
		"both":    {ID: 11, Contact: 101, Company: 202},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Contact: 102, Company: 203})
			acctest.Run(t, a.Creates(t, declared))
			// plugin-testing destroyed what it made.
			a.Wrote(t, declared, acctest.Customer{ID: 11})
			a.Holds(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Contact: 102, Company: 203})
		})
	}
}

func TestAccHubSpotLatch_updatesInPlace(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	var steps []resource.TestStep
	before := acctest.Customer{}
	for _, after := range []acctest.Customer{
		{ID: 11, Contact: 101},               // created
		{ID: 11, Contact: 101, Company: 202}, // company added
		{ID: 11, Contact: 102, Company: 202}, // contact changed
		{ID: 11, Contact: 102, Company: 203}, // company changed
		{ID: 11, Company: 203},               // contact removed
		{ID: 11, Contact: 103},               // company removed, contact added
		{ID: 11, Contact: 104, Company: 204}, // both changed
	} {
		if before == (acctest.Customer{}) {
			steps = append(steps, a.Creates(t, after))
		} else {
			steps = append(steps, a.Step(t, acctest.Step{Action: plancheck.ResourceActionUpdate, Before: before, After: after, Writes: []acctest.Customer{after}}))
		}
		before = after
	}
	acctest.Run(t, steps...)
	a.Holds(t, acctest.Customer{ID: 11})
}

func TestAccHubSpotLatch_anotherCustomerReplaces(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	acctest.Run(t,
		a.Creates(t, acctest.Customer{ID: 11, Contact: 101, Company: 202}),
		a.Step(t, acctest.Step{
			// The old customer first lets go of what the new one takes.
			Action: plancheck.ResourceActionDestroyBeforeCreate,
			Before: acctest.Customer{ID: 11, Contact: 101, Company: 202}, After: acctest.Customer{ID: 22, Contact: 101, Company: 202},
			Writes: []acctest.Customer{{ID: 11}, {ID: 22, Contact: 101, Company: 202}},
		}),
	)
	a.Holds(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
}

// The new customer's latch takes the contact from the old one's before that is destroyed. The destroy must not take it
// from the new one.
func TestAccHubSpotLatch_replacedBeforeDestroyKeepsWhatMoved(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	more := []string{"allow_reassociation = true", "lifecycle {\n    create_before_destroy = true\n  }"}
	first, second := acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 22, Contact: 101}
	acctest.Run(t,
		a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionCreate, After: first, Config: a.With(first.Block(more...)), Writes: []acctest.Customer{first},
		}),
		a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionCreateBeforeDestroy, Before: first, After: second,
			Config: a.With(second.Block(more...)), Writes: []acctest.Customer{{ID: 11}, second},
		}),
	)
}

func TestAccHubSpotLatch_whatIsAlreadySoIsTakenOverWithoutAWrite(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101, Company: 202})
	acctest.Run(t, a.Step(t, acctest.Step{Action: plancheck.ResourceActionCreate, After: acctest.Customer{ID: 11, Contact: 101, Company: 202}}))
	a.Holds(t, acctest.Customer{ID: 11})
}

// Nothing is lost by it, so it needs no leave.
func TestAccHubSpotLatch_partOfWhatIsDeclaredIsCompleted(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101})
	acctest.Run(t, a.Creates(t, acctest.Customer{ID: 11, Contact: 101, Company: 202}))
}

func TestAccHubSpotLatch_createRefusesCustomerLatchedOtherwise(t *testing.T) {
	t.Parallel()
	for name, current := range map[string]acctest.Customer{
		"other contact":           {ID: 11, Contact: 999, Company: 202},
		"other company":           {ID: 11, Contact: 101, Company: 888},
		"something else entirely": {ID: 11, Company: 888},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, current)
			acctest.Run(t, acctest.Refused(a.With(acctest.Customer{ID: 11, Contact: 101, Company: 202}.Block()), acctest.Diagnosis(
				"Customer is already latched", "fusebill_id = 11",
				"Could not create the HubSpot latch of customer 11 to contact 101 and company 202: "+
					"customer 11 is already latched to "+current.Latch().String()+".",
				"Nothing was changed.",
				`import { to = fusebill_hubspot_latch.example id = "11" }`,
				latchArguments(current.Latch()))))
			// Nothing came into state either, or the destroy at the end would have unlatched the customer.
			a.Wrote(t)
			a.Holds(t, current)
		})
	}
}

// What the plan showed is what apply may do. Somebody else's change in between is refused, unless it already is, or
// takes nothing from, what was planned.
func TestAccHubSpotLatch_changeBetweenPlanAndApply(t *testing.T) {
	t.Parallel()
	t.Run("create refuses another latch", func(t *testing.T) {
		a := acctest.AccountWith(t, acctest.Customer{ID: 11})
		s := a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionCreate, After: acctest.Customer{ID: 11, Contact: 101},
			Sneak: func() { a.SetLatch(11, 999, 0) },
		})
		s.ExpectError = acctest.Diagnosis("Customer is already latched", "fusebill_id = 11", "(contact 101)", "latched to contact 999 already")
		acctest.Run(t, s)
		a.Wrote(t)
		a.Holds(t, acctest.Customer{ID: 11, Contact: 999})
	})
	t.Run("update refuses another latch", func(t *testing.T) {
		a := acctest.AccountWith(t, acctest.Customer{ID: 11})
		s := a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionUpdate, Before: acctest.Customer{ID: 11, Contact: 101}, After: acctest.Customer{ID: 11, Contact: 102},
			Sneak: func() { a.SetLatch(11, 101, 888) },
		})
		s.ExpectError = acctest.Diagnosis("HubSpot latch changed since the plan was made", latchLine,
			"Could not update the HubSpot latch of customer 11 to contact 102: customer 11 was latched to contact 101, "+
				"and is latched to contact 101 and company 888 now.",
			"Nothing was changed. Plan again")
		acctest.Run(t, a.Creates(t, acctest.Customer{ID: 11, Contact: 101}), s,
			// The next plan shows both what is to change and what somebody else did.
			a.Step(t, acctest.Step{
				Prepare: func() { a.Wrote(t); a.Holds(t, acctest.Customer{ID: 11, Contact: 101, Company: 888}) },
				Action:  plancheck.ResourceActionUpdate, Before: acctest.Customer{ID: 11, Contact: 101, Company: 888}, After: acctest.Customer{ID: 11, Contact: 102},
				Writes: []acctest.Customer{{ID: 11, Contact: 102}},
			}))
	})
	t.Run("update needs no write for what somebody else has done", func(t *testing.T) {
		a := acctest.AccountWith(t, acctest.Customer{ID: 11})
		acctest.Run(t, a.Creates(t, acctest.Customer{ID: 11, Contact: 101}), a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionUpdate, Before: acctest.Customer{ID: 11, Contact: 101}, After: acctest.Customer{ID: 11, Contact: 102},
			Sneak: func() { a.SetLatch(11, 102, 0) },
		}))
	})
	t.Run("update goes on where the latch was released", func(t *testing.T) {
		a := acctest.AccountWith(t, acctest.Customer{ID: 11})
		acctest.Run(t, a.Creates(t, acctest.Customer{ID: 11, Contact: 101}), a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionUpdate, Before: acctest.Customer{ID: 11, Contact: 101}, After: acctest.Customer{ID: 11, Contact: 102},
			Sneak:  func() { a.SetLatch(11, 0, 0) },
			Writes: []acctest.Customer{{ID: 11, Contact: 102}},
		}))
	})
}

// latchLine is the first line of the latch's block: where an error points that is no single attribute's fault.
const latchLine = `resource "fusebill_hubspot_latch" "test" {`

func TestAccHubSpotLatch_valuesUnknownAtPlan(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	config := func(customer, contact int64) string {
		return a.With(
			acctest.Block(`resource "terraform_data" "customer"`, fmt.Sprintf("input = %d", customer)),
			acctest.Block(`resource "terraform_data" "contact"`, fmt.Sprintf("input = %d", contact)),
			acctest.LatchBlock("fusebill_id = terraform_data.customer.output", "hubspot_id = terraform_data.contact.output"))
	}
	unknown := func(action plancheck.ResourceActionType, attributes ...string) resource.ConfigPlanChecks {
		checks := []plancheck.PlanCheck{plancheck.ExpectResourceAction(acctest.LatchAddress, action)}
		for _, name := range attributes {
			checks = append(checks, plancheck.ExpectUnknownValue(acctest.LatchAddress, tfjsonpath.New(name)))
		}
		return resource.ConfigPlanChecks{PreApply: checks}
	}
	made := func(h acctest.Customer) func() {
		return func() { a.Holds(t, h) }
	}
	acctest.Run(t,
		resource.TestStep{
			Config:            config(11, 101),
			ConfigPlanChecks:  unknown(plancheck.ResourceActionCreate, "fusebill_id", "hubspot_id"),
			ConfigStateChecks: acctest.Customer{ID: 11, Contact: 101}.InState(),
			PostApplyFunc:     made(acctest.Customer{ID: 11, Contact: 101}),
		},
		resource.TestStep{
			Config:            config(11, 102),
			ConfigPlanChecks:  unknown(plancheck.ResourceActionUpdate, "hubspot_id"),
			ConfigStateChecks: acctest.Customer{ID: 11, Contact: 102}.InState(),
			PostApplyFunc:     made(acctest.Customer{ID: 11, Contact: 102}),
		},
		resource.TestStep{
			Config:            config(22, 102),
			ConfigPlanChecks:  unknown(plancheck.ResourceActionReplace, "fusebill_id"),
			ConfigStateChecks: acctest.Customer{ID: 22, Contact: 102}.InState(),
			PostApplyFunc:     made(acctest.Customer{ID: 22, Contact: 102}),
		},
	)
	a.Wrote(t, acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 11, Contact: 102}, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Contact: 102}, acctest.Customer{ID: 22})
}

// A customer may be latched to just what an unknown value turns out to be, so the plan can't refuse it.
func TestAccHubSpotLatch_unknownValueMayBeWhatIsAlreadySo(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101, Company: 202})
	source := acctest.Block(`resource "terraform_data" "contact"`, "input = 101")
	acctest.Run(t, resource.TestStep{
		Config:            a.With(source, acctest.LatchBlock("fusebill_id = 11", "hubspot_id = terraform_data.contact.output", "hubspot_company_id = 202")),
		ConfigStateChecks: acctest.Customer{ID: 11, Contact: 101, Company: 202}.InState(),
		PostApplyFunc:     func() { a.Wrote(t) },
	})
}

// The validators run again at apply, when values are known that weren't at plan.
func TestAccHubSpotLatch_unknownValuesAreValidatedAtApply(t *testing.T) {
	t.Parallel()
	source := acctest.Block(`resource "terraform_data" "source"`, "input = 0")
	for name, c := range map[string]struct {
		arguments []string
		summary   string
		line      string
	}{
		"both HubSpot IDs turn out null": {
			[]string{"fusebill_id = 11", "hubspot_id = terraform_data.source.output == 0 ? null : 101"},
			"Missing Attribute Configuration", latchLine,
		},
		"customer turns out 0": {
			[]string{"fusebill_id = terraform_data.source.output", "hubspot_id = 101"},
			"Invalid Fusebill customer ID", "fusebill_id = terraform_data.source.output",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			acctest.Run(t, acctest.Refused(a.With(source, acctest.LatchBlock(c.arguments...)), acctest.Diagnosis(c.summary, c.line)))
			a.Wrote(t)
		})
	}
}

// Numbers of a configuration, or of JSON and YAML in it, keep every digit, and mean the same as strings.
func TestAccHubSpotLatch_numbersConvert(t *testing.T) {
	latch := acctest.Customer{ID: 9007199254740993, Contact: 9007199254740995, Company: 101}
	a := acctest.AccountWith(t, acctest.Customer{ID: latch.ID})
	unchanged := func(arguments ...string) resource.TestStep {
		return a.Step(t, acctest.Step{
			Config: a.With(acctest.LatchBlock(arguments...)), Action: plancheck.ResourceActionNoop, Before: latch, After: latch,
		})
	}
	acctest.Run(t,
		a.Creates(t, latch), // by numbers
		unchanged(`fusebill_id = "9007199254740993"`, `hubspot_id = "9007199254740995"`, `hubspot_company_id = "101"`),
		unchanged("fusebill_id = jsondecode(\"9007199254740993\")", "hubspot_id = yamldecode(\"9007199254740995\")",
			"hubspot_company_id = 100 + 1"),
	)
}

func TestAccHubSpotLatch_impossibleValuesAreRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arguments string
		diagnosis [3]string // summary, line, text
	}{
		"no HubSpot ID": {
			"fusebill_id = 11",
			[3]string{"Missing Attribute Configuration", latchLine, "At least one of these attributes must be configured: [hubspot_id,hubspot_company_id]"},
		},
		"customer missing": {
			"hubspot_id = 101",
			[3]string{"Missing required argument", "", `The argument "fusebill_id" is required`},
		},
		"customer 0": {
			"fusebill_id = 0\nhubspot_id = 101",
			[3]string{"Invalid Fusebill customer ID", "fusebill_id = 0", idFault("0", idOfCustomer)},
		},
		"contact 0": {
			"fusebill_id = 11\nhubspot_id = 0",
			[3]string{"Invalid HubSpot contact ID", "hubspot_id = 0", idFault("0", idOfContact)},
		},
		"company negative": {
			"fusebill_id = 11\nhubspot_company_id = -202",
			[3]string{"Invalid HubSpot company ID", "hubspot_company_id = -202", idFault("-202", idOfCompany)},
		},
		"contact beyond 64 bits": {
			"fusebill_id = 11\nhubspot_id = 9223372036854775808",
			[3]string{
				"Invalid HubSpot contact ID", "hubspot_id = 9223372036854775808", idFault("9223372036854775808", idOfContact),
			},
		},
		"contact of 20 digits": {
			"fusebill_id = 11\nhubspot_id = 12345678901234567890",
			[3]string{
				"Invalid HubSpot contact ID", "hubspot_id = 12345678901234567890",
				idFault("12345678901234567890", idOfContact),
			},
		},
		"contact with decimals": {
			"fusebill_id = 11\nhubspot_id = 101.5",
			[3]string{"Invalid HubSpot contact ID", "hubspot_id = 101.5", idFault("101.5", idOfContact)},
		},
		"company with leading zeros": {
			"fusebill_id = 11\nhubspot_company_id = \"0202\"",
			[3]string{"Invalid HubSpot company ID", `hubspot_company_id = "0202"`, idFault("0202", idOfCompany)},
		},
		"customer's reference": {
			"fusebill_id = \"C-11\"\nhubspot_id = 101",
			[3]string{"Invalid Fusebill customer ID", `fusebill_id = "C-11"`, idFault("C-11", idOfCustomer)},
		},
		"contact's URL": {
			"fusebill_id = 11\nhubspot_id = \"" + contactURL + `"`,
			[3]string{"Invalid HubSpot contact ID", `hubspot_id = "` + contactURL + `"`, idFault(contactURL, idOfContact)},
		},
		"rounded cell of a CSV file": {
			"fusebill_id = 11\nhubspot_id = csvdecode(\"id\\n1.23457E+10\")[0].id",
			[3]string{
				"Invalid HubSpot contact ID", `hubspot_id = csvdecode("id\n1.23457E+10")[0].id`,
				idFault("1.23457E+10", idOfContact),
			},
		},
		"timeout that is no duration": {
			"fusebill_id = 11\nhubspot_id = 101\ntimeouts {\ncreate = \"soon\"\n}",
			[3]string{"Invalid Attribute Value Time Duration", `create = "soon"`, `such as "300ms"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t)
			summary, line, text := c.diagnosis[0], c.diagnosis[1], c.diagnosis[2]
			acctest.Run(t, acctest.Refused(a.With(acctest.LatchBlock(strings.Split(c.arguments, "\n")...)), acctest.Diagnosis(summary, line, text)))
			if n := a.Count(); n > 0 {
				t.Errorf("%d calls were made: %v", n, a.Calls())
			}
		})
	}
}

func TestAccHubSpotLatch_timeoutsCanBeSetAndChangedWithoutAWrite(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	latch := acctest.Customer{ID: 11, Contact: 101}
	with := func(timeouts string) string { return a.With(latch.Block("timeouts {\n" + timeouts + "\n}")) }
	acctest.Run(t,
		a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionCreate, After: latch, Writes: []acctest.Customer{latch},
			Config: with("create = \"90s\"\nread = \"1m30s\"\nupdate = \"5m\"\ndelete = \"1h\""),
		}),
		a.Step(t, acctest.Step{Action: plancheck.ResourceActionUpdate, Before: latch, After: latch, Config: with("read = \"2m\"")}),
		a.Step(t, acctest.Step{Action: plancheck.ResourceActionUpdate, Before: latch, After: latch}), // the block removed
	)
	a.Holds(t, acctest.Customer{ID: 11})
}

// How long exactly a timeout lets an operation run is tested in protocol_test.go, on a clock of its own. Here the answer
// never comes, so that any timeout is reached: the read's while planning, which a plan doesn't fail for, and the create's.
func TestAccHubSpotLatch_timeoutEndsAnOperation(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	a.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Route: fusebillsim.RouteCustomer, Latency: acctest.Forever, Times: -1})
	a.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Route: fusebillsim.RouteCustomers, Latency: acctest.Forever, Times: -1})
	// Were the timeout not kept, the request's would end the call, with another error.
	config := a.Provider(`request_timeout = "10s"`, "max_retries = 0") +
		acctest.Customer{ID: 11, Contact: 101}.Block("timeouts {\nread = \"20ms\"\ncreate = \"20ms\"\n}")
	acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(
		"Timed out", latchLine,
		"Could not create the HubSpot latch of customer 11 to contact 101", "the timeout of 20ms for this operation is over",
		"set timeouts in the resource")))
	a.Wrote(t)
}

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

// The tests in this file create, update, replace and destroy a single latch. They check that:
//
//   - the account has the declared latch, with one call for each change;
//   - only another customer replaces the resource;
//   - an apply overwrites nothing that the plan did not show;
//   - values may be unknown at plan;
//   - invalid values are refused before the first call.
//
// Drift, import and faults have files of their own. The full texts of errors are in
// diagnostics_test.go. Package acceptance checks warnings and large IDs, and protocol_test.go
// checks identities without a CLI that has them.

func TestAccHubSpotLatch_createsAndDestroysWithOneWriteEach(t *testing.T) {
	t.Parallel()
	for name, declared := range map[string]acctest.Customer{
		"contact": {ID: 11, Contact: 101},
		"company": {ID: 11, Company: 202},
		"both":    {ID: 11, Contact: 101, Company: 202},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Contact: 102, Company: 203})
			acctest.Run(t, a.Creates(t, declared))
			// plugin-testing has destroyed the latch at the end.
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
			steps = append(steps, a.Step(t, acctest.Step{
				Action: plancheck.ResourceActionUpdate, Before: before, After: after, Writes: []acctest.Customer{after},
			}))
		}
		before = after
	}
	acctest.Run(t, steps...)
	a.Holds(t, acctest.Customer{ID: 11})
}

func TestAccHubSpotLatch_isReplacedForAnotherCustomer(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	first := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	second := acctest.Customer{ID: 22, Contact: 101, Company: 202}
	acctest.Run(t,
		a.Creates(t, first),
		a.Step(t, acctest.Step{
			// The first customer releases the contact and the company before the second one claims
			// them.
			Action: plancheck.ResourceActionDestroyBeforeCreate, Before: first, After: second,
			Writes: []acctest.Customer{{ID: 11}, second},
		}),
	)
	a.Holds(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
}

// With create_before_destroy, the new latch takes the contact from the old one. The destroy of the
// old latch must leave the new one alone.
func TestAccHubSpotLatch_createBeforeDestroyKeepsMovedContact(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	more := []string{"allow_reassociation = true", "lifecycle {\n    create_before_destroy = true\n  }"}
	first, second := acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 22, Contact: 101}
	acctest.Run(t,
		a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionCreate, After: first,
			Config: a.With(first.Block(more...)), Writes: []acctest.Customer{first},
		}),
		a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionCreateBeforeDestroy, Before: first, After: second,
			Config: a.With(second.Block(more...)), Writes: []acctest.Customer{{ID: 11}, second},
		}),
	)
}

func TestAccHubSpotLatch_adoptsExistingLatchWithoutAWrite(t *testing.T) {
	latch := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	a := acctest.AccountWith(t, latch)
	acctest.Run(t, a.Step(t, acctest.Step{Action: plancheck.ResourceActionCreate, After: latch}))
	a.Holds(t, acctest.Customer{ID: 11})
}

// Adding an ID to an existing latch overwrites nothing, so it does not need allow_reassociation.
func TestAccHubSpotLatch_createAddsMissingID(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101})
	acctest.Run(t, a.Creates(t, acctest.Customer{ID: 11, Contact: 101, Company: 202}))
}

func TestAccHubSpotLatch_createRefusesOtherLatch(t *testing.T) {
	t.Parallel()
	for name, current := range map[string]acctest.Customer{
		"other contact":             {ID: 11, Contact: 999, Company: 202},
		"other company":             {ID: 11, Contact: 101, Company: 888},
		"other company, no contact": {ID: 11, Company: 888},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, current)
			declared := acctest.Customer{ID: 11, Contact: 101, Company: 202}
			acctest.Run(t, acctest.Refused(a.With(declared.Block()), acctest.Diagnosis(
				"Customer is already latched", "fusebill_id = 11",
				"Could not create the HubSpot latch of customer 11 to contact 101 and company 202: "+
					"customer 11 is already latched to "+current.Latch().String()+".",
				"Nothing was changed.",
				`import { to = fusebill_hubspot_latch.example id = "11" }`,
				latchArguments(current.Latch()))))
			// The state is empty. Otherwise the destroy at the end would have unlatched the
			// customer.
			a.Wrote(t)
			a.Holds(t, current)
		})
	}
}

// An apply makes only the change that the plan showed. If somebody changes the latch between plan
// and apply, the apply fails, unless the latch is as declared now, or was removed.
func TestAccHubSpotLatch_changeBetweenPlanAndApply(t *testing.T) {
	t.Parallel()
	first, second := acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 11, Contact: 102}
	t.Run("create refuses another latch", func(t *testing.T) {
		a := acctest.AccountWith(t, acctest.Customer{ID: 11})
		s := a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionCreate, After: first,
			Sneak: func() { a.SetLatch(11, 999, 0) },
		})
		s.ExpectError = acctest.Diagnosis("Customer is already latched", "fusebill_id = 11",
			"to contact 101", "already latched to contact 999")
		acctest.Run(t, s)
		a.Wrote(t)
		a.Holds(t, acctest.Customer{ID: 11, Contact: 999})
	})
	t.Run("update refuses another latch", func(t *testing.T) {
		a := acctest.AccountWith(t, acctest.Customer{ID: 11})
		s := a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionUpdate, Before: first, After: second,
			Sneak: func() { a.SetLatch(11, 101, 888) },
		})
		s.ExpectError = acctest.Diagnosis("HubSpot latch changed since the plan was made", latchLine,
			"Could not update the HubSpot latch of customer 11 to contact 102: customer 11 was latched to contact 101, "+
				"and is latched to contact 101 and company 888 now.",
			"Nothing was changed. Plan again")
		changed := acctest.Customer{ID: 11, Contact: 101, Company: 888}
		acctest.Run(t, a.Creates(t, first), s,
			// The next plan shows the declared change and the change that somebody else made.
			a.Step(t, acctest.Step{
				Prepare: func() { a.Wrote(t); a.Holds(t, changed) },
				Action:  plancheck.ResourceActionUpdate, Before: changed, After: second,
				Writes: []acctest.Customer{second},
			}))
	})
	t.Run("update makes no write if somebody else has made the change", func(t *testing.T) {
		a := acctest.AccountWith(t, acctest.Customer{ID: 11})
		acctest.Run(t, a.Creates(t, first), a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionUpdate, Before: first, After: second,
			Sneak: func() { a.SetLatch(11, 102, 0) },
		}))
	})
	t.Run("update makes its change if somebody else has removed the latch", func(t *testing.T) {
		a := acctest.AccountWith(t, acctest.Customer{ID: 11})
		acctest.Run(t, a.Creates(t, first), a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionUpdate, Before: first, After: second,
			Sneak:  func() { a.SetLatch(11, 0, 0) },
			Writes: []acctest.Customer{second},
		}))
	})
}

// latchLine is the first line of the latch's block. The CLI shows it with an error that is not on
// an attribute.
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
	holds := func(h acctest.Customer) func() {
		return func() { a.Holds(t, h) }
	}
	acctest.Run(t,
		resource.TestStep{
			Config:            config(11, 101),
			ConfigPlanChecks:  unknown(plancheck.ResourceActionCreate, "fusebill_id", "hubspot_id"),
			ConfigStateChecks: acctest.Customer{ID: 11, Contact: 101}.InState(),
			PostApplyFunc:     holds(acctest.Customer{ID: 11, Contact: 101}),
		},
		resource.TestStep{
			Config:            config(11, 102),
			ConfigPlanChecks:  unknown(plancheck.ResourceActionUpdate, "hubspot_id"),
			ConfigStateChecks: acctest.Customer{ID: 11, Contact: 102}.InState(),
			PostApplyFunc:     holds(acctest.Customer{ID: 11, Contact: 102}),
		},
		resource.TestStep{
			Config:            config(22, 102),
			ConfigPlanChecks:  unknown(plancheck.ResourceActionReplace, "fusebill_id"),
			ConfigStateChecks: acctest.Customer{ID: 22, Contact: 102}.InState(),
			PostApplyFunc:     holds(acctest.Customer{ID: 22, Contact: 102}),
		},
	)
	a.Wrote(t, []acctest.Customer{
		{ID: 11, Contact: 101}, {ID: 11, Contact: 102}, {ID: 11}, {ID: 22, Contact: 102}, {ID: 22},
	}...)
}

// The plan must not refuse an unknown value for a latched customer, because the value may turn out
// to be the current one.
func TestAccHubSpotLatch_unknownValueMayBeCurrentID(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101, Company: 202})
	source := acctest.Block(`resource "terraform_data" "contact"`, "input = 101")
	acctest.Run(t, resource.TestStep{
		Config: a.With(source, acctest.LatchBlock(
			"fusebill_id = 11", "hubspot_id = terraform_data.contact.output", "hubspot_company_id = 202")),
		ConfigStateChecks: acctest.Customer{ID: 11, Contact: 101, Company: 202}.InState(),
		PostApplyFunc:     func() { a.Wrote(t) },
	})
}

// The validators run again at apply, when the values that were unknown at plan are known.
func TestAccHubSpotLatch_unknownValuesAreValidatedAtApply(t *testing.T) {
	t.Parallel()
	source := acctest.Block(`resource "terraform_data" "source"`, "input = 0")
	for name, c := range map[string]struct {
		arguments []string
		summary   string
		line      string
	}{
		"both HubSpot IDs are null": {
			[]string{"fusebill_id = 11", "hubspot_id = terraform_data.source.output == 0 ? null : 101"},
			"Missing Attribute Configuration", latchLine,
		},
		"customer is 0": {
			[]string{"fusebill_id = terraform_data.source.output", "hubspot_id = 101"},
			"Invalid Fusebill customer ID", "fusebill_id = terraform_data.source.output",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			config := a.With(source, acctest.LatchBlock(c.arguments...))
			acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(c.summary, c.line)))
			a.Wrote(t)
		})
	}
}

// Terraform converts a number in the configuration, or in its JSON or YAML, to a string with the
// same digits.
func TestAccHubSpotLatch_numbersKeepAllDigits(t *testing.T) {
	latch := acctest.Customer{ID: 9007199254740993, Contact: 9007199254740995, Company: 101}
	a := acctest.AccountWith(t, acctest.Customer{ID: latch.ID})
	unchanged := func(arguments ...string) resource.TestStep {
		return a.Step(t, acctest.Step{
			Config: a.With(acctest.LatchBlock(arguments...)), Action: plancheck.ResourceActionNoop, Before: latch, After: latch,
		})
	}
	acctest.Run(t,
		a.Creates(t, latch), // with numbers
		unchanged(`fusebill_id = "9007199254740993"`, `hubspot_id = "9007199254740995"`, `hubspot_company_id = "101"`),
		unchanged("fusebill_id = jsondecode(\"9007199254740993\")", "hubspot_id = yamldecode(\"9007199254740995\")",
			"hubspot_company_id = 100 + 1"),
	)
}

func TestAccHubSpotLatch_refusesInvalidValuesBeforeAnyCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arguments string
		diagnosis [3]string // summary, line, text
	}{
		"no HubSpot ID": {
			"fusebill_id = 11",
			[3]string{
				"Missing Attribute Configuration", latchLine,
				"At least one of these attributes must be configured: [hubspot_id,hubspot_company_id]",
			},
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
			config := a.With(acctest.LatchBlock(strings.Split(c.arguments, "\n")...))
			summary, line, text := c.diagnosis[0], c.diagnosis[1], c.diagnosis[2]
			acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(summary, line, text)))
			if n := a.Count(); n > 0 {
				t.Errorf("%d calls were made: %v", n, a.Calls())
			}
		})
	}
}

func TestAccHubSpotLatch_timeoutsChangeWithoutAWrite(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	latch := acctest.Customer{ID: 11, Contact: 101}
	with := func(timeouts string) string { return a.With(latch.Block("timeouts {\n" + timeouts + "\n}")) }
	acctest.Run(t,
		a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionCreate, After: latch, Writes: []acctest.Customer{latch},
			Config: with("create = \"90s\"\nread = \"1m30s\"\nupdate = \"5m\"\ndelete = \"1h\""),
		}),
		a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionUpdate, Before: latch, After: latch, Config: with("read = \"2m\""),
		}),
		a.Step(t, acctest.Step{Action: plancheck.ResourceActionUpdate, Before: latch, After: latch}), // without the block
	)
	a.Holds(t, acctest.Customer{ID: 11})
}

// The service never answers, so the timeouts for read and create end both operations. The read in
// the plan does not fail the plan. protocol_test.go checks the exact times, with a fake clock.
func TestAccHubSpotLatch_timeoutEndsOperation(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	for _, route := range acctest.ReadRoutes {
		a.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyAfter, Route: route, Latency: acctest.Forever, Times: -1,
		})
	}
	// Without the timeouts block, request_timeout would end the call, with another error.
	config := a.Provider(`request_timeout = "10s"`, "max_retries = 0") +
		acctest.Customer{ID: 11, Contact: 101}.Block("timeouts {\nread = \"20ms\"\ncreate = \"20ms\"\n}")
	acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(
		"Timed out", latchLine,
		"Could not create the HubSpot latch of customer 11 to contact 101", "the timeout of 20ms for this operation is over",
		"set timeouts in the resource")))
	a.Wrote(t)
}

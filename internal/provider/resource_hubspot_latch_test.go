package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: what is declared is what the account has, with one call for each change; only another
// customer replaces; nothing is overwritten that the plan didn't show; values may be unknown at plan; what can't be right
// is refused before the first call.
//
// Elsewhere: drift, import and faults in the files of those names, errors' full texts in diagnostics_test.go, what a
// warning says and how digits survive in cli_test.go, identity without a new CLI in protocol_test.go.

func TestAccHubSpotLatch_createAndDestroyAreOneWriteEach(t *testing.T) {
	t.Parallel()
	for name, declared := range map[string]held{
		"contact": {11, 101, 0},
		"company": {11, 0, 202},
		"both":    {11, 101, 202},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0}, held{22, 102, 203})
			run(t, a.creates(t, declared))
			// plugin-testing destroyed what it made.
			a.wrote(t, declared, held{11, 0, 0})
			a.holds(t, held{11, 0, 0}, held{22, 102, 203})
		})
	}
}

func TestAccHubSpotLatch_updatesInPlace(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	var steps []resource.TestStep
	before := held{}
	for _, after := range []held{
		{11, 101, 0},   // created
		{11, 101, 202}, // company added
		{11, 102, 202}, // contact changed
		{11, 102, 203}, // company changed
		{11, 0, 203},   // contact removed
		{11, 103, 0},   // company removed, contact added
		{11, 104, 204}, // both changed
	} {
		if before == (held{}) {
			steps = append(steps, a.creates(t, after))
		} else {
			steps = append(steps, a.step(t, step{action: plancheck.ResourceActionUpdate, before: before, after: after, writes: []held{after}}))
		}
		before = after
	}
	run(t, steps...)
	a.holds(t, held{11, 0, 0})
}

func TestAccHubSpotLatch_anotherCustomerReplaces(t *testing.T) {
	a := accountWith(t, held{11, 0, 0}, held{22, 0, 0})
	run(t,
		a.creates(t, held{11, 101, 202}),
		a.step(t, step{
			// The old customer first lets go of what the new one takes.
			action: plancheck.ResourceActionDestroyBeforeCreate,
			before: held{11, 101, 202}, after: held{22, 101, 202},
			writes: []held{{11, 0, 0}, {22, 101, 202}},
		}),
	)
	a.holds(t, held{11, 0, 0}, held{22, 0, 0})
}

// The new customer's latch takes the contact from the old one's before that is destroyed. The destroy must not take it
// from the new one.
func TestAccHubSpotLatch_replacedBeforeDestroyKeepsWhatMoved(t *testing.T) {
	a := accountWith(t, held{11, 0, 0}, held{22, 0, 0})
	more := []string{"allow_reassociation = true", "lifecycle {\n    create_before_destroy = true\n  }"}
	first, second := held{11, 101, 0}, held{22, 101, 0}
	run(t,
		a.step(t, step{
			action: plancheck.ResourceActionCreate, after: first, config: a.with(first.block(more...)), writes: []held{first},
		}),
		a.step(t, step{
			action: plancheck.ResourceActionCreateBeforeDestroy, before: first, after: second,
			config: a.with(second.block(more...)), writes: []held{{11, 0, 0}, second},
		}),
	)
}

func TestAccHubSpotLatch_whatIsAlreadySoIsTakenOverWithoutAWrite(t *testing.T) {
	a := accountWith(t, held{11, 101, 202})
	run(t, a.step(t, step{action: plancheck.ResourceActionCreate, after: held{11, 101, 202}}))
	a.holds(t, held{11, 0, 0})
}

// Nothing is lost by it, so it needs no leave.
func TestAccHubSpotLatch_partOfWhatIsDeclaredIsCompleted(t *testing.T) {
	a := accountWith(t, held{11, 101, 0})
	run(t, a.creates(t, held{11, 101, 202}))
}

func TestAccHubSpotLatch_createRefusesCustomerLatchedOtherwise(t *testing.T) {
	t.Parallel()
	for name, current := range map[string]held{
		"other contact":           {11, 999, 202},
		"other company":           {11, 101, 888},
		"something else entirely": {11, 0, 888},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, current)
			run(t, refused(a.with(held{11, 101, 202}.block()), diagnosis(
				"Customer is latched already", "fusebill_id = 11",
				"Could not plan the HubSpot latch of customer 11 (contact 101 and company 202): "+
					"customer 11 is latched to "+current.latch().String()+" already.",
				"Nothing was changed.",
				`import { to = fusebill_hubspot_latch.example id = "11" }`,
				latchArguments(current.latch()))))
			// Nothing came into state either, or the destroy at the end would have unlatched the customer.
			a.wrote(t)
			a.holds(t, current)
		})
	}
}

// What the plan showed is what apply may do. Somebody else's change in between is refused, unless it already is, or
// takes nothing from, what was planned.
func TestAccHubSpotLatch_changeBetweenPlanAndApply(t *testing.T) {
	t.Parallel()
	t.Run("create refuses another latch", func(t *testing.T) {
		a := accountWith(t, held{11, 0, 0})
		s := a.step(t, step{
			action: plancheck.ResourceActionCreate, after: held{11, 101, 0},
			sneak: func() { a.SetLatch(11, 999, 0) },
		})
		s.ExpectError = diagnosis("Customer is latched already", "fusebill_id = 11", "(contact 101)", "latched to contact 999 already")
		run(t, s)
		a.wrote(t)
		a.holds(t, held{11, 999, 0})
	})
	t.Run("update refuses another latch", func(t *testing.T) {
		a := accountWith(t, held{11, 0, 0})
		s := a.step(t, step{
			action: plancheck.ResourceActionUpdate, before: held{11, 101, 0}, after: held{11, 102, 0},
			sneak: func() { a.SetLatch(11, 101, 888) },
		})
		s.ExpectError = diagnosis("HubSpot latch changed since the plan was made", latchLine,
			"Could not update the HubSpot latch of customer 11 (contact 102): customer 11 is latched to contact 101 and company 888, "+
				"and no longer to contact 101 as when the plan was made.",
			"Nothing was changed. Plan again")
		run(t, a.creates(t, held{11, 101, 0}), s,
			// The next plan shows both what is to change and what somebody else did.
			a.step(t, step{
				prepare: func() { a.wrote(t); a.holds(t, held{11, 101, 888}) },
				action:  plancheck.ResourceActionUpdate, before: held{11, 101, 888}, after: held{11, 102, 0},
				writes: []held{{11, 102, 0}},
			}))
	})
	t.Run("update needs no write for what somebody else has done", func(t *testing.T) {
		a := accountWith(t, held{11, 0, 0})
		run(t, a.creates(t, held{11, 101, 0}), a.step(t, step{
			action: plancheck.ResourceActionUpdate, before: held{11, 101, 0}, after: held{11, 102, 0},
			sneak: func() { a.SetLatch(11, 102, 0) },
		}))
	})
	t.Run("update goes on where the latch was released", func(t *testing.T) {
		a := accountWith(t, held{11, 0, 0})
		run(t, a.creates(t, held{11, 101, 0}), a.step(t, step{
			action: plancheck.ResourceActionUpdate, before: held{11, 101, 0}, after: held{11, 102, 0},
			sneak:  func() { a.SetLatch(11, 0, 0) },
			writes: []held{{11, 102, 0}},
		}))
	})
}

// latchLine is the first line of the latch's block: where an error points that is no single attribute's fault.
const latchLine = `resource "fusebill_hubspot_latch" "test" {`

func TestAccHubSpotLatch_valuesUnknownAtPlan(t *testing.T) {
	a := accountWith(t, held{11, 0, 0}, held{22, 0, 0})
	config := func(customer, contact int64) string {
		return a.with(
			block(`resource "terraform_data" "customer"`, fmt.Sprintf("input = %d", customer)),
			block(`resource "terraform_data" "contact"`, fmt.Sprintf("input = %d", contact)),
			latchBlock("fusebill_id = terraform_data.customer.output", "hubspot_id = terraform_data.contact.output"))
	}
	unknown := func(action plancheck.ResourceActionType, attributes ...string) resource.ConfigPlanChecks {
		checks := []plancheck.PlanCheck{plancheck.ExpectResourceAction(testLatch, action)}
		for _, name := range attributes {
			checks = append(checks, plancheck.ExpectUnknownValue(testLatch, tfjsonpath.New(name)))
		}
		return resource.ConfigPlanChecks{PreApply: checks}
	}
	made := func(h held) func() {
		return func() { a.holds(t, h) }
	}
	run(t,
		resource.TestStep{
			Config:            config(11, 101),
			ConfigPlanChecks:  unknown(plancheck.ResourceActionCreate, "fusebill_id", "hubspot_id"),
			ConfigStateChecks: held{11, 101, 0}.inState(),
			PostApplyFunc:     made(held{11, 101, 0}),
		},
		resource.TestStep{
			Config:            config(11, 102),
			ConfigPlanChecks:  unknown(plancheck.ResourceActionUpdate, "hubspot_id"),
			ConfigStateChecks: held{11, 102, 0}.inState(),
			PostApplyFunc:     made(held{11, 102, 0}),
		},
		resource.TestStep{
			Config:            config(22, 102),
			ConfigPlanChecks:  unknown(plancheck.ResourceActionReplace, "fusebill_id"),
			ConfigStateChecks: held{22, 102, 0}.inState(),
			PostApplyFunc:     made(held{22, 102, 0}),
		},
	)
	a.wrote(t, held{11, 101, 0}, held{11, 102, 0}, held{11, 0, 0}, held{22, 102, 0}, held{22, 0, 0})
}

// A customer may be latched to just what an unknown value turns out to be, so the plan can't refuse it.
func TestAccHubSpotLatch_unknownValueMayBeWhatIsAlreadySo(t *testing.T) {
	a := accountWith(t, held{11, 101, 202})
	source := block(`resource "terraform_data" "contact"`, "input = 101")
	run(t, resource.TestStep{
		Config:            a.with(source, latchBlock("fusebill_id = 11", "hubspot_id = terraform_data.contact.output", "hubspot_company_id = 202")),
		ConfigStateChecks: held{11, 101, 202}.inState(),
		PostApplyFunc:     func() { a.wrote(t) },
	})
}

// The validators run again at apply, when values are known that weren't at plan.
func TestAccHubSpotLatch_unknownValuesAreValidatedAtApply(t *testing.T) {
	t.Parallel()
	source := block(`resource "terraform_data" "source"`, "input = 0")
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
			"Invalid Attribute Value", "fusebill_id = terraform_data.source.output",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0})
			run(t, refused(a.with(source, latchBlock(c.arguments...)), diagnosis(c.summary, c.line)))
			a.wrote(t)
		})
	}
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
			[3]string{"Invalid Attribute Value", "fusebill_id = 0", "fusebill_id value must be at least 1, got: 0"},
		},
		"contact 0": {
			"fusebill_id = 11\nhubspot_id = 0",
			[3]string{"Invalid Attribute Value", "hubspot_id = 0", "hubspot_id value must be at least 1, got: 0"},
		},
		"company negative": {
			"fusebill_id = 11\nhubspot_company_id = -202",
			[3]string{"Invalid Attribute Value", "hubspot_company_id = -202", "hubspot_company_id value must be at least 1, got: -202"},
		},
		// The framework words this one. What matters here is that the ID isn't cut down to 64 bits.
		"contact beyond 64 bits": {
			"fusebill_id = 11\nhubspot_id = 9223372036854775808",
			[3]string{"Configuration Read Error", "hubspot_id = 9223372036854775808", "cannot be represented as a 64-bit integer"},
		},
		"timeout that is no duration": {
			"fusebill_id = 11\nhubspot_id = 101\ntimeouts {\ncreate = \"soon\"\n}",
			[3]string{"Invalid Attribute Value Time Duration", `create = "soon"`, `such as "300ms"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t)
			summary, line, text := c.diagnosis[0], c.diagnosis[1], c.diagnosis[2]
			run(t, refused(a.with(latchBlock(strings.Split(c.arguments, "\n")...)), diagnosis(summary, line, text)))
			if n := a.Count(); n > 0 {
				t.Errorf("%d calls were made: %v", n, a.Calls())
			}
		})
	}
}

func TestAccHubSpotLatch_timeoutsCanBeSetAndChangedWithoutAWrite(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	latch := held{11, 101, 0}
	with := func(timeouts string) string { return a.with(latch.block("timeouts {\n" + timeouts + "\n}")) }
	run(t,
		a.step(t, step{
			action: plancheck.ResourceActionCreate, after: latch, writes: []held{latch},
			config: with("create = \"90s\"\nread = \"1m30s\"\nupdate = \"5m\"\ndelete = \"1h\""),
		}),
		a.step(t, step{action: plancheck.ResourceActionUpdate, before: latch, after: latch, config: with("read = \"2m\"")}),
		a.step(t, step{action: plancheck.ResourceActionUpdate, before: latch, after: latch}), // the block removed
	)
	a.holds(t, held{11, 0, 0})
}

// How long exactly a timeout lets an operation run is tested in protocol_test.go, on a clock of its own. Here the answer
// never comes, so that any timeout is reached: the read's while planning, which a plan doesn't fail for, and the create's.
func TestAccHubSpotLatch_timeoutEndsAnOperation(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	a.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Route: fusebillsim.RouteCustomer, Latency: forever, Times: -1})
	a.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Route: fusebillsim.RouteCustomers, Latency: forever, Times: -1})
	// Were the timeout not kept, the request's would end the call, with another error.
	config := a.provider(`request_timeout = "10s"`, "max_retries = 0") +
		held{11, 101, 0}.block("timeouts {\nread = \"20ms\"\ncreate = \"20ms\"\n}")
	run(t, refused(config, diagnosis(
		"Timed out", latchLine,
		"Could not create the HubSpot latch of customer 11 (contact 101)", "the timeout of 20ms for this operation is over",
		"timeouts block")))
	a.wrote(t)
}

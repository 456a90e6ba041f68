package provider

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The tests in this file plan and invoke the action that unlatches a customer. They check that:
//
//   - the action removes only the expected latch, with a message before and after;
//   - it makes no write for a customer that is not latched;
//   - a plan refuses to unlatch a customer whose latch a resource declares.

// planUnlatch plans the action, and returns the diagnostics.
func planUnlatch(p *acctest.Protocol, h acctest.Customer) []*tfprotov6.Diagnostic {
	p.T.Helper()
	resp, err := p.Actions().PlanAction(p.T.Context(), &tfprotov6.PlanActionRequest{
		ActionType: acctest.UnlatchType, Config: p.Unlatching(h),
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return resp.Diagnostics
}

func TestActionHubSpotUnlatch(t *testing.T) {
	t.Parallel()
	const large = 9007199254740993
	for name, test := range map[string]struct {
		before, unlatch acctest.Customer
		messages        []string
		summary         string // of the error; empty if there is none
		parts           []string
	}{
		"both": {
			before: acctest.Customer{ID: large, Contact: 101, Company: 202}, unlatch: acctest.Customer{ID: large},
			messages: []string{
				"Customer 9007199254740993 is latched to contact 101 and company 202. Unlatching it.",
				"Customer 9007199254740993 is unlatched. Released: contact 101 and company 202.",
			},
		},
		"as expected": {
			before: acctest.Customer{ID: 11, Contact: large}, unlatch: acctest.Customer{ID: 11, Contact: large},
			messages: []string{
				"Customer 11 is latched to contact 9007199254740993. Unlatching it.",
				"Customer 11 is unlatched. Released: contact 9007199254740993.",
			},
		},
		"not as expected": {
			before: acctest.Customer{ID: 11, Contact: 101, Company: 202}, unlatch: acctest.Customer{ID: 11, Contact: 101},
			summary: "Customer has another HubSpot latch",
			parts: []string{
				"Could not unlatch customer 11: customer 11 is latched to contact 101 and company 202, not to contact 101.",
				"Nothing was changed.",
			},
		},
		"not latched": {
			before: acctest.Customer{ID: 11}, unlatch: acctest.Customer{ID: 11, Contact: 101},
			messages: []string{"Customer 11 is not latched. Nothing was changed."},
		},
		"no customer": {
			before: acctest.Customer{ID: 11, Contact: 101}, unlatch: acctest.Customer{ID: 99},
			summary: "Customer not found in Fusebill",
			parts:   []string{"Could not unlatch customer 99", "Customer with id 99 was not found."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := acctest.SimulatorWith(test.before)
			p := acctest.NewConfiguredProtocol(t, sim)
			p.Succeeded(planUnlatch(p, test.unlatch), nil)
			if n := sim.Count(); n > 0 {
				t.Errorf("the plan made %d calls", n)
			}
			messages, diags := p.Unlatch(test.unlatch)
			if diff := gocmp.Diff(test.messages, messages); diff != "" {
				t.Errorf("messages (- want, + got):\n%s", diff)
			}
			after, writes := test.before, 0
			if len(test.messages) == 2 {
				after, writes = acctest.Customer{ID: test.before.ID}, 1
			}
			if test.summary == "" {
				p.Succeeded(diags, nil)
			} else {
				p.Failed(diags, nil, test.summary, test.parts...)
			}
			acctest.Account{Simulator: sim}.Holds(t, after)
			if n := sim.Writes(); n != writes {
				t.Errorf("%d writes, want %d", n, writes)
			}
		})
	}
}

func TestActionHubSpotUnlatch_refusesInvalidIDs(t *testing.T) {
	t.Parallel()
	p := acctest.NewConfiguredProtocol(t, acctest.SimulatorWith())
	resp, err := p.Actions().ValidateActionConfig(t.Context(), &tfprotov6.ValidateActionConfigRequest{
		ActionType: acctest.UnlatchType, Config: p.Unlatching(acctest.Customer{ID: -11, Contact: -101, Company: -202}),
	})
	if err != nil || len(resp.Diagnostics) != 3 {
		t.Errorf("%d diagnostics, want 3; error %v", len(resp.Diagnostics), err)
	}
}

// The plan of an action and that of a resource cannot be about the same latch. The one that
// Terraform plans last fails.
func TestActionHubSpotUnlatch_refusesDeclaredLatch(t *testing.T) {
	t.Parallel()
	const summary = "HubSpot latch is both declared and removed"
	sim := acctest.SimulatorWith(acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 22, Contact: 102})
	p := acctest.NewConfiguredProtocol(t, sim)
	planLatch := func(h acctest.Customer) []*tfprotov6.Diagnostic {
		resp, err := p.Server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
			TypeName: acctest.LatchType, PriorState: p.State(h), ProposedNewState: p.State(h), Config: p.State(h),
		})
		if err != nil {
			t.Fatal(err)
		}
		return resp.Diagnostics
	}
	p.Succeeded(planLatch(acctest.Customer{ID: 11, Contact: 101}), nil)
	p.Failed(planUnlatch(p, acctest.Customer{ID: 11}), nil, summary,
		"Could not unlatch customer 11: a resource of this run latches customer 11, and an action unlatches the customer.",
		"Remove the action.")
	messages, diags := p.Unlatch(acctest.Customer{ID: 11})
	p.Failed(diags, nil, summary)
	if len(messages) > 0 {
		t.Errorf("got the messages %q, want none", messages)
	}

	p.Succeeded(planUnlatch(p, acctest.Customer{ID: 22}), nil)
	p.Failed(planLatch(acctest.Customer{ID: 22, Contact: 102}), nil, summary,
		"Could not plan the HubSpot latch of customer 22 to contact 102: a resource of this run latches customer 22")
	if n := sim.Writes(); n > 0 {
		t.Errorf("%d writes, want none", n)
	}
}

// unlatchBlock declares the action "test".
func unlatchBlock(arguments ...string) string {
	return acctest.Block(`action "fusebill_hubspot_unlatch" "test"`, acctest.Block("config", arguments...))
}

// unlatchTrigger is a resource whose create invokes the action "test".
var unlatchTrigger = acctest.Block(`resource "terraform_data" "test"`, `lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.fusebill_hubspot_unlatch.test]
    }
  }`)

func TestAccCLI_unlatchTriggeredByAResource(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101, Company: 202}, acctest.Customer{ID: 22})
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutTerraform14("actions")
	c.Declare(unlatchTrigger, unlatchBlock("fusebill_id = 11", "hubspot_id = 101", "hubspot_company_id = 202"),
		acctest.Customer{ID: 22, Contact: 102}.Block())
	acctest.Prints(t, c.Run(0, "apply", "-no-color", "-auto-approve"),
		"Customer 11 is latched to contact 101 and company 202. Unlatching it.",
		"Customer 11 is unlatched. Released: contact 101 and company 202.")
	a.Holds(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Contact: 102})
	c.PlanIs(false)
	if n := a.Writes(); n != 2 {
		t.Errorf("%d writes, want 2", n)
	}
}

func TestAccCLI_unlatchInvoked(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101})
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutTerraform14("actions")
	invoke := func(code int, arguments ...string) string {
		c.Declare(unlatchBlock(append([]string{"fusebill_id = 11"}, arguments...)...))
		return c.Run(code, "apply", "-no-color", "-auto-approve", "-invoke=action.fusebill_hubspot_unlatch.test")
	}
	acctest.Prints(t, invoke(1, "hubspot_id = 999"), "Error: Error when invoking action",
		"Customer has another HubSpot latch: Could not unlatch customer 11: "+
			"customer 11 is latched to contact 101, not to contact 999")
	a.Holds(t, acctest.Customer{ID: 11, Contact: 101})
	acctest.Prints(t, invoke(0), "Customer 11 is latched to contact 101. Unlatching it.",
		"Customer 11 is unlatched. Released: contact 101.")
	a.Holds(t, acctest.Customer{ID: 11})
	acctest.Prints(t, invoke(0), "Customer 11 is not latched. Nothing was changed.")
	if n := a.Writes(); n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
}

// The resource exists already and does not change, so only the plan knows it. The apply does not.
func TestAccCLI_unlatchOfManagedLatch(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutTerraform14("actions")
	c.Declare(acctest.Customer{ID: 11, Contact: 101}.Block())
	c.Apply()
	c.Declare(acctest.Customer{ID: 11, Contact: 101}.Block(), unlatchTrigger, unlatchBlock("fusebill_id = 11"))
	acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Error: HubSpot latch is both declared and removed",
		"a resource of this run latches customer 11, and an action unlatches the customer")
	a.Holds(t, acctest.Customer{ID: 11, Contact: 101})
}

// With -invoke, Terraform plans no resource. It only reads those that the action refers to, so the
// plan warns.
func TestAccCLI_unlatchInvokedForManagedLatch(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutTerraform14("actions")
	c.Declare(acctest.Customer{ID: 11, Contact: 101}.Block(),
		unlatchBlock("fusebill_id = "+acctest.LatchAddress+".fusebill_id"))
	c.Apply()
	acctest.Prints(t, c.Run(0, "plan", "-no-color", "-invoke=action.fusebill_hubspot_unlatch.test"),
		"Warning: HubSpot latch is managed by a resource",
		"The latch of customer 11 is in the state of a resource. Unless this apply removes that resource, "+
			"the next plan creates the latch again.")
}

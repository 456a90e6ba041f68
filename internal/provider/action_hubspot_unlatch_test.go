package provider

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The promises tested here: the action removes the latch that it was meant for, with a word before and after; what isn't
// latched costs no write; what a resource of the configuration declares is refused at plan.

const unlatchType = "fusebill_hubspot_unlatch"

// unlatching is the action's configuration: the customer and what it is expected to be latched to.
func (p *protocol) unlatching(h held) *tfprotov6.DynamicValue {
	p.t.Helper()
	schemas, err := p.server.GetProviderSchema(p.t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		p.t.Fatal(err)
	}
	attributes := map[string]tftypes.Value{}
	for name, id := range map[string]int64{"fusebill_id": h.customer, "hubspot_id": h.contact, "hubspot_company_id": h.company} {
		if id != 0 {
			attributes[name] = tftypes.NewValue(tftypes.Number, id)
		}
	}
	return p.value(objectType(p.t, schemas.ActionSchemas[unlatchType].Schema.ValueType()), attributes)
}

func (p *protocol) actions() tfprotov6.ActionServer {
	p.t.Helper()
	server, ok := p.server.(tfprotov6.ActionServer)
	if !ok {
		p.t.Fatalf("%T has no actions", p.server)
	}
	return server
}

// planUnlatch plans the action.
func (p *protocol) planUnlatch(h held) []*tfprotov6.Diagnostic {
	p.t.Helper()
	resp, err := p.actions().PlanAction(p.t.Context(), &tfprotov6.PlanActionRequest{ActionType: unlatchType, Config: p.unlatching(h)})
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.Diagnostics
}

// unlatch invokes the action, and returns what it says meanwhile and at the end.
func (p *protocol) unlatch(h held) (said []string, diags []*tfprotov6.Diagnostic) {
	p.t.Helper()
	stream, err := p.actions().InvokeAction(p.t.Context(), &tfprotov6.InvokeActionRequest{ActionType: unlatchType, Config: p.unlatching(h)})
	if err != nil {
		p.t.Fatal(err)
	}
	for event := range stream.Events {
		switch event := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			said = append(said, event.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			diags = event.Diagnostics
		}
	}
	return said, diags
}

func TestActionHubSpotUnlatch(t *testing.T) {
	t.Parallel()
	const large = 9007199254740993
	for name, test := range map[string]struct {
		before, unlatch held
		said            []string
		summary         string // of the error; empty: none
		parts           []string
	}{
		"both": {
			before: held{large, 101, 202}, unlatch: held{customer: large},
			said: []string{
				"Customer 9007199254740993 is latched to contact 101 and company 202. Unlatching it.",
				"Customer 9007199254740993 is unlatched. Released: contact 101 and company 202.",
			},
		},
		"as expected": {
			before: held{11, large, 0}, unlatch: held{11, large, 0},
			said: []string{
				"Customer 11 is latched to contact 9007199254740993. Unlatching it.",
				"Customer 11 is unlatched. Released: contact 9007199254740993.",
			},
		},
		"not as expected": {
			before: held{11, 101, 202}, unlatch: held{11, 101, 0},
			summary: "Customer is latched to something else",
			parts:   []string{"Could not unlatch customer 11: customer 11 is latched to contact 101 and company 202, and not to contact 101.", "Nothing was changed."},
		},
		"not latched": {
			before: held{11, 0, 0}, unlatch: held{11, 101, 0},
			said: []string{"Customer 11 isn't latched. Nothing was changed."},
		},
		"no customer": {
			before: held{11, 101, 0}, unlatch: held{customer: 99},
			summary: "Customer not found in Fusebill", parts: []string{"Could not unlatch customer 99", "Customer with id 99 was not found."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simWith(test.before)
			p := configured(t, sim)
			p.succeeded(p.planUnlatch(test.unlatch), nil)
			if n := sim.Count(); n > 0 {
				t.Errorf("the plan made %d calls", n)
			}
			said, diags := p.unlatch(test.unlatch)
			if diff := gocmp.Diff(test.said, said); diff != "" {
				t.Errorf("said (- want, + got):\n%s", diff)
			}
			after, writes := test.before, 0
			if len(test.said) == 2 {
				after, writes = held{customer: test.before.customer}, 1
			}
			if test.summary == "" {
				p.succeeded(diags, nil)
			} else {
				p.failed(diags, nil, test.summary, test.parts...)
			}
			account{Simulator: sim}.holds(t, after)
			if n := sim.Writes(); n != writes {
				t.Errorf("%d writes, want %d", n, writes)
			}
		})
	}
}

func TestActionHubSpotUnlatch_refusesWrongIDs(t *testing.T) {
	t.Parallel()
	p := configured(t, simWith())
	resp, err := p.actions().ValidateActionConfig(t.Context(), &tfprotov6.ValidateActionConfigRequest{
		ActionType: unlatchType, Config: p.unlatching(held{-11, -101, -202}),
	})
	if err != nil || len(resp.Diagnostics) != 3 {
		t.Errorf("%d diagnostics, want 3; error %v", len(resp.Diagnostics), err)
	}
}

// What a resource declares isn't unlatched, whichever of the two Terraform plans first.
func TestActionHubSpotUnlatch_refusesWhatIsDeclared(t *testing.T) {
	t.Parallel()
	const summary = "HubSpot latch is both declared and removed"
	sim := simWith(held{11, 101, 0}, held{22, 102, 0})
	p := configured(t, sim)
	planLatch := func(h held) []*tfprotov6.Diagnostic {
		resp, err := p.server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
			TypeName: latchType, PriorState: p.state(h), ProposedNewState: p.state(h), Config: p.state(h),
		})
		if err != nil {
			t.Fatal(err)
		}
		return resp.Diagnostics
	}
	p.succeeded(planLatch(held{11, 101, 0}), nil)
	p.failed(p.planUnlatch(held{customer: 11}), nil, summary,
		"Could not unlatch customer 11: the same run latches customer 11 by a resource and unlatches it by an action.",
		"A latch that a resource manages is removed by removing the resource.")
	said, diags := p.unlatch(held{customer: 11})
	p.failed(diags, nil, summary)
	if len(said) > 0 {
		t.Errorf("said %q", said)
	}

	p.succeeded(p.planUnlatch(held{customer: 22}), nil)
	p.failed(planLatch(held{22, 102, 0}), nil, summary, "Could not plan the HubSpot latch of customer 22 (contact 102): the same run latches customer 22")
	if n := sim.Writes(); n > 0 {
		t.Errorf("%d writes", n)
	}
}

// unlatchBlock is the action "test".
func unlatchBlock(arguments ...string) string {
	return block(`action "fusebill_hubspot_unlatch" "test"`, block("config", arguments...))
}

// trigger runs the action once it is created.
var trigger = block(`resource "terraform_data" "test"`, `lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.fusebill_hubspot_unlatch.test]
    }
  }`)

func TestAccCLI_unlatchTriggeredByAResource(t *testing.T) {
	t.Parallel()
	a := accountWith(t, held{11, 101, 202}, held{22, 0, 0})
	c := newCLI(t, a)
	c.needsTerraform14("actions")
	c.declare(trigger, unlatchBlock("fusebill_id = 11", "hubspot_id = 101", "hubspot_company_id = 202"), held{22, 102, 0}.block())
	prints(t, c.run(0, "apply", "-no-color", "-auto-approve"),
		"Customer 11 is latched to contact 101 and company 202. Unlatching it.",
		"Customer 11 is unlatched. Released: contact 101 and company 202.")
	a.holds(t, held{11, 0, 0}, held{22, 102, 0})
	c.planIs(false)
	if n := a.Writes(); n != 2 {
		t.Errorf("%d writes, want 2", n)
	}
}

func TestAccCLI_unlatchInvoked(t *testing.T) {
	t.Parallel()
	a := accountWith(t, held{11, 101, 0})
	c := newCLI(t, a)
	c.needsTerraform14("actions")
	invoke := func(code int, arguments ...string) string {
		c.declare(unlatchBlock(append([]string{"fusebill_id = 11"}, arguments...)...))
		return c.run(code, "apply", "-no-color", "-auto-approve", "-invoke=action.fusebill_hubspot_unlatch.test")
	}
	prints(t, invoke(1, "hubspot_id = 999"), "Error: Error when invoking action",
		"Customer is latched to something else: Could not unlatch customer 11: customer 11 is latched to contact 101, and not to contact 999")
	a.holds(t, held{11, 101, 0})
	prints(t, invoke(0), "Customer 11 is latched to contact 101. Unlatching it.", "Customer 11 is unlatched. Released: contact 101.")
	a.holds(t, held{11, 0, 0})
	prints(t, invoke(0), "Customer 11 isn't latched. Nothing was changed.")
	if n := a.Writes(); n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
}

// The resource is there already and doesn't change, so the apply wouldn't know of it: the plan has to.
func TestAccCLI_unlatchOfWhatAResourceManages(t *testing.T) {
	t.Parallel()
	a := accountWith(t, held{11, 0, 0})
	c := newCLI(t, a)
	c.needsTerraform14("actions")
	c.declare(held{11, 101, 0}.block())
	c.apply()
	c.declare(held{11, 101, 0}.block(), trigger, unlatchBlock("fusebill_id = 11"))
	prints(t, c.run(1, "plan", "-no-color"), "Error: HubSpot latch is both declared and removed",
		"the same run latches customer 11 by a resource and unlatches it by an action")
	a.holds(t, held{11, 101, 0})
}

// Invoked by hand, the action sees no resource but those that it refers to, and these aren't planned.
func TestAccCLI_unlatchInvokedOnWhatAResourceManages(t *testing.T) {
	t.Parallel()
	a := accountWith(t, held{11, 0, 0})
	c := newCLI(t, a)
	c.needsTerraform14("actions")
	c.declare(held{11, 101, 0}.block(), unlatchBlock("fusebill_id = "+testLatch+".fusebill_id"))
	c.apply()
	prints(t, c.run(0, "plan", "-no-color", "-invoke=action.fusebill_hubspot_unlatch.test"),
		"Warning: HubSpot latch is managed by a resource",
		"The latch of customer 11 is in the state of a resource. Unless this apply removes that resource, the next plan creates the latch again.")
}

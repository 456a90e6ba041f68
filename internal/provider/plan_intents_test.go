package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The tests of this file force the order in which objects are planned, over the protocol.

// planned is an object of the state or the configuration, and its plan.
type planned struct {
	typeName      string
	state, config map[string]any // nil: none
	isTainted     bool

	prior, proposed tftypes.Value
	private         []byte // of the state, and then of the plan
}

// walk is one process of a provider.
type walk struct {
	*setTerraform
	server tfprotov6.ProviderServer
	types  map[string]tftypes.Object
}

func newWalk(t *testing.T, c *setTerraform) walk {
	t.Helper()
	w := walk{setTerraform: c, server: c.process(), types: make(map[string]tftypes.Object)}
	schemas, err := w.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range schemas.ResourceSchemas {
		w.types[name] = acctest.ObjectType(t, schema.ValueType())
	}
	return w
}

// value is an object of a type; nil attributes stand for null.
func (w walk) value(typeName string, attributes map[string]any) tftypes.Value {
	if attributes == nil {
		return tftypes.NewValue(w.types[typeName], nil)
	}
	return objectOf(w.types[typeName], attributes)
}

// plan reads and plans an object, as Terraform does one after the other.
func (w walk) plan(p *planned) diagnostics {
	w.t.Helper()
	typ := w.types[p.typeName]
	p.prior, p.proposed = w.value(p.typeName, p.state), w.value(p.typeName, p.config)
	if p.state != nil {
		read, err := w.server.ReadResource(w.t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: p.typeName, CurrentState: w.encode(p.prior),
		})
		if err != nil || len(read.Diagnostics) > 0 {
			w.t.Fatal(err, diagnostics(read.Diagnostics))
		}
		p.private = read.Private
		if p.prior, err = read.NewState.Unmarshal(typ); err != nil {
			w.t.Fatal(err)
		}
	}
	request := tfprotov6.PlanResourceChangeRequest{
		TypeName: p.typeName, PriorState: w.encode(p.prior), ProposedNewState: w.encode(p.proposed),
		Config: w.encode(p.proposed), PriorPrivate: p.private,
	}
	none := w.encode(tftypes.NewValue(typ, nil))
	if p.isTainted {
		request.PriorState, request.PriorPrivate = none, nil
	}
	resp, err := w.server.PlanResourceChange(w.t.Context(), &request)
	if err != nil {
		w.t.Fatal(err)
	}
	diags := diagnostics(resp.Diagnostics)
	if len(resp.RequiresReplace) > 0 && len(diags.errors()) == 0 {
		request.PriorState, request.PriorPrivate = none, resp.PlannedPrivate
		if resp, err = w.server.PlanResourceChange(w.t.Context(), &request); err != nil {
			w.t.Fatal(err)
		}
		diags = append(diags, diagnostics(resp.Diagnostics).errors()...) // Terraform drops these warnings.
	}
	p.private = resp.PlannedPrivate
	return diags
}

// destroy applies the destroy of an object, which may be one half of a replacement.
func (w walk) destroy(p *planned) diagnostics {
	w.t.Helper()
	none := w.encode(tftypes.NewValue(w.types[p.typeName], nil))
	resp, err := w.server.ApplyResourceChange(w.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: p.typeName, PriorState: w.encode(p.prior), PlannedState: none, Config: none, PlannedPrivate: p.private,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.Diagnostics
}

// Two objects of the state have the latch of customer 1: one keeps it, and the other removes it.
func TestProtocolIntents_keptAndRemoved(t *testing.T) {
	t.Parallel()
	const removedSummary = "HubSpot latch would be removed by another resource"
	single := map[string]any{"fusebill_id": "1", "hubspot_id": "101"}
	set := map[string]any{"hubspot_ids": ids{"1": "101", "2": "102"}}
	moved := map[string]any{"fusebill_id": "3", "hubspot_id": "103"}
	for name, test := range map[string]struct {
		keeping, removing planned
		isUpdate          bool // the removal is an update, so it is an error in both orders
	}{
		"destroyed single latch": {
			keeping:  planned{typeName: acctest.LatchType, state: single, config: single},
			removing: planned{typeName: acctest.LatchType, state: single},
		},
		"replaced single latch": {
			keeping:  planned{typeName: acctest.LatchType, state: single, config: single},
			removing: planned{typeName: acctest.LatchType, state: single, config: moved},
		},
		"tainted single latch": {
			keeping:  planned{typeName: acctest.LatchType, state: single, config: single},
			removing: planned{typeName: acctest.LatchType, state: single, config: moved, isTainted: true},
		},
		"single latch that a set keeps": {
			keeping:  planned{typeName: latchesType, state: set, config: set},
			removing: planned{typeName: acctest.LatchType, state: single},
		},
		"destroyed set": {
			keeping:  planned{typeName: acctest.LatchType, state: single, config: single},
			removing: planned{typeName: latchesType, state: set},
		},
		"dropped row": {
			keeping: planned{typeName: acctest.LatchType, state: single, config: single},
			removing: planned{
				typeName: latchesType, state: set, config: map[string]any{"hubspot_ids": ids{"2": "102"}},
			},
			isUpdate: true,
		},
	} {
		t.Run(name+", kept first", func(t *testing.T) {
			t.Parallel()
			c := newSetTerraform(t, latchedCustomers([3]int64{1, 101}, [3]int64{2, 102}, [3]int64{3})...)
			w := newWalk(t, c)
			w.plan(&test.keeping).isEmpty(t)
			diags := w.plan(&test.removing)
			if test.isUpdate {
				diags.errors().has(t, removedSummary, "terraform state rm", "terraform import ADDRESS 1")
				return
			}
			diags.errors().isEmpty(t)
			if !test.removing.isTainted { // Terraform does not name the customer of a tainted object.
				diags.warnings().has(t, "HubSpot latch stays with another resource", "1")
			}
			newWalk(t, c).destroy(&test.removing).has(t, "HubSpot latch stays with another resource", "1")
			c.accountIs([3]int64{1, 101})
		})
		t.Run(name+", removed first", func(t *testing.T) {
			t.Parallel()
			c := newSetTerraform(t, latchedCustomers([3]int64{1, 101}, [3]int64{2, 102}, [3]int64{3})...)
			w := newWalk(t, c)
			w.plan(&test.removing).errors().isEmpty(t)
			w.plan(&test.keeping).errors().has(t, removedSummary, "deposed", "terraform state rm ADDRESS",
				"terraform import ADDRESS 1", "terraform destroy -refresh=false")
		})
	}
}

// An exclusive set declares each customer that it does not list, also one that is not latched yet.
func TestProtocolIntents_exclusiveAndNotLatchedYet(t *testing.T) {
	t.Parallel()
	set := planned{typeName: latchesType, config: map[string]any{
		"hubspot_ids": ids{"1": "101"}, "exclusive": true, unlistedAttribute: unknown,
	}}
	single := planned{typeName: acctest.LatchType, config: map[string]any{"fusebill_id": "2", "hubspot_id": "102"}}
	for name, order := range map[string][2]planned{"set first": {set, single}, "single latch first": {single, set}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWalk(t, newSetTerraform(t, latchedCustomers([3]int64{1}, [3]int64{2})...))
			w.plan(&order[0]).errors().isEmpty(t)
			w.plan(&order[1]).errors().has(t, "Exclusive latch set does not list the customer", "customer 2")
		})
	}
}

func TestProtocolIntents_declaredTwice(t *testing.T) {
	t.Parallel()
	first := planned{typeName: acctest.LatchType, config: map[string]any{"fusebill_id": "1", "hubspot_id": "101"}}
	const twiceCustomer, twiceContact = "Customer is declared twice", "HubSpot contact is declared twice"
	for name, test := range map[string]struct {
		summary string
		other   planned
	}{
		"customer of a single latch": {twiceCustomer, planned{
			typeName: acctest.LatchType, config: map[string]any{"fusebill_id": "1", "hubspot_id": "109"},
		}},
		"contact of a single latch": {twiceContact, planned{
			typeName: acctest.LatchType, config: map[string]any{"fusebill_id": "2", "hubspot_id": "101"},
		}},
		"customer of a row": {twiceCustomer, planned{
			typeName: latchesType, config: map[string]any{"hubspot_ids": ids{"1": "109"}},
		}},
		"contact of a row": {twiceContact, planned{
			typeName: latchesType, config: map[string]any{"hubspot_ids": ids{"2": "101"}},
		}},
	} {
		for order, both := range map[string][2]planned{"": {first, test.other}, ", in turn": {test.other, first}} {
			t.Run(name+order, func(t *testing.T) {
				t.Parallel()
				w := newWalk(t, newSetTerraform(t, latchedCustomers([3]int64{1}, [3]int64{2})...))
				w.plan(&both[0]).errors().isEmpty(t)
				w.plan(&both[1]).errors().has(t, test.summary, "configuration also declares")
			})
		}
	}
}

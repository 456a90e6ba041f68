package provider

import (
	"context"
	"errors"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The promises tested here: to Terraform the set is a map; every value comes back to the letter through every call; no other
// resource notices that anybody stands between Terraform and the framework.

// setProtocol is a provider spoken to about sets.
type setProtocol struct {
	*acctest.Protocol
	set tftypes.Object
}

func newSetProtocol(t *testing.T, holds ...acctest.Customer) *setProtocol {
	t.Helper()
	p := &setProtocol{Protocol: acctest.NewConfiguredProtocol(t, acctest.SimulatorWith(holds...))}
	schemas, err := p.Server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p.set = acctest.ObjectType(t, schemas.ResourceSchemas[latchesType].ValueType())
	return p
}

// of is a state, a configuration or a plan of the set.
func (p *setProtocol) of(latches tftypes.Value) *tfprotov6.DynamicValue {
	p.T.Helper()
	return p.Value(p.set, map[string]tftypes.Value{latchesAttribute: latches})
}

func (p *setProtocol) none() *tfprotov6.DynamicValue {
	p.T.Helper()
	return p.Encode(p.set, tftypes.NewValue(p.set, nil))
}

// is fails the test unless a value is the set with this map, to the letter.
func (p *setProtocol) is(got *tfprotov6.DynamicValue, latches tftypes.Value) {
	p.T.Helper()
	value, err := got.Unmarshal(p.set)
	if err != nil {
		p.T.Fatal(err)
	}
	if want := acctest.Object(p.set, map[string]tftypes.Value{latchesAttribute: latches}); !value.Equal(want) {
		p.T.Errorf("got %s, want %s", value, want)
	}
}

// asWritten are latches of customers 11, 22 and 33 in all forms.
func asWritten() tftypes.Value {
	return mapValue(map[string]tftypes.Value{"11": latchValue("101", "202"), "22": latchValue("", "203"), "33": latchValue("103", nil)})
}

func asHeld() []acctest.Customer {
	return []acctest.Customer{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Company: 203}, {ID: 33, Contact: 103}}
}

func TestPacking_schema(t *testing.T) {
	t.Parallel()
	framework := providerserver.NewProtocol6(&fusebillProvider{})()
	bare, err := framework.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	server := newPackingServer(framework)
	for range 2 { // What is changed must not be what the framework answers the next time.
		packed, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, attribute := range packed.ResourceSchemas[latchesType].Block.Attributes {
			if attribute.Name == latchesAttribute {
				if !attribute.Type.Equal(latchMapType) {
					t.Errorf("it is a %s", attribute.Type)
				}
				attribute.Type = tftypes.String
			}
		}
		if diff := gocmp.Diff(bare, packed); diff != "" {
			t.Errorf("the rest differs (- framework, + Terraform):\n%s", diff)
		}
	}
}

func TestPacking_validate(t *testing.T) {
	t.Parallel()
	p := newSetProtocol(t)
	validate := func(latches tftypes.Value) ([]*tfprotov6.Diagnostic, error) {
		resp, err := p.Server.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: latchesType, Config: p.of(latches)})
		return resp.Diagnostics, err
	}
	for _, latches := range []tftypes.Value{
		asWritten(),
		mapValue(map[string]tftypes.Value{}),
		tftypes.NewValue(latchMapType, tftypes.UnknownValue),
		mapValue(map[string]tftypes.Value{"11": latchValue(tftypes.UnknownValue, nil), "22": tftypes.NewValue(latchObjectType, tftypes.UnknownValue)}),
	} {
		diags, err := validate(latches)
		p.Succeeded(diags, err)
	}
	diags, err := validate(mapValue(map[string]tftypes.Value{"11": latchValue("101", nil), "22": latchValue("x", nil)}))
	p.Failed(diags, err, "Invalid HubSpot latch", `Customer 22: hubspot_id must be a whole number`)
	want := tftypes.NewAttributePath().WithAttributeName(latchesAttribute).WithElementKeyString("22")
	if got := diags[0].Attribute; !got.Equal(want) {
		t.Errorf("the error stands on %s, want %s", got, want)
	}
}

func TestPacking_upgrade(t *testing.T) {
	t.Parallel()
	p := newSetProtocol(t)
	upgrade := func(state string) (*tfprotov6.UpgradeResourceStateResponse, error) {
		return p.Server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
			TypeName: latchesType, RawState: &tfprotov6.RawState{JSON: []byte(state)},
		})
	}
	const latches = `"latches":{"11":{"hubspot_id":"101","hubspot_company_id":"202"},"22":{"hubspot_id":"","hubspot_company_id":"203"},
		"33":{"hubspot_id":"103","hubspot_company_id":null}}`
	for _, state := range []string{
		`{` + latches + `,"allow_reassociation":null,"exclusive":null,"max_removals":null,"timeouts":null}`,
		`{` + latches + `,"of_another_version":true}`,
	} {
		resp, err := upgrade(state)
		if err != nil {
			t.Fatal(err)
		}
		p.Succeeded(resp.Diagnostics, nil)
		p.is(resp.UpgradedState, asWritten())
	}
	for _, state := range []string{`{"latches":"2:11kk3:101n"}`, `{"latches":[]}`, `{`} {
		if _, err := upgrade(state); err == nil || !strings.Contains(err.Error(), "the state isn't of the form that this version of the provider writes") {
			t.Errorf("%s: got error %v", state, err)
		}
	}
}

func TestPacking_read(t *testing.T) {
	t.Parallel()
	p := newSetProtocol(t, asHeld()...)
	read := func(state *tfprotov6.DynamicValue) *tfprotov6.DynamicValue {
		resp, err := p.Server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: latchesType, CurrentState: state})
		p.Succeeded(resp.Diagnostics, err)
		return resp.NewState
	}
	p.is(read(p.of(asWritten())), asWritten())
	p.is(read(p.of(mapValue(map[string]tftypes.Value{}))), mapValue(map[string]tftypes.Value{}))
	// What has changed is written anew, and the rest stays as it was.
	p.is(read(p.of(mapValue(map[string]tftypes.Value{"11": latchValue("999", ""), "22": latchValue("", "203"), "99": latchValue("109", "")}))),
		mapValue(map[string]tftypes.Value{"11": latchValue("101", "202"), "22": latchValue("", "203")}))
}

func TestPacking_plan(t *testing.T) {
	t.Parallel()
	for name, latches := range map[string]tftypes.Value{
		"as written": asWritten(),
		"empty":      mapValue(map[string]tftypes.Value{}),
		"unknown":    tftypes.NewValue(latchMapType, tftypes.UnknownValue),
		"in part": mapValue(map[string]tftypes.Value{
			"11": latchValue("101", tftypes.UnknownValue), "22": tftypes.NewValue(latchObjectType, tftypes.UnknownValue), "33": latchValue("", "303"),
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, prior := range []bool{false, true} {
				p := newSetProtocol(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33})
				before := p.none()
				if prior {
					before = p.of(mapValue(map[string]tftypes.Value{"22": latchValue("102", nil)}))
				}
				resp, err := p.Server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
					TypeName: latchesType, PriorState: before, ProposedNewState: p.of(latches), Config: p.of(latches),
				})
				p.Succeeded(resp.Diagnostics, err)
				p.is(resp.PlannedState, latches)
				if len(resp.RequiresReplace) > 0 {
					t.Errorf("it is to be replaced for %s", resp.RequiresReplace)
				}
			}
		})
	}
}

func TestPacking_planOfADestroy(t *testing.T) {
	t.Parallel()
	p := newSetProtocol(t, asHeld()...)
	resp, err := p.Server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: latchesType, PriorState: p.of(asWritten()), ProposedNewState: p.none(), Config: p.none(),
	})
	p.Succeeded(resp.Diagnostics, err)
	if diff := gocmp.Diff(p.none(), resp.PlannedState); diff != "" {
		t.Error(diff)
	}
}

func TestPacking_apply(t *testing.T) {
	t.Parallel()
	p := newSetProtocol(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Company: 203}, acctest.Customer{ID: 33})
	apply := func(before, after *tfprotov6.DynamicValue) *tfprotov6.DynamicValue {
		resp, err := p.Server.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{
			TypeName: latchesType, PriorState: before, PlannedState: after, Config: after,
		})
		p.Succeeded(resp.Diagnostics, err)
		return resp.NewState
	}
	p.is(apply(p.none(), p.of(asWritten())), asWritten())
	rewritten := mapValue(map[string]tftypes.Value{"11": latchValue("101", "202"), "22": latchValue(nil, "203"), "33": latchValue("103", "")})
	writes := p.Simulator.Writes()
	p.is(apply(p.of(asWritten()), p.of(rewritten)), rewritten)
	if more := p.Simulator.Writes() - writes; more > 0 {
		t.Errorf("another way of writing took %d writes", more)
	}
	if diff := gocmp.Diff(p.none(), apply(p.of(rewritten), p.none())); diff != "" {
		t.Error(diff)
	}
}

func TestPacking_importAndGeneratedConfiguration(t *testing.T) {
	t.Parallel()
	p := newSetProtocol(t, asHeld()...)
	imported, err := p.Server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: latchesType, ID: "account"})
	p.Succeeded(imported.Diagnostics, err)
	want := mapValue(map[string]tftypes.Value{"11": latchValue("101", "202"), "22": latchValue(nil, "203"), "33": latchValue("103", nil)})
	state := imported.ImportedResources[0].State
	p.is(state, want)
	generated, err := p.Server.GenerateResourceConfig(t.Context(), &tfprotov6.GenerateResourceConfigRequest{TypeName: latchesType, State: state})
	p.Succeeded(generated.Diagnostics, err)
	p.is(generated.Config, want)

	refused, err := p.Server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: latchesType, ID: "x"})
	p.Failed(refused.Diagnostics, err, "Invalid import ID")
}

// A value that isn't of the schema's type is an error, and no panic.
func TestPacking_brokenValues(t *testing.T) {
	t.Parallel()
	p := newSetProtocol(t)
	broken := &tfprotov6.DynamicValue{MsgPack: []byte{0xc1}}
	for name, call := range map[string]func(context.Context) error{
		"validate": func(ctx context.Context) error {
			_, err := p.Server.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{TypeName: latchesType, Config: broken})
			return err
		},
		"read": func(ctx context.Context) error {
			_, err := p.Server.ReadResource(ctx, &tfprotov6.ReadResourceRequest{TypeName: latchesType, CurrentState: broken})
			return err
		},
		"plan": func(ctx context.Context) error {
			_, err := p.Server.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{TypeName: latchesType, PriorState: p.none(), ProposedNewState: broken})
			return err
		},
		"apply": func(ctx context.Context) error {
			_, err := p.Server.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{TypeName: latchesType, PriorState: p.none(), PlannedState: broken})
			return err
		},
		"generate": func(ctx context.Context) error {
			_, err := p.Server.GenerateResourceConfig(ctx, &tfprotov6.GenerateResourceConfigRequest{TypeName: latchesType, State: broken})
			return err
		},
	} {
		if err := call(t.Context()); err == nil {
			t.Errorf("%s takes a broken value", name)
		}
	}
}

// passing is a framework's server that answers with what it was given, so that a test sees whether that was touched.
type passing struct {
	frameworkServer
	got any
}

var errPassed = errors.New("passed")

func (s *passing) ValidateResourceConfig(_ context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) UpgradeResourceState(_ context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) ReadResource(_ context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) PlanResourceChange(_ context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) ApplyResourceChange(_ context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) ImportResourceState(_ context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) GenerateResourceConfig(_ context.Context, req *tfprotov6.GenerateResourceConfigRequest) (*tfprotov6.GenerateResourceConfigResponse, error) {
	s.got = req
	return nil, errPassed
}

func TestPacking_leavesOtherResourcesAlone(t *testing.T) {
	t.Parallel()
	framework := &passing{}
	server := newPackingServer(framework)
	value := &tfprotov6.DynamicValue{MsgPack: []byte{0xc1}} // which nobody could read
	check := func(sent any, err error) {
		t.Helper()
		if !errors.Is(err, errPassed) {
			t.Errorf("%T: got error %v", sent, err)
		}
		if sent != framework.got {
			t.Errorf("%T isn't passed on as it is", sent)
		}
	}
	validate := &tfprotov6.ValidateResourceConfigRequest{TypeName: acctest.LatchType, Config: value}
	_, err := server.ValidateResourceConfig(t.Context(), validate)
	check(validate, err)
	upgrade := &tfprotov6.UpgradeResourceStateRequest{TypeName: acctest.LatchType}
	_, err = server.UpgradeResourceState(t.Context(), upgrade)
	check(upgrade, err)
	read := &tfprotov6.ReadResourceRequest{TypeName: acctest.LatchType, CurrentState: value}
	_, err = server.ReadResource(t.Context(), read)
	check(read, err)
	plan := &tfprotov6.PlanResourceChangeRequest{TypeName: acctest.LatchType, PriorState: value}
	_, err = server.PlanResourceChange(t.Context(), plan)
	check(plan, err)
	apply := &tfprotov6.ApplyResourceChangeRequest{TypeName: acctest.LatchType, PriorState: value}
	_, err = server.ApplyResourceChange(t.Context(), apply)
	check(apply, err)
	imports := &tfprotov6.ImportResourceStateRequest{TypeName: acctest.LatchType, ID: "11"}
	_, err = server.ImportResourceState(t.Context(), imports)
	check(imports, err)
	generate := &tfprotov6.GenerateResourceConfigRequest{TypeName: acctest.LatchType, State: value}
	_, err = server.GenerateResourceConfig(t.Context(), generate)
	check(generate, err)
}

// Terraform looks for these by what the server implements: behind a wrapper without them, list resources and actions are
// unknown to it.
func TestPacking_hidesNothing(t *testing.T) {
	t.Parallel()
	var server any = newServer(&fusebillProvider{})()
	if _, ok := server.(tfprotov6.ListResourceServer); !ok {
		t.Error("no list resources")
	}
	if _, ok := server.(tfprotov6.ActionServer); !ok {
		t.Error("no actions")
	}
}

package provider

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The tests in this file check that:
//
//   - Terraform sees the maps of a set as maps;
//   - the layer between Terraform and the framework does not change calls for other resources;
//   - a request that has ended uses no memory;
//   - the layer is still needed.

const singleType = "fusebill_hubspot_latch"

func TestProtocolLayer_schema(t *testing.T) {
	t.Parallel()
	framework := providerserver.NewProtocol6(&fusebillProvider{})()
	bare, err := framework.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	layer := newProtocolLayer(framework)
	for range 2 { // The layer must not change what the framework answers the next time.
		shown, err := layer.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
		if err != nil {
			t.Fatal(err)
		}
		maps := 0
		for _, attribute := range shown.ResourceSchemas[latchesType].Block.Attributes {
			if attribute.Type.Equal(mapOfStrings) {
				maps++
				attribute.Type = tftypes.String
			}
		}
		if maps != 3 {
			t.Errorf("%d attributes are maps, want hubspot_ids, hubspot_company_ids and unlisted", maps)
		}
		if diff := gocmp.Diff(bare, shown); diff != "" {
			t.Errorf("the rest differs (- framework, + Terraform):\n%s", diff)
		}
	}
}

func TestProtocolLayer_upgrade(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t)
	upgrade := func(state string) (*tfprotov6.UpgradeResourceStateResponse, error) {
		return c.process().UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
			TypeName: latchesType, RawState: &tfprotov6.RawState{JSON: []byte(state)},
		})
	}
	for _, state := range []string{
		`{"hubspot_ids":{"11":"101","22":null,"33":""},"hubspot_company_ids":null,
			"unlisted":{"44":"contact 104"},"exclusive":true}`,
		`{"hubspot_ids":{"11":"101","22":null,"33":""},
			"unlisted":{"44":"contact 104"},"exclusive":true,"of_another_version":true}`,
	} {
		resp, err := upgrade(state)
		if err != nil {
			t.Fatal(err)
		}
		want := c.config(map[string]any{
			contactsAttribute: ids{"11": "101", "22": nil, "33": ""}, unlistedAttribute: ids{"44": "contact 104"},
			"exclusive": true,
		})
		if got := c.decode(resp.UpgradedState); !got.Equal(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, state := range []string{`{"hubspot_ids":"{}"}`, `{"hubspot_ids":[]}`, `{`} {
		if _, err := upgrade(state); err == nil || !strings.Contains(err.Error(),
			"the state does not have the form that this version of the provider writes") {
			t.Errorf("%s: got error %v", state, err)
		}
	}
}

func TestProtocolLayer_generatedConfiguration(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 101, 0}, [3]int64{22, 102, 202})...)
	c.imports("account").isEmpty(t)
	generated, err := c.process().GenerateResourceConfig(t.Context(), &tfprotov6.GenerateResourceConfigRequest{
		TypeName: latchesType, State: c.encode(c.state),
	})
	if err != nil {
		t.Fatal(err)
	}
	diagnostics(generated.Diagnostics).isEmpty(t)
	want := c.config(map[string]any{contactsAttribute: ids{"11": "101", "22": "102"},
		companiesAttribute: ids{"22": "202"}})
	if got := c.decode(generated.Config); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// deepest returns the length of the longest context in which the framework visits a map of n
// elements. The framework makes the context longer with each element.
func deepest(t *testing.T, n int, call func(server tfprotov6.ProviderServer, value *tfprotov6.DynamicValue) error) int {
	t.Helper()
	probe := &probeProvider{}
	server := providerserver.NewProtocol6(probe)()
	elements := make(map[string]tftypes.Value, n)
	for i := range n {
		elements[fmt.Sprint(i)] = tftypes.NewValue(tftypes.String, "x")
	}
	typ := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"map": mapOfStrings}}
	value, err := tfprotov6.NewDynamicValue(typ, tftypes.NewValue(typ,
		map[string]tftypes.Value{"map": tftypes.NewValue(mapOfStrings, elements)}))
	if err != nil {
		t.Fatal(err)
	}
	if err := call(server, &value); err != nil {
		t.Fatal(err)
	}
	return probe.depth
}

// probeProvider is a provider with one resource, whose only attribute is a map. The map's type sees
// the context of the framework's visit.
type probeProvider struct {
	fusebillProvider
	depth int
}

func (p *probeProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return &probeResource{probe: p} }}
}

func (p *probeProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }

var _ provider.Provider = (*probeProvider)(nil)

type probeResource struct {
	hubSpotLatchesResource
	probe *probeProvider
}

func (r *probeResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "probe"
}

func (r *probeResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"map": schema.MapAttribute{Optional: true, ElementType: types.StringType,
			CustomType: probeType{basetypes.MapType{ElemType: types.StringType}, r.probe}},
	}}
}

func (r *probeResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (r *probeResource) ModifyPlan(context.Context, resource.ModifyPlanRequest, *resource.ModifyPlanResponse) {
}

type probeType struct {
	basetypes.MapType
	probe *probeProvider
}

// TerraformType notes how many links the context has.
func (t probeType) TerraformType(ctx context.Context) tftypes.Type {
	t.probe.depth = max(t.probe.depth, strings.Count(fmt.Sprint(ctx), ".WithValue("))
	return t.MapType.TerraformType(ctx)
}

// If this test fails, the framework no longer needs the workaround that the failure names. Remove
// that part of the protocol layer.
func TestFrameworkStillNeedsTheProtocolLayer(t *testing.T) {
	t.Parallel()
	const few, many = 100, 300
	for name, call := range map[string]func(tfprotov6.ProviderServer, *tfprotov6.DynamicValue) error{
		"read": func(server tfprotov6.ProviderServer, value *tfprotov6.DynamicValue) error {
			_, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: "probe", CurrentState: value})
			return err
		},
		"plan": func(server tfprotov6.ProviderServer, value *tfprotov6.DynamicValue) error {
			_, err := server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: "probe", PriorState: value, ProposedNewState: value, Config: value,
			})
			return err
		},
	} {
		if growth := deepest(t, many, call) - deepest(t, few, call); growth < many-few {
			t.Errorf("%s: %d more elements make the framework's context %d links longer. It no longer grows with each: "+
				"drop pack and unpack of protocolLayer", name, many-few, growth)
		}
	}
	framework := providerserver.NewProtocol6(&fusebillProvider{})()
	if isForgotten(func(ctx context.Context) {
		_, _ = framework.ReadResource(ctx, &tfprotov6.ReadResourceRequest{TypeName: singleType})
	}) {
		t.Error("the framework forgets requests that are over: drop forget of protocolLayer")
	}
	runtime.KeepAlive(framework)
}

// A value that does not have the type of the schema is an error. It must not cause a panic.
func TestProtocolLayer_valuesOfOtherTypes(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t)
	server, none := c.process(), c.encode(c.state)
	broken := &tfprotov6.DynamicValue{MsgPack: []byte{0xc1}}
	for name, call := range map[string]func(context.Context) error{
		"validate": func(ctx context.Context) error {
			_, err := server.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{TypeName: latchesType,
				Config: broken})
			return err
		},
		"read": func(ctx context.Context) error {
			_, err := server.ReadResource(ctx, &tfprotov6.ReadResourceRequest{TypeName: latchesType, CurrentState: broken})
			return err
		},
		"plan": func(ctx context.Context) error {
			_, err := server.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{TypeName: latchesType,
				PriorState: none, ProposedNewState: broken})
			return err
		},
		"apply": func(ctx context.Context) error {
			_, err := server.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{TypeName: latchesType,
				PriorState: none, PlannedState: broken})
			return err
		},
		"generate": func(ctx context.Context) error {
			_, err := server.GenerateResourceConfig(ctx, &tfprotov6.GenerateResourceConfigRequest{TypeName: latchesType,
				State: broken})
			return err
		},
	} {
		if err := call(t.Context()); err == nil {
			t.Errorf("%s takes a broken value", name)
		}
	}
}

// passing is a framework's server that records its requests and refuses them.
type passing struct {
	frameworkServer
	got any
}

var errPassed = errors.New("passed")

func (s *passing) ValidateResourceConfig(_ context.Context,
	req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) UpgradeResourceState(_ context.Context,
	req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) ReadResource(_ context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse,
	error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) PlanResourceChange(_ context.Context,
	req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) ApplyResourceChange(_ context.Context,
	req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) ImportResourceState(_ context.Context,
	req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	s.got = req
	return nil, errPassed
}

func (s *passing) GenerateResourceConfig(_ context.Context,
	req *tfprotov6.GenerateResourceConfigRequest) (*tfprotov6.GenerateResourceConfigResponse, error) {
	s.got = req
	return nil, errPassed
}

func TestProtocolLayer_leavesOtherResourcesAlone(t *testing.T) {
	t.Parallel()
	framework := &passing{}
	server := newProtocolLayer(framework)
	value := &tfprotov6.DynamicValue{MsgPack: []byte{0xc1}} // It cannot be read.
	check := func(sent any, err error) {
		t.Helper()
		if !errors.Is(err, errPassed) {
			t.Errorf("%T: got error %v", sent, err)
		}
		if diff := gocmp.Diff(sent, framework.got); diff != "" {
			t.Errorf("%T is changed on the way (- sent, + got):\n%s", sent, diff)
		}
	}
	validate := &tfprotov6.ValidateResourceConfigRequest{TypeName: singleType, Config: value}
	_, err := server.ValidateResourceConfig(t.Context(), validate)
	check(validate, err)
	upgrade := &tfprotov6.UpgradeResourceStateRequest{TypeName: singleType}
	_, err = server.UpgradeResourceState(t.Context(), upgrade)
	check(upgrade, err)
	read := &tfprotov6.ReadResourceRequest{TypeName: singleType, CurrentState: value}
	_, err = server.ReadResource(t.Context(), read)
	check(read, err)
	plan := &tfprotov6.PlanResourceChangeRequest{TypeName: singleType, PriorState: value}
	_, err = server.PlanResourceChange(t.Context(), plan)
	check(plan, err)
	apply := &tfprotov6.ApplyResourceChangeRequest{TypeName: singleType, PriorState: value}
	_, err = server.ApplyResourceChange(t.Context(), apply)
	check(apply, err)
	imports := &tfprotov6.ImportResourceStateRequest{TypeName: singleType, ID: "11"}
	_, err = server.ImportResourceState(t.Context(), imports)
	check(imports, err)
	generate := &tfprotov6.GenerateResourceConfigRequest{TypeName: singleType, State: value}
	_, err = server.GenerateResourceConfig(t.Context(), generate)
	check(generate, err)
}

// The protocol server finds optional methods by the type of the provider's server. It would not
// find list resources and actions behind a wrapper without their methods.
func TestProtocolLayer_hidesNothing(t *testing.T) {
	t.Parallel()
	var server any = newServer(&fusebillProvider{})()
	if _, ok := server.(tfprotov6.ListResourceServer); !ok {
		t.Error("no list resources")
	}
	if _, ok := server.(tfprotov6.ActionServer); !ok {
		t.Error("no actions")
	}
}

type keptKey struct{}

// isForgotten reports whether the values of a request's context are released after the request.
func isForgotten(request func(context.Context)) bool {
	carried := func() weak.Pointer[[1024]byte] {
		value := new([1024]byte)
		request(context.WithValue(context.Background(), keptKey{}, value))
		return weak.Make(value)
	}()
	runtime.GC()
	return carried.Value() == nil
}

func TestRequestsAreForgotten(t *testing.T) {
	t.Parallel()
	server := newServer(&fusebillProvider{})()
	for name, request := range map[string]func(context.Context){
		"ValidateResourceConfig": func(ctx context.Context) {
			_, _ = server.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{TypeName: singleType})
		},
		"UpgradeResourceState": func(ctx context.Context) {
			_, _ = server.UpgradeResourceState(ctx, &tfprotov6.UpgradeResourceStateRequest{TypeName: singleType})
		},
		"UpgradeResourceIdentity": func(ctx context.Context) {
			_, _ = server.UpgradeResourceIdentity(ctx, &tfprotov6.UpgradeResourceIdentityRequest{TypeName: singleType})
		},
		"GenerateResourceConfig": func(ctx context.Context) {
			_, _ = server.GenerateResourceConfig(ctx, &tfprotov6.GenerateResourceConfigRequest{TypeName: singleType})
		},
		"ReadResource": func(ctx context.Context) {
			_, _ = server.ReadResource(ctx, &tfprotov6.ReadResourceRequest{TypeName: singleType})
		},
		"PlanResourceChange": func(ctx context.Context) {
			_, _ = server.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{TypeName: singleType})
		},
		"ApplyResourceChange": func(ctx context.Context) {
			_, _ = server.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{TypeName: singleType})
		},
		"ImportResourceState": func(ctx context.Context) {
			_, _ = server.ImportResourceState(ctx, &tfprotov6.ImportResourceStateRequest{TypeName: singleType, ID: "x"})
		},
		"MoveResourceState": func(ctx context.Context) {
			_, _ = server.MoveResourceState(ctx, &tfprotov6.MoveResourceStateRequest{TargetTypeName: singleType})
		},
		"ValidateDataResourceConfig": func(ctx context.Context) {
			_, _ = server.ValidateDataResourceConfig(ctx, &tfprotov6.ValidateDataResourceConfigRequest{TypeName: singleType})
		},
		"ReadDataSource": func(ctx context.Context) {
			_, _ = server.ReadDataSource(ctx, &tfprotov6.ReadDataSourceRequest{TypeName: singleType})
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !isForgotten(request) {
				t.Error("its context is still held")
			}
			runtime.KeepAlive(server)
		})
	}
}

// Work may go on after its request, for example a read that other requests have joined. It finds a
// canceled context, and does not panic.
func TestRequestContext_afterItsRequest(t *testing.T) {
	t.Parallel()
	var kept context.Context
	_, _ = forget(context.WithValue(t.Context(), keptKey{}, 1), 0, func(ctx context.Context, _ int) (int, error) {
		kept = ctx
		if _, ok := ctx.Deadline(); ok || ctx.Err() != nil || ctx.Value(keptKey{}) != 1 {
			t.Error("it isn't the request's context while that lasts")
		}
		return 0, nil
	})
	<-kept.Done()
	if kept.Err() == nil || kept.Value(keptKey{}) != nil {
		t.Error("it is still the request's context")
	}
	child, cancel := context.WithCancel(context.WithoutCancel(kept))
	defer cancel()
	if child.Err() != nil {
		t.Error("what was detached from it is over, too")
	}
}

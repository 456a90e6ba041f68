package acctest

import (
	"context"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Protocol calls a provider by its protocol, in this process. It is for features that the CLI of
// this machine may lack, and for tests that depend on a clock.
type Protocol struct {
	T         *testing.T
	Simulator *fusebillsim.Simulator
	Server    tfprotov6.ProviderServer

	// The types of the schemas of the provider, of a single latch, and of its identity.
	ProviderType, LatchType, IdentityType tftypes.Object
}

// LatchType is the type of a single latch.
const LatchType = "fusebill_hubspot_latch"

// UnlatchType is the type of the action.
const UnlatchType = "fusebill_hubspot_unlatch"

// NewProtocol starts a provider that calls the simulator without a socket, which would stop the
// clock of a synctest bubble.
func NewProtocol(t *testing.T, sim *fusebillsim.Simulator) *Protocol {
	t.Helper()
	p := &Protocol{T: t, Simulator: sim}
	p.start()
	schemas, err := p.Server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	identities, err := p.Server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p.ProviderType = ObjectType(t, schemas.Provider.ValueType())
	p.LatchType = ObjectType(t, schemas.ResourceSchemas[LatchType].ValueType())
	p.IdentityType = ObjectType(t, identities.IdentitySchemas[LatchType].ValueType())
	return p
}

// NewConfiguredProtocol is NewProtocol with the provider configured.
func NewConfiguredProtocol(t *testing.T, sim *fusebillsim.Simulator) *Protocol {
	t.Helper()
	p := NewProtocol(t, sim)
	p.configure()
	return p
}

func (p *Protocol) start() {
	options := []fusebill.Option{fusebill.WithTransport(p.Simulator.Transport()), fusebill.WithMaxRetries(0)}
	p.Server = factory("test", options, nil)()
}

// configure configures the provider as an old CLI does.
func (p *Protocol) configure() {
	p.T.Helper()
	resp, err := p.Server.ConfigureProvider(p.T.Context(), &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: "1.0.0",
		Config: p.Value(p.ProviderType, map[string]tftypes.Value{
			"api_key":         tftypes.NewValue(tftypes.String, APIKey),
			"base_url":        tftypes.NewValue(tftypes.String, "https://fusebill.test/v1"),
			"request_timeout": tftypes.NewValue(tftypes.String, "24h"), // No test of a Protocol is about this timeout.
		}),
	})
	p.Succeeded(resp.Diagnostics, err)
}

// Planned is a change of a latch that can be applied.
type Planned struct {
	Before, after *tfprotov6.DynamicValue
	resp          *tfprotov6.PlanResourceChangeResponse
}

// Plan plans a change of a latch whose identity is unknown, because an older CLI has made it.
func (p *Protocol) Plan(before, after *tfprotov6.DynamicValue) Planned {
	p.T.Helper()
	p.start()
	p.configure()
	resp, err := p.Server.PlanResourceChange(p.T.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: LatchType, PriorState: before, ProposedNewState: after, Config: after,
	})
	p.Succeeded(resp.Diagnostics, err)
	return Planned{before, after, resp}
}

// Apply applies a plan with another process of the provider, as Terraform does.
func (p *Protocol) Apply(plan Planned) *tfprotov6.ApplyResourceChangeResponse {
	p.T.Helper()
	p.start()
	p.configure()
	resp, err := p.Server.ApplyResourceChange(p.T.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: LatchType, PriorState: plan.Before, PlannedState: plan.resp.PlannedState, Config: plan.after,
		PlannedIdentity: plan.resp.PlannedIdentity, PlannedPrivate: plan.resp.PlannedPrivate,
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return resp
}

// Stop cancels what a provider does, as the CLI does after Ctrl-C.
func (p *Protocol) Stop() {
	p.T.Helper()
	if _, err := p.Server.StopProvider(p.T.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
		p.T.Error(err)
	}
}

// Listing is the request of a query.
type Listing struct {
	Filter          map[string]tftypes.Value
	IncludeResource bool
	Limit           int64
}

// List makes a query and calls handle with each result, until handle returns false.
func (p *Protocol) List(ctx context.Context, l Listing, handle func(tfprotov6.ListResourceResult) bool) {
	p.T.Helper()
	schemas, err := p.Server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		p.T.Fatal(err)
	}
	server, ok := p.Server.(tfprotov6.ListResourceServer)
	if !ok {
		p.T.Fatalf("%T does not list", p.Server)
	}
	stream, err := server.ListResource(ctx, &tfprotov6.ListResourceRequest{
		TypeName: LatchType, Config: p.Value(ObjectType(p.T, schemas.ListResourceSchemas[LatchType].ValueType()), l.Filter),
		IncludeResource: l.IncludeResource, Limit: l.Limit,
	})
	if err != nil {
		p.T.Fatal(err)
	}
	stream.Results(handle)
}

// Unlatch invokes the action, and returns its messages and its diagnostics.
func (p *Protocol) Unlatch(h Customer) (said []string, diags []*tfprotov6.Diagnostic) {
	p.T.Helper()
	stream, err := p.Actions().InvokeAction(p.T.Context(), &tfprotov6.InvokeActionRequest{
		ActionType: UnlatchType, Config: p.Unlatching(h),
	})
	if err != nil {
		p.T.Fatal(err)
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

// Unlatching is the configuration of the action: the customer and its expected latch.
func (p *Protocol) Unlatching(h Customer) *tfprotov6.DynamicValue {
	p.T.Helper()
	schemas, err := p.Server.GetProviderSchema(p.T.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		p.T.Fatal(err)
	}
	attributes := map[string]tftypes.Value{}
	for name, id := range map[string]int64{"fusebill_id": h.ID, "hubspot_id": h.Contact, "hubspot_company_id": h.Company} {
		if id != 0 {
			attributes[name] = tftypes.NewValue(tftypes.String, formatID(id))
		}
	}
	return p.Value(ObjectType(p.T, schemas.ActionSchemas[UnlatchType].Schema.ValueType()), attributes)
}

// Actions returns the part of the provider's server that handles actions.
func (p *Protocol) Actions() tfprotov6.ActionServer {
	p.T.Helper()
	server, ok := p.Server.(tfprotov6.ActionServer)
	if !ok {
		p.T.Fatalf("%T has no actions", p.Server)
	}
	return server
}

// State returns a latch as states and plans have it. The timeouts are pairs of a name and a
// duration.
func (p *Protocol) State(h Customer, timeouts ...string) *tfprotov6.DynamicValue {
	p.T.Helper()
	if h == (Customer{}) {
		return p.Encode(p.LatchType, tftypes.NewValue(p.LatchType, nil))
	}
	id := func(id int64) tftypes.Value {
		if id == 0 {
			return tftypes.NewValue(tftypes.String, nil)
		}
		return tftypes.NewValue(tftypes.String, formatID(id))
	}
	attributes := map[string]tftypes.Value{
		"fusebill_id": id(h.ID), "hubspot_id": id(h.Contact), "hubspot_company_id": id(h.Company),
	}
	if len(timeouts) > 0 {
		typ := ObjectType(p.T, p.LatchType.AttributeTypes["timeouts"])
		limits := map[string]tftypes.Value{}
		for i := 0; i < len(timeouts); i += 2 {
			limits[timeouts[i]] = tftypes.NewValue(tftypes.String, timeouts[i+1])
		}
		attributes["timeouts"] = Object(typ, limits)
	}
	return p.Value(p.LatchType, attributes)
}

// Value is Encode for an object in which these attributes are set.
func (p *Protocol) Value(typ tftypes.Object, attributes map[string]tftypes.Value) *tfprotov6.DynamicValue {
	p.T.Helper()
	return p.Encode(typ, Object(typ, attributes))
}

// Encode returns a value as a request has it.
func (p *Protocol) Encode(typ tftypes.Type, value tftypes.Value) *tfprotov6.DynamicValue {
	p.T.Helper()
	encoded, err := tfprotov6.NewDynamicValue(typ, value)
	if err != nil {
		p.T.Fatal(err)
	}
	return &encoded
}

// IdentityOf returns the identity of a customer's latch.
func (p *Protocol) IdentityOf(customer int64) *tfprotov6.ResourceIdentityData {
	p.T.Helper()
	return &tfprotov6.ResourceIdentityData{IdentityData: p.Value(p.IdentityType, map[string]tftypes.Value{
		"fusebill_id": tftypes.NewValue(tftypes.String, formatID(customer)),
	})}
}

// Object returns a value of a type in which these attributes are set and all others are null.
func Object(typ tftypes.Object, attributes map[string]tftypes.Value) tftypes.Value {
	all := map[string]tftypes.Value{}
	for name, attribute := range typ.AttributeTypes {
		value, ok := attributes[name]
		if !ok {
			value = tftypes.NewValue(attribute, nil)
		}
		all[name] = value
	}
	return tftypes.NewValue(typ, all)
}

// ObjectType returns a type as an object type.
func ObjectType(t *testing.T, typ tftypes.Type) tftypes.Object {
	t.Helper()
	object, ok := typ.(tftypes.Object)
	if !ok {
		t.Fatalf("%s is no object", typ)
	}
	return object
}

// Holds fails the test unless a value is this latch; no customer stands for null.
func (p *Protocol) Holds(got *tfprotov6.DynamicValue, want Customer) {
	p.T.Helper()
	value, err := got.Unmarshal(p.LatchType)
	if err != nil {
		p.T.Fatal(err)
	}
	wanted, err := p.State(want).Unmarshal(p.LatchType)
	if err != nil {
		p.T.Fatal(err)
	}
	if !value.Equal(wanted) {
		p.T.Errorf("got the latch %s, want %s", value, wanted)
	}
}

// Identifies fails the test unless an identity is that of this customer.
func (p *Protocol) Identifies(got *tfprotov6.ResourceIdentityData, customer int64) {
	p.T.Helper()
	if got == nil || got.IdentityData == nil {
		p.T.Errorf("there is no identity, want that of customer %d", customer)
		return
	}
	if diff := gocmp.Diff(p.IdentityOf(customer), got); diff != "" {
		p.T.Errorf("identity (- want, + got):\n%s", diff)
	}
}

// Succeeded fails the test if a call has failed.
func (p *Protocol) Succeeded(diags []*tfprotov6.Diagnostic, err error) {
	p.T.Helper()
	if err != nil {
		p.T.Fatal(err)
	}
	for _, d := range diags {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			p.T.Fatalf("%s: %s", d.Summary, d.Detail)
		}
	}
}

// Failed fails the test unless there is one error with this summary, whose text has these parts.
func (p *Protocol) Failed(diags []*tfprotov6.Diagnostic, err error, summary string, parts ...string) {
	p.T.Helper()
	if err != nil {
		p.T.Fatal(err)
	}
	if len(diags) != 1 || diags[0].Summary != summary {
		p.T.Fatalf("got %d diagnostics, want one %q: %v", len(diags), summary, diags)
	}
	for _, part := range parts {
		if !strings.Contains(diags[0].Detail, part) {
			p.T.Errorf("no %q in the error: %s", part, diags[0].Detail)
		}
	}
}

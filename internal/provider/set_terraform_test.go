package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// setTerraform calls the provider for one latch set as Terraform does, but in this process: with
// the same calls in the same order, each in the right provider process and with the right private
// data. It is much faster than the real CLI.
type setTerraform struct {
	t       testing.TB
	sim     *fusebillsim.Simulator
	typ     tftypes.Object
	state   tftypes.Value // of the set; null where there is none
	private []byte
	tainted bool
}

func newSetTerraform(t testing.TB, customers ...fusebillsim.Customer) *setTerraform {
	t.Helper()
	sim := fusebillsim.New(fusebillsim.Config{APIKey: acctest.APIKey, LimitMinute: 1 << 30, LimitDay: 1 << 30})
	sim.AddCustomers(customers...)
	return setTerraformOn(t, sim)
}

func setTerraformOn(t testing.TB, sim *fusebillsim.Simulator) *setTerraform {
	t.Helper()
	c := &setTerraform{t: t, sim: sim}
	schema, err := c.server().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	c.typ, _ = schema.ResourceSchemas[latchesType].ValueType().(tftypes.Object)
	c.state = tftypes.NewValue(c.typ, nil)
	return c
}

func (c *setTerraform) server() tfprotov6.ProviderServer {
	options := []fusebill.Option{fusebill.WithTransport(c.sim.Transport()), fusebill.WithMaxRetries(0)}
	return newServer(&fusebillProvider{version: "test", clientOptions: options})()
}

// process is a configured provider process.
func (c *setTerraform) process() tfprotov6.ProviderServer {
	c.t.Helper()
	server := c.server()
	schema, err := server.GetProviderSchema(c.t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		c.t.Fatal(err)
	}
	typ, _ := schema.Provider.ValueType().(tftypes.Object)
	config := objectOf(typ, map[string]any{"api_key": acctest.APIKey, "base_url": "https://fusebill.test/v1"})
	resp, err := server.ConfigureProvider(c.t.Context(), &tfprotov6.ConfigureProviderRequest{Config: c.encode(config)})
	if err != nil || len(resp.Diagnostics) > 0 {
		c.t.Fatal(err, resp.Diagnostics)
	}
	return server
}

// unknown stands for a value that is not known yet.
var unknown = tftypes.UnknownValue

// objectOf returns an object with these attributes, given as a bool, an int, a string, a
// map[string]any, unknown, or nil for null. All others are null.
func objectOf(typ tftypes.Object, attributes map[string]any) tftypes.Value {
	values := make(map[string]tftypes.Value, len(typ.AttributeTypes))
	for name, attribute := range typ.AttributeTypes {
		value := attributes[name]
		if elements, ok := value.(map[string]any); ok {
			converted := make(map[string]tftypes.Value, len(elements))
			for key, element := range elements {
				converted[key] = tftypes.NewValue(tftypes.String, element)
			}
			value = converted
		}
		values[name] = tftypes.NewValue(attribute, value)
	}
	return tftypes.NewValue(typ, values)
}

func (c *setTerraform) encode(value tftypes.Value) *tfprotov6.DynamicValue {
	c.t.Helper()
	encoded, err := tfprotov6.NewDynamicValue(value.Type(), value)
	if err != nil {
		c.t.Fatal(err)
	}
	return &encoded
}

func (c *setTerraform) decode(value *tfprotov6.DynamicValue) tftypes.Value {
	c.t.Helper()
	decoded, err := value.Unmarshal(c.typ)
	if err != nil {
		c.t.Fatal(err)
	}
	return decoded
}

// diagnostics are the diagnostics of one or more calls.
type diagnostics []*tfprotov6.Diagnostic

func (d diagnostics) of(severity tfprotov6.DiagnosticSeverity) diagnostics {
	return slices.DeleteFunc(slices.Clone(d), func(d *tfprotov6.Diagnostic) bool { return d.Severity != severity })
}

func (d diagnostics) errors() diagnostics   { return d.of(tfprotov6.DiagnosticSeverityError) }
func (d diagnostics) warnings() diagnostics { return d.of(tfprotov6.DiagnosticSeverityWarning) }

func (d diagnostics) String() string {
	var texts []string
	for _, one := range d {
		texts = append(texts, fmt.Sprintf("%s: %s: %s\n%s", one.Severity, one.Attribute, one.Summary, one.Detail))
	}
	return strings.Join(texts, "\n\n")
}

// has fails the test unless one of the diagnostics has this summary, and these parts in its detail.
func (d diagnostics) has(t testing.TB, summary string, parts ...string) *tfprotov6.Diagnostic {
	t.Helper()
	for _, one := range d {
		lacks := slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(one.Detail, part) })
		if one.Summary == summary && !lacks {
			return one
		}
	}
	t.Errorf("no %q with %q in:\n%s", summary, parts, d)
	return &tfprotov6.Diagnostic{}
}

// isEmpty fails the test if there are diagnostics.
func (d diagnostics) isEmpty(t testing.TB) {
	t.Helper()
	if len(d) > 0 {
		t.Fatalf("unexpected diagnostics:\n%s", d)
	}
}

// setPlanned is a plan of Terraform for the set.
type setPlanned struct {
	config, prior, planned tftypes.Value
	private                []byte
	diags                  diagnostics
}

// isNoop reports whether Terraform would report no changes for the plan.
func (p setPlanned) isNoop() bool { return p.prior.Equal(p.planned) }

// config is a configuration of the set.
func (c *setTerraform) config(attributes map[string]any) tftypes.Value {
	return objectOf(c.typ, attributes)
}

func (c *setTerraform) refresh(server tfprotov6.ProviderServer) diagnostics {
	c.t.Helper()
	if c.state.IsNull() {
		return nil
	}
	resp, err := server.ReadResource(c.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: latchesType, CurrentState: c.encode(c.state), Private: c.private,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	if len(diagnostics(resp.Diagnostics).errors()) == 0 {
		c.state, c.private = c.decode(resp.NewState), resp.Private
	}
	return resp.Diagnostics
}

// plan validates, refreshes and plans, in a process of its own.
func (c *setTerraform) plan(attributes map[string]any) setPlanned {
	c.t.Helper()
	return c.planIn(c.process(), attributes, true)
}

func (c *setTerraform) planIn(server tfprotov6.ProviderServer, attributes map[string]any, refresh bool) setPlanned {
	c.t.Helper()
	config := c.config(attributes)
	valid, err := server.ValidateResourceConfig(c.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: latchesType, Config: c.encode(config),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	p := setPlanned{config: config, diags: valid.Diagnostics}
	if len(p.diags.errors()) > 0 {
		return p
	}
	if refresh {
		p.diags = append(p.diags, c.refresh(server)...)
	}
	if len(p.diags.errors()) > 0 {
		return p
	}
	p.prior = c.state
	private := c.private
	if c.tainted {
		p.prior, private = tftypes.NewValue(c.typ, nil), nil
	}
	return c.planFrom(server, p, private)
}

// planFrom calls the provider for a plan.
func (c *setTerraform) planFrom(server tfprotov6.ProviderServer, p setPlanned, private []byte) setPlanned {
	c.t.Helper()
	resp, err := server.PlanResourceChange(c.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: latchesType, PriorState: c.encode(p.prior), ProposedNewState: c.encode(c.proposed(p)),
		Config:       c.encode(p.config),
		PriorPrivate: private,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	p.diags = append(p.diags, resp.Diagnostics...)
	if len(diagnostics(resp.Diagnostics).errors()) == 0 {
		p.planned, p.private = c.decode(resp.PlannedState), resp.PlannedPrivate
	}
	return p
}

// proposed returns the configuration with the prior value of the computed attribute.
func (c *setTerraform) proposed(p setPlanned) tftypes.Value {
	c.t.Helper()
	if p.config.IsNull() {
		return p.config
	}
	attributes := c.attributes(p.config)
	attributes[unlistedAttribute] = tftypes.NewValue(mapOfStrings, unknown)
	if !p.prior.IsNull() {
		attributes[unlistedAttribute] = c.attributes(p.prior)[unlistedAttribute]
	}
	return tftypes.NewValue(c.typ, attributes)
}

func (c *setTerraform) attributes(value tftypes.Value) map[string]tftypes.Value {
	c.t.Helper()
	var attributes map[string]tftypes.Value
	if err := value.As(&attributes); err != nil {
		c.t.Fatal(err)
	}
	return attributes
}

// apply applies a plan in a process of its own: it plans again, and replaces a tainted set.
func (c *setTerraform) apply(p setPlanned) diagnostics {
	c.t.Helper()
	p.diags.errors().isEmpty(c.t)
	return c.applyIn(c.process(), p)
}

func (c *setTerraform) applyIn(server tfprotov6.ProviderServer, p setPlanned) diagnostics {
	c.t.Helper()
	var diags diagnostics
	private := c.private
	if c.tainted {
		diags = append(diags, c.call(server, c.state, p.config, tftypes.NewValue(c.typ, nil), p.private)...)
		if len(diags.errors()) > 0 {
			return diags
		}
		private = nil
	}
	final := p
	final.diags = nil
	final = c.planFrom(server, final, private)
	if diags = append(diags, final.diags.errors()...); len(diags.errors()) > 0 {
		return diags
	}
	c.isConsistent("final plan", p.planned, final.planned)
	applyPrivate := final.private
	if final.prior.IsNull() {
		applyPrivate = nil // Terraform hands a create none.
	}
	called := c.call(server, final.prior, p.config, final.planned, applyPrivate)
	if len(called.errors()) == 0 {
		c.isConsistent("result after apply", final.planned, c.state)
	}
	return append(diags, called...)
}

// isConsistent fails the test unless the state has all known values of the plan, as Terraform
// checks.
func (c *setTerraform) isConsistent(what string, planned, got tftypes.Value) {
	c.t.Helper()
	want := c.attributes(planned)
	for name, value := range c.attributes(got) {
		if want[name].IsFullyKnown() && !value.Equal(want[name]) {
			c.t.Errorf("inconsistent %s: %s is %s, and was planned as %s", what, name, value, want[name])
		}
	}
}

// call calls the provider for an apply. It taints a set whose create returns errors and a state.
func (c *setTerraform) call(server tfprotov6.ProviderServer, prior, config, planned tftypes.Value,
	private []byte) diagnostics {
	c.t.Helper()
	if planned.IsNull() {
		config = planned
	}
	resp, err := server.ApplyResourceChange(c.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: latchesType, PriorState: c.encode(prior), PlannedState: c.encode(planned), Config: c.encode(config),
		PlannedPrivate: private,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.state, c.private = c.decode(resp.NewState), resp.Private
	failed := len(diagnostics(resp.Diagnostics).errors()) > 0
	c.tainted = failed && !c.state.IsNull() && (prior.IsNull() || c.tainted)
	if !c.state.IsFullyKnown() {
		c.t.Errorf("unknown values after an apply: %s", c.state)
	}
	return resp.Diagnostics
}

// planDestroy plans the destroy of the set as terraform destroy does, without the ordinary plan
// before it.
func (c *setTerraform) planDestroy(server tfprotov6.ProviderServer) setPlanned {
	c.t.Helper()
	null := tftypes.NewValue(c.typ, nil)
	return c.planFrom(server, setPlanned{config: null, prior: c.state}, c.private)
}

func (c *setTerraform) destroy() diagnostics {
	c.t.Helper()
	p := c.planDestroy(c.process())
	p.diags.errors().isEmpty(c.t)
	return c.call(c.process(), c.state, p.planned, p.planned, p.private)
}

// succeeds plans and applies, without errors, and plans no more changes after that.
func (c *setTerraform) succeeds(attributes map[string]any) {
	c.t.Helper()
	c.apply(c.plan(attributes)).errors().isEmpty(c.t)
	again := c.plan(attributes)
	again.diags.isEmpty(c.t)
	if !again.isNoop() {
		c.t.Errorf("the next plan is not empty: from %s to %s", again.prior, again.planned)
	}
}

// stateIs checks attributes of the state; those that are not named are not checked.
func (c *setTerraform) stateIs(attributes map[string]any) {
	c.t.Helper()
	if c.state.IsNull() {
		c.t.Fatal("there is no state")
	}
	isOf(c.t, c.attributes(c.state), c.attributes(c.config(attributes)), attributes)
}

// plans checks attributes of a plan.
func (p setPlanned) plans(t testing.TB, c *setTerraform, attributes map[string]any) {
	t.Helper()
	p.diags.errors().isEmpty(t)
	isOf(t, c.attributes(p.planned), c.attributes(c.config(attributes)), attributes)
}

func isOf(t testing.TB, got, want map[string]tftypes.Value, checked map[string]any) {
	t.Helper()
	for name := range checked {
		if !got[name].Equal(want[name]) {
			t.Errorf("%s is %s, want %s", name, got[name], want[name])
		}
	}
}

// accountIs checks the latches of the account: customer, contact, company.
func (c *setTerraform) accountIs(want ...[3]int64) {
	c.t.Helper()
	for _, w := range want {
		customer, ok := c.sim.Customer(w[0])
		if !ok || customer.HubSpotID != w[1] || customer.HubSpotCompanyID != w[2] {
			c.t.Errorf("customer %d is latched to contact %d and company %d (exists: %t), want %d and %d",
				w[0], customer.HubSpotID, customer.HubSpotCompanyID, ok, w[1], w[2])
		}
	}
}

// latchedCustomers are the customers of an account, each with its ID, contact and company.
func latchedCustomers(latches ...[3]int64) []fusebillsim.Customer {
	var customers []fusebillsim.Customer
	for _, l := range latches {
		customers = append(customers, fusebillsim.Customer{ID: l[0], HubSpotID: l[1], HubSpotCompanyID: l[2]})
	}
	return customers
}

// ids is a map of the configuration or the state.
type ids = map[string]any

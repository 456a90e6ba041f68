package provider

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The provider spoken to without a CLI, in its own protocol: for what the CLI at hand may be too old for, and for what
// depends on a clock, which stands still here while anything is under way. The promises tested here: the identity is set
// by create, read, update and import, whether or not it was there before; an import by identity is one by ID; what is
// unknown in the provider's configuration defers where the CLI allows it; timeouts are kept to the second; Ctrl-C ends
// within two.

// protocol speaks to a provider for one account.
type protocol struct {
	t        *testing.T
	sim      *fusebillsim.Simulator
	server   tfprotov6.ProviderServer
	provider tftypes.Object // their schemas' types
	latch    tftypes.Object
	identity tftypes.Object
}

const latchType = "fusebill_hubspot_latch"

// newProtocol starts a provider straight onto the simulator: a socket would hold a fake clock.
func newProtocol(t *testing.T, sim *fusebillsim.Simulator) *protocol {
	t.Helper()
	p := &protocol{t: t, sim: sim}
	p.start()
	schemas, err := p.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	identities, err := p.server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p.provider = objectType(t, schemas.Provider.ValueType())
	p.latch = objectType(t, schemas.ResourceSchemas[latchType].ValueType())
	p.identity = objectType(t, identities.IdentitySchemas[latchType].ValueType())
	return p
}

func (p *protocol) start() {
	options := []fusebill.Option{fusebill.WithTransport(p.sim.Transport()), fusebill.WithMaxRetries(0)}
	p.server = newServer(&fusebillProvider{version: "test", clientOptions: options})()
}

// configure configures the provider as an old CLI does it.
func (p *protocol) configure() {
	p.t.Helper()
	resp, err := p.server.ConfigureProvider(p.t.Context(), &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: "1.0.0",
		Config: p.value(p.provider, map[string]tftypes.Value{
			"api_key":         tftypes.NewValue(tftypes.String, testKey),
			"base_url":        tftypes.NewValue(tftypes.String, "https://fusebill.test/v1"),
			"request_timeout": tftypes.NewValue(tftypes.String, "24h"), // No test here is about it.
		}),
	})
	p.succeeded(resp.Diagnostics, err)
}

// configured is newProtocol with the provider configured.
func configured(t *testing.T, sim *fusebillsim.Simulator) *protocol {
	t.Helper()
	p := newProtocol(t, sim)
	p.configure()
	return p
}

func objectType(t *testing.T, typ tftypes.Type) tftypes.Object {
	t.Helper()
	object, ok := typ.(tftypes.Object)
	if !ok {
		t.Fatalf("%s is no object", typ)
	}
	return object
}

// object is a value of a type in which these attributes are set and all others are null.
func object(typ tftypes.Object, attributes map[string]tftypes.Value) tftypes.Value {
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

func (p *protocol) encode(typ tftypes.Type, value tftypes.Value) *tfprotov6.DynamicValue {
	p.t.Helper()
	encoded, err := tfprotov6.NewDynamicValue(typ, value)
	if err != nil {
		p.t.Fatal(err)
	}
	return &encoded
}

func (p *protocol) value(typ tftypes.Object, attributes map[string]tftypes.Value) *tfprotov6.DynamicValue {
	p.t.Helper()
	return p.encode(typ, object(typ, attributes))
}

// state is a latch as state and plans hold it. The timeouts are pairs of name and duration.
func (p *protocol) state(h held, timeouts ...string) *tfprotov6.DynamicValue {
	p.t.Helper()
	if h == (held{}) {
		return p.encode(p.latch, tftypes.NewValue(p.latch, nil))
	}
	id := func(id int64) tftypes.Value {
		if id == 0 {
			return tftypes.NewValue(tftypes.Number, nil)
		}
		return tftypes.NewValue(tftypes.Number, id)
	}
	attributes := map[string]tftypes.Value{
		"fusebill_id": id(h.customer), "hubspot_id": id(h.contact), "hubspot_company_id": id(h.company),
	}
	if len(timeouts) > 0 {
		typ := objectType(p.t, p.latch.AttributeTypes["timeouts"])
		limits := map[string]tftypes.Value{}
		for i := 0; i < len(timeouts); i += 2 {
			limits[timeouts[i]] = tftypes.NewValue(tftypes.String, timeouts[i+1])
		}
		attributes["timeouts"] = object(typ, limits)
	}
	return p.value(p.latch, attributes)
}

// holds fails the test unless a value is this latch; no customer stands for null.
func (p *protocol) holds(got *tfprotov6.DynamicValue, want held) {
	p.t.Helper()
	value, err := got.Unmarshal(p.latch)
	if err != nil {
		p.t.Fatal(err)
	}
	wanted, err := p.state(want).Unmarshal(p.latch)
	if err != nil {
		p.t.Fatal(err)
	}
	if !value.Equal(wanted) {
		p.t.Errorf("got the latch %s, want %s", value, wanted)
	}
}

func (p *protocol) identityOf(customer int64) *tfprotov6.ResourceIdentityData {
	p.t.Helper()
	return &tfprotov6.ResourceIdentityData{IdentityData: p.value(p.identity, map[string]tftypes.Value{
		"fusebill_id": tftypes.NewValue(tftypes.Number, customer),
	})}
}

// identifies fails the test unless an identity is that of this customer.
func (p *protocol) identifies(got *tfprotov6.ResourceIdentityData, customer int64) {
	p.t.Helper()
	if got == nil || got.IdentityData == nil {
		p.t.Errorf("there is no identity, want that of customer %d", customer)
		return
	}
	if diff := gocmp.Diff(p.identityOf(customer), got); diff != "" {
		p.t.Errorf("identity (- want, + got):\n%s", diff)
	}
}

func (p *protocol) succeeded(diags []*tfprotov6.Diagnostic, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, d := range diags {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			p.t.Fatalf("%s: %s", d.Summary, d.Detail)
		}
	}
}

// failed fails the test unless there is one error with this summary, whose text holds these parts.
func (p *protocol) failed(diags []*tfprotov6.Diagnostic, err error, summary string, parts ...string) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	if len(diags) != 1 || diags[0].Summary != summary {
		p.t.Fatalf("got %d diagnostics, want one %q: %v", len(diags), summary, diags)
	}
	for _, part := range parts {
		if !strings.Contains(diags[0].Detail, part) {
			p.t.Errorf("no %q in the error: %s", part, diags[0].Detail)
		}
	}
}

// planned is a change of a latch that can be applied.
type planned struct {
	before, after *tfprotov6.DynamicValue
	resp          *tfprotov6.PlanResourceChangeResponse
}

// plan plans a change of a latch whose identity isn't known, as it is for one that an older CLI made.
func (p *protocol) plan(before, after *tfprotov6.DynamicValue) planned {
	p.t.Helper()
	p.start()
	p.configure()
	resp, err := p.server.PlanResourceChange(p.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: latchType, PriorState: before, ProposedNewState: after, Config: after,
	})
	p.succeeded(resp.Diagnostics, err)
	return planned{before, after, resp}
}

// apply applies a plan with another process of the provider, as Terraform does.
func (p *protocol) apply(plan planned) *tfprotov6.ApplyResourceChangeResponse {
	p.t.Helper()
	p.start()
	p.configure()
	resp, err := p.server.ApplyResourceChange(p.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: latchType, PriorState: plan.before, PlannedState: plan.resp.PlannedState, Config: plan.after,
		PlannedIdentity: plan.resp.PlannedIdentity, PlannedPrivate: plan.resp.PlannedPrivate,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

func simWith(holds ...held) *fusebillsim.Simulator {
	sim := fusebillsim.New(fusebillsim.Config{APIKey: testKey})
	for _, h := range holds {
		sim.AddCustomers(fusebillsim.Customer{ID: h.customer, HubSpotID: h.contact, HubSpotCompanyID: h.company})
	}
	return sim
}

func TestProtocol_identityIsSetByEveryOperation(t *testing.T) {
	t.Parallel()
	const customer = 9007199254740993
	sim := simWith(held{customer, 0, 0})
	p := configured(t, sim)
	none, first, second := held{}, held{customer, 101, 0}, held{customer, 0, 202}

	created := p.apply(p.plan(p.state(none), p.state(first)))
	p.succeeded(created.Diagnostics, nil)
	p.holds(created.NewState, first)
	p.identifies(created.NewIdentity, customer)

	read, err := p.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: latchType, CurrentState: p.state(first)})
	p.succeeded(read.Diagnostics, err)
	p.holds(read.NewState, first)
	p.identifies(read.NewIdentity, customer)

	updated := p.apply(p.plan(p.state(first), p.state(second)))
	p.succeeded(updated.Diagnostics, nil)
	p.holds(updated.NewState, second)
	p.identifies(updated.NewIdentity, customer)
}

// Terraform plans once more before it applies, which finds most of what has changed. What comes even later is refused by
// the operations themselves.
func TestProtocol_applyChecksForItself(t *testing.T) {
	t.Parallel()
	sim := simWith(held{11, 0, 0}, held{22, 0, 0})
	p := configured(t, sim)
	create := p.plan(p.state(held{}), p.state(held{11, 101, 0}))
	sim.SetLatch(11, 999, 0)
	created := p.apply(create)
	p.failed(created.Diagnostics, nil, "Customer is latched already", "Could not create the HubSpot latch of customer 11 (contact 101)",
		"customer 11 is latched to contact 999 already")
	p.holds(created.NewState, held{})

	update := p.plan(p.state(held{22, 102, 0}), p.state(held{22, 103, 0}))
	sim.SetLatch(22, 888, 0)
	updated := p.apply(update)
	p.failed(updated.Diagnostics, nil, "HubSpot latch changed since the plan was made", "Could not update the HubSpot latch of customer 22 (contact 103)",
		"customer 22 is latched to contact 888, and no longer to contact 102 as when the plan was made")
	p.holds(updated.NewState, held{22, 102, 0})
	if n := sim.Writes(); n > 0 {
		t.Errorf("%d writes were made", n)
	}
}

// Terraform wants an identity even of a resource that turns out to be gone.
func TestProtocol_readOfWhatIsGoneNeedsNoIdentity(t *testing.T) {
	t.Parallel()
	p := configured(t, simWith(held{11, 0, 0}))
	for name, customer := range map[string]int64{"latch": 11, "customer": 99} {
		read, err := p.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: latchType, CurrentState: p.state(held{customer, 101, 0}),
		})
		p.succeeded(read.Diagnostics, err)
		p.holds(read.NewState, held{})
		if t.Failed() {
			t.Log("where the " + name + " is gone")
		}
	}
}

func TestProtocol_import(t *testing.T) {
	t.Parallel()
	const customer = math.MaxInt64
	sim := simWith(held{customer, 101, 202}, held{22, 0, 0})
	p := configured(t, sim)
	for name, req := range map[string]*tfprotov6.ImportResourceStateRequest{
		"by ID":       {TypeName: latchType, ID: "9223372036854775807"},
		"by identity": {TypeName: latchType, Identity: p.identityOf(customer)},
	} {
		resp, err := p.server.ImportResourceState(t.Context(), req)
		p.succeeded(resp.Diagnostics, err)
		if len(resp.ImportedResources) != 1 {
			t.Fatalf("%s: %d resources are imported, want 1", name, len(resp.ImportedResources))
		}
		imported := resp.ImportedResources[0]
		p.identifies(imported.Identity, customer)

		read, err := p.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: latchType, CurrentState: imported.State, CurrentIdentity: imported.Identity, Private: imported.Private,
		})
		p.succeeded(read.Diagnostics, err)
		p.holds(read.NewState, held{customer, 101, 202})
		p.identifies(read.NewIdentity, customer)
	}
	for _, refused := range []struct {
		customer int64
		summary  string
		parts    []string
	}{
		{0, "Invalid import identity", []string{"fusebill_id must be the ID of a Fusebill customer, 1 or more, not 0."}},
		{-11, "Invalid import identity", []string{"not -11."}},
		{22, "Customer isn't latched", []string{"Customer 22 exists and is latched to nothing in HubSpot"}},
		{99, "Customer not found in Fusebill", []string{"Could not import the HubSpot latch of customer 99", "Customer with id 99 was not found."}},
	} {
		resp, err := p.server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
			TypeName: latchType, Identity: p.identityOf(refused.customer),
		})
		p.failed(resp.Diagnostics, err, refused.summary, refused.parts...)
	}
	if n := sim.Writes(); n > 0 {
		t.Errorf("imports made %d writes", n)
	}
}

// With settings that come from something not applied yet, a CLI that can put changes off is asked to; for any other the
// settings are errors. A default in their place would plan for another account than the one that is applied to.
func TestProtocol_unknownSettings(t *testing.T) {
	t.Parallel()
	unknown := func(p *protocol) *tfprotov6.DynamicValue {
		return p.value(p.provider, map[string]tftypes.Value{
			"api_key":             tftypes.NewValue(tftypes.String, tftypes.UnknownValue),
			"base_url":            tftypes.NewValue(tftypes.String, tftypes.UnknownValue),
			"requests_per_minute": tftypes.NewValue(tftypes.Number, tftypes.UnknownValue),
			"max_retries":         tftypes.NewValue(tftypes.Number, tftypes.UnknownValue),
			"request_timeout":     tftypes.NewValue(tftypes.String, tftypes.UnknownValue),
		})
	}
	t.Run("are deferred where that is allowed", func(t *testing.T) {
		t.Parallel()
		sim := simWith(held{11, 101, 0})
		p := newProtocol(t, sim)
		resp, err := p.server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
			Config: unknown(p), ClientCapabilities: &tfprotov6.ConfigureProviderClientCapabilities{DeferralAllowed: true},
		})
		p.succeeded(resp.Diagnostics, err)

		isDeferred := func(deferred *tfprotov6.Deferred) {
			t.Helper()
			if deferred == nil || deferred.Reason != tfprotov6.DeferredReasonProviderConfigUnknown {
				t.Errorf("deferred: %v, want for the provider's unknown configuration", deferred)
			}
		}
		plan, err := p.server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
			TypeName: latchType, PriorState: p.state(held{}), ProposedNewState: p.state(held{11, 101, 0}), Config: p.state(held{11, 101, 0}),
			ClientCapabilities: &tfprotov6.PlanResourceChangeClientCapabilities{DeferralAllowed: true},
		})
		p.succeeded(plan.Diagnostics, err)
		isDeferred(plan.Deferred)
		read, err := p.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: latchType, CurrentState: p.state(held{11, 102, 0}),
			ClientCapabilities: &tfprotov6.ReadResourceClientCapabilities{DeferralAllowed: true},
		})
		p.succeeded(read.Diagnostics, err)
		isDeferred(read.Deferred)
		imported, err := p.server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
			TypeName: latchType, ID: "11",
			ClientCapabilities: &tfprotov6.ImportResourceStateClientCapabilities{DeferralAllowed: true},
		})
		p.succeeded(imported.Diagnostics, err)
		isDeferred(imported.Deferred)
		if n := sim.Count(); n > 0 {
			t.Errorf("%d calls were made", n)
		}
	})
	t.Run("are errors elsewhere", func(t *testing.T) {
		t.Parallel()
		p := newProtocol(t, simWith())
		resp, err := p.server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: unknown(p)})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range resp.Diagnostics {
			got = append(got, d.Attribute.String())
		}
		want := []string{
			`AttributeName("api_key")`, `AttributeName("base_url")`, `AttributeName("requests_per_minute")`,
			`AttributeName("max_retries")`, `AttributeName("request_timeout")`,
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("settings with an error (- want, + got):\n%s", diff)
		}
	})
}

// reads and writes are the routes that calls get stuck on.
var (
	reads  = []fusebillsim.Route{fusebillsim.RouteCustomer, fusebillsim.RouteCustomers}
	writes = []fusebillsim.Route{fusebillsim.RouteLatch}
)

// stick holds all calls of these routes, before they do anything, until they are given up.
func stick(sim *fusebillsim.Simulator, routes ...fusebillsim.Route) {
	for _, route := range routes {
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Route: route, Latency: forever, Times: -1})
	}
}

// stop cancels what a provider does, as the CLI does after Ctrl-C.
func (p *protocol) stop() {
	p.t.Helper()
	if _, err := p.server.StopProvider(p.t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
		p.t.Error(err)
	}
}

func TestProtocol_timeouts(t *testing.T) {
	t.Parallel()
	none, first, second := held{}, held{11, 101, 0}, held{11, 102, 0}
	for name, test := range map[string]struct {
		stuck         []fusebillsim.Route
		before, after held
		timeouts      []string
		takes         time.Duration
		summary       string
		parts         []string
	}{
		"create stuck in its write, which wasn't made": {
			writes, none, first, []string{"create", "90s"}, 90 * time.Second, "HubSpot latch was not changed",
			[]string{"Could not create", "the timeout of 1m30s for this operation is over; read afterwards, customer 11 is latched to nothing."},
		},
		"update stuck in its write": {
			writes, first, second, []string{"create", "1s", "update", "5m"}, 5 * time.Minute, "HubSpot latch was not changed",
			[]string{"Could not update", "the timeout of 5m0s for this operation is over; read afterwards, customer 11 is latched to contact 101."},
		},
		"delete stuck in its write": {
			writes, first, none, []string{"create", "1s", "delete", "2m"}, 2 * time.Minute, "HubSpot latch was not changed",
			[]string{"Could not delete", "the timeout of 2m0s for this operation is over; read afterwards, customer 11 is latched to contact 101."},
		},
		"create stuck before its write": {
			reads, none, first, []string{"create", "30s"}, 30 * time.Second, "Timed out",
			[]string{"Could not create", "the timeout of 30s for this operation is over.", "Nothing was changed."},
		},
		"no timeout given": {
			writes, none, first, nil, 20 * time.Minute, "HubSpot latch was not changed",
			[]string{"the timeout of 20m0s for this operation is over"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := simWith(held{11, test.before.contact, 0})
				p := configured(t, sim)
				plan := p.plan(p.state(test.before, test.timeouts...), p.state(test.after, test.timeouts...))
				stick(sim, test.stuck...)
				start := time.Now()
				resp := p.apply(plan)
				p.failed(resp.Diagnostics, nil, test.summary, test.parts...)
				if took := time.Since(start); took != test.takes {
					t.Errorf("took %s, want %s", took, test.takes)
				}
				if diff := gocmp.Diff(plan.before, resp.NewState); diff != "" {
					t.Errorf("state isn't what it was (- want, + got):\n%s", diff)
				}
			})
		})
	}
}

// The provider gives a stopped write one short look at what became of it, and then ends.
func TestProtocol_stopEndsWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stuck   []fusebillsim.Route
		summary string
	}{
		"in a read":                            {reads, "Interrupted"},
		"in a write":                           {writes, "HubSpot latch was not changed"},
		"in a write, and nothing else answers": {nil, "Outcome of the latch call is unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := simWith(held{11, 0, 0})
				p := configured(t, sim)
				plan := p.plan(p.state(held{}), p.state(held{11, 101, 0}))
				stick(sim, test.stuck...)
				go func() {
					time.Sleep(time.Second) // By then everything is stuck that can be.
					p.stop()
				}()
				if test.stuck == nil {
					sim.Inject(fusebillsim.Fault{Route: fusebillsim.RouteLatch, OnRequest: func(r *http.Request) {
						stick(sim, reads...)
						<-r.Context().Done()
					}})
				}
				start := time.Now()
				resp := p.apply(plan)
				p.failed(resp.Diagnostics, nil, test.summary)
				if took := time.Since(start); took < time.Second || took > 3*time.Second {
					t.Errorf("ended %s after the stop, want at most 2s", took-time.Second)
				}
				p.holds(resp.NewState, held{})
			})
		})
	}
}

package provider

import (
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// These tests call the provider by its protocol, without a CLI. So they cover features that the CLI
// of this machine may lack, and timeouts, with the clock of a synctest bubble.

// Create, read and update set the identity, whether or not it was set before.
func TestProtocol_setsIdentity(t *testing.T) {
	t.Parallel()
	const customer = 9007199254740993
	sim := acctest.SimulatorWith(acctest.Customer{ID: customer})
	p := acctest.NewConfiguredProtocol(t, sim)
	none := acctest.Customer{}
	first, second := acctest.Customer{ID: customer, Contact: 101}, acctest.Customer{ID: customer, Company: 202}

	created := p.Apply(p.Plan(p.State(none), p.State(first)))
	p.Succeeded(created.Diagnostics, nil)
	p.Holds(created.NewState, first)
	p.Identifies(created.NewIdentity, customer)

	read, err := p.Server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: acctest.LatchType, CurrentState: p.State(first),
	})
	p.Succeeded(read.Diagnostics, err)
	p.Holds(read.NewState, first)
	p.Identifies(read.NewIdentity, customer)

	updated := p.Apply(p.Plan(p.State(first), p.State(second)))
	p.Succeeded(updated.Diagnostics, nil)
	p.Holds(updated.NewState, second)
	p.Identifies(updated.NewIdentity, customer)
}

// Terraform plans again before it applies, which notices most changes by others. The operations
// refuse changes that are made after that plan.
func TestProtocol_applyNoticesLaterChanges(t *testing.T) {
	t.Parallel()
	sim := acctest.SimulatorWith(acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	p := acctest.NewConfiguredProtocol(t, sim)
	create := p.Plan(p.State(acctest.Customer{}), p.State(acctest.Customer{ID: 11, Contact: 101}))
	sim.SetLatch(11, 999, 0)
	created := p.Apply(create)
	p.Failed(created.Diagnostics, nil, "Customer is already latched",
		"Could not create the HubSpot latch of customer 11 to contact 101",
		"customer 11 is already latched to contact 999")
	p.Holds(created.NewState, acctest.Customer{})

	update := p.Plan(p.State(acctest.Customer{ID: 22, Contact: 102}), p.State(acctest.Customer{ID: 22, Contact: 103}))
	sim.SetLatch(22, 888, 0)
	updated := p.Apply(update)
	p.Failed(updated.Diagnostics, nil, "HubSpot latch changed since the plan was made",
		"Could not update the HubSpot latch of customer 22 to contact 103",
		"customer 22 was latched to contact 102, and is latched to contact 888 now")
	p.Holds(updated.NewState, acctest.Customer{ID: 22, Contact: 102})
	if n := sim.Writes(); n > 0 {
		t.Errorf("got %d writes, want 0", n)
	}
}

// A read of a resource that is gone succeeds without an identity, which Terraform otherwise
// requires.
func TestProtocol_readsMissingLatchWithoutIdentity(t *testing.T) {
	t.Parallel()
	p := acctest.NewConfiguredProtocol(t, acctest.SimulatorWith(acctest.Customer{ID: 11}))
	for _, test := range []struct {
		name     string
		customer int64
	}{{"latch", 11}, {"customer", 99}} { // The first customer exists, which shows that the account is the right one.
		name, customer := test.name, test.customer
		read, err := p.Server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: acctest.LatchType, CurrentState: p.State(acctest.Customer{ID: customer, Contact: 101}),
		})
		p.Succeeded(read.Diagnostics, err)
		p.Holds(read.NewState, acctest.Customer{})
		if t.Failed() {
			t.Log("case: the " + name + " is gone")
		}
	}
}

// An import by identity has the same result as one by ID, and the same errors.
func TestProtocol_importsByIDAndIdentity(t *testing.T) {
	t.Parallel()
	const customer = math.MaxInt64
	sim := acctest.SimulatorWith(acctest.Customer{ID: customer, Contact: 101, Company: 202}, acctest.Customer{ID: 22})
	p := acctest.NewConfiguredProtocol(t, sim)
	for name, req := range map[string]*tfprotov6.ImportResourceStateRequest{
		"by ID":       {TypeName: acctest.LatchType, ID: "9223372036854775807"},
		"by identity": {TypeName: acctest.LatchType, Identity: p.IdentityOf(customer)},
	} {
		resp, err := p.Server.ImportResourceState(t.Context(), req)
		p.Succeeded(resp.Diagnostics, err)
		if len(resp.ImportedResources) != 1 {
			t.Fatalf("%s: got %d imported resources, want 1", name, len(resp.ImportedResources))
		}
		imported := resp.ImportedResources[0]
		p.Identifies(imported.Identity, customer)

		read, err := p.Server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: acctest.LatchType, CurrentState: imported.State, CurrentIdentity: imported.Identity,
			Private: imported.Private,
		})
		p.Succeeded(read.Diagnostics, err)
		p.Holds(read.NewState, acctest.Customer{ID: customer, Contact: 101, Company: 202})
		p.Identifies(read.NewIdentity, customer)
	}
	for _, refused := range []struct {
		customer int64
		summary  string
		parts    []string
	}{
		{0, "Invalid import ID", []string{`"0" is not the ID of a Fusebill customer: it is not 1 or more.`}},
		{-11, "Invalid import ID", []string{`"-11" is not the ID of a Fusebill customer`}},
		{22, "Customer is not latched", []string{"Customer 22 exists and is latched to nothing in HubSpot"}},
		{
			99, "Customer not found in Fusebill",
			[]string{"Could not import the HubSpot latch of customer 99", "Customer with id 99 was not found."},
		},
	} {
		resp, err := p.Server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
			TypeName: acctest.LatchType, Identity: p.IdentityOf(refused.customer),
		})
		p.Failed(resp.Diagnostics, err, refused.summary, refused.parts...)
	}
	if n := sim.Writes(); n > 0 {
		t.Errorf("imports made %d writes, want 0", n)
	}
}

// Settings that are known only after apply make the provider defer its resources where the CLI
// allows deferral, and are errors elsewhere. With their defaults, the plan would use another
// account than the apply.
func TestProtocol_deferredWithUnknownSettings(t *testing.T) {
	t.Parallel()
	unknown := func(p *acctest.Protocol) *tfprotov6.DynamicValue {
		return p.Value(p.ProviderType, map[string]tftypes.Value{
			"api_key":             tftypes.NewValue(tftypes.String, tftypes.UnknownValue),
			"base_url":            tftypes.NewValue(tftypes.String, tftypes.UnknownValue),
			"requests_per_minute": tftypes.NewValue(tftypes.Number, tftypes.UnknownValue),
			"max_retries":         tftypes.NewValue(tftypes.Number, tftypes.UnknownValue),
			"request_timeout":     tftypes.NewValue(tftypes.String, tftypes.UnknownValue),
		})
	}
	t.Run("deferral is allowed", func(t *testing.T) {
		t.Parallel()
		sim := acctest.SimulatorWith(acctest.Customer{ID: 11, Contact: 101})
		p := acctest.NewProtocol(t, sim)
		resp, err := p.Server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
			Config: unknown(p), ClientCapabilities: &tfprotov6.ConfigureProviderClientCapabilities{DeferralAllowed: true},
		})
		p.Succeeded(resp.Diagnostics, err)

		isDeferred := func(deferred *tfprotov6.Deferred) {
			t.Helper()
			if deferred == nil || deferred.Reason != tfprotov6.DeferredReasonProviderConfigUnknown {
				t.Errorf("got deferral %v, want the reason of an unknown provider configuration", deferred)
			}
		}
		latched := p.State(acctest.Customer{ID: 11, Contact: 101})
		plan, err := p.Server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
			TypeName: acctest.LatchType, PriorState: p.State(acctest.Customer{}),
			ProposedNewState: latched, Config: latched,
			ClientCapabilities: &tfprotov6.PlanResourceChangeClientCapabilities{DeferralAllowed: true},
		})
		p.Succeeded(plan.Diagnostics, err)
		isDeferred(plan.Deferred)
		read, err := p.Server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: acctest.LatchType, CurrentState: p.State(acctest.Customer{ID: 11, Contact: 102}),
			ClientCapabilities: &tfprotov6.ReadResourceClientCapabilities{DeferralAllowed: true},
		})
		p.Succeeded(read.Diagnostics, err)
		isDeferred(read.Deferred)
		imported, err := p.Server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
			TypeName: acctest.LatchType, ID: "11",
			ClientCapabilities: &tfprotov6.ImportResourceStateClientCapabilities{DeferralAllowed: true},
		})
		p.Succeeded(imported.Diagnostics, err)
		isDeferred(imported.Deferred)
		if n := sim.Count(); n > 0 {
			t.Errorf("got %d calls, want 0", n)
		}
	})
	t.Run("deferral is not allowed", func(t *testing.T) {
		t.Parallel()
		p := acctest.NewProtocol(t, acctest.SimulatorWith())
		resp, err := p.Server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: unknown(p)})
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
			t.Errorf("settings with an error differ (-want +got):\n%s", diff)
		}
	})
}

// An operation ends at its timeout, with an error that explains the outcome.
func TestProtocol_endsAtTimeout(t *testing.T) {
	t.Parallel()
	none := acctest.Customer{}
	first, second := acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 11, Contact: 102}
	for name, test := range map[string]struct {
		stuck         []fusebillsim.Route
		before, after acctest.Customer
		timeouts      []string
		takes         time.Duration
		summary       string
		parts         []string
	}{
		"create stuck in its write": {
			acctest.WriteRoutes, none, first, []string{"create", "90s"}, 90 * time.Second,
			"Outcome of the latch call is unknown",
			[]string{
				"Could not create", "the timeout of 1m30s for this operation is over",
				"afterwards customer 11 was latched to nothing, but Fusebill may still latch the customer to ",
			},
		},
		"update stuck in its write": {
			acctest.WriteRoutes, first, second, []string{"create", "1s", "update", "5m"}, 5 * time.Minute,
			"Outcome of the latch call is unknown",
			[]string{
				"Could not update", "the timeout of 5m0s for this operation is over",
				"afterwards customer 11 was latched to contact 101, but Fusebill may still latch the customer to ",
			},
		},
		"delete stuck in its write": {
			acctest.WriteRoutes, first, none, []string{"create", "1s", "delete", "2m"}, 2 * time.Minute,
			"Outcome of the latch call is unknown",
			[]string{
				"Could not delete", "the timeout of 2m0s for this operation is over",
				"afterwards customer 11 was latched to contact 101, but Fusebill may still latch the customer to ",
			},
		},
		"create stuck before its write": {
			acctest.ReadRoutes, none, first, []string{"create", "30s"}, 30 * time.Second, "Timed out",
			[]string{"Could not create", "the timeout of 30s for this operation is over.", "Nothing was changed."},
		},
		"no timeout given": {
			acctest.WriteRoutes, none, first, nil, 20 * time.Minute, "Outcome of the latch call is unknown",
			[]string{"the timeout of 20m0s for this operation is over"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := acctest.SimulatorWith(acctest.Customer{ID: 11, Contact: test.before.Contact})
				p := acctest.NewConfiguredProtocol(t, sim)
				plan := p.Plan(p.State(test.before, test.timeouts...), p.State(test.after, test.timeouts...))
				acctest.Stick(sim, test.stuck...)
				start := time.Now()
				resp := p.Apply(plan)
				p.Failed(resp.Diagnostics, nil, test.summary, test.parts...)
				// A write under way gets some more time to answer.
				if took := time.Since(start); took < test.takes || took > test.takes+2*time.Second {
					t.Errorf("took %s, want %s", took, test.takes)
				}
				if diff := gocmp.Diff(plan.Before, resp.NewState); diff != "" {
					t.Errorf("state has changed (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// After a stop, an operation waits shortly for the answer to its write, reads the customer once,
// and ends.
func TestProtocol_stopEndsWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stuck   []fusebillsim.Route
		summary string
	}{
		"in a read":  {acctest.ReadRoutes, "Interrupted"},
		"in a write": {acctest.WriteRoutes, "Outcome of the latch call is unknown"},
		"in a write, and the read afterwards fails": {nil, "Outcome of the latch call is unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := acctest.SimulatorWith(acctest.Customer{ID: 11})
				p := acctest.NewConfiguredProtocol(t, sim)
				plan := p.Plan(p.State(acctest.Customer{}), p.State(acctest.Customer{ID: 11, Contact: 101}))
				acctest.Stick(sim, test.stuck...)
				go func() {
					time.Sleep(time.Second) // By then the operation is stuck.
					p.Stop()
				}()
				if test.stuck == nil {
					sim.Inject(fusebillsim.Fault{Route: fusebillsim.RouteLatch, OnRequest: func(r *http.Request) {
						acctest.Stick(sim, acctest.ReadRoutes...)
						<-r.Context().Done()
					}})
				}
				start := time.Now()
				resp := p.Apply(plan)
				p.Failed(resp.Diagnostics, nil, test.summary)
				if took := time.Since(start); took < time.Second || took > 3*time.Second {
					t.Errorf("the operation ended %s after the stop, want at most 2s", took-time.Second)
				}
				p.Holds(resp.NewState, acctest.Customer{})
			})
		})
	}
}

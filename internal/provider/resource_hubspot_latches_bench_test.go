package provider

import (
	"context"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// BenchmarkLatchesProtocol is what a set costs in each call of the protocol, without Terraform and the network.
func BenchmarkLatchesProtocol(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		sim := fusebillsim.New(fusebillsim.Config{APIKey: acctest.APIKey, LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true})
		value := latchesValue(sim, n)
		null := tftypes.NewValue(value.Type(), nil)
		b.Run(fmt.Sprintf("validate/%d", n), func(b *testing.B) {
			server, config := latchesServer(b, sim), dynamic(b, value)
			for b.Loop() {
				resp, err := server.ValidateResourceConfig(b.Context(), &tfprotov6.ValidateResourceConfigRequest{
					TypeName: "fusebill_hubspot_latches", Config: config,
				})
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatal(err, resp.Diagnostics)
				}
			}
		})
		b.Run(fmt.Sprintf("read/%d", n), func(b *testing.B) {
			server, state := latchesServer(b, sim), dynamic(b, value)
			for b.Loop() {
				resp, err := server.ReadResource(b.Context(), &tfprotov6.ReadResourceRequest{
					TypeName: "fusebill_hubspot_latches", CurrentState: state,
				})
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatal(err, resp.Diagnostics)
				}
			}
		})
		for name, prior := range map[string]tftypes.Value{"unchanged": value, "create": null} {
			b.Run(fmt.Sprintf("plan-%s/%d", name, n), func(b *testing.B) {
				server, config, prior := latchesServer(b, sim), dynamic(b, value), dynamic(b, prior)
				var private []byte // of the plan before: the same instance is planned again
				for b.Loop() {
					resp, err := server.PlanResourceChange(b.Context(), &tfprotov6.PlanResourceChangeRequest{
						TypeName: "fusebill_hubspot_latches", PriorState: prior, ProposedNewState: config, Config: config,
						PriorPrivate: private,
					})
					if err != nil || len(resp.Diagnostics) > 0 {
						b.Fatal(err, resp.Diagnostics)
					}
					private = resp.PlannedPrivate
				}
			})
		}
	}
}

func latchesServer(b *testing.B, sim *fusebillsim.Simulator) tfprotov6.ProviderServer {
	b.Helper()
	server := newServer(&fusebillProvider{version: "bench", clientOptions: []fusebill.Option{fusebill.WithTransport(sim.Transport())}})()
	b.Setenv(envAPIKey, acctest.APIKey)
	schema, err := server.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		b.Fatal(err)
	}
	config := dynamic(b, tftypes.NewValue(schema.Provider.ValueType(), nullAttributes(schema.Provider.ValueType())))
	resp, err := server.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{Config: config})
	if err != nil || len(resp.Diagnostics) > 0 {
		b.Fatal(err, resp.Diagnostics)
	}
	return server
}

func nullAttributes(t tftypes.Type) map[string]tftypes.Value {
	values := make(map[string]tftypes.Value)
	for name, attribute := range t.(tftypes.Object).AttributeTypes { //nolint:forcetypeassert // A schema is an object.
		values[name] = tftypes.NewValue(attribute, nil)
	}
	return values
}

// latchesValue is a set of n latches, and makes the account have them.
func latchesValue(sim *fusebillsim.Simulator, n int) tftypes.Value {
	element := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"hubspot_id": tftypes.String, "hubspot_company_id": tftypes.String}}
	timeouts := tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"create": tftypes.String, "read": tftypes.String, "update": tftypes.String, "delete": tftypes.String,
	}}
	latches := make(map[string]tftypes.Value, n)
	for i, id := range sim.AddSampleCustomers(n) {
		contact, company := int64(1_000_000+i), int64(2_000_000+i)
		sim.SetLatch(id, contact, company)
		latches[fmt.Sprint(id)] = tftypes.NewValue(element, map[string]tftypes.Value{
			"hubspot_id":         tftypes.NewValue(tftypes.String, fmt.Sprint(contact)),
			"hubspot_company_id": tftypes.NewValue(tftypes.String, fmt.Sprint(company)),
		})
	}
	types := map[string]tftypes.Type{
		"latches": tftypes.Map{ElementType: element}, "allow_reassociation": tftypes.Bool, "exclusive": tftypes.Bool,
		"max_removals": tftypes.Number, "timeouts": timeouts,
	}
	values := nullAttributes(tftypes.Object{AttributeTypes: types})
	values["latches"] = tftypes.NewValue(types["latches"], latches)
	return tftypes.NewValue(tftypes.Object{AttributeTypes: types}, values)
}

func dynamic(b *testing.B, value tftypes.Value) *tfprotov6.DynamicValue {
	b.Helper()
	d, err := tfprotov6.NewDynamicValue(value.Type(), value)
	if err != nil {
		b.Fatal(err)
	}
	return &d
}

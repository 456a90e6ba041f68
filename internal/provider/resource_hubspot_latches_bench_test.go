package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// BenchmarkLatchesProtocol measures each call of the protocol for a set, without Terraform and the
// network.
func BenchmarkLatchesProtocol(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		sim := fusebillsim.New(fusebillsim.Config{APIKey: acctest.APIKey, LimitMinute: 1 << 30, LimitDay: 1 << 30,
			DiscardRequests: true})
		contacts, companies := latchSamples(sim, n)
		c := setTerraformOn(b, sim)
		config := c.encode(c.config(map[string]any{contactsAttribute: contacts, companiesAttribute: companies}))
		null := c.encode(tftypes.NewValue(c.typ, nil))
		b.Run(fmt.Sprintf("validate/%d", n), func(b *testing.B) {
			server := c.process()
			for b.Loop() {
				resp, err := server.ValidateResourceConfig(b.Context(),
					&tfprotov6.ValidateResourceConfigRequest{TypeName: latchesType, Config: config})
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatal(err, resp.Diagnostics)
				}
			}
			perRow(b, n)
		})
		b.Run(fmt.Sprintf("read/%d", n), func(b *testing.B) {
			server := c.process()
			for b.Loop() {
				resp, err := server.ReadResource(b.Context(), &tfprotov6.ReadResourceRequest{TypeName: latchesType,
					CurrentState: config})
				if err != nil || len(resp.Diagnostics) > 0 {
					b.Fatal(err, resp.Diagnostics)
				}
			}
			perRow(b, n)
		})
		for name, prior := range map[string]*tfprotov6.DynamicValue{"unchanged": config, "create": null} {
			b.Run(fmt.Sprintf("plan-%s/%d", name, n), func(b *testing.B) {
				server := c.process()
				var private []byte // of the plan before: the same instance is planned again
				for b.Loop() {
					resp, err := server.PlanResourceChange(b.Context(), &tfprotov6.PlanResourceChangeRequest{
						TypeName: latchesType, PriorState: prior, ProposedNewState: config, Config: config, PriorPrivate: private,
					})
					if err != nil || len(resp.Diagnostics) > 0 {
						b.Fatal(err, resp.Diagnostics)
					}
					private = resp.PlannedPrivate
				}
				perRow(b, n)
			})
		}
	}
}

// latchSamples adds n customers with latches, and returns the two maps that declare these.
func latchSamples(sim *fusebillsim.Simulator, n int) (contacts, companies ids) {
	contacts, companies = make(ids, n), make(ids, n)
	for i, id := range sim.AddSampleCustomers(n) {
		contact, company := int64(1_000_000+i), int64(2_000_000+i)
		sim.SetLatch(id, contact, company)
		contacts[fmt.Sprint(id)], companies[fmt.Sprint(id)] = fmt.Sprint(contact), fmt.Sprint(company)
	}
	return contacts, companies
}

func perRow(b *testing.B, rows int) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(rows), "µs/row")
}

package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// BenchmarkDataSourceProtocol is what a data source that lists the account costs in the protocol, without Terraform and the
// network. The account is read before: what counts is what the framework makes of the answer.
func BenchmarkDataSourceProtocol(b *testing.B) {
	for _, typeName := range []string{"fusebill_hubspot_latches", "fusebill_customers"} {
		for _, n := range []int{1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", typeName, n), func(b *testing.B) {
				sim := fusebillsim.New(fusebillsim.Config{APIKey: acctest.APIKey, LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true})
				latchesValue(sim, n)
				server := latchesServer(b, sim)
				schemas, err := server.GetProviderSchema(b.Context(), &tfprotov6.GetProviderSchemaRequest{})
				if err != nil {
					b.Fatal(err)
				}
				typ := schemas.DataSourceSchemas[typeName].ValueType()
				config := dynamic(b, tftypes.NewValue(typ, nullAttributes(typ)))
				for b.Loop() {
					resp, err := server.ReadDataSource(b.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: config})
					if err != nil || len(resp.Diagnostics) > 0 {
						b.Fatal(err, resp.Diagnostics)
					}
				}
			})
		}
	}
}

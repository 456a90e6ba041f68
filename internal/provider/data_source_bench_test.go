package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// BenchmarkDataSourceProtocol measures the calls of the protocol for a data source that lists the
// account, without Terraform and the network. The account is read before, so the benchmark measures
// only the work of the framework.
func BenchmarkDataSourceProtocol(b *testing.B) {
	for _, typeName := range []string{latchesType, "fusebill_customers"} {
		for _, n := range []int{1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", typeName, n), func(b *testing.B) {
				sim := fusebillsim.New(fusebillsim.Config{APIKey: acctest.APIKey, LimitMinute: 1 << 30, LimitDay: 1 << 30,
					DiscardRequests: true})
				latchSamples(sim, n)
				c := setTerraformOn(b, sim)
				server := c.process()
				schemas, err := server.GetProviderSchema(b.Context(), &tfprotov6.GetProviderSchemaRequest{})
				if err != nil {
					b.Fatal(err)
				}
				typ, _ := schemas.DataSourceSchemas[typeName].ValueType().(tftypes.Object)
				config := c.encode(objectOf(typ, nil))
				for b.Loop() {
					resp, err := server.ReadDataSource(b.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: typeName,
						Config: config})
					if err != nil || len(resp.Diagnostics) > 0 {
						b.Fatal(err, resp.Diagnostics)
					}
				}
			})
		}
	}
}

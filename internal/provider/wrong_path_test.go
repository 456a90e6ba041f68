package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// Under a base URL without the API's version every call is a 404. No object reports that as a
// customer that does not exist.
func TestWrongPath_isNoMissingCustomer(t *testing.T) {
	t.Parallel()
	const want = "Base URL does not lead to the Fusebill API"
	newProtocol := func(t *testing.T) *acctest.Protocol {
		p := acctest.NewProtocol(t, acctest.SimulatorWith(acctest.Customer{ID: 1, Contact: 101}))
		resp, err := p.Server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
			Config: p.Value(p.ProviderType, map[string]tftypes.Value{
				"api_key":  tftypes.NewValue(tftypes.String, acctest.APIKey),
				"base_url": tftypes.NewValue(tftypes.String, "https://fusebill.test"),
			}),
		})
		p.Succeeded(resp.Diagnostics, err)
		return p
	}
	imported := func(typeName, id string) func(*acctest.Protocol) []*tfprotov6.Diagnostic {
		return func(p *acctest.Protocol) []*tfprotov6.Diagnostic {
			req := &tfprotov6.ImportResourceStateRequest{TypeName: typeName, ID: id}
			resp, err := p.Server.ImportResourceState(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			return resp.Diagnostics
		}
	}
	found := func(argument, value string) func(*acctest.Protocol) []*tfprotov6.Diagnostic {
		return func(p *acctest.Protocol) []*tfprotov6.Diagnostic {
			arguments := map[string]tftypes.Value{argument: tftypes.NewValue(tftypes.String, value)}
			return readData(p, "fusebill_customer", arguments)
		}
	}
	for name, run := range map[string]func(*acctest.Protocol) []*tfprotov6.Diagnostic{
		"import of a latch": imported(acctest.LatchType, "1"),
		"import of a set":   imported(acctest.LatchesType, "1,2"),
		"create": func(p *acctest.Protocol) []*tfprotov6.Diagnostic {
			return applyUnplanned(p, acctest.Customer{ID: 1, Contact: 101}).Diagnostics
		},
		"action": func(p *acctest.Protocol) []*tfprotov6.Diagnostic {
			_, diags := p.Unlatch(acctest.Customer{ID: 1})
			return diags
		},
		"list": func(p *acctest.Protocol) (diags []*tfprotov6.Diagnostic) {
			p.List(t.Context(), acctest.Listing{}, func(result tfprotov6.ListResourceResult) bool {
				diags = append(diags, result.Diagnostics...)
				return true
			})
			return diags
		},
		"data source by ID":        found("id", "1"),
		"data source by reference": found("reference", "C-1"),
		"data source of latches": func(p *acctest.Protocol) []*tfprotov6.Diagnostic {
			return readData(p, "fusebill_hubspot_latches", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProtocol(t)
			p.Failed(run(p), nil, want)
			if n := p.Simulator.Writes(); n > 0 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

// applyUnplanned applies a create that no plan of this process has checked.
func applyUnplanned(p *acctest.Protocol, h acctest.Customer) *tfprotov6.ApplyResourceChangeResponse {
	p.T.Helper()
	resp, err := p.Server.ApplyResourceChange(p.T.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: acctest.LatchType, PriorState: p.State(acctest.Customer{}),
		PlannedState: p.State(h), Config: p.State(h),
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return resp
}

// readData reads a data source.
func readData(p *acctest.Protocol, typeName string, arguments map[string]tftypes.Value) []*tfprotov6.Diagnostic {
	p.T.Helper()
	schemas, err := p.Server.GetProviderSchema(p.T.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		p.T.Fatal(err)
	}
	typ := acctest.ObjectType(p.T, schemas.DataSourceSchemas[typeName].ValueType())
	req := &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: p.Value(typ, arguments)}
	resp, err := p.Server.ReadDataSource(p.T.Context(), req)
	if err != nil {
		p.T.Fatal(err)
	}
	return resp.Diagnostics
}

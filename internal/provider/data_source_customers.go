package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	_ datasource.DataSource                   = (*customersDataSource)(nil)
	_ datasource.DataSourceWithConfigure      = (*customersDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*customersDataSource)(nil)
)

// customersDataSource implements fusebill_customers, which lists customers, latched or not.
type customersDataSource struct {
	data *providerData // nil if the provider is not configured
}

type customersDataModel struct {
	customerFilterModel
	Latched   types.Bool          `tfsdk:"latched"`
	Customers []customerDataModel `tfsdk:"customers"`
}

func newCustomersDataSource() datasource.DataSource { return &customersDataSource{} }

func (d *customersDataSource) Metadata(
	_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse,
) {
	resp.TypeName = req.ProviderTypeName + "_customers"
}

func (d *customersDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := filterAttributes()
	attributes["latched"] = schema.BoolAttribute{
		MarkdownDescription: "`true`: only customers that are latched to a contact or a company. `false`: only customers " +
			"that are latched to neither. Default: both.",
		Optional: true,
	}
	attributes["customers"] = schema.ListNestedAttribute{
		MarkdownDescription: "The customers, in the order of their IDs.",
		Computed:            true,
		NestedObject:        schema.NestedAttributeObject{Attributes: customerAttributes()},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists Fusebill customers with their HubSpot latches, for reports and for checks that " +
			"customers are latched. All arguments are optional. The data source lists the customers that match every " +
			"argument that is set. It makes one call for each 1,000 customers that match the arguments other than `latched`.",
		Attributes: attributes,
	}
}

func (d *customersDataSource) Configure(
	_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse,
) {
	d.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *customersDataSource) ValidateConfig(
	ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse,
) {
	var config customersDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	_, diags := config.filter(ctx)
	resp.Diagnostics.Append(diags...)
}

func (d *customersDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config customersDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	filter, diags := config.filter(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	customers, err := d.data.reader.Find(ctx, filter)
	if err != nil {
		resp.Diagnostics.Append(attempt{doing: "list the customers"}.diagnostic(err))
		return
	}
	config.Customers = []customerDataModel{} // A nil slice would be null in state.
	for _, c := range customers {
		if config.Latched.IsNull() || config.Latched.ValueBool() == !c.Latch.IsZero() {
			config.Customers = append(config.Customers, newCustomerDataModel(c))
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, config)...)
}

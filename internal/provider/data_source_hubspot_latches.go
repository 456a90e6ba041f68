package provider

import (
	"context"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

var (
	_ datasource.DataSource                   = (*hubSpotLatchesDataSource)(nil)
	_ datasource.DataSourceWithConfigure      = (*hubSpotLatchesDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*hubSpotLatchesDataSource)(nil)
)

// hubSpotLatchesDataSource implements the data source fusebill_hubspot_latches, which lists the
// latches of the account.
type hubSpotLatchesDataSource struct {
	data *providerData // nil if the provider is not configured
}

type hubSpotLatchesDataModel struct {
	customerFilterModel
	Latches           map[string]latchDataModel `tfsdk:"latches"`
	HubSpotIDs        map[string]string         `tfsdk:"hubspot_ids"`
	HubSpotCompanyIDs map[string]string         `tfsdk:"hubspot_company_ids"`
}

// latchDataModel is a latch, with the attributes by which people recognize its customer. It has no
// others, because a state may hold thousands of latches.
type latchDataModel struct {
	HubSpotID        types.String `tfsdk:"hubspot_id"`
	HubSpotCompanyID types.String `tfsdk:"hubspot_company_id"`
	Name             types.String `tfsdk:"name"`
	CompanyName      types.String `tfsdk:"company_name"`
	Reference        types.String `tfsdk:"reference"`
	Status           types.String `tfsdk:"status"`
}

func newHubSpotLatchesDataSource() datasource.DataSource { return &hubSpotLatchesDataSource{} }

func (d *hubSpotLatchesDataSource) Metadata(_ context.Context, req datasource.MetadataRequest,
	resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_hubspot_latches"
}

func (d *hubSpotLatchesDataSource) Schema(_ context.Context, _ datasource.SchemaRequest,
	resp *datasource.SchemaResponse) {
	attributes := filterAttributes()
	attributes["latches"] = schema.MapNestedAttribute{
		MarkdownDescription: "Map from the ID of each latched customer to its latch. Its keys are the import IDs of " +
			"`fusebill_hubspot_latch`.",
		Computed:     true,
		NestedObject: schema.NestedAttributeObject{Attributes: latchAttributes()},
	}
	attributes[contactsAttribute] = schema.MapAttribute{
		MarkdownDescription: "Map from the ID of each customer that is latched to a HubSpot contact to the ID of the " +
			"contact, as in the resource `fusebill_hubspot_latches`.",
		Computed:    true,
		ElementType: types.StringType,
	}
	attributes[companiesAttribute] = schema.MapAttribute{
		MarkdownDescription: "Map from the ID of each customer that is latched to a HubSpot company to the ID of the " +
			"company, as in the resource `fusebill_hubspot_latches`.",
		Computed:    true,
		ElementType: types.StringType,
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the HubSpot latches of an account, for imports and reports. It includes latches that " +
			"Terraform does not manage. All arguments are optional. The data source lists the latches of the customers that " +
			"match every argument that is set. It makes one call for each 1,000 customers that match.",
		Attributes: attributes,
	}
}

func latchAttributes() map[string]schema.Attribute {
	attributes := customerAttributes()
	return map[string]schema.Attribute{
		"hubspot_id":         attributes["hubspot_id"],
		"hubspot_company_id": attributes["hubspot_company_id"],
		"name": schema.StringAttribute{
			MarkdownDescription: "Name of the company, or else of the person. `null` if there is neither.",
			Computed:            true,
		},
		"company_name": attributes["company_name"],
		"reference":    attributes["reference"],
		"status":       attributes["status"],
	}
}

func (d *hubSpotLatchesDataSource) Configure(_ context.Context, req datasource.ConfigureRequest,
	resp *datasource.ConfigureResponse) {
	d.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

func (d *hubSpotLatchesDataSource) ValidateConfig(
	ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse,
) {
	var config hubSpotLatchesDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	_, diags := config.filter(ctx)
	resp.Diagnostics.Append(diags...)
}

func (d *hubSpotLatchesDataSource) Read(ctx context.Context, req datasource.ReadRequest,
	resp *datasource.ReadResponse) {
	var config hubSpotLatchesDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	filter, diags := config.filter(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	customers, err := d.data.reader.Find(ctx, filter)
	if err != nil {
		resp.Diagnostics.Append(attempt{doing: "list the HubSpot latches"}.diagnostic(err))
		return
	}
	config.setLatches(customers)
	resp.Diagnostics.Append(resp.State.Set(ctx, config)...)
}

// setLatches sets the three maps. They are not nil if there are no latches, because a nil map would
// be null in the state.
func (m *hubSpotLatchesDataModel) setLatches(customers []fusebill.Customer) {
	m.Latches = make(map[string]latchDataModel)
	m.HubSpotIDs, m.HubSpotCompanyIDs = make(map[string]string), make(map[string]string)
	for _, c := range customers {
		if c.Latch.IsZero() {
			continue
		}
		key := strconv.FormatInt(c.ID, 10)
		m.Latches[key] = newLatchDataModel(c)
		if id := c.Latch.HubSpotID; id != 0 {
			m.HubSpotIDs[key] = strconv.FormatInt(id, 10)
		}
		if id := c.Latch.HubSpotCompanyID; id != 0 {
			m.HubSpotCompanyIDs[key] = strconv.FormatInt(id, 10)
		}
	}
}

func newLatchDataModel(c fusebill.Customer) latchDataModel {
	return latchDataModel{
		HubSpotID:        idOrNull(c.Latch.HubSpotID),
		HubSpotCompanyID: idOrNull(c.Latch.HubSpotCompanyID),
		Name:             textOrNull(nameOf(c)),
		CompanyName:      textOrNull(c.CompanyName),
		Reference:        textOrNull(c.Reference),
		Status:           textOrNull(c.Status),
	}
}

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

var (
	_ provider.Provider                   = (*fusebillProvider)(nil)
	_ provider.ProviderWithActions        = (*fusebillProvider)(nil)
	_ provider.ProviderWithFunctions      = (*fusebillProvider)(nil)
	_ provider.ProviderWithListResources  = (*fusebillProvider)(nil)
	_ provider.ProviderWithValidateConfig = (*fusebillProvider)(nil)
)

// fusebillProvider is the provider. Terraform starts one process for each walk of its graph, so nothing in it outlives a
// plan or an apply.
type fusebillProvider struct {
	version       string
	clientOptions []fusebill.Option // for tests
	latchOptions  []latch.Option    // for tests
}

// NewServer returns what the plugin serves.
func NewServer(version string) func() tfprotov6.ProviderServer {
	return NewServerWith(version, nil, nil)
}

// NewServerWith is NewServer with options of the API client and of the coordinator. Tests use it.
func NewServerWith(version string, client []fusebill.Option, changes []latch.Option) func() tfprotov6.ProviderServer {
	return newServer(&fusebillProvider{version: version, clientOptions: client, latchOptions: changes})
}

func newServer(p *fusebillProvider) func() tfprotov6.ProviderServer {
	framework := providerserver.NewProtocol6(p)
	return func() tfprotov6.ProviderServer { return newProtocolLayer(framework()) }
}

func (p *fusebillProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "fusebill"
	resp.Version = p.version
}

func (p *fusebillProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Keeps HubSpot latches of Fusebill (now Stax Bill) customers as declared.",
		Attributes: map[string]schema.Attribute{
			"api_key": schema.StringAttribute{
				MarkdownDescription: "API key of the Fusebill account, as Fusebill shows it. A `Basic ` before it and white space " +
					"around it are dropped. Default: the environment variable `FUSEBILL_API_KEY`, which keeps the key out of " +
					"configuration and plan files.",
				Optional:  true,
				Sensitive: true,
			},
			"base_url": schema.StringAttribute{
				MarkdownDescription: "URL below which the API is served, with `https://` (plain HTTP is accepted for loopback addresses " +
					"only). Default: the environment variable `FUSEBILL_BASE_URL`, else `" + fusebill.DefaultBaseURL + "`.",
				Optional: true,
			},
			"requests_per_minute": schema.Int64Attribute{
				MarkdownDescription: "Calls per minute that this provider allows itself, 1 or more. It leaves the rest of the account's " +
					"quota to others who use it at the same time. Default: the account's own limit, as the API tells it.",
				Optional: true,
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "How often a call is tried again after a network error, a fault of the service or a broken answer, " +
					"from 0 to 20. Waiting for the rate limit doesn't count. Default: `4`.",
				Optional: true,
			},
			"conflict_check": schema.StringAttribute{
				MarkdownDescription: "Whether the whole account is read, by pages of 1,000 customers, to find out who holds a HubSpot contact or " +
					"company before it is claimed: `auto` reads accounts of up to 20 pages; `always` reads larger ones too; " +
					"`never` leaves it to Fusebill to refuse a claim, which is seen at apply only. Default: `auto`.",
				Optional:   true,
				Validators: []validator.String{stringvalidator.OneOf(conflictCheckAuto, conflictCheckAlways, conflictCheckNever)},
			},
			"ca_certificate": schema.StringAttribute{
				MarkdownDescription: "Certificate of an authority, in PEM form, that the provider trusts besides the system's own, such as that of " +
					"a proxy that looks into TLS. Several may follow one another. Default: the system's alone.",
				Optional: true,
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "How long one try of a call may take, as a duration such as `30s` or `2m`. Default: `1m`.",
				Optional:            true,
			},
		},
	}
}

func (p *fusebillProvider) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var config providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		_, diags := config.clientSettings()
		resp.Diagnostics.Append(diags...)
	}
}

// Configure makes the client and no call: dozens of pipelines that start together would each pay for one, and have
// locked accounts elsewhere.
func (p *fusebillProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if unknown := config.unknownAttributes(); len(unknown) > 0 {
		if req.ClientCapabilities.DeferralAllowed {
			resp.Deferred = &provider.Deferred{Reason: provider.DeferredReasonProviderConfigUnknown}
			return
		}
		for _, name := range unknown {
			resp.Diagnostics.Append(unknownSetting(name))
		}
		return
	}
	client, diags := config.newClient(p.userAgent(req.TerraformVersion), p.clientOptions)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	data := newProviderData(client, config.baseURL(), config.maxPages(), p.latchOptions...)
	resp.ResourceData = data
	resp.DataSourceData = data
	resp.ListResourceData = data
	resp.ActionData = data
}

func (p *fusebillProvider) userAgent(terraformVersion string) string {
	return "terraform-provider-fusebill/" + p.version + " Terraform/" + terraformVersion
}

func (p *fusebillProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newHubSpotLatchResource, newHubSpotLatchesResource}
}

func (p *fusebillProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newHubSpotLatchesDataSource, newCustomerDataSource, newCustomersDataSource}
}

func (p *fusebillProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		newParseHubSpotURLFunction, newParseLatchesCSVFunction, newMatchHubSpotExportFunction,
	}
}

func (p *fusebillProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newHubSpotLatchListResource}
}

func (p *fusebillProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{newHubSpotUnlatchAction}
}

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

// fusebillProvider implements the provider. Terraform starts a process for each walk of its graph,
// so nothing in the process outlives a plan or an apply.
type fusebillProvider struct {
	version       string
	clientOptions []fusebill.Option // for tests
	latchOptions  []latch.Option    // for tests
}

// NewServer returns a function that makes the server of the plugin.
func NewServer(version string) func() tfprotov6.ProviderServer {
	return NewServerWith(version, nil, nil)
}

// NewServerWith is [NewServer] with options of the API client and of the coordinator, for tests.
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
		MarkdownDescription: "Links Fusebill (now Stax Bill) customers to their HubSpot contacts and companies.",
		Attributes: map[string]schema.Attribute{
			"api_key": schema.StringAttribute{
				MarkdownDescription: "API key of the Fusebill account, as Fusebill shows it. The provider removes a leading " +
					"`Basic ` and white space around the key. Default: the environment variable `FUSEBILL_API_KEY`, which keeps " +
					"the key out of configuration and plan files.",
				Optional:  true,
				Sensitive: true,
			},
			"base_url": schema.StringAttribute{
				MarkdownDescription: "Base URL of the API. It begins with `https://`; plain HTTP is accepted for loopback " +
					"addresses only. Default: the environment variable `FUSEBILL_BASE_URL`, or else `" +
					fusebill.DefaultBaseURL + "`.",
				Optional: true,
			},
			"requests_per_minute": schema.Int64Attribute{
				MarkdownDescription: "Largest number of calls per minute that one plan or apply makes, 1 or more. The rest of " +
					"the account's quota is left to other programs. Default: the account's own limit, which the API reports.",
				Optional: true,
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "Number of times that the provider retries a call after a network error, a server error or " +
					"an unreadable response, from 0 to 20. Waiting for the rate limit does not count. Default: `4`.",
				Optional: true,
			},
			"conflict_check": schema.StringAttribute{
				MarkdownDescription: "Controls whether the provider reads the whole account to find the customer that holds a " +
					"HubSpot contact or company before it latches another customer to it. `auto` reads accounts of up to 20 " +
					"pages of 1,000 customers. `always` reads larger accounts too. `never` does not read the account: Fusebill " +
					"then refuses a conflict, at apply. Default: `auto`.",
				Optional: true,
				Validators: []validator.String{
					stringvalidator.OneOf(conflictCheckAuto, conflictCheckAlways, conflictCheckNever),
				},
			},
			"ca_certificate": schema.StringAttribute{
				MarkdownDescription: "Certificates of authorities, in PEM form, that the provider trusts in addition to those of " +
					"the system. An example is the authority of a proxy that inspects TLS. Default: only those of the system.",
				Optional: true,
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "Time limit for each attempt of a call, as a duration such as `30s` or `2m`. Default: `1m`.",
				Optional:            true,
			},
		},
	}
}

func (p *fusebillProvider) ValidateConfig(
	ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse,
) {
	var config providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		_, diags := config.clientSettings()
		resp.Diagnostics.Append(diags...)
	}
}

// Configure creates the client and makes no call. A call to check the key would cost quota in every
// run, and a wrong key in pipelines that start together would be many failed logins.
func (p *fusebillProvider) Configure(
	ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse,
) {
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

package provider

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

var (
	_ list.ListResource                   = (*hubSpotLatchListResource)(nil)
	_ list.ListResourceWithConfigure      = (*hubSpotLatchListResource)(nil)
	_ list.ListResourceWithValidateConfig = (*hubSpotLatchListResource)(nil)
)

// hubSpotLatchListResource implements the list resource fusebill_hubspot_latch, which lists the
// latches of the account in a query.
type hubSpotLatchListResource struct {
	data *providerData // nil if the provider is not configured
}

func newHubSpotLatchListResource() list.ListResource { return &hubSpotLatchListResource{} }

func (r *hubSpotLatchListResource) Metadata(
	_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse,
) {
	resp.TypeName = req.ProviderTypeName + "_hubspot_latch"
}

func (r *hubSpotLatchListResource) ListResourceConfigSchema(
	_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse,
) {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Optional: true}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the HubSpot latches of the account. It includes latches that Terraform does not " +
			"manage. All arguments are optional. The list has the latches of the customers that match every argument that is " +
			"set.",
		Attributes: map[string]schema.Attribute{
			"statuses": schema.ListAttribute{
				MarkdownDescription: statusesDescription,
				ElementType:         types.StringType,
				Optional:            true,
			},
			"reference":      text(referenceDescription),
			"company_name":   text(companyNameDescription),
			"primary_email":  text(primaryEmailDescription),
			"modified_since": text(modifiedSinceDescription),
		},
	}
}

func (r *hubSpotLatchListResource) Configure(
	_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse,
) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

func (r *hubSpotLatchListResource) ValidateListResourceConfig(
	ctx context.Context, req list.ValidateConfigRequest, resp *list.ValidateConfigResponse,
) {
	var config customerFilterModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	_, diags := config.filter(ctx)
	resp.Diagnostics.Append(diags...)
}

// List streams the latches of each page before it reads the next one. It reads no more pages than
// it needs to reach the limit.
func (r *hubSpotLatchListResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var config customerFilterModel
	diags := req.Config.Get(ctx, &config)
	filter, filterDiags := config.filter(ctx)
	diags.Append(filterDiags...)
	if r.data == nil && !diags.HasError() { // The configuration is not known yet, and a list cannot be deferred.
		diags.AddError("Provider is not configured yet", "Settings of the provider depend on values that are known only "+
			"after apply, and the provider needs the settings to list latches. Take the settings from variables or the "+
			"environment.")
	}
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = func(push func(list.ListResult) bool) { r.list(ctx, filter, req, push) }
}

// list pushes the latches of the customers that match a filter. It pushes an error as the last
// result. At this point, an error that is assigned to the stream would be lost, and the results so
// far would look like the whole list.
func (r *hubSpotLatchListResource) list(
	ctx context.Context, filter fusebill.Filter, req list.ListRequest, push func(list.ListResult) bool,
) {
	// A customer may be on two pages, if others are deleted between the two calls.
	pushed := make(map[int64]bool)
	for page, err := range r.data.reader.Pages(ctx, filter) {
		if err != nil {
			push(list.ListResult{Diagnostics: diag.Diagnostics{attempt{doing: "list the HubSpot latches"}.diagnostic(err)}})
			return
		}
		for i, customer := range page {
			if customer.Latch.IsZero() || pushed[customer.ID] {
				continue
			}
			pushed[customer.ID] = true
			result := listResult(ctx, req, customer)
			isLast := int64(len(pushed)) == req.Limit
			if isLast && mayLeaveOut(page[i+1:], len(page)) {
				result.Diagnostics.AddWarning("List of HubSpot latches is cut off", fmt.Sprintf("The list ends after %d latches, "+
					"because that is its limit, and the account may have more.\n\nTo list more, set a larger limit in the list "+
					"block:\n\n  limit = %d", req.Limit, 10*req.Limit))
			}
			// Terraform sends 100 if the configuration sets no limit. If the limit is 0, Terraform
			// takes no result and ends the call itself.
			if !push(result) || isLast {
				return
			}
		}
	}
}

// mayLeaveOut reports whether a list that ends before the rest of a page may leave out latches. It
// does if the rest has a latch. If the page is full, another page may follow, and only another call
// could find out whether it does.
func mayLeaveOut(rest []fusebill.Customer, pageSize int) bool {
	return pageSize >= fusebill.MaxPageSize ||
		slices.ContainsFunc(rest, func(c fusebill.Customer) bool { return !c.Latch.IsZero() })
}

func listResult(ctx context.Context, req list.ListRequest, customer fusebill.Customer) list.ListResult {
	result := req.NewListResult(ctx)
	result.DisplayName = displayName(customer)
	model := hubSpotLatchModel{FusebillID: idOrNull(customer.ID)}
	model.setLatch(*customer.Latch)
	result.Diagnostics.Append(model.setIdentity(ctx, result.Identity)...)
	if req.IncludeResource {
		set := func(attribute string, id types.String) {
			result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root(attribute), id)...)
		}
		set("fusebill_id", model.FusebillID)
		set("hubspot_id", model.HubSpotID)
		set("hubspot_company_id", model.HubSpotCompanyID)
	}
	return result
}

// displayName returns the name and the reference by which people know a customer, on one line.
func displayName(c fusebill.Customer) string {
	line := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	name, reference := line(nameOf(c)), line(c.Reference)
	if name != "" && reference != "" {
		return fmt.Sprintf("%s (%s)", name, reference)
	}
	return cmp.Or(name, reference, formatID(c.ID))
}

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

// hubSpotLatchListResource is fusebill_hubspot_latch in a query: the latches that the account has.
type hubSpotLatchListResource struct {
	data *providerData // nil where the provider is not configured
}

func newHubSpotLatchListResource() list.ListResource { return &hubSpotLatchListResource{} }

func (r *hubSpotLatchListResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_hubspot_latch"
}

func (r *hubSpotLatchListResource) ListResourceConfigSchema(
	_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse,
) {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Optional: true}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the HubSpot latches of the account, whoever made them. All arguments are optional, and a customer has " +
			"to fit all that are set.",
		Attributes: map[string]schema.Attribute{
			"statuses":       schema.ListAttribute{MarkdownDescription: statusesDescription, ElementType: types.StringType, Optional: true},
			"reference":      text(referenceDescription),
			"company_name":   text(companyNameDescription),
			"primary_email":  text(primaryEmailDescription),
			"modified_since": text(modifiedSinceDescription),
		},
	}
}

func (r *hubSpotLatchListResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
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

// List streams what each page brings before it asks for the next one, and asks for no more than it takes to reach the
// limit.
func (r *hubSpotLatchListResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var config customerFilterModel
	diags := req.Config.Get(ctx, &config)
	filter, filterDiags := config.filter(ctx)
	diags.Append(filterDiags...)
	if r.data == nil && !diags.HasError() { // Its configuration isn't known yet. There is no way to put a list off.
		diags.AddError("Provider isn't configured yet", "Settings of the provider depend on something that is known only after apply, "+
			"and latches can't be listed without them. Take the settings from variables or the environment.")
	}
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = func(push func(list.ListResult) bool) { r.list(ctx, filter, req, push) }
}

// list pushes the latches of the customers that a filter chooses. An error is pushed as the last result: assigned to the
// stream by now it would be lost, and what was pushed would pass for the whole list.
func (r *hubSpotLatchListResource) list(
	ctx context.Context, filter fusebill.Filter, req list.ListRequest, push func(list.ListResult) bool,
) {
	pushed := make(map[int64]bool) // One may come again on a later page, where others were deleted meanwhile.
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
			if isLast && mayGoOn(page[i+1:], len(page)) {
				result.Diagnostics.AddWarning("List of HubSpot latches is cut off", fmt.Sprintf("The list ends after %d latches, "+
					"because that is its limit, and the account may have more.\n\nTo list more, set a larger limit in the list "+
					"block:\n\n  limit = %d", req.Limit, 10*req.Limit))
			}
			// Without a limit Terraform asks for 100. Asked for 0 it takes none, and ends the call by itself.
			if !push(result) || isLast {
				return
			}
		}
	}
}

// mayGoOn reports whether a list that ends before the rest of a page may leave out latches: the rest
// has some, or another page may follow a full one. To find out would take a call.
func mayGoOn(rest []fusebill.Customer, pageSize int) bool {
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
		result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root("fusebill_id"), model.FusebillID)...)
		result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root("hubspot_id"), model.HubSpotID)...)
		result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root("hubspot_company_id"), model.HubSpotCompanyID)...)
	}
	return result
}

// displayName is what people know a customer by, on one line: its name, and its reference.
func displayName(c fusebill.Customer) string {
	line := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	name, reference := line(nameOf(c)), line(c.Reference)
	if name != "" && reference != "" {
		return fmt.Sprintf("%s (%s)", name, reference)
	}
	return cmp.Or(name, reference, formatID(c.ID))
}

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func (r *hubSpotLatchesResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	atLeastNone := []validator.Int64{int64validator.AtLeast(0)}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Latches many Fusebill customers, from hundreds to tens of thousands, as one resource. The " +
			"provider reads all of them together, and makes one call for each latch that changes.",
		Attributes: map[string]schema.Attribute{
			// Terraform sees this attribute, the next one and unlisted as maps of strings, see
			// protocolLayer.
			contactsAttribute: schema.StringAttribute{
				MarkdownDescription: "Map from the ID of each customer to the ID of its HubSpot contact (the visitor ID, vid). A " +
					"customer may be in this map, in `hubspot_company_ids`, or in both. At least one of the two maps must be set. " +
					"`null` and the empty string mean none, but each customer needs at least one ID. The resource manages the " +
					"latches of the customers in the two maps only.",
				Optional: true,
			},
			companiesAttribute: schema.StringAttribute{
				MarkdownDescription: "Map from the ID of each customer to the ID of its HubSpot company. See `hubspot_ids`.",
				Optional:            true,
			},
			"allow_reassociation": schema.BoolAttribute{
				MarkdownDescription: "Allows the provider to take a contact or company from a customer outside this set, and to " +
					"replace another latch of a customer of this set. The customer that loses a contact or company keeps its other " +
					"ID. Moves within the set need no permission. Default: `false`, which refuses both.",
				Optional: true,
			},
			"exclusive": schema.BoolAttribute{
				MarkdownDescription: "Makes the set responsible for all latches of the account. The latches of customers that " +
					"the set does not list appear in `unlisted`, and the next apply removes them, within `max_removals`. Default: " +
					"`false`, which leaves other customers alone.",
				Optional: true,
			},
			"max_removals": schema.Int64Attribute{
				MarkdownDescription: "Largest number of customers that one update or replacement may unlatch, listed or not, 0 " +
					"or more. The provider refuses a plan that unlatches more. A destroy has no limit. Default: `10` or 5% of the " +
					"rows in the state, whichever is more.",
				Optional:   true,
				Validators: atLeastNone,
			},
			"max_changes": schema.Int64Attribute{
				MarkdownDescription: "Largest number of customers for which one update or replacement may replace an ID or " +
					"remove one of two IDs, 0 or more. The provider refuses a plan that changes more. New rows and added IDs do not " +
					"count. Default: `10` or 5% of the rows in the state, whichever is more.",
				Optional:   true,
				Validators: atLeastNone,
			},
			unlistedAttribute: schema.StringAttribute{
				MarkdownDescription: "Map from the ID of each customer that an exclusive set does not list to its latch, such " +
					"as `contact 101 and company 202`. A plan that removes these latches empties this map. `null` or empty if the " +
					"set is not exclusive.",
				Computed: true,
			},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create: true, Read: true, Update: true, Delete: true,
				CreateDescription: setTimeoutDescription("creating the latches"),
				ReadDescription:   setTimeoutDescription("reading the latches"),
				UpdateDescription: setTimeoutDescription("changing the latches"),
				DeleteDescription: setTimeoutDescription("removing the latches"),
			}),
		},
	}
}

func setTimeoutDescription(doing string) string {
	return "Time limit for " + doing + ", waits for the rate limit included, as a duration such as \"30m\" or " +
		"\"2h\". Default: 3 hours."
}

// ValidateConfig checks the maps as a whole. Validators of the elements would take more time than
// the rest of the validation.
func (r *hubSpotLatchesResource) ValidateConfig(
	ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse,
) {
	var config hubSpotLatchesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	_, diags := config.declared()
	resp.Diagnostics.Append(diags...)
	if config.HubSpotIDs.IsNull() && config.HubSpotCompanyIDs.IsNull() {
		resp.Diagnostics.AddError("HubSpot latch set without latches", "At least one of hubspot_ids and "+
			"hubspot_company_ids must be set. For a set of no customers, write:\n\n  hubspot_ids = {}")
	}
}

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
		MarkdownDescription: "Latches many Fusebill customers, hundreds to tens of thousands, as one resource: one read " +
			"for all of them, and one call for each that changes.",
		Attributes: map[string]schema.Attribute{
			// These two and unlisted are maps of strings to Terraform, see protocolLayer.
			contactsAttribute: schema.StringAttribute{
				MarkdownDescription: "The ID of the HubSpot contact (its visitor ID, vid) of each customer, by the ID of the " +
					"customer. A customer may be in this map, in `hubspot_company_ids`, or in both; at least one of the two maps " +
					"must be set. `null` and the empty string mean none, but a customer needs at least one ID. The resource owns " +
					"the customers that are listed here, and no others.",
				Optional: true,
			},
			companiesAttribute: schema.StringAttribute{
				MarkdownDescription: "The ID of the HubSpot company of each customer, by the ID of the customer.",
				Optional:            true,
			},
			"allow_reassociation": schema.BoolAttribute{
				MarkdownDescription: "Allows the provider to take a contact or company from a customer outside this set, and to " +
					"replace another latch of a customer of this set. The other customer keeps its other ID. Moves within the set " +
					"need no permission. Default: `false`, which refuses both.",
				Optional: true,
			},
			"exclusive": schema.BoolAttribute{
				MarkdownDescription: "Makes the set responsible for all latches of the account: latches of customers that it " +
					"does not list appear in `unlisted`, and the next apply removes them, within `max_removals`. Default: `false`, " +
					"which leaves other customers alone.",
				Optional: true,
			},
			"max_removals": schema.Int64Attribute{
				MarkdownDescription: "How many customers one update or replacement may unlatch, listed or not, 0 or more; a " +
					"plan that unlatches more is refused. A destroy is not limited. Default: `10` or 5 % of the rows in the state, " +
					"whichever is more.",
				Optional:   true,
				Validators: atLeastNone,
			},
			"max_changes": schema.Int64Attribute{
				MarkdownDescription: "Of how many customers one update or replacement may replace or remove an ID, 0 or more; a " +
					"plan that changes more is refused. New rows and added IDs do not count. Default: `10` or 5 % of the rows in " +
					"the state, whichever is more.",
				Optional:   true,
				Validators: atLeastNone,
			},
			unlistedAttribute: schema.StringAttribute{
				MarkdownDescription: "With `exclusive`, the latches of customers that the set does not list, by the ID of the " +
					"customer, such as `contact 101 and company 202`. A plan that removes them shows this attribute as emptied. " +
					"`null` without `exclusive`.",
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
	return "How long " + doing + " may take, waits for the rate limit included, as a duration such as \"30m\" or " +
		"\"2h\". Default: 3 hours."
}

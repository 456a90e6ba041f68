package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func (r *hubSpotLatchResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Latches one Fusebill customer to one HubSpot contact, one HubSpot company, or both.",
		Attributes: map[string]schema.Attribute{
			"fusebill_id": schema.StringAttribute{
				MarkdownDescription: "ID of the Fusebill customer." + idNote + " Changing it replaces the resource.",
				Required:            true,
				Validators:          []validator.String{idValidator{idOfCustomer}},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"hubspot_id": schema.StringAttribute{
				MarkdownDescription: "ID of the HubSpot contact (its visitor ID, vid)." + idNote + " If it is not set, the " +
					"customer is latched to no contact. At least one of `hubspot_id` and `hubspot_company_id` must be set.",
				Optional:   true,
				Validators: []validator.String{idValidator{idOfContact}},
			},
			"hubspot_company_id": schema.StringAttribute{
				MarkdownDescription: "ID of the HubSpot company." + idNote + " If it is not set, the customer is latched " +
					"to no company.",
				Optional:   true,
				Validators: []validator.String{idValidator{idOfCompany}},
			},
			"allow_reassociation": schema.BoolAttribute{
				MarkdownDescription: "Allows the provider to take a contact or company from the customer that holds it, and to " +
					"replace another latch of this customer. The customer that loses a contact or company keeps its other ID. " +
					"Default: `false`, which refuses both.",
				Optional: true,
			},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create: true, Read: true, Update: true, Delete: true,
				CreateDescription: timeoutDescription("creating the latch"),
				ReadDescription:   timeoutDescription("reading the latch"),
				UpdateDescription: timeoutDescription("changing the latch"),
				DeleteDescription: timeoutDescription("removing the latch"),
			}),
		},
	}
}

func timeoutDescription(doing string) string {
	return "Time limit for " + doing + ", waits for the rate limit included, as a duration such as \"90s\" or \"5m\". " +
		"Default: 20 minutes."
}

func (r *hubSpotLatchResource) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{
		resourcevalidator.AtLeastOneOf(path.MatchRoot("hubspot_id"), path.MatchRoot("hubspot_company_id")),
	}
}

func (r *hubSpotLatchResource) IdentitySchema(
	_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse,
) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"fusebill_id": identityschema.StringAttribute{
				Description:       "ID of the Fusebill customer." + idNote,
				RequiredForImport: true,
			},
		},
	}
}

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

var (
	_ action.Action               = (*hubSpotUnlatchAction)(nil)
	_ action.ActionWithConfigure  = (*hubSpotUnlatchAction)(nil)
	_ action.ActionWithModifyPlan = (*hubSpotUnlatchAction)(nil)
)

// hubSpotUnlatchAction is fusebill_hubspot_unlatch: it removes the latch of a customer that no resource manages.
type hubSpotUnlatchAction struct {
	keeper *latch.Keeper
}

type hubSpotUnlatchModel struct {
	FusebillID       types.Int64 `tfsdk:"fusebill_id"`
	HubSpotID        types.Int64 `tfsdk:"hubspot_id"`
	HubSpotCompanyID types.Int64 `tfsdk:"hubspot_company_id"`
}

func newHubSpotUnlatchAction() action.Action { return &hubSpotUnlatchAction{} }

func (a *hubSpotUnlatchAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_hubspot_unlatch"
}

func (a *hubSpotUnlatchAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	atLeastOne := []validator.Int64{int64validator.AtLeast(1)}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Removes the HubSpot latch of a customer that no resource manages. A customer that isn't latched is left as it is.",
		Attributes: map[string]schema.Attribute{
			"fusebill_id": schema.Int64Attribute{
				MarkdownDescription: "ID of the Fusebill customer, 1 or more.",
				Required:            true,
				Validators:          atLeastOne,
			},
			"hubspot_id": schema.Int64Attribute{
				MarkdownDescription: "ID of the HubSpot contact that the customer is expected to be latched to, 1 or more. Where this or " +
					"`hubspot_company_id` is set, only a latch to exactly what the two say is removed, and any other is an error. Left out " +
					"beside `hubspot_company_id`, the customer is expected to be latched to no contact.",
				Optional:   true,
				Validators: atLeastOne,
			},
			"hubspot_company_id": schema.Int64Attribute{
				MarkdownDescription: "ID of the HubSpot company that the customer is expected to be latched to, 1 or more. Left out beside " +
					"`hubspot_id`, the customer is expected to be latched to no company.",
				Optional:   true,
				Validators: atLeastOne,
			},
		},
	}
}

func (a *hubSpotUnlatchAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.keeper = keeperFrom(req.ProviderData, &resp.Diagnostics)
}

// ModifyPlan refuses at plan what a resource of the configuration declares. Only there every resource is known: an apply
// knows those that it changes.
func (a *hubSpotUnlatchAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var config hubSpotUnlatchModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || a.keeper == nil || !isKnown(config.FusebillID) {
		return // What isn't known yet is checked when the action is invoked.
	}
	id := config.FusebillID.ValueInt64()
	if err := a.keeper.DeclareUnlatch(id); err != nil {
		resp.Diagnostics.Append(config.attempt().diagnostic(err))
	} else if a.keeper.IsManaged(id) { // As where -invoke plans no resource, and the action refers to one.
		resp.Diagnostics.AddAttributeWarning(path.Root("fusebill_id"), "HubSpot latch is managed by a resource", fmt.Sprintf("The latch of "+
			"customer %d is in the state of a resource. Unless this apply removes that resource, the next plan creates the latch again.", id))
	}
}

func (a *hubSpotUnlatchAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config hubSpotUnlatchModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := config.FusebillID.ValueInt64()
	say := func(format string, args ...any) {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf(format, args...)})
	}
	released, err := a.keeper.Unlatch(ctx, id, config.expected(), func(current fusebill.Latch) {
		say("Customer %d is latched to %s. Unlatching it.", id, current)
	})
	switch {
	case err != nil:
		resp.Diagnostics.Append(config.attempt().diagnostic(err))
	case released.IsZero():
		say("Customer %d isn't latched. Nothing was changed.", id)
	default:
		say("Customer %d is unlatched. Released: %s.", id, released)
	}
}

func (m hubSpotUnlatchModel) attempt() attempt {
	return attempt{doing: "unlatch", customerID: m.FusebillID.ValueInt64()}
}

// expected is the only latch that may be removed, zero where any may.
func (m hubSpotUnlatchModel) expected() fusebill.Latch {
	return fusebill.Latch{HubSpotID: m.HubSpotID.ValueInt64(), HubSpotCompanyID: m.HubSpotCompanyID.ValueInt64()}
}

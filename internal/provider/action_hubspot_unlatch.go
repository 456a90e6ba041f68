package provider

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
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
	data *providerData // nil where the provider is not configured
}

type hubSpotUnlatchModel struct {
	FusebillID       types.String `tfsdk:"fusebill_id"`
	HubSpotID        types.String `tfsdk:"hubspot_id"`
	HubSpotCompanyID types.String `tfsdk:"hubspot_company_id"`
}

func newHubSpotUnlatchAction() action.Action { return &hubSpotUnlatchAction{} }

func (a *hubSpotUnlatchAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_hubspot_unlatch"
}

func (a *hubSpotUnlatchAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Removes the HubSpot latch of a customer that no resource manages. A customer that isn't latched is left as it is.",
		Attributes: map[string]schema.Attribute{
			"fusebill_id": schema.StringAttribute{
				MarkdownDescription: "ID of the Fusebill customer." + idNote,
				Required:            true,
				Validators:          []validator.String{idValidator{idOfCustomer}},
			},
			"hubspot_id": schema.StringAttribute{
				MarkdownDescription: "ID of the HubSpot contact that the customer is expected to be latched to." + idNote + " If this or " +
					"`hubspot_company_id` is set, the action removes a latch to exactly these two only, and any other latch is an error. If " +
					"only `hubspot_company_id` is set, the customer is expected to be latched to no contact.",
				Optional:   true,
				Validators: []validator.String{idValidator{idOfContact}},
			},
			"hubspot_company_id": schema.StringAttribute{
				MarkdownDescription: "ID of the HubSpot company that the customer is expected to be latched to." + idNote + " If only " +
					"`hubspot_id` is set, the customer is expected to be latched to no company.",
				Optional:   true,
				Validators: []validator.String{idValidator{idOfCompany}},
			},
		},
	}
}

func (a *hubSpotUnlatchAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// ModifyPlan refuses at plan what a resource of the configuration declares. Only there every resource is known: an apply
// knows those that it changes.
func (a *hubSpotUnlatchAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	defer a.data.nameCustomers(&resp.Diagnostics)
	var config hubSpotUnlatchModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(config.checkIDs()...)
	if resp.Diagnostics.HasError() || a.data == nil || !isKnown(config.FusebillID) {
		return // What isn't known yet is checked when the action is invoked.
	}
	id := idIn(config.FusebillID)
	if resp.Diagnostics.Append(a.note(config)...); resp.Diagnostics.HasError() {
		return
	}
	if a.data.intents.InState(id) > 0 { // As where -invoke plans no resource, and the action refers to one.
		resp.Diagnostics.AddAttributeWarning(path.Root("fusebill_id"), "HubSpot latch is managed by a resource", fmt.Sprintf("The latch of "+
			"customer %d is in the state of a resource. Unless this apply removes that resource, the next plan creates the latch again.", id))
	}
}

func (a *hubSpotUnlatchAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	defer a.data.nameCustomers(&resp.Diagnostics)
	var config hubSpotUnlatchModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(config.checkIDs()...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := idIn(config.FusebillID)
	say := func(format string, args ...any) {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf(format, args...)})
	}
	if resp.Diagnostics.Append(a.note(config)...); resp.Diagnostics.HasError() {
		return // An apply plans again what it changes, so it is known here.
	}
	released, err := a.data.coordinator.Unlatch(ctx, id, config.expected(), func(current fusebill.Latch) {
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

// note records that the customer is to be unlatched, and refuses it where a resource of the same run
// declares the customer's latch.
func (a *hubSpotUnlatchAction) note(config hubSpotUnlatchModel) diag.Diagnostics {
	var diags diag.Diagnostics
	intent := latch.Intent{CustomerID: idIn(config.FusebillID), Kind: latch.Unlatch}
	for _, conflict := range a.data.intents.Note(latch.ObjectPlan{Owner: rand.Text(), Intents: []latch.Intent{intent}}) {
		diags.Append(config.attempt().diagnostic(conflict.Err))
	}
	return diags
}

// checkIDs refuses what the validators could not: IDs that were unknown when the CLI called them.
// A CLI plans and invokes an action without another validation.
func (m hubSpotUnlatchModel) checkIDs() diag.Diagnostics {
	var diags diag.Diagnostics
	for kind, value := range map[idKind]types.String{
		idOfCustomer: m.FusebillID, idOfContact: m.HubSpotID, idOfCompany: m.HubSpotCompanyID,
	} {
		diags.Append(kind.check(path.Root(kind.argument()), value)...)
	}
	return diags
}

func (m hubSpotUnlatchModel) attempt() attempt {
	return attempt{doing: "unlatch", customerID: idIn(m.FusebillID)}
}

// expected is the only latch that may be removed, zero where any may.
func (m hubSpotUnlatchModel) expected() fusebill.Latch {
	return fusebill.Latch{HubSpotID: idIn(m.HubSpotID), HubSpotCompanyID: idIn(m.HubSpotCompanyID)}
}

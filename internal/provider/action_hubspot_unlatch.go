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

// hubSpotUnlatchAction implements fusebill_hubspot_unlatch, which removes the latch of a customer
// that no resource manages.
type hubSpotUnlatchAction struct {
	data *providerData // nil if the provider is not configured
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

func (a *hubSpotUnlatchAction) Schema(
	_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse,
) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Removes the HubSpot latch of a customer that no resource manages. If the customer is not " +
			"latched, the action changes nothing.",
		Attributes: map[string]schema.Attribute{
			"fusebill_id": schema.StringAttribute{
				MarkdownDescription: "ID of the Fusebill customer." + idNote,
				Required:            true,
				Validators:          []validator.String{idValidator{idOfCustomer}},
			},
			"hubspot_id": schema.StringAttribute{
				MarkdownDescription: "ID of the HubSpot contact that the customer is expected to be latched to." + idNote +
					" If `hubspot_id` or `hubspot_company_id` is set, the action removes only a latch to exactly these IDs. Any " +
					"other latch is an error and stays. An ID that is left out then means that the customer is latched to no " +
					"contact or no company. If neither is set, the action removes any latch.",
				Optional:   true,
				Validators: []validator.String{idValidator{idOfContact}},
			},
			"hubspot_company_id": schema.StringAttribute{
				MarkdownDescription: "ID of the HubSpot company that the customer is expected to be latched to. See " +
					"`hubspot_id`." + idNote,
				Optional:   true,
				Validators: []validator.String{idValidator{idOfCompany}},
			},
		},
	}
}

func (a *hubSpotUnlatchAction) Configure(
	_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse,
) {
	a.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// ModifyPlan refuses to unlatch a customer whose latch a resource of the configuration declares.
// Only a plan can check this for every resource: during an apply the provider knows only the
// resources that change.
func (a *hubSpotUnlatchAction) ModifyPlan(
	ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse,
) {
	defer a.data.nameCustomers(&resp.Diagnostics)
	var config hubSpotUnlatchModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(config.checkIDs()...)
	if resp.Diagnostics.HasError() || a.data == nil || !isKnown(config.FusebillID) {
		return // Invoke checks an ID that is not known yet.
	}
	id := idIn(config.FusebillID)
	if resp.Diagnostics.Append(a.note(config)...); resp.Diagnostics.HasError() {
		return
	}
	// With -invoke Terraform plans no resource, but it reads those that the action refers to.
	if a.data.intents.InState(id) > 0 {
		resp.Diagnostics.AddAttributeWarning(path.Root("fusebill_id"), "HubSpot latch is managed by a resource",
			fmt.Sprintf("The latch of customer %d is in the state of a resource. Unless this apply removes that resource, "+
				"the next plan creates the latch again.", id))
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
	report := func(format string, args ...any) {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf(format, args...)})
	}
	if resp.Diagnostics.Append(a.note(config)...); resp.Diagnostics.HasError() {
		return // An apply plans its changes again, so the provider knows them here.
	}
	released, err := a.data.coordinator.Unlatch(ctx, id, config.expected(), func(current fusebill.Latch) {
		report("Customer %d is latched to %s. Unlatching it.", id, current)
	})
	switch {
	case err != nil:
		resp.Diagnostics.Append(config.attempt().diagnostic(err))
	case released.IsZero():
		report("Customer %d is not latched. Nothing was changed.", id)
	default:
		report("Customer %d is unlatched. Released: %s.", id, released)
	}
}

// note records that the action unlatches the customer. It returns an error if a resource of the
// same run declares the customer's latch.
func (a *hubSpotUnlatchAction) note(config hubSpotUnlatchModel) diag.Diagnostics {
	var diags diag.Diagnostics
	intent := latch.Intent{CustomerID: idIn(config.FusebillID), Kind: latch.Unlatch}
	for _, conflict := range a.data.intents.Note(latch.ObjectPlan{Owner: rand.Text(), Intents: []latch.Intent{intent}}) {
		diags.Append(config.attempt().diagnostic(conflict.Err))
	}
	return diags
}

// checkIDs refuses invalid IDs. The validators do not see an ID that is unknown when the CLI calls
// them, and the CLI does not validate again before it plans and invokes an action.
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

// expected returns the only latch that the action may remove. It returns zero if any may be
// removed.
func (m hubSpotUnlatchModel) expected() fusebill.Latch {
	return fusebill.Latch{HubSpotID: idIn(m.HubSpotID), HubSpotCompanyID: idIn(m.HubSpotCompanyID)}
}

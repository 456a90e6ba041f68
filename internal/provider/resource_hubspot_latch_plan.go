package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// ModifyPlan finds, before anything is applied, what Terraform knows nothing of: two resources that claim the same
// thing, and claims that others hold. It changes nothing in the plan, and makes no write.
func (r *hubSpotLatchResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.keeper == nil { // A validation.
		return
	}
	var plan, state hubSpotLatchModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(planRemovals(ctx, r.keeper, req.Private, idIn(state.FusebillID))...)
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	planTimeouts(ctx, plan.Timeouts, req, resp)
	if resp.Diagnostics.HasError() || plan.FusebillID.IsUnknown() {
		return // What isn't known yet is checked when it is applied.
	}
	if !state.FusebillID.IsNull() && !state.FusebillID.Equal(plan.FusebillID) {
		return // A replacement. Terraform plans the resource once more, as a create.
	}
	owner, diags := planOwner(ctx, req.Private, resp.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	id, declared := idIn(plan.FusebillID), plan.latch()
	check := attempt{"plan the HubSpot latch of", id, declared}
	if err := r.keeper.Declare(owner, id, declared); err != nil {
		resp.Diagnostics.Append(check.diagnostic(err))
		return
	}
	if state.latch() == declared {
		if err := r.keeper.DeclareKept(owner, id); err != nil {
			resp.Diagnostics.Append(check.diagnostic(err))
			return
		}
	}
	if plan.HubSpotID.IsUnknown() || plan.HubSpotCompanyID.IsUnknown() {
		return // What the customer is latched to may turn out to be just that.
	}
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Read, defaultTimeout, &resp.Diagnostics)
	defer cancel()
	resp.Diagnostics.Append(r.checkPlan(ctx, check, state.latch(), plan.AllowReassociation.ValueBool())...)
}

// planRemovals notes the latches that a destroy removes.
func planRemovals(ctx context.Context, keeper *latch.Keeper, private privateData, customerIDs ...int64) diag.Diagnostics {
	owner, diags := private.GetKey(ctx, ownerKey)
	for _, id := range customerIDs {
		if err := keeper.DeclareRemoved(string(owner), id); err != nil {
			diags.Append(attempt{doing: "plan to remove the HubSpot latch of", customerID: id}.diagnostic(err))
		}
	}
	return diags
}

// checkPlan looks at what the account says of a plan.
func (r *hubSpotLatchResource) checkPlan(ctx context.Context, check attempt, prior fusebill.Latch, reassociate bool) diag.Diagnostics {
	held, err := r.keeper.CheckPlan(ctx, check.customerID, prior, check.declared, reassociate)
	if err == nil {
		return heldWarnings(check.customerID, held, reassociate)
	}
	switch found := check.diagnostic(err); {
	case fusebill.IsNotFound(err) && r.keeper.Vanished(check.customerID):
		// Not an error: it shows as a latch to create, and the rest of the plan is to be seen.
		return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("fusebill_id"), found.Summary(), found.Detail()+
			"\n\nThe apply fails unless the customer exists by then.")}
	case isSureToFail(err):
		return diag.Diagnostics{found}
	default:
		return diag.Diagnostics{uncheckedPlan(found)}
	}
}

// uncheckedPlan tells that the API couldn't be asked, which doesn't stop a plan.
func uncheckedPlan(why diag.Diagnostic) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Plan is not checked for conflicts", why.Summary()+". "+why.Detail()+
		"\n\nConflicts with other customers' latches are found when the plan is applied.")
}

// heldWarnings say what other customers hold of a plan, and what will come of it.
func heldWarnings(customerID int64, held []latch.Holding, reassociate bool) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, h := range held {
		what := fmt.Sprintf("HubSpot %s is latched to customer %d now, and planned for customer %d. ", h.Claim, h.Holder, customerID)
		if reassociate {
			what += fmt.Sprintf("The apply takes it from customer %d, which keeps its other ID, since allow_reassociation is set.", h.Holder)
		} else {
			what += fmt.Sprintf("The apply moves it if the same apply makes customer %d give it up, and refuses otherwise.\n\n"+
				"To take it from customer %d in any case, set allow_reassociation = true.", h.Holder, h.Holder)
		}
		diags.AddAttributeWarning(path.Root(attributeOf(h.Claim)), "HubSpot "+string(h.Claim.Kind)+" is latched to another customer", what)
	}
	return diags
}

// attributeOf is the attribute that makes a claim.
func attributeOf(claim fusebill.Claim) string {
	if claim.Kind == fusebill.Contact {
		return "hubspot_id"
	}
	return "hubspot_company_id"
}

// nextStepOf says what to do about a claim that another customer holds.
func nextStepOf(held *latch.HeldError) string {
	if held.Reason == latch.HolderKeeps {
		return "That customer's latch is part of the same apply and keeps this, or failed to give it up: look for another error above " +
			"or below, and apply again once it is solved."
	}
	var taken []string
	for _, h := range held.Held {
		taken = append(taken, fmt.Sprintf("%s from customer %d", h.Claim, h.Holder))
	}
	return "Nothing was changed. Where the holder's latch is wrong, remove or change it first. To take " + strings.Join(taken, " and ") +
		", set allow_reassociation = true; the holder keeps its other ID. Where the same apply was to make the holder give it up, as in a " +
		"long ring of moves, more -parallelism or allow_reassociation lets it through."
}

// planTimeouts plans that a timeouts block which isn't declared any more goes. Old CLIs, such as Terraform 1.0, propose the
// one in state, and then refuse a plan that has it.
func planTimeouts(ctx context.Context, proposed timeouts.Value, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if proposed.IsNull() {
		return
	}
	var declared timeouts.Value
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("timeouts"), &declared)...)
	if declared.IsNull() && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("timeouts"), declared)...)
	}
}

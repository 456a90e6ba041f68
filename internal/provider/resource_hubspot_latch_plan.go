package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// ModifyPlan finds conflicts that Terraform does not know, before anything is applied: two objects
// that declare the same latch, and claims that other customers hold. Except for a timeouts block
// that was removed, it changes nothing in the plan. It makes no write.
func (r *hubSpotLatchResource) ModifyPlan(
	ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse,
) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	if r.data == nil {
		return // Terraform validates the configuration.
	}
	var plan, state hubSpotLatchModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	isDestroy := req.Plan.Raw.IsNull()
	if !isDestroy {
		resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
		planTimeouts(ctx, plan.Timeouts, req, resp)
	}
	object, diags := newObjectPlan(ctx, req, resp)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	object.Intents = latchIntents(state, plan, req.Plan.Raw.Equal(req.State.Raw))
	check := attempt{"plan the HubSpot latch of", idIn(plan.FusebillID), plan.latch()}
	if isDestroy {
		check = attempt{doing: "plan to remove the HubSpot latch of", customerID: idIn(state.FusebillID)}
	}
	resp.Diagnostics.Append(r.data.note(ctx, object, resp.Private, func(c latch.Conflict) diag.Diagnostic {
		return check.diagnostic(c.Err)
	})...)
	if resp.Diagnostics.HasError() {
		return
	}
	limit := plan.Timeouts.Read
	if isDestroy {
		limit = state.Timeouts.Read
	}
	ctx, cancel := withTimeout(ctx, limit, defaultTimeout, &resp.Diagnostics)
	defer cancel()
	checks := r.planChecks(ctx, isDestroy, check, state, plan)
	// After planChecks, this needs no further call in most cases. The only error of planChecks is a
	// refused key, after which the provider makes no call.
	if !checks.HasError() && !resp.Plan.Raw.Equal(req.State.Raw) {
		var managed []int64
		if !state.FusebillID.IsNull() {
			managed = append(managed, idIn(state.FusebillID))
		}
		diags := r.data.account.plan(ctx, req.Private, resp.Private, managed, check.diagnostic)
		if resp.Diagnostics.Append(diags...); diags.HasError() {
			return
		}
	}
	resp.Diagnostics.Append(checks...)
}

// planChecks warns about latches of the account that conflict with a plan. It does not check a
// destroy, nor a plan with unknown values, which the apply checks.
func (r *hubSpotLatchResource) planChecks(
	ctx context.Context, isDestroy bool, check attempt, state, plan hubSpotLatchModel,
) diag.Diagnostics {
	if isDestroy || isAnyUnknown(plan) {
		return nil
	}
	change := latch.Change{CustomerID: check.customerID, Declared: check.declared}
	if state.FusebillID.Equal(plan.FusebillID) {
		change.Prior = state.latch()
	}
	return r.checkPlan(ctx, check, change, plan.AllowReassociation.ValueBool())
}

func isAnyUnknown(m hubSpotLatchModel) bool {
	return m.FusebillID.IsUnknown() || m.HubSpotID.IsUnknown() || m.HubSpotCompanyID.IsUnknown()
}

// latchIntents returns the intents of the plan of a single latch. If the customer changes, they are
// those of a replacement.
func latchIntents(state, plan hubSpotLatchModel, isUnchanged bool) []latch.Intent {
	var intents []latch.Intent
	hasState, isSame := !state.FusebillID.IsNull(), state.FusebillID.Equal(plan.FusebillID)
	if hasState && !isSame {
		intents = append(intents, latch.Intent{CustomerID: idIn(state.FusebillID), Kind: latch.Destroy, Prior: state.latch()})
	}
	if plan.FusebillID.IsNull() || plan.FusebillID.IsUnknown() {
		return intents
	}
	declared := latch.Intent{CustomerID: idIn(plan.FusebillID), Kind: latch.Declare, Declared: plan.latch()}
	if hasState && isSame {
		declared.Prior = state.latch()
	}
	if isUnchanged {
		declared.Kind = latch.Keep
	}
	return append(intents, declared)
}

// checkPlan warns about latches of the account that conflict with a change.
func (r *hubSpotLatchResource) checkPlan(
	ctx context.Context, check attempt, change latch.Change, reassociate bool,
) diag.Diagnostics {
	findings, err := r.data.checker.Check(ctx, []latch.Change{change}, reassociate)
	switch {
	case fusebill.IsKeyRefused(err):
		return diag.Diagnostics{check.diagnostic(err)}
	case err != nil:
		return diag.Diagnostics{uncheckedPlan(check.diagnostic(err))}
	}
	var diags diag.Diagnostics
	for _, finding := range findings {
		for _, err := range finding.Errors() {
			found := check.diagnostic(err)
			diags.Append(laterWarning(found, pathOf(found)))
		}
		diags.Append(heldWarnings(finding.Change.CustomerID, finding.Held, reassociate)...)
		diags.Append(r.chainWarning(finding)...)
	}
	return diags
}

// pathOf returns the attribute of a diagnostic, or an empty path if it has none.
func pathOf(d diag.Diagnostic) path.Path {
	if d, ok := d.(diag.DiagnosticWithPath); ok {
		return d.Path()
	}
	return path.Empty()
}

// planTimeouts removes a timeouts block from the plan if the configuration no longer declares it.
// Old CLIs, such as Terraform 1.0, propose the block of the state, and then refuse a plan that has
// it.
func planTimeouts(
	ctx context.Context, proposed timeouts.Value, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse,
) {
	if proposed.IsNull() {
		return
	}
	var declared timeouts.Value
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("timeouts"), &declared)...)
	if declared.IsNull() && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("timeouts"), declared)...)
	}
}

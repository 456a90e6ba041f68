package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// ModifyPlan does for a set what it does for a single latch, and refuses a plan that removes more than max_removals.
func (r *hubSpotLatchesResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.keeper == nil { // A destroy, or a validation.
		return
	}
	var plan, state hubSpotLatchesModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	declared, diags := parseLatchMap(plan.Latches)
	resp.Diagnostics.Append(diags...)
	held, diags := parseLatchMap(state.Latches)
	resp.Diagnostics.Append(diags...)
	owner, diags := planOwner(ctx, req.Private, resp.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.State.Raw.IsNull() && declared.whole {
		resp.Diagnostics.Append(planDeclares(ctx, resp.Private, slices.Collect(maps.Keys(declared.latches)))...)
	}
	if declared.whole {
		resp.Diagnostics.Append(checkRemovals(plan, held, declared)...)
	}
	resp.Diagnostics.Append(r.checkPlan(ctx, owner, plan.AllowReassociation.ValueBool(), held, declared)...)
}

// checkRemovals holds a plan to its max_removals.
func checkRemovals(plan hubSpotLatchesModel, held, declared latchMap) diag.Diagnostics {
	limit := plan.MaxRemovals.ValueInt64()
	if plan.MaxRemovals.IsUnknown() || plan.MaxRemovals.IsNull() && !plan.Exclusive.ValueBool() {
		return nil
	}
	if plan.MaxRemovals.IsNull() {
		limit = defaultMaxRemovals
	}
	var removed []string
	for _, id := range slices.Sorted(maps.Keys(held.latches)) {
		if _, ok := declared.latches[id]; !ok {
			removed = append(removed, fmt.Sprintf("%d (%s)", id, held.latches[id]))
		}
	}
	if int64(len(removed)) <= limit {
		return nil
	}
	first := removed[:min(len(removed), maxListed)]
	return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("max_removals"), "Too many HubSpot latches would be removed",
		fmt.Sprintf("This plan would remove the latches of %d customers, and max_removals allows %d. The first of them: %s.\n\n"+
			"Look for what is missing from latches. Where the removals are meant, set max_removals to %d or more for this apply.",
			len(removed), limit, strings.Join(first, ", "), len(removed)))}
}

// checkPlan checks each customer that is new or changes.
func (r *hubSpotLatchesResource) checkPlan(ctx context.Context, owner string, reassociate bool, held, declared latchMap) diag.Diagnostics {
	var (
		diags    diag.Diagnostics
		failed   elementFaults
		warnings elementFaults
	)
	for _, change := range changesOf(latchMap{}, declared) { // Unchanged ones too: they claim what they hold.
		check := attempt{"plan the HubSpot latch of", change.CustomerID, change.Declared}
		if err := r.keeper.Declare(owner, change.CustomerID, change.Declared); err != nil {
			failed.addDiagnostic(inElement(check.diagnostic(err), change.CustomerID))
		}
	}
	changes := changesOf(held, declared)
	if err := r.keeper.ReadBeforePlan(ctx, changes); err != nil {
		return append(failed.diagnostics("HubSpot latches can't be planned"), uncheckedPlan(setError("check the plan of", err)))
	}
	for _, change := range changes {
		if change.Declared.IsZero() {
			continue
		}
		check := attempt{"plan the HubSpot latch of", change.CustomerID, change.Declared}
		conflicts, err := r.keeper.CheckPlan(ctx, change.CustomerID, change.Prior, change.Declared, reassociate)
		switch {
		case err == nil:
			for _, warning := range heldWarnings(change.CustomerID, conflicts, reassociate) {
				warnings.addDiagnostic(warningInElement(warning, change.CustomerID))
			}
		case fusebill.IsNotFound(err) && r.keeper.Vanished(change.CustomerID): // It shows as a latch to create.
			warnings.addDiagnostic(warningInElement(check.diagnostic(err), change.CustomerID))
		case isSureToFail(err):
			failed.addDiagnostic(inElement(check.diagnostic(err), change.CustomerID))
		default:
			diags.Append(uncheckedPlan(check.diagnostic(err)))
		}
	}
	diags.Append(failed.diagnostics("HubSpot latches can't be planned")...)
	diags.Append(warnings.warnings("HubSpot contacts or companies are latched to other customers")...)
	return diags
}

func warningInElement(d diag.Diagnostic, customerID int64) diag.Diagnostic {
	located := inElement(d, customerID)
	return diag.NewAttributeWarningDiagnostic(elementPath(strconv.FormatInt(customerID, 10), ""), located.Summary(), located.Detail())
}

package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// setPlan is what is planned for a set.
type setPlan struct {
	owner          string
	held, declared latchMap
	removed        []int64 // from the map, and so from the account
	others         []int64 // that an exclusive set is going to remove once it has read them
	reassociate    bool
	exclusive      bool
}

// ModifyPlan does for a set what it does for a single latch, and refuses a plan that removes more than max_removals.
func (r *hubSpotLatchesResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.keeper == nil { // A validation.
		return
	}
	var plan, state hubSpotLatchesModel
	isCreate := req.State.Raw.IsNull()
	if !isCreate {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if req.Plan.Raw.IsNull() {
		held, diags := parseLatchMap(state.Latches)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(planRemovals(ctx, r.keeper, req.Private, held.customers()...)...)
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	planTimeouts(ctx, plan.Timeouts, req, resp)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Read, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	p := setPlan{reassociate: plan.AllowReassociation.ValueBool(), exclusive: plan.Exclusive.ValueBool()}
	var diags [3]diag.Diagnostics
	p.declared, diags[0] = plan.declared()
	p.held, diags[1] = parseLatchMap(state.Latches)
	p.owner, diags[2] = planOwner(ctx, req.Private, resp.Private)
	resp.Diagnostics.Append(slices.Concat(diags[:]...)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if isCreate {
		resp.Diagnostics.Append(planDeclares(ctx, resp.Private, p.declared.customers())...)
	}
	p.removed = p.held.missingFrom(p.declared)
	if state.endsExclusive(plan) {
		resp.Diagnostics.Append(leftWhenNotExclusive(p.removed)...)
		p.removed = nil
	}
	if p.exclusive && !state.Exclusive.ValueBool() {
		var diags diag.Diagnostics
		p.others, diags = r.othersOf(ctx, p.declared)
		resp.Diagnostics.Append(diags...)
	}
	resp.Diagnostics.Append(checkRemovals(plan, p)...)
	resp.Diagnostics.Append(r.checkPlan(ctx, p)...)
}

// othersOf returns, for a set that becomes exclusive, who else is latched. Terraform can't be shown that before the set is
// read as an exclusive one, so it is told.
func (r *hubSpotLatchesResource) othersOf(ctx context.Context, declared latchMap) ([]int64, diag.Diagnostics) {
	all, err := r.keeper.Latched(ctx)
	if errors.Is(err, customers.ErrAccountUnread) {
		return nil, diag.Diagnostics{setError("find the latches of other customers", err)}
	}
	if err != nil {
		return nil, diag.Diagnostics{uncheckedPlan(setError("find the latches of other customers", err))}
	}
	others := latchMap{latches: all}.missingFrom(declared)
	if len(others) == 0 {
		return nil, nil
	}
	return others, diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("exclusive"), "Other customers are latched",
		"This set becomes exclusive, and these customers, which it doesn't list, are latched: "+listed(others)+
			".\n\nThis apply leaves them alone. From the next plan on they show as removed.")}
}

// leftWhenNotExclusive tells, since the plan shows customers as removed from the map, that their latches stay.
func leftWhenNotExclusive(customerIDs []int64) diag.Diagnostics {
	if len(customerIDs) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("exclusive"), "HubSpot latches leave the set and stay as they are",
		"The set isn't exclusive any more, and gives up the customers that it doesn't list. Their latches aren't removed. They are customers "+
			listed(customerIDs)+".")}
}

// checkRemovals holds a plan to its max_removals.
func checkRemovals(plan hubSpotLatchesModel, p setPlan) diag.Diagnostics {
	limit := plan.MaxRemovals.ValueInt64()
	switch {
	case plan.MaxRemovals.IsUnknown(), plan.MaxRemovals.IsNull() && !p.exclusive:
		return nil
	case plan.MaxRemovals.IsNull():
		limit = defaultMaxRemovals
	}
	if int64(len(p.removed)) <= limit {
		return nil
	}
	return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("max_removals"), "Too many HubSpot latches would be removed",
		fmt.Sprintf("This plan would remove more latches (%d) than max_removals allows (%d): those of customers %s.\n\n"+
			"Look for what is missing from latches. Where the removals are meant, set max_removals to %d or more for this apply.",
			len(p.removed), limit, listed(p.removed), len(p.removed)))}
}

// checkPlan checks each customer that is new or changes.
func (r *hubSpotLatchesResource) checkPlan(ctx context.Context, p setPlan) diag.Diagnostics {
	var diags diag.Diagnostics
	failed := elementFaults{summary: "HubSpot latches can't be planned"}
	warned := elementFaults{summary: "HubSpot contacts or companies are latched to other customers"}
	r.declare(p, &failed)
	changes := slices.DeleteFunc(changesOf(p.held, p.declared), func(c latch.SetChange) bool { return c.Declared.IsZero() })
	exists, err := r.keeper.ReadBeforePlan(ctx, changes)
	if err != nil {
		unread := setError("plan the HubSpot latches", err)
		if !isSureToFail(err) {
			unread = uncheckedPlan(unread)
		}
		return append(failed.diagnostics(), unread)
	}
	for _, change := range changes {
		held, err := r.checkChange(ctx, p, change, exists[change.CustomerID])
		switch missing := (*latch.NoCustomerError)(nil); {
		case err == nil:
		case isSureToFail(err), errors.As(err, &missing):
			failed.add(elementError("plan", change, err))
		default:
			diags.Append(uncheckedPlan(elementError("plan", change, err)))
		}
		for _, warning := range heldWarnings(change.CustomerID, held, p.reassociate) {
			warned.add(inElement(warning, change.CustomerID))
		}
	}
	diags.Append(failed.diagnostics()...)
	diags.Append(warned.warnings()...)
	return diags
}

// checkChange returns what others hold of a change and aren't planned to give up, or why it can't be made.
func (r *hubSpotLatchesResource) checkChange(ctx context.Context, p setPlan, change latch.SetChange, exists bool) ([]latch.Holding, error) {
	if change.Prior.IsZero() && !exists {
		return nil, &latch.NoCustomerError{CustomerID: change.CustomerID}
	}
	held, err := r.keeper.CheckPlan(ctx, change.CustomerID, change.Prior, change.Declared, p.reassociate)
	return slices.DeleteFunc(held, func(h latch.Holding) bool {
		_, isRemoved := slices.BinarySearch(p.removed, h.Holder)
		return isRemoved
	}), err
}

// declare notes what the set declares. What an exclusive set removes is its own too: nothing else may declare it.
func (r *hubSpotLatchesResource) declare(p setPlan, failed *elementFaults) {
	for _, id := range p.declared.customers() {
		declared := p.declared.latches[id]
		if err := r.keeper.Declare(p.owner, id, declared); err != nil {
			failed.add(elementError("plan", latch.SetChange{CustomerID: id, Declared: declared}, err))
		}
		if declared != p.held.latches[id] {
			continue
		}
		if err := r.keeper.DeclareKept(p.owner, id); err != nil {
			failed.add(elementError("plan", latch.SetChange{CustomerID: id, Declared: declared}, err))
		}
	}
	if !p.exclusive {
		r.declareRemoved(p, failed)
		return
	}
	for _, id := range slices.Concat(p.removed, p.others) {
		if err := r.keeper.Declare(p.owner, id, fusebill.Latch{}); err != nil {
			failed.add(diag.NewAttributeErrorDiagnostic(path.Root("exclusive"), "HubSpot latch is declared elsewhere", fmt.Sprintf(
				"This set is exclusive and doesn't list customer %d, so it would remove its latch, which another resource of this configuration "+
					"declares. List the customer in latches instead, or leave out exclusive.", id)))
		}
	}
}

func (r *hubSpotLatchesResource) declareRemoved(p setPlan, failed *elementFaults) {
	for _, id := range p.removed {
		if err := r.keeper.DeclareRemoved(p.owner, id); err != nil {
			failed.add(elementError("plan", latch.SetChange{CustomerID: id}, err))
		}
	}
}

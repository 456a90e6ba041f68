package provider

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// awaitOthers is the time for which the destroy of a set waits for a create of the same customers.
// Terraform destroys and creates a set that was renamed. If the create begins in time, neither of
// the two makes a call for a latch that stays.
const awaitOthers = 5 * time.Second

// Delete unlatches the rows of the set, and no other customers. If Terraform replaces the set, for
// example after a create that ended with errors, Delete keeps the rows that the replacement
// declares and applies the limits.
func (r *hubSpotLatchesResource) Delete(
	ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse,
) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var state hubSpotLatchesModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Delete, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	rows, diags := state.rows()
	resp.Diagnostics.Append(diags...)
	create, diags := plannedCreateOf(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	recorded, diags := recordedAccount(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	spared, diags := sparedBy(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	// Terraform keeps the private data if the destroy ends with errors.
	resp.Diagnostics.Append(forgetPlan(ctx, resp.Private)...)
	if create != nil {
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, incompleteKey, []byte("true"))...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if err := r.data.account.verify(ctx, recorded, rows.customers()); err != nil {
		resp.Diagnostics.Append(setError("delete the HubSpot latches", err))
		return
	}
	released := rows.latches
	if create != nil {
		declared := create.rows()
		if resp.Diagnostics.Append(create.limits().check(sizeOf(rows, declared, nil))...); resp.Diagnostics.HasError() {
			return
		}
		released = nil
		if !create.Unknown {
			released = without(rows.latches, declared)
		}
		left := maps.Clone(rows.latches)
		maps.DeleteFunc(left, func(id int64, _ fusebill.Latch) bool { _, isReleased := released[id]; return isReleased })
		r.data.sets.leave(left)
	}
	var changes []latch.Change
	for id, l := range released {
		changes = append(changes, latch.Change{CustomerID: id, Prior: l})
	}
	sortChanges(changes)
	var left []int64
	changes = slices.DeleteFunc(changes, func(c latch.Change) bool {
		if spared[c.CustomerID] {
			left = append(left, c.CustomerID)
		}
		return spared[c.CustomerID]
	})
	if len(left) > 0 {
		resp.Diagnostics.Append(sparedWarning(left))
	}
	options := latch.ApplyOptions{AwaitOthers: awaitOthers, StallTimeout: declaredTimeout(state.Timeouts, "delete")}
	outcome, diags := r.apply(ctx, "delete", changes, rows, options)
	resp.Diagnostics.Append(diags...)
	switch {
	case resp.Diagnostics.HasError():
		for _, change := range changes {
			if !outcome.isUndone[change.CustomerID] {
				outcome.rows.put(change.CustomerID, fusebill.Latch{})
			}
		}
		state.HubSpotIDs, state.HubSpotCompanyIDs = outcome.rows.values()
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	case create != nil && create.Unknown && len(rows.latches) > 0:
		resp.Diagnostics.AddWarning("HubSpot latches were left in place", "The set was replaced, and its new rows depended "+
			"on a value that was not known before this apply, so the replacement removed no latch. Customers that the set "+
			"no longer lists stay latched, and no resource manages their latches. The set listed "+
			listed(rows.customers())+".")
	}
}

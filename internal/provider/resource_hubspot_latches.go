package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// defaultSetTimeout is the default time limit of an operation on a set. It is long enough for
// 100,000 changes in a live account, which allows 1,000 calls per minute.
const defaultSetTimeout = 3 * time.Hour

var (
	_ resource.Resource                   = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithConfigure      = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithImportState    = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithMoveState      = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithValidateConfig = (*hubSpotLatchesResource)(nil)
)

// hubSpotLatchesResource implements fusebill_hubspot_latches, the latches of many customers as one
// resource. Terraform's own work grows with the square of the number of instances. Here, thousands
// of latches are one instance.
type hubSpotLatchesResource struct {
	data *providerData // nil if the provider is not configured
}

func newHubSpotLatchesResource() resource.Resource { return &hubSpotLatchesResource{} }

func (r *hubSpotLatchesResource) Metadata(
	_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse,
) {
	resp.TypeName = latchesType
}

func (r *hubSpotLatchesResource) Configure(
	_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse,
) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// Create records the latches that it has made in the state, even if other latches failed. The next
// apply then makes only the missing ones.
func (r *hubSpotLatchesResource) Create(
	ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse,
) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var plan hubSpotLatchesModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(forgetPlan(ctx, resp.Private)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Create, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	declared, diags := plan.declared()
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	// The destroy half of a replacement may have left latches to this create. One that is already
	// as declared counts as a new row, so the create checks it.
	left := r.data.sets.leftTo(declared)
	maps.DeleteFunc(left, func(id int64, l fusebill.Latch) bool { return l == declared.latches[id] })
	options := latch.ApplyOptions{
		Reassociate: plan.AllowReassociation.ValueBool(), StallTimeout: declaredTimeout(plan.Timeouts, "create"),
	}
	outcome, diags := r.apply(ctx, "create", changesOf(newSetRows(), declared, left), declared, options)
	resp.Diagnostics.Append(diags...)
	if diags.HasError() && len(outcome.rows.latches) == 0 {
		return // A state and an error together taint the resource, and there is nothing to record.
	}
	if diags.HasError() {
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, incompleteKey, []byte("true"))...)
	}
	resp.Diagnostics.Append(r.finish(ctx, &plan, outcome)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(r.recordAccount(ctx, outcome.rows, resp.Private)...)
}

// recordAccount writes the fingerprint of the account to private data. A set without rows belongs
// to no account.
func (r *hubSpotLatchesResource) recordAccount(
	ctx context.Context, rows setRows, private privateData,
) diag.Diagnostics {
	if len(rows.latches) == 0 {
		return nil
	}
	return r.data.account.record(ctx, private)
}

// finish turns a plan into the state after its apply.
func (r *hubSpotLatchesResource) finish(
	ctx context.Context, plan *hubSpotLatchesModel, outcome setOutcome,
) (diags diag.Diagnostics) {
	plan.HubSpotIDs, plan.HubSpotCompanyIDs = outcome.rows.values()
	switch {
	case len(outcome.unlisted) > 0:
		plan.setUnlisted(outcome.unlisted)
	case plan.Unlisted.IsUnknown() && !plan.Exclusive.ValueBool():
		plan.Unlisted = types.StringNull()
	case plan.Unlisted.IsUnknown():
		all, err := r.latched(ctx)
		if err != nil { // A warning, because an error would taint a set whose latches were all made.
			unread := setError("read the latches of customers that the set does not list", err)
			diags.AddWarning(unread.Summary(), unread.Detail()+"\n\nThe next plan shows these latches.")
		}
		plan.setUnlisted(without(all, outcome.rows))
	}
	return diags
}

func (r *hubSpotLatchesResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var state hubSpotLatchesModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Read, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	rows, diags := state.rows()
	resp.Diagnostics.Append(diags...)
	incomplete, diags := req.Private.GetKey(ctx, incompleteKey)
	resp.Diagnostics.Append(diags...)
	recorded, diags := recordedAccount(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	all, isChanged, diags := r.read(ctx, recorded, &rows, state.Exclusive.ValueBool())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if recorded == nil && len(rows.latches) > 0 {
		resp.Diagnostics.Append(r.data.account.recordKnown(ctx, resp.Private)...)
	}
	resp.Diagnostics.Append(r.data.observe(ctx, resp.Private, rows.customers()...)...)
	if incomplete != nil {
		r.data.sets.noteIncomplete(rows)
	}
	before := state.Unlisted
	if state.Exclusive.ValueBool() {
		state.setUnlisted(without(all, rows))
	}
	if !isChanged && state.Unlisted.Equal(before) {
		return // The response already has this state. Setting it again would copy thousands of elements.
	}
	state.HubSpotIDs, state.HubSpotCompanyIDs = rows.values()
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// read updates rows to the current latches, and reports whether any row changed. For an exclusive
// set it returns all latches of the account. If a row differs from the state, read returns an error
// if the account may be another one, see [accountGuard.afterRead].
func (r *hubSpotLatchesResource) read(
	ctx context.Context, recorded customers.Fingerprint, rows *setRows, isExclusive bool,
) (all map[int64]fusebill.Latch, isChanged bool, diags diag.Diagnostics) {
	ids := rows.customers()
	account := r.data.account
	err := account.beforeRead(ctx, recorded, firstOf(ids))
	var missing []int64
	if err == nil && len(ids) > largeSet {
		missing, err = account.missingSample(ctx, ids)
	}
	if len(missing) > 0 && err == nil {
		err = account.afterRead(ctx, recorded, missing[0], false, false)
	}
	var current map[int64]fusebill.Latch
	var gone []int64
	if err == nil {
		current, gone, err = r.readLatches(ctx, ids)
	}
	if err == nil && len(ids) > 0 {
		isAsInState := !slices.ContainsFunc(ids, func(id int64) bool { return current[id] != rows.latches[id] })
		err = account.afterRead(ctx, recorded, ids[0], len(gone) < len(ids), isAsInState)
	}
	if err == nil && isExclusive {
		all, err = r.latched(ctx)
	}
	if err != nil {
		return nil, false, diag.Diagnostics{setError("read the HubSpot latches", err)}
	}
	for _, id := range ids {
		if now := current[id]; now != rows.latches[id] {
			rows.put(id, now)
			isChanged = true
		}
	}
	if len(gone) > 0 {
		diags.AddWarning("Fusebill customer is gone", fmt.Sprintf("The set had %s that no longer exist in the "+
			"account that the API key opens at %s. Their latches leave the state: %s.\n\nIf they should exist, check that the "+
			"API key and base_url are those of their account. If they were deleted, remove them from the configuration.",
			counted(len(gone)), r.data.baseURL, listed(gone)))
	}
	return all, isChanged, diags
}

func (r *hubSpotLatchesResource) Update(
	ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse,
) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var plan, state hubSpotLatchesModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(forgetPlan(ctx, resp.Private)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	declared, diags := plan.declared()
	resp.Diagnostics.Append(diags...)
	prior, diags := state.rows()
	resp.Diagnostics.Append(diags...)
	unlisted, diags := state.unlisted()
	resp.Diagnostics.Append(diags...)
	recorded, diags := recordedAccount(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err := r.data.account.verify(ctx, recorded, prior.customers()); err != nil {
		resp.Diagnostics.Append(setError("update the HubSpot latches", err))
		return
	}
	changes := changesOf(prior, declared, unlisted)
	if plan.removesUnlisted() {
		for id, l := range without(unlisted, declared) {
			changes = append(changes, latch.Change{CustomerID: id, Prior: l, Strict: true})
		}
		sortChanges(changes)
	}
	options := latch.ApplyOptions{
		Reassociate: plan.AllowReassociation.ValueBool(), StallTimeout: declaredTimeout(plan.Timeouts, "update"),
	}
	outcome, diags := r.apply(ctx, "update", changes, declared, options)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(r.finish(ctx, &plan, outcome)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(r.recordAccount(ctx, outcome.rows, resp.Private)...)
}

// apply makes changes and returns their outcome.
func (r *hubSpotLatchesResource) apply(
	ctx context.Context, doing string, changes []latch.Change, declared setRows, options latch.ApplyOptions,
) (setOutcome, diag.Diagnostics) {
	results, err := r.applyChanges(ctx, changes, options)
	outcome := newSetOutcome(doing, len(changes), declared)
	for _, change := range changes {
		if result, begun := results[change.CustomerID]; begun {
			outcome.add(change, result)
		} else {
			outcome.skip(change)
		}
	}
	return outcome, outcome.diagnostics(err)
}

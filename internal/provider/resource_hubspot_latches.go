package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// defaultSetTimeout of an operation on a set fits 100,000 changes at the 1,000 calls a minute of a
// live account.
const defaultSetTimeout = 3 * time.Hour

// awaitOthers is how long a destroy waits for a create of the same customers, as where a set is
// renamed.
const awaitOthers = 5 * time.Second

var (
	_ resource.Resource                   = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithConfigure      = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithImportState    = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithMoveState      = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithValidateConfig = (*hubSpotLatchesResource)(nil)
)

// hubSpotLatchesResource is fusebill_hubspot_latches: the latches of many customers as one
// resource. Terraform's own work grows with the square of the instances, so thousands of latches
// are one instance here, with one read for all and one write for each that changes.
type hubSpotLatchesResource struct {
	data *providerData // nil where the provider is not configured
}

type hubSpotLatchesModel struct {
	HubSpotIDs         types.String   `tfsdk:"hubspot_ids"`         // packed, see protocolLayer
	HubSpotCompanyIDs  types.String   `tfsdk:"hubspot_company_ids"` // packed
	AllowReassociation types.Bool     `tfsdk:"allow_reassociation"`
	Exclusive          types.Bool     `tfsdk:"exclusive"`
	MaxRemovals        types.Int64    `tfsdk:"max_removals"`
	MaxChanges         types.Int64    `tfsdk:"max_changes"`
	Unlisted           types.String   `tfsdk:"unlisted"` // packed
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
}

func newHubSpotLatchesResource() resource.Resource { return &hubSpotLatchesResource{} }

func (r *hubSpotLatchesResource) Metadata(_ context.Context, _ resource.MetadataRequest,
	resp *resource.MetadataResponse) {
	resp.TypeName = latchesType
}

func (r *hubSpotLatchesResource) Configure(_ context.Context, req resource.ConfigureRequest,
	resp *resource.ConfigureResponse) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig checks the maps as a whole: validators on each element would cost more than
// everything else.
func (r *hubSpotLatchesResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest,
	resp *resource.ValidateConfigResponse) {
	var config hubSpotLatchesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	_, diags := config.declared()
	resp.Diagnostics.Append(diags...)
	if config.HubSpotIDs.IsNull() && config.HubSpotCompanyIDs.IsNull() {
		resp.Diagnostics.AddError("HubSpot latch set without latches", "At least one of hubspot_ids and "+
			"hubspot_company_ids must be set. For a set of no customers, write:\n\n  hubspot_ids = {}")
	}
}

// rows returns the rows of a state.
func (m hubSpotLatchesModel) rows() (setRows, diag.Diagnostics) {
	return parseRows(m.HubSpotIDs, m.HubSpotCompanyIDs)
}

// declared returns the rows of a configuration or a plan.
func (m hubSpotLatchesModel) declared() (setRows, diag.Diagnostics) {
	rows, diags := m.rows()
	if !diags.HasError() {
		diags.Append(rows.check()...)
	}
	return rows, diags
}

// unlisted returns the unlisted latches of a state.
func (m hubSpotLatchesModel) unlisted() (map[int64]fusebill.Latch, diag.Diagnostics) {
	latches := make(map[int64]fusebill.Latch)
	if !isKnown(m.Unlisted) {
		return latches, nil
	}
	unpacked, err := unpackStringMap(m.Unlisted.ValueString())
	for key, text := range unpacked.texts() {
		id, isID := parseID(key)
		l, isLatch := parseLatch(text)
		if !isID || !isLatch {
			err = errors.Join(err, fmt.Errorf("%q = %q is not a customer with its latch; this is a bug in the provider", key,
				text))
			continue
		}
		latches[id] = l
	}
	if err != nil {
		return nil, diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root(unlistedAttribute), "Invalid state",
			sentence(err))}
	}
	return latches, nil
}

// setUnlisted is the opposite of unlisted.
func (m *hubSpotLatchesModel) setUnlisted(latches map[int64]fusebill.Latch) {
	texts := stringMap{Known: make(map[string]*string, len(latches))}
	for id, l := range latches {
		text := l.String()
		texts.Known[strconv.FormatInt(id, 10)] = &text
	}
	m.Unlisted = texts.value()
}

// parseLatch is the opposite of [fusebill.Latch.String].
func parseLatch(text string) (l fusebill.Latch, ok bool) {
	for part := range strings.SplitSeq(text, " and ") {
		kind, digits, _ := strings.Cut(part, " ")
		id, isID := parseID(digits)
		switch {
		case isID && kind == string(fusebill.Contact):
			l.HubSpotID = id
		case isID && kind == string(fusebill.Company):
			l.HubSpotCompanyID = id
		default:
			return fusebill.Latch{}, false
		}
	}
	return l, true
}

// Create keeps what it has done even if something fails: the next apply then does only what is
// missing.
func (r *hubSpotLatchesResource) Create(ctx context.Context, req resource.CreateRequest,
	resp *resource.CreateResponse) {
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
	left := r.data.sets.leftTo(declared)
	maps.DeleteFunc(left, func(id int64,
		l fusebill.Latch) bool {
		return l == declared.latches[id]
	}) // The create checks these.
	outcome, diags := r.apply(ctx, "create", changesOf(newSetRows(), declared, left), declared,
		latch.ApplyOptions{Reassociate: plan.AllowReassociation.ValueBool(), StallTimeout: declaredTimeout(plan.Timeouts, "create")})
	resp.Diagnostics.Append(diags...)
	if diags.HasError() && len(outcome.rows.latches) == 0 {
		return // State and an error together taint the resource, and here there is nothing to keep.
	}
	if diags.HasError() {
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, incompleteKey, []byte("true"))...)
	}
	resp.Diagnostics.Append(r.finish(ctx, &plan, outcome)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(r.recordAccount(ctx, outcome.rows, resp.Private)...)
}

// recordAccount writes the fingerprint to private data. A set without rows is of no account.
func (r *hubSpotLatchesResource) recordAccount(ctx context.Context, rows setRows, private privateData) diag.Diagnostics {
	if len(rows.latches) == 0 {
		return nil
	}
	return r.data.account.record(ctx, private)
}

// finish makes a plan the state after its apply.
func (r *hubSpotLatchesResource) finish(ctx context.Context, plan *hubSpotLatchesModel,
	outcome setOutcome) (diags diag.Diagnostics) {
	plan.HubSpotIDs, plan.HubSpotCompanyIDs = outcome.rows.values()
	switch {
	case len(outcome.unlisted) > 0:
		plan.setUnlisted(outcome.unlisted)
	case plan.Unlisted.IsUnknown() && !plan.Exclusive.ValueBool():
		plan.Unlisted = types.StringNull()
	case plan.Unlisted.IsUnknown():
		all, err := r.latched(ctx)
		if err != nil { // An error would taint a set whose latches were all made.
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
		return // The response has the state as it came; writing thousands of elements again is work for nothing.
	}
	state.HubSpotIDs, state.HubSpotCompanyIDs = rows.values()
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// read brings rows to what their customers are latched to, and reports whether that changed any.
// For an exclusive set it returns all latches of the account. Where the account has none of the rows
// as they are, or not all of them, it has to be the recorded one.
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
	if err == nil {
		current, err = r.readLatches(ctx, ids)
	}
	if err == nil && len(current) == 0 && len(ids) > 0 && recorded == nil {
		missing, err = account.missingSample(ctx, ids)
	}
	if err == nil && len(ids) > 0 {
		isAsInState := !slices.ContainsFunc(ids, func(id int64) bool { return current[id] != rows.latches[id] })
		err = account.afterRead(ctx, recorded, ids[0], len(missing) == 0, isAsInState)
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
	return all, isChanged, nil
}

func (r *hubSpotLatchesResource) Update(ctx context.Context, req resource.UpdateRequest,
	resp *resource.UpdateResponse) {
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
	outcome, diags := r.apply(ctx, "update", changes, declared,
		latch.ApplyOptions{Reassociate: plan.AllowReassociation.ValueBool(), StallTimeout: declaredTimeout(plan.Timeouts, "update")})
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(r.finish(ctx, &plan, outcome)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(r.recordAccount(ctx, outcome.rows, resp.Private)...)
}

// Delete releases the rows of the set, and nothing that the set did not list. Where Terraform
// replaces the set, as after a create that ended with errors, rows that the replacement declares
// stay, and the limits hold.
func (r *hubSpotLatchesResource) Delete(ctx context.Context, req resource.DeleteRequest,
	resp *resource.DeleteResponse) {
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
	resp.Diagnostics.Append(forgetPlan(ctx, resp.Private)...) // Where this ends with errors, the private data stays.
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
	outcome, diags := r.apply(ctx, "delete", changes, rows,
		latch.ApplyOptions{AwaitOthers: awaitOthers, StallTimeout: declaredTimeout(state.Timeouts, "delete")})
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
		resp.Diagnostics.AddWarning("HubSpot latches were left in place", "The customers of the set depended on a value "+
			"that was not known before this apply, so its replacement removed nothing. Customers that were in the set and "+
			"are not in it any more stay latched, and no resource manages them: "+listed(rows.customers())+" were in it.")
	}
}

// apply makes changes, and returns their outcome.
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

// changesOf lists what differs, by customer, except for what is not known yet. A row that the prior
// rows do not list may start from a latch that is known otherwise.
func changesOf(prior, declared setRows, known map[int64]fusebill.Latch) []latch.Change {
	var changes []latch.Change
	for id, want := range declared.latches {
		have, isListed := prior.latches[id]
		if !isListed {
			have = known[id]
		}
		if have != want && !declared.mayBePartly(id) {
			changes = append(changes, latch.Change{CustomerID: id, Prior: have, Declared: want})
		}
	}
	for _, id := range prior.missingFrom(declared) {
		changes = append(changes, latch.Change{CustomerID: id, Prior: prior.latches[id]})
	}
	sortChanges(changes)
	return changes
}

func sortChanges(changes []latch.Change) {
	slices.SortFunc(changes, func(a, b latch.Change) int { return cmp.Compare(a.CustomerID, b.CustomerID) })
}

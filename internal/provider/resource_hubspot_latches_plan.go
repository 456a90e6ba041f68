package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// setPlan is the plan of a create or an update of a set.
type setPlan struct {
	object          latch.ObjectPlan
	prior, declared setRows
	known           map[int64]fusebill.Latch // prior latches of customers that the prior rows do not list
	unlisted        map[int64]fusebill.Latch // customers that the set does not list, and that this plan unlatches
	others          map[int64]fusebill.Latch // all latched customers that an exclusive set does not list
	size            changeSize
	reassociate     bool
	isExclusive     bool
}

// ModifyPlan plans the computed attribute, keeps empty values from showing as changes, and checks
// the rows against other resources, the limits and the account. It makes no write.
func (r *hubSpotLatchesResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest,
	resp *resource.ModifyPlanResponse) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	if r.data == nil {
		return // Terraform validates the configuration.
	}
	var plan, state hubSpotLatchesModel
	isCreate := req.State.Raw.IsNull()
	if !isCreate {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	prior, diags := state.rows()
	resp.Diagnostics.Append(diags...)
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(r.planDestroy(ctx, req, resp, prior)...)
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	planTimeouts(ctx, plan.Timeouts, req, resp)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Read, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	declared, diags := plan.declared()
	resp.Diagnostics.Append(diags...)
	object, diags := newObjectPlan(ctx, req, resp)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	p := setPlan{
		object: object, prior: prior, declared: declared, reassociate: plan.AllowReassociation.ValueBool(),
		isExclusive: plan.Exclusive.ValueBool(),
	}
	plan.plan(state, isCreate)
	for attribute, value := range map[string]types.String{
		contactsAttribute: plan.HubSpotIDs, companiesAttribute: plan.HubSpotCompanyIDs, unlistedAttribute: plan.Unlisted,
	} {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	seen, diags := state.unlisted()
	resp.Diagnostics.Append(diags...)
	p.known = seen
	if plan.removesUnlisted() {
		p.unlisted = without(seen, declared)
	}
	p.size = sizeOf(prior, declared, seen)
	p.size.unlisted = sortedKeys(p.unlisted)
	resp.Diagnostics.Append(p.size.warnings()...)
	if state.Exclusive.ValueBool() && !plan.Exclusive.IsUnknown() && !p.isExclusive {
		resp.Diagnostics.Append(noLongerExclusive(sortedKeys(without(seen, declared)))...)
	}
	if p.isExclusive && !declared.unknown {
		resp.Diagnostics.Append(r.findOthers(ctx, &p, !state.Exclusive.ValueBool())...)
	}
	if !plan.MaxRemovals.IsUnknown() && !plan.MaxChanges.IsUnknown() {
		resp.Diagnostics.Append(plan.limits().check(p.size)...)
	}
	if isCreate {
		resp.Diagnostics.Append(newPlannedCreate(declared, plan.limits()).note(ctx, resp.Private)...)
		if before, ok := r.data.sets.resumedBy(declared); ok {
			p.known = before.latches
			resp.Diagnostics.Append(planResumption(plan, before, declared)...)
		}
	}
	resp.Diagnostics.Append(r.noteIntents(ctx, p, resp.Private)...)
	checks, isKeyRefused := r.checkAccount(ctx, p)
	isEmpty := len(prior.latches)+len(declared.latches)+len(p.unlisted) == 0
	// After checkAccount, this needs no further call in most cases.
	if !isEmpty && !isKeyRefused && !resp.Plan.Raw.Equal(req.State.Raw) {
		diags := r.data.account.plan(ctx, req.Private, resp.Private, prior.customers(), func(err error) diag.Diagnostic {
			return setError("plan the HubSpot latches", err)
		})
		if diags.HasError() { // All other diagnostics are about the wrong account.
			resp.Diagnostics = diags
			return
		}
	}
	resp.Diagnostics.Append(checks...)
}

// plan sets the values that the provider plans itself.
func (m *hubSpotLatchesModel) plan(state hubSpotLatchesModel, isCreate bool) {
	m.HubSpotIDs = planMap(m.HubSpotIDs, state.HubSpotIDs)
	m.HubSpotCompanyIDs = planMap(m.HubSpotCompanyIDs, state.HubSpotCompanyIDs)
	m.Unlisted = m.plannedUnlisted(state, isCreate)
}

// planMap returns the prior map if the declared one differs from it in empty elements only, for
// example after an import. Otherwise it returns the declared map. Terraform accepts a planned value
// that differs from the declared one if it is the prior value.
func planMap(declared, prior types.String) types.String {
	if !isKnown(declared) || !isKnown(prior) || declared.Equal(prior) {
		return declared
	}
	want, wantErr := unpackStringMap(declared.ValueString())
	have, haveErr := unpackStringMap(prior.ValueString())
	if wantErr != nil || haveErr != nil || !want.isEquivalentTo(have) {
		return declared
	}
	return prior
}

// plannedUnlisted plans the attribute unlisted. An update of an exclusive set empties it, so the
// plan shows the latches that it removes. A set that was not exclusive before has nothing to show,
// so its apply only records the latches. If it is not known yet whether the set stays exclusive,
// the plan also empties the attribute: it may show too many removals, but never too few.
func (m *hubSpotLatchesModel) plannedUnlisted(state hubSpotLatchesModel, isCreate bool) types.String {
	none := stringMap{Known: map[string]*string{}}.value()
	mayBeExclusive := m.Exclusive.IsUnknown() || m.Exclusive.ValueBool()
	switch {
	case !isCreate && state.Exclusive.ValueBool():
		return none
	case mayBeExclusive:
		return types.StringUnknown()
	case isCreate || state.Unlisted.IsNull():
		return types.StringNull()
	default:
		return none
	}
}

// removesUnlisted reports whether the plan removes the latches that the prior state shows as
// unlisted.
func (m *hubSpotLatchesModel) removesUnlisted() bool {
	return m.Exclusive.ValueBool() && isKnown(m.Unlisted)
}

// without returns the latches of the customers that rows do not list.
func without(latches map[int64]fusebill.Latch, rows setRows) map[int64]fusebill.Latch {
	rest := maps.Clone(latches)
	maps.DeleteFunc(rest, func(id int64, _ fusebill.Latch) bool { return rows.lists(id) })
	return rest
}

// findOthers finds the latched customers that an exclusive set does not list. If the set becomes
// exclusive in this plan, Terraform has no prior value to show, so a warning lists them.
func (r *hubSpotLatchesResource) findOthers(ctx context.Context, p *setPlan, isNew bool) diag.Diagnostics {
	all, err := r.latched(ctx)
	if errors.Is(err, customers.ErrAccountUnread) {
		return diag.Diagnostics{setError("find the latches of other customers", err)}
	}
	if err != nil {
		return diag.Diagnostics{uncheckedPlan(setError("find the latches of other customers", err))}
	}
	p.others = without(all, p.declared)
	if !isNew || len(p.others) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("exclusive"), "Other customers are latched",
		fmt.Sprintf("This set becomes exclusive, and it does not list %s that the account has latched: %s.\n\nThis apply "+
			"leaves them alone and records their latches in unlisted. The next plan removes them, within max_removals.",
			counted(len(p.others)), listed(sortedKeys(p.others))))}
}

// noLongerExclusive explains that unlisted latches stay. The plan shows them as removed, because it
// empties the attribute.
func noLongerExclusive(customerIDs []int64) diag.Diagnostics {
	if len(customerIDs) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("exclusive"),
		"Unlisted HubSpot latches stay as they are",
		"The set is no longer exclusive, so it does not remove the latches of customers that it does not list. They are "+
			listed(customerIDs)+".")}
}

// planDestroy plans the destroy of a set.
func (r *hubSpotLatchesResource) planDestroy(
	ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, prior setRows,
) diag.Diagnostics {
	object, diags := newObjectPlan(ctx, req, resp)
	object.Intents = destroyIntents(prior)
	if ids := prior.customers(); len(ids) > 0 {
		diags.AddWarning("HubSpot latches will be removed", fmt.Sprintf("The destroy of this set unlatches %s, except for "+
			"those that another resource of the same apply declares: %s.", counted(len(ids)), listed(ids)))
	}
	guarded := r.data.account.plan(ctx, req.Private, resp.Private, prior.customers(), func(err error) diag.Diagnostic {
		return setError("plan to remove the HubSpot latches", err)
	})
	if guarded.HasError() {
		return guarded
	}
	return append(diags, r.note(ctx, object, resp.Private, "plan to remove", prior)...)
}

// note records the intents of the set. It returns an error for each row that contradicts another
// object, on the path of the row.
func (r *hubSpotLatchesResource) note(
	ctx context.Context, object latch.ObjectPlan, planned privateData, doing string, rows setRows,
) diag.Diagnostics {
	failed := faultList{summary: "HubSpot latches are also declared elsewhere"}
	var diags diag.Diagnostics
	for _, d := range r.data.note(ctx, object, planned, func(c latch.Conflict) diag.Diagnostic {
		change := latch.Change{CustomerID: c.Intent.CustomerID, Declared: c.Intent.Declared}
		d := rowError(doing, change, c.Err)
		if exclusive := (*latch.ExclusiveError)(nil); errors.As(c.Err, &exclusive) && object.IsExclusive {
			failed.addDiagnostic(path.Root("exclusive"), d)
		} else {
			failed.addDiagnostic(rowPath(rows, change.CustomerID, d), d)
		}
		return nil
	}) {
		if d != nil {
			diags.Append(d)
		}
	}
	return append(diags, failed.errors()...)
}

// planResumption explains the plan of a create that continues a create which ended with errors.
func planResumption(plan hubSpotLatchesModel, before, declared setRows) diag.Diagnostics {
	size := sizeOf(before, declared, nil)
	what := fmt.Sprintf("The last create of this set ended with errors, so Terraform plans to replace the set. The "+
		"replacement continues where that create ended. It keeps the latches that are still declared, and does not change "+
		"customers that the set never listed. The state has %s.", counted(size.prior))
	switch {
	case declared.unknown:
		what += "\nIt removes no latch, because the rows are not known yet."
	case len(size.removed) == 0:
		what += "\nIt removes no latch."
	}
	if text := size.String(); text != "" {
		what += "\n" + text
	}
	return append(diag.Diagnostics{diag.NewWarningDiagnostic("HubSpot latch set is resumed", what)},
		plan.limits().check(size)...)
}

// noteIntents records the intents of the plan. It returns an error for each that contradicts
// another object.
func (r *hubSpotLatchesResource) noteIntents(ctx context.Context, p setPlan, planned privateData) diag.Diagnostics {
	p.object.Intents, p.object.IsExclusive = p.rowIntents(), p.isExclusive && !p.declared.unknown
	return r.note(ctx, p.object, planned, "plan", p.declared)
}

// checkAccount warns about latches of the account that conflict with the plan. They may change
// until the apply, which checks again. After a refused key the caller must make no further call,
// because each one is another failed login, and many of them may lock the account.
func (r *hubSpotLatchesResource) checkAccount(ctx context.Context, p setPlan) (_ diag.Diagnostics, isKeyRefused bool) {
	changes := slices.DeleteFunc(changesOf(p.prior, p.declared, p.known),
		func(c latch.Change) bool { return c.Declared.IsZero() })
	var missing []int64
	var err error
	if len(changes) > 1 && len(changes) == len(p.declared.latches) {
		missing, err = r.data.account.missingSample(ctx, p.declared.customers())
	}
	switch {
	case len(missing) > 0 && !r.data.account.isProved(ctx):
		return diag.Diagnostics{wrongAccount(missing, len(changes), r.data.baseURL)}, false
	case len(missing) > 0 && len(changes) > len(missing): // To look up each would take too many calls.
		d := wrongAccount(missing, len(changes), r.data.baseURL)
		return diag.Diagnostics{diag.NewWarningDiagnostic(d.Summary(), d.Detail())}, false
	}
	var findings []latch.Finding
	if err == nil {
		findings, err = r.data.checker.Check(ctx, changes, p.reassociate)
	}
	switch {
	case fusebill.IsKeyRefused(err):
		return diag.Diagnostics{setError("plan the HubSpot latches", err)}, true
	case err != nil:
		return diag.Diagnostics{uncheckedPlan(setError("plan the HubSpot latches", err))}, false
	}
	stopped := faultList{summary: "HubSpot latches cannot be applied as they are now"}
	held := faultList{summary: "HubSpot contacts or companies are latched to other customers"}
	for _, finding := range findings {
		change := finding.Change
		for _, err := range finding.Errors() {
			d := rowError("plan", change, err)
			at := rowPath(p.declared, change.CustomerID, d)
			stopped.addDiagnostic(at, laterWarning(d, at))
		}
		for _, warning := range heldWarnings(change.CustomerID, p.foreign(finding.Held), p.reassociate) {
			held.addDiagnostic(rowPath(p.declared, change.CustomerID, warning), warning)
		}
	}
	adopted := r.data.adoptedWarning(ctx, findings, r.data.sets.leftTo(p.declared))
	return slices.Concat(adopted, stopped.warnings(), held.warnings()), false
}

// foreign returns the holdings of customers other than the unlisted ones that this plan unlatches.
func (p setPlan) foreign(held []latch.Holding) []latch.Holding {
	return slices.DeleteFunc(held, func(h latch.Holding) bool {
		_, isUnlisted := p.unlisted[h.Holder]
		return isUnlisted
	})
}

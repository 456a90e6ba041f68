package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// defaultTimeout is the default time limit of an operation. It is long, because an operation in a
// large apply may wait for the quota of the next minute many times.
const defaultTimeout = 20 * time.Minute

var (
	_ resource.Resource                     = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithConfigure        = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithConfigValidators = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithIdentity         = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithImportState      = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithModifyPlan       = (*hubSpotLatchResource)(nil)
)

// hubSpotLatchResource implements fusebill_hubspot_latch, the latch of one customer.
type hubSpotLatchResource struct {
	data *providerData // nil if the provider is not configured
}

// hubSpotLatchModel is the state of the resource. It holds no value that can be derived from
// others, because Terraform writes the whole state file again after each instance.
type hubSpotLatchModel struct {
	FusebillID         types.String   `tfsdk:"fusebill_id"`
	HubSpotID          types.String   `tfsdk:"hubspot_id"`
	HubSpotCompanyID   types.String   `tfsdk:"hubspot_company_id"`
	AllowReassociation types.Bool     `tfsdk:"allow_reassociation"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
}

// hubSpotLatchIdentity identifies a latch by its customer only. An identity must not change, and
// the HubSpot IDs may change.
type hubSpotLatchIdentity struct {
	FusebillID types.String `tfsdk:"fusebill_id"`
}

func newHubSpotLatchResource() resource.Resource { return &hubSpotLatchResource{} }

func (r *hubSpotLatchResource) Metadata(
	_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse,
) {
	resp.TypeName = req.ProviderTypeName + "_hubspot_latch"
}

func (r *hubSpotLatchResource) Configure(
	_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse,
) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

// Create sets the state only after the latch was made as planned. A state and an error together
// would taint the resource, and the next apply would unlatch the customer.
func (r *hubSpotLatchResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var plan hubSpotLatchModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Create, defaultTimeout, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	id, declared := idIn(plan.FusebillID), plan.latch()
	change := latch.Change{CustomerID: id, Declared: declared}
	options := latch.ApplyOptions{
		Reassociate: plan.AllowReassociation.ValueBool(), StallTimeout: declaredTimeout(plan.Timeouts, "create"),
	}
	if _, err := r.apply(ctx, change, options); err != nil {
		resp.Diagnostics.Append(attempt{"create the HubSpot latch of", id, declared}.diagnostic(err))
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(plan.setIdentity(ctx, resp.Identity)...)
	resp.Diagnostics.Append(forgetPlan(ctx, resp.Private)...)
	resp.Diagnostics.Append(r.data.account.record(ctx, resp.Private)...)
}

// Read removes the resource from the state only if the customer's own record shows no latch, or if
// the service answers that the customer does not exist.
func (r *hubSpotLatchResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var state hubSpotLatchModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	// The identity is set before the call, because Terraform requires one for every resource, also
	// for one that turns out not to exist any more.
	resp.Diagnostics.Append(state.setIdentity(ctx, resp.Identity)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Read, defaultTimeout, &resp.Diagnostics)
	defer cancel()
	recorded, diags := recordedAccount(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := idIn(state.FusebillID)
	current, gone, err := r.read(ctx, recorded, id, state.latch())
	switch latched := current[id]; {
	case err != nil:
		resp.Diagnostics.Append(attempt{doing: "read the HubSpot latch of", customerID: id}.diagnostic(err))
	case len(gone) > 0:
		resp.Diagnostics.AddWarning("Fusebill customer is gone", fmt.Sprintf("Customer %d no longer exists in the account "+
			"that the API key opens at %s, so its HubSpot latch leaves the state.\n\nIf the customer should exist, check that "+
			"the API key and base_url are those of its account. If it was deleted, remove its latch from the configuration.",
			id, r.data.baseURL))
		resp.State.RemoveResource(ctx)
	case latched.IsZero():
		tflog.Info(ctx, "removing the latch from the state, because the customer is no longer latched",
			map[string]any{"fusebill_id": id})
		resp.State.RemoveResource(ctx)
	default:
		resp.Diagnostics.Append(r.data.observe(ctx, resp.Private, id)...)
		if recorded == nil {
			resp.Diagnostics.Append(r.data.account.recordKnown(ctx, resp.Private)...)
		}
		state.setLatch(latched)
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	}
}

// read reads the customer of a state. If the customer is not latched as in the state, read returns
// an error if the account may be another one, see [accountGuard.afterRead].
func (r *hubSpotLatchResource) read(
	ctx context.Context, recorded customers.Fingerprint, id int64, prior fusebill.Latch,
) (current map[int64]fusebill.Latch, gone []int64, err error) {
	if err := r.data.account.beforeRead(ctx, recorded, id); err != nil {
		return nil, nil, err
	}
	current, gone, err = r.data.reader.Managed(ctx, []int64{id})
	if err != nil {
		return nil, nil, err
	}
	// After an import, the state has no HubSpot IDs yet.
	isAsInState := len(gone) == 0 && (current[id] == prior || prior.IsZero())
	return current, gone, r.data.account.afterRead(ctx, recorded, id, len(gone) == 0, isAsInState)
}

func (r *hubSpotLatchResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var plan, state hubSpotLatchModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, defaultTimeout, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	id, declared := idIn(plan.FusebillID), plan.latch()
	attempted := attempt{"update the HubSpot latch of", id, declared}
	recorded, diags := recordedAccount(ctx, req.Private)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	if err := r.data.account.verify(ctx, recorded, []int64{id}); err != nil {
		resp.Diagnostics.Append(attempted.diagnostic(err))
		return
	}
	change := latch.Change{CustomerID: id, Prior: state.latch(), Declared: declared}
	options := latch.ApplyOptions{
		Reassociate: plan.AllowReassociation.ValueBool(), StallTimeout: declaredTimeout(plan.Timeouts, "update"),
	}
	if _, err := r.apply(ctx, change, options); err != nil {
		resp.Diagnostics.Append(attempted.diagnostic(err))
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(plan.setIdentity(ctx, resp.Identity)...)
	resp.Diagnostics.Append(forgetPlan(ctx, resp.Private)...)
	resp.Diagnostics.Append(r.data.account.record(ctx, resp.Private)...)
}

func (r *hubSpotLatchResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var state hubSpotLatchModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Delete, defaultTimeout, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	id := idIn(state.FusebillID)
	spared, diags := sparedBy(ctx, req.Private)
	recorded, recordedDiags := recordedAccount(ctx, req.Private)
	diags.Append(recordedDiags...)
	resp.Diagnostics.Append(diags...)
	if spared[id] {
		resp.Diagnostics.Append(sparedWarning([]int64{id}))
	}
	if diags.HasError() || spared[id] {
		return
	}
	if err := r.data.account.verify(ctx, recorded, []int64{id}); err != nil {
		resp.Diagnostics.Append(attempt{doing: "delete the HubSpot latch of", customerID: id}.diagnostic(err))
		return
	}
	options := latch.ApplyOptions{StallTimeout: declaredTimeout(state.Timeouts, "delete")}
	left, err := r.apply(ctx, latch.Change{CustomerID: id, Prior: state.latch()}, options)
	if err != nil {
		resp.Diagnostics.Append(attempt{doing: "delete the HubSpot latch of", customerID: id}.diagnostic(err))
		return
	}
	switch {
	case left.Kept:
		// One warning covers all latches that were kept. Terraform does not combine the warnings of
		// destroys, and one apply may rename thousands of resources.
		r.data.warnOfKept.Do(func() { resp.Diagnostics.Append(notRemovedWarning(id, state.latch(), left)) })
	case !left.Latch.IsZero():
		resp.Diagnostics.Append(notRemovedWarning(id, state.latch(), left))
	}
}

// apply makes the change of one customer.
func (r *hubSpotLatchResource) apply(
	ctx context.Context, change latch.Change, options latch.ApplyOptions,
) (latch.Result, error) {
	results, err := r.data.apply(ctx, []latch.Change{change}, options)
	if err == nil {
		err = results[change.CustomerID].Err
	}
	return results[change.CustomerID], err
}

// notRemovedWarning explains why a destroy has not removed the latch of a customer. The state has
// the prior latch.
func notRemovedWarning(customerID int64, prior fusebill.Latch, result latch.Result) diag.Diagnostic {
	if result.Kept {
		return diag.NewWarningDiagnostic("HubSpot latch was kept", fmt.Sprintf("Customer %d stays latched to %s, because "+
			"another resource of the same apply declares this latch. The same is true of every other latch that this apply "+
			"both destroys and declares.\n\nIf the resource was replaced, there is nothing to do. If it was renamed, a moved "+
			"block renames it without a destroy.", customerID, prior))
	}
	return diag.NewWarningDiagnostic("Another HubSpot latch was left in place", fmt.Sprintf("Customer %d was "+
		"latched to %s by this resource, and is latched to %s now. The resource did not make that latch, so the latch stays "+
		"as it is.", customerID, prior, result.Latch))
}

// latch returns the latch of the model, whose IDs must be known.
func (m hubSpotLatchModel) latch() fusebill.Latch {
	return fusebill.Latch{
		HubSpotID:        idIn(m.HubSpotID),
		HubSpotCompanyID: idIn(m.HubSpotCompanyID),
	}
}

func (m *hubSpotLatchModel) setLatch(l fusebill.Latch) {
	m.HubSpotID = idOrNull(l.HubSpotID)
	m.HubSpotCompanyID = idOrNull(l.HubSpotCompanyID)
}

// setIdentity sets the identity. Every operation calls it, because a state that an older CLI wrote
// has no identity, and newer CLIs require one.
func (m hubSpotLatchModel) setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.Set(ctx, hubSpotLatchIdentity{FusebillID: m.FusebillID})
}

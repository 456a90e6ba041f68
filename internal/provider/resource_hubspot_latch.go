package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// defaultTimeout of an operation leaves room for waits for the minute's quota, which a large apply has many of.
const defaultTimeout = 20 * time.Minute

var (
	_ resource.Resource                     = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithConfigure        = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithConfigValidators = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithIdentity         = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithImportState      = (*hubSpotLatchResource)(nil)
	_ resource.ResourceWithModifyPlan       = (*hubSpotLatchResource)(nil)
)

// hubSpotLatchResource is fusebill_hubspot_latch: the latch of one customer.
type hubSpotLatchResource struct {
	data *providerData // nil where the provider is not configured
}

// hubSpotLatchModel is its state. Terraform rewrites the whole state file after every instance, so nothing is in it that
// can be derived.
type hubSpotLatchModel struct {
	FusebillID         types.String   `tfsdk:"fusebill_id"`
	HubSpotID          types.String   `tfsdk:"hubspot_id"`
	HubSpotCompanyID   types.String   `tfsdk:"hubspot_company_id"`
	AllowReassociation types.Bool     `tfsdk:"allow_reassociation"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
}

// hubSpotLatchIdentity holds the customer alone: an identity must not change, and the HubSpot IDs do.
type hubSpotLatchIdentity struct {
	FusebillID types.String `tfsdk:"fusebill_id"`
}

func newHubSpotLatchResource() resource.Resource { return &hubSpotLatchResource{} }

func (r *hubSpotLatchResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_hubspot_latch"
}

func (r *hubSpotLatchResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"fusebill_id": identityschema.StringAttribute{
				Description:       "ID of the Fusebill customer." + idNote,
				RequiredForImport: true,
			},
		},
	}
}

func (r *hubSpotLatchResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Latches one Fusebill customer to one HubSpot contact, one HubSpot company, or both.",
		Attributes: map[string]schema.Attribute{
			"fusebill_id": schema.StringAttribute{
				MarkdownDescription: "ID of the Fusebill customer." + idNote + " A change replaces the resource, because another customer " +
					"is another latch.",
				Required:      true,
				Validators:    []validator.String{idValidator{idOfCustomer}},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"hubspot_id": schema.StringAttribute{
				MarkdownDescription: "ID of the HubSpot contact (its visitor ID, vid)." + idNote + " Without it, the customer is latched to no " +
					"contact. At least one of `hubspot_id` and `hubspot_company_id` must be set.",
				Optional:   true,
				Validators: []validator.String{idValidator{idOfContact}},
			},
			"hubspot_company_id": schema.StringAttribute{
				MarkdownDescription: "ID of the HubSpot company." + idNote + " Without it, the customer is latched to no company.",
				Optional:            true,
				Validators:          []validator.String{idValidator{idOfCompany}},
			},
			"allow_reassociation": schema.BoolAttribute{
				MarkdownDescription: "Set it to `true` to take a contact or company from the customer that holds it, and to change the latch of " +
					"a customer that is latched to something else. The other customer keeps its other ID. Default: `false`, which refuses both.",
				Optional: true,
			},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create: true, Read: true, Update: true, Delete: true,
				CreateDescription: timeoutDescription("creating the latch"),
				ReadDescription:   timeoutDescription("reading the latch"),
				UpdateDescription: timeoutDescription("changing the latch"),
				DeleteDescription: timeoutDescription("removing the latch"),
			}),
		},
	}
}

func timeoutDescription(doing string) string {
	return "How long " + doing + " may take, waits for the rate limit included, as a duration such as \"90s\" or \"5m\". Default: 20 minutes."
}

func (r *hubSpotLatchResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = dataFrom(req.ProviderData, &resp.Diagnostics)
}

func (r *hubSpotLatchResource) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{
		resourcevalidator.AtLeastOneOf(path.MatchRoot("hubspot_id"), path.MatchRoot("hubspot_company_id")),
	}
}

// Create sets state only once the latch is sure to be as planned: state and an error together would taint the resource,
// and the next apply would unlatch the customer.
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

// Read removes the resource from state only where the customer's own record says that there is no latch, or the service
// that there is no customer.
func (r *hubSpotLatchResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var state hubSpotLatchModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	// Before the call: Terraform wants an identity even of a resource that turns out to be gone.
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
		resp.Diagnostics.AddWarning("Fusebill customer is gone", fmt.Sprintf("Customer %d no longer exists in the account that the "+
			"API key opens at %s, so its HubSpot latch leaves the state.\n\nIf it should exist, check that the API key and base_url "+
			"are those of its account. If it was deleted, remove its latch from the configuration.", id, r.data.baseURL))
		resp.State.RemoveResource(ctx)
	case latched.IsZero():
		tflog.Info(ctx, "the customer is no longer latched: removing the latch from the state", map[string]any{"fusebill_id": id})
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

// read reads the customer of a state, and makes sure that the account is the recorded one where the
// customer is not latched as the state has it.
func (r *hubSpotLatchResource) read(ctx context.Context, recorded customers.Fingerprint, id int64, prior fusebill.Latch) (
	current map[int64]fusebill.Latch, gone []int64, err error) {
	if err := r.data.account.beforeRead(ctx, recorded, id); err != nil {
		return nil, nil, err
	}
	current, gone, err = r.data.reader.Managed(ctx, []int64{id})
	if err != nil {
		return nil, nil, err
	}
	isAsInState := len(gone) == 0 && (current[id] == prior || prior.IsZero()) // An import has no IDs yet.
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
		// Terraform does not fold warnings of destroys, and thousands of resources may be renamed at once.
		r.data.warnOfKept.Do(func() { resp.Diagnostics.Append(leftInPlace(id, state.latch(), left)) })
	case !left.Latch.IsZero():
		resp.Diagnostics.Append(leftInPlace(id, state.latch(), left))
	}
}

// apply makes the change of one customer.
func (r *hubSpotLatchResource) apply(ctx context.Context, change latch.Change, options latch.ApplyOptions) (latch.Result, error) {
	results, err := r.data.apply(ctx, []latch.Change{change}, options)
	if err == nil {
		err = results[change.CustomerID].Err
	}
	return results[change.CustomerID], err
}

// leftInPlace tells of a latch that wasn't a resource's to remove.
func leftInPlace(customerID int64, held fusebill.Latch, left latch.Result) diag.Diagnostic {
	if left.Kept {
		return diag.NewWarningDiagnostic("HubSpot latch was kept", fmt.Sprintf("Customer %d stays latched to %s: another object of the same "+
			"apply declares that latch. The same holds for all others that this apply destroys and declares.\n\nWhere resources were "+
			"replaced, there is nothing to do. Where they were renamed, a moved block renames them without a destroy.",
			customerID, held))
	}
	return diag.NewWarningDiagnostic("Another HubSpot latch was left in place", fmt.Sprintf("Customer %d was latched to %s by this resource, "+
		"and is latched to %s now. That isn't this resource's to remove, and was left as it is.", customerID, held, left.Latch))
}

// ImportState takes the customer's ID, as the import command and import blocks give it, or the identity.
func (r *hubSpotLatchResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	id, diags := importedCustomer(ctx, req)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	customer, err := r.data.reader.Customer(ctx, id)
	switch current := customers.LatchOf(customer); {
	case err != nil:
		resp.Diagnostics.Append(attempt{doing: "import the HubSpot latch of", customerID: id}.diagnostic(err))
	case current.IsZero():
		resp.Diagnostics.AddError("Customer isn't latched", fmt.Sprintf("Customer %d exists and is latched to nothing in HubSpot, so there is "+
			"nothing to import.\n\nTo latch it, declare the resource and apply without an import. To import another one, give the ID of a "+
			"customer that is latched.", id))
	default:
		// Terraform reads the resource right after this, which fills in the rest.
		imported := hubSpotLatchModel{FusebillID: idOrNull(id)}
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("fusebill_id"), imported.FusebillID)...)
		resp.Diagnostics.Append(imported.setIdentity(ctx, resp.Identity)...)
		resp.Diagnostics.Append(r.data.account.record(ctx, resp.Private)...)
	}
}

// importedCustomer returns the customer of an import, by ID or by identity.
func importedCustomer(ctx context.Context, req resource.ImportStateRequest) (int64, diag.Diagnostics) {
	var diags diag.Diagnostics
	text := req.ID
	if req.ID == "" && req.Identity != nil && !req.Identity.Raw.IsNull() {
		var identity hubSpotLatchIdentity
		diags.Append(req.Identity.Get(ctx, &identity)...)
		text = identity.FusebillID.ValueString()
	}
	if fault := idFault(text, idOfCustomer); fault != "" && !diags.HasError() {
		diags.AddError("Invalid import ID", fault)
	}
	id, _ := parseID(text)
	return id, diags
}

// latch is the model's latch; its attributes are known.
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

// setIdentity sets the identity in every operation, since one that older versions or CLIs left out is wanted later.
func (m hubSpotLatchModel) setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.Set(ctx, hubSpotLatchIdentity{FusebillID: m.FusebillID})
}

// timedOutError ends an operation that its timeouts block bounds.
type timedOutError struct {
	limit time.Duration
}

func (e *timedOutError) Error() string {
	return fmt.Sprintf("the timeout of %s for this operation is over", e.limit)
}

// Is makes it what the context's own error is, which code below this package looks for.
func (*timedOutError) Is(target error) bool { return target == context.DeadlineExceeded }

// withTimeout bounds an operation as its timeouts block says.
func withTimeout(
	ctx context.Context,
	timeout func(context.Context, time.Duration) (time.Duration, diag.Diagnostics),
	byDefault time.Duration,
	diags *diag.Diagnostics,
) (context.Context, context.CancelFunc) {
	// The library says so of every resource without a timeouts block, at the level at which waits are told.
	quiet := tflog.OmitLogWithMessageStrings(ctx, "timeout configuration not found")
	limit, timeoutDiags := timeout(quiet, byDefault)
	diags.Append(timeoutDiags...)
	return context.WithTimeoutCause(ctx, limit, &timedOutError{limit})
}

// declaredTimeout returns the timeout of an operation that the configuration declares, and 0 where
// it declares none.
func declaredTimeout(t timeouts.Value, operation string) time.Duration {
	text, _ := t.Attributes()[operation].(types.String)
	timeout, err := time.ParseDuration(text.ValueString())
	if err != nil {
		return 0
	}
	return timeout
}

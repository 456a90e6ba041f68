package provider

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

const (
	// defaultSetTimeout of an operation on a set fits 100,000 changes at the 1,000 calls a minute of a live account.
	defaultSetTimeout = 3 * time.Hour
	// defaultMaxRemovals keeps an exclusive set, which removes what others have latched, from removing much by mistake.
	defaultMaxRemovals = 10
	// progressEvery is how often a long apply says how far it is.
	progressEvery = 10 * time.Second
)

var (
	_ resource.Resource                   = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithConfigure      = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithImportState    = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*hubSpotLatchesResource)(nil)
	_ resource.ResourceWithValidateConfig = (*hubSpotLatchesResource)(nil)
)

// hubSpotLatchesResource is fusebill_hubspot_latches: the latches of many customers as one resource. Terraform's own work
// grows with the square of the instances, so thousands of latches are one instance here, with one read for all and one
// write for each that changes.
type hubSpotLatchesResource struct {
	keeper *latch.Keeper
}

type hubSpotLatchesModel struct {
	Latches            types.String   `tfsdk:"latches"` // packed
	AllowReassociation types.Bool     `tfsdk:"allow_reassociation"`
	Exclusive          types.Bool     `tfsdk:"exclusive"`
	MaxRemovals        types.Int64    `tfsdk:"max_removals"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
}

func newHubSpotLatchesResource() resource.Resource { return &hubSpotLatchesResource{} }

func (r *hubSpotLatchesResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = latchesType
}

func (r *hubSpotLatchesResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Latches many Fusebill customers, hundreds to tens of thousands, as one resource: one read for all of them, " +
			"and one call for each that changes.",
		Attributes: map[string]schema.Attribute{
			// A map to Terraform: see packingServer.
			latchesAttribute: schema.StringAttribute{
				MarkdownDescription: "The latch of each customer, by the customer's ID: an object of `hubspot_id`, the ID of the HubSpot contact " +
					"(its visitor ID, vid), and `hubspot_company_id`, the ID of the HubSpot company. Both are written always, as numbers or " +
					"their texts; `null` and the empty text stand for none, and one of the two must be set. The resource owns the customers that " +
					"are listed here, and no others.",
				Required: true,
			},
			"allow_reassociation": schema.BoolAttribute{
				MarkdownDescription: "Whether a contact or company that a customer outside this map holds is taken from it, and a customer that " +
					"is latched to something else is latched anew. The other customer keeps its other ID. Moves within the map need no " +
					"permission. Default: `false`, which refuses both.",
				Optional: true,
			},
			"exclusive": schema.BoolAttribute{
				MarkdownDescription: "Whether this map is all that the account may have latched: other latches show as drift and are removed, " +
					"at most `max_removals` in one apply. Default: `false`, which leaves other customers alone.",
				Optional: true,
			},
			"max_removals": schema.Int64Attribute{
				MarkdownDescription: "How many customers one plan may remove from the map, 0 or more; a plan that removes more is refused. " +
					"Default: `10` with `exclusive`, no limit without.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.AtLeast(0)},
			},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create: true, Read: true, Update: true, Delete: true,
				CreateDescription: setTimeoutDescription("creating the latches"),
				ReadDescription:   setTimeoutDescription("reading the latches"),
				UpdateDescription: setTimeoutDescription("changing the latches"),
				DeleteDescription: setTimeoutDescription("removing the latches"),
			}),
		},
	}
}

func setTimeoutDescription(doing string) string {
	return "How long " + doing + " may take, waits for the rate limit included, as a duration such as \"30m\" or \"2h\". Default: 3 hours."
}

func (r *hubSpotLatchesResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.keeper = keeperFrom(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig checks the map as a whole: validators on each element would cost more than everything else.
func (r *hubSpotLatchesResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config hubSpotLatchesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || config.Latches.IsUnknown() {
		return
	}
	declared, diags := parseLatchMap(config.Latches)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(claimedTwice(declared)...)
}

// claimedTwice refuses two customers of one map that claim the same contact or company.
func claimedTwice(m latchMap) diag.Diagnostics {
	var faults elementFaults
	holders := make(map[latch.Claim]int64)
	for _, id := range slices.Sorted(maps.Keys(m.latches)) {
		for _, claim := range latch.ClaimsOf(m.latches[id]) {
			if other, ok := holders[claim]; ok {
				faults.add(strconv.FormatInt(id, 10), attributeOf(claim), fmt.Sprintf("HubSpot %s is also declared for customer %d. "+
					"Only one customer may hold a contact or a company.", claim, other))
				continue
			}
			holders[claim] = id
		}
	}
	return faults.diagnostics("HubSpot contact or company is declared twice")
}

func (r *hubSpotLatchesResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan hubSpotLatchesModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(forgetPlan(ctx, resp.Private)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Create, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.apply(ctx, "create", latchMap{}, &plan)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *hubSpotLatchesResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state hubSpotLatchesModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Read, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	held, diags := parseLatchMap(state.Latches)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	current, err := r.keeper.ReadSet(ctx, slices.Collect(maps.Keys(held.latches)))
	if err == nil && state.Exclusive.ValueBool() {
		err = r.addOthers(ctx, current)
	}
	if err != nil {
		resp.Diagnostics.Append(setError("read", err))
		return
	}
	changed := false
	for id := range held.latches {
		changed = changed || current[id] != held.latches[id]
		held.set(id, current[id])
	}
	for id, other := range current {
		changed = changed || held.latches[id] != other
		held.set(id, other)
	}
	if !changed {
		return // The response holds the state as it came; writing thousands of elements again is work for nothing.
	}
	state.Latches = held.value()
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// addOthers adds what else the account has latched.
func (r *hubSpotLatchesResource) addOthers(ctx context.Context, current map[int64]fusebill.Latch) error {
	all, err := r.keeper.Latched(ctx)
	maps.Copy(current, all)
	return err
}

func (r *hubSpotLatchesResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state hubSpotLatchesModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(forgetPlan(ctx, resp.Private)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	held, diags := parseLatchMap(state.Latches)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.apply(ctx, "update", held, &plan)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// Delete releases what the set holds. Where Terraform replaces the set, as after a create that ended with errors, what the
// replacement declares stays as it is, so that the create after this goes on where the last one ended.
func (r *hubSpotLatchesResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state hubSpotLatchesModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := withTimeout(ctx, state.Timeouts.Delete, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	held, diags := parseLatchMap(state.Latches)
	resp.Diagnostics.Append(diags...)
	replaced, diags := declaredByReplacement(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	for _, id := range replaced {
		held.set(id, fusebill.Latch{})
	}
	rest := hubSpotLatchesModel{Latches: types.StringValue(latchTexts{}.pack())}
	resp.Diagnostics.Append(r.apply(ctx, "delete", held, &rest)...)
	if resp.Diagnostics.HasError() {
		state.Latches = rest.Latches
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	}
}

// apply makes what is held what is planned, and the plan what has come of it.
func (r *hubSpotLatchesResource) apply(ctx context.Context, doing string, held latchMap, plan *hubSpotLatchesModel) diag.Diagnostics {
	declared, diags := parseLatchMap(plan.Latches)
	diags.Append(claimedTwice(declared)...)
	if diags.HasError() {
		plan.Latches = held.value()
		return diags
	}
	changes := changesOf(held, declared)
	results, err := r.keeper.ApplySet(ctx, changes, plan.AllowReassociation.ValueBool(), progressLog(ctx))
	if err != nil {
		plan.Latches = held.value()
		diags.Append(setError(doing, err))
		return diags
	}
	var faults elementFaults
	for _, change := range changes {
		result := results[change.CustomerID]
		if result.Err == nil {
			diags.Append(leftWarning(change, result)...)
			continue
		}
		declared.set(change.CustomerID, heldOf(change, result))
		failed := attempt{doing + " the HubSpot latch of", change.CustomerID, change.Declared}.diagnostic(result.Err)
		faults.addDiagnostic(inElement(failed, change.CustomerID))
	}
	plan.Latches = declared.value()
	diags.Append(faults.diagnostics("HubSpot latches failed")...)
	return diags
}

// changesOf lists what differs, by customer.
func changesOf(held, declared latchMap) []latch.SetChange {
	var changes []latch.SetChange
	for id, want := range declared.latches {
		if held.latches[id] != want {
			changes = append(changes, latch.SetChange{CustomerID: id, Prior: held.latches[id], Declared: want})
		}
	}
	for id, prior := range held.latches {
		if _, ok := declared.latches[id]; !ok {
			changes = append(changes, latch.SetChange{CustomerID: id, Prior: prior})
		}
	}
	slices.SortFunc(changes, func(a, b latch.SetChange) int { return cmp.Compare(a.CustomerID, b.CustomerID) })
	return changes
}

// heldOf is what the set holds of a customer whose change has failed: as much of its latch as is the set's.
func heldOf(change latch.SetChange, result latch.SetResult) fusebill.Latch {
	if result.Latch == change.Prior || result.Latch == change.Declared {
		return result.Latch
	}
	return change.Prior
}

// leftWarning tells of a latch that wasn't the set's to remove.
func leftWarning(change latch.SetChange, result latch.SetResult) diag.Diagnostics {
	if !change.Declared.IsZero() || result.Latch.IsZero() {
		return nil
	}
	return diag.Diagnostics{leftInPlace(change.CustomerID, change.Prior, result.Latch)}
}

// inElement moves a diagnostic from a resource's attribute to the same attribute of an element.
func inElement(d diag.Diagnostic, customerID int64) diag.Diagnostic {
	attribute := ""
	if located, ok := d.(diag.DiagnosticWithPath); ok && !located.Path().Equal(path.Root("fusebill_id")) {
		attribute = located.Path().String()
	}
	return diag.NewAttributeErrorDiagnostic(elementPath(strconv.FormatInt(customerID, 10), attribute), d.Summary(), d.Detail())
}

func setError(doing string, err error) diag.Diagnostic {
	explained := attempt{}.explain(err)
	return diag.NewErrorDiagnostic(explained.summary, fmt.Sprintf("Could not %s the HubSpot latches: %s.\n\n%s",
		doing, strings.TrimSuffix(err.Error(), "."), explained.nextStep))
}

// progressLog says how far a long apply is and how long the rest will take at the same pace.
func progressLog(ctx context.Context) func(done, total int) {
	start := time.Now()
	last := start
	return func(done, total int) {
		now := time.Now()
		if now.Sub(last) < progressEvery && done < total {
			return
		}
		last = now
		left := now.Sub(start) / time.Duration(done) * time.Duration(total-done)
		tflog.Info(ctx, "applying HubSpot latches", map[string]any{"done": done, "total": total, "time_left": left.Round(time.Second).String()})
	}
}

// ImportState takes the word account for all latches of the account, or the IDs of customers with commas between them.
func (r *hubSpotLatchesResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var (
		current map[int64]fusebill.Latch
		err     error
	)
	if strings.TrimSpace(req.ID) == "account" {
		current, err = r.keeper.Latched(ctx)
	} else {
		var ids []int64
		for text := range strings.SplitSeq(req.ID, ",") {
			id, parseErr := parseID(strings.TrimSpace(text))
			if parseErr != nil {
				resp.Diagnostics.AddError("Invalid import ID", "The import ID is the word account, for all latches of the account, or the IDs of "+
					"Fusebill customers with commas between them, such as 2554529,2554530. Each is "+parseErr.Error()+".")
				return
			}
			ids = append(ids, id)
		}
		current, err = r.keeper.ReadSet(ctx, ids)
		for _, id := range ids {
			if err == nil && current[id].IsZero() {
				resp.Diagnostics.AddError("Customer isn't latched", fmt.Sprintf("Customer %d isn't latched in HubSpot or doesn't exist, so there is "+
					"nothing to import for it. Leave it out.", id))
			}
		}
	}
	if err != nil {
		resp.Diagnostics.Append(setError("import", err))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	imported := latchMap{latches: make(map[int64]fusebill.Latch, len(current)), texts: make(latchTexts, len(current))}
	for id, l := range current {
		imported.set(id, l)
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(latchesAttribute), imported.value())...)
}

package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
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
	if resp.Diagnostics.HasError() {
		return
	}
	_, diags := config.declared()
	resp.Diagnostics.Append(diags...)
}

// declared returns the map of a configuration or a plan.
func (m hubSpotLatchesModel) declared() (latchMap, diag.Diagnostics) {
	declared, diags := parseLatchMap(m.Latches)
	diags.Append(declared.claimedTwice()...)
	return declared, diags
}

// Create keeps what it has done even if something fails: the next apply then does only what is missing.
func (r *hubSpotLatchesResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
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
	held, diags := r.apply(ctx, "create", newLatchMap(0), declared, plan.AllowReassociation.ValueBool())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() && len(held.latches) == 0 {
		return // State and an error together taint the resource, and here there is nothing to keep.
	}
	plan.Latches = held.value()
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
	current, err := r.keeper.ReadSet(ctx, held.customers())
	if err == nil && state.Exclusive.ValueBool() {
		var all map[int64]fusebill.Latch
		all, err = r.keeper.Latched(ctx)
		maps.Copy(current, all)
	}
	if err != nil {
		resp.Diagnostics.Append(setError("read the HubSpot latches", err))
		return
	}
	if maps.Equal(held.latches, current) {
		return // The response holds the state as it came; writing thousands of elements again is work for nothing.
	}
	for _, id := range held.customers() {
		held.set(id, current[id])
	}
	for id, other := range current {
		held.set(id, other)
	}
	state.Latches = held.value()
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *hubSpotLatchesResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state hubSpotLatchesModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(forgetPlan(ctx, resp.Private)...)
	ctx, cancel := withTimeout(ctx, plan.Timeouts.Update, defaultSetTimeout, &resp.Diagnostics)
	defer cancel()
	declared, diags := plan.declared()
	resp.Diagnostics.Append(diags...)
	held, diags := parseLatchMap(state.Latches)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if state.endsExclusive(plan) {
		for _, id := range held.missingFrom(declared) {
			held.set(id, fusebill.Latch{})
		}
	}
	held, diags = r.apply(ctx, "update", held, declared, plan.AllowReassociation.ValueBool())
	resp.Diagnostics.Append(diags...)
	plan.Latches = held.value()
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// endsExclusive says whether a plan makes an exclusive set one that owns what it lists. What it doesn't list was read from
// the account, or was removed from the map at the same time; nobody can tell, so all of it stays as it is.
func (m hubSpotLatchesModel) endsExclusive(plan hubSpotLatchesModel) bool {
	return m.Exclusive.ValueBool() && !plan.Exclusive.IsUnknown() && !plan.Exclusive.ValueBool()
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
	replacement, diags := replacementOf(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	released := newLatchMap(len(held.latches))
	for id, l := range held.latches {
		if !replacement.keeps(id) {
			released.set(id, l)
		}
	}
	left, diags := r.apply(ctx, "delete", released, newLatchMap(0), false)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		for id := range released.latches {
			held.set(id, left.latches[id])
		}
		state.Latches = held.value()
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
		return
	}
	if replacement.unknown && len(held.latches) > 0 {
		resp.Diagnostics.Append(diag.NewWarningDiagnostic("HubSpot latches were left in place", "What the set declares depended on something "+
			"that wasn't known before this apply, so its replacement removed nothing. Customers that were in the set and aren't any more stay "+
			"latched, and belong to nobody: "+listed(held.customers())+" were in it."))
	}
}

// apply makes what is held what is declared, and returns what is held then.
func (r *hubSpotLatchesResource) apply(
	ctx context.Context, doing string, held, declared latchMap, reassociate bool,
) (latchMap, diag.Diagnostics) {
	changes := changesOf(held, declared)
	results, err := r.keeper.ApplySet(ctx, changes, reassociate, progressLog(ctx))
	outcome := setOutcome{doing: doing, total: len(changes), held: declared}
	for _, change := range changes {
		if result, begun := results[change.CustomerID]; begun {
			outcome.add(change, result)
		} else {
			outcome.notBegun++
			outcome.held.set(change.CustomerID, change.Prior)
		}
	}
	return outcome.held, outcome.diagnostics(err)
}

// changesOf lists what differs, by customer. What isn't known yet doesn't count.
func changesOf(held, declared latchMap) []latch.SetChange {
	var changes []latch.SetChange
	for id, want := range declared.latches {
		if held.latches[id] != want && !declared.partly[id] {
			changes = append(changes, latch.SetChange{CustomerID: id, Prior: held.latches[id], Declared: want})
		}
	}
	for _, id := range held.missingFrom(declared) {
		changes = append(changes, latch.SetChange{CustomerID: id, Prior: held.latches[id]})
	}
	slices.SortFunc(changes, func(a, b latch.SetChange) int { return cmp.Compare(a.CustomerID, b.CustomerID) })
	return changes
}

// missingFrom returns the customers that another map, if it is known, doesn't have.
func (m latchMap) missingFrom(other latchMap) []int64 {
	if other.unknown {
		return nil
	}
	return slices.DeleteFunc(m.customers(), func(id int64) bool { _, ok := other.latches[id]; return ok })
}

// setError tells of a failure that isn't about one customer.
func setError(doing string, err error) diag.Diagnostic {
	explained := attempt{}.explain(err)
	if errors.Is(err, customers.ErrAccountUnread) {
		explained = explanation{summary: "Fusebill's lists don't show HubSpot latches", nextStep: "This account's lists of customers come " +
			"without their HubSpot IDs, so nobody can tell all latches of the account. List the customers, and leave out exclusive; where the state has it already, apply that with -refresh=false."}
	}
	return diag.NewErrorDiagnostic(explained.summary, fmt.Sprintf("Could not %s: %s.\n\n%s",
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
	var current map[int64]fusebill.Latch
	ids, err := importedCustomers(req.ID)
	if err != nil {
		resp.Diagnostics.AddError("Invalid import ID", sentence(err))
		return
	}
	if ids == nil {
		current, err = r.keeper.Latched(ctx)
	} else {
		current, err = r.keeper.ReadSet(ctx, ids)
	}
	if err != nil {
		resp.Diagnostics.Append(setError("import the HubSpot latches", err))
		return
	}
	missing := slices.DeleteFunc(ids, func(id int64) bool { return !current[id].IsZero() })
	if len(missing) > 0 {
		resp.Diagnostics.AddError("Customer isn't latched", fmt.Sprintf("Nothing can be imported for customers that aren't latched in HubSpot, "+
			"or don't exist: %s.\n\nLeave them out of the import ID. To latch them, declare them in the resource; the apply after the import "+
			"does it.", listed(missing)))
		return
	}
	imported := newLatchMap(len(current))
	for id, l := range current {
		imported.set(id, l)
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(latchesAttribute), imported.value())...)
}

// importedCustomers reads an import ID; nil: all customers that are latched.
func importedCustomers(importID string) ([]int64, error) {
	if strings.TrimSpace(importID) == "account" {
		return nil, nil
	}
	var ids []int64
	for text := range strings.SplitSeq(importID, ",") {
		id, ok := parseID(strings.TrimSpace(text))
		if !ok {
			return nil, fmt.Errorf("the import ID is the word account, for all latches of the account, or the IDs of Fusebill customers with "+
				"commas between them, such as 2554529,2554530. %q isn't such an ID: it must be %s", text, idForm)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

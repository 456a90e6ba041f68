package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// sparedKey is the key of a list of customers in the private data of a state or of a plan. A
// destroy leaves the latches of these customers alone, because another object of the state keeps
// them.
const sparedKey = "spared"

// newObjectPlan returns the plan of one object, without its intents.
func newObjectPlan(
	ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse,
) (latch.ObjectPlan, diag.Diagnostics) {
	before, diags := req.Private.GetKey(ctx, ownerKey)
	owner, ownerDiags := planOwner(ctx, req.Private, resp.Private)
	diags.Append(ownerDiags...)
	isNew := req.State.Raw.IsNull()
	return latch.ObjectPlan{Owner: owner, IsReplacement: isNew && before != nil, IsCreate: isNew && before == nil}, diags
}

// note records the intents of an object's plan. It returns an error for each intent that
// contradicts another object, and a warning for the customers whose latch the object's destroy
// leaves alone.
func (d *providerData) note(
	ctx context.Context, object latch.ObjectPlan, planned privateData, explain func(latch.Conflict) diag.Diagnostic,
) diag.Diagnostics {
	var diags diag.Diagnostics
	var spared, destroyed []int64
	destroys := make(map[int64]bool)
	for _, intent := range object.Intents {
		destroys[intent.CustomerID] = destroys[intent.CustomerID] || intent.Kind == latch.Destroy
	}
	for _, conflict := range d.intents.Note(object) {
		if conflict.Err != nil {
			diags.Append(explain(conflict))
			continue
		}
		spared = append(spared, conflict.Intent.CustomerID)
		if destroys[conflict.Intent.CustomerID] {
			destroyed = append(destroyed, conflict.Intent.CustomerID)
		}
	}
	if len(spared) == 0 {
		return diags
	}
	diags.Append(noteSpared(ctx, spared, planned)...)
	if len(destroyed) > 0 {
		diags.Append(sparedWarning(destroyed))
	}
	return diags
}

// observe records the customers of an object that was read. It marks, in the private data of the
// object, the customers whose latch a destroy must leave alone.
func (d *providerData) observe(ctx context.Context, private privateData, customerIDs ...int64) diag.Diagnostics {
	kept := d.intents.Observe(customerIDs...)
	before, diags := private.GetKey(ctx, sparedKey)
	if len(kept) == 0 && before == nil {
		return diags
	}
	return append(diags, noteSpared(ctx, kept, private)...)
}

// noteSpared records in private data the customers whose latch a destroy leaves alone.
func noteSpared(ctx context.Context, customerIDs []int64, private privateData) diag.Diagnostics {
	if len(customerIDs) == 0 {
		return private.SetKey(ctx, sparedKey, nil)
	}
	data, err := json.Marshal(customerIDs)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Private data cannot be written", sentence(err))}
	}
	return private.SetKey(ctx, sparedKey, data)
}

// sparedWarning explains that a destroy leaves the latches of these customers alone.
func sparedWarning(customerIDs []int64) diag.Diagnostic {
	return diag.NewWarningDiagnostic("HubSpot latch stays with another resource", fmt.Sprintf("Another object of the "+
		"state has the latch of these customers too, and keeps it. So this destroy does not unlatch them: %s.",
		listed(customerIDs)))
}

// sparedBy returns the customers whose latch a destroy leaves alone.
func sparedBy(ctx context.Context, private privateData) (map[int64]bool, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, sparedKey)
	if data == nil {
		return nil, diags
	}
	var ids []int64
	if err := json.Unmarshal(data, &ids); err != nil {
		diags.AddError("Private data cannot be read", sentence(err))
	}
	spared := make(map[int64]bool, len(ids))
	for _, id := range ids {
		spared[id] = true
	}
	return spared, diags
}

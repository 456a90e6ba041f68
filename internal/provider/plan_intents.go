package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// sparedKey lists, in the private data of a state or of a plan, the customers whose latch a destroy
// leaves alone, because another object of the state keeps it.
const sparedKey = "spared"

// newObjectPlan returns the plan of one object, without intents.
func newObjectPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) (
	latch.ObjectPlan, diag.Diagnostics) {
	before, diags := req.Private.GetKey(ctx, ownerKey)
	owner, ownerDiags := planOwner(ctx, req.Private, resp.Private)
	diags.Append(ownerDiags...)
	isNew := req.State.Raw.IsNull()
	return latch.ObjectPlan{Owner: owner, IsReplacement: isNew && before != nil, IsCreate: isNew && before == nil}, diags
}

// note records the plan of an object. It returns an error for each conflict, and a warning for the
// customers that the object spares.
func (d *providerData) note(ctx context.Context, object latch.ObjectPlan, planned privateData,
	explain func(latch.Conflict) diag.Diagnostic) diag.Diagnostics {
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

// observe notes the customers of an object that has been read, and marks in its state those that its
// destroy must leave alone.
func (d *providerData) observe(ctx context.Context, private privateData, customerIDs ...int64) diag.Diagnostics {
	kept := d.intents.Observe(customerIDs...)
	before, diags := private.GetKey(ctx, sparedKey)
	if len(kept) == 0 && before == nil {
		return diags
	}
	return append(diags, noteSpared(ctx, kept, private)...)
}

// noteSpared records in private data the customers that a destroy leaves alone.
func noteSpared(ctx context.Context, customerIDs []int64, private privateData) diag.Diagnostics {
	if len(customerIDs) == 0 {
		return private.SetKey(ctx, sparedKey, nil)
	}
	data, err := json.Marshal(customerIDs)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Private data can not be written", sentence(err))}
	}
	return private.SetKey(ctx, sparedKey, data)
}

// sparedWarning explains that a destroy leaves latches alone.
func sparedWarning(customerIDs []int64) diag.Diagnostic {
	return diag.NewWarningDiagnostic("HubSpot latch stays with another resource", fmt.Sprintf("Another object of the state has "+
		"the latch of these customers too, and keeps it, so the destroy of this one leaves it alone: %s.", listed(customerIDs)))
}

// sparedBy returns the customers whose latch a destroy leaves alone.
func sparedBy(ctx context.Context, private privateData) (map[int64]bool, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, sparedKey)
	if data == nil {
		return nil, diags
	}
	var ids []int64
	if err := json.Unmarshal(data, &ids); err != nil {
		diags.AddError("Private data can not be read", sentence(err))
	}
	spared := make(map[int64]bool, len(ids))
	for _, id := range ids {
		spared[id] = true
	}
	return spared, diags
}

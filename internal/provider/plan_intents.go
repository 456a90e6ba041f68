package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// sparedKey lists, in the private data of a plan, the customers whose latch a destroy leaves alone,
// because another object of the state keeps it.
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
	data, err := json.Marshal(spared)
	if err != nil {
		return append(diags, diag.NewErrorDiagnostic("Private data can not be written", sentence(err)))
	}
	diags.Append(planned.SetKey(ctx, sparedKey, data)...)
	if len(destroyed) > 0 {
		diags.AddWarning("HubSpot latch stays with another resource", fmt.Sprintf("Another object of the state has the latch "+
			"of these customers too, and keeps it, so the destroy of this one leaves it alone: %s.", listed(destroyed)))
	}
	return diags
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

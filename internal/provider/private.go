package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// Keys of the private data that a plan carries to its apply. None of them stays in state, which is to be small.
const (
	// ownerKey tells which instance of a resource a plan is of. Terraform tells no provider an instance's address, and plans
	// one that it replaces twice; the second time it hands over the private data that the first one planned.
	ownerKey = "owner"
	// declaresKey lists the customers that the create of a set declares, null where they aren't known yet. Where that create
	// is one half of a replacement, Terraform hands its data to the other half, the destroy; a destroy of its own never gets
	// it.
	declaresKey = "declares"
)

// privateData is what the framework gives as private data. Its own type can't be named outside of it.
type privateData interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// planOwner tells the instance that is planned from every other one.
func planOwner(ctx context.Context, prior, planned privateData) (string, diag.Diagnostics) {
	owner, diags := prior.GetKey(ctx, ownerKey)
	if diags.HasError() || owner != nil {
		return string(owner), diags
	}
	owner = []byte(`"` + rand.Text() + `"`)
	diags.Append(planned.SetKey(ctx, ownerKey, owner)...)
	return string(owner), diags
}

// planDeclares notes the customers that a create declares; nil: they aren't known yet.
func planDeclares(ctx context.Context, planned privateData, customerIDs []int64) diag.Diagnostics {
	data, err := json.Marshal(customerIDs)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Private data can't be written", sentence(err))}
	}
	return planned.SetKey(ctx, declaresKey, data)
}

// replacement is what a destroy knows of the create that follows it.
type replacement struct {
	follows   bool
	unknown   bool           // what it declares
	customers map[int64]bool // that it declares
}

// keeps says whether the destroy leaves a customer's latch to the create. Where it isn't known whether that declares the
// customer, a latch that stays by mistake is better than one that is lost.
func (r replacement) keeps(customerID int64) bool { return r.unknown || r.customers[customerID] }

// replacementOf returns what the create after a destroy declares.
func replacementOf(ctx context.Context, private privateData) (replacement, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, declaresKey)
	if data == nil {
		return replacement{}, diags
	}
	var customerIDs []int64
	if err := json.Unmarshal(data, &customerIDs); err != nil {
		diags.AddError("Private data can't be read", sentence(err))
	}
	r := replacement{follows: true, unknown: customerIDs == nil, customers: make(map[int64]bool, len(customerIDs))}
	for _, id := range customerIDs {
		r.customers[id] = true
	}
	return r, diags
}

// forgetPlan drops what has served its plan.
func forgetPlan(ctx context.Context, private privateData) diag.Diagnostics {
	diags := private.SetKey(ctx, ownerKey, nil)
	diags.Append(private.SetKey(ctx, declaresKey, nil)...)
	return diags
}

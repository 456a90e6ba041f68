package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
)

// ImportState imports the latch of a customer. An import names the customer by its ID, as in the
// import command, or by the identity of the resource.
func (r *hubSpotLatchResource) ImportState(
	ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse,
) {
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
		resp.Diagnostics.AddError("Customer is not latched", fmt.Sprintf("Customer %d exists and is latched to nothing "+
			"in HubSpot, so there is nothing to import.\n\nTo latch it, declare the resource and apply without an import. To "+
			"import another latch, use the ID of a customer that is latched.", id))
	default:
		// Terraform reads the resource next, which sets the HubSpot IDs.
		imported := hubSpotLatchModel{FusebillID: idOrNull(id)}
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("fusebill_id"), imported.FusebillID)...)
		resp.Diagnostics.Append(imported.setIdentity(ctx, resp.Identity)...)
		resp.Diagnostics.Append(r.data.account.record(ctx, resp.Private)...)
	}
}

// importedCustomer returns the customer that an import names by its ID or its identity.
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

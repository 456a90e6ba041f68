package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// ImportState imports all latches of the account, if the import ID is the word account, or those of
// a comma-separated list of customers.
func (r *hubSpotLatchesResource) ImportState(
	ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse,
) {
	defer r.data.nameCustomers(&resp.Diagnostics)
	var current map[int64]fusebill.Latch
	ids, err := importedCustomers(req.ID)
	if err != nil {
		resp.Diagnostics.AddError("Invalid import ID", sentence(err))
		return
	}
	if ids == nil {
		current, err = r.latched(ctx)
	} else {
		current, _, err = r.readLatches(ctx, ids)
	}
	if err != nil {
		resp.Diagnostics.Append(setError("import the HubSpot latches", err))
		return
	}
	missing := slices.DeleteFunc(ids, func(id int64) bool { return !current[id].IsZero() })
	if len(missing) > 0 {
		resp.Diagnostics.AddError("Customer is not latched", "An import takes over latches, and these customers are not "+
			"latched, or do not exist: "+listed(missing)+".\n\nLeave them out of the import ID. To latch them, declare them in "+
			"the resource; the apply after the import latches them.")
		return
	}
	resp.Diagnostics.Append(r.data.account.record(ctx, resp.Private)...)
	rows := newSetRows()
	for id, l := range current {
		rows.put(id, l)
	}
	contacts, companies := rows.values()
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(contactsAttribute), contacts)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(companiesAttribute), companies)...)
}

// importedCustomers returns the customers that an import ID lists, or nil for all latched
// customers.
func importedCustomers(importID string) ([]int64, error) {
	if strings.TrimSpace(importID) == "account" {
		return nil, nil
	}
	var ids []int64
	for text := range strings.SplitSeq(importID, ",") {
		text = strings.TrimSpace(text)
		id, ok := parseID(text)
		if !ok {
			return nil, fmt.Errorf("the import ID is the word account, for all latches of the account, or the IDs of "+
				"Fusebill customers with commas between them, such as 2554529,2554530, but %q is not an ID", text)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

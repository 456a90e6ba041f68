package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// MoveState refuses each move to a set, with an error that explains how a latch becomes a row. A
// moved block moves one resource to another one, and cannot make it a row.
func (r *hubSpotLatchesResource) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{StateMover: refuseMove}}
}

func refuseMove(_ context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
	const summary = "HubSpot latches are not moved to a latch set by a moved block"
	resp.Diagnostics.AddError(summary, fmt.Sprintf("Could not move a %[1]s to %[2]s: a moved block moves one resource to "+
		"another one, and cannot make it a row of a set.\n\n"+
		"Nothing was changed. List the customer in the maps of the set, and replace the resource and the moved block by "+
		"a block that lets Terraform forget the resource and leaves the latch as it is:\n\n"+
		"  removed {\n    from = %[1]s.example\n    lifecycle {\n      destroy = false\n    }\n  }\n\n"+
		"The apply then adopts the latch without a write. With a CLI that has no removed blocks, run this before the "+
		"apply:\n\n  terraform state rm 'ADDRESS'", req.SourceTypeName, latchesType))
}

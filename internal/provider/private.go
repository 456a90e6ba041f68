package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Keys of private data.
const (
	// ownerKey identifies the instance of a resource that a plan is for. Terraform gives a provider no
	// address, and plans an instance twice that it replaces; the second time it passes the private
	// data that the first plan has made. It does not stay in the state.
	ownerKey = "owner"
	// createKey describes what the create of a set is planned to do, see [plannedCreate]. Where that
	// create is one half of a replacement, Terraform passes its private data to the other half, the
	// destroy; a plain destroy never gets it. It does not stay in the state.
	createKey = "create"
	// incompleteKey marks the state of a set whose create, or replacement, ended with errors.
	incompleteKey = "incomplete"
)

// privateData is what the framework passes as private data. Its own type cannot be named outside of
// it.
type privateData interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// planOwner identifies the instance that is planned.
func planOwner(ctx context.Context, prior, planned privateData) (string, diag.Diagnostics) {
	owner, diags := prior.GetKey(ctx, ownerKey)
	if diags.HasError() || owner != nil {
		return string(owner), diags
	}
	owner = []byte(`"` + rand.Text() + `"`)
	diags.Append(planned.SetKey(ctx, ownerKey, owner)...)
	return string(owner), diags
}

// forgetPlan drops what has served its plan.
func forgetPlan(ctx context.Context, private privateData) diag.Diagnostics {
	diags := private.SetKey(ctx, ownerKey, nil)
	diags.Append(private.SetKey(ctx, createKey, nil)...)
	diags.Append(private.SetKey(ctx, sparedKey, nil)...)
	diags.Append(private.SetKey(ctx, incompleteKey, nil)...)
	return diags
}

// plannedCreate is what the destroy half of a replacement knows of the create that follows it.
type plannedCreate struct {
	Unknown     bool                `json:"unknown,omitempty"` // more customers may be declared
	Latches     map[int64]*[2]int64 `json:"latches"`           // contact and company; nil where one of them is unknown
	MaxRemovals *int64              `json:"max_removals,omitempty"`
	MaxChanges  *int64              `json:"max_changes,omitempty"`
}

func newPlannedCreate(declared setRows, limits setLimits) plannedCreate {
	c := plannedCreate{
		Unknown: declared.unknown, Latches: make(map[int64]*[2]int64, len(declared.latches)),
		MaxRemovals: limits.removals, MaxChanges: limits.changes,
	}
	for id, l := range declared.latches {
		if declared.mayBePartly(id) {
			c.Latches[id] = nil
			continue
		}
		c.Latches[id] = &[2]int64{l.HubSpotID, l.HubSpotCompanyID}
	}
	return c
}

// note records the create in the private data of its plan.
func (c plannedCreate) note(ctx context.Context, planned privateData) diag.Diagnostics {
	data, err := json.Marshal(c)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Private data can not be written", sentence(err))}
	}
	return planned.SetKey(ctx, createKey, data)
}

// plannedCreateOf returns the create that follows a destroy, nil where none does.
func plannedCreateOf(ctx context.Context, private privateData) (*plannedCreate, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, createKey)
	if data == nil {
		return nil, diags
	}
	var c plannedCreate
	if err := json.Unmarshal(data, &c); err != nil {
		diags.AddError("Private data can not be read", sentence(err))
	}
	return &c, diags
}

// rows are the declared rows.
func (c plannedCreate) rows() setRows {
	rows := newSetRows()
	rows.unknown = c.Unknown
	for id, ids := range c.Latches {
		rows.latches[id] = fusebill.Latch{}
		if ids == nil {
			rows.partly[id] = true
			continue
		}
		rows.latches[id] = fusebill.Latch{HubSpotID: ids[0], HubSpotCompanyID: ids[1]}
	}
	return rows
}

func (c plannedCreate) limits() setLimits {
	return setLimits{removals: c.MaxRemovals, changes: c.MaxChanges}
}

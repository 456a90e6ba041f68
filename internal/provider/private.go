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
	// ownerKey is the key of the identity that a plan gives to the instance of a resource.
	// Terraform passes no address to a provider. It plans an instance twice if it replaces it, and
	// passes the private data of the first plan to the second one. The key does not stay in the
	// state.
	ownerKey = "owner"
	// createKey is the key of the planned create of a set, see [plannedCreate]. If the create is
	// one half of a replacement, Terraform passes its private data to the other half, the destroy.
	// A plain destroy never gets it. The key does not stay in the state.
	createKey = "create"
	// incompleteKey marks the state of a set whose create, or replacement, ended with errors.
	incompleteKey = "incomplete"
)

// privateData is the private data that the framework passes to a resource. The framework does not
// export the type.
type privateData interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// planOwner returns the identity of the instance that is planned. The first plan of an instance
// makes one.
func planOwner(ctx context.Context, prior, planned privateData) (string, diag.Diagnostics) {
	owner, diags := prior.GetKey(ctx, ownerKey)
	if diags.HasError() || owner != nil {
		return string(owner), diags
	}
	owner = []byte(`"` + rand.Text() + `"`)
	diags.Append(planned.SetKey(ctx, ownerKey, owner)...)
	return string(owner), diags
}

// forgetPlan removes the keys that only the plan and its apply need.
func forgetPlan(ctx context.Context, private privateData) diag.Diagnostics {
	diags := private.SetKey(ctx, ownerKey, nil)
	diags.Append(private.SetKey(ctx, createKey, nil)...)
	diags.Append(private.SetKey(ctx, sparedKey, nil)...)
	diags.Append(private.SetKey(ctx, incompleteKey, nil)...)
	return diags
}

// plannedCreate is the part of a planned create that the destroy half of the same replacement
// needs.
type plannedCreate struct {
	Unknown     bool                `json:"unknown,omitempty"` // more customers may be declared
	Latches     map[int64]*[2]int64 `json:"latches"`           // contact and company; nil if one of them is unknown
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

// note writes the create to the private data of its plan.
func (c plannedCreate) note(ctx context.Context, planned privateData) diag.Diagnostics {
	data, err := json.Marshal(c)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Private data cannot be written", sentence(err))}
	}
	return planned.SetKey(ctx, createKey, data)
}

// plannedCreateOf returns the create that follows a destroy, or nil if none follows.
func plannedCreateOf(ctx context.Context, private privateData) (*plannedCreate, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, createKey)
	if data == nil {
		return nil, diags
	}
	var c plannedCreate
	if err := json.Unmarshal(data, &c); err != nil {
		diags.AddError("Private data cannot be read", sentence(err))
	}
	return &c, diags
}

// rows returns the rows that the create declares.
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

package provider

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// hubSpotLatchesModel is the state of the resource. The framework gets each map of the schema
// packed into one string, see [protocolLayer].
type hubSpotLatchesModel struct {
	HubSpotIDs         types.String   `tfsdk:"hubspot_ids"`         // packed
	HubSpotCompanyIDs  types.String   `tfsdk:"hubspot_company_ids"` // packed
	AllowReassociation types.Bool     `tfsdk:"allow_reassociation"`
	Exclusive          types.Bool     `tfsdk:"exclusive"`
	MaxRemovals        types.Int64    `tfsdk:"max_removals"`
	MaxChanges         types.Int64    `tfsdk:"max_changes"`
	Unlisted           types.String   `tfsdk:"unlisted"` // packed
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
}

// rows returns the rows of a state.
func (m hubSpotLatchesModel) rows() (setRows, diag.Diagnostics) {
	return parseRows(m.HubSpotIDs, m.HubSpotCompanyIDs)
}

// declared returns the rows of a configuration or a plan.
func (m hubSpotLatchesModel) declared() (setRows, diag.Diagnostics) {
	rows, diags := m.rows()
	if !diags.HasError() {
		diags.Append(rows.check()...)
	}
	return rows, diags
}

// unlisted returns the unlisted latches of a state.
func (m hubSpotLatchesModel) unlisted() (map[int64]fusebill.Latch, diag.Diagnostics) {
	latches := make(map[int64]fusebill.Latch)
	if !isKnown(m.Unlisted) {
		return latches, nil
	}
	unpacked, err := unpackStringMap(m.Unlisted.ValueString())
	for key, text := range unpacked.texts() {
		id, isID := parseID(key)
		l, isLatch := parseLatch(text)
		if !isID || !isLatch {
			err = errors.Join(err, fmt.Errorf("%q = %q is not a customer with its latch; this is a bug in the provider", key,
				text))
			continue
		}
		latches[id] = l
	}
	if err != nil {
		return nil, diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root(unlistedAttribute), "Invalid state",
			sentence(err))}
	}
	return latches, nil
}

// setUnlisted sets the attribute that unlisted reads.
func (m *hubSpotLatchesModel) setUnlisted(latches map[int64]fusebill.Latch) {
	texts := stringMap{Known: make(map[string]*string, len(latches))}
	for id, l := range latches {
		text := l.String()
		texts.Known[strconv.FormatInt(id, 10)] = &text
	}
	m.Unlisted = texts.value()
}

// parseLatch reads a latch that [fusebill.Latch.String] has written.
func parseLatch(text string) (l fusebill.Latch, ok bool) {
	for part := range strings.SplitSeq(text, " and ") {
		kind, digits, _ := strings.Cut(part, " ")
		id, isID := parseID(digits)
		switch {
		case isID && kind == string(fusebill.Contact):
			l.HubSpotID = id
		case isID && kind == string(fusebill.Company):
			l.HubSpotCompanyID = id
		default:
			return fusebill.Latch{}, false
		}
	}
	return l, true
}

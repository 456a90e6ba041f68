package provider

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// The default of max_removals and max_changes is leastLimit, or limitPercent of the prior rows
	// if that is more.
	leastLimit   = 10
	limitPercent = 5
	// manyChanges is the number of changed customers from which a plan warns.
	manyChanges = leastLimit + 1
)

// changeSize counts the customers that a change of a set affects. Terraform reports any change of a
// set as "1 to change".
type changeSize struct {
	prior    int     // rows before the change
	removed  []int64 // customers that the set no longer lists
	unlisted []int64 // customers that the set never listed, and that it unlatches because it is exclusive
	changed  []int64 // customers that lose an ID and keep or get another one
	added    int
}

// sizeOf compares the prior rows with the declared ones. A new row of a customer that was unlisted
// before counts as changed if the customer loses an ID.
func sizeOf(prior, declared setRows, unlisted map[int64]fusebill.Latch) changeSize {
	size := changeSize{prior: len(prior.latches), removed: prior.missingFrom(declared)}
	for _, id := range declared.customers() {
		before, ok := prior.latches[id]
		if !ok {
			before, ok = unlisted[id]
		}
		switch {
		case !ok:
			size.added++
		case !declared.mayBePartly(id) && !before.Without(declared.latches[id]).IsZero():
			size.changed = append(size.changed, id)
		}
	}
	return size
}

// warnings lists the customers that are unlatched, and those that change if they are many.
func (s changeSize) warnings() diag.Diagnostics {
	removals := len(s.removed) + len(s.unlisted)
	if removals == 0 && len(s.changed) < manyChanges {
		return nil
	}
	summary := "HubSpot latches will be removed"
	if removals == 0 {
		summary = "Many HubSpot latches will change"
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(summary, s.String()+"\n\nReview these customers before you apply.")}
}

// String describes the change in sentences.
func (s changeSize) String() string {
	var sentences []string
	add := func(format string, customers []int64) {
		if len(customers) > 0 {
			sentences = append(sentences, fmt.Sprintf(format, counted(len(customers)), listed(customers)))
		}
	}
	add("This plan unlatches %s that the set no longer lists: %s.", s.removed)
	add("This exclusive set unlatches %s that it does not list: %s.", s.unlisted)
	add("This plan changes the IDs of %s: %s.", s.changed)
	if s.added > 0 {
		sentences = append(sentences, "It latches "+counted(s.added)+" that the set did not list before.")
	}
	return strings.Join(sentences, "\n")
}

func counted(customers int) string {
	if customers == 1 {
		return "1 customer"
	}
	return fmt.Sprintf("%d customers", customers)
}

// setLimits holds max_removals and max_changes. Nil stands for the default.
type setLimits struct {
	removals, changes *int64
}

// limits returns the limits. A limit that is not known yet counts as not set.
func (m hubSpotLatchesModel) limits() setLimits {
	return setLimits{removals: knownOrNil(m.MaxRemovals), changes: knownOrNil(m.MaxChanges)}
}

func knownOrNil(n types.Int64) *int64 {
	if !isKnown(n) {
		return nil
	}
	return n.ValueInt64Pointer()
}

// limit is one of the two limits.
type limit struct {
	attribute string
	set       *int64 // nil for the default
	customers []int64
	summary   string
	would     string // the verb of the message
	check     string // the advice of the message
}

// check returns an error for each limit that a change exceeds.
func (l setLimits) check(size changeSize) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, limit := range []limit{
		{
			attribute: "max_removals", set: l.removals, customers: slices.Concat(size.removed, size.unlisted),
			summary: "Too many HubSpot latches would be removed", would: "unlatch",
			check: "Check whether rows are missing from the maps, for example because a file was cut off.",
		},
		{
			attribute: "max_changes", set: l.changes, customers: size.changed,
			summary: "Too many HubSpot latches would change", would: "change the IDs of",
			check: "Check whether the rows are right, for example whether a column was shifted.",
		},
	} {
		most, source := int64(max(leastLimit, size.prior*limitPercent/100)),
			fmt.Sprintf(", the default for a set of %d rows", size.prior)
		if limit.set != nil {
			most, source = *limit.set, ""
		}
		if n := len(limit.customers); int64(n) > most {
			diags.AddAttributeError(path.Root(limit.attribute), limit.summary,
				fmt.Sprintf("This plan would %s %s, and %s allows %d%s. They are %s.\n\n"+
					"%s To allow this plan, set for one apply:\n\n  %s = %d\n\nIf this is the plan before a destroy, skip it:\n\n"+
					"  terraform destroy -refresh=false",
					limit.would, counted(n), limit.attribute, most, source, listed(limit.customers), limit.check, limit.attribute, n))
		}
	}
	return diags
}

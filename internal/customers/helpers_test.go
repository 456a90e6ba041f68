package customers

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// pair makes a latch of a contact and a company, 0 for none.
func pair(contact, company int64) fusebill.Latch {
	return fusebill.Latch{HubSpotID: contact, HubSpotCompanyID: company}
}

// inBubble runs a test with a clock of its own.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// ids returns 1 to n.
func ids(n int64) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i) + 1
	}
	return all
}

// sorted returns a map's keys in order.
func sorted[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }

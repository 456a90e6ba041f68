package customers

import (
	"slices"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

func TestHolders(t *testing.T) {
	t.Parallel()
	h := newHolders()
	want := func(id int64, holders ...int64) {
		t.Helper()
		if got := h.of(contact(id)); !slices.Equal(got, holders) {
			t.Errorf("contact %d: got customers %v, want %v", id, got, holders)
		}
	}
	h.set(2, pair(101, 0))
	want(101, 2)
	want(102)
	if got := h.of(fusebill.Claim{Kind: fusebill.Company, ID: 101}); len(got) > 0 {
		t.Errorf("company 101: got customers %v", got)
	}
	h.set(2, pair(102, 0))
	want(101)
	want(102, 2)
	h.set(1, pair(102, 0)) // It has moved, and customer 2 was not read since.
	h.set(1, pair(102, 7))
	want(102, 1, 2)
	h.set(1, pair(0, 0))
	want(102, 2)
	h.set(2, pair(0, 0))
	want(102)
}

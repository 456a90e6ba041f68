package customers

import (
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

func TestHolders(t *testing.T) {
	t.Parallel()
	h := newHolders()
	want := func(contact, holder int64) {
		t.Helper()
		if got := h.of(fusebill.Claim{Kind: fusebill.Contact, ID: contact}); got != holder {
			t.Errorf("contact %d: got customer %d, want %d", contact, got, holder)
		}
	}
	h.set(1, pair(101, 0))
	want(101, 1)
	want(102, 0)
	if got := h.of(fusebill.Claim{Kind: fusebill.Company, ID: 101}); got != 0 {
		t.Errorf("company 101: got customer %d", got)
	}
	h.set(1, pair(102, 0))
	want(101, 0)
	want(102, 1)
	h.set(2, pair(102, 0)) // The service has moved it, and customer 1 wasn't read since.
	want(102, 2)
	h.set(1, pair(0, 0))
	want(102, 2)
}

package latch

import (
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

func TestLatchArithmetic(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ a, b, without, common fusebill.Latch }{
		{pair(1, 2), pair(1, 2), pair(0, 0), pair(1, 2)},
		{pair(1, 2), pair(1, 3), pair(0, 2), pair(1, 0)},
		{pair(1, 2), pair(3, 2), pair(1, 0), pair(0, 2)},
		{pair(1, 2), pair(2, 1), pair(1, 2), pair(0, 0)},
		{pair(1, 2), pair(0, 0), pair(1, 2), pair(0, 0)},
		{pair(0, 0), pair(1, 2), pair(0, 0), pair(0, 0)},
		{pair(0, 2), pair(0, 3), pair(0, 2), pair(0, 0)},
	} {
		if got := without(test.a, test.b); got != test.without {
			t.Errorf("%s without %s: got %s, want %s", test.a, test.b, got, test.without)
		}
		if got := common(test.a, test.b); got != test.common {
			t.Errorf("%s and %s share %s, want %s", test.a, test.b, got, test.common)
		}
	}
	held := []Holding{{Claim{Company, 2}, 9}}
	if got := less(pair(2, 2), held); got != pair(2, 0) {
		t.Errorf("less: got %s", got)
	}
}

func TestHolders(t *testing.T) {
	t.Parallel()
	h := newHolders()
	want := func(contact, holder int64) {
		t.Helper()
		if got := h.of(Claim{Contact, contact}); got != holder {
			t.Errorf("contact %d: got customer %d, want %d", contact, got, holder)
		}
	}
	h.set(1, pair(101, 0))
	want(101, 1)
	want(102, 0)
	if got := h.of(Claim{Company, 101}); got != 0 {
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

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
		if got := test.a.Without(test.b); got != test.without {
			t.Errorf("%s without %s: got %s, want %s", test.a, test.b, got, test.without)
		}
		if got := test.a.Common(test.b); got != test.common {
			t.Errorf("%s and %s share %s, want %s", test.a, test.b, got, test.common)
		}
	}
	held := []Holding{{fusebill.Claim{Kind: fusebill.Company, ID: 2}, 9}}
	if got := less(pair(2, 2), held); got != pair(2, 0) {
		t.Errorf("less: got %s", got)
	}
}

package latch

import "testing"

// Whichever of the two is planned first, the second is refused. One resource that gives a latch up and has another is none
// of that, nor is one that is planned twice.
func TestHandOver(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := newTrial(t, latches{}).keeper
		wantNil(t, k.DeclareKept("a", 1))
		wantNil(t, k.DeclareKept("a", 1))
		wantNil(t, k.DeclareRemoved("a", 1))
		wantError[*RemovedElsewhereError](t, k.DeclareRemoved("b", 1))
		wantNil(t, k.DeclareRemoved("b", 2))
		wantError[*RemovedElsewhereError](t, k.DeclareKept("a", 2))
	})
}

package latch

import (
	"context"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// An answer with another latch than the requested one is an error that has both.
func TestWrite_reportsUnexpectedAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDifferentAnswer})
		err := r.createNow(context.Background(), 1, pair(100, 200), false)
		if got := errorAs[*UnexpectedAnswerError](t, err); got.Requested != pair(100, 200) || got.Answered != pair(101, 201) {
			t.Errorf("got %+v", got)
		}
	})
}

// The coordinator reads the customer after a write whose outcome is unknown. The change succeeds
// only where that read shows the latch.
func TestWrite_readsBackUnknownOutcome(t *testing.T) {
	for name, test := range map[string]struct {
		kind fusebillsim.FaultKind
		want func(*testing.T, error)
	}{
		"made":     {fusebillsim.FaultStatus500After, wantNil},
		"not made": {fusebillsim.FaultStatus500Before, wantError[*UnconfirmedError]},
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: {}})
			r.sim.Inject(fusebillsim.Fault{Kind: test.kind, Match: writes(1), Times: 5})
			test.want(t, r.createNow(context.Background(), 1, pair(101, 0), false))
		})
	}
	runInBubble(t, "read fails", func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500After, Match: writes(1), Times: 5})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomer, Times: 5})
		wantError[*fusebill.OutcomeUnknownError](t, r.createNow(context.Background(), 1, pair(101, 0), false))
	})
}

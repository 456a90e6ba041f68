package latch

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A change takes its claims from other customers, which keep their other IDs.
func TestReassociation_takesOnlyDeclaredIDs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(100, 0), 2: pair(101, 201), 3: pair(103, 203)})
		begin := time.Now()
		r.runOK(r.take(1, pair(100, 0), pair(101, 203)))
		wantTook(t, begin, 0, 6*callTime)
		r.wantWrites(3)
		r.wantAccount(latches{1: pair(101, 203), 2: pair(0, 201), 3: pair(103, 0)})
	})
}

// A change takes both IDs of one holder by one write.
func TestReassociation_takesBothIDsWithOneWrite(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		r.runOK(r.take(1, pair(0, 0), pair(101, 201)))
		r.wantWrites(2)
		r.wantAccount(latches{1: pair(101, 201), 2: {}})
	})
}

// The coordinator reads a holder before it takes something from it, because somebody else may have
// changed the holder since the account was read.
func TestReassociation_readsHolderBeforeWrite(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*trial)
		want   latches
	}{
		"other ID changed": {func(r *trial) { r.sim.SetLatch(2, 101, 209) }, latches{1: pair(101, 0), 2: pair(0, 209)}},
		"released":         {func(r *trial) { r.sim.SetLatch(2, 0, 201) }, latches{1: pair(101, 0), 2: pair(0, 201)}},
		"deleted":          {func(r *trial) { r.sim.DeleteCustomer(2) }, latches{1: pair(101, 0)}},
		"another holder": {
			func(r *trial) { r.sim.SetLatch(3, 101, 203) }, latches{1: pair(101, 0), 2: pair(0, 201), 3: pair(0, 203)},
		},
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: {}, 2: pair(101, 201), 3: {}})
			r.readAccount()
			test.change(r)
			time.Sleep(time.Second)
			r.runOK(r.take(1, pair(0, 0), pair(101, 0)))
			r.wantAccount(test.want)
		})
	}
}

// A holder gets back what was taken from it where the change fails.
func TestReassociation_restoresHolderAfterFailure(t *testing.T) {
	prior := latches{1: pair(100, 0), 2: pair(101, 201), 3: pair(0, 203)}
	for name, fault := range map[string]fusebillsim.Fault{
		"write of the second holder": {Kind: fusebillsim.FaultStatus500Before, Match: writes(3), Times: 5},
		"write of the customer":      {Kind: fusebillsim.FaultStatus500Before, Match: writes(1), Times: 5},
		"read of the second holder":  {Kind: fusebillsim.FaultStatus500Before, Match: reads(3), Times: 5},
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, prior)
			r.readAccount()
			r.sim.Inject(fault)
			if err := r.updateNow(context.Background(), 1, pair(100, 0), pair(101, 203), true); err == nil {
				t.Error("got no error")
			}
			r.wantAccount(prior)
		})
	}
}

// A release whose outcome stays unknown counts as made, so the holder gets back what it may have
// lost.
func TestReassociation_restoresHolderAfterUnknownOutcome(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		r.readAccount()
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500After, Match: writes(2), Times: 5})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: reads(2), After: 1, Times: 5})
		if err := r.updateNow(context.Background(), 1, pair(0, 0), pair(101, 0), true); err == nil {
			t.Error("got no error")
		}
		r.wantAccount(latches{1: {}, 2: pair(101, 201)})
	})
}

// A change of the holder may begin before, during or after the reassociation. Both bring their
// declared latches.
func TestReassociation_settlesWithChangeOfHolder(t *testing.T) {
	for _, gap := range []time.Duration{
		time.Millisecond, 50 * time.Millisecond, 70 * time.Millisecond, 90 * time.Millisecond, time.Second,
	} {
		for _, first := range []string{"reassociation", "holder"} {
			runInBubble(t, fmt.Sprint(first, " first, ", gap), func(t *testing.T) {
				r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
				r.gap = gap
				operations := []operation{r.take(1, pair(0, 0), pair(101, 0)), r.update(2, pair(101, 201), pair(102, 201))}
				if first == "holder" {
					operations[0], operations[1] = operations[1], operations[0]
				}
				r.runOK(operations...)
				r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 201)})
			})
		}
	}
}

// A reassociation takes its claim from the holder after the change that was to release it has
// failed, in any order.
func TestReassociation_takesFromHolderWhoseChangeFails(t *testing.T) {
	for _, gap := range []time.Duration{time.Millisecond, time.Second} {
		runInBubble(t, gap.String(), func(t *testing.T) {
			r := newTrial(t, latches{1: pair(101, 201), 2: {}})
			r.gap = gap
			r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{999: true} })
			errs := r.run(r.update(1, pair(101, 201), pair(999, 201)), r.take(2, pair(0, 0), pair(101, 0)))
			if errs[0] == nil || errs[1] != nil {
				t.Errorf("got errors %v", errs)
			}
			r.wantAccount(latches{1: pair(0, 201), 2: pair(101, 0)})
		})
	}
}

// A stall does not end a reassociation while a change of the holder waits: once that change has
// failed, the claim can be taken.
func TestReassociation_outlastsStall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: pair(102, 0), 4: pair(0, 201)})
		errs := r.run(r.take(1, pair(0, 0), pair(101, 201)), r.update(2, pair(101, 0), pair(102, 0)))
		wantNil(t, errs[0])
		wantError[*HeldError](t, errs[1])
		r.wantAccount(latches{1: pair(101, 201), 2: {}, 3: pair(102, 0), 4: {}})
	})
}

// Somebody else latches another customer to what the change has taken. The error reports the loss
// of the holder, and the change takes nothing else.
func TestReassociation_reportsClaimTakenFromOutside(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0)})
		r.sim.Inject(fusebillsim.Fault{
			Match: writes(1), Times: -1, OnRequest: func(*http.Request) { r.sim.SetLatch(3, 101, 0) },
		})
		r.sim.AddCustomers(fusebillsim.Customer{ID: 3})
		lost := errorAs[*NotRestoredError](t, r.createNow(context.Background(), 1, pair(101, 0), true))
		if lost.CustomerID != 2 || !lost.Current.IsZero() {
			t.Errorf("got %+v", lost)
		}
		r.wantAccount(latches{1: {}, 2: {}, 3: pair(101, 0)})
	})
}

// An unexpected answer to a write that was made is an error, and the write is not undone: a later
// read shows the declared latch, which goes into the state.
func TestReassociation_keepsWriteAfterUnexpectedAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		prior := latches{1: pair(100, 200), 2: pair(101, 201)} // The answer shows the prior latch of customer 1.
		r := newTrial(t, prior)
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDifferentAnswer, Match: writes(1)})
		wantError[*UnexpectedAnswerError](t, r.updateNow(context.Background(), 1, prior[1], pair(101, 201), true))
		r.wantAccount(latches{1: pair(101, 201), 2: {}})
	})
}

// A change that the service refuses for another reason does not take from its holder again.
func TestReassociation_takesOnceWhenRefused(t *testing.T) {
	for name, options := range map[string][]Option{"readable": nil, "unreadable": {unreadable}} {
		for reason, declared := range map[string]fusebill.Latch{
			"company does not exist": pair(101, 999), "unknown holder": pair(101, 203),
		} {
			runInBubble(t, name+" "+reason, func(t *testing.T) {
				prior := latches{1: {}, 2: pair(101, 201), 3: pair(0, 203)}
				r := newTrial(t, prior, options...)
				r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
				r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, IDs: []int64{3}, Times: -1})
				if _, err := r.coordinator.reader.Customer(context.Background(), 2); err != nil {
					t.Fatal(err)
				}
				wantError[*fusebill.APIError](t, r.createNow(context.Background(), 1, declared, true))
				r.wantWrites(3)
				r.wantAccount(prior)
			})
		}
	}
}

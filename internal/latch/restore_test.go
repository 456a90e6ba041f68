package latch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A restore succeeds even where the responses to its writes are lost.
func TestRestore_succeedsDespiteLostResponses(t *testing.T) {
	for _, kind := range []fusebillsim.FaultKind{
		fusebillsim.FaultDropAfter, fusebillsim.FaultStatus500After, fusebillsim.FaultDropBefore,
	} {
		runInBubble(t, kind.String(), func(t *testing.T) {
			r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
			r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
			times := 5
			if kind == fusebillsim.FaultDropBefore {
				times = 4
			}
			r.sim.Inject(fusebillsim.Fault{Kind: kind, Match: writes(2), After: 1, Times: times})
			if err := r.updateNow(context.Background(), 1, pair(0, 0), pair(101, 999), true); err == nil {
				t.Error("got no error")
			}
			r.wantAccount(latches{1: {}, 2: pair(101, 201)})
		})
	}
}

// The error of a failed restore names the customer, its prior latch and its current one.
func TestRestore_reportsLoss(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(2), After: 1, Times: 5})
		err := r.updateNow(context.Background(), 1, pair(0, 0), pair(101, 999), true)
		lost := errorAs[*NotRestoredError](t, err)
		if lost.CustomerID != 2 || lost.Prior != pair(101, 201) || lost.Current != pair(0, 201) {
			t.Errorf("got %+v", lost)
		}
		r.wantAccount(latches{1: {}, 2: pair(0, 201)})
		r.runOK(r.update(1, pair(0, 0), pair(101, 0))) // The contact is free.
	})
}

// A restore that the service does not answer ends within ten seconds of a cancel.
func TestRestore_endsWithoutAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		ctx, cancel := context.WithCancel(context.Background())
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: time.Hour, Match: writes(1), OnRequest: func(*http.Request) {},
		})
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: time.Hour, Match: writes(2), After: 1, Times: -1,
		})
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		err := r.updateNow(ctx, 1, pair(0, 0), pair(101, 0), true)
		wantError[*NotRestoredError](t, err)
		wantTook(t, begin, time.Second, time.Second+10*time.Second)
	})
}

// A restore does not take a claim back from the customer that holds it by then, even in a service
// that moves claims without a refusal.
func TestRestore_takesFromNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := ring(3)
		r := newTrial(t, m.prior)
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
		// The change that releases first fails in its last write, when another customer has its contact.
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(), After: 3, Times: 5})
		errs := r.run(m.updates(r)...)
		r.wantNothingLost(m, errs)
	})
}

// A restore does not wait for a change that was refused the same claim and now waits for another
// one.
func TestRestore_doesNotWaitForRefusedChange(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 301), 3: pair(0, 302), 5: pair(0, 201)}, unreadable)
		r.gap = 2 * callTime
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, IDs: []int64{5}, Times: -1})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(2), After: 1, Times: 10})
		errs := r.run(r.create(1, pair(101, 201)), r.update(3, pair(0, 302), pair(0, 301)),
			func(ctx context.Context) error {
				defer wantTook(t, time.Now(), 0, time.Second)
				return r.update(2, pair(101, 301), pair(102, 302))(ctx)
			})
		if errs[0] == nil {
			t.Error("the change that claims IDs of two other customers has succeeded")
		}
		wantError[*NotRestoredError](t, errs[2])
		r.wantAccount(latches{1: {}, 2: pair(101, 0), 3: pair(0, 301), 5: pair(0, 201)})
	})
}

// A restore waits for a write under way that may take its claim. If that write fails, the claim
// is restored.
func TestRestore_waitsForWriteUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := moves{
			prior:    latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0)},
			declared: latches{1: pair(103, 0), 2: pair(101, 0), 3: pair(102, 0)},
		}
		r := newTrial(t, m.prior)
		r.gap = 2 * callTime
		r.sim.Inject(slowWrite(2, 5*time.Second))
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(2), Times: 5})
		errs := r.run(r.update(2, m.prior[2], m.declared[2]), func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			return r.update(3, m.prior[3], m.declared[3])(ctx)
		}, r.update(1, m.prior[1], m.declared[1])) // This one closes the ring and releases first.
		for _, err := range errs {
			if err == nil {
				t.Error("an operation has no error")
			}
		}
		r.wantAccount(m.prior)
	})
}

// A restore does not overwrite what somebody else has latched to the customer since, and the error
// reports that.
func TestRestore_keepsChangesFromOutside(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0)})
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultStatus500Before, Match: writes(1), Times: 5,
			OnRequest: func(*http.Request) { r.sim.SetLatch(2, 555, 0) },
		})
		lost := errorAs[*NotRestoredError](t, r.createNow(context.Background(), 1, pair(101, 0), true))
		if lost.CustomerID != 2 || lost.Current != pair(555, 0) {
			t.Errorf("got %+v", lost)
		}
		wantError[*ChangedError](t, lost)
		r.wantAccount(latches{1: {}, 2: pair(555, 0)})
	})
}

// Restores whose claims are reserved by other restores do not wait for each other.
func TestRestore_neverWaitsForRestore(t *testing.T) {
	for seed := range uint64(30) {
		runInBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 0))
			m := permutation(6, seed)
			r := newTrial(t, m.prior)
			r.gap = time.Duration(dice.Int64N(int64(3 * callTime)))
			for id := int64(1); id <= 6; id++ {
				r.sim.Inject(fusebillsim.Fault{
					Kind: fusebillsim.FaultStatus500Before, Match: writes(id), After: dice.IntN(3), Times: 5 * dice.IntN(2),
				})
			}
			begin := time.Now()
			r.run(m.updates(r)...)
			wantTook(t, begin, 0, time.Minute)
		})
	}
}

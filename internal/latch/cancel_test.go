package latch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A change that has released nothing ends within two seconds of a cancel, even without an answer.
func TestCancel_endsWithinTwoSeconds(t *testing.T) {
	for _, n := range []int{1, 20} {
		runInBubble(t, fmt.Sprint(n), func(t *testing.T) {
			r := newTrial(t, unlatched(20))
			r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: time.Hour, Times: -1})
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel)
			begin := time.Now()
			if err := r.set(nil, numbered(int64(n), 100), ApplyOptions{})(ctx); err == nil {
				t.Error("got no error")
			}
			wantTook(t, begin, time.Second, 3*time.Second)
		})
	}
}

// A cancel at any moment of a ring ends every operation within a second and loses no latch: a ring
// that has begun is completed, and every other wait ends at once.
func TestCancel_losesNoLatchInRing(t *testing.T) {
	for _, n := range []int64{2, 3, 8} {
		for at := time.Duration(0); at < 14*callTime; at += 7 * time.Millisecond {
			for _, slow := range []string{"answer", "request", "answer, one customer missing"} {
				runInBubble(t, fmt.Sprint(n, " after ", at, ", slow ", slow), func(t *testing.T) {
					m := ring(n)
					r := newTrial(t, m.prior)
					switch slow {
					case "request": // A request that is cancelled before it arrives changes nothing.
						r.sim.Configure(func(b *fusebillsim.Behavior) { b.Latency = 0 })
						r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: callTime, Times: -1})
					case "answer, one customer missing":
						delete(m.prior, n)
					}
					ctx, cancel := context.WithCancel(context.Background())
					var cancelled atomic.Int64
					time.AfterFunc(at, func() { cancelled.Store(time.Now().UnixNano()); cancel() })
					errs := r.runAt(ctx, 10, m.updates(r)...)
					if then := cancelled.Load(); then != 0 {
						wantTook(t, time.Unix(0, then), 0, time.Second)
					}
					cancel()
					r.wantNothingLost(m, errs)
					for _, err := range errs {
						if lost := (*NotRestoredError)(nil); errors.As(err, &lost) {
							t.Errorf("a latch is lost: %v", err)
						}
					}
				})
			}
		}
	}
}

// The service may still make a write that was cancelled. The error reports that and names the
// customer that would lose its contact by it. The coordinator restores what was released for it.
func TestCancel_reportsWriteThatMayBeMadeLater(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
		ctx, cancel := context.WithCancel(context.Background())
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: time.Hour, Match: writes(), After: 1, Times: 1,
		})
		time.AfterFunc(5*callTime, cancel)
		begin := time.Now()
		errs := r.runAt(ctx, 10, r.update(1, pair(101, 0), pair(102, 0)), r.update(2, pair(102, 0), pair(101, 0)))
		wantTook(t, begin, 0, 10*time.Second)
		unconfirmed := errorAs[*UnconfirmedError](t, errors.Join(errs...))
		wantError[*fusebill.OutcomeUnknownError](t, unconfirmed)
		if !slices.Equal(unconfirmed.Others, []int64{3 - unconfirmed.CustomerID}) {
			t.Errorf("got %+v", unconfirmed)
		}
		r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0)})
	})
}

// A cancel during a restore does not stop it.
func TestCancel_doesNotStopRestore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
		ctx, cancel := context.WithCancel(context.Background())
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: time.Second, Match: writes(2), After: 1,
			OnRequest: func(*http.Request) { cancel() },
		})
		if err := r.updateNow(ctx, 1, pair(0, 0), pair(101, 999), true); err == nil {
			t.Error("got no error")
		}
		r.wantAccount(latches{1: {}, 2: pair(101, 201)})
	})
}

// The timeout of an operation ends its wait. The error names the holder and the timeout.
func TestTimeout_endsWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := ring(3)
		r := newTrial(t, m.prior)
		withTimeout := func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			return r.update(1, m.prior[1], m.declared[1])(ctx)
		}
		begin := time.Now()
		err := withTimeout(context.Background())
		if held := errorAs[*HeldError](t, err); held.Held[0].Holder != 2 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		wantTook(t, begin, time.Second, time.Second)
		r.wantAccount(m.prior)
	})
}

// The timeout of an operation also ends the wait of a restore for a write that may take its claim.
// The error names what the customer has lost.
func TestTimeout_endsRestoreInRing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyAfter, Latency: 50 * time.Second, Route: fusebillsim.RouteLatch, After: 1,
		})
		released := r.latchOpenCustomerAfter(500*time.Millisecond, 0) // This changes nothing, and finds the customer.
		// The operation that releases first has a timeout of one second.
		withTimeout := func(id int64, change operation) operation {
			return func(ctx context.Context) error {
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				begin := time.Now()
				time.AfterFunc(time.Second, func() {
					if released.Load() == id {
						cancel(context.DeadlineExceeded)
					}
				})
				err := change(ctx)
				if released.Load() == id {
					wantTook(t, begin, 0, 11*time.Second)
				}
				return err
			}
		}
		errs := r.run(withTimeout(1, r.update(1, pair(101, 0), pair(102, 0))),
			withTimeout(2, r.update(2, pair(102, 0), pair(101, 0))))
		first := released.Load() // It is either of the two.
		lost := errorAs[*NotRestoredError](t, errs[first-1])
		if lost.CustomerID != first || !errors.Is(lost, context.DeadlineExceeded) {
			t.Errorf("customer %d released first, got %v", first, lost)
		}
		wantNil(t, errs[2-first])
	})
}

package latch

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A slow change is no stall: Terraform may start the change of the holder after it.
func TestStall_notWhileChangeGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}})
		r.sim.Inject(slowWrite(3, 40*time.Second))
		begin := time.Now()
		errs := r.runAt(context.Background(), 2,
			r.create(1, pair(101, 0)), r.create(3, pair(103, 0)), r.delete(2, pair(101, 0)))
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		wantTook(t, begin, 40*time.Second, 41*time.Second)
	})
}

// A change that waits for the quota is no stall.
func TestStall_notWhileWaitingForQuota(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}})
		r.sim = fusebillsim.New(fusebillsim.Config{APIKey: "key", LimitMinute: 4})
		r.sim.AddCustomers(
			fusebillsim.Customer{ID: 1}, fusebillsim.Customer{ID: 2, HubSpotID: 101},
			fusebillsim.Customer{ID: 3}, fusebillsim.Customer{ID: 4})
		r.coordinator = newCoordinator(newTestClient(t, r.sim))
		errs := r.runAt(context.Background(), 3,
			r.create(1, pair(101, 0)), r.create(3, pair(103, 0)), r.create(4, pair(104, 0)),
			r.update(2, pair(101, 0), pair(102, 0)))
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0), 4: pair(104, 0)})
	})
}

// A restore is no stall: Terraform may start what another change waits for after it.
func TestStall_notDuringRestore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{
			1: pair(101, 0), 2: pair(102, 0), 3: pair(0, 203), 4: {}, 5: pair(105, 0), 6: pair(0, 206),
		})
		r.gap = 2 * callTime
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: 12 * time.Second, Route: fusebillsim.RouteLatch,
			Match: writes(1), After: 1,
		})
		ended := make(chan time.Time, 1)
		errs := r.run(r.update(2, pair(102, 0), pair(101, 203)), func(ctx context.Context) error {
			defer func() { ended <- time.Now() }()
			return r.update(1, pair(101, 0), pair(102, 206))(ctx)
		}, func(ctx context.Context) error {
			time.Sleep(7 * time.Second)
			err := r.create(4, pair(105, 0))(ctx)
			wantTook(t, <-ended, afterStall, DefaultStallTimeout+200*time.Millisecond)
			return err
		})
		for _, err := range errs {
			wantError[*HeldError](t, err)
		}
		r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0)})
	})
}

// The stall timeout starts again whenever a change begins or ends.
func TestStall_countsFromLastEvent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}}, WithStallTimeout(2*time.Second))
		r.gap = 1500 * time.Millisecond
		begin := time.Now()
		errs := r.run(r.create(1, pair(101, 0)), r.create(3, pair(103, 0)))
		wantError[*HeldError](t, errs[0])
		wantTook(t, begin, 3500*time.Millisecond, 3700*time.Millisecond)
	})
}

// The stall timeout starts again when a change begins to wait, for example after it has read the
// account.
func TestStall_countsFromLastBeginningOfWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}, 4: {}})
		r.readAccount()
		r.sim.SetLatch(4, 102, 0)
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: 12 * time.Second, Route: fusebillsim.RouteCustomers,
		})
		begin := time.Now()
		var first time.Duration
		errs := r.run(func(ctx context.Context) error {
			defer func() { first = time.Since(begin) }()
			return r.create(1, pair(101, 0))(ctx)
		}, r.create(3, pair(102, 0)))
		wantError[*HeldError](t, errs[0])
		wantError[*HeldError](t, errs[1])
		if first < 12*time.Second+DefaultStallTimeout {
			t.Errorf("the first change ended after %s", first)
		}
	})
}

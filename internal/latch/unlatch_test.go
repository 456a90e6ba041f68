package latch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// unlatch unlatches a customer. It returns the latches that were announced before the write, and
// the released one.
func (r *trial) unlatch(id int64, expected fusebill.Latch) (
	announced []fusebill.Latch, released fusebill.Latch, err error,
) {
	released, err = r.coordinator.Unlatch(context.Background(), id, expected, func(current fusebill.Latch) {
		if n := r.sim.Writes(); n > 0 {
			r.t.Error("the removal is announced after the write")
		}
		announced = append(announced, current)
	})
	return announced, released, err
}

// An unlatch announces the latch that it is about to remove. It removes nothing where the customer
// has another latch than the expected one.
func TestUnlatch_removesExpectedLatch(t *testing.T) {
	both := pair(101, 201)
	for name, test := range map[string]struct {
		current, expected fusebill.Latch
		refused           bool
		writes            int
	}{
		"any latch":                     {both, pair(0, 0), false, 1},
		"the expected latch":            {both, both, false, 1},
		"another contact":               {both, pair(102, 201), true, 0},
		"a company too":                 {both, pair(101, 0), true, 0},
		"less than expected":            {pair(0, 201), both, true, 0},
		"no latch":                      {pair(0, 0), pair(0, 0), false, 0},
		"no latch, but one is expected": {pair(0, 0), both, false, 0},
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: test.current})
			announced, released, err := r.unlatch(1, test.expected)
			var wantAnnounced []fusebill.Latch
			left, want := test.current, fusebill.Latch{}
			if test.writes > 0 {
				wantAnnounced, left, want = []fusebill.Latch{test.current}, pair(0, 0), test.current
			}
			if diff := cmp.Diff(wantAnnounced, announced); diff != "" || released != want {
				t.Errorf("released %s, want %s; announced latches differ (-want +got):\n%s", released, want, diff)
			}
			if test.refused {
				wantOther := OtherLatchError{CustomerID: 1, Expected: test.expected, Current: test.current}
				if got := errorAs[*OtherLatchError](t, err); *got != wantOther {
					t.Errorf("got %+v, want %+v", *got, wantOther)
				}
			} else if err != nil {
				t.Error(err)
			}
			r.wantWrites(test.writes)
			r.wantAccount(latches{1: left})
			if n := r.sim.Count(); n != 1+test.writes {
				t.Errorf("%d calls, want %d", n, 1+test.writes)
			}
		})
	}
}

func TestUnlatch_failsWithoutCustomer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0)})
		if _, _, err := r.unlatch(9, pair(0, 0)); !fusebill.IsNotFound(err) {
			t.Errorf("got error %v", err)
		}
		r.wantWrites(0)
	})
}

// An unlatch is refused where a resource of the run declares the customer, even while its create is
// under way.
func TestUnlatch_refusedWhileCreateIsUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		errs := r.run(r.create(1, pair(101, 0)), func(context.Context) error {
			_, err := r.coordinator.Unlatch(context.Background(), 1, pair(0, 0), func(fusebill.Latch) {})
			return err
		})
		wantNil(t, errs[0])
		wantError[*UnlatchConflictError](t, errs[1])
		r.wantAccount(latches{1: pair(101, 0)})
		r.wantWrites(1)
	})
}

// A refused unlatch neither declares a latch, so others can take the customer's claims, nor ends
// the declaration of a resource, so others cannot take those.
func TestUnlatch_refusalDoesNotDeclareLatch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: {}, 3: {}})
		_, _, err := r.unlatch(1, pair(109, 0))
		wantError[*OtherLatchError](t, err)
		r.runOK(r.take(2, pair(0, 0), pair(101, 0)))
		r.sim.ResetCalls()
		_, _, err = r.unlatch(2, pair(0, 0))
		wantError[*UnlatchConflictError](t, err)
		held := errorAs[*HeldError](t, r.createNow(context.Background(), 3, pair(101, 0), true))
		if held.Reason != HolderKeeps {
			t.Errorf("got reason %d, want HolderKeeps", held.Reason)
		}
		r.wantAccount(latches{1: {}, 2: pair(101, 0), 3: {}})
	})
}

// The delete of the resource and an unlatch of the same customer make one write together.
func TestUnlatch_besideDelete(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201)})
		r.runOK(r.delete(1, pair(101, 201)), func(context.Context) error {
			_, released, err := r.unlatch(1, pair(0, 0))
			if !released.IsZero() {
				t.Errorf("also released %s", released)
			}
			return err
		})
		r.wantAccount(latches{1: {}})
		r.wantWrites(1)
	})
}

// Another resource of the run can claim what an unlatch releases, in either order.
func TestUnlatch_freesClaimForCreate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		unlatch := func(r *trial) operation {
			return func(ctx context.Context) error {
				_, err := r.coordinator.Unlatch(ctx, 1, pair(0, 0), func(fusebill.Latch) {})
				return err
			}
		}
		r := newTrial(t, latches{1: pair(101, 201), 2: {}})
		r.runOK(r.create(2, pair(101, 0)), unlatch(r))
		r.wantAccount(latches{1: {}, 2: pair(101, 0)})
		r = newTrial(t, latches{1: pair(101, 201), 2: {}})
		r.runOK(unlatch(r), r.create(2, pair(101, 0)))
		r.wantAccount(latches{1: {}, 2: pair(101, 0)})
	})
}

// A failed unlatch ends the waits for its claims at once.
func TestUnlatch_failureEndsWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: {}})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultUnauthorized, Route: fusebillsim.RouteLatch})
		start := time.Now()
		errs := r.run(func(ctx context.Context) error {
			_, err := r.coordinator.Unlatch(ctx, 1, pair(0, 0), func(fusebill.Latch) {})
			return err
		}, r.create(2, pair(101, 0)))
		wantError[*fusebill.APIError](t, errs[0])
		wantError[*HeldError](t, errs[1])
		wantTook(t, start, 0, DefaultStallTimeout-1)
		r.wantAccount(latches{1: pair(101, 0), 2: {}})
	})
}

// An unlatch whose answers are lost succeeds where a read shows that it was made, and fails
// otherwise.
func TestUnlatch_resolvesLostAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for kind, isMade := range map[fusebillsim.FaultKind]bool{
			fusebillsim.FaultDropAfter: true, fusebillsim.FaultDropBefore: false,
		} {
			r := newTrial(t, latches{1: pair(101, 0)})
			r.sim.Inject(fusebillsim.Fault{Kind: kind, Route: fusebillsim.RouteLatch, Times: -1})
			released, err := r.coordinator.Unlatch(context.Background(), 1, pair(0, 0), func(fusebill.Latch) {})
			if isMade {
				wantNil(t, err)
				if released != pair(101, 0) {
					t.Errorf("released %s", released)
				}
			} else {
				wantError[*UnconfirmedError](t, err)
			}
		}
	})
}

// A cancelled unlatch that waits for another change of its customer writes nothing.
func TestUnlatch_cancelledWhileWaiting(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0)})
		r.sim.Inject(slowWrite(1, time.Minute))
		go r.runAt(context.Background(), 1, r.delete(1, pair(101, 0)))
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			synctest.Wait()
			cancel()
		}()
		if _, err := r.coordinator.Unlatch(ctx, 1, pair(0, 0), func(fusebill.Latch) {}); err == nil {
			t.Error("got no error")
		}
		r.wantWrites(1)
		time.Sleep(time.Hour)
	})
}

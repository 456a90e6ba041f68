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

// The promises tested here: an unlatch removes what is there, once it has told it, and nothing else than was meant; what a
// resource of the same run declares is refused, whichever comes first; it takes part in the order of changes as others do.

// unlatch unlatches a customer, and returns what was told before and what was released.
func (r *trial) unlatch(id int64, expected fusebill.Latch) (told []fusebill.Latch, released fusebill.Latch, err error) {
	released, err = r.keeper.Unlatch(context.Background(), id, expected, func(current fusebill.Latch) {
		if n := r.sim.Writes(); n > 0 {
			r.t.Error("it is told after the write")
		}
		told = append(told, current)
	})
	return told, released, err
}

func TestUnlatch(t *testing.T) {
	both := pair(101, 201)
	for name, test := range map[string]struct {
		current, expected fusebill.Latch
		refused           bool
		writes            int
	}{
		"anything":              {both, pair(0, 0), false, 1},
		"what is expected":      {both, both, false, 1},
		"another contact":       {both, pair(102, 201), true, 0},
		"a company besides":     {both, pair(101, 0), true, 0},
		"less than expected":    {pair(0, 201), both, true, 0},
		"nothing":               {pair(0, 0), pair(0, 0), false, 0},
		"nothing, not expected": {pair(0, 0), both, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: test.current})
				told, released, err := r.unlatch(1, test.expected)
				var wantTold []fusebill.Latch
				left, want := test.current, fusebill.Latch{}
				if test.writes > 0 {
					wantTold, left, want = []fusebill.Latch{test.current}, pair(0, 0), test.current
				}
				if diff := cmp.Diff(wantTold, told); diff != "" || released != want {
					t.Errorf("released %s, want %s; told (-want +got):\n%s", released, want, diff)
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
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

func TestUnlatchOfNoCustomer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0)})
		if _, _, err := r.unlatch(9, pair(0, 0)); !fusebill.IsNotFound(err) {
			t.Errorf("got error %v", err)
		}
		r.wantWrites(0)
	})
}

// Work on one customer is done one after another, so what is being latched when the unlatch comes stays latched.
func TestUnlatchRefusesWhatIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		errs := r.at(context.Background(), 10, r.create(1, pair(101, 0)), func(context.Context) error {
			_, err := r.keeper.Unlatch(context.Background(), 1, pair(0, 0), func(fusebill.Latch) {})
			return err
		})
		wantNil(t, errs[0])
		wantError[*UnlatchConflictError](t, errs[1])
		r.wantAccount(latches{1: pair(101, 0)})
		r.wantWrites(1)
	})
}

// A refused unlatch changes nothing in what others may take from the customer.
func TestUnlatchThatIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: {}, 3: {}})
		_, _, err := r.unlatch(1, pair(109, 0))
		wantError[*OtherLatchError](t, err)
		r.ok(r.take(2, pair(0, 0), pair(101, 0)))
		r.sim.ResetCalls()
		_, _, err = r.unlatch(2, pair(0, 0))
		wantError[*UnlatchConflictError](t, err)
		held := errorAs[*HeldError](t, r.createNow(context.Background(), 3, pair(101, 0), true))
		if held.Reason != HolderKeeps {
			t.Error("what is declared in this run could be taken")
		}
		r.wantAccount(latches{1: {}, 2: pair(101, 0), 3: {}})
	})
}

func TestUnlatchBesideDelete(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201)})
		r.ok(r.delete(1, pair(101, 201)), func(context.Context) error {
			_, released, err := r.unlatch(1, pair(0, 0))
			if !released.IsZero() {
				t.Errorf("released %s too", released)
			}
			return err
		})
		r.wantAccount(latches{1: {}})
		r.wantWrites(1)
	})
}

// What is released is free for a resource of the same run, whichever begins first.
func TestUnlatchMakesWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		unlatch := func(r *trial) operation {
			return func(ctx context.Context) error {
				_, err := r.keeper.Unlatch(ctx, 1, pair(0, 0), func(fusebill.Latch) {})
				return err
			}
		}
		r := newTrial(t, latches{1: pair(101, 201), 2: {}})
		r.ok(r.create(2, pair(101, 0)), unlatch(r))
		r.wantAccount(latches{1: {}, 2: pair(101, 0)})
		r = newTrial(t, latches{1: pair(101, 201), 2: {}})
		r.ok(unlatch(r), r.create(2, pair(101, 0)))
		r.wantAccount(latches{1: {}, 2: pair(101, 0)})
	})
}

// Whoever waits for what an unlatch is to release learns at once that it has failed.
func TestUnlatchThatFailsEndsWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: {}})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultUnauthorized, Route: fusebillsim.RouteLatch})
		start := time.Now()
		errs := r.at(context.Background(), 10, func(ctx context.Context) error {
			_, err := r.keeper.Unlatch(ctx, 1, pair(0, 0), func(fusebill.Latch) {})
			return err
		}, r.create(2, pair(101, 0)))
		wantError[*fusebill.APIError](t, errs[0])
		wantError[*HeldError](t, errs[1])
		wantTook(t, start, 0, DefaultStallTimeout-1)
		r.wantAccount(latches{1: pair(101, 0), 2: {}})
	})
}

// A lost answer isn't a lost write, and a write that wasn't made isn't told as one.
func TestUnlatchWhoseAnswerIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for kind, done := range map[fusebillsim.FaultKind]bool{fusebillsim.FaultDropAfter: true, fusebillsim.FaultDropBefore: false} {
			r := newTrial(t, latches{1: pair(101, 0)})
			r.sim.Inject(fusebillsim.Fault{Kind: kind, Route: fusebillsim.RouteLatch, Times: -1})
			released, err := r.keeper.Unlatch(context.Background(), 1, pair(0, 0), func(fusebill.Latch) {})
			if done {
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

func TestUnlatchCancelled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0)})
		r.sim.Inject(slowWrite(1, time.Minute))
		go r.at(context.Background(), 1, r.delete(1, pair(101, 0)))
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			synctest.Wait()
			cancel()
		}()
		if _, err := r.keeper.Unlatch(ctx, 1, pair(0, 0), func(fusebill.Latch) {}); err == nil {
			t.Error("it went on")
		}
		r.wantWrites(1)
		time.Sleep(time.Hour)
	})
}

package latch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A moves is what some customers hold and are to hold, with the number of writes that it takes.
type moves struct {
	prior, declared latches
	writes          int
}

// updates are the operations of a run that makes these moves, by customer.
func (m moves) updates(r *trial) []operation {
	var operations []operation
	for _, id := range sorted(m.prior) {
		operations = append(operations, r.update(id, m.prior[id], m.declared[id]))
	}
	return operations
}

// ring is n customers of which each takes what the next one holds: with every other one a contact
// and a company.
func ring(n int64) moves {
	m := moves{prior: make(latches), declared: make(latches), writes: int(n) + 1}
	held := func(i int64) fusebill.Latch {
		if i %= n; i%2 == 0 {
			return pair(100+i, 0)
		} else {
			return pair(0, 200+i)
		}
	}
	for i := range n {
		m.prior[i+1], m.declared[i+1] = held(i), held(i+1)
	}
	return m
}

// movesByName are moves that have to settle in one apply, whatever the order of the calls.
var movesByName = map[string]moves{
	"move": {
		latches{1: pair(101, 0), 2: pair(102, 0)},
		latches{1: pair(103, 0), 2: pair(101, 0)}, 2,
	},
	"chain of 5": {
		latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0), 4: pair(104, 0), 5: pair(105, 0)},
		latches{1: pair(102, 0), 2: pair(103, 0), 3: pair(104, 0), 4: pair(105, 0), 5: pair(106, 0)}, 5,
	},
	"swap": {
		latches{1: pair(101, 201), 2: pair(102, 202)},
		latches{1: pair(102, 201), 2: pair(101, 202)}, 3,
	},
	"swap of both": {
		latches{1: pair(101, 201), 2: pair(102, 202)},
		latches{1: pair(102, 202), 2: pair(101, 201)}, 3,
	},
	"ring of 8":  ring(8),
	"ring of 10": ring(10),
	// Customer 1 is in both rings, and gives up for both at once or is given to in both.
	"two rings that share a customer": {
		latches{1: pair(101, 201), 2: pair(102, 0), 3: pair(0, 203)},
		latches{1: pair(102, 203), 2: pair(101, 0), 3: pair(0, 201)}, -1,
	},
	"two rings that share everything": {
		latches{1: pair(101, 201), 2: pair(102, 202), 3: pair(103, 203)},
		latches{1: pair(102, 203), 2: pair(103, 201), 3: pair(101, 202)}, -1,
	},
	"two waits of one": {
		latches{1: pair(101, 0), 2: pair(0, 202), 3: pair(0, 0)},
		latches{1: pair(104, 0), 2: pair(0, 205), 3: pair(101, 202)}, 3,
	},
}

// Whatever the order of the calls, moves settle in one apply, at once, with one write for each
// customer and one more for each ring.
func TestMoves(t *testing.T) {
	for name, m := range movesByName {
		for order, reorder := range map[string]func([]operation){
			"in order": func([]operation) {}, "reversed": slices.Reverse[[]operation],
			"odd": func(o []operation) { slices.Reverse(o[:len(o)/2]) },
		} {
			for when, gap := range map[string]time.Duration{"together": time.Millisecond, "staggered": 3 * callTime / 2, "apart": time.Second} {
				t.Run(name+" "+order+" "+when, func(t *testing.T) {
					inBubble(t, func(t *testing.T) {
						r := newTrial(t, m.prior)
						r.gap = gap
						operations := m.updates(r)
						reorder(operations)
						begin := time.Now()
						r.ok(operations...)
						n := len(operations)
						wantTook(t, begin, 0, times(n, gap)+times(n+3, callTime))
						r.wantAccount(m.declared)
						if m.writes >= 0 {
							r.wantWrites(m.writes)
						} else if most := len(operations) + 2; r.sim.Writes() > most {
							t.Errorf("%d writes, want %d at most", r.sim.Writes(), most)
						}
						if r.sim.Count(fusebillsim.RouteCustomers) > 1 {
							t.Errorf("the account was read %d times", r.sim.Count(fusebillsim.RouteCustomers))
						}
					})
				})
			}
		}
	}
}

// A create waits for the destroy of the resource that holds what it claims, and so does an update.
func TestMoveFromADestroyedResource(t *testing.T) {
	for name, reverse := range map[string]bool{"taker first": false, "giver first": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: pair(101, 0), 2: {}})
				r.gap = time.Second
				operations := []operation{r.create(2, pair(101, 0)), r.delete(1, pair(101, 0))}
				if reverse {
					slices.Reverse(operations)
				}
				r.ok(operations...)
				r.wantWrites(2)
				r.wantAccount(latches{1: {}, 2: pair(101, 0)})
			})
		})
	}
}

// A holder that no operation of the run comes for is named once nothing has gone on for the stall
// timeout, and nothing is written.
func TestHolderThatIsNotManaged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201), 3: pair(0, 203), 4: {}})
		begin := time.Now()
		errs := r.at(context.Background(), 10, r.create(1, pair(101, 203)), r.create(4, pair(0, 201)))
		held := errorAs[*HeldError](t, errs[0])
		want := []Holding{{fusebill.Claim{Kind: fusebill.Contact, ID: 101}, 2}, {fusebill.Claim{Kind: fusebill.Company, ID: 203}, 3}}
		if held.CustomerID != 1 || held.Reason != HolderUnchanged || !slices.Equal(held.Held, want) {
			t.Errorf("got %+v", held)
		}
		if text := "contact 101 is latched to customer 2, and company 203 is latched to customer 3"; held.Error() != text {
			t.Errorf("got %q, want %q", held, text)
		}
		wantError[*HeldError](t, errs[1])
		// One after the other, as Terraform may begin something else in the place of the first. That is
		// no other full wait.
		wantTook(t, begin, DefaultStallTimeout, DefaultStallTimeout+afterStall+200*time.Millisecond)
		r.wantWrites(0)
	})
}

// A holder that lets go by hand while it is waited for is noticed, though nobody tells.
func TestHolderThatLetsGoByHand(t *testing.T) {
	for name, letGo := range map[string]func(*trial){
		"unlatched":    func(r *trial) { r.sim.SetLatch(2, 0, 0) },
		"latched anew": func(r *trial) { r.sim.SetLatch(2, 109, 0) },
		"deleted":      func(r *trial) { r.sim.DeleteCustomer(2) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: {}, 2: pair(101, 0)})
				time.AfterFunc(time.Second, func() { letGo(r) })
				r.ok(r.create(1, pair(101, 0)))
				r.wantWrites(1)
			})
		})
	}
}

// Nor does who waits behind such a claim give up.
func TestHolderThatLetsGoByHandInAChain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: pair(102, 0)})
		time.AfterFunc(time.Second, func() { r.sim.SetLatch(3, 0, 0) })
		r.ok(r.create(1, pair(101, 0)), r.update(2, pair(101, 0), pair(102, 0)))
		r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0), 3: {}})
	})
}

// A holder that this run has latched as declared keeps what it holds: that is known at once.
func TestHolderThatWasDeclared(t *testing.T) {
	for name, reassociate := range map[string]bool{"refused": false, "even with reassociation": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}})
				r.ok(r.update(2, pair(101, 0), pair(101, 202)))
				begin := time.Now()
				held := errorAs[*HeldError](t, r.createNow(context.Background(), 1, pair(101, 0), reassociate))
				if held.Reason != HolderKeeps {
					t.Errorf("got %+v", held)
				}
				wantTook(t, begin, 0, 3*callTime)
				r.wantWrites(1)
			})
		})
	}
}

// The same while the holder's operation is under way, and the claim is sure to fail.
func TestHolderThatIsDeclaredNow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0)})
		r.sim.Inject(slowWrite(2, time.Minute))
		begin := time.Now()
		go r.at(context.Background(), 10, r.update(2, pair(101, 0), pair(101, 202)))
		time.Sleep(time.Second)
		wantError[*HeldError](t, r.createNow(context.Background(), 1, pair(101, 0), false))
		wantTook(t, begin, time.Second, time.Second+3*callTime)
		time.Sleep(2 * time.Minute)
	})
}

// Where a holder's change fails, whoever waits for it fails at once, and what was given up is put
// back. Where another has got that by then, the error says so.
func TestHolderWhoseChangeFails(t *testing.T) {
	for _, order := range [][3]int{{1, 2, 0}, {0, 1, 2}, {2, 0, 1}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				m := ring(3)
				m.declared[3] = pair(m.declared[3].HubSpotID, 999) // which HubSpot doesn't have
				r := newTrial(t, m.prior)
				r.gap = 2 * callTime // The last one closes the ring, and gives up.
				r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
				begin := time.Now()
				operations, errs := m.updates(r), make([]error, 3)
				for i, err := range r.at(context.Background(), 10, operations[order[0]], operations[order[1]], operations[order[2]]) {
					errs[order[i]] = err
				}
				wantTook(t, begin, 0, 13*callTime)
				r.wantNothingLost(m, errs)
			})
		})
	}
}

// With reassociation, what a failed change was to let go of is taken all the same, in any order.
func TestHolderWhoseChangeFailsIsTakenFrom(t *testing.T) {
	for _, gap := range []time.Duration{time.Millisecond, time.Second} {
		t.Run(gap.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: pair(101, 201), 2: {}})
				r.gap = gap
				r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{999: true} })
				errs := r.at(context.Background(), 10, r.update(1, pair(101, 201), pair(999, 201)), r.take(2, pair(0, 0), pair(101, 0)))
				if errs[0] == nil || errs[1] != nil {
					t.Errorf("got errors %v", errs)
				}
				r.wantAccount(latches{1: pair(0, 201), 2: pair(101, 0)})
			})
		})
	}
}

// A ring longer than Terraform's parallelism can't be seen whole. It fails, and nothing is lost.
func TestRingLongerThanParallelism(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := ring(8)
		r := newTrial(t, m.prior)
		for _, err := range r.at(context.Background(), 4, m.updates(r)...) {
			wantError[*HeldError](t, err)
		}
		r.wantAccount(m.prior)
		r.wantWrites(0)
	})
}

// With reassociation a permutation of any size settles in one apply.
func TestPermutationWithReassociation(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				m := permutation(100, seed)
				r := newTrial(t, m.prior)
				var operations []operation
				for _, id := range sorted(m.prior) {
					operations = append(operations, r.take(id, m.prior[id], m.declared[id]))
				}
				r.ok(operations...)
				r.wantAccount(m.declared)
				if writes := r.sim.Writes(); writes > 3*len(m.prior) {
					t.Errorf("%d writes", writes)
				}
				if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 1 {
					t.Errorf("%d lists", lists)
				}
			})
		})
	}
}

// A change that takes its time isn't a stall: its holder's operation may come once it is done.
func TestSlowChangeIsNoStall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}})
		r.sim.Inject(slowWrite(3, 40*time.Second))
		begin := time.Now()
		errs := r.at(context.Background(), 2, r.create(1, pair(101, 0)), r.create(3, pair(103, 0)), r.delete(2, pair(101, 0)))
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		wantTook(t, begin, 40*time.Second, 41*time.Second)
	})
}

// Nor is one that waits for the rate limit.
func TestRateLimitIsNoStall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}})
		r.sim = fusebillsim.New(fusebillsim.Config{APIKey: "key", LimitMinute: 4})
		r.sim.AddCustomers(
			fusebillsim.Customer{ID: 1}, fusebillsim.Customer{ID: 2, HubSpotID: 101},
			fusebillsim.Customer{ID: 3}, fusebillsim.Customer{ID: 4})
		r.keeper = newCoordinator(newTestClient(t, r.sim))
		errs := r.at(context.Background(), 3, r.create(1, pair(101, 0)), r.create(3, pair(103, 0)), r.create(4, pair(104, 0)),
			r.update(2, pair(101, 0), pair(102, 0)))
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0), 4: pair(104, 0)})
	})
}

// The stall timeout counts anew from whatever happens last.
func TestStallCountsFromTheLastEvent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}}, WithStallTimeout(2*time.Second))
		r.gap = 1500 * time.Millisecond
		begin := time.Now()
		errs := r.at(context.Background(), 10, r.create(1, pair(101, 0)), r.create(3, pair(103, 0)))
		wantError[*HeldError](t, errs[0])
		wantTook(t, begin, 3500*time.Millisecond, 3700*time.Millisecond)
	})
}

// An operation's own timeout ends its wait, and the error says what was waited for and why it
// ended.
func TestTimeoutOfOneOperation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := ring(3)
		r := newTrial(t, m.prior)
		impatient := func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			return r.update(1, m.prior[1], m.declared[1])(ctx)
		}
		begin := time.Now()
		err := impatient(context.Background())
		if held := errorAs[*HeldError](t, err); held.Held[0].Holder != 2 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		wantTook(t, begin, time.Second, time.Second)
		r.wantAccount(m.prior)
	})
}

// A change of a ring waits for the write that may take what it restores, but not longer than its own
// operation has, and its error names what the customer has lost.
func TestTimeoutOfOneOperation_inARing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyAfter, Latency: 50 * time.Second, Route: fusebillsim.RouteLatch, After: 1,
		})
		released := r.unlatchedAfter(500*time.Millisecond, 0) // Nothing changes: this finds the customer.
		// The time of the operation that has released first is over after a second.
		impatient := func(id int64, change operation) operation {
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
		errs := r.at(context.Background(), 10, impatient(1, r.update(1, pair(101, 0), pair(102, 0))),
			impatient(2, r.update(2, pair(102, 0), pair(101, 0))))
		first := released.Load() // Either of the two, as they happen to begin.
		lost := errorAs[*NotRestoredError](t, errs[first-1])
		if lost.CustomerID != first || !errors.Is(lost, context.DeadlineExceeded) {
			t.Errorf("customer %d released first, got %v", first, lost)
		}
		wantNil(t, errs[2-first])
	})
}

// slowWrite makes the next write of a customer take long before it is handled.
func slowWrite(id int64, wait time.Duration) fusebillsim.Fault {
	return fusebillsim.Fault{
		Kind: fusebillsim.FaultLatencyBefore, Latency: wait, Route: fusebillsim.RouteLatch, Match: writes(id),
	}
}

// With reassociation a stall is no reason to give up, as long as a holder's operation is under way:
// if that fails, what it was to let go of can be taken.
func TestStallWithReassociation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: pair(102, 0), 4: pair(0, 201)})
		errs := r.at(context.Background(), 10, r.take(1, pair(0, 0), pair(101, 201)), r.update(2, pair(101, 0), pair(102, 0)))
		wantNil(t, errs[0])
		wantError[*HeldError](t, errs[1])
		r.wantAccount(latches{1: pair(101, 201), 2: {}, 3: pair(102, 0), 4: {}})
	})
}

// Who waits for what its holder keeps waits in vain, which is no ring: nothing is given up for it.
func TestDeclaredTwiceIsNoRing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201), 2: pair(102, 0)})
		r.gap = 2 * callTime
		errs := r.at(context.Background(), 10, r.update(2, pair(102, 0), pair(103, 201)), r.update(1, pair(101, 201), pair(102, 201)))
		wantError[*HeldError](t, errs[0])
		wantError[*HeldError](t, errs[1])
		r.wantWrites(0)
	})
}

// The stall timeout also counts from when a change has done what nobody sees, such as reading the
// account, and waits.
func TestStallCountsFromTheLastToWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}, 4: {}})
		wantNil(t, r.keeper.knowHolders(context.Background()))
		r.sim.SetLatch(4, 102, 0)
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: 12 * time.Second, Route: fusebillsim.RouteCustomers})
		begin := time.Now()
		var first time.Duration
		errs := r.at(context.Background(), 10, func(ctx context.Context) error {
			defer func() { first = time.Since(begin) }()
			return r.create(1, pair(101, 0))(ctx)
		}, r.create(3, pair(102, 0)))
		wantError[*HeldError](t, errs[0])
		wantError[*HeldError](t, errs[1])
		if first < 12*time.Second+DefaultStallTimeout {
			t.Errorf("the first ended after %s", first)
		}
	})
}

// A change that puts back what it gave up isn't waiting: what comes after it may be what another
// waits for.
func TestPuttingBackIsNoStall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(0, 203), 4: {}, 5: pair(105, 0), 6: pair(0, 206)})
		r.gap = 2 * callTime
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: 12 * time.Second, Route: fusebillsim.RouteLatch, Match: writes(1), After: 1,
		})
		ended := make(chan time.Time, 1)
		errs := r.at(context.Background(), 10, r.update(2, pair(102, 0), pair(101, 203)), func(ctx context.Context) error {
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

package latch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// set is an operation that applies a set, whose changes are all to succeed.
func (r *trial) set(prior, declared latches, options ApplyOptions) operation {
	return func(ctx context.Context) error {
		results, err := r.keeper.Apply(ctx, changesBetween(prior, declared), options)
		for _, result := range results {
			err = errors.Join(err, result.Err)
		}
		return err
	}
}

// unlatchedAfter latches, after a time, a customer that is unlatched then, and tells which.
func (r *trial) unlatchedAfter(wait time.Duration, contact int64) *atomic.Int64 {
	found := new(atomic.Int64)
	time.AfterFunc(wait, func() {
		for _, c := range r.sim.Customers() {
			if c.HubSpotID == 0 {
				found.Store(c.ID)
			}
		}
		r.sim.SetLatch(found.Load(), contact, 0)
	})
	return found
}

// A ring settles in one apply, with one extra write, whichever resources it goes through and
// whichever comes first.
func TestRingAcrossResources(t *testing.T) {
	prior := latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0), 4: pair(104, 0)}
	declared := latches{1: pair(102, 0), 2: pair(103, 0), 3: pair(104, 0), 4: pair(101, 0)}
	part := func(all latches, ids ...int64) latches {
		some := make(latches)
		for _, id := range ids {
			some[id] = all[id]
		}
		return some
	}
	for name, members := range map[string][][]int64{
		"a set and singles": {{1, 2}, {3}, {4}}, "a set whose rows are apart": {{1, 3}, {2}, {4}},
		"two sets": {{1, 3}, {2, 4}}, "two sets side by side": {{1, 2}, {3, 4}}, "a set and one single": {{1, 2, 3}, {4}},
	} {
		for _, gap := range []time.Duration{0, time.Millisecond, callTime, 3 * callTime, time.Second} {
			for _, isReversed := range []bool{false, true} {
				t.Run(fmt.Sprint(name, " ", gap, " reversed=", isReversed), func(t *testing.T) {
					inBubble(t, func(t *testing.T) {
						r := newTrial(t, prior)
						r.gap = gap
						var operations []operation
						for _, ids := range members {
							operations = append(operations, r.set(part(prior, ids...), part(declared, ids...), ApplyOptions{}))
						}
						if isReversed {
							slices.Reverse(operations)
						}
						begin := time.Now()
						r.ok(operations...)
						wantTook(t, begin, 0, times(len(operations), gap)+DefaultStallTimeout)
						r.wantAccount(declared)
						r.wantWrites(5)
					})
				})
			}
		}
	}
}

// Chains and rings that are at most as long as Terraform's parallelism settle in one apply. Of a
// longer chain each apply settles a part, and a longer ring stays as it is. No latch is lost in any
// case.
func TestChainsAndRingsAtAParallelism(t *testing.T) {
	const n = 30
	for _, isRing := range []bool{false, true} {
		for _, parallelism := range []int{n, 10, 2, 1} {
			for seed := range uint64(5) {
				t.Run(fmt.Sprint("ring=", isRing, " at ", parallelism, " order ", seed), func(t *testing.T) {
					inBubble(t, func(t *testing.T) {
						m := ring(n)
						if !isRing {
							m.declared[n] = pair(999, 0)
						}
						r := newTrial(t, m.prior)
						operations := m.updates(r)
						rand.New(rand.NewPCG(seed, 0)).Shuffle(n, func(i, j int) { operations[i], operations[j] = operations[j], operations[i] })
						done := 0
						for _, err := range r.at(context.Background(), parallelism, operations...) {
							if err == nil {
								done++
							} else if held := errorAs[*HeldError](t, err); held.Reason == HolderUnchanged && parallelism == n {
								t.Errorf("got %+v", held)
							}
						}
						settled := 0
						for _, c := range r.sim.Customers() {
							switch now := pair(c.HubSpotID, c.HubSpotCompanyID); now {
							case m.declared[c.ID]:
								settled++
							case m.prior[c.ID]:
							default:
								t.Errorf("customer %d is latched to %s", c.ID, now)
							}
						}
						switch {
						case settled != done, !isRing && done == 0, parallelism == n && done != n, isRing && parallelism < n && done > 0:
							t.Errorf("%d settled, and %d ended without an error", settled, done)
						case r.sim.Writes() > done+1 || !isRing && r.sim.Writes() != done:
							t.Errorf("%d writes for %d", r.sim.Writes(), done)
						}
					})
				})
			}
		}
	}
}

// A chain whose end begins last, once there is a place for it, settles a part as long as the
// parallelism.
func TestLongChainSettlesInParts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const n, parallelism = 30, 10
		m := ring(n)
		m.declared[n] = pair(999, 0)
		r := newTrial(t, m.prior)
		begin := time.Now()
		errs := r.at(context.Background(), parallelism, m.updates(r)...)
		for i, err := range errs {
			if i < n-parallelism {
				if held := errorAs[*HeldError](t, err); held.Reason != HolderWaits || held.Chain != parallelism-1 {
					t.Errorf("change %d: got %+v", i, *held)
				}
			} else {
				wantNil(t, err)
			}
		}
		wantTook(t, begin, 0, DefaultStallTimeout+(n-parallelism)*(afterStall+100*time.Millisecond))
	})
}

// A customer whose latch another change of the run removes is waited for, as a contact is.
func TestCustomersAreClaims(t *testing.T) {
	for _, gap := range []time.Duration{time.Millisecond, 3 * callTime, time.Second} {
		t.Run(gap.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
				r.gap = gap
				// Two resources exchange their customers.
				r.ok(r.create(2, pair(101, 0)), r.create(1, pair(102, 0)), r.delete(1, pair(101, 0)), r.delete(2, pair(102, 0)))
				r.wantAccount(latches{1: pair(102, 0), 2: pair(101, 0)})
				r.wantWrites(4)
			})
		})
	}
}

// A set that is renamed without a moved block keeps its latches without a write, whichever side
// begins first.
func TestSetThatIsRenamed(t *testing.T) {
	for _, isDestroyedFirst := range []bool{true, false} {
		for _, gap := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond} {
			t.Run(fmt.Sprint(gap, " destroyed first=", isDestroyedFirst), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					held := numbered(200, 100)
					r := newTrial(t, held)
					r.gap = gap
					operations := []operation{r.set(held, nil, ApplyOptions{AwaitOthers: 5 * time.Second}), r.set(nil, held, ApplyOptions{})}
					if !isDestroyedFirst {
						slices.Reverse(operations)
					}
					r.ok(operations...)
					r.wantAccount(held)
					r.wantWrites(0)
				})
			})
		}
	}
}

// A release that leaves everything to another resource reports so.
func TestKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
		r.ok(r.create(1, pair(101, 0)))
		for id, want := range map[int64]Result{1: {Latch: pair(101, 0), Kept: true}, 2: {}} {
			if got, err := r.applyOne(context.Background(), Change{CustomerID: id, Prior: pair(100+id, 0)}, false); err != nil || got != want {
				t.Errorf("customer %d: got %+v, want %+v", id, got, want)
			}
		}
	})
}

// A strict release fails where the customer holds anything but what was planned.
func TestStrictRelease(t *testing.T) {
	for current, isRefused := range map[fusebill.Latch]bool{
		pair(101, 0): false, pair(0, 0): false, pair(101, 201): true, pair(102, 0): true,
	} {
		t.Run(current.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: current})
				result, err := r.applyOne(context.Background(), Change{CustomerID: 1, Prior: pair(101, 0), Strict: true}, false)
				if !isRefused {
					wantNil(t, err)
					r.wantAccount(latches{1: {}})
					return
				}
				wantError[*ChangedError](t, err)
				if r.wantWrites(0); result.Latch != current {
					t.Errorf("the result says %s", result.Latch)
				}
			})
		})
	}
}

// What somebody else has changed since the last read is found out before a write, in a create, an
// update, and a delete.
func TestDecidesOnAFreshRead(t *testing.T) {
	for name, test := range map[string]struct {
		change Change
		isErr  bool
	}{
		"create": {Change{CustomerID: 1, Declared: pair(101, 0)}, true},
		"update": {Change{CustomerID: 1, Prior: pair(101, 0), Declared: pair(102, 0)}, true},
		"delete": {Change{CustomerID: 1, Prior: pair(101, 0)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: pair(101, 0)})
				if test.change.Prior.IsZero() {
					r.sim.SetLatch(1, 0, 0)
				}
				if _, err := r.keeper.reader.Customer(context.Background(), 1); err != nil {
					t.Fatal(err)
				}
				time.Sleep(customers.MaxAgeBeforeWrite + time.Second)
				r.sim.SetLatch(1, 555, 0)
				if _, err := r.applyOne(context.Background(), test.change, false); (err != nil) != test.isErr {
					t.Errorf("got error %v", err)
				}
				r.wantAccount(latches{1: pair(555, 0)})
				r.wantWrites(0)
			})
		})
	}
}

// A write that waits for the quota is not sent on an old read: the customer is read again.
func TestDecidesOnAFreshRead_afterAWaitForTheQuota(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, nil)
		r.sim = fusebillsim.New(fusebillsim.Config{APIKey: "key", LimitMinute: 3, Behavior: fusebillsim.Behavior{Latency: callTime}})
		r.sim.AddCustomers(fusebillsim.Customer{ID: 1}, fusebillsim.Customer{ID: 2}, fusebillsim.Customer{ID: 3})
		r.keeper = newCoordinator(newTestClient(t, r.sim))
		last := r.unlatchedAfter(30*time.Second, 555)
		results := r.apply(nil, latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0)})
		wantError[*AlreadyLatchedError](t, results[last.Load()].Err)
		r.wantAccount(latches{last.Load(): pair(555, 0)})
	})
}

// A restore leaves a customer that somebody else has changed since, and the error says so.
func TestRestoreLeavesANewerChange(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0)})
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultStatus500Before, Match: writes(1), Times: 5, OnRequest: func(*http.Request) { r.sim.SetLatch(2, 555, 0) },
		})
		lost := errorAs[*NotRestoredError](t, r.createNow(context.Background(), 1, pair(101, 0), true))
		if lost.CustomerID != 2 || lost.Current != pair(555, 0) {
			t.Errorf("got %+v", lost)
		}
		wantError[*ChangedError](t, lost)
		r.wantAccount(latches{1: {}, 2: pair(555, 0)})
	})
}

// The last write of a ring leaves one, too.
func TestRingLeavesANewerChange(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: 20 * time.Second, Match: writes(), After: 1})
		open := r.unlatchedAfter(10*time.Second, 555)
		errs := r.at(context.Background(), 10, r.update(1, pair(101, 0), pair(102, 0)), r.update(2, pair(102, 0), pair(101, 0)))
		lost := errorAs[*NotRestoredError](t, errors.Join(errs...))
		if lost.CustomerID != open.Load() || lost.Current != pair(555, 0) {
			t.Errorf("got %+v", lost)
		}
		r.wantAccount(latches{open.Load(): pair(555, 0), 3 - open.Load(): pair(100+open.Load(), 0)})
	})
}

// Restores that need what other restores have reserved do not wait for each other.
func TestRestoresThatMeet(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
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
				r.at(context.Background(), 10, m.updates(r)...)
				wantTook(t, begin, 0, time.Minute)
			})
		})
	}
}

// A write that is cancelled may be made later. The error says so and names the customer that would
// lose by it, and what was released for it is restored.
func TestCancelledWriteThatMayBeMadeLater(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
		ctx, cancel := context.WithCancel(context.Background())
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: time.Hour, Match: writes(), After: 1, Times: 1})
		time.AfterFunc(5*callTime, cancel)
		begin := time.Now()
		errs := r.at(ctx, 10, r.update(1, pair(101, 0), pair(102, 0)), r.update(2, pair(102, 0), pair(101, 0)))
		wantTook(t, begin, 0, 10*time.Second)
		unconfirmed := errorAs[*UnconfirmedError](t, errors.Join(errs...))
		wantError[*fusebill.OutcomeUnknownError](t, unconfirmed)
		if !slices.Equal(unconfirmed.Others, []int64{3 - unconfirmed.CustomerID}) {
			t.Errorf("got %+v", unconfirmed)
		}
		r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0)})
	})
}

// A change that has released nothing ends within two seconds of a cancel, whatever the service
// does.
func TestCancelEndsSoon(t *testing.T) {
	for _, n := range []int{1, 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, unlatched(20))
				r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: time.Hour, Times: -1})
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(time.Second, cancel)
				begin := time.Now()
				if err := r.set(nil, numbered(int64(n), 100), ApplyOptions{})(ctx); err == nil {
					t.Error("it has succeeded")
				}
				wantTook(t, begin, time.Second, 3*time.Second)
			})
		})
	}
}

// refusing answers writes with a 409 that is about another rule.
type refusing struct{ base http.RoundTripper }

func (t refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		return t.base.RoundTrip(req)
	}
	body := `{"ErrorId":0,"HttpStatusCode":409,"Errors":[{"Key":"Api Error","Value":"The customer is cancelled."}]}`
	return &http.Response{StatusCode: http.StatusConflict, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// A refusal for another rule is no reason to read the account again for each write.
func TestConflictOfAnotherRule(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const pages = 5
		r := newTrial(t, nil)
		ids := r.sim.AddSampleCustomers(pages * 1000)
		client, err := fusebill.NewClient("key", fusebill.WithTransport(refusing{r.sim.Transport()}))
		if err != nil {
			t.Fatal(err)
		}
		declared := make(latches)
		for _, id := range ids[:200] {
			declared[id] = pair(id, 0)
		}
		results, err := New(client, customers.NewReader(client)).Apply(t.Context(), changesBetween(nil, declared), ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, result := range results {
			wantError[*fusebill.APIError](t, result.Err)
		}
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists > 2*pages+2 {
			t.Errorf("%d list calls", lists)
		}
	})
}

// A long run reads its customers again by batches: at most one call for a hundred writes, and one
// for each window.
func TestLongRunReadsInBatches(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const n = 3000
		r := newTrial(t, unlatched(n))
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Latency = time.Second })
		begin := time.Now()
		r.applyOK(nil, numbered(n, 100))
		r.wantWrites(n)
		windows := int(time.Since(begin)/(aheadFor-readMoment)) + 1
		if reads := r.sim.Count() - r.sim.Writes(); reads > n/1000+n/100+windows {
			t.Errorf("%d reads", reads)
		}
	})
}

// The work of a set goes on while many of its changes wait for others.
func TestWaitsTakeNoWorker(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		account := unlatched(200)
		for id := int64(1001); id <= 1100; id++ {
			account[id] = pair(id, 0)
		}
		r := newTrial(t, account)
		declared := numbered(100, 1000) // Each waits for the customer of a resource that comes later.
		for id := int64(101); id <= 200; id++ {
			declared[id] = pair(id, 0)
		}
		r.gap = 2 * time.Second
		released := make(latches)
		for id := int64(1001); id <= 1100; id++ {
			released[id] = account[id]
		}
		begin := time.Now()
		r.ok(r.set(nil, declared, ApplyOptions{}), func(ctx context.Context) error {
			r.wantWrites(100)
			return r.set(released, nil, ApplyOptions{})(ctx)
		})
		wantTook(t, begin, 2*time.Second, 10*time.Second)
		r.wantAccount(declared)
	})
}

package latch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A ring settles in one apply with one extra write, for any distribution of its customers over
// single latches and sets, and in any order.
func TestRings_settleAcrossResources(t *testing.T) {
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
		"a set and single latches": {{1, 2}, {3}, {4}}, "a set of two parts of the ring": {{1, 3}, {2}, {4}},
		"two sets by turns": {{1, 3}, {2, 4}}, "two sets side by side": {{1, 2}, {3, 4}},
		"a set and one single latch": {{1, 2, 3}, {4}},
	} {
		for _, gap := range []time.Duration{0, time.Millisecond, callTime, 3 * callTime, time.Second} {
			for _, isReversed := range []bool{false, true} {
				runInBubble(t, fmt.Sprint(name, " ", gap, " reversed=", isReversed), func(t *testing.T) {
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
					r.runOK(operations...)
					wantTook(t, begin, 0, times(len(operations), gap)+DefaultStallTimeout)
					r.wantAccount(declared)
					r.wantWrites(5)
				})
			}
		}
	}
}

// Chains and rings settle in one apply where Terraform's parallelism is at least their length. Of a
// longer chain each apply settles a part, and a longer ring stays as it is. No latch is lost in any
// case.
func TestRings_settleUpToParallelism(t *testing.T) {
	const n = 30
	for _, isRing := range []bool{false, true} {
		for _, parallelism := range []int{n, 10, 2, 1} {
			for seed := range uint64(5) {
				runInBubble(t, fmt.Sprint("ring=", isRing, " at ", parallelism, " order ", seed), func(t *testing.T) {
					m := ring(n)
					if !isRing {
						m.declared[n] = pair(999, 0)
					}
					r := newTrial(t, m.prior)
					operations := m.updates(r)
					rand.New(rand.NewPCG(seed, 0)).Shuffle(n, func(i, j int) {
						operations[i], operations[j] = operations[j], operations[i]
					})
					done := 0
					for _, err := range r.runAt(context.Background(), parallelism, operations...) {
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
						t.Errorf("%d customers have the declared latch, and %d changes ended without an error", settled, done)
					case r.sim.Writes() > done+1 || !isRing && r.sim.Writes() != done:
						t.Errorf("%d writes for %d changes", r.sim.Writes(), done)
					}
				})
			}
		}
	}
}

// A chain that is longer than the parallelism, and whose end begins last, settles a part that is as
// long as the parallelism.
func TestChains_settleInParts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const n, parallelism = 30, 10
		m := ring(n)
		m.declared[n] = pair(999, 0)
		r := newTrial(t, m.prior)
		begin := time.Now()
		errs := r.runAt(context.Background(), parallelism, m.updates(r)...)
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

// A ring that is longer than Terraform's parallelism never has all of its changes under way. All of
// them fail, and the coordinator writes nothing.
func TestRings_failWithoutWritesAboveParallelism(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := ring(8)
		r := newTrial(t, m.prior)
		for _, err := range r.runAt(context.Background(), 4, m.updates(r)...) {
			wantError[*HeldError](t, err)
		}
		r.wantAccount(m.prior)
		r.wantWrites(0)
	})
}

// A change releases nothing for a ring where it also claims a company that another customer holds
// and no change releases.
func TestRings_releaseNothingInVain(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		runInBubble(t, fmt.Sprint(order), func(t *testing.T) {
			r := newTrial(t, latches{1: pair(101, 201), 2: pair(102, 0), 3: pair(0, 202)})
			operations := []operation{r.update(2, pair(102, 0), pair(101, 0)), r.update(1, pair(101, 201), pair(102, 202))}
			for _, err := range r.run(operations[order[0]], operations[order[1]]) {
				wantError[*HeldError](t, err)
			}
			r.wantWrites(0)
		})
	}
}

// Two changes that wait for each other are no ring where one of them declares what the other one
// claims. Both fail, and neither releases anything.
func TestRings_releaseNothingForKeptClaim(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201), 2: pair(102, 0)})
		r.gap = 2 * callTime
		errs := r.run(r.update(2, pair(102, 0), pair(103, 201)), r.update(1, pair(101, 201), pair(102, 201)))
		wantError[*HeldError](t, errs[0])
		wantError[*HeldError](t, errs[1])
		r.wantWrites(0)
	})
}

// The change that has released first cannot restore its prior latch after its last write has
// failed: another customer of the ring has that contact by then. It brings the declared latch
// instead, so the customer does not stay unlatched.
func TestRings_finishAfterFailedLastWrite(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := ring(3)
		r := newTrial(t, m.prior)
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(), After: 3, Times: 5})
		r.runOK(m.updates(r)...)
		r.wantAccount(m.declared)
	})
}

// The change that has released first does not overwrite what somebody else has latched to its
// customer since.
func TestRings_keepChangesFromOutside(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: 20 * time.Second, Match: writes(), After: 1,
		})
		open := r.latchOpenCustomerAfter(10*time.Second, 555)
		errs := r.run(r.update(1, pair(101, 0), pair(102, 0)), r.update(2, pair(102, 0), pair(101, 0)))
		lost := errorAs[*NotRestoredError](t, errors.Join(errs...))
		if lost.CustomerID != open.Load() || lost.Current != pair(555, 0) {
			t.Errorf("got %+v", lost)
		}
		r.wantAccount(latches{open.Load(): pair(555, 0), 3 - open.Load(): pair(100+open.Load(), 0)})
	})
}

// A ring settles if the response to one of its writes is lost, and if the service fails once. If
// the service keeps failing, no latch is lost.
func TestRings_settleDespiteLostResponses(t *testing.T) {
	m := ring(3)
	for _, kind := range []fusebillsim.FaultKind{
		fusebillsim.FaultDropAfter, fusebillsim.FaultStatus500After,
		fusebillsim.FaultDropBefore, fusebillsim.FaultStatus500Before,
	} {
		for _, times := range []int{1, 5} {
			for write := range 4 {
				runInBubble(t, fmt.Sprintf("%s %d times from write %d", kind, times, write), func(t *testing.T) {
					r := newTrial(t, m.prior)
					r.sim.Inject(fusebillsim.Fault{Kind: kind, Match: writes(), After: write, Times: times})
					errs := r.run(m.updates(r)...)
					done := kind == fusebillsim.FaultDropAfter || kind == fusebillsim.FaultStatus500After || times == 1
					if err := errors.Join(errs...); done {
						if err != nil {
							t.Error(err)
						}
						r.wantAccount(m.declared)
						return
					}
					r.wantNothingLost(m, errs)
				})
			}
		}
	}
}

package latch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// ringOfThree returns an account with its prior and declared latches. Customer 1 claims the contact
// of customer 2, 2 that of 3, and 3 that of 1. Customer 4 is not part of the ring.
func ringOfThree(t *testing.T) (*trial, latches, latches) {
	t.Helper()
	r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0), 4: pair(0, 0)})
	return r, latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0)},
		latches{1: pair(102, 0), 2: pair(103, 0), 3: pair(101, 0), 4: pair(104, 0)}
}

// A ring whose writes fail from any call on is restored where that is possible; elsewhere the error
// reports the loss. The change beside the ring succeeds.
func TestApplySet_restoresFailedRing(t *testing.T) {
	t.Parallel()
	for call := range 4 {
		runInBubble(t, fmt.Sprintf("call %d", call), func(t *testing.T) {
			r, prior, declared := ringOfThree(t)
			// From this call on, the writes of the ring fail.
			r.sim.Inject(fusebillsim.Fault{
				Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteLatch, After: call, Times: 5,
				Match: func(req *http.Request) bool { return customerOf(t, req) < 4 },
			})
			results := r.apply(prior, declared)
			after := make(latches)
			for _, c := range r.sim.Customers() {
				after[c.ID] = pair(c.HubSpotID, c.HubSpotCompanyID)
			}
			for id, now := range after {
				if now.IsZero() { // Others hold its prior and its declared contact.
					wantError[*NotRestoredError](t, results[id].Err)
				} else if id < 4 && now != prior[id] && now != declared[id] {
					t.Errorf("customer %d is latched to %s: %v", id, now, results[id].Err)
				}
			}
			if results[4].Err != nil || after[4] != declared[4] {
				t.Errorf("customer 4, beside the ring: %v", results[4].Err)
			}
			// The next apply closes the ring.
			delete(after, 4)
			r.applyAgain(after, declared)
		})
	}
}

// A cancelled set ends within two seconds. It returns results only for the changes that it has
// begun, and the next apply makes exactly the others.
func TestApplySet_endsWithinTwoSecondsOfCancel(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 30, 45, 61, 70, 100, 150, 200} {
		runInBubble(t, fmt.Sprint(after), func(t *testing.T) {
			r := newTrial(t, unlatched(200))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Duration(after)*time.Millisecond, cancel)
			start := time.Now()
			results, err := r.coordinator.Apply(ctx, changesBetween(nil, numbered(200, 100)), ApplyOptions{})
			wantTook(t, start, 0, time.Duration(after)*time.Millisecond+2*time.Second)
			if !errors.Is(err, context.Canceled) || len(results) == 200 {
				t.Errorf("%d results, error %v", len(results), err)
			}
			writes := r.sim.Writes()
			prior := make(latches)
			for id, result := range results {
				if result.Err != nil {
					t.Errorf("customer %d was begun and has an error: %v", id, result.Err)
				}
				prior[id] = result.Latch
			}
			if len(prior) != writes {
				t.Errorf("%d results after %d writes", len(prior), writes)
			}
			r.applyAgain(prior, numbered(200, 100))
			r.wantWrites(200 - writes)
		})
	}
}

// A cancelled set completes a short ring, and ends a long one in time. The error of each customer
// that has no latch then reports the loss.
func TestApplySet_completesShortRingAfterCancel(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{20, 400} {
		for _, after := range []int{50, 65, 100, 200, 400} {
			runInBubble(t, fmt.Sprintf("of %d after %d ms", n, after), func(t *testing.T) {
				prior, declared := ring(n).prior, ring(n).declared
				r := newTrial(t, prior)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Duration(after)*time.Millisecond, cancel)
				start := time.Now()
				results, err := r.coordinator.Apply(ctx, changesBetween(prior, declared), ApplyOptions{})
				wantTook(t, start, 0, time.Duration(after)*time.Millisecond+ringTimeout+time.Second)
				if n == 20 && r.sim.Writes() > 0 && err != nil {
					t.Errorf("the ring was begun and not completed: %v", err)
				}
				after := make(latches)
				for _, c := range r.sim.Customers() {
					after[c.ID] = pair(c.HubSpotID, c.HubSpotCompanyID)
					if after[c.ID].IsZero() {
						wantError[*NotRestoredError](t, results[c.ID].Err)
					} else if err := results[c.ID].Err; err != nil {
						t.Errorf("customer %d: %v", c.ID, err)
					}
				}
				r.applyAgain(after, declared)
			})
		}
	}
}

// A cancelled set returns the cause of its context, such as a timeout.
func TestApplySet_returnsCauseOfCancel(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, unlatched(200))
		why := errors.New("the time is over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
		defer cancel()
		if _, err := r.coordinator.Apply(ctx, changesBetween(nil, numbered(200, 100)), ApplyOptions{}); !errors.Is(err, why) {
			t.Errorf("got error %v", err)
		}
	})
}

// A set that runs for long does not overwrite what somebody else changes meanwhile. It reads its
// customers again in batches.
func TestApplySet_readsAgainInLongRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const n = 1000
		r := newTrial(t, unlatched(n))
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Latency = 5 * time.Second })
		time.AfterFunc(200*time.Second, func() { r.sim.SetLatch(n, 99_999, 0) })
		results := r.apply(nil, numbered(n, 100))
		r.wantResults(results, []int64{n})
		wantError[*AlreadyLatchedError](t, results[n].Err)
		if reads := r.sim.Count() - r.sim.Writes(); reads > n/100+400/15 {
			t.Errorf("%d reads", reads)
		}
	})
}

// Random sets lose no latch while calls fail at random. A result without an error has the declared
// latch, which the account has. Each loss is reported by an error. The next apply makes the rest.
func TestApplySet_losesNoLatchUnderRandomFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { applyWithFaults(t, seed) })
		})
	}
}

func applyWithFaults(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 3))
	n := 2 + random.IntN(50)
	contacts, companies := newShuffle(random, n), newShuffle(random, n)
	prior, declared := make(latches), make(latches)
	for i := range n {
		prior[int64(i+1)] = pair(contacts.from[i], companies.from[i])
		declared[int64(i+1)] = pair(contacts.to[i], companies.to[i])
	}
	r := newTrial(t, prior)
	if random.IntN(3) == 0 {
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
	}
	stopFaults := r.sim.InjectChaos(fusebillsim.Chaos{
		Probability: 0.3 + 0.5*random.Float64(), Seed: seed, Route: fusebillsim.RouteLatch,
		Kinds: []fusebillsim.FaultKind{
			fusebillsim.FaultStatus500Before, fusebillsim.FaultStatus500After,
			fusebillsim.FaultDropBefore, fusebillsim.FaultDropAfter, fusebillsim.FaultTruncatedBody,
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if random.IntN(2) == 0 {
		time.AfterFunc(time.Duration(random.IntN(1500))*time.Millisecond, cancel)
	}
	changes := changesBetween(prior, declared)
	results, err := r.coordinator.Apply(ctx, changes, ApplyOptions{})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	stopFaults()
	after := make(latches)
	for _, c := range r.sim.Customers() {
		after[c.ID] = pair(c.HubSpotID, c.HubSpotCompanyID)
	}
	for _, change := range changes {
		id := change.CustomerID
		result, begun := results[id]
		lost := change.Prior.Without(after[id])
		switch {
		case begun && result.Err == nil && after[id] != change.Declared:
			t.Errorf("customer %d is latched to %s, want %s, without an error", id, after[id], change.Declared)
		case !begun && after[id] != change.Prior:
			t.Errorf("customer %d was not begun but is latched to %s, want %s", id, after[id], change.Prior)
		case begun && result.Err != nil && !lost.IsZero() && after[id] != change.Declared && !reportsLoss(result.Err):
			t.Errorf("customer %d has lost %s, which its error does not report: %v", id, lost, result.Err)
		}
	}
	r.applyAgain(after, declared)
}

// shuffle is which ID each customer has before and after; 0 is none.
type shuffle struct{ from, to []int64 }

func newShuffle(random *rand.Rand, n int) shuffle {
	s := shuffle{from: make([]int64, n), to: make([]int64, n)}
	for i := range n {
		s.from[i] = int64(i + 1)
	}
	for i, j := range random.Perm(n) {
		s.to[i] = s.from[j]
	}
	for i := range n {
		switch random.IntN(6) {
		case 0:
			s.to[i] = 0
		case 1:
			s.to[i] = int64(1000 + i)
		case 2:
			s.from[i] = 0
		}
	}
	return s
}

// rings counts the rings of at least two customers.
func (s shuffle) rings() int {
	holder := map[int64]int{}
	for i, id := range s.from {
		if id != 0 {
			holder[id] = i
		}
	}
	rings := 0
	seen := make([]bool, len(s.to))
	for start := range s.to {
		length, at, closed := 0, start, false
		for !seen[at] {
			seen[at] = true
			length++
			next, held := holder[s.to[at]]
			if !held {
				break
			}
			at, closed = next, next == start
		}
		if closed && length > 1 {
			rings++
		}
	}
	return rings
}

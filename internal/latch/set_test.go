package latch

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// changesBetween returns the changes of a set. A customer that is only among prior is released.
func changesBetween(prior, declared latches) []Change {
	all := make(latches)
	maps.Copy(all, prior)
	maps.Copy(all, declared)
	var changes []Change
	for _, id := range sorted(all) {
		if prior[id] != declared[id] {
			changes = append(changes, Change{CustomerID: id, Prior: prior[id], Declared: declared[id]})
		}
	}
	return changes
}

// apply applies a set, and fails the test where some of its changes were not begun.
func (r *trial) apply(prior, declared latches) map[int64]Result {
	r.t.Helper()
	results, err := r.coordinator.Apply(r.t.Context(), changesBetween(prior, declared), ApplyOptions{})
	if err != nil {
		r.t.Error(err)
	}
	return results
}

// applyOK applies a set, and fails the test where a change fails or the service refuses a write.
func (r *trial) applyOK(prior, declared latches) {
	r.t.Helper()
	r.wantResults(r.apply(prior, declared), nil)
	r.wantAccount(declared)
	for _, req := range r.sim.Requests() {
		if req.Status == http.StatusConflict || req.Status == http.StatusBadRequest {
			r.t.Errorf("the service has refused %s", req.Body)
		}
	}
}

// applyAgain applies a set in a new provider process, after one that failed in part.
func (r *trial) applyAgain(prior, declared latches) {
	r.t.Helper()
	r.coordinator = newCoordinator(r.coordinator.client)
	r.sim.ResetCalls()
	r.applyOK(prior, declared)
}

// wantResults fails the test unless exactly these customers have failed and each result has the
// latch that the account has.
func (r *trial) wantResults(results map[int64]Result, failed []int64) {
	r.t.Helper()
	var got []int64
	for _, id := range sorted(results) {
		if err := results[id].Err; err != nil {
			got = append(got, id)
			if !slices.Contains(failed, id) {
				r.t.Errorf("customer %d: %v", id, err)
			}
		}
		customer, exists := r.sim.Customer(id)
		if current := pair(customer.HubSpotID, customer.HubSpotCompanyID); exists && results[id].Latch != current {
			r.t.Errorf("customer %d is latched to %s, but its result has %s", id, current, results[id].Latch)
		}
	}
	if diff := cmp.Diff(failed, got); diff != "" {
		r.t.Errorf("failed customers differ (-want +got):\n%s", diff)
	}
}

// numbered returns latches of customers 1 to n, each to the contact whose ID is higher by a number.
func numbered(n, above int64) latches {
	all := make(latches)
	for _, id := range ids(n) {
		all[id] = pair(id+above, 0)
	}
	return all
}

// unlatched returns n customers without a latch.
func unlatched(n int64) latches {
	all := make(latches)
	for _, id := range ids(n) {
		all[id] = pair(0, 0)
	}
	return all
}

// A set checks each change as a single latch does.
func TestApplySet_checksEachChange(t *testing.T) {
	none, prior, declared := pair(0, 0), pair(101, 201), pair(102, 201)
	for name, test := range map[string]struct {
		current     fusebill.Latch
		change      Change
		reassociate bool
		refusal     any
		after       fusebill.Latch
		writes      int
	}{
		"create":                      {pair(0, 0), Change{Declared: declared}, false, nil, declared, 1},
		"create, latched as declared": {declared, Change{Declared: declared}, false, nil, declared, 0},
		"create, latched in part":     {pair(0, 201), Change{Declared: declared}, false, nil, declared, 1},
		"create, latched to a company too": {
			pair(102, 202), Change{Declared: pair(102, 0)}, false, new(*AlreadyLatchedError), pair(102, 202), 0,
		},
		"create, another latch": {
			pair(999, 0), Change{Declared: declared}, false, new(*AlreadyLatchedError), pair(999, 0), 0,
		},
		"create, another latch, reassociation": {pair(999, 0), Change{Declared: declared}, true, nil, declared, 1},
		"update":                               {prior, Change{Prior: prior, Declared: declared}, false, nil, declared, 1},
		"update, released":                     {none, Change{Prior: prior, Declared: declared}, false, nil, declared, 1},
		"update, latched as declared":          {declared, Change{Prior: prior, Declared: declared}, false, nil, declared, 0},
		"update, another latch": {
			pair(999, 201), Change{Prior: prior, Declared: declared}, true, new(*ChangedError), pair(999, 201), 0,
		},
		"release":                  {prior, Change{Prior: prior}, false, nil, pair(0, 0), 1},
		"release, released":        {pair(0, 0), Change{Prior: prior}, false, nil, pair(0, 0), 0},
		"release, another latch":   {pair(999, 888), Change{Prior: prior}, false, nil, pair(999, 888), 0},
		"release, another company": {pair(101, 888), Change{Prior: prior}, false, nil, pair(0, 888), 1},
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: test.current})
			test.change.CustomerID = 1
			results, err := r.coordinator.Apply(t.Context(), []Change{test.change}, ApplyOptions{Reassociate: test.reassociate})
			if err != nil {
				t.Fatal(err)
			}
			got := results[1]
			if test.refusal == nil && got.Err != nil || test.refusal != nil && !errors.As(got.Err, test.refusal) {
				t.Errorf("got error %v, want a %T", got.Err, test.refusal)
			}
			if got.Latch != test.after {
				t.Errorf("the result has %s, want %s", got.Latch, test.after)
			}
			r.wantAccount(latches{1: test.after})
			r.wantWrites(test.writes)
		})
	}
}

func TestApplySet_reportsMissingCustomers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, unlatched(1))
		prior := latches{8: pair(108, 0), 9: pair(109, 0)}
		declared := latches{1: pair(101, 0), 7: pair(107, 0), 8: pair(118, 0)}
		results := r.apply(prior, declared)
		for _, id := range []int64{7, 8} {
			wantError[*NoCustomerError](t, results[id].Err)
		}
		r.wantResults(results, []int64{7, 8}) // Customer 9 has nothing to release.
		r.wantAccount(latches{1: pair(101, 0)})
		r.wantWrites(1)
	})
}

func TestApplySet_makesNoCallWithoutChanges(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, unlatched(1))
		r.apply(nil, nil)
		if n := r.sim.Count(); n > 0 {
			t.Errorf("%d calls", n)
		}
	})
}

// A set that only releases does not read the account.
func TestApplySet_readsNoAccountToRelease(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, numbered(50, 100))
		declared := numbered(50, 100)
		delete(declared, 7)
		declared[8] = pair(108, 0)
		r.sim.SetLatch(8, 108, 208)
		r.apply(latches{7: pair(107, 0), 8: pair(108, 208)}, latches{8: pair(108, 0)})
		r.wantAccount(latches{7: pair(0, 0), 8: pair(108, 0)})
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 1 {
			t.Errorf("%d list calls, want the one of the two customers", lists)
		}
	})
}

// A failed change does not stop the others, which take one write each. The next apply makes only
// the changes that have failed.
func TestApplySet_makesOtherChangesAfterFailures(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, unlatched(100))
		declared := numbered(100, 100)
		failed := []int64{3, 17, 42, 77, 99}
		r.sim.Configure(func(b *fusebillsim.Behavior) {
			b.UnknownContacts = make(map[int64]bool)
			for _, id := range failed {
				b.UnknownContacts[id+100] = true
			}
		})
		results := r.apply(nil, declared)
		r.wantResults(results, failed)
		r.wantWrites(100)
		for _, id := range failed {
			if refusal := errorAs[*fusebill.APIError](t, results[id].Err); refusal.StatusCode != http.StatusBadRequest {
				t.Errorf("customer %d: %v", id, refusal)
			}
		}
		for _, id := range failed {
			declared[id] = pair(id+1000, 0)
		}
		r.sim.ResetCalls()
		r.applyOK(nil, declared)
		r.wantWrites(5)
	})
}

// A set makes one write for each change and one more for each ring, in an order in which the
// service refuses none.
func TestApplySet_settlesMoves(t *testing.T) {
	for name, test := range map[string]struct {
		prior, declared latches
		extraWrites     int
	}{
		"chain": {
			latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0)},
			latches{1: pair(102, 0), 2: pair(103, 0), 3: pair(104, 0)}, 0,
		},
		"chain from a new customer to one that is released": {
			latches{2: pair(102, 0), 3: pair(103, 0)}, latches{1: pair(102, 0), 2: pair(103, 0)}, 0,
		},
		"swap": {
			latches{1: pair(101, 201), 2: pair(102, 202)}, latches{1: pair(102, 201), 2: pair(101, 202)}, 1,
		},
		"ring of both kinds": {ring(5).prior, ring(5).declared, 1},
		"ring of 40":         {ring(40).prior, ring(40).declared, 1}, // longer than the number of workers
		"customers that keep an ID": {
			latches{1: pair(101, 201), 2: pair(102, 0)}, latches{1: pair(0, 201), 2: pair(101, 0)}, 0,
		},
	} {
		for _, mode := range []fusebillsim.ConflictMode{fusebillsim.ConflictStatus409, fusebillsim.ConflictMoves} {
			runInBubble(t, fmt.Sprintf("%s in mode %d", name, mode), func(t *testing.T) {
				account := unlatched(40)
				maps.Copy(account, test.prior)
				r := newTrial(t, account)
				r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = mode })
				r.applyOK(test.prior, test.declared)
				r.wantWrites(len(changesBetween(test.prior, test.declared)) + test.extraWrites)
			})
		}
	}
}

// A set that moves every contact of a thousand customers makes one write for each of them and one
// more for each ring.
func TestApplySet_settlesPermutation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const n = 1000
		s := shuffle{make([]int64, n), make([]int64, n)}
		prior, declared := make(latches), make(latches)
		for i, j := range rand.New(rand.NewPCG(5, 0)).Perm(n) {
			s.from[i], s.to[i] = int64(i)+1, int64(j)+1
			prior[s.from[i]] = pair(10_000+s.from[i], 0)
			declared[s.from[i]] = pair(10_000+s.to[i], 0)
		}
		r := newTrial(t, prior)
		r.applyOK(prior, declared)
		r.wantWrites(len(changesBetween(prior, declared)) + s.rings())
	})
}

// A set makes at most [width] calls at the same time, and reports its progress change by change.
func TestApplySet_limitsCallsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, unlatched(100))
		var now, most atomic.Int64
		r.sim.Inject(fusebillsim.Fault{
			Route: fusebillsim.RouteLatch, Times: -1,
			OnRequest: func(*http.Request) { most.Store(max(most.Load(), now.Add(1))) },
			OnAnswer:  func(*http.Request) { time.Sleep(callTime); now.Add(-1) },
		})
		var reported []int
		progress := func(done, total int) {
			if total != 100 {
				t.Errorf("progress of %d changes in total, want 100", total)
			}
			reported = append(reported, done)
		}
		changes := changesBetween(nil, numbered(100, 100))
		_, err := r.coordinator.Apply(t.Context(), changes, ApplyOptions{Progress: progress})
		if err != nil {
			t.Fatal(err)
		}
		if got := most.Load(); got != width {
			t.Errorf("at most %d calls at once, want %d", got, width)
		}
		if want := ids(100); len(reported) != len(want) || !slices.IsSorted(reported) || reported[99] != 100 {
			t.Errorf("progress of %v changes", reported)
		}
	})
}

// A set writes nothing where the pages of the account cannot be read: a service that moves claims
// without a refusal would take them from their holders.
func TestApplySet_claimsNothingWhenPagesFail(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 0)})
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
		remove := r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: isPage, Times: -1})
		changes := []Change{{CustomerID: 1, Declared: pair(102, 0)}}
		results, err := r.coordinator.Apply(t.Context(), changes, ApplyOptions{})
		if err == nil || len(results) > 0 {
			t.Errorf("got %v, error %v", results, err)
		}
		remove()
		results, err = newCoordinator(r.coordinator.client).Apply(t.Context(), changes, ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		wantError[*HeldError](t, results[1].Err)
		r.wantAccount(latches{1: {}, 2: pair(102, 0)})
		r.wantWrites(0)
	})
}

// Claims of customers outside the set are refused, or taken with reassociation, as for a single
// latch.
func TestApplySet_treatsOtherHoldersAsSingleLatch(t *testing.T) {
	for name, reassociate := range map[string]bool{"refused": false, "taken": true} {
		runInBubble(t, name, func(t *testing.T) {
			account := unlatched(30)
			account[31] = pair(101, 231)
			r := newTrial(t, account)
			changes := changesBetween(nil, numbered(30, 100))
			results, err := r.coordinator.Apply(t.Context(), changes, ApplyOptions{Reassociate: reassociate})
			if err != nil {
				t.Fatal(err)
			}
			if !reassociate {
				wantError[*HeldError](t, results[1].Err)
				r.wantResults(results, []int64{1})
				r.wantAccount(latches{1: {}, 2: pair(102, 0), 31: pair(101, 231)})
				return
			}
			r.wantResults(results, nil)
			r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0), 31: pair(0, 231)})
		})
	}
}

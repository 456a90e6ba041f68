package latch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: a set makes one write for each customer that changes and one more for
// each ring, in an order in which the service refuses none; one that fails doesn't stop the others,
// and whatever fails, no latch is lost untold; it gets along with changes beside it; Ctrl-C ends it
// within two seconds, with the truth in its results.

// changesBetween lists what a set changes. A customer that is only among prior is released.
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

// apply applies a set and fails the test if changes weren't begun.
func (r *trial) apply(prior, declared latches) map[int64]Result {
	r.t.Helper()
	results, err := r.keeper.Apply(r.t.Context(), changesBetween(prior, declared), ApplyOptions{Reassociate: false})
	if err != nil {
		r.t.Error(err)
	}
	return results
}

// applyOK is apply for a set of which nothing is to fail, and which the service is to refuse
// nothing.
func (r *trial) applyOK(prior, declared latches) {
	r.t.Helper()
	r.wantResults(r.apply(prior, declared), nil)
	r.wantAccount(declared)
	for _, req := range r.sim.Requests() {
		if req.Status == http.StatusConflict || req.Status == http.StatusBadRequest {
			r.t.Errorf("the service refused %s", req.Body)
		}
	}
}

// wantResults fails where other customers than these have failed, or a result isn't what the
// account has.
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
		if customer, ok := r.sim.Customer(id); ok && results[id].Latch != pair(customer.HubSpotID, customer.HubSpotCompanyID) {
			r.t.Errorf("customer %d is latched to %+v, and the result says %s", id, customer, results[id].Latch)
		}
	}
	if diff := cmp.Diff(failed, got); diff != "" {
		r.t.Errorf("customers that failed (- want, + got):\n%s", diff)
	}
}

// numbered are latches of customers 1 to n, each to the contact so far above its ID.
func numbered(n, above int64) latches {
	all := make(latches)
	for _, id := range ids(n) {
		all[id] = pair(id+above, 0)
	}
	return all
}

// unlatched are n customers without a latch.
func unlatched(n int64) latches {
	all := make(latches)
	for _, id := range ids(n) {
		all[id] = pair(0, 0)
	}
	return all
}

// Each change has the checks of the operation that it is.
func TestApplySetChecks(t *testing.T) {
	prior, declared := pair(101, 201), pair(102, 201)
	for name, test := range map[string]struct {
		current     fusebill.Latch
		change      Change
		reassociate bool
		refusal     any
		after       fusebill.Latch
		writes      int
	}{
		"create":                          {pair(0, 0), Change{Declared: declared}, false, nil, declared, 1},
		"create of what is there":         {declared, Change{Declared: declared}, false, nil, declared, 0},
		"create of what is there in part": {pair(0, 201), Change{Declared: declared}, false, nil, declared, 1},
		"create of less than is there":    {pair(102, 202), Change{Declared: pair(102, 0)}, false, new(*AlreadyLatchedError), pair(102, 202), 0},
		"create where latched otherwise":  {pair(999, 0), Change{Declared: declared}, false, new(*AlreadyLatchedError), pair(999, 0), 0},
		"the same with reassociation":     {pair(999, 0), Change{Declared: declared}, true, nil, declared, 1},
		"update":                          {prior, Change{Prior: prior, Declared: declared}, false, nil, declared, 1},
		"update of what was released":     {pair(0, 0), Change{Prior: prior, Declared: declared}, false, nil, declared, 1},
		"update of what is there":         {declared, Change{Prior: prior, Declared: declared}, false, nil, declared, 0},
		"update of what changed":          {pair(999, 201), Change{Prior: prior, Declared: declared}, true, new(*ChangedError), pair(999, 201), 0},
		"release":                         {prior, Change{Prior: prior}, false, nil, pair(0, 0), 1},
		"release of what is released":     {pair(0, 0), Change{Prior: prior}, false, nil, pair(0, 0), 0},
		"release of what changed":         {pair(999, 888), Change{Prior: prior}, false, nil, pair(999, 888), 0},
		"release of what changed in part": {pair(101, 888), Change{Prior: prior}, false, nil, pair(0, 888), 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: test.current})
				test.change.CustomerID = 1
				results, err := r.keeper.Apply(t.Context(), []Change{test.change}, ApplyOptions{Reassociate: test.reassociate})
				if err != nil {
					t.Fatal(err)
				}
				got := results[1]
				if test.refusal == nil && got.Err != nil || test.refusal != nil && !errors.As(got.Err, test.refusal) {
					t.Errorf("got error %v, want a %T", got.Err, test.refusal)
				}
				if got.Latch != test.after {
					t.Errorf("the result says %s, want %s", got.Latch, test.after)
				}
				r.wantAccount(latches{1: test.after})
				r.wantWrites(test.writes)
			})
		})
	}
}

func TestApplySetOfCustomersThatAreGone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, unlatched(1))
		results := r.apply(latches{8: pair(108, 0), 9: pair(109, 0)}, latches{1: pair(101, 0), 7: pair(107, 0), 8: pair(118, 0)})
		for _, id := range []int64{7, 8} {
			wantError[*NoCustomerError](t, results[id].Err)
		}
		r.wantResults(results, []int64{7, 8}) // There is nothing to release of 9.
		r.wantAccount(latches{1: pair(101, 0)})
		r.wantWrites(1)
	})
}

func TestApplySetWithoutChanges(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, unlatched(1))
		r.apply(nil, nil)
		if n := r.sim.Count(); n > 0 {
			t.Errorf("%d calls", n)
		}
	})
}

// What only releases needs no word on who holds what.
func TestApplySetThatClaimsNothingReadsNoAccount(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, numbered(50, 100))
		declared := numbered(50, 100)
		delete(declared, 7)
		declared[8] = pair(108, 0)
		r.sim.SetLatch(8, 108, 208)
		r.apply(latches{7: pair(107, 0), 8: pair(108, 208)}, latches{8: pair(108, 0)})
		r.wantAccount(latches{7: pair(0, 0), 8: pair(108, 0)})
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 1 {
			t.Errorf("%d lists, want that of the two customers", lists)
		}
	})
}

// Of 100 creates 5 fail: the others are made, with a write each, and what is missing is made by the
// next apply.
func TestApplySetPartFailure(t *testing.T) {
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

func TestApplySetMoves(t *testing.T) {
	for name, test := range map[string]struct {
		prior, declared latches
		extra           int // writes
	}{
		"chain": {
			latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0)}, latches{1: pair(102, 0), 2: pair(103, 0), 3: pair(104, 0)}, 0,
		},
		"chain from a new customer to one that is released": {
			latches{2: pair(102, 0), 3: pair(103, 0)}, latches{1: pair(102, 0), 2: pair(103, 0)}, 0,
		},
		"swap":                 {latches{1: pair(101, 201), 2: pair(102, 202)}, latches{1: pair(102, 201), 2: pair(101, 202)}, 1},
		"ring of both kinds":   {ring(5).prior, ring(5).declared, 1},
		"ring of 40":           {ring(40).prior, ring(40).declared, 1}, // more than the width
		"what stays with them": {latches{1: pair(101, 201), 2: pair(102, 0)}, latches{1: pair(0, 201), 2: pair(101, 0)}, 0},
	} {
		for _, mode := range []fusebillsim.ConflictMode{fusebillsim.ConflictStatus409, fusebillsim.ConflictMoves} {
			t.Run(fmt.Sprintf("%s in mode %d", name, mode), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					account := unlatched(40)
					maps.Copy(account, test.prior)
					r := newTrial(t, account)
					r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = mode })
					r.applyOK(test.prior, test.declared)
					r.wantWrites(len(changesBetween(test.prior, test.declared)) + test.extra)
				})
			})
		}
	}
}

// TestApplySetPermutation moves every contact of a thousand to another customer: one write each,
// and one more for each ring.
func TestApplySetPermutation(t *testing.T) {
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

// TestApplySetWidth counts the calls that are under way at once, and the progress that is told.
func TestApplySetWidth(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, unlatched(100))
		var now, most atomic.Int64
		r.sim.Inject(fusebillsim.Fault{
			Route: fusebillsim.RouteLatch, Times: -1,
			OnRequest: func(*http.Request) { most.Store(max(most.Load(), now.Add(1))) },
			OnAnswer:  func(*http.Request) { time.Sleep(callTime); now.Add(-1) },
		})
		var told []int
		_, err := r.keeper.Apply(t.Context(), changesBetween(nil, numbered(100, 100)), ApplyOptions{Reassociate: false, Progress: func(done, total int) {
			if total != 100 {
				t.Errorf("progress tells of %d changes", total)
			}
			told = append(told, done)
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := most.Load(); got != width {
			t.Errorf("at most %d calls at once, want %d", got, width)
		}
		if want := ids(100); len(told) != len(want) || !slices.IsSorted(told) || told[99] != 100 {
			t.Errorf("progress told %v", told)
		}
	})
}

// ringOfThree is a ring in which customer 1 takes what 2 holds, 2 what 3 holds, and 3 what 1 holds;
// with a customer beside it.
func ringOfThree(t *testing.T) (*trial, latches, latches) {
	t.Helper()
	r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0), 4: pair(0, 0)})
	return r, latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0)},
		latches{1: pair(102, 0), 2: pair(103, 0), 3: pair(101, 0), 4: pair(104, 0)}
}

// Whichever call of a ring fails, what was given up is put back where it can be, and told where it
// can't. What is beside the ring is made.
func TestApplySetRingThatFailsIsPutBack(t *testing.T) {
	t.Parallel()
	for call := range 4 {
		t.Run(fmt.Sprintf("call %d", call), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r, prior, declared := ringOfThree(t)
				// From this call on those of the ring that claim are refused, as while the service can't reach
				// HubSpot.
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
					if now.IsZero() { // What it gave up is another's by then, and what it was to get is not free.
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
		})
	}
}

// applyAgain is the apply after one that failed in part, when nothing stands in its way any more.
func (r *trial) applyAgain(prior, declared latches) {
	r.t.Helper()
	r.keeper = newCoordinator(r.keeper.client)
	r.sim.ResetCalls()
	r.applyOK(prior, declared)
}

// customerOf is the customer that a latch call is about.
func customerOf(t *testing.T, req *http.Request) int64 {
	t.Helper()
	var body struct {
		FusebillID int64 `json:"fusebillId"`
	}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		t.Error(err)
	}
	return body.FusebillID
}

// Where a service would move what is claimed without a refusal, nothing is claimed unseen: a fault
// of the pages stops the set.
func TestApplySetClaimsNothingUnseen(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 0)})
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
		heal := r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: isPage, Times: -1})
		changes := []Change{{CustomerID: 1, Declared: pair(102, 0)}}
		results, err := r.keeper.Apply(t.Context(), changes, ApplyOptions{Reassociate: false})
		if err == nil || len(results) > 0 {
			t.Errorf("got %v, error %v", results, err)
		}
		heal()
		results, err = newCoordinator(r.keeper.client).Apply(t.Context(), changes, ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		wantError[*HeldError](t, results[1].Err)
		r.wantAccount(latches{1: {}, 2: pair(102, 0)})
		r.wantWrites(0)
	})
}

// What customers outside the set hold is refused, or taken from them, as for a single latch.
func TestApplySetClaimsFromOutside(t *testing.T) {
	for name, reassociate := range map[string]bool{"refused": false, "taken": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				account := unlatched(30)
				account[31] = pair(101, 231)
				r := newTrial(t, account)
				results, err := r.keeper.Apply(t.Context(), changesBetween(nil, numbered(30, 100)), ApplyOptions{Reassociate: reassociate})
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
		})
	}
}

// A single resource beside the set, on customers of the set and on others: whoever comes first,
// both get what they declare.
func TestApplySetBesideSingles(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]bool{"the set first": true, "the set last": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				account := numbered(40, 100)
				account[41], account[42] = pair(141, 0), pair(0, 0)
				r := newTrial(t, account)
				// The set gives up 140 and 101, takes 141, and takes customers 1 to 20 over from singles, which
				// are destroyed.
				prior, declared := make(latches), make(latches)
				for id := range int64(20) {
					declared[id+1] = account[id+1]
					prior[id+21], declared[id+21] = account[id+21], account[id+21]
				}
				declared[1] = pair(101, 201)
				declared[40] = pair(141, 0)
				set := func(ctx context.Context) error {
					results, err := r.keeper.Apply(ctx, changesBetween(prior, declared), ApplyOptions{Reassociate: false})
					r.wantResults(results, nil)
					return err
				}
				operations := []operation{r.update(41, account[41], pair(140, 0))}
				for id := range int64(20) {
					operations = append(operations, r.delete(id+1, account[id+1]))
				}
				if first {
					operations = slices.Insert(operations, 0, operation(set))
				} else {
					operations = append(operations, set)
				}
				r.ok(operations...)
				declared[41] = pair(140, 0)
				r.wantAccount(declared)
			})
		})
	}
}

// A set that is renamed without a moved block is destroyed and created side by side. Its latches
// are there in the end.
func TestApplySetRenamed(t *testing.T) {
	t.Parallel()
	for _, gap := range []time.Duration{0, time.Millisecond, callTime, 3 * callTime, time.Second} {
		for name, createFirst := range map[string]bool{"created first": true, "destroyed first": false} {
			t.Run(fmt.Sprintf("%s, %s apart", name, gap), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					const n = 300
					held, declared := numbered(n, 100), numbered(n, 100)
					declared[5] = pair(105, 205)
					r := newTrial(t, held)
					r.gap = gap
					operations := []operation{
						func(ctx context.Context) error {
							_, err := r.keeper.Apply(ctx, changesBetween(held, nil), ApplyOptions{Reassociate: false})
							return err
						},
						func(ctx context.Context) error {
							results, err := r.keeper.Apply(ctx, changesBetween(nil, declared), ApplyOptions{Reassociate: false})
							r.wantResults(results, nil)
							return err
						},
					}
					if createFirst {
						slices.Reverse(operations)
					}
					r.ok(operations...)
					r.wantAccount(declared)
				})
			})
		}
	}
}

// Two sets exchange all that they hold, in opposite orders: more of each wait for the other than go
// side by side.
func TestApplySetsThatSwap(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const n = 100
		account := numbered(2*n, 1000)
		r := newTrial(t, account)
		set := func(from, to int64) operation {
			return func(ctx context.Context) error {
				prior, declared := make(latches), make(latches)
				for id := from; id < to; id++ {
					prior[id], declared[id] = account[id], account[2*n+1-id]
				}
				results, err := r.keeper.Apply(ctx, changesBetween(prior, declared), ApplyOptions{Reassociate: false})
				r.wantResults(results, nil)
				return err
			}
		}
		start := time.Now()
		r.ok(set(1, n+1), set(n+1, 2*n+1))
		wantTook(t, start, 0, 20*time.Second)
		want := make(latches)
		for id := range account {
			want[id] = account[2*n+1-id]
		}
		r.wantAccount(want)
	})
}

// TestApplySetCancelled stops a set at one of many moments. It ends within two seconds, and says
// what is so. What it didn't begin is in no result, and the next apply does the rest without a
// write too many.
func TestApplySetCancelled(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 30, 45, 61, 70, 100, 150, 200} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, unlatched(200))
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Duration(after)*time.Millisecond, cancel)
				start := time.Now()
				results, err := r.keeper.Apply(ctx, changesBetween(nil, numbered(200, 100)), ApplyOptions{Reassociate: false})
				wantTook(t, start, 0, time.Duration(after)*time.Millisecond+2*time.Second)
				if !errors.Is(err, context.Canceled) || len(results) == 200 {
					t.Errorf("%d results, error %v", len(results), err)
				}
				writes := r.sim.Writes()
				prior := make(latches)
				for id, result := range results {
					if result.Err != nil {
						t.Errorf("customer %d, which was begun: %v", id, result.Err)
					}
					prior[id] = result.Latch
				}
				if len(prior) != writes {
					t.Errorf("%d results of %d writes", len(prior), writes)
				}
				r.applyAgain(prior, numbered(200, 100))
				r.wantWrites(200 - writes)
			})
		})
	}
}

// TestApplySetCancelledInARing stops a set in the midst of rings. Short ones are closed, and long
// ones stop in time; who has no latch then is told.
func TestApplySetCancelledInARing(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{20, 400} {
		for _, after := range []int{50, 65, 100, 200, 400} {
			t.Run(fmt.Sprintf("of %d after %d ms", n, after), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					prior, declared := ring(n).prior, ring(n).declared
					r := newTrial(t, prior)
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(time.Duration(after)*time.Millisecond, cancel)
					start := time.Now()
					results, err := r.keeper.Apply(ctx, changesBetween(prior, declared), ApplyOptions{Reassociate: false})
					wantTook(t, start, 0, time.Duration(after)*time.Millisecond+ringTimeout+time.Second)
					if n == 20 && r.sim.Writes() > 0 && err != nil {
						t.Errorf("the ring that was begun isn't closed: %v", err)
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
			})
		}
	}
}

// A cancelled set says that it was a timeout, where it was.
func TestApplySetSaysWhyItEnded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, unlatched(200))
		why := errors.New("the time is over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
		defer cancel()
		if _, err := r.keeper.Apply(ctx, changesBetween(nil, numbered(200, 100)), ApplyOptions{Reassociate: false}); !errors.Is(err, why) {
			t.Errorf("got error %v", err)
		}
	})
}

// In a run that takes long, what somebody else does meanwhile isn't overwritten unseen, and reading
// that doesn't cost a call for each.
func TestApplySetReadsAnewInALongRun(t *testing.T) {
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

// TestApplySetWithFaults lets calls of random sets fail at random. A result without an error is
// what was declared and what the account has; no customer has lost its latch where no error says
// so; and the next apply does the rest.
func TestApplySetWithFaults(t *testing.T) {
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
	heal := r.sim.InjectChaos(fusebillsim.Chaos{
		Probability: 0.3 + 0.5*random.Float64(), Seed: seed, Route: fusebillsim.RouteLatch,
		Kinds: []fusebillsim.FaultKind{
			fusebillsim.FaultStatus500Before, fusebillsim.FaultStatus500After, fusebillsim.FaultDropBefore, fusebillsim.FaultDropAfter,
			fusebillsim.FaultTruncatedBody,
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if random.IntN(2) == 0 {
		time.AfterFunc(time.Duration(random.IntN(1500))*time.Millisecond, cancel)
	}
	changes := changesBetween(prior, declared)
	results, err := r.keeper.Apply(ctx, changes, ApplyOptions{Reassociate: false})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	heal()
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
			t.Errorf("customer %d is latched to %s, want %s, and nothing was told", id, after[id], change.Declared)
		case !begun && after[id] != change.Prior:
			t.Errorf("customer %d wasn't begun, and is latched to %s, not to %s", id, after[id], change.Prior)
		case begun && result.Err != nil && !lost.IsZero() && after[id] != change.Declared && !tellsOfLoss(result.Err):
			t.Errorf("customer %d has lost %s, and the error doesn't say so: %v", id, lost, result.Err)
		}
	}
	r.applyAgain(after, declared)
}

// shuffle is who holds which ID before and after; 0 is none.
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

// rings counts the rings in which more than one customer each takes what the next one holds.
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

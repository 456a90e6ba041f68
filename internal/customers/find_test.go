package customers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: what is found are the customers that match, each with its latch,
// whatever lists leave out; a thousand lookups cost about as much as the account; what this process
// has written counts; a holder is one that holds by now.

// newDirectory is an account of n customers with references, of which every second one is on hold.
func newDirectory(n int, change ...func(*fusebillsim.Behavior)) *fusebillsim.Simulator {
	sim := newAccount(0, change...)
	for id := range int64(n) {
		c := fusebillsim.Customer{ID: id + 1, Reference: "C-" + strconv.FormatInt(id+1, 10), HubSpotID: id + 101}
		if id%2 == 1 {
			c.Status = "Hold"
		}
		sim.AddCustomers(c)
	}
	return sim
}

// finds fails the test unless a filter finds these customers, each with its latch.
func finds(t *testing.T, r *Reader, filter fusebill.Filter, want ...int64) {
	t.Helper()
	customers, err := r.Find(t.Context(), filter)
	if err != nil {
		t.Error(err)
	}
	var got []int64
	for _, c := range customers {
		got = append(got, c.ID)
		if c.Latch == nil || *c.Latch != pair(c.ID+100, 0) {
			t.Errorf("customer %d is latched to %v", c.ID, c.Latch)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%+v (- want, + got):\n%s", filter, diff)
	}
}

func TestFind(t *testing.T) {
	for name, test := range map[string]struct {
		change                  func(*fusebillsim.Behavior)
		all, some               int // calls for lists
		allSingles, someSingles int
	}{
		"as documented":         {func(*fusebillsim.Behavior) {}, 2, 1, 0, 0},
		"lists without latches": {func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true }, 1 + 2, 1, 1200, 600},
		"lists without headers": {func(b *fusebillsim.Behavior) { b.OmitPageHeaders = true }, 2, 1, 0, 0},
		"small pages":           {func(b *fusebillsim.Behavior) { b.MaxPageSize = 500 }, 3, 2, 0, 0},
		"filters ignored":       {func(b *fusebillsim.Behavior) { b.IgnoreFilters = true }, 2, 2, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newDirectory(1200, test.change)
				finds(t, newTestReader(t, sim), fusebill.Filter{}, ids(1200)...)
				wantCalls(t, sim, test.allSingles, test.all)
				var onHold []int64
				for id := int64(2); id <= 1200; id += 2 {
					onHold = append(onHold, id)
				}
				finds(t, newTestReader(t, sim), fusebill.Filter{Statuses: []string{"Hold"}}, onHold...)
				wantCalls(t, sim, test.someSingles, test.some)
				finds(t, newTestReader(t, sim), fusebill.Filter{Reference: "C-77"}, 77)
				finds(t, newTestReader(t, sim), fusebill.Filter{Reference: "C-77", Statuses: []string{"Hold"}})
			})
		})
	}
}

// A caller that looks up one customer after another, or ten at once, pays for the account at most,
// and as much again.
func TestFind_manyLookups(t *testing.T) {
	for _, atOnce := range []int{1, 10} {
		t.Run(fmt.Sprint(atOnce), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newDirectory(3000)
				r := newTestReader(t, sim)
				var group sync.WaitGroup
				for worker := range atOnce {
					group.Go(func() {
						for id := worker + 1; id <= 200; id += atOnce {
							finds(t, r, fusebill.Filter{Reference: "C-" + strconv.Itoa(id)}, int64(id))
						}
					})
				}
				group.Wait()
				if n := sim.Count(); n > 3+searchesAtOnce+3 {
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

// Lists lag behind: this process knows its own writes better, and leaves out customers that are
// gone.
func TestFind_afterWrites(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newDirectory(10)
		r := newTestReader(t, sim)
		write(t, r, 3, pair(0, 203))
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStaleList, Times: -1})
		for _, filter := range []fusebill.Filter{{}, {Reference: "C-3"}} {
			customers, err := r.Find(t.Context(), filter)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(customers, func(c fusebill.Customer) bool { return c.ID == 3 })
			if got := *customers[i].Latch; got != pair(0, 203) {
				t.Errorf("customer 3 is latched to %s", got)
			}
		}
	})
}

// A customer that was seen before, and that the account does not have any more, is not found.
func TestFind_doesNotBelieveItsMemory(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newDirectory(4)
		r := newTestReader(t, sim)
		if _, err := r.CustomerNow(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		sim.DeleteCustomer(3)
		finds(t, r, fusebill.Filter{}, 1, 2, 4)
	})
}

// Pages come one by one, so a caller that has enough can stop.
func TestPages_stop(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newDirectory(5000)
		for customers, err := range newTestReader(t, sim).Pages(t.Context(), fusebill.Filter{}) {
			if err != nil || len(customers) != 1000 {
				t.Errorf("%d customers, error %v", len(customers), err)
			}
			break
		}
		wantCalls(t, sim, 0, 1)
	})
}

func TestPages_errorIsTheLast(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newDirectory(3000)
		r := newTestReader(t, sim)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, After: 1, Times: -1})
		var pages, errs int
		for _, err := range r.Pages(t.Context(), fusebill.Filter{}) {
			pages++
			if err != nil {
				errs++
			}
		}
		if pages != 2 || errs != 1 {
			t.Errorf("%d pages, %d errors", pages, errs)
		}
	})
}

func TestFind_failure(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newDirectory(5)
		r := newTestReader(t, sim)
		back := sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Times: -1})
		for _, filter := range []fusebill.Filter{{}, {Reference: "C-3"}} {
			if customers, err := r.Find(t.Context(), filter); err == nil || len(customers) > 0 {
				t.Errorf("%+v: %d customers, error %v", filter, len(customers), err)
			}
		}
		back()
		finds(t, r, fusebill.Filter{}, 1, 2, 3, 4, 5)
	})
}

// Ctrl-C ends a lookup that waits for others.
func TestFind_cancelled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newDirectory(5)
		r := newTestReader(t, sim)
		for range searchesAtOnce {
			r.searches <- struct{}{}
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			cancel()
		}()
		if _, err := r.Find(ctx, fusebill.Filter{Reference: "C-3"}); err == nil {
			t.Error("it went on")
		}
	})
}

func TestFindHolder(t *testing.T) {
	for name, change := range map[string]func(*fusebillsim.Behavior){
		"as documented":         func(*fusebillsim.Behavior) {},
		"lists without latches": func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newDirectory(50, change)
				sim.SetLatch(7, 0, 107)
				r := newTestReader(t, sim)
				for claim, want := range map[fusebill.Claim]int64{
					contact(109):                      9,
					{Kind: fusebill.Company, ID: 107}: 7,
					contact(107):                      0,
					{Kind: fusebill.Company, ID: 109}: 0,
					contact(999):                      0,
				} {
					got, err := r.FindHolder(t.Context(), claim)
					if err != nil || got.ID != want {
						t.Errorf("%s: customer %d, error %v; want %d", claim, got.ID, err, want)
					}
				}
			})
		})
	}
}

// A holder that a list showed may have lost the claim by the time that it is read individually.
func TestFindHolder_afterAWrite(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newDirectory(5)
		r := newTestReader(t, sim)
		finds(t, r, fusebill.Filter{}, 1, 2, 3, 4, 5)
		write(t, r, 3, pair(0, 0))
		if got, err := r.FindHolder(t.Context(), contact(103)); err != nil || got.ID != 0 {
			t.Errorf("customer %d, error %v", got.ID, err)
		}
	})
}

package customers

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// TestCustomersCost reads many customers at once, in accounts of all sizes and by services of all
// kinds, and counts the calls.
func TestCustomersCost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n, customers   int64
		behavior       string
		change         func(*fusebillsim.Behavior)
		singles, lists int
	}{
		{n: 1, customers: 20, singles: 1},
		{n: 100, customers: 20_000, lists: 1},
		{n: 101, customers: 500, lists: 1}, // The page is cheaper than two batches.
		{n: 300, customers: 3000, lists: 3},
		{n: 301, customers: 3000, lists: 3}, // 4 batches or 3 pages
		{n: 200, customers: 3000, lists: 3}, // 2 batches, and the page that showed the size
		{n: 1000, customers: 1000, lists: 1},
		{n: 5000, customers: 5000, lists: 5},
		{
			n: 20, customers: 20, behavior: "lists without the keys", lists: 1, singles: 20,
			change: func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true },
		},
		{
			n: 500, customers: 1000, behavior: "lists without the keys", lists: 1, singles: 500,
			change: func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true },
		},
		{
			n: 100, customers: 2000, behavior: "batches of at most 50", lists: 3,
			change: func(b *fusebillsim.Behavior) { b.MaxIDSet = 50 },
		},
		{
			n: 1000, customers: 20_000, behavior: "batches of at most 30", lists: 1 + listsAtOnce + 1 + 1000/25,
			change: func(b *fusebillsim.Behavior) { b.MaxIDSet = 30 },
		},
		{
			n: 10, customers: 20, behavior: "no batches at all", lists: 3 + 1, // Batches of 10, 5 and 2, a page.
			change: func(b *fusebillsim.Behavior) { b.MaxIDSet = 1 },
		},
		{
			n: 100, customers: 5000, behavior: "no filters", lists: 1 + 5,
			change: func(b *fusebillsim.Behavior) { b.IgnoreFilters = true },
		},
	} {
		t.Run(fmt.Sprintf("%d of %d, %s", test.n, test.customers, test.behavior), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newAccount(int(test.customers))
				if test.change != nil {
					sim.Configure(test.change)
				}
				r := newTestReader(t, sim)
				for range 2 { // The second time everything is known.
					found, err := r.Customers(t.Context(), lastOf(test.n, test.customers), time.Minute)
					if err != nil {
						t.Fatal(err)
					}
					if len(found) != int(test.n) {
						t.Errorf("%d customers are found", len(found))
					}
					for id, customer := range found {
						if LatchOf(customer) != pair(id+100, 0) {
							t.Errorf("customer %d is latched to %s", id, LatchOf(customer))
						}
					}
				}
				singles, lists := sim.Count(fusebillsim.RouteCustomer), sim.Count(fusebillsim.RouteCustomers)
				if singles > test.singles || lists > test.lists {
					t.Errorf("%d singles and %d lists, want at most %d and %d", singles, lists, test.singles, test.lists)
				}
			})
		})
	}
}

// A gap in a list proves nothing: such a customer is read individually, and only then is it gone.
func TestCustomersInGaps(t *testing.T) {
	for _, n := range []int{50, 500} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newAccount(n)
				r := newTestReader(t, sim)
				sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, Times: -1, IDs: []int64{3, 4}})
				sim.DeleteCustomer(4)
				found, err := r.Customers(t.Context(), ids(int64(n)), time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				if _, gone := found[4]; gone || len(found) != n-1 || LatchOf(found[3]) != pair(103, 0) {
					t.Errorf("%d customers are found, customer 3 with %s", len(found), LatchOf(found[3]))
				}
				wantCalls(t, sim, 2, 1)
			})
		})
	}
}

// An answer that is older than asked for is read again.
func TestCustomersAge(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(50)
		r := newTestReader(t, sim)
		read := func() fusebill.Latch {
			found, err := r.Customers(t.Context(), ids(50), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return LatchOf(found[1])
		}
		read()
		sim.SetLatch(1, 999, 0)
		if got := read(); got != pair(101, 0) {
			t.Errorf("got %s, want what was read a moment ago", got)
		}
		time.Sleep(time.Minute)
		if got := read(); got != pair(999, 0) {
			t.Errorf("got %s", got)
		}
	})
}

// Batches answer where pages fail and batches do not. A key that is refused is the answer, and
// costs one call.
func TestCustomersWherePagesFail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		reads  bool
		lists  int
	}{
		"refused":   {http.StatusForbidden, true, 1 + 5},
		"wrong key": {http.StatusUnauthorized, false, 1},
		"a fault":   {http.StatusInternalServerError, true, 1 + 5},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newAccount(500)
				r := newTestReader(t, sim, fusebill.WithTransport(changed(sim, isPage, func(resp *http.Response) {
					resp.StatusCode = test.status
					resp.Header.Del("Content-Length")
					resp.Body = io.NopCloser(strings.NewReader(`{"Errors":[{"Key":"Api Error","Value":"No."}]}`))
				})))
				found, err := r.Customers(t.Context(), ids(500), time.Minute)
				if test.reads && (err != nil || len(found) != 500) || !test.reads && err == nil {
					t.Errorf("%d customers, error %v", len(found), err)
				}
				wantCalls(t, sim, 0, test.lists)
			})
		})
	}
}

func TestCustomersWhereBatchesFail(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(50)
		r := newTestReader(t, sim)
		heal := sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: isBatch, Times: -1})
		if found, err := r.Customers(t.Context(), ids(50), time.Minute); err == nil {
			t.Errorf("%d customers", len(found))
		}
		wantCalls(t, sim, 0, 1)
		heal()
		if found, err := r.Customers(t.Context(), ids(50), time.Minute); err != nil || len(found) != 50 {
			t.Errorf("%d customers, error %v", len(found), err)
		}
	})
}

func TestLatched(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(30)
		sim.SetLatch(7, 0, 0)
		sim.SetLatch(8, 0, 208)
		r := newTestReader(t, sim)
		latched, err := r.Latched(t.Context(), time.Minute, 1)
		if err != nil {
			t.Fatal(err)
		}
		want := ids(30)
		want = slices.Delete(want, 6, 7)
		if diff := cmp.Diff(want, sorted(latched)); diff != "" || latched[8] != pair(0, 208) {
			t.Errorf("customer 8 is latched to %s; latched are (- want, + got):\n%s", latched[8], diff)
		}
		wantCalls(t, sim, 0, 1)
	})
}

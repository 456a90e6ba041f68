package latch

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// TestApplySetCost holds a set of 10,000 creates to one write each, the reads of the account, and
// the time that the width allows.
func TestApplySetCost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const customers = 10_000
		sim := fusebillsim.New(fusebillsim.Config{
			APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true,
			Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond},
		})
		keeper := newCoordinator(newTestClient(t, sim))
		var changes []Change
		for i, id := range sim.AddSampleCustomers(customers) {
			changes = append(changes, Change{CustomerID: id, Declared: fusebill.Latch{HubSpotID: int64(i + 1)}})
		}
		start := time.Now()
		results, err := keeper.Apply(t.Context(), changes, ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for id, result := range results {
			if result.Err != nil {
				t.Fatalf("customer %d: %v", id, result.Err)
			}
		}
		if writes, reads := sim.Writes(), sim.Count()-sim.Writes(); writes != customers || reads > customers/100+customers/1000+2 {
			t.Errorf("%d writes and %d reads, want %d and at most one for 100", writes, reads, customers)
		}
		if took, want := time.Since(start), 40*time.Second; took > want {
			t.Errorf("it took %s at 20 ms a call, want at most %s", took, want)
		}
	})
}

// TestReadSetCost reads sets of accounts that they hold whole: by pages, which are fewer than sets
// of 100.
func TestReadSetCost(t *testing.T) {
	for accountSize, most := range map[int]int{1000: 5, 10_000: 23} {
		t.Run(strconv.Itoa(accountSize), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := fusebillsim.New(fusebillsim.Config{APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true})
				keeper := newCoordinator(newTestClient(t, sim))
				ids := sim.AddSampleCustomers(accountSize)
				sim.SetLatch(ids[0], 0, 0)
				sim.SetLatch(ids[1], 101, 0)
				found, err := keeper.reader.Customers(t.Context(), ids, customers.MaxAge)
				if err != nil || len(found) != len(ids) || *found[ids[1]].Latch != pair(101, 0) {
					t.Errorf("%d customers, error %v", len(found), err)
				}
				if n := sim.Count(); n > most {
					t.Errorf("%d calls, want at most %d", n, most)
				}
			})
		})
	}
}

// TestReadSetCost_inParts reads accounts by many sets at once and one after another, as one process
// does for a configuration that has several.
func TestReadSetCost_inParts(t *testing.T) {
	for _, test := range []struct {
		customers, parts, atOnce, most int
	}{
		{10_000, 10, 10, 10},
		{10_000, 100, 10, 23}, // sets of 100 customers each
		{20_000, 20, 10, 43},
	} {
		t.Run(fmt.Sprintf("%d in %d parts, %d at once", test.customers, test.parts, test.atOnce), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := fusebillsim.New(fusebillsim.Config{
					APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true, Behavior: fusebillsim.Behavior{Latency: latency},
				})
				keeper := newCoordinator(newTestClient(t, sim))
				parts := make([][]int64, test.parts)
				for i, id := range sim.AddSampleCustomers(test.customers) {
					parts[i%test.parts] = append(parts[i%test.parts], id)
				}
				group := errgroup.Group{}
				group.SetLimit(test.atOnce)
				for _, part := range parts {
					group.Go(func() error {
						_, err := keeper.reader.Customers(t.Context(), part, customers.MaxAge)
						return err
					})
				}
				if err := group.Wait(); err != nil {
					t.Error(err)
				}
				if n := sim.Count(); n > test.most {
					t.Errorf("%d calls, want at most %d", n, test.most)
				}
			})
		})
	}
}

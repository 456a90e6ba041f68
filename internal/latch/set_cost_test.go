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

// A set of 10,000 creates makes one write for each, reads its customers in batches of 100 and the
// account in pages, and takes no longer than [width] writes at the same time allow.
func TestApplySet_callsOf10000Creates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const customers = 10_000
		sim := fusebillsim.New(fusebillsim.Config{
			APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true,
			Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond},
		})
		coordinator := newCoordinator(newTestClient(t, sim))
		var changes []Change
		for i, id := range sim.AddSampleCustomers(customers) {
			changes = append(changes, Change{CustomerID: id, Declared: fusebill.Latch{HubSpotID: int64(i + 1)}})
		}
		start := time.Now()
		results, err := coordinator.Apply(t.Context(), changes, ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for id, result := range results {
			if result.Err != nil {
				t.Fatalf("customer %d: %v", id, result.Err)
			}
		}
		writes, reads := sim.Writes(), sim.Count()-sim.Writes()
		if writes != customers || reads > customers/100+customers/1000+2 {
			t.Errorf("%d writes and %d reads, want %d writes and at most one read for 100 of them", writes, reads, customers)
		}
		if took, want := time.Since(start), 40*time.Second; took > want {
			t.Errorf("took %s at 20 ms a call, want at most %s", took, want)
		}
	})
}

// The reader reads a set of all customers of an account in pages, which takes fewer calls than
// batches of 100.
func TestReadSet_callsOfWholeAccount(t *testing.T) {
	for accountSize, most := range map[int]int{1000: 5, 10_000: 23} {
		t.Run(strconv.Itoa(accountSize), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := fusebillsim.New(fusebillsim.Config{
					APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true,
				})
				coordinator := newCoordinator(newTestClient(t, sim))
				ids := sim.AddSampleCustomers(accountSize)
				sim.SetLatch(ids[0], 0, 0)
				sim.SetLatch(ids[1], 101, 0)
				found, err := coordinator.reader.Customers(t.Context(), ids, customers.MaxAge)
				if err != nil || len(found) != len(ids) || *found[ids[1]].Latch != pair(101, 0) {
					t.Errorf("got %d customers and error %v", len(found), err)
				}
				if n := sim.Count(); n > most {
					t.Errorf("%d calls, want at most %d", n, most)
				}
			})
		})
	}
}

// Many sets share the reader of one process, so together they take as few calls as the account has
// pages. Some sets are read at the same time, others one after another.
func TestReadSet_callsOfManySets(t *testing.T) {
	for _, test := range []struct {
		customers, sets, parallel, most int
	}{
		{10_000, 10, 10, 10},
		{10_000, 100, 10, 23},
		{20_000, 20, 10, 43},
	} {
		name := fmt.Sprintf("%d customers in %d sets, %d at a time", test.customers, test.sets, test.parallel)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := fusebillsim.New(fusebillsim.Config{
					APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true,
					Behavior: fusebillsim.Behavior{Latency: callTime},
				})
				coordinator := newCoordinator(newTestClient(t, sim))
				sets := make([][]int64, test.sets)
				for i, id := range sim.AddSampleCustomers(test.customers) {
					sets[i%test.sets] = append(sets[i%test.sets], id)
				}
				group := errgroup.Group{}
				group.SetLimit(test.parallel)
				for _, set := range sets {
					group.Go(func() error {
						_, err := coordinator.reader.Customers(t.Context(), set, customers.MaxAge)
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

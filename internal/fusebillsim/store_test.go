package fusebillsim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSetLatchTakesFromTheHolder(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(
		Customer{ID: 1, HubSpotID: 11, HubSpotCompanyID: 12},
		Customer{ID: 2, HubSpotID: 21, HubSpotCompanyID: 22},
		Customer{ID: 3})
	s.SetLatch(3, 11, 22)
	checkLatches(t, s, holder{1, 0, 12}, holder{2, 21, 0}, holder{3, 11, 22})
	s.SetLatch(1, 11, 22) // both from one
	checkLatches(t, s, holder{1, 11, 22}, holder{2, 21, 0}, holder{3, 0, 0})
	s.SetLatch(2, 0, 12) // An ID that was released is free.
	checkLatches(t, s, holder{1, 11, 22}, holder{2, 0, 12}, holder{3, 0, 0})
	if n := s.Count(); n != 0 {
		t.Errorf("%d calls counted", n)
	}
}

func TestReplaceAndDeleteFreeTheLatch(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1, HubSpotID: 11}, Customer{ID: 2, HubSpotID: 21})
	s.AddCustomers(Customer{ID: 1, HubSpotID: 111})
	s.DeleteCustomer(2)
	s.DeleteCustomer(9)
	s.AddCustomers(Customer{ID: 3, HubSpotID: 11}, Customer{ID: 4, HubSpotID: 21})
	checkLatches(t, s, holder{1, 111, 0}, holder{3, 11, 0}, holder{4, 21, 0})
}

// A wrong fixture has to fail where it is made.
func TestMisusePanics(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1, HubSpotID: 11, HubSpotCompanyID: 12})
	for name, misuse := range map[string]func(){
		"customer 0:":      func() { s.AddCustomers(Customer{}) },
		"customer 2:":      func() { s.AddCustomers(Customer{ID: 2, HubSpotID: -1}) },
		"contact":          func() { s.AddCustomers(Customer{ID: 2, HubSpotID: 11}) },
		"company":          func() { s.AddCustomers(Customer{ID: 2, HubSpotCompanyID: 12}) },
		"no such customer": func() { s.SetLatch(2, 21, 0) },
		"negative ID":      func() { s.SetLatch(1, -1, 0) },
		"no kinds":         func() { s.InjectChaos(Chaos{Probability: 1}) },
	} {
		if message := panicOf(misuse); !strings.HasPrefix(message, "fusebillsim: ") || !strings.Contains(message, name) {
			t.Errorf("panic %q, want %q", message, name)
		}
	}
	checkLatches(t, s, holder{1, 11, 12}) // and no lock is left behind
}

func TestModifiedMovesWithChangesOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{})
		s.AddCustomers(Customer{ID: 1}, Customer{ID: 2, HubSpotID: 21})
		modified := func(id int64) time.Duration {
			c, _ := s.Customer(id)
			return c.Modified.Sub(c.Created)
		}
		time.Sleep(time.Hour)
		s.SetLatch(1, 11, 0)
		time.Sleep(time.Hour)
		s.SetLatch(1, 11, 0)
		if modified(1) != time.Hour || modified(2) != 0 {
			t.Errorf("modified after %v and %v", modified(1), modified(2))
		}
		s.SetLatch(1, 21, 0) // changes the holder too
		if modified(1) != 2*time.Hour || modified(2) != 2*time.Hour {
			t.Errorf("modified after %v and %v", modified(1), modified(2))
		}
	})
}

// No contact and no company may end up with two customers, in any order of calls, and each ID is
// free unless a customer shows it.
func TestUniqueness(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{LimitMinute: 1_000_000, LimitDay: 1_000_000})
	s.AddSampleCustomers(8)
	all := s.Customers()
	var group sync.WaitGroup
	for worker := range uint64(4) {
		group.Go(func() {
			random := rand.New(rand.NewPCG(worker, 0))
			for range 200 {
				s.Configure(func(b *Behavior) { b.Conflict = ConflictMode(random.IntN(3)) })
				l := latch{all[random.IntN(len(all))].ID, random.Int64N(6) + 1, random.Int64N(6) + 1}
				body := fmt.Sprintf(`{"fusebillId":%d,"hubSpotId":%d,"hubSpotCompanyId":%d}`, l.customer, l.contact, l.company)
				if _, err := trySend(s.Transport(), newRequest(t, "POST", latchPath, body)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	contacts, companies := make(map[int64]int64), make(map[int64]int64)
	for _, c := range s.Customers() {
		if c.HubSpotID != 0 {
			if other, taken := contacts[c.HubSpotID]; taken {
				t.Errorf("contact %d with %d and %d", c.HubSpotID, other, c.ID)
			}
			contacts[c.HubSpotID] = c.ID
		}
		if c.HubSpotCompanyID != 0 {
			if other, taken := companies[c.HubSpotCompanyID]; taken {
				t.Errorf("company %d with %d and %d", c.HubSpotCompanyID, other, c.ID)
			}
			companies[c.HubSpotCompanyID] = c.ID
		}
	}
	if diff := cmp.Diff(contacts, s.store.contacts); diff != "" {
		t.Errorf("contacts (-shown +held):\n%s", diff)
	}
	if diff := cmp.Diff(companies, s.store.companies); diff != "" {
		t.Errorf("companies (-shown +held):\n%s", diff)
	}
}

func TestSampleCustomers(t *testing.T) {
	t.Parallel()
	a, b := newTest(t, Config{}), newTest(t, Config{})
	first := a.AddSampleCustomers(3)
	b.AddCustomers(Customer{ID: 9223372036854775807}, Customer{ID: first[1], LastName: "Own"})
	if diff := cmp.Diff([]int64{first[0], first[2], first[2] + 1}, b.AddSampleCustomers(3)); diff != "" {
		t.Errorf("IDs beside others' (-want +got):\n%s", diff)
	}
	fromA, _ := a.Customer(first[2])
	fromB, _ := b.Customer(first[2])
	if diff := cmp.Diff(fromA, fromB); diff != "" {
		t.Errorf("not the same in every run:\n%s", diff)
	}
	if own, _ := b.Customer(first[1]); own.LastName != "Own" {
		t.Errorf("replaced by a sample: %+v", own)
	}
	if more := a.AddSampleCustomers(1); more[0] != first[2]+1 {
		t.Errorf("a further call added %d", more[0])
	}
}

package customers

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func TestEntriesAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(3)
		r := newTestReader(t, sim)
		asked := time.Now()
		readOne(t, r, 1)
		wantCalls(t, sim, 1, 0)

		time.Sleep(time.Until(asked.Add(MaxAgeBeforeWrite)))
		beforeWrite := func() answer {
			return <-begin(func() (fusebill.Customer, error) { return beforeWrite(t.Context(), r, 1) })
		}
		wantContact(t, beforeWrite(), 101)
		wantCalls(t, sim, 0, 0)
		time.Sleep(time.Nanosecond)
		sim.SetLatch(1, 900, 0)
		wantContact(t, readOne(t, r, 1), 101) // Somebody else's change is seen late …
		wantCalls(t, sim, 0, 0)
		wantContact(t, beforeWrite(), 900) // … but not before a write.
		asked = time.Now().Add(-latency)
		sim.ResetCalls()

		time.Sleep(time.Until(asked.Add(MaxAge)))
		wantContact(t, readOne(t, r, 1), 900)
		wantCalls(t, sim, 0, 0)
		time.Sleep(time.Nanosecond)
		wantContact(t, readOne(t, r, 1), 900)
		if sim.Count() != 1 {
			t.Errorf("%d calls, want 1", sim.Count())
		}
	})
}

func TestCustomerNowAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(3)
		r := newTestReader(t, sim)
		for range 2 {
			wantContact(t, <-begin(func() (fusebill.Customer, error) { return r.CustomerNow(t.Context(), 1) }), 101)
		}
		wantContact(t, readOne(t, r, 1), 101)
		wantCalls(t, sim, 2, 0)
	})
}

// TestAnswersOutOfOrder lets answers arrive in another order than their questions were asked in.
func TestAnswersOutOfOrder(t *testing.T) {
	t.Parallel()
	customer := func(contact int64) fusebill.Customer {
		return fusebill.Customer{ID: 1, Latch: &fusebill.Latch{HubSpotID: contact}}
	}
	for name, test := range map[string]struct {
		make func(c *cache)
		want int64 // the contact; 0: the customer has to be asked for
	}{
		"older after newer": {func(c *cache) {
			older, newer := c.ask(), c.ask()
			c.put(customer(2), newer, false)
			c.put(customer(1), older, false)
		}, 2},
		"newer after older": {func(c *cache) {
			older, newer := c.ask(), c.ask()
			c.put(customer(1), older, false)
			c.put(customer(2), newer, false)
		}, 2},
		"older after gone": {func(c *cache) {
			older, newer := c.ask(), c.ask()
			c.gone(1, newer)
			c.putListed(customer(1), older)
		}, 0},
		"gone after newer": {func(c *cache) {
			older, newer := c.ask(), c.ask()
			c.put(customer(2), newer, false)
			c.gone(1, older)
		}, 2},
		"gone, then asked again": {func(c *cache) {
			c.gone(1, c.ask())
			c.put(customer(2), c.ask(), false)
		}, 2},
		"asked before a write": {func(c *cache) {
			asked := c.ask()
			c.written(1)
			c.written(1)
			c.put(customer(2), c.ask(), false)
			c.put(customer(1), asked, false)
		}, 2},
		"asked during a write that failed": {func(c *cache) {
			c.written(1)
			asked := c.ask()
			c.written(1)
			c.put(customer(1), asked, false)
		}, 0},
		"a list asked after a write": {func(c *cache) {
			c.written(1)
			c.written(1)
			c.put(customer(2), c.ask(), false)
			c.putListed(customer(1), c.ask())
		}, 2},
		"a list without latches": {func(c *cache) {
			c.put(customer(2), c.ask(), false)
			c.putListed(fusebill.Customer{ID: 1}, c.ask())
		}, 2},
		"a list that differs from an answer about the customer alone": {func(c *cache) {
			c.put(customer(2), c.ask(), false)
			c.putListed(customer(1), c.ask())
		}, 2},
		"a list that shows a customer who is gone": {func(c *cache) {
			c.gone(1, c.ask())
			c.putListed(customer(1), c.ask())
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCache()
			test.make(&c)
			customer, ok := c.get(1, acceptance{})
			if ok != (test.want != 0) || ok && customer.Latch.HubSpotID != test.want {
				t.Errorf("got %v, want contact %d", customer.Latch, test.want)
			}
			if holders := c.holders.of(contact(1)); len(holders) > 0 {
				t.Errorf("customers %v are said to hold contact 1", holders)
			}
		})
	}
}

// A list that lags behind does not hide from a later write what an answer about the customer alone
// has shown before.
func TestCustomers_listLagsBehindEarlierAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(3)
		r := newTestReader(t, sim)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStaleList, Times: -1})
		sim.SetLatch(1, 900, 0)
		wantContact(t, <-begin(func() (fusebill.Customer, error) { return r.CustomerNow(t.Context(), 1) }), 900)
		time.Sleep(time.Minute)
		found, err := r.Customers(t.Context(), ids(3), MaxAgeBeforeWrite)
		if err != nil || found[1].Latch.HubSpotID != 900 || found[2].Latch.HubSpotID != 102 {
			t.Errorf("got %v, error %v", found, err)
		}
		wantCalls(t, sim, 2, 1)
	})
}

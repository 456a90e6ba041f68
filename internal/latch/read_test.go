package latch

import (
	"context"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Before it writes, a create, an update or a delete notices what somebody else has changed since
// the last read.
func TestRead_isFreshBeforeEachWrite(t *testing.T) {
	for name, test := range map[string]struct {
		change Change
		isErr  bool
	}{
		"create": {Change{CustomerID: 1, Declared: pair(101, 0)}, true},
		"update": {Change{CustomerID: 1, Prior: pair(101, 0), Declared: pair(102, 0)}, true},
		"delete": {Change{CustomerID: 1, Prior: pair(101, 0)}, false},
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: pair(101, 0)})
			if test.change.Prior.IsZero() {
				r.sim.SetLatch(1, 0, 0)
			}
			if _, err := r.coordinator.reader.Customer(context.Background(), 1); err != nil {
				t.Fatal(err)
			}
			time.Sleep(customers.MaxAgeBeforeWrite + time.Second)
			r.sim.SetLatch(1, 555, 0)
			if _, err := r.applyOne(context.Background(), test.change, false); (err != nil) != test.isErr {
				t.Errorf("got error %v", err)
			}
			r.wantAccount(latches{1: pair(555, 0)})
			r.wantWrites(0)
		})
	}
}

// The customer is read again where its write had to wait for the quota.
func TestRead_isRepeatedAfterWaitForQuota(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, nil)
		r.sim = fusebillsim.New(fusebillsim.Config{
			APIKey: "key", LimitMinute: 3, Behavior: fusebillsim.Behavior{Latency: callTime},
		})
		r.sim.AddCustomers(fusebillsim.Customer{ID: 1}, fusebillsim.Customer{ID: 2}, fusebillsim.Customer{ID: 3})
		r.coordinator = newCoordinator(newTestClient(t, r.sim))
		last := r.latchOpenCustomerAfter(30*time.Second, 555)
		results := r.apply(nil, latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0)})
		wantError[*AlreadyLatchedError](t, results[last.Load()].Err)
		r.wantAccount(latches{last.Load(): pair(555, 0)})
	})
}

// A long run reads its customers again in batches: at most one call for a hundred writes, and one
// more for each period in which a batch stays fresh.
func TestRead_usesBatchesInLongRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const n = 3000
		r := newTrial(t, unlatched(n))
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Latency = time.Second })
		begin := time.Now()
		r.applyOK(nil, numbered(n, 100))
		r.wantWrites(n)
		windows := int(time.Since(begin)/(aheadFor-readMoment)) + 1
		if reads := r.sim.Count() - r.sim.Writes(); reads > n/1000+n/100+windows {
			t.Errorf("%d reads", reads)
		}
	})
}

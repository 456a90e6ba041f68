package customers

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// TestOwnWriteWins writes a customer while an answer of another state is under way.
func TestOwnWriteWins(t *testing.T) {
	t.Parallel()
	slow := func(route fusebillsim.Route) fusebillsim.Fault {
		return fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Route: route, Latency: time.Second}
	}
	t.Run("over a page asked before it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			sim.Inject(slow(fusebillsim.RouteCustomers))
			account := beginAccount(t.Context(), r, 0)
			write(t, r, 1, pair(900, 0))
			<-account
			wantContact(t, readOne(t, r, 1), 900)
			wantHolders(t, r, 101)
		})
	})
	t.Run("over a single read asked before it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			sim.Inject(slow(fusebillsim.RouteCustomer))
			before := beginReads(t.Context(), r, 1)[0]
			write(t, r, 1, pair(900, 0))
			wantContact(t, readOne(t, r, 1), 900) // It does not join the other.
			wantContact(t, <-before, 101)         // It began before the write, and may tell of then.
			wantContact(t, readOne(t, r, 1), 900)
		})
	})
	t.Run("over a read asked while it is under way", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			sim.Inject(fusebillsim.Fault{
				Kind: fusebillsim.FaultLatencyBefore, Route: fusebillsim.RouteLatch, Latency: time.Second,
			})
			go func() {
				time.Sleep(latency)
				wantContact(t, readOne(t, r, 1), 101) // Quick: it is answered before the write is done.
			}()
			sim.Inject(slow(fusebillsim.RouteCustomer))
			go func() {
				time.Sleep(900 * time.Millisecond)
				wantContact(t, readOne(t, r, 1), 101) // Slow: it is answered after.
			}()
			write(t, r, 1, pair(900, 0))
			wantContact(t, readOne(t, r, 1), 900)
			time.Sleep(2 * time.Second)
			wantContact(t, readOne(t, r, 1), 900)
		})
	})
	t.Run("whose outcome is unknown, over what was known", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			wantContact(t, readOne(t, r, 1), 101)
			sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDropAfter, Route: fusebillsim.RouteLatch})
			r.BeginWrite(1)
			if _, err := r.client.Latch(t.Context(), 1, fusebill.Latch{HubSpotID: 900}); err == nil {
				t.Fatal("the write did not fail")
			}
			r.EndWrite(1, nil)
			wantContact(t, readOne(t, r, 1), 900)
		})
	})
	for name, wait := range map[string]time.Duration{"under way still": 0, "answered meanwhile": 2 * time.Second} {
		t.Run("whose outcome is unknown, over a read asked before it took effect, "+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newAccount(3)
				r := newTestReader(t, sim)
				sim.Inject(slow(fusebillsim.RouteCustomer))
				r.BeginWrite(1)
				before := beginReads(t.Context(), r, 1)[0]
				sim.SetLatch(1, 900, 0)
				r.EndWrite(1, nil)
				time.Sleep(wait)
				wantContact(t, readOne(t, r, 1), 900)
				wantContact(t, <-before, 101)
				wantContact(t, readOne(t, r, 1), 900)
			})
		})
	}
	t.Run("over what was known, while it is under way", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newTestReader(t, newAccount(3))
			readOne(t, r, 1)
			r.BeginWrite(1)
			if _, err := r.client.Latch(t.Context(), 1, fusebill.Latch{HubSpotID: 900}); err != nil {
				t.Fatal(err)
			}
			wantContact(t, readOne(t, r, 1), 900)
		})
	})
	t.Run("over a list that lags behind", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStaleList, Times: -1})
			write(t, r, 1, pair(900, 0))
			for range 2 {
				if got := <-beginAccount(t.Context(), r, 0); got.err != nil {
					t.Fatal(got.err)
				}
				wantContact(t, readOne(t, r, 1), 900)
				wantHolders(t, r, 900, 1)
				time.Sleep(MaxAge + time.Second)
			}
		})
	})
}

package customers

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A latch set that lists leave open does not flood the service with single reads.
func TestSinglesAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(100, func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true })
		var running, most atomic.Int64
		r := NewReader(newTestClient(t, sim, transportOf(func(req *http.Request) (*http.Response, error) {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer running.Add(-1)
			return sim.Transport().RoundTrip(req)
		})))
		readAtOnce(t, r, ids(100), MaxAge)
		if n := most.Load(); n > singlesAtOnce || n < 2 {
			t.Errorf("%d calls at once", n)
		}
	})
}

// Customers that this process has written are not asked for by a list, which may lag behind.
func TestWrittenCustomersAreReadIndividually(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim))
		for id := range int64(5) {
			write(t, r, id+1, pair(id+901, 0))
		}
		time.Sleep(MaxAge + time.Second)
		for i, answers := range beginReads(t.Context(), r, 1, 2, 3, 4, 5) {
			wantContact(t, <-answers, int64(i+901))
		}
		wantCalls(t, sim, 5, 0)
	})
}

// A caller who wants the answer of a single read does not join a list call that is under way.
func TestSingleReadDoesNotJoinAList(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim))
		readOne(t, r, 1)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultUnlatchedRows, Times: -1, IDs: []int64{2}})
		sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyAfter, Route: fusebillsim.RouteCustomers, Latency: time.Second,
		})
		listed := beginReads(t.Context(), r, 2, 3)
		time.Sleep(lingerMost)
		own, err := r.readMany(t.Context(), []int64{2}, acceptance{isSingle: true}, fusebill.IsNotFound)
		if err != nil || LatchOf(own[2]) != pair(102, 0) {
			t.Errorf("got %s, error %v", LatchOf(own[2]), err)
		}
		for _, answers := range listed {
			if got := <-answers; got.err != nil {
				t.Error(got.err)
			}
		}
	})
}

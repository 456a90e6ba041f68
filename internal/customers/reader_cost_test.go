package customers

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// TestReaderCost holds the bound of the design for a plan with no change: at most 2 × min(ceil(N/parallelism),
// ceil(C/1000)) + 3 calls, and never more than N in accounts of N and 10 × N customers. (In others it may be more, since
// nobody tells the reader, when it decides to read the account, that hardly any read will follow.) It would catch a reader
// that makes a call per read, one that reads a large account for a few latches, and one that never reads it.
func TestReaderCost(t *testing.T) {
	t.Parallel()
	for customers, latches := range map[int][]int{
		1:      {1},
		10:     {1, 2, 9, 10},
		100:    {1, 10, 11, 100},
		1000:   {1, 10, 100, 999, 1000},
		10_000: {10, 10_000},
	} {
		sim, ids := newSampleAccount(customers) // Shared, since encoding so many takes long.
		for _, n := range latches {
			for _, parallelism := range []int{1, 10, 50} {
				testReaderCost(t, sim, ids, n, parallelism, true)
			}
		}
	}
}

// TestReaderCostWhereNobodyCounts holds the same bound where no answer says how large the account is.
func TestReaderCostWhereNobodyCounts(t *testing.T) {
	t.Parallel()
	for customers, latches := range map[int][]int{
		10:     {1, 2, 10},
		1000:   {100, 1000},
		10_000: {1000},
	} {
		sim, ids := newSampleAccount(customers)
		for _, n := range latches {
			testReaderCost(t, sim, ids, n, 10, false)
		}
	}
}

func newSampleAccount(customers int) (*fusebillsim.Simulator, []int64) {
	sim := fusebillsim.New(fusebillsim.Config{
		APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true,
		Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond},
	})
	return sim, sim.AddSampleCustomers(customers)
}

func testReaderCost(t *testing.T, sim *fusebillsim.Simulator, ids []int64, latches, parallelism int, told bool) {
	bound := 2*min(ceilDiv(latches, parallelism), ceilDiv(len(ids), pageSize)) + 3
	if len(ids) == latches || len(ids) == 10*latches {
		bound = min(bound, latches)
	}
	t.Run(fmt.Sprintf("%d of %d, %d at once", latches, len(ids), parallelism), func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			if calls := costOf(t, sim, ids[:latches], parallelism, told); calls > bound {
				t.Errorf("%d calls, want at most %d", calls, bound)
			}
		})
	})
}

// costOf returns how many calls it takes to read customers, of an account whose size the answers tell or not.
func costOf(t *testing.T, sim *fusebillsim.Simulator, ids []int64, parallelism int, told bool) int {
	t.Helper()
	var calls atomic.Int64
	transport := roundTripper(func(req *http.Request) (*http.Response, error) {
		calls.Add(1)
		resp, err := sim.Transport().RoundTrip(req)
		if err == nil && !told {
			resp.Header.Del("X-MaxCount")
		}
		return resp, err
	})
	readAll(t, ids, parallelism, NewReader(newTestClient(t, sim, fusebill.WithTransport(transport))).Customer)
	return int(calls.Load())
}

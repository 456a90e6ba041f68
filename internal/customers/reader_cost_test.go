package customers

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// costs counts the calls of readings, in accounts that they share, since encoding so many customers
// takes long.
type costs struct {
	sim     *fusebillsim.Simulator
	ids     []int64
	isTold  bool // answers tell the size of the account
	isApply bool // the reads are made before writes, after the account was read
}

func newCosts(customers int) *costs {
	sim := fusebillsim.New(fusebillsim.Config{
		APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true,
		Behavior: fusebillsim.Behavior{Latency: latency},
	})
	return &costs{sim: sim, ids: sim.AddSampleCustomers(customers), isTold: true}
}

// pages is how many pages the account has.
func (c *costs) pages() int { return ceilDiv(len(c.ids), pageSize) }

// atMost fails unless a reading of the first n customers takes at most so many calls.
func (c *costs) atMost(t *testing.T, name string, n, bound int, reading func(*testing.T, *Reader, []int64)) {
	t.Helper()
	t.Run(fmt.Sprintf("%d of %d, %s", n, len(c.ids), name), func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int64
			transport := roundTripper(func(req *http.Request) (*http.Response, error) {
				calls.Add(1)
				resp, err := c.sim.Transport().RoundTrip(req)
				if err == nil && !c.isTold {
					resp.Header.Del("X-MaxCount")
				}
				return resp, err
			})
			r := NewReader(newTestClient(t, c.sim, fusebill.WithTransport(transport)))
			if c.isApply {
				if err := r.ReadAccount(t.Context(), MaxAge, 1000); err != nil {
					t.Fatal(err)
				}
				time.Sleep(MaxAgeBeforeWrite + time.Second)
				calls.Store(0)
			}
			reading(t, r, c.ids[:n])
			if calls := int(calls.Load()); calls > bound {
				t.Errorf("%d calls, want at most %d", calls, bound)
			}
		})
	})
}

// singles holds the bound of the design for a plan of single latches without changes: at most 2 ×
// min(ceil(N/parallelism), ceil(C/1000)) + 3 calls, and never more than N in accounts of N and 10 ×
// N customers. (In others it may be more, since the Reader cannot know, when it decides to read the
// account, that hardly any read will follow.) It would catch a Reader that makes a call per read,
// one that reads a large account for a few latches, and one that never reads it.
func (c *costs) singles(t *testing.T, n, parallelism int) {
	t.Helper()
	bound := 2*min(ceilDiv(n, parallelism), c.pages()) + 3
	if len(c.ids) == n || len(c.ids) == 10*n {
		bound = min(bound, n)
	}
	c.atMost(t, fmt.Sprintf("%d at once", parallelism), n, bound, func(t *testing.T, r *Reader, ids []int64) {
		readAll(t, ids, parallelism, r.Customer)
	})
}

func TestReaderCost(t *testing.T) {
	t.Parallel()
	for customers, latches := range map[int][]int{
		1:      {1},
		10:     {1, 2, 9, 10},
		100:    {1, 10, 11, 100},
		1000:   {1, 10, 100, 999, 1000},
		10_000: {10, 10_000},
	} {
		c := newCosts(customers)
		for _, n := range latches {
			for _, parallelism := range []int{1, 10, 50} {
				c.singles(t, n, parallelism)
			}
		}
	}
}

// The same bound holds where no answer shows how large the account is.
func TestReaderCost_sizeUnknown(t *testing.T) {
	t.Parallel()
	for customers, latches := range map[int][]int{
		10:     {1, 2, 10},
		1000:   {100, 1000},
		10_000: {1000},
	} {
		c := newCosts(customers)
		c.isTold = false
		for _, n := range latches {
			c.singles(t, n, 10)
		}
	}
}

// readAtOnce reads customers as a latch set does.
func readAtOnce(t *testing.T, r *Reader, ids []int64, maxAge time.Duration) {
	t.Helper()
	if found, err := r.Customers(t.Context(), ids, maxAge); err != nil || len(found) != len(ids) {
		t.Errorf("%d customers, error %v", len(found), err)
	}
}

// A latch set takes at most min(ceil(N/100), ceil(C/1000)) + 2 calls.
func TestReaderCost_set(t *testing.T) {
	t.Parallel()
	for customers, rows := range map[int][]int{
		10:     {1, 10},
		1000:   {1, 100, 101, 1000},
		10_000: {100, 101, 500, 999, 1000, 1001, 10_000},
		20_000: {10, 1000, 1900, 2100},
	} {
		c := newCosts(customers)
		for _, n := range rows {
			c.atMost(t, "a set", n, min(ceilDiv(n, maxBatch), c.pages())+2, func(t *testing.T, r *Reader, ids []int64) {
				readAtOnce(t, r, ids, MaxAge)
			})
		}
	}
}

// A set of 100,000 in an account of 100,000 takes 102 calls. The entries have nothing but their
// IDs, since real ones would take minutes with the race detector.
func TestReaderCost_largestSet(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const customers = 100_000
		var calls atomic.Int64
		r := NewReader(newTestClient(t, newAccount(0), transportOf(func(req *http.Request) (*http.Response, error) {
			calls.Add(1)
			page, _ := strconv.Atoi(req.URL.Query().Get("pageNumber"))
			entries := make([]string, pageSize)
			for i := range entries {
				entries[i] = fmt.Sprintf(`{"id":%d,"hubSpotId":%d,"hubSpotCompanyId":null}`, page*pageSize+i+1, page*pageSize+i+101)
			}
			resp := answerWith(req, http.StatusOK, "["+strings.Join(entries, ",")+"]")
			resp.Header.Set("X-MaxCount", strconv.Itoa(customers))
			if page == customers/pageSize-1 {
				resp.Header.Set("X-NextPage", "-1")
			}
			return resp, nil
		})))
		current, gone, err := r.Managed(t.Context(), ids(customers))
		if err != nil || len(current) != customers || len(gone) > 0 {
			t.Errorf("%d current, %d gone, error %v", len(current), len(gone), err)
		}
		if calls := calls.Load(); calls > 102 {
			t.Errorf("%d calls", calls)
		}
	})
}

// The reads of an apply take at most ceil(N/100) calls for a set and ceil(N/parallelism) for single
// latches, which read their customers one by one before they write. Until all workers have begun,
// there are a few more.
func TestReaderCost_apply(t *testing.T) {
	t.Parallel()
	for customers, changes := range map[int][]int{
		100:    {10, 100},
		3000:   {100, 3000},
		10_000: {1000},
	} {
		c := newCosts(customers)
		c.isApply = true
		for _, n := range changes {
			c.atMost(t, "a set", n, ceilDiv(n, maxBatch), func(t *testing.T, r *Reader, ids []int64) {
				readAtOnce(t, r, ids, MaxAgeBeforeWrite)
			})
			for _, parallelism := range []int{1, 10, 50} {
				most := ceilDiv(n, parallelism) + ceilDiv(parallelism-1, 10)
				c.atMost(t, fmt.Sprintf("%d at once", parallelism), n, most, func(t *testing.T, r *Reader, ids []int64) {
					readAll(t, ids, parallelism, func(ctx context.Context, id int64) (fusebill.Customer, error) {
						customer, _, err := r.CustomerBeforeWrite(ctx, id)
						r.BeginWrite(id)
						time.Sleep(2*time.Second + time.Duration(id%7)*200*time.Millisecond) // The write, as the quota paces it.
						r.EndWrite(id, &customer)
						return customer, err
					})
				})
			}
		}
	}
}

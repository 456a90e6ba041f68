package customers

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// oneToTen are the customers that the tests of this file read at once.
var oneToTen = []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}

// readTen reads customers 1 to 10 at once, and fails unless each has its contact.
func readTen(t *testing.T, r *Reader) {
	t.Helper()
	for i, answers := range beginReads(t.Context(), r, oneToTen...) {
		wantContact(t, <-answers, int64(i+101))
	}
}

// batchSizes lists how many customers each batch asked for, the largest first.
func batchSizes(sim *fusebillsim.Simulator) (sizes []int) {
	for _, request := range sim.Requests() {
		if request.Route == fusebillsim.RouteCustomers {
			sizes = append(sizes, len(request.CustomerIDs()))
		}
	}
	slices.Sort(sizes)
	slices.Reverse(sizes)
	return sizes
}

// TestGapInABatch reads those customers individually that a list leaves out, and only those.
func TestGapInABatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim))
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, Times: -1, IDs: []int64{3, 4}})
		sim.DeleteCustomer(4)
		reads := beginReads(t.Context(), r, oneToTen...)
		for i, answers := range reads {
			got := <-answers
			if id := oneToTen[i]; id != 4 {
				wantContact(t, got, id+100)
			} else if !fusebill.IsNotFound(got.err) {
				t.Errorf("got %+v for a customer that is gone", got)
			}
		}
		var alone []int64
		for _, request := range sim.Requests() {
			if request.Route == fusebillsim.RouteCustomer {
				alone = append(alone, request.CustomerIDs()...)
			}
		}
		if slices.Sort(alone); !slices.Equal(alone, []int64{1, 3, 4}) { // The first read goes alone anyway.
			t.Errorf("read individually: %v", alone)
		}
	})
}

// TestUselessLists has lists that cannot answer: no list follows the first, and the account
// is not read either.
func TestUselessLists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20, func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true })
		r := newTestReader(t, sim)
		readTen(t, r)
		for i, answers := range beginReads(t.Context(), r, 11, 12, 13, 14, 15) {
			wantContact(t, <-answers, int64(i+111))
		}
		wantCalls(t, sim, 15, 1)
	})
}

func TestIgnoredFilter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20, func(b *fusebillsim.Behavior) { b.IgnoreFilters, b.MaxPageSize = true, 12 })
		r := withoutPages(newTestReader(t, sim))
		for i, answers := range beginReads(t.Context(), r, 1, 2, 15, 16) {
			wantContact(t, <-answers, []int64{101, 102, 115, 116}[i])
		}
		for i, answers := range beginReads(t.Context(), r, 17, 18, 19, 20) {
			wantContact(t, <-answers, int64(i+117))
		}
		wantCalls(t, sim, 7, 1) // 1 first, one list that brings 2 and others, 15 and 16, the last four.
	})
}

// TestRefusedBatches has a service, or a proxy before it, that refuses batches above some size.
// They are made smaller, at last single reads, and that is remembered.
func TestRefusedBatches(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		behavior func(*fusebillsim.Behavior)
		sizes    []int // of the batches that are read while customers are read twice
	}{
		"more than 4 IDs (400)": {func(b *fusebillsim.Behavior) { b.MaxIDSet = 4 }, []int{9, 4, 4, 4, 4, 2, 1}},
		"more than 1 ID (400)":  {func(b *fusebillsim.Behavior) { b.MaxIDSet = 1 }, []int{9, 4, 2}},
		"a URL over 62 bytes (414)": {
			func(b *fusebillsim.Behavior) { b.MaxURLLength = 62 }, []int{9, 4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1},
		},
		"any query (414)": {func(b *fusebillsim.Behavior) { b.MaxURLLength = 30 }, []int{9, 4, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newAccount(20, test.behavior)
				r := withoutPages(newTestReader(t, sim))
				readTen(t, r)
				time.Sleep(MaxAge + time.Second)
				readTen(t, r)
				if sizes := batchSizes(sim); !slices.Equal(sizes, test.sizes) {
					t.Errorf("batches of %v, want %v", sizes, test.sizes)
				}
			})
		})
	}
}

// TestListOf404 has lists that are answered with 404, as Windows servers answer a query that is too
// long. It passes for nobody's end.
func TestListOf404(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim, transportOf(func(req *http.Request) (*http.Response, error) {
			if isList(req) {
				req = req.Clone(req.Context())
				req.URL.Path = "/v1/customers/999"
			}
			return sim.Transport().RoundTrip(req)
		})))
		readTen(t, r)
		if err := r.ReadAccount(t.Context(), 0, 1000); err == nil || fusebill.IsNotFound(err) {
			t.Errorf("reading the account: %v", err)
		}
	})
}

// TestEntryThatCantBeRead has one customer whose list entry is not understood: the others are read
// all the same.
func TestEntryThatCantBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim, fusebill.WithTransport(changed(sim, isBatch, func(resp *http.Response) {
			body, _ := io.ReadAll(resp.Body)
			text := strings.ReplaceAll(string(body), `"hubSpotId":105`, `"hubSpotId":"five"`)
			if !json.Valid([]byte(text)) {
				t.Error(text)
			}
			resp.Body = io.NopCloser(strings.NewReader(text))
		}))))
		readTen(t, r)
	})
}

// TestBatchFails fails the batch of customers 2 to 4: only their reads fail.
func TestBatchFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim))
		first := beginReads(t.Context(), r, 1)[0]
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: isBatch})
		failing := beginReads(t.Context(), r, 2, 3, 4)
		time.Sleep(latency / 2) // Their batch is under way.
		later := beginReads(t.Context(), r, 5)[0]
		wantContact(t, <-first, 101)
		for _, answers := range failing {
			if got := <-answers; got.err == nil {
				t.Errorf("got %+v", got)
			}
		}
		wantContact(t, <-later, 105)
		for i, answers := range beginReads(t.Context(), r, 2, 3, 4) {
			wantContact(t, <-answers, int64(i+102))
		}
	})
}

package fusebillsim

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// statuses makes n calls of a path and returns their statuses.
func statuses(t *testing.T, s *Simulator, n int, path string) []int {
	t.Helper()
	var all []int
	for range n {
		all = append(all, get(t, s, path).status)
	}
	return all
}

func TestFaultMatching(t *testing.T) {
	t.Parallel()
	hasQuery := func(r *http.Request) bool { return r.URL.Query().Has("query") }
	isPost := func(r *http.Request) bool { return r.Method == http.MethodPost }
	tests := map[string]struct {
		fault Fault
		want  []int // of list calls
	}{
		"once":            {Fault{}, []int{500, 200, 200, 200}},
		"twice":           {Fault{Times: 2}, []int{500, 500, 200, 200}},
		"for ever":        {Fault{Times: -1}, []int{500, 500, 500, 500}},
		"after two":       {Fault{After: 2}, []int{200, 200, 500, 200}},
		"after, for ever": {Fault{After: 1, Times: -1}, []int{200, 500, 500, 500}},
		"route":           {Fault{Route: RouteCustomers}, []int{500, 200, 200, 200}},
		"other route":     {Fault{Route: RouteLatch, Times: -1}, []int{200, 200, 200, 200}},
		"match":           {Fault{Match: hasQuery}, []int{500, 200, 200, 200}},
		"no match":        {Fault{Match: isPost, Times: -1}, []int{200, 200, 200, 200}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTest(t, Config{})
			test.fault.Kind = FaultStatus500After
			s.Inject(test.fault)
			if diff := cmp.Diff(test.want, statuses(t, s, 4, "customers?query=id:1")); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
		})
	}
}

// A fault that a call cannot show must wait for one that can.
func TestFaultWaitsForItsRoute(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	s.Inject(Fault{Kind: FaultMissingRows, IDs: []int64{1}})
	get(t, s, "customers/1")
	if got := get(t, s, "customers"); got.body != "[]" {
		t.Errorf("the first list: %s", got.body)
	}
}

func TestRemoveFault(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	remove := s.Inject(Fault{Kind: FaultStatus500Before, Times: -1})
	s.Inject(Fault{Kind: FaultStatus500After, Route: RouteCustomer, Times: -1})
	remove()
	remove()
	if got := get(t, s, "customers"); got.status != 200 {
		t.Errorf("removed: status %d", got.status)
	}
	if got := get(t, s, "customers/1"); got.status != 500 {
		t.Errorf("the other: status %d", got.status)
	}
}

func TestFaultsMeet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{})
		s.Inject(Fault{Kind: FaultLatencyBefore, Latency: time.Second})
		s.Inject(Fault{Kind: FaultLatencyAfter, Latency: 2 * time.Second})
		s.Inject(Fault{Kind: FaultHTML502})
		start := time.Now()
		if got := get(t, s, "customers"); got.status != 502 || time.Since(start) != 3*time.Second {
			t.Errorf("status %d after %v", got.status, time.Since(start))
		}
	})
}

// The places for someone else's change: before the call is handled, so that it
// acts on it, and after, so that its answer is out of date.
func TestHooks(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1}, Customer{ID: 2})
	s.Inject(Fault{Route: RouteLatch, OnRequest: func(*http.Request) { s.SetLatch(2, 101, 0) }})
	if got := post(t, s, latchPath, latchBody); got.status != 409 {
		t.Errorf("claim of what was just taken: status %d", got.status)
	}
	s.Inject(Fault{Route: RouteCustomers, OnAnswer: func(*http.Request) { s.SetLatch(2, 0, 0) }})
	if got := get(t, s, "customers?query=id:2"); !strings.Contains(got.body, `"hubSpotId":101`) {
		t.Errorf("answer is newer than the call: %s", got.body)
	}
	checkLatches(t, s, holder{1, 0, 0}, holder{2, 0, 0})
}

// Each reader of the body gets the whole of it.
func TestEachReadsTheWholeBody(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	var seen []string
	read := func(r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen = append(seen, string(body))
	}
	match := func(r *http.Request) bool { read(r); return true }
	for range 2 {
		s.Inject(Fault{Match: match, OnRequest: read, OnAnswer: read})
	}
	if got := post(t, s, latchPath, latchBody); got.status != 200 {
		t.Errorf("status %d", got.status)
	}
	if want := slices.Repeat([]string{latchBody}, 6); !slices.Equal(seen, want) {
		t.Errorf("read %q", seen)
	}
}

func TestChaos(t *testing.T) {
	t.Parallel()
	run := func(c Chaos) []int {
		s := newTest(t, Config{})
		s.InjectChaos(c)
		return statuses(t, s, 200, "customers")
	}
	c := Chaos{Probability: 0.5, Seed: 1, Kinds: []FaultKind{FaultStatus500After, FaultHTML502, FaultDifferentAnswer}}
	told := map[FaultKind]int{}
	c.OnFault = func(k FaultKind) { told[k]++ }
	first := run(c)
	c.OnFault = nil
	shown := map[int]int{}
	for _, status := range first {
		shown[status]++
	}
	if told[FaultStatus500After] != shown[500] || told[FaultHTML502] != shown[502] || len(told) != 2 {
		t.Errorf("told of the faults %v, and %v were answered", told, shown)
	}
	if diff := cmp.Diff(first, run(c)); diff != "" {
		t.Errorf("the same seed gave other faults:\n%s", diff)
	}
	for _, status := range []int{200, 500, 502} {
		if !slices.Contains(first, status) {
			t.Errorf("no %d in 200 calls", status)
		}
	}
	c.Seed = 2
	if slices.Equal(first, run(c)) {
		t.Error("another seed gave the same faults")
	}
	c.Route = RouteLatch
	if slices.ContainsFunc(run(c), func(status int) bool { return status != 200 }) {
		t.Error("a fault on another route")
	}
	c = Chaos{Probability: 0, Kinds: []FaultKind{FaultStatus500After}}
	if slices.Contains(run(c), 500) {
		t.Error("a fault in spite of a probability of 0")
	}
	c.Probability = 1
	if slices.Contains(run(c), 200) {
		t.Error("no fault in spite of a probability of 1")
	}
}

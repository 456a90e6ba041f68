package main

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func TestTable(t *testing.T) {
	t.Parallel()
	table := table{header: []string{"operation", "n"}}
	table.add("plan, 1 % drift", "10")
	table.add("–", "1,000")
	want := `| operation       | n     |
|-----------------|-------|
| plan, 1 % drift | 10    |
| –               | 1,000 |
`
	if diff := cmp.Diff(want, table.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

// TestResults_broken shows that a bound of a count that is broken is noticed, and a bound of a time isn't.
func TestResults_broken(t *testing.T) {
	t.Parallel()
	calls := func(reads, writes int) measurement {
		return measurement{wall: time.Hour, calls: map[fusebillsim.Route]int{
			fusebillsim.RouteCustomers: reads, fusebillsim.RouteLatch: writes,
		}}
	}
	refused := calls(5, 0)
	refused.refused = 1
	for name, c := range map[string]struct {
		results results
		broken  bool
	}{
		"as many calls as may be": {results{rows: []row{{ours: calls(5, 0), bound: 5, latches: 1000, instant: measurement{wall: 1}}}}, false},
		"a call more":             {results{rows: []row{{ours: calls(6, 0), bound: 5}}}, true},
		"a write in a plan":       {results{rows: []row{{ours: calls(1, 1), bound: 5}}}, true},
		"a write twice":           {results{rows: []row{{ours: calls(1, 11), writes: 10, bound: 15}}}, true},
		"a 429":                   {results{rows: []row{{ours: refused, bound: 5}}}, true},
		"too slow for the limit":  {results{limited: []limitedRow{{share: 0.1, windows: 5}}}, false},
		"a 429 under the limit":   {results{limited: []limitedRow{{measurement: refused}}}, true},
		"429s that others cause":  {results{limited: []limitedRow{{measurement: refused, refusedBound: handful}}}, false},
		"a read too many":         {results{limited: []limitedRow{{reads: 6, bound: 5}}}, true},
	} {
		if err := c.results.broken(); (err != nil) != c.broken {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestShareOfAllowed(t *testing.T) {
	t.Parallel()
	c := limitCase{limit: 10, window: time.Minute}
	at := func(minute, second int) time.Time { return time.Date(2026, 1, 2, 15, minute, second, 0, time.UTC) }
	request := func(minute, second int, route fusebillsim.Route) fusebillsim.Request {
		return fusebillsim.Request{Time: at(minute, second), Route: route}
	}
	requests := []fusebillsim.Request{
		request(0, 59, fusebillsim.RouteCustomers), // before the first write
		request(1, 50, fusebillsim.RouteLatch),     // the first window, of which only the end was used
		request(4, 1, fusebillsim.RouteLatch),      // the last one
	}
	for range 5 {
		requests = append(requests, request(2, 0, fusebillsim.RouteLatch), request(3, 0, fusebillsim.RouteCustomer))
	}
	slices.SortFunc(requests, func(a, b fusebillsim.Request) int { return a.Time.Compare(b.Time) })

	share, windows := shareOfAllowed(c, requests, nil)
	if share != 0.5 || windows != 2 {
		t.Errorf("alone: got %v of %d windows, want 0.5 of 2", share, windows)
	}
	others := map[time.Time]int{at(1, 0): 1, at(2, 0): 5, at(3, 0): 5}
	share, windows = shareOfAllowed(c, requests, others)
	if share != 1 || windows != 2 {
		t.Errorf("with others: got %v of %d windows, want 1 of 2", share, windows)
	}
	if share, windows = shareOfAllowed(c, requests[:2], nil); share != 0 || windows != 0 {
		t.Errorf("one window: got %v of %d, want none", share, windows)
	}
}

func TestChart(t *testing.T) {
	t.Parallel()
	ours := func(calls int) measurement {
		return measurement{calls: map[fusebillsim.Route]int{fusebillsim.RouteCustomers: calls}}
	}
	rows := []row{
		{operation: unchanged, latches: 10_000, customers: 10_000, ours: ours(13), data: measurement{wall: 1}},
		{operation: unchanged, latches: 10_000, customers: 100_000, ours: ours(203), data: measurement{wall: 1}},
		{operation: unchanged, latches: 10, customers: 10, ours: ours(2), data: measurement{wall: 1}},
		{operation: unchanged, latches: 10, customers: 10, ours: ours(7)},                                  // at another -parallelism
		{operation: drift, latches: 10_000, customers: 10_000, ours: ours(14), data: measurement{wall: 1}}, // another operation
	}
	svg := chart(chartSeries(rows))
	for _, want := range []string{">13<", ">203<", ">2<", ">10,000<"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in it", want)
		}
	}
	for _, not := range []string{">7<", ">14<", "NaN", "Inf"} {
		if strings.Contains(svg, not) {
			t.Errorf("%s is in it", not)
		}
	}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if chartSeries(nil) != nil {
		t.Error("a chart of nothing")
	}
}

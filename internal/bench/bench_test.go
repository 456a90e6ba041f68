package main

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// TestAccBench measures a few latches with the real CLI. No bound is broken, and nothing is left.
func TestAccBench(t *testing.T) {
	if os.Getenv(resource.EnvTfAcc) == "" {
		t.Skipf("Acceptance tests skipped unless env '%s' set", resource.EnvTfAcc)
	}
	temp, svg := t.TempDir(), filepath.Join(t.TempDir(), "calls.svg")
	t.Setenv("TMPDIR", temp)
	var out strings.Builder
	args := []string{"-n", "10", "-repeat", "1", "-latency", "0s", "-svg", svg}
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{oneSet, nothing, naive, data, singles} {
		if !strings.Contains(out.String(), "| "+plan+" | 10 | "+what+" |") {
			t.Errorf("no plan of %s in\n%s", what, &out)
		}
	}
	if _, err := os.Stat(svg); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("it left %v (%v)", left, err)
	}
}

// TestBroken shows that a count above its bound is an error, and a time is not.
func TestBroken(t *testing.T) {
	t.Parallel()
	r := row{operation: plan, what: oneSet, latches: 12345, measurement: measurement{wall: 2}}
	r.atMost("calls", 5, 5)
	r.atMostTimes(1.5, row{measurement: measurement{wall: 1}})
	if err := broken([]row{r}); err != nil {
		t.Error(err)
	}
	r.atMost("calls", 6, 5)
	if err := broken([]row{r}); err == nil {
		t.Error("six calls are held to be at most five")
	}
	if got := table([]row{r}); !strings.Contains(got, "| 12,345 |") || strings.Count(got, "**missed**") != 2 {
		t.Errorf("got the table\n%s", got)
	}
}

func TestChart(t *testing.T) {
	t.Parallel()
	svg := chart([]row{
		{operation: plan, what: oneSet, latches: 10, measurement: measurement{reads: 1}},
		{operation: plan, what: oneSet, latches: 10_000, measurement: measurement{reads: 12}},
		{operation: plan, what: singles, latches: 10, measurement: measurement{reads: 2}},
	})
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Error(err)
	}
	if !strings.Contains(svg, ">12<") || !strings.Contains(svg, ">10,000<") {
		t.Errorf("no number of calls in\n%s", svg)
	}
}

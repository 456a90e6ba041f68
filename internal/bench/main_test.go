package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAccQuick runs the benchmark for a few latches, with the real CLI: that it works, and that its counts hold.
func TestAccQuick(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("TF_ACC isn't set")
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	chart := filepath.Join(t.TempDir(), "images", "calls.svg")
	var out strings.Builder
	if err := run(t.Context(), []string{"-quick", "-n", "10", "-limits=false", "-svg", chart}, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	if _, err := os.Stat(chart); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
}

func TestParseOptions(t *testing.T) {
	t.Parallel()
	o, err := parseOptions([]string{"-n", "10, 2000,100", "-quick"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(o.sizes, []int{10, 100}) || o.svg != "" || o.repeat != 1 {
		t.Errorf("-quick: got %+v", o)
	}
	if o, err = parseOptions(nil, t.Output()); err != nil || o.svg != defaultChart || o.repeats(1000) != 3 || o.repeats(10_000) != 1 {
		t.Errorf("nothing given: got %+v, %v", o, err)
	}
	for _, args := range [][]string{{"-n", "0"}, {"-n", ""}, {"-parallelism", "10,x"}, {"more"}, {"-no-such-flag"}} {
		if _, err := parseOptions(args, t.Output()); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}

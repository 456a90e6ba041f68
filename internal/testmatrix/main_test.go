package main

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

func TestCount(t *testing.T) {
	t.Parallel()
	var failures strings.Builder
	counts := count(strings.NewReader(`# what the build prints
{"Action":"run","Package":"p","Test":"TestAccA"}
{"Action":"pass","Package":"p","Test":"TestAccA/part"}
{"Action":"skip","Package":"p","Test":"TestAccA/other_part"}
{"Action":"output","Package":"p","Test":"TestAccA","Output":"A passes\n"}
{"Action":"pass","Package":"p","Test":"TestAccA"}
{"Action":"pass","Package":"q","Test":"TestAccA"}
{"Action":"skip","Package":"p","Test":"TestAccB"}
{"Action":"output","Package":"p","Test":"TestAccC","Output":"C hangs\n"}
{"Action":"output","Package":"p","Test":"TestAccD","Output":"D fails\n"}
{"Action":"fail","Package":"p","Test":"TestAccD"}
{"Action":"fail","Package":"p"}
{"Action":"pass","Package":"q"}
`), &failures)
	if want := map[string]int{"pass": 2, "skip": 1, "fail": 1}; !maps.Equal(counts, want) {
		t.Errorf("got %v, want %v", counts, want)
	}
	if want := "# what the build prints\nD fails\nC hangs\n"; failures.String() != want {
		t.Errorf("printed %q, want %q", failures.String(), want)
	}
}

// A package that hangs and one that panics end without a failed test.
func TestRun_exitStatusDecides(t *testing.T) {
	t.Parallel()
	cli, err := acctest.Find(t.Context())
	if err != nil {
		t.Skip(err)
	}
	for name, want := range map[string]struct {
		packages []string
		row      string
		prints   string
	}{
		"passes":               {[]string{"passes"}, "| 1 | 0 | 0 |", ""},
		"one package hangs":    {[]string{"passes", "hangs"}, "| 1 | 0 | 0 |", "test timed out after 1s"},
		"one package panics":   {[]string{"passes", "panics"}, "| 1 | 0 | 0 |", "panic: on purpose"},
		"one does not compile": {[]string{"passes", "nothing"}, "| 1 | 0 | 0 |", "nothing"},
		"nothing is tested":    {nil, "| 0 | 0 | 0 |", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := suite{timeout: time.Second}
			for _, p := range want.packages {
				s.packages = append(s.packages, "./testdata/"+p)
			}
			var table, failures strings.Builder
			err := run(t.Context(), s, []string{cli.Path}, &table, &failures)
			if succeeds := name == "passes"; (err == nil) != succeeds {
				t.Errorf("got error %v, want success: %v", err, succeeds)
			}
			if !strings.Contains(table.String(), want.row) || !strings.Contains(failures.String(), want.prints) {
				t.Errorf("got the table\n%s\nand of failures\n%s", table.String(), failures.String())
			}
		})
	}
}

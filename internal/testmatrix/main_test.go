package main

import (
	"maps"
	"testing"
)

func TestCount(t *testing.T) {
	t.Parallel()
	counts, err := count([]byte(`# what the build prints
{"Action":"run","Test":"TestAccA"}
{"Action":"pass","Test":"TestAccA/part"}
{"Action":"skip","Test":"TestAccA/other_part"}
{"Action":"pass","Test":"TestAccA"}
{"Action":"skip","Test":"TestAccB"}
{"Action":"pass","Test":"TestAccC"}
{"Action":"pass"}
`))
	if want := map[string]int{"pass": 2, "skip": 1}; err != nil || !maps.Equal(counts, want) {
		t.Errorf("got %v, error %v; want %v", counts, err, want)
	}
	if _, err := count([]byte("FAIL [build failed]\n")); err == nil {
		t.Error("tests that don't compile pass for tests")
	}
}

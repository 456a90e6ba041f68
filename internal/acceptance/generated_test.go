package acceptance

import (
	"encoding/json"
	"os"
	"testing"
)

// Some guides are generated from results of test runs. The results are in testdata, so tests can
// compare new runs with them, and the guide is a template without fields.

// runMakeFaults is the next step where results and a guide differ.
const runMakeFaults = "Run make faults, and read what it changes."

// readResults reads results from a file that [writeResults] has written.
func readResults[R any](t *testing.T, file string) (r R) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// writeResults writes results to one file, and the guide that is made of them to another.
func writeResults(t *testing.T, file string, results any, guide, page string) {
	t.Helper()
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{file: string(text) + "\n", guide: page} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// isGenerated fails the test unless a guide is the page that is made of the results in a file.
func isGenerated(t *testing.T, file, guide, page string) {
	t.Helper()
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != page {
		t.Errorf("%s is not made of %s. %s", guide, file, runMakeFaults)
	}
}

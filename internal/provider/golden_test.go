package provider

import (
	"os"
	"path/filepath"
	"testing"
)

// isGolden fails the test unless text is the content of the golden file with this name in testdata.
// To write the golden files again, run the tests with UPDATE_GOLDEN=1, and review the differences.
func isGolden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	text += "\n"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s: got\n%s\nwant\n%s", path, text, want)
	}
}

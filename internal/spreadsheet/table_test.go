package spreadsheet

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

func TestTable_column(t *testing.T) {
	t.Parallel()
	header := make([]string, 800)
	header[27] = "Record ID"
	for i, want := range map[int]string{
		0: "column A ()", 25: "column Z ()", 26: "column AA ()", 27: "column AB (Record ID)",
		701: "column ZZ ()", 702: "column AAA ()",
	} {
		if got := (table{header: header}).column(i); got != want {
			t.Errorf("column %d is %s, want %s", i, got, want)
		}
	}
}

// FuzzScanner holds that every file that encoding/csv accepts is split in the same way.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{"", "a,b\nc,d\n", "\"a\n,\"\"\",b", "a,\n\n,b\n", "\"a\"x", "\"", "a\"b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if strings.Contains(text, "\r") {
			err = csv.ErrQuote // It takes a single carriage return for a part of a cell.
		}
		s := scanner{rest: text, separator: ',', line: 1}
		var got [][]string
		for s.rest != "" {
			before := len(s.rest)
			r, scanErr := s.next()
			if scanErr != nil {
				if err == nil {
					t.Errorf("%q: %v", text, scanErr)
				}
				return
			}
			if len(s.rest) >= before {
				t.Fatalf("%q: no progress at %q", text, s.rest)
			}
			if !isBlank(r.cells) {
				got = append(got, slices.Clone(r.cells))
			}
		}
		lines := strings.Count(text, "\n")
		if text != "" && !strings.HasSuffix(text, "\n") {
			lines++
		}
		if !strings.Contains(text, "\r") && s.line-1 != lines {
			t.Errorf("%q: counted %d lines, want %d", text, s.line-1, lines)
		}
		if err != nil {
			return
		}
		want = slices.DeleteFunc(want, func(cells []string) bool {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			return isBlank(cells)
		})
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%q is split into %q, want %q", text, got, want)
		}
	})
}

package spreadsheet

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// table is a CSV file whose header was read.
type table struct {
	header  []string
	scanner scanner // of the lines after the header
}

// separators are the separators that spreadsheets write, depending on the country and the format.
const separators = ",;\t"

const incomplete = "Check that the export is complete."

// openTable reads the header of a file, which is its first line that is not blank. It uses the
// separator that results in the most columns for which isKnown returns true, and among equals the
// one that results in the most columns.
func openTable(text string, isKnown func(header string) bool) (table, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.TrimSpace(text) == "" {
		return table{}, newFileError(lineError{reason: "the file is empty", nextStep: incomplete})
	}
	var best table
	mostKnown := -1
	err := newFileError(lineError{reason: "all cells of the file are empty", nextStep: incomplete})
	for i := range len(separators) {
		t := table{scanner: scanner{rest: text, separator: separators[i], line: 1}}
		for isBlank(t.header) && t.scanner.rest != "" {
			row, rowErr := t.scanner.next()
			if rowErr != nil {
				err = rowErr
				break
			}
			t.header = slices.Clone(row.cells)
		}
		known := 0
		for _, name := range t.header {
			if isKnown(name) {
				known++
			}
		}
		if !isBlank(t.header) && (known > mostKnown || known == mostKnown && len(t.header) > len(best.header)) {
			best, mostKnown = t, known
		}
	}
	if mostKnown < 0 {
		return table{}, err
	}
	return best, nil
}

// rows calls use for each line after the header that is not blank. It adds an error to errs for a
// line with more cells than the header, because such a line has cells in wrong columns.
func (t table) rows(errs *FileError, use func(row)) {
	used := 0
	for s := t.scanner; s.rest != ""; {
		r, err := s.next()
		if err != nil {
			errs.join(err)
			return
		}
		switch {
		case isBlank(r.cells):
			continue
		case len(r.cells) > len(t.header):
			errs.add(lineError{
				line:     r.line,
				reason:   fmt.Sprintf("it has %d cells, and the header has %d", len(r.cells), len(t.header)),
				kind:     "cells",
				nextStep: "A cell that contains the separator of the file must be in quotation marks.",
			})
		default:
			use(r)
		}
		used++
	}
	if used == 0 {
		errs.add(lineError{
			reason:   "the file has a header and no other line",
			nextStep: incomplete,
		})
	}
}

// find returns the index of the only column whose header has one of these names, or -1 where there
// is none.
func (t table) find(names ...string) (int, error) {
	found := -1
	for i, header := range t.header {
		if !hasName(header, names) {
			continue
		}
		if found >= 0 {
			return -1, newFileError(lineError{
				reason:   fmt.Sprintf("the file has the column %s twice: %s, and %s", names[0], t.column(found), t.column(i)),
				nextStep: "Remove one of the two columns, or rename it.",
			})
		}
		found = i
	}
	return found, nil
}

// hasName reports whether a header is one of these names, apart from letter case, spaces and
// punctuation.
func hasName(header string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return headerKey(name) == headerKey(header) })
}

// missing returns the error for a missing column.
func (t table) missing(column, nextStep string) error {
	const most = 100
	var found []string
	for _, name := range t.header {
		if name != "" && len(found) < most {
			found = append(found, fmt.Sprintf("%q", name))
		}
	}
	return newFileError(lineError{
		reason:   fmt.Sprintf("the file has no column %s; it has %s", column, strings.Join(found, ", ")),
		nextStep: nextStep,
	})
}

// column describes a column by its letter in a spreadsheet and its header.
func (t table) column(i int) string {
	letters := ""
	for n := i; n >= 0; n = n/26 - 1 {
		letters = string(rune('A'+n%26)) + letters
	}
	return fmt.Sprintf("column %s (%s)", letters, t.header[i])
}

// headerKey returns the same string for headers that differ only in letter case, spaces and
// punctuation.
func headerKey(header string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, header)
}

// row is a line of a file. A cell in quotation marks may contain line ends.
type row struct {
	line  int // of the file, from 1
	cells []string
}

// cell returns a cell. Spreadsheets may leave out empty cells at the end of a line. A negative
// index is a column that the file does not have.
func (r row) cell(i int) string {
	if i < 0 || i >= len(r.cells) {
		return ""
	}
	return r.cells[i]
}

// isBlank reports whether all cells are empty.
func isBlank(cells []string) bool {
	for _, cell := range cells {
		if cell != "" {
			return false
		}
	}
	return true
}

// scanner splits a file. It replaces encoding/csv, which refuses spaces after a quoted cell, takes
// tabs for spaces before one, and does not end a line at a carriage return alone.
type scanner struct {
	rest      string
	separator byte
	line      int // of the start of rest
	cells     []string
}

// next returns the next line. Its cells are valid until the next call.
func (s *scanner) next() (row, error) {
	r := row{line: s.line, cells: s.cells[:0]}
	for {
		cell, err := s.cell()
		if err != nil {
			return row{}, err
		}
		r.cells = append(r.cells, cell)
		if s.rest != "" && s.rest[0] == s.separator {
			s.rest = s.rest[1:]
			continue
		}
		s.rest = strings.TrimPrefix(strings.TrimPrefix(s.rest, "\r"), "\n")
		s.line++
		s.cells = r.cells
		return r, nil
	}
}

// cell returns the next cell, without white space around it.
func (s *scanner) cell() (string, error) {
	isSpace := func(r rune) bool {
		return unicode.IsSpace(r) && r != '\r' && r != '\n' && r != rune(s.separator)
	}
	s.rest = strings.TrimLeftFunc(s.rest, isSpace)
	if !strings.HasPrefix(s.rest, `"`) {
		end := 0
		for end < len(s.rest) && s.rest[end] != s.separator && s.rest[end] != '\r' && s.rest[end] != '\n' {
			end++
		}
		cell := s.rest[:end]
		s.rest = s.rest[end:]
		return strings.TrimSpace(cell), nil
	}
	start := s.line
	var b strings.Builder
	for quoted := true; quoted; {
		end := strings.IndexByte(s.rest[1:], '"') + 1
		if end == 0 {
			return "", quoteError(start, "a quotation mark begins a cell, and none ends it")
		}
		b.WriteString(s.rest[1:end])
		s.rest = s.rest[end+1:]
		if quoted = strings.HasPrefix(s.rest, `"`); quoted {
			b.WriteByte('"')
		}
	}
	cell := b.String()
	s.line += strings.Count(cell, "\n") + strings.Count(cell, "\r") - strings.Count(cell, "\r\n")
	s.rest = strings.TrimLeftFunc(s.rest, isSpace)
	if s.rest != "" && s.rest[0] != s.separator && s.rest[0] != '\r' && s.rest[0] != '\n' {
		return "", quoteError(s.line, "a cell goes on after the quotation mark that ends it")
	}
	return strings.TrimSpace(cell), nil
}

func quoteError(line int, reason string) error {
	return newFileError(lineError{
		line:     line,
		reason:   reason,
		nextStep: "In a cell with quotation marks around it, each quotation mark inside must be doubled.",
	})
}

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// table is the table of the documentation, in Markdown.
func table(rows []row) string {
	var t strings.Builder
	t.WriteString("| operation | latches | of | time | CPU | reads | writes | memory | bounds |\n" +
		"|---|--:|---|--:|--:|--:|--:|--:|---|\n")
	for _, r := range rows {
		memory := "–"
		if r.memory > 0 {
			memory = fmt.Sprintf("%d MiB", r.memory)
		}
		var bounds []string
		for _, b := range r.bounds {
			verdict := ""
			if !b.isHeld {
				verdict = " **missed**"
			}
			bounds = append(bounds, b.name+verdict)
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %.2f s | %.2f s | %s | %s | %s | %s |\n", r.operation, grouped(r.latches), r.what,
			r.wall.Seconds(), r.cpu.Seconds(), grouped(r.reads), grouped(r.writes), memory, strings.Join(bounds, ", "))
	}
	return t.String()
}

// broken returns an error for each bound that is broken, times excepted.
func broken(rows []row) error {
	var all []error
	for _, r := range rows {
		for _, b := range r.bounds {
			if !b.isHeld && !b.isTime {
				all = append(all, fmt.Errorf("%s, %s latches, %s: %s is broken", r.operation, grouped(r.latches), r.what, b.name))
			}
		}
	}
	return errors.Join(all...)
}

// grouped writes a whole number as in 10,000.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

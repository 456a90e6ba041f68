package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// printer writes what the user of the demo sees.
type printer struct {
	w      io.Writer
	colour bool
}

// newPrinter makes a printer that uses colours on a terminal, unless NO_COLOR is set. Not every terminal of Windows knows
// them.
func newPrinter(f *os.File) printer {
	info, err := f.Stat()
	isTerminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return printer{w: f, colour: isTerminal && os.Getenv("NO_COLOR") == "" && runtime.GOOS != "windows"}
}

func (p printer) printf(format string, args ...any) { fmt.Fprintf(p.w, format, args...) }

// title prints one line above what is about to be seen.
func (p printer) title(format string, args ...any) {
	p.printf("\n%s\n\n", p.style("1;36", "==> "+fmt.Sprintf(format, args...)))
}

// command prints a command as a user types it.
func (p printer) command(text string) {
	p.printf("%s\n", p.style("1", "$ "+text))
}

func (p printer) style(code, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// indent moves a text two columns to the right.
func indent(text string) string {
	var indented strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			indented.WriteString("  ")
		}
		indented.WriteString(line)
	}
	return indented.String()
}

package spreadsheet

import (
	"errors"
	"fmt"
	"strings"
)

// FileError lists the errors in a file: the first ones in full, and the number of the others.
type FileError struct {
	errors []lineError
	count  int
}

// mostErrors is the number of errors that are reported in full.
const mostErrors = 20

// lineError is one error in a file.
type lineError struct {
	line     int    // 0 for the whole file
	column   string // empty for the whole line
	reason   string
	kind     string // errors of one kind share their next step; empty: the reason is the kind
	nextStep string
}

func newFileError(err lineError) error { return &FileError{errors: []lineError{err}, count: 1} }

func (e *FileError) add(err lineError) {
	e.count++
	if len(e.errors) < mostErrors {
		e.errors = append(e.errors, err)
	}
}

// join adds the errors of another error of this type.
func (e *FileError) join(err error) {
	if other, ok := errors.AsType[*FileError](err); ok {
		for _, one := range other.errors {
			e.add(one)
		}
	}
}

// orNil returns the error, or nil where there is none.
func (e *FileError) orNil() error {
	if e.count == 0 {
		return nil
	}
	return e
}

// Error has a line for each error, then the next step for the first error of each kind: steps that
// are equal apart from the ID in them would fill the screen.
func (e *FileError) Error() string {
	var b strings.Builder
	if e.count == 1 {
		fmt.Fprintf(&b, "%s.\n", e.errors[0])
	} else {
		fmt.Fprintf(&b, "the file has %d errors:\n\n", e.count)
		for _, err := range e.errors {
			text := err.String()
			fmt.Fprintf(&b, "%s%s.\n", strings.ToUpper(text[:1]), text[1:])
		}
	}
	if more := e.count - len(e.errors); more > 0 {
		fmt.Fprintf(&b, "There are %d more.\n", more)
	}
	steps := map[string]bool{}
	for _, err := range e.errors {
		kind := err.kind
		if kind == "" {
			kind = err.reason
		}
		if steps[kind] || steps[err.nextStep] {
			continue
		}
		steps[kind], steps[err.nextStep] = true, true
		b.WriteString("\n")
		if e.count > 1 && err.line > 0 {
			fmt.Fprintf(&b, "Line %d: ", err.line)
		}
		b.WriteString(err.nextStep + "\n")
	}
	return strings.TrimSpace(b.String())
}

func (e lineError) String() string {
	switch {
	case e.line == 0:
		return e.reason
	case e.column == "":
		return fmt.Sprintf("line %d: %s", e.line, e.reason)
	default:
		return fmt.Sprintf("line %d, %s: %s", e.line, e.column, e.reason)
	}
}

package contract

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// fact is a question about the service that its reference does not answer.
type fact string

// The facts that API.md calls not known, in the order of the report.
const (
	malformedKeyStatus fact = "status for a malformed key"
	missingCustomer    fact = "body of the 404 of a missing customer"
	listKeys           fact = "HubSpot keys in list entries"
	resetFormat        fact = "form of X-Rate-Limit-Reset"
	retryAfter         fact = "Retry-After with a 429"
	conflict           fact = "claim of a contact that another customer holds"
	latchModifies      fact = "modifiedTimestamp when a latch changes"
	updateLatch        fact = "latch after PUT customers without the HubSpot keys"
	mergedContact      fact = "latching to a contact that was merged into another"
)

// findings are what was found out, in the order of the report.
type findings struct {
	facts  []fact
	values map[fact]string
}

// newFindings returns findings with every fact that is not known, as not tried.
func newFindings() *findings {
	f := &findings{values: make(map[fact]string)}
	for _, unknown := range []struct {
		fact  fact
		needs string
	}{
		{malformedKeyStatus, ""},
		{missingCustomer, ""},
		{listKeys, "an account with customers"},
		{resetFormat, ""},
		{retryAfter, envUseUpMinute},
		{conflict, envCustomer + " and " + envOther},
		{latchModifies, envCustomer},
		{updateLatch, envCustomer + " and " + envUpdate},
		{mergedContact, envCustomer + " and " + envMergedContact},
	} {
		value := notTried
		if unknown.needs != "" {
			value += ": it needs " + unknown.needs
		}
		f.add(unknown.fact, "%s", value)
	}
	return f
}

const notTried = "not tried"

func (f *findings) add(name fact, format string, args ...any) {
	if !slices.Contains(f.facts, name) {
		f.facts = append(f.facts, name)
	}
	f.values[name] = fmt.Sprintf(format, args...)
}

// report returns a block for an issue: a table of the findings, beside those of the simulator.
func (f *findings) report(simulator *findings) string {
	var b strings.Builder
	b.WriteString("| fact | this account | simulator |\n|---|---|---|\n")
	for _, name := range f.facts {
		same := simulator.values[name]
		if same == f.values[name] {
			same = "the same"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, cell(f.values[name]), cell(same))
	}
	return b.String()
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}

// pattern is the form of a time: without its digits and its names.
func pattern(text string) string {
	text = dayName.ReplaceAllString(text, "Mon")
	text = monthName.ReplaceAllString(text, "Jan")
	text = strings.ReplaceAll(text, "PM", "AM")
	return digit.ReplaceAllString(text, "9")
}

// shape is a text without its numbers.
func shape(text string) string { return number.ReplaceAllString(text, "N") }

var (
	digit     = regexp.MustCompile(`[0-9]`)
	number    = regexp.MustCompile(`[0-9]+`)
	dayName   = regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b`)
	monthName = regexp.MustCompile(`\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b`)
)

package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// faultResults are what the user sees, by fault, operation and moment.
type faultResults map[string]map[string]map[moment]string

const (
	faultResultsFile = "testdata/faults.json"
	faultsPage       = "../../templates/guides/faults.md.tmpl"
)

func (r faultResults) add(fault, op string, at moment, seen string) {
	if r[fault] == nil {
		r[fault] = map[string]map[moment]string{}
	}
	if r[fault][op] == nil {
		r[fault][op] = map[moment]string{}
	}
	r[fault][op][at] = seen
}

// count is how many cells there are, and how many runs of them.
func (r faultResults) count() (cells, runs int) {
	for _, ops := range r {
		cells += len(ops)
		for _, moments := range ops {
			runs += len(moments)
		}
	}
	return cells, runs
}

// write makes these results those that the page tells. The others stay, where -run has chosen some.
func (r faultResults) write(t *testing.T) {
	t.Helper()
	written, all := readResults[faultResults](t, faultResultsFile), faultResults{}
	for _, f := range faultTable {
		for _, op := range operationTable {
			for _, moment := range moments(f, op) {
				for _, from := range []faultResults{written, r} {
					if seen, ok := from[f.name][op.name][moment]; ok {
						all.add(f.name, op.name, moment, seen)
					}
				}
			}
		}
	}
	writeResults(t, faultResultsFile, all, faultsPage, all.page())
	cells, runs := all.count()
	t.Logf("%d cells, %d runs", cells, runs)
}

// compare fails the test where a cell shows something else than the page says, or said before this run.
func (r faultResults) compare(t *testing.T, written faultResults) {
	t.Helper()
	for fault, ops := range r {
		for op, moments := range ops {
			for moment, seen := range moments {
				if want, ok := written[fault][op][moment]; !ok || want != seen {
					t.Errorf("%s, %s, %s: %q is seen, and the page says %q. %s", fault, op, moment, seen, want, runMakeFaults)
				}
			}
		}
	}
}

// The page is made from the results, and these are of the faults and operations that there are.
func TestFaultsPage(t *testing.T) {
	t.Parallel()
	results := readResults[faultResults](t, faultResultsFile)
	isGenerated(t, faultResultsFile, faultsPage, results.page())
	for _, f := range faultTable {
		for _, op := range operationTable {
			for _, moment := range moments(f, op) {
				if _, ok := results[f.name][op.name][moment]; !ok {
					t.Errorf("no result of %s, %s, %s. %s", f.name, op.name, moment, runMakeFaults)
				}
			}
		}
	}
	if cells, _ := results.count(); cells != len(faultTable)*len(operationTable) {
		t.Errorf("%d cells have results, of %d faults and %d operations. %s", cells, len(faultTable), len(operationTable), runMakeFaults)
	}
}

// page is the guide, as a template that has nothing left to fill in.
func (r faultResults) page() string {
	var page strings.Builder
	cells, runs := r.count()
	var changing, reading []string
	for _, op := range operationTable {
		if slices.Equal(op.own, acctest.ReadRoutes) {
			reading = append(reading, op.name)
		} else {
			changing = append(changing, op.name)
		}
	}
	fmt.Fprintf(&page, faultsIntro, cells, runs, len(faultTable), len(operationTable))
	for _, table := range []struct {
		title, text string
		operations  []string
		moments     []moment
		headings    string
	}{
		{"When latches are changed", "The fault meets the calls that change a latch, or all calls, those included that read before.", changing,
			[]moment{once, lasting, outage}, "once | whenever a latch is changed | in every call"},
		{"When latches are read", "The fault meets the calls that read customers, one by one or in lists.", reading,
			[]moment{once, lasting}, "once | in every call"},
	} {
		fmt.Fprintf(&page, "\n## %s\n\nBy %s. %s\n\n| what goes wrong | %s |\n|---|%s\n", table.title, inWords(table.operations), table.text,
			table.headings, strings.Repeat("---|", len(table.moments)))
		for _, f := range faultTable {
			fmt.Fprintf(&page, "| %s |", f.name)
			for _, moment := range table.moments {
				fmt.Fprintf(&page, " %s |", r.cell(f.name, table.operations, moment))
			}
			page.WriteString("\n")
		}
	}
	page.WriteString(faultsEnd)
	return page.String()
}

const faultsIntro = `---
page_title: "What happens when Fusebill or the network fails"
description: |-
  What is seen of each fault, in each operation, and what is sure to hold afterwards.
---
<!-- Made by make faults from what its runs have shown. -->

# What happens when Fusebill or the network fails

Each call that fails for a reason that may pass is tried again: ` + "`max_retries`" + ` times, 4 by default, after waits that double.
Calls that change a latch may be repeated without harm, so they are tried again too. What remains is an error that says what
was attempted for which customer, what Fusebill answered in its own words, and what to do next.

This page is made from test runs: every fault in every operation, by the real CLI where all of them can do it, against a
simulated Fusebill. %d cells, %d runs, %d faults, %d operations. In all of them, whatever is shown:

- state holds of each latch what was so before, or what is declared and was made sure of; nothing is tainted, except a latch
  set that could be created only in part;
- no other customer's latch has changed, and what was to be taken from one by ` + "`allow_reassociation`" + ` was put back; only where
  the calls of the day are used up at that moment nothing can be, and the error says so;
- the next run without the fault ends with what is declared, in state and in the account;
- the API key is in nothing that was printed or written, and came to no other host and over no plain HTTP.

In the tables, errors stand in **bold type**, and *nothing* means that the run ends well and shows no error and no warning.
Where nothing is said of an operation, it makes no such call. What comes beside an error isn't repeated in each of them: a set
of which a part has failed says **HubSpot latches are incomplete** too, with how many; and where the account can't be read
while a create is planned, the plan warns that it *is not checked for conflicts*, which the apply does again.
`

const faultsEnd = `
## When the run itself is stopped

Ctrl-C ends every wait, and state has what was done by then. When the provider or Terraform is killed, Terraform may not
learn of the last changes; the next plan reads what holds, and the next apply does the rest. Random kills and interrupts
are part of the same tests.
`

func inWords(texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}

// cell tells what is seen, with the operations named where it differs between them.
func (r faultResults) cell(fault string, operations []string, at moment) string {
	var all []string // what is seen, in the order of the operations
	of := map[string][]string{}
	for _, op := range operations {
		seen, ok := r[fault][op][at]
		if !ok || seen == untouched {
			continue
		}
		seen = withoutCompanions(seen)
		if of[seen] == nil {
			all = append(all, seen)
		}
		of[seen] = append(of[seen], op)
	}
	if len(all) == 1 {
		return inTable(all[0])
	}
	var parts []string
	for _, seen := range all {
		parts = append(parts, inWords(of[seen])+": "+inTable(seen))
	}
	return strings.Join(parts, "<br>")
}

// companions come with other errors, of which the page tells the rest at its beginning.
var companions = []string{"Error: HubSpot latches are incomplete", "Warning: Plan is not checked for conflicts"}

func withoutCompanions(seen string) string {
	rest := slices.DeleteFunc(strings.Split(seen, "; "), func(text string) bool { return slices.Contains(companions, text) })
	if len(rest) == 0 {
		return seen
	}
	return strings.Join(rest, "; ")
}

// inTable sets errors and warnings apart from the words around them.
func inTable(seen string) string {
	if seen == "" {
		return "*nothing*"
	}
	var parts []string
	for text := range strings.SplitSeq(seen, "; ") {
		kind, summary, _ := strings.Cut(text, ": ")
		if kind == "Error" {
			parts = append(parts, "**"+summary+"**")
		} else {
			parts = append(parts, "warning: "+summary)
		}
	}
	return strings.Join(parts, ", ")
}

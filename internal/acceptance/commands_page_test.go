package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// commandResults are the outcomes, by command, situation and kind of resource.
type commandResults map[string]map[string]map[latchKind]outcome

const (
	commandResultsFile = "testdata/commands.json"
	commandsPage       = "../../templates/guides/commands.md.tmpl"
)

func (r commandResults) add(command, situation string, kind latchKind, got outcome) {
	if r[command] == nil {
		r[command] = map[string]map[latchKind]outcome{}
	}
	if r[command][situation] == nil {
		r[command][situation] = map[latchKind]outcome{}
	}
	r[command][situation][kind] = got
}

// eachCell calls do for each cell of the matrix, in the order of the tables.
func eachCell(do func(command command, situation situation, kind latchKind)) {
	for _, command := range commandTable {
		for _, situation := range situationTable {
			if situation.applies != nil && !situation.applies(command) {
				continue
			}
			for _, kind := range latchKinds {
				do(command, situation, kind)
			}
		}
	}
}

// write writes these results and the guide. Cells that were not run keep the results that were
// written before.
func (r commandResults) write(t *testing.T, written commandResults) {
	t.Helper()
	all := commandResults{}
	eachCell(func(c command, s situation, kind latchKind) {
		for _, from := range []commandResults{written, r} {
			if got, ok := from[c.name][s.name][kind]; ok {
				all.add(c.name, s.name, kind, got)
			}
		}
	})
	writeResults(t, commandResultsFile, all, commandsPage, all.page())
}

// compare fails the test where a run differs from what is written.
func (r commandResults) compare(t *testing.T, written commandResults) {
	t.Helper()
	eachCell(func(c command, s situation, kind latchKind) {
		got, ok := r[c.name][s.name][kind]
		if want := written[c.name][s.name][kind]; ok && got != want {
			t.Errorf("%s, %s, %s:\ngot  %+v\nwant %+v\n%s", c.name, s.name, kind, got, want, runMakeFaults)
		}
	})
}

// The guide is made of the results, and each cell of the tables has one.
func TestCommandsPage(t *testing.T) {
	t.Parallel()
	results := readResults[commandResults](t, commandResultsFile)
	isGenerated(t, commandResultsFile, commandsPage, results.page())
	cells := 0
	eachCell(func(c command, s situation, kind latchKind) {
		cells++
		if _, ok := results[c.name][s.name][kind]; !ok {
			t.Errorf("no result of %s, %s, %s. %s", c.name, s.name, kind, runMakeFaults)
		}
	})
	if n := results.count(); n != cells {
		t.Errorf("%d results for %d cells. %s", n, cells, runMakeFaults)
	}
}

func (r commandResults) count() (n int) {
	for _, situations := range r {
		for _, kinds := range situations {
			n += len(kinds)
		}
	}
	return n
}

// page is the guide.
func (r commandResults) page() string {
	var page strings.Builder
	fmt.Fprintf(&page, commandsIntro, r.count(), situationRows())
	for _, c := range commandTable {
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\n| situation | outcome | state | account |\n|---|---|---|---|\n", c.title, c.text)
		for _, row := range r.rows(c) {
			fmt.Fprintf(&page, "| %s |\n", strings.Join(row, " | "))
		}
	}
	page.WriteString(commandsEnd)
	return page.String()
}

// situationRows explain the situations in a table.
func situationRows() string {
	var rows strings.Builder
	for _, s := range situationTable {
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", s.title, s.meaning, s.next)
	}
	return rows.String()
}

// rows are the rows of a command. Situations beside each other with the same group and outcome
// share a row.
func (r commandResults) rows(c command) (rows [][]string) {
	var names []string
	for i, s := range situationTable {
		cells := r.cells(c.name, s.name)
		if cells == nil {
			continue
		}
		names = append(names, s.title)
		if i+1 < len(situationTable) {
			next := situationTable[i+1]
			if s.group != "" && s.group == next.group && slices.Equal(cells, r.cells(c.name, next.name)) {
				continue
			}
		}
		name := strings.Join(names, "<br>")
		if len(names) == s.groupSize() {
			name = s.group
		}
		rows, names = append(rows, append([]string{name}, cells...)), nil
	}
	return rows
}

// groupSize is how many situations the group of this one has; -1 where it has no group.
func (s situation) groupSize() int {
	if s.group == "" {
		return -1
	}
	n := 0
	for _, other := range situationTable {
		if other.group == s.group {
			n++
		}
	}
	return n
}

// cells returns the cells of a row after the situation, or nil if there is no result. A cell names
// both kinds of resources if their results differ.
func (r commandResults) cells(command, situation string) []string {
	outcomes := r[command][situation]
	if len(outcomes) == 0 {
		return nil
	}
	var cells []string
	for _, text := range []func(outcome) string{outcome.sentence, outcome.inState, outcome.inAccount} {
		var texts []string
		for _, kind := range latchKinds {
			texts = append(texts, text(outcomes[kind]))
		}
		if texts[0] == texts[1] {
			cells = append(cells, texts[0])
			continue
		}
		for i, kind := range latchKinds {
			texts[i] = fmt.Sprintf("*%s:* %s", kind, texts[i])
		}
		cells = append(cells, strings.Join(texts, "<br>"))
	}
	return cells
}

// planVerbs are what a plan does, by its actions.
var planVerbs = map[string]string{
	"create":         "Creates the resource",
	"create, delete": "Destroys one and creates the other resource",
	"delete":         "Destroys the resource",
	"move":           "Renames the resource",
	"replace":        "Replaces the resource",
	"update":         "Changes the resource",
}

// sentence describes what the command does and reports.
func (o outcome) sentence() string {
	var errors, warnings []string
	for text := range strings.SplitSeq(withoutCompanions(o.Says), "; ") {
		kind, summary, _ := strings.Cut(text, ": ")
		switch kind {
		case "Error":
			errors = append(errors, "**"+summary+"**")
		case "Warning":
			warnings = append(warnings, "*"+summary+"*")
		}
	}
	warns := ""
	if len(warnings) > 0 {
		warns = " The plan warns: " + strings.Join(warnings, ", ") + "."
	}
	switch o.Ends {
	case unchanged:
		return "No changes." + warns
	case applied:
		verb := planVerbs[o.Plan]
		if verb == "" {
			verb = "Succeeds"
		}
		return verb + "." + strings.Replace(warns, "The plan warns", "Warns", 1)
	case failedAtPlan:
		return "The plan fails: " + strings.Join(errors, ", ") + "." + warns
	case failedAtApply:
		return "The apply fails: " + strings.Join(errors, ", ") + "." + warns
	default:
		return "Fails: " + strings.Join(errors, ", ") + "."
	}
}

// inState describes what the state has afterwards.
func (o outcome) inState() string {
	switch o.State {
	case keptLatch:
		return "unchanged"
	case noLatch:
		return "not in it"
	default:
		return o.State
	}
}

// inAccount describes what the account has afterwards.
func (o outcome) inAccount() string {
	switch o.Account {
	case keptLatch, noLatch:
		return "unchanged"
	case removedLatch:
		return "unlatched"
	default:
		return o.Account
	}
}

const commandsIntro = `---
page_title: "Outcome of each command in each situation"
description: |-
  Look up what Terraform reports and changes when the account differs from the state, or is another account.
---
<!-- Made by make faults from the results of its runs. -->

# Outcome of each command in each situation

Use this page to look up what a command does when the account is not as Terraform expects it. Each command has a table.
Find the situation in the first column. The other columns show:

- **outcome:** the result of the command. **Bold type** is the summary of an error, *italic type* that of a warning. An
  error of the plan means that nothing was applied. An error of the apply affects this customer only: the apply makes
  its other changes.
- **state:** the latch of the customer in the state, afterwards.
- **account:** the latch of the customer in the account, afterwards.

Single latches and latch sets behave alike, unless a cell names both. A set whose apply fails for some rows also reports
**HubSpot latches are incomplete**, with their number.

This page is made from %d test runs of the real CLI with a simulated Fusebill. Each run also checks that:

- no customer loses a latch that neither the configuration changes nor the state releases;
- the state keeps each latch until the account has proved that it is gone;
- in another account, and with a wrong path, nothing is written, the state keeps all its latches, and the run ends after
  a few calls;
- a destroy that does not reach the account of the state fails;
- a command that succeeds leaves state and account as declared.

## Situations

| situation | meaning | next step |
|---|---|---|
%s
The runs do not use ` + "`-refresh=false`" + `, so each plan starts from the current latches of the account. Only the apply of
a saved plan starts from the latches at the time of the plan.
`

const commandsEnd = `
## Limits of the check of the account

The provider recognizes another account by its oldest customers, which the state records.
[How it works](how-it-works.md) explains the check. It cannot recognize another account in these cases:

- Terraform reads no latch of the state: in the very first apply, or with ` + "`-refresh=false`" + ` or ` + "`-target`" + `, a create
  has nothing to compare.
- A ` + "`terraform import`" + ` command imports from whichever account the key opens. The next plan compares the imported latch
  with the account, and fails if they differ.
- A run without changes that finds each customer latched as in the state makes no call to compare the account. It writes
  nothing.

See [Failures of Fusebill and the network](faults.md) for errors of single calls.
`

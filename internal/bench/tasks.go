package main

import (
	"fmt"
	"strconv"
	"strings"
)

// task is one command of the CLI to measure, and what shows that it did what is measured.
type task struct {
	workspace *workspace
	account   *account // nil: it needs none
	mode      mode
	args      []string
	exit      int
	shows     string // part of its output
	latched   int    // how many of the account's customers are latched afterwards
}

// planUnchanged plans n latches that are as declared.
func (b *bench) planUnchanged(w *workspace, a *account, m mode, n, parallelism int) task {
	return task{
		workspace: w, account: a, mode: m, latched: n,
		args:  command("plan", parallelism, "-detailed-exitcode"),
		shows: "No changes.",
	}
}

// planDrift plans n latches of which some aren't as declared.
func (b *bench) planDrift(w *workspace, a *account, m mode, n int) task {
	return task{
		workspace: w, account: a, mode: m, latched: n,
		args:  command("plan", b.parallelism[0], "-detailed-exitcode"),
		exit:  2, // changes are planned
		shows: fmt.Sprintf("Plan: 0 to add, %d to change, 0 to destroy.", w.instancesOfDrift(n)),
	}
}

// apply makes n latches, which are all.
func (b *bench) apply(w *workspace, a *account, n int) task {
	return task{
		workspace: w, account: a, latched: n,
		args:  command("apply", b.parallelism[0], "-auto-approve"),
		shows: fmt.Sprintf("Apply complete! Resources: %d added, 0 changed, 0 destroyed.", w.instances(n)),
	}
}

// destroy removes n latches, which are all.
func (b *bench) destroy(w *workspace, a *account, n int) task {
	return task{
		workspace: w, account: a,
		args:  command("destroy", b.parallelism[0], "-auto-approve"),
		shows: fmt.Sprintf("Destroy complete! Resources: %d destroyed.", w.instances(n)),
	}
}

func command(name string, parallelism int, flags ...string) []string {
	return append([]string{name, "-input=false", "-no-color", "-lock=false", "-parallelism=" + strconv.Itoa(parallelism)}, flags...)
}

// check compares what came of a task with what should.
func (t task) check(got result) error {
	if got.exit != t.exit {
		return fmt.Errorf("the exit code is %d, and should be %d", got.exit, t.exit)
	}
	if !strings.Contains(got.output, t.shows) {
		return fmt.Errorf("the output should say %q", t.shows)
	}
	if t.account != nil && t.account.latched() != t.latched {
		return fmt.Errorf("%d customers are latched, and should be %d", t.account.latched(), t.latched)
	}
	return nil
}

package main

import (
	"context"
	"fmt"
)

// The rows of the table: an operation, and who does it.
const (
	plan  = "plan without changes"
	apply = "apply of new latches"

	oneSet  = "one latch set"
	nothing = "… of a provider that does nothing"
	naive   = "… with one call for each latch"
	data    = "one terraform_data"
	singles = "single latches"

	// fewLatches is the most latches that are also read, or declared, one by one.
	fewLatches = 1000
)

// row is one measurement with its bounds.
type row struct {
	measurement

	operation, what string
	latches         int
	bounds          []bound
}

// bound is an upper limit of a measurement, and the result of the comparison.
type bound struct {
	name   string
	isHeld bool
	isTime bool // a busy machine may exceed it, so that is no error
}

// measureSize measures n latches in one set, in a terraform_data, and as a resource each.
func (b *bench) measureSize(ctx context.Context, n int) ([]row, error) {
	rows, err := b.measureLatches(ctx, setConfig, oneSet, n)
	if err != nil {
		return nil, err
	}
	ours := &rows[1]
	ours.atMost("calls", ours.reads, min(ceilDiv(n, 100), ceilDiv(n, 1000))+2)
	ours.atMost("MiB", ours.memory, max(100, n/200))
	if n >= 1000 {
		ours.atMostTimes(1.5, rows[2])
	}
	if n <= b.most {
		more, err := b.measureLatches(ctx, dataConfig, data, n)
		if err != nil {
			return rows, err
		}
		if n >= 10_000 {
			ours.atMostTimes(0.4, more[1])
		}
		rows = append(rows, more...)
	}
	if n <= fewLatches {
		more, err := b.measureLatches(ctx, singlesConfig, singles, n)
		if err != nil {
			return rows, err
		}
		more[1].atMost("calls", more[1].reads, min(2*min(ceilDiv(n, 10), ceilDiv(n, 1000))+3, n))
		rows = append(rows, more...)
	}
	return rows, nil
}

// measureLatches measures an apply of n new latches, and plans of them by each provider. The apply
// of more latches than -most only makes the state: the account has the latches already.
func (b *bench) measureLatches(ctx context.Context, config, what string, n int) ([]row, error) {
	l, stop, err := b.declare(ctx, config, n)
	defer stop()
	if err != nil {
		return nil, err
	}
	rows := []row{{operation: apply, what: what, latches: n}, {operation: plan, what: what, latches: n}}
	resources, writes, reads := 1, n, ceilDiv(n, 100)
	if what == singles {
		resources, reads = n, ceilDiv(n, 10)
	}
	modes := []string{""}
	if what == oneSet {
		rows, modes = append(rows, row{operation: plan, what: nothing, latches: n}), append(modes, "nothing")
	}
	if what == oneSet && n <= fewLatches {
		rows, modes = append(rows, row{operation: plan, what: naive, latches: n}), append(modes, "naive")
	}
	if n > b.most || what == data {
		l.latchAll()
		writes = 0
	}
	made := &rows[0]
	made.measurement, err = b.run(ctx, l, "", "apply -auto-approve",
		fmt.Sprintf("Apply complete! Resources: %d added, 0 changed, 0 destroyed.", resources))
	if err != nil {
		return nil, err
	}
	// Two processes, of the plan and the apply, read the account and prove whose it is.
	made.atMost("reads", made.reads, reads+2*ceilDiv(n, 1000)+2)
	made.bounds[0].isTime = what == singles // How many reads share a call depends on the machine.
	made.atMost("writes", made.writes, writes)
	made.atMost("429", made.refused, 0)

	for range b.repeat { // In turns, so all of them meet the same machine.
		for i, mode := range modes {
			m, err := b.run(ctx, l, mode, "plan -detailed-exitcode", "No changes.")
			if err != nil {
				return nil, err
			}
			rows[i+1].add(m)
		}
	}
	return rows, nil
}

// add takes in another measurement of the same: the least times, since other programs can only add
// to them, and the most of all else.
func (r *row) add(m measurement) {
	if r.wall != 0 {
		m.wall, m.cpu = min(m.wall, r.wall), min(m.cpu, r.cpu)
	}
	m.reads, m.writes = max(m.reads, r.reads), max(m.writes, r.writes)
	m.refused, m.memory = max(m.refused, r.refused), max(m.memory, r.memory)
	r.measurement = m
}

func (r *row) atMost(name string, got, most int) {
	r.bounds = append(r.bounds, bound{name: fmt.Sprintf("%s ≤ %s", name, grouped(most)), isHeld: got <= most})
}

func (r *row) atMostTimes(factor float64, other row) {
	times := r.wall.Seconds() / other.wall.Seconds()
	name := fmt.Sprintf("%.2f ≤ %.1f × %s", times, factor, other.what)
	r.bounds = append(r.bounds, bound{name, times <= factor, true})
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

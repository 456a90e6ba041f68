package main

import (
	"context"
	"slices"
)

// setRow is what is known of one operation on latches that are kept in sets.
type setRow struct {
	row

	sets int
}

// measureSets measures latch sets of all sizes, each in an account of as many customers: in one set, and in sets of a
// thousand where there are more.
//
// One set of 100,000 isn't measured, since Terraform doesn't come to its end: it compares the type of each element with
// that of each other one, several times, when it makes a map of what a for expression gives.
func (b *bench) measureSets(ctx context.Context) ([]setRow, error) {
	var rows []setRow
	for _, n := range b.setSizes {
		var workspaces []*workspace
		if n <= mostInOneSet {
			workspaces = append(workspaces, b.set)
		}
		if n > partOfThem {
			workspaces = append(workspaces, b.parts)
		}
		more, err := b.measureSet(ctx, n, workspaces)
		rows = append(rows, more...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// measureSet measures plans of the latches, and, unless they are too many, the apply that makes them.
func (b *bench) measureSet(ctx context.Context, n int, workspaces []*workspace) ([]setRow, error) {
	a, err := b.openAccount(ctx, n)
	if err != nil {
		return nil, err
	}
	defer a.close()
	b.tell("%s latches in sets: %s.", grouped(n), creates)
	declared := a.chosen(n)
	var dataMade measurement
	if err := b.makeSet(ctx, b.dataSet, nil, declared, &dataMade); err != nil {
		return nil, err
	}
	var rows []setRow
	for _, w := range workspaces {
		made := b.newSetRow(creates, w, a, n)
		made.writes, made.bound, made.data = n, n+made.bound, dataMade
		a.unlatchAll()
		if n > mostInOneSet { // Only the state is wanted, and what is latched already isn't written.
			a.set(declared)
		}
		if err := b.makeSet(ctx, w, a, declared, &made.ours); err != nil {
			return rows, err
		}
		if n <= mostInOneSet {
			rows = append(rows, made)
		}
	}
	plans, err := b.planSets(ctx, a, n, workspaces)
	return append(plans, rows...), err
}

func (b *bench) newSetRow(operation string, w *workspace, a *account, n int) setRow {
	return setRow{
		row: row{
			operation: operation, latches: n, customers: len(a.ids), parallelism: b.parallelism[0], bound: setReadsBound(n, len(a.ids)),
		},
		sets: w.instances(n),
	}
}

// makeSet measures an apply from nothing.
func (b *bench) makeSet(ctx context.Context, w *workspace, a *account, declared []declaredLatch, m *measurement) error {
	if err := w.clear(); err != nil {
		return err
	}
	if err := w.declare(declared); err != nil {
		return err
	}
	return b.measureInto(ctx, m, b.apply(w, a, len(declared)))
}

// planSets measures plans of what makeSet has made, in turns, so that all of them meet the same machine.
func (b *bench) planSets(ctx context.Context, a *account, n int, workspaces []*workspace) ([]setRow, error) {
	declared := a.chosen(n)
	var same, changed []setRow
	for _, w := range workspaces {
		same, changed = append(same, b.newSetRow(unchanged, w, a, n)), append(changed, b.newSetRow(drift, w, a, n))
	}
	var dataSame, dataChanged measurement
	for range b.repeats(n) {
		b.tell("%s latches in sets: %s, and %s.", grouped(n), unchanged, drift)
		if err := b.measureInto(ctx, &dataSame, b.planUnchanged(b.dataSet, nil, production, n, b.parallelism[0])); err != nil {
			return nil, err
		}
		if err := b.planDataDrift(ctx, declared, &dataChanged); err != nil {
			return nil, err
		}
		for i, w := range workspaces {
			a.set(declared)
			if err := b.measureInto(ctx, &same[i].ours, b.planUnchanged(w, a, production, n, b.parallelism[0])); err != nil {
				return nil, err
			}
			a.set(drifted(declared))
			if err := b.measureInto(ctx, &changed[i].ours, b.planDrift(w, a, production, n)); err != nil {
				return nil, err
			}
		}
	}
	for i := range workspaces {
		same[i].data, changed[i].data = dataSame, dataChanged
	}
	return append(same, changed...), nil
}

// planDataDrift measures the terraform_data with as many changes. Nothing is read for it, so the configuration changes.
func (b *bench) planDataDrift(ctx context.Context, declared []declaredLatch, m *measurement) error {
	others := slices.Clone(declared)
	for i := range driftOf(len(others)) {
		others[i*100].customer += contactOffset
	}
	if err := b.dataSet.declare(others); err != nil {
		return err
	}
	if err := b.measureInto(ctx, m, b.planDrift(b.dataSet, nil, production, len(declared))); err != nil {
		return err
	}
	return b.dataSet.declare(declared)
}

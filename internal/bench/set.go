package main

import "context"

// measureSets measures latch sets of all sizes, each in an account of as many customers.
func (b *bench) measureSets(ctx context.Context) ([]row, error) {
	var rows []row
	for _, n := range b.setSizes {
		more, err := b.measureSet(ctx, n)
		rows = append(rows, more...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// measureSet measures the apply of a set, unless it's huge, and plans of what it leaves.
func (b *bench) measureSet(ctx context.Context, n int) ([]row, error) {
	a, err := b.openAccount(ctx, n)
	if err != nil {
		return nil, err
	}
	defer a.close()
	made := b.newRows(creates, n, []*account{a})[0]
	made.writes = n
	made.bound = n + setReadsBound(n, n)
	if n > mostCreates { // Only the state is wanted. What is latched already isn't written.
		a.set(a.chosen(n))
	}
	if err := b.makeSet(ctx, a, n, &made); err != nil {
		return nil, err
	}
	unchangedPlan, driftPlan := b.newRows(unchanged, n, []*account{a})[0], b.newRows(drift, n, []*account{a})[0]
	unchangedPlan.bound = setReadsBound(n, n)
	driftPlan.bound = setReadsBound(n, n)
	if err := b.planSet(ctx, a, n, &unchangedPlan, &driftPlan); err != nil {
		return nil, err
	}
	if n > mostCreates {
		return []row{unchangedPlan, driftPlan}, nil
	}
	return []row{unchangedPlan, driftPlan, made}, nil
}

// makeSet measures the applies that make the set, and the terraform_data beside it.
func (b *bench) makeSet(ctx context.Context, a *account, n int, made *row) error {
	b.tell("A set of %s latches: %s.", grouped(n), creates)
	for _, w := range []struct {
		workspace *workspace
		account   *account
		to        *measurement
	}{{b.set, a, &made.ours}, {b.dataSet, nil, &made.data}} {
		if err := w.workspace.clear(); err != nil {
			return err
		}
		if err := w.workspace.declare(a.chosen(n)); err != nil {
			return err
		}
		if err := b.measureInto(ctx, w.to, b.apply(w.workspace, w.account, n)); err != nil {
			return err
		}
	}
	return nil
}

// planSet measures plans of what makeSet has made, in turns.
func (b *bench) planSet(ctx context.Context, a *account, n int, unchangedPlan, driftPlan *row) error {
	declared := a.chosen(n)
	for range b.repeats(n) {
		b.tell("A set of %s latches: %s, and %s.", grouped(n), unchanged, drift)
		a.set(declared)
		if err := b.measureInto(ctx, &unchangedPlan.data, b.planUnchanged(b.dataSet, nil, production, n, b.parallelism[0])); err != nil {
			return err
		}
		if err := b.measureInto(ctx, &unchangedPlan.ours, b.planUnchanged(b.set, a, production, n, b.parallelism[0])); err != nil {
			return err
		}
		a.set(drifted(declared))
		if err := b.measureInto(ctx, &driftPlan.ours, b.planDrift(b.set, a, production, n)); err != nil {
			return err
		}
		if err := b.planDataDrift(ctx, declared, &driftPlan.data); err != nil {
			return err
		}
	}
	return nil
}

// planDataDrift measures the terraform_data with as many changes. Nothing is read for it, so the configuration changes.
func (b *bench) planDataDrift(ctx context.Context, declared []declaredLatch, m *measurement) error {
	others := append([]declaredLatch(nil), declared...)
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

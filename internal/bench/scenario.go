package main

import "context"

// row is what is known of one operation on so many latches, in an account of so many customers.
type row struct {
	operation          string
	latches, customers int
	parallelism        int
	ours               measurement
	writes             int         // how many there should be
	bound              int         // of all calls
	naive              measurement // without sharing of reads; zero: not measured
	data               measurement // of as many terraform_data; zero: not measured
	instant            measurement // of a provider that needs no network; zero: not measured
}

// The operations.
const (
	unchanged = "plan, no change"
	drift     = "plan, 1 % drift"
	creates   = "apply, all new"
	destroys  = "destroy"
)

// measureSize runs all operations on n latches, in an account with no other customers and in one of ten times as many.
func (b *bench) measureSize(ctx context.Context, n int) ([]row, error) {
	var accounts []*account
	for _, customers := range []int{n, 10 * n} {
		a, err := b.openAccount(ctx, customers)
		if err != nil {
			return nil, err
		}
		defer a.close()
		accounts = append(accounts, a)
	}
	steps := []func(context.Context, int, []*account) ([]row, error){b.measureUnchanged, b.measureDrift}
	if n < hugeSize {
		steps = append(steps, b.measureParallelism, b.measureChanges)
	}
	var rows []row
	for _, step := range steps {
		more, err := step(ctx, n, accounts)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// measureUnchanged measures plans of latches that are as declared.
func (b *bench) measureUnchanged(ctx context.Context, n int, accounts []*account) ([]row, error) {
	b.tell("%s latches: %s.", grouped(n), unchanged)
	rows := b.newRows(unchanged, n, accounts)
	for i, a := range accounts {
		a.set(a.chosen(n))
		rows[i].bound = readsBound(n, len(a.ids), rows[i].parallelism)
	}
	task := func(w *workspace, a *account, m mode) task { return b.planUnchanged(w, a, m, n, b.parallelism[0]) }
	return rows, b.comparePlans(ctx, rows, accounts, accounts[0].chosen(n), task)
}

// measureDrift measures plans of latches of which somebody has changed one in a hundred. Where nothing is read, the
// state has to say so beforehand.
func (b *bench) measureDrift(ctx context.Context, n int, accounts []*account) ([]row, error) {
	b.tell("%s latches: %s.", grouped(n), drift)
	rows := b.newRows(drift, n, accounts)
	for i, a := range accounts {
		a.set(drifted(a.chosen(n)))
		// Who holds what the changes claim has to be known, too.
		rows[i].bound = readsBound(n, len(a.ids), rows[i].parallelism) + accountBound(len(a.ids))
	}
	task := func(w *workspace, a *account, m mode) task { return b.planDrift(w, a, m, n) }
	return rows, b.comparePlans(ctx, rows, accounts, drifted(accounts[0].chosen(n)), task)
}

// comparePlans measures one kind of plan, and the same plan without a network, whose state it is given. They are run in
// turns, so that all of them meet the same machine.
func (b *bench) comparePlans(
	ctx context.Context, rows []row, accounts []*account, stateWithoutReads []declaredLatch, plan func(*workspace, *account, mode) task,
) error {
	n := rows[0].latches
	declared := accounts[0].chosen(n)
	var data, instantly measurement
	for turn := range b.repeats(n) {
		if err := b.prepareAndMeasure(ctx, &data, declared, stateWithoutReads, plan(b.data, nil, production)); err != nil {
			return err
		}
		if err := b.prepareAndMeasure(ctx, &instantly, declared, stateWithoutReads, plan(b.latches, nil, instant)); err != nil {
			return err
		}
		for i, a := range accounts {
			declared := a.chosen(n)
			if err := b.prepareAndMeasure(ctx, &rows[i].ours, declared, declared, plan(b.latches, a, production)); err != nil {
				return err
			}
			if n > b.naive || turn > 0 {
				continue
			}
			if err := b.prepareAndMeasure(ctx, &rows[i].naive, declared, declared, plan(b.latches, a, naive)); err != nil {
				return err
			}
		}
	}
	for i := range rows {
		rows[i].data, rows[i].instant = data, instantly
	}
	return nil
}

// measureParallelism counts the calls of plans at other settings of -parallelism.
func (b *bench) measureParallelism(ctx context.Context, n int, accounts []*account) ([]row, error) {
	var all []row
	for _, parallelism := range b.parallelism[1:] {
		b.tell("%s latches: %s, %d at once.", grouped(n), unchanged, parallelism)
		rows := b.newRows(unchanged, n, accounts)
		for i, a := range accounts {
			declared := a.chosen(n)
			a.set(declared)
			rows[i].parallelism = parallelism
			rows[i].bound = readsBound(n, len(a.ids), parallelism)
			plan := b.planUnchanged(b.latches, a, production, n, parallelism)
			if err := b.prepareAndMeasure(ctx, &rows[i].ours, declared, declared, plan); err != nil {
				return nil, err
			}
		}
		all = append(all, rows...)
	}
	return all, nil
}

// measureChanges measures the apply that makes all latches, and the destroy that removes them.
func (b *bench) measureChanges(ctx context.Context, n int, accounts []*account) ([]row, error) {
	b.tell("%s latches: %s, and %s.", grouped(n), creates, destroys)
	made, removed := b.newRows(creates, n, accounts), b.newRows(destroys, n, accounts)
	var dataMade, dataRemoved measurement
	for range b.repeats(n) {
		if err := b.makeAndRemove(ctx, b.data, nil, accounts[0].chosen(n), &dataMade, &dataRemoved); err != nil {
			return nil, err
		}
		for i, a := range accounts {
			a.unlatchAll()
			if err := b.makeAndRemove(ctx, b.latches, a, a.chosen(n), &made[i].ours, &removed[i].ours); err != nil {
				return nil, err
			}
		}
	}
	for i, a := range accounts {
		reads := readsBound(n, len(a.ids), b.parallelism[0])
		made[i].data, removed[i].data = dataMade, dataRemoved
		made[i].writes, removed[i].writes = n, n
		made[i].bound = n + reads + accountBound(len(a.ids))
		removed[i].bound = n + 2*reads // Two processes read: one to plan, and one before it removes.
	}
	return append(made, removed...), nil
}

// makeAndRemove measures an apply of all instances, from nothing, and their destroy.
func (b *bench) makeAndRemove(
	ctx context.Context, w *workspace, a *account, declared []declaredLatch, made, removed *measurement,
) error {
	if err := w.clear(); err != nil {
		return err
	}
	if err := w.declare(declared); err != nil {
		return err
	}
	if err := b.measureInto(ctx, made, b.apply(w, a, len(declared))); err != nil {
		return err
	}
	return b.measureInto(ctx, removed, b.destroy(w, a, len(declared)))
}

// newRows are the rows of an operation, one for each account.
func (b *bench) newRows(operation string, n int, accounts []*account) []row {
	rows := make([]row, len(accounts))
	for i, a := range accounts {
		rows[i] = row{operation: operation, latches: n, customers: len(a.ids), parallelism: b.parallelism[0]}
	}
	return rows
}

// prepareAndMeasure declares latches in the task's workspace, and sets what its state says of them, before it measures.
func (b *bench) prepareAndMeasure(ctx context.Context, m *measurement, declared, state []declaredLatch, t task) error {
	if err := t.workspace.declare(declared); err != nil {
		return err
	}
	if err := t.workspace.setState(state); err != nil {
		return err
	}
	return b.measureInto(ctx, m, t)
}

// measureInto measures a task and takes the result in.
func (b *bench) measureInto(ctx context.Context, m *measurement, t task) error {
	got, err := b.measure(ctx, t)
	*m = m.worst(got)
	return err
}

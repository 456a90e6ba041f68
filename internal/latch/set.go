package latch

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// setWidth is how many changes of a set are made side by side: 16 calls at 20 ms come close to the limit of a live
	// account within its minute, and stay polite to a service that is slow.
	setWidth = 16
	// setAhead is how many customers are read anew at once in a long run: as many as a live account lets be written before
	// they are too old again.
	setAhead = 2000
)

// SetChange is what a set makes of one customer.
type SetChange struct {
	CustomerID int64
	Prior      fusebill.Latch // what the set holds; zero: nothing yet
	Declared   fusebill.Latch // zero: what the set holds is released
}

// SetResult is what became of one change of a set.
type SetResult struct {
	Latch fusebill.Latch // what the customer holds now, as far as it is known
	Err   error
}

// ApplySet makes the changes of a set: side by side, in the order that moves among them need, each with the checks of
// [Keeper.Create], [Keeper.Update] or [Keeper.Delete]. One that fails doesn't stop the others. It returns what became of
// each change that was begun, and an error that says why the others weren't, if there are any: their customers can't be
// read, or the context has ended. It calls progress, where that isn't nil, from one goroutine.
func (k *Keeper) ApplySet(
	ctx context.Context, changes []SetChange, reassociate bool, progress func(done, total int),
) (map[int64]SetResult, error) {
	lasting, cancel := outlasting(ctx, ringTimeout)
	defer cancel()
	r := setRun{
		keeper: k, reassociate: reassociate, progress: progress, lasting: lasting, results: make(map[int64]SetResult, len(changes)),
	}
	for len(changes) > 0 {
		busy, err := r.round(ctx, changes)
		if err == nil && len(busy) > 0 {
			err = k.broker.awaitFree(ctx, busy)
		}
		if err != nil {
			return r.results, err
		}
		changes = busy
	}
	return r.results, nil
}

// ReadSet returns the latch of each of these customers that is latched, for a resource that manages them.
func (k *Keeper) ReadSet(ctx context.Context, customerIDs []int64) (map[int64]fusebill.Latch, error) {
	found, err := k.reader.Customers(ctx, customerIDs, customers.MaxAge)
	if err != nil {
		return nil, err
	}
	latches := make(map[int64]fusebill.Latch, len(found))
	for id, customer := range found {
		if l := customers.LatchOf(customer); !l.IsZero() {
			latches[id] = l
			k.planned.manage(id)
		}
	}
	return latches, nil
}

// Latched returns the latch of every customer of the account that is latched, however large the account is.
func (k *Keeper) Latched(ctx context.Context) (map[int64]fusebill.Latch, error) {
	return k.reader.Latched(ctx, customers.MaxAge, math.MaxInt)
}

// ReadBeforePlan reads what [Keeper.CheckPlan] needs for many changes at once, and says which of their customers exist.
func (k *Keeper) ReadBeforePlan(ctx context.Context, changes []SetChange) (exists map[int64]bool, err error) {
	customers, err := k.customersOf(ctx, changes)
	exists = make(map[int64]bool, len(customers))
	for id := range customers {
		exists[id] = true
	}
	return exists, err
}

// customersOf reads the customers of a set, and first who holds what is claimed, since the answer to that may hold them too.
func (k *Keeper) customersOf(ctx context.Context, changes []SetChange) (map[int64]fusebill.Customer, error) {
	if slices.ContainsFunc(changes, func(c SetChange) bool { return !c.Declared.Without(c.Prior).IsZero() }) {
		if err := k.knowHolders(ctx); err != nil && !customers.ServiceDecides(err) {
			return nil, err
		}
	}
	return k.reader.Customers(ctx, customerIDs(changes), customers.MaxAgeBeforeWrite)
}

func customerIDs(changes []SetChange) []int64 {
	ids := make([]int64, len(changes))
	for i, change := range changes {
		ids[i] = change.CustomerID
	}
	return ids
}

// setRun is one ApplySet. Its fields belong to the goroutine that called it, but for those that are safe for all.
type setRun struct {
	keeper      *Keeper
	reassociate bool
	progress    func(done, total int)
	lasting     context.Context //nolint:containedctx // Outlasts the run's own, for the rings that it has opened.
	openRings   atomic.Int64    // those of which a member has given up what it is to get back last
	results     map[int64]SetResult
	read        time.Time // when customers were last read for all that follow
	done        int       // moves that were made
}

// member is one change of a set on its way. While a step of it is made, it is that step's.
type member struct {
	SetChange
	move   move
	change *change
	gaveUp bool // what others in its ring wait for
	ended  bool // when it couldn't give that up
	err    error
}

// errNotBegun stands for the run's own error in what wasn't begun.
var errNotBegun = errors.New("the change wasn't begun")

// round makes the changes of all customers that no other change of this process is about, and returns the others.
// Changes are begun before their customers are read: work on one customer is done one after another.
func (r *setRun) round(ctx context.Context, changes []SetChange) (busy []SetChange, err error) {
	members, busy := r.keeper.broker.beginAll(changes)
	r.read = time.Now()
	found, err := r.keeper.customersOf(ctx, changes)
	if err != nil {
		for _, change := range changes {
			r.keep(change)
		}
		for _, m := range members {
			r.keeper.broker.end(m.change)
		}
		return nil, err
	}
	var moves []*member
	for _, m := range members {
		customer, exists := found[m.CustomerID]
		err := r.prepare(m, customers.LatchOf(customer), exists)
		if err == nil && m.move.from != m.move.to {
			moves = append(moves, m)
			continue
		}
		r.results[m.CustomerID] = SetResult{Latch: m.move.from, Err: err}
		r.keeper.broker.end(m.change)
	}
	if !r.work(ctx, moves, len(busy)) {
		return nil, context.Cause(ctx)
	}
	return busy, nil
}

// keep notes that the set is to hold a customer's latch, even if that fails: a resource that is destroyed mustn't remove it.
func (r *setRun) keep(change SetChange) {
	if !change.Declared.IsZero() {
		r.keeper.broker.keep(change.CustomerID)
	}
}

// prepare checks a change against what its customer holds now, and says what it is to come to.
func (r *setRun) prepare(m *member, current fusebill.Latch, exists bool) error {
	m.move = move{from: current, to: current}
	err := r.check(m.SetChange, current, exists)
	switch {
	case err != nil: // The customer keeps what it holds.
	case !m.Declared.IsZero():
		m.move.to = m.Declared
		r.keep(m.SetChange)
	case !r.keeper.broker.isKept(m.CustomerID):
		m.move.to = current.Without(m.Prior)
	}
	r.keeper.broker.declare(m.change, m.move.from, m.move.to)
	return err
}

func (r *setRun) check(change SetChange, current fusebill.Latch, exists bool) error {
	foreign := current.Without(change.Prior).Without(change.Declared)
	switch {
	case change.Declared.IsZero() || exists && foreign.IsZero():
		return nil
	case !exists:
		return &NoCustomerError{CustomerID: change.CustomerID}
	case !change.Prior.IsZero():
		return &ChangedError{CustomerID: change.CustomerID, Planned: change.Prior, Current: current}
	case r.reassociate:
		return nil
	default:
		return &AlreadyLatchedError{CustomerID: change.CustomerID, Current: current}
	}
}

// work makes moves, and says whether all of them were begun. Further says how many changes follow in other rounds.
func (r *setRun) work(ctx context.Context, members []*member, further int) (begun bool) {
	moves := make([]move, len(members))
	for i, m := range members {
		moves[i] = m.move
		r.keeper.broker.setTurn(m.change, false)
	}
	schedule := newSchedule(moves)
	running := make(map[*change]bool)
	ended := make(chan setStep)
	begun = true
	for left := len(members); left > 0; {
		changed := r.start(ctx, schedule, members, running, ended)
		select {
		case <-changed:
		case step := <-ended:
			m := members[step.move]
			delete(running, m.change)
			schedule.made(step)
			if !step.giveUp {
				left--
				begun = r.record(m, left+further) && begun
			}
		}
	}
	return begun
}

// start begins as many steps as may go side by side. One that waits for a claim leaves its place to another: changes
// outside the set, which it may wait for, may wait in turn for a step that isn't begun. Where more steps are ready, it
// returns a channel that is closed when there may be place for them.
func (r *setRun) start(
	ctx context.Context, schedule *schedule, members []*member, running map[*change]bool, ended chan<- setStep,
) (changed <-chan struct{}) {
	for schedule.isReady() {
		busy, mayChange := r.keeper.broker.busy(running)
		if busy >= setWidth {
			return mayChange
		}
		r.readAhead(ctx, schedule, members)
		step := schedule.next()
		m := members[step.move]
		running[m.change] = true
		r.keeper.broker.setTurn(m.change, true)
		go func() {
			if step.giveUp {
				r.giveUp(ctx, m)
			} else if !m.ended {
				r.finish(ctx, m)
			}
			ended <- step
		}()
	}
	return nil
}

// readAhead reads customers anew for the steps that follow, once what was read is too old for them. Each step makes sure
// of that by itself, but many of them are read by fewer calls.
func (r *setRun) readAhead(ctx context.Context, schedule *schedule, members []*member) {
	if ctx.Err() != nil || time.Since(r.read) < customers.MaxAgeBeforeWrite {
		return
	}
	r.read = time.Now()
	var ids []int64
	for _, step := range schedule.ready[:min(len(schedule.ready), setAhead)] {
		ids = append(ids, members[step.move].CustomerID)
	}
	_, _ = r.keeper.reader.Customers(ctx, ids, customers.MaxAgeBeforeWrite) // If it fails, the steps' own reads tell why.
}

// giveUp lets go of what the others in a ring wait for. If that fails they wait in vain, and the change has ended.
func (r *setRun) giveUp(ctx context.Context, m *member) {
	err := r.readAgain(ctx, m)
	if rest := m.move.from.Common(m.move.to); err == nil && rest != m.move.from {
		r.keeper.broker.givingUp(m.change)
		err = r.keeper.giveUp(ctx, m.change, rest)
	}
	if err != nil {
		m.err = r.keeper.putBack(ctx, m.change, err)
		m.ended = true
		r.keeper.broker.end(m.change)
		return
	}
	m.gaveUp = true
	r.openRings.Add(1)
	r.keeper.broker.setTurn(m.change, false)
}

// finish makes a move, or what is left of it, and ends it.
func (r *setRun) finish(ctx context.Context, m *member) {
	defer r.keeper.broker.end(m.change)
	if m.gaveUp {
		defer r.openRings.Add(-1)
	} else if m.err = r.readAgain(ctx, m); m.err != nil {
		return
	}
	switch {
	case !m.Declared.IsZero():
		m.err = r.keeper.become(ctx, m.change, r.reassociate)
	case m.move.from != m.move.to: // A release claims nothing, and isn't undone.
		if ctx.Err() != nil {
			ctx = r.lasting
		}
		m.err = r.keeper.write(ctx, m.change, m.move.to)
	}
}

// readAgain makes sure, before the first write of a move, that it starts from what still holds: the run may be long.
func (r *setRun) readAgain(ctx context.Context, m *member) error {
	if ctx.Err() != nil {
		// Only what is needed to close a ring goes on, for a while.
		if r.openRings.Load() > 0 && r.lasting.Err() == nil && r.keeper.broker.isNeeded(m.change) {
			return nil
		}
		return errNotBegun
	}
	current, err := r.keeper.readBeforeWrite(ctx, m.CustomerID)
	exists := !fusebill.IsNotFound(err)
	switch {
	case err != nil && ctx.Err() != nil:
		return errNotBegun
	case err != nil && exists:
		return err
	case exists && current == m.move.from:
		return nil
	default:
		return r.prepare(m, current, exists)
	}
}

// record takes in what became of a move, and says whether it was begun.
func (r *setRun) record(m *member, left int) (begun bool) {
	if errors.Is(m.err, errNotBegun) {
		return false
	}
	r.results[m.CustomerID] = SetResult{Latch: m.change.current, Err: m.err}
	r.done++
	if r.progress != nil {
		r.progress(r.done, r.done+left)
	}
	return true
}

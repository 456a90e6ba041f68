package latch

import (
	"context"
	"math"
	"slices"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// setWidth is how many changes of a set are made side by side: 16 calls at 20 ms come close to the limit of a live account
// within its minute, and stay polite to a service that is slow.
const setWidth = 16

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
// [Keeper.Create], [Keeper.Update] or [Keeper.Delete]. One failure doesn't stop the others. A cancelled context does, and
// is then the error of each change that wasn't begun. It calls progress, where that isn't nil, from one goroutine.
func (k *Keeper) ApplySet(
	ctx context.Context, changes []SetChange, reassociate bool, progress func(done, total int),
) (map[int64]SetResult, error) {
	customers, err := k.customersOf(ctx, changes)
	if err != nil {
		return nil, err
	}
	run := setRun{
		keeper:      k,
		reassociate: reassociate,
		results:     make(map[int64]SetResult, len(changes)),
		progress:    progress,
	}
	for _, change := range changes {
		run.add(change, customers)
	}
	run.work(ctx)
	return run.results, nil
}

// ReadSet returns the latch of each of these customers that is latched.
func (k *Keeper) ReadSet(ctx context.Context, customerIDs []int64) (map[int64]fusebill.Latch, error) {
	customers, err := k.reader.Customers(ctx, customerIDs, maxAge)
	if err != nil {
		return nil, err
	}
	latches := make(map[int64]fusebill.Latch, len(customers))
	for _, id := range customerIDs {
		customer, exists := customers[id]
		if l := latchOf(customer); !l.IsZero() {
			latches[id] = l
		}
		if !exists {
			k.planned.vanish(id)
		}
	}
	return latches, nil
}

// Latched returns the latch of every customer of the account that is latched, however large the account is.
func (k *Keeper) Latched(ctx context.Context) (map[int64]fusebill.Latch, error) {
	return k.reader.Latched(ctx, maxAge, math.MaxInt)
}

// ReadBeforePlan reads what [Keeper.CheckPlan] needs for many changes at once.
func (k *Keeper) ReadBeforePlan(ctx context.Context, changes []SetChange) error {
	if len(changes) == 0 {
		return nil
	}
	_, err := k.customersOf(ctx, changes)
	return err
}

// customersOf reads the customers of a set, and who else holds what.
func (k *Keeper) customersOf(ctx context.Context, changes []SetChange) (map[int64]fusebill.Customer, error) {
	if slices.ContainsFunc(changes, func(c SetChange) bool { return !c.Declared.IsZero() }) {
		_ = k.knowHolders(ctx) // Where it can't be known, the service's own refusal decides.
	}
	ids := make([]int64, len(changes))
	for i, change := range changes {
		ids[i] = change.CustomerID
	}
	return k.reader.Customers(ctx, ids, maxAgeBeforeWrite)
}

// setRun is one ApplySet. Its fields belong to the goroutine that called it.
type setRun struct {
	keeper      *Keeper
	reassociate bool
	results     map[int64]SetResult
	progress    func(done, total int)
	moves       []move
	changes     []*change // of the moves; nil where the customer is another change's
	failures    []error   // of the moves that couldn't give up
}

// add checks a change, and adds what is left to do as a move.
func (r *setRun) add(change SetChange, customers map[int64]fusebill.Customer) {
	customer, exists := customers[change.CustomerID]
	current := latchOf(customer)
	declared := change.Declared
	if declared.IsZero() {
		declared = without(current, change.Prior)
		if r.keeper.broker.isKept(change.CustomerID) {
			declared = current
		}
	}
	err := r.check(change, current, exists)
	r.results[change.CustomerID] = SetResult{Latch: current, Err: err}
	if err != nil {
		return
	}
	if current == declared {
		if !change.Declared.IsZero() {
			r.keeper.broker.keep(change.CustomerID)
		}
		return
	}
	r.moves = append(r.moves, move{customerID: change.CustomerID, current: current, declared: declared})
}

func (r *setRun) check(change SetChange, current fusebill.Latch, exists bool) error {
	foreign := without(without(current, change.Prior), change.Declared)
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

// outcome is how a step ended.
type outcome struct {
	step setStep
	err  error
}

// work makes the moves. All of them are begun beforehand, so that changes outside the set that wait for one know it.
func (r *setRun) work(ctx context.Context) {
	r.changes = r.keeper.broker.beginAll(r.moves)
	r.failures = make([]error, len(r.moves))
	schedule := newSchedule(r.moves)
	outcomes := make(chan outcome)
	done, running := 0, 0
	for done < len(r.moves) {
		for running < setWidth {
			next, ok := schedule.next()
			if !ok {
				break
			}
			running++
			go func() { outcomes <- outcome{step: next, err: r.make(ctx, next)} }()
		}
		ended := <-outcomes
		running--
		schedule.made(ended.step)
		if ended.step.giveUp {
			continue
		}
		done++
		r.record(ended)
		if r.progress != nil {
			r.progress(done, len(r.moves))
		}
	}
}

// make makes a step of a move. It runs beside other steps, never beside one of the same move.
func (r *setRun) make(ctx context.Context, s setStep) error {
	c := r.changes[s.move]
	switch {
	case c == nil && s.giveUp: // Another resource is changing this customer: the end of that decides.
		return nil
	case c == nil:
		return r.makeLate(ctx, s.move)
	case s.giveUp:
		r.failures[s.move] = r.giveUp(ctx, c)
		return r.failures[s.move]
	case r.failures[s.move] != nil:
		return r.failures[s.move]
	}
	defer r.keeper.broker.end(c)
	return r.keeper.become(ctx, c, r.reassociate)
}

// giveUp lets go of what the others in a ring wait for. If it fails, they wait in vain.
func (r *setRun) giveUp(ctx context.Context, c *change) error {
	r.keeper.broker.givingUp(c, false)
	err := r.keeper.write(ctx, c, common(c.current, c.declared))
	if err != nil {
		r.keeper.broker.end(c)
		return err
	}
	r.keeper.broker.givingUp(c, true)
	return nil
}

// makeLate makes a move whose customer was another change's when the set began.
func (r *setRun) makeLate(ctx context.Context, i int) error {
	c, err := r.keeper.broker.begin(ctx, r.moves[i].customerID)
	if err != nil {
		return err
	}
	defer r.keeper.broker.end(c)
	r.changes[i] = c
	current, err := r.keeper.readBeforeWrite(ctx, c.customerID)
	if err != nil {
		return err
	}
	if current != r.moves[i].current && !r.reassociate {
		return &ChangedError{CustomerID: c.customerID, Planned: r.moves[i].current, Current: current}
	}
	r.keeper.broker.declare(c, current, r.moves[i].declared)
	return r.keeper.become(ctx, c, r.reassociate)
}

// record takes in what became of a move.
func (r *setRun) record(ended outcome) {
	m, c := r.moves[ended.step.move], r.changes[ended.step.move]
	result := SetResult{Latch: m.current, Err: ended.err}
	if c != nil {
		result.Latch = c.current
	}
	r.results[m.customerID] = result
	if ended.err == nil && !m.declared.IsZero() {
		r.keeper.broker.keep(m.customerID)
	}
}

// givingUp says that a change gives up what others in its ring wait for, and whether it waits for its turn again.
func (b *broker) givingUp(c *change, waiting bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.givesUp, c.waiting = true, waiting
	b.wakeAll()
}

// beginAll begins the change of each move, without waiting: where a customer's other change is under way, its change is
// nil. A change waits from now on until it goes on.
func (b *broker) beginAll(moves []move) []*change {
	b.mu.Lock()
	defer b.mu.Unlock()
	changes := make([]*change, len(moves))
	for i, m := range moves {
		if b.changes[m.customerID] != nil {
			continue
		}
		changes[i] = &change{
			customerID: m.customerID, known: true, current: m.current, prior: m.current, declared: m.declared, waiting: true,
		}
		b.changes[m.customerID] = changes[i]
	}
	b.wakeAll()
	return changes
}

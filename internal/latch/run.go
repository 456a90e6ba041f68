package latch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// width is how many changes of a run are worked on side by side: 16 calls at 20 ms come close to the limit of a live
	// account within its minute, and stay polite to a service that is slow.
	width = 16
	// ahead is how many customers are read by one call before their writes, and aheadFor how long that is good for, from the
	// call on.
	ahead    = 100
	aheadFor = customers.MaxAgeBeforeWrite - timeToSend
	// readMoment is how long before such a call another may have read them.
	readMoment = time.Second
	// ringTimeout bounds how long the rest of a ring goes on after a cancel, and restoreTimeout when calls are made that restore.
	// The last call of each may take a moment longer: see answerTimeout.
	ringTimeout    = 1500 * time.Millisecond
	restoreTimeout = 8 * time.Second
)

// run is one Apply. The fields from ready on need the graph's mu.
type run struct {
	coordinator *Coordinator
	graph       *graph
	ctx         context.Context //nolint:containedctx // The context of the operation, which all of its changes share.
	lasting     context.Context //nolint:containedctx // Outlasts ctx, for the rings that the changes have begun.
	restoring   context.Context //nolint:containedctx // Outlasts both, for what the changes have released.
	options     ApplyOptions
	changes     []*change
	wake        chan struct{}

	unread       []*change // whose turn it is
	urgent       []*change // that restore, or have waited: others may be open until these have ended
	releases     []*change // that release first
	ready        []*change
	open         int // changes that have released first, or are about to, and have not ended
	left         int
	lent         int // changes under way that take something from customers whose changes have ended here
	working      int
	isReading    bool
	isAhead      bool // a read-ahead is under way
	isStopping   bool
	reported     int
	errOfReading error
}

func newRun(ctx context.Context, c *Coordinator, options ApplyOptions) *run {
	return &run{coordinator: c, graph: c.graph, ctx: ctx, options: options, wake: make(chan struct{}, 1)}
}

// signal makes apply look again.
func (r *run) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// apply makes the changes and returns their outcomes.
func (r *run) apply() (map[int64]Result, error) {
	lasting, cancel := outlasting(r.ctx, ringTimeout)
	defer cancel()
	restoring, cancelRestoring := outlasting(r.ctx, restoreTimeout)
	defer cancelRestoring()
	r.lasting, r.restoring, r.left = lasting, restoring, len(r.changes)
	g := r.graph
	g.mu.Lock()
	g.addLocked(r)
	g.settleAndUnlock()
	deadlines := []context.Context{r.ctx, r.lasting, r.restoring}
	for stage := 0; ; {
		left, lent := r.begin()
		r.report(len(r.changes) - left)
		if left == 0 && (lent == 0 || r.ctx.Err() != nil) {
			break
		}
		var ended <-chan struct{}
		if stage < len(deadlines) {
			ended = deadlines[stage].Done()
		}
		select {
		case <-r.wake:
		case <-ended:
			r.stop()
			stage++
		}
	}
	g.mu.Lock()
	defer g.settleAndUnlock()
	delete(g.runs, r)
	return r.resultsLocked()
}

// report tells of the changes that have ended, one after another.
func (r *run) report(ended int) {
	for r.options.Progress != nil && r.reported < ended {
		r.reported++
		r.options.Progress(r.reported, len(r.changes))
	}
}

func (r *run) resultsLocked() (map[int64]Result, error) {
	results := make(map[int64]Result, len(r.changes))
	for _, c := range r.changes {
		if !c.isDropped {
			results[c.CustomerID] = Result{Latch: c.current, Kept: c.isKept, Err: c.err}
		}
	}
	switch {
	case len(results) == len(r.changes):
		return results, nil
	case r.errOfReading != nil:
		return results, r.errOfReading
	default:
		return results, context.Cause(r.ctx)
	}
}

// begin gives work to as many workers as there is place for, and returns how many changes have not ended.
func (r *run) begin() (left, lent int) {
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	if batch := r.takeUnreadLocked(); len(batch) > 0 {
		r.isReading = true
		go r.read(batch)
	}
	for r.working < width && !r.isAhead {
		queue := r.nextQueue()
		if queue == nil {
			break
		}
		c := (*queue)[0]
		if len(r.changes) > 1 && !r.isStopping && c.phase == ready && c.step != restore && r.isReadAhead(c, time.Now()) {
			r.isAhead = true
			go r.readAhead(r.nextLocked())
			break
		}
		*queue = (*queue)[1:]
		r.beginLocked(c)
	}
	return r.left, r.lent
}

// nextQueue returns the queue from which the next step comes. Few changes are open at a time, so few have to be restored
// after a cancel.
func (r *run) nextQueue() *[]*change {
	switch {
	case len(r.urgent) > 0:
		return &r.urgent
	case len(r.releases) > 0 && r.open < width:
		return &r.releases
	case len(r.ready) > 0:
		return &r.ready
	default:
		return nil
	}
}

// takeUnreadLocked returns the changes whose customers are to be read together.
func (r *run) takeUnreadLocked() []*change {
	if r.isReading || r.isStopping {
		return nil
	}
	batch := slices.DeleteFunc(r.unread, func(c *change) bool { return c.phase != reading })
	r.unread = nil
	return batch
}

// beginLocked lets a worker do the next step of a change, unless that has been decided otherwise since.
func (r *run) beginLocked(c *change) {
	if c.phase != ready {
		return
	}
	if r.isStopping && c.step != restore && !r.graph.isNeededLocked(c) {
		r.graph.giveUpLocked(c)
		return
	}
	s := c.step
	r.graph.setPhaseLocked(c, working)
	r.working++
	if s == release && !c.isFirst {
		c.isFirst = true
		r.open++
	}
	go func() {
		r.work(c, s)
		r.graph.mu.Lock()
		r.working--
		r.graph.mu.Unlock()
		r.signal()
	}()
}

// read reads customers whose turn it is, and first who holds what is claimed, since the answer to that may hold them too.
func (r *run) read(batch []*change) {
	found, errs := r.readCustomers(batch)
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	r.isReading = false
	r.signal()
	for _, c := range batch {
		customer, isFound := found[c.CustomerID]
		err := errs[c.CustomerID]
		switch {
		case c.phase != reading: // It has been cancelled.
		case isFound:
			g.prepareLocked(c, customers.LatchOf(customer))
		case err != nil && !fusebill.IsNotFound(err):
			r.errOfReading = err
			g.dropLocked(c)
		case c.isRelease() && c.unlatch == nil: // There is nothing to release.
			g.finishLocked(c, nil)
		default:
			g.refuseLocked(c, &NoCustomerError{CustomerID: c.CustomerID, Err: err})
		}
	}
}

// readCustomers returns the customers of changes that exist, and the errors of those that could not be read.
func (r *run) readCustomers(batch []*change) (map[int64]fusebill.Customer, map[int64]error) {
	ctx, begun := r.ctx, time.Now()
	errs := make(map[int64]error)
	fail := func(err error) {
		for _, c := range batch {
			errs[c.CustomerID] = err
		}
	}
	if slices.ContainsFunc(batch, func(c *change) bool { return c.claimsMore() }) {
		if err := r.coordinator.knowHolders(ctx); err != nil {
			fail(err)
			return nil, errs
		}
	}
	if len(batch) == 1 {
		id := batch[0].CustomerID
		customer, _, err := r.coordinator.reader.CustomerBeforeWrite(ctx, id)
		if err != nil {
			fail(err)
			return nil, errs
		}
		return map[int64]fusebill.Customer{id: customer}, nil
	}
	found, err := r.coordinator.reader.Customers(ctx, idsOf(batch), time.Since(begun)+readMoment)
	if err != nil {
		fail(err)
	}
	for _, c := range batch {
		c.freshUntil = begun.Add(aheadFor - readMoment)
	}
	return found, errs
}

func (c Change) claimsMore() bool { return !c.Declared.Without(c.Prior).IsZero() }

func idsOf(changes []*change) []int64 {
	ids := make([]int64, len(changes))
	for i, c := range changes {
		ids[i] = c.CustomerID
	}
	return ids
}

// knowHolders reads the account, unless it was read a while ago, or is not to be read whole.
func (c *Coordinator) knowHolders(ctx context.Context) error {
	if err := c.reader.ReadAccount(ctx, customers.MaxAge, c.maxPages); err != nil && !customers.ServiceDecides(err) {
		return err
	}
	return nil
}

// isReadAhead reports whether a customer is to be read together with others before it is written at
// some time. One that lists do not show is read individually, when there are calls for the write too.
func (r *run) isReadAhead(c *change, at time.Time) bool {
	return c.freshUntil.Before(at) && r.coordinator.reader.IsListed(c.CustomerID)
}

// nextLocked returns the changes whose customers are to be read before they are likely to be written: those that are ready,
// and those that wait for them.
func (r *run) nextLocked() []*change {
	var next []*change
	soon := time.Now().Add(readMoment)
	begun := time.Now()
	add := func(c *change) {
		if len(next) < ahead && c.run == r && (c.phase == ready || c.phase == waiting) && r.isReadAhead(c, soon) {
			c.freshUntil = begun.Add(aheadFor - readMoment)
			next = append(next, c)
		}
	}
	for _, queue := range [][]*change{r.urgent, r.releases, r.ready} {
		for _, c := range queue[:min(len(queue), ahead)] {
			add(c)
		}
	}
	for i := 0; i < len(next) && len(next) < ahead; i++ {
		for _, w := range r.graph.waiters[customerClaim(next[i].CustomerID)] {
			add(w)
		}
	}
	return next
}

// readAhead reads customers before their writes. Each write makes sure of that for its own customer, but this takes fewer
// calls. If it fails, the writes' own reads tell why.
func (r *run) readAhead(next []*change) {
	_, _ = r.coordinator.reader.Customers(r.ctx, idsOf(next), readMoment)
	r.graph.mu.Lock()
	defer r.graph.mu.Unlock()
	r.isAhead = false
	r.signal()
}

// stop ends, after a cancel, every change that has done nothing, except those that the others need to get back what they have
// released. A moment later these end too, and at last those that still wait for others before they restore something.
func (r *run) stop() {
	g := r.graph
	g.mu.Lock()
	defer g.settleAndUnlock()
	r.isStopping = true
	needed := g.neededLocked()
	if r.lasting.Err() != nil {
		needed = nil
	}
	for _, c := range r.changes {
		switch {
		case c.isFailing() && c.phase == waiting:
			g.pushLocked(c)
		case c.phase == done, c.phase == working, c.isFailing(), needed[c] && c.isKnown:
		default:
			g.giveUpLocked(c)
		}
	}
}

// giveUpLocked ends a change whose context has ended.
func (g *graph) giveUpLocked(c *change) {
	cause := context.Cause(c.run.ctx)
	switch {
	case c.isOpen(), c.unconfirmed != nil:
		g.failLocked(c, cause)
	case c.phase == waiting && len(c.run.changes) == 1 && len(c.held) > 0:
		g.failLocked(c, fmt.Errorf("%w (waited until: %w)", g.waitErrorLocked(c), cause))
	default:
		g.dropLocked(c)
	}
}

// neededLocked returns the changes that have to go on for others to get back what they have released, or what they have
// released it for, since somebody else has the former by now.
func (g *graph) neededLocked() map[*change]bool {
	needed := make(map[*change]bool)
	var stack []*change
	for c := range g.open {
		if c.run != nil && !c.isFailing() && len(g.heldByOthersLocked(c, c.before)) > 0 {
			needed[c] = true
			stack = append(stack, c)
		}
	}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, b := range top.blockers {
			if !needed[b] {
				needed[b] = true
				stack = append(stack, b)
			}
		}
	}
	return needed
}

func (g *graph) isNeededLocked(c *change) bool { return len(g.open) > 0 && g.neededLocked()[c] }

// outlasting returns a context for what has to be done even after a cancel, with so much time for it from then on.
func outlasting(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(grace):
			cancel(context.Cause(ctx))
		case <-lasting.Done():
		}
	})
	return lasting, func() {
		stop()
		cancel(errors.New("the work is done"))
	}
}

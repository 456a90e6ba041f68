package latch

import (
	"context"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
)

const (
	// width is how many changes of a run are worked on side by side: 16 calls at 20 ms come close to
	// the limit of a live account within its minute, and stay polite to a service that is slow.
	width = 16
	// ahead is how many customers are read by one call before their writes, and aheadFor how long that
	// is good for, from the call on.
	ahead    = 100
	aheadFor = customers.MaxAgeBeforeWrite - timeToSend
	// readMoment is how long before such a call another may have read them.
	readMoment = time.Second
	// ringTimeout bounds how long the rest of a ring goes on after a cancel, and restoreTimeout when
	// calls are made that restore. The last call of each may take a moment longer: see answerTimeout.
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
	takers       int // changes under way that take something from customers whose changes have ended here
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
		left, takers := r.begin()
		r.report(len(r.changes) - left)
		if left == 0 && (takers == 0 || r.ctx.Err() != nil) {
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

// report reports the changes that have ended, one after another.
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

// begin gives work to as many workers as there is place for, and returns how many changes have not
// ended.
func (r *run) begin() (left, takers int) {
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
	return r.left, r.takers
}

// nextQueue returns the queue from which the next step comes. Few changes are open at a time, so
// few have to be restored after a cancel.
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

// beginLocked lets a worker do the next step of a change, unless that has been decided otherwise
// since.
func (r *run) beginLocked(c *change) {
	if c.phase != ready {
		return
	}
	if r.isStopping && c.step != restore && !r.graph.isNeededLocked(c) {
		r.graph.cancelLocked(c)
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

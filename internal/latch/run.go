package latch

import (
	"context"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
)

const (
	// width is the number of changes of a run that are worked on at the same time. With calls of 20
	// ms, 16 of them almost use the quota of a live account. A slow service gets at most 16 calls
	// at once.
	width = 16
	// ahead is the number of customers that one call reads before their writes. Such a read serves
	// the writes that begin within aheadFor of the call.
	ahead    = 100
	aheadFor = customers.MaxAgeBeforeWrite - timeToSend
	// readMoment is the maximum age of an earlier answer that replaces such a call.
	readMoment = time.Second
	// ringTimeout is how long the changes of a ring go on after a cancel, and restoreTimeout how
	// long restores do. The last call of each may take longer, see answerTimeout.
	ringTimeout    = 1500 * time.Millisecond
	restoreTimeout = 8 * time.Second
)

// run is one call of Apply. The graph's mu guards the fields from unread on, except reported.
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
	urgent       []*change // that restore, or have waited: until they end, others may stay open
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

// signal wakes apply.
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

// report calls Progress once for each change that has ended.
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

// begin starts as many workers as the width allows. It returns the number of changes of this run
// that have not ended, and the number of other changes that take something from its customers.
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

// nextQueue returns the queue with the next step, or nil. It limits the number of open changes, so
// few of them have to be restored after a cancel.
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

// beginLocked starts a worker for the next step of a change, unless the change is no longer ready.
func (r *run) beginLocked(c *change) {
	if c.phase != ready {
		return
	}
	if r.isStopping && c.step != restore && !r.graph.neededLocked()[c] {
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

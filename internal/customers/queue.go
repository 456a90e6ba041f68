package customers

import (
	"context"
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// A list call waits lingerIdle for another read to join it, and lingerMost in all. Terraform
	// starts its next reads within a few milliseconds after the answers to the previous ones.
	lingerIdle = 3 * time.Millisecond
	lingerMost = 25 * time.Millisecond
	// A list call for a read before a write waits at most lingerWrites for the writes under way,
	// because Terraform starts the read of the next resource when a write ends. The quota makes the
	// writes of an apply end one after another, so without this wait most reads would have their
	// own call.
	lingerWrites = 5 * time.Second
	// listsAtOnce is the maximum number of list calls at the same time: enough to hide the latency
	// of the service, and few enough for the memory of the service and of this process.
	listsAtOnce = 4
)

// queue holds the reads without an answer. One goroutine (serve) makes list calls for them, a round
// of up to listsAtOnce at a time. Single reads run beside it.
type queue struct {
	open     map[int64]*read    // reads that new callers may join, by customer
	waiting  []*read            // reads for the next round of list calls
	singles  []*read            // reads that wait until fewer than singlesAtOnce are under way
	running  int                // single reads under way
	callers  int                // the number of callers that wait
	widest   int                // the largest number of callers so far, which is Terraform's parallelism
	changed  chan struct{}      // closed and replaced when waiting grows or a write ends
	writes   int                // writes of this process under way
	isServed bool               // serve runs
	round    []*read            // reads of the list calls under way; nil: waiting, as for pages
	stop     context.CancelFunc // ends the list calls under way; nil: there are none
}

// read is one read of a customer, which several callers may wait for.
type read struct {
	id       int64
	accepted acceptance
	asked    time.Time       // when the call that will answer it began; zero: no call has begun
	ctx      context.Context //nolint:containedctx // The first caller's values, for the log of the shared call.
	maxPages int             // for wholeAccount, the largest maxPages of its callers
	callers  int
	stop     context.CancelFunc // ends the single call made for this read; nil: there is none
	done     chan struct{}      // closed when customer and err are set
	isDone   bool
	customer fusebill.Customer
	err      error
}

// acceptance describes the answers that a caller accepts.
type acceptance struct {
	notBefore time.Time // the earliest time at which the answer was requested
	isSingle  bool      // the answer must be from an individual read, not from a list
}

// isForPlan reports whether a plan waits for the read. More reads that accept the same answers are
// likely to follow. For a later read before a write, pages that are read now would be too old.
func (a acceptance) isForPlan() bool { return time.Since(a.notBefore) > 2*MaxAgeBeforeWrite }

// enqueue puts the customers that the cache knows into found, and queues a read for each of the
// others. The caller must call leave with these reads.
func (r *Reader) enqueue(
	ctx context.Context, ids []int64, accepted acceptance, found map[int64]fusebill.Customer,
) (reads []*read) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	for _, id := range ids {
		if customer, ok := r.cache.get(id, accepted); ok {
			found[id] = customer
		} else {
			reads = append(reads, r.joinLocked(ctx, id, accepted))
		}
	}
	if len(reads) > 0 {
		r.awaitLocked()
	}
	return reads
}

// joinLocked adds a caller to a read of a customer that is queued or under way, if the caller
// accepts its answer, or else to a new read. The context ctx must not end with a caller.
func (r *Reader) joinLocked(ctx context.Context, id int64, accepted acceptance) *read {
	current := r.queue.open[id]
	if current == nil || !current.asked.IsZero() &&
		(current.asked.Before(accepted.notBefore) || accepted.isSingle && !current.accepted.isSingle) {
		accepted.isSingle = accepted.isSingle || r.cache.isUnlisted(id)
		current = &read{id: id, accepted: accepted, ctx: ctx, done: make(chan struct{})}
		r.queue.open[id] = current
		if accepted.isSingle {
			r.queue.singles = append(r.queue.singles, current)
		} else {
			r.queue.waiting = append(r.queue.waiting, current)
		}
	}
	current.accepted.isSingle = current.accepted.isSingle || accepted.isSingle
	if current.accepted.notBefore.Before(accepted.notBefore) {
		current.accepted.notBefore = accepted.notBefore
	}
	current.callers++
	return current
}

// awaitLocked counts a caller that waits for reads, and makes sure that they are made.
func (r *Reader) awaitLocked() {
	q := &r.queue
	q.callers++
	q.widest = max(q.widest, q.callers)
	q.wakeLocked()
	r.startSinglesLocked()
	if !q.isServed && len(q.waiting) > 0 {
		q.isServed = true
		go r.serve()
	}
}

// wakeLocked wakes gather after reads were queued or a write has ended.
func (q *queue) wakeLocked() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// wait waits for the answer to a read that the caller has joined.
func (rd *read) wait(ctx context.Context) (fusebill.Customer, error) {
	select {
	case <-rd.done:
		return rd.customer, rd.err
	case <-ctx.Done():
		return fusebill.Customer{}, context.Cause(ctx)
	}
}

// leave ends a caller's wait for its reads. It removes reads without a caller, and ends calls
// without a caller.
func (r *Reader) leave(reads []*read) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := &r.queue
	q.callers--
	isAbandoned := false
	for _, left := range reads {
		left.callers--
		if left.callers > 0 || left.isDone {
			continue
		}
		isAbandoned = true
		r.forgetLocked(left)
		if left.stop != nil {
			left.stop()
		}
	}
	if !isAbandoned {
		return
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(queued *read) bool { return queued.callers == 0 })
	if q.stop != nil && !r.isRoundWantedLocked() {
		q.stop()
	}
}

// isRoundWantedLocked reports whether anybody waits for the list calls under way.
func (r *Reader) isRoundWantedLocked() bool {
	reads := r.queue.round
	if reads == nil {
		reads = r.queue.waiting
	}
	return slices.ContainsFunc(reads, func(made *read) bool { return made.callers > 0 })
}

// forgetLocked keeps new callers from joining a read.
func (r *Reader) forgetLocked(old *read) {
	if r.queue.open[old.id] == old {
		delete(r.queue.open, old.id)
	}
}

// finishLocked gives a read its answer.
func (r *Reader) finishLocked(answered *read, customer fusebill.Customer, err error) {
	r.forgetLocked(answered)
	answered.customer, answered.err, answered.isDone = customer, err, true
	close(answered.done)
}

// serve makes list calls, one round at a time, until no read waits for one.
func (r *Reader) serve() {
	for r.gather() {
		r.makeRound()
	}
}

// gather waits for more reads to join the next round, and reports whether any read waits. It
// returns at once where every caller already has a waiting read, and where the round makes no list
// call.
func (r *Reader) gather() bool {
	begun, most := time.Now(), lingerMost
	for {
		r.mu.Lock()
		waiting, idle := r.queue.waiting, lingerIdle
		if len(waiting) == 0 {
			r.queue.isServed = false
			r.mu.Unlock()
			return false
		}
		first := waiting[0].accepted
		if r.queue.writes > 0 && !first.isForPlan() {
			idle, most = lingerWrites, lingerWrites
		}
		isWorthMaking := len(waiting) >= min(r.queue.widest, r.lists.size()) ||
			first.isSingle || r.isAccountFreshLocked(first.notBefore)
		changed := r.queue.changed
		r.mu.Unlock()
		idle = min(idle, most-time.Since(begun))
		if isWorthMaking || idle <= 0 || !endsWithin(changed, idle) {
			return true
		}
	}
}

// endsWithin reports whether a channel is closed within some time.
func endsWithin(closed <-chan struct{}, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-closed:
		return true
	case <-timer.C:
		return false
	}
}

// makeRound makes the calls that are the cheapest way to answer the queue.
func (r *Reader) makeRound() {
	r.mu.Lock()
	r.answerFromCacheLocked()
	switch waiting, pages := r.queue.waiting, r.pagesToReadLocked(); {
	case len(waiting) == 0: // The cache has answered all reads, or all callers have left.
		r.mu.Unlock()
	case pages > 0:
		first := waiting[0]
		r.mu.Unlock()
		r.readPages(first, pages)
	case r.lists.size() < 2 || r.isFirstLocked():
		r.queue.waiting = nil
		r.queue.singles = append(r.queue.singles, waiting...)
		r.startSinglesLocked()
		r.mu.Unlock()
	default:
		size := r.lists.size()
		round := r.takeRoundLocked(size)
		r.mu.Unlock()
		r.readBatches(round, size)
	}
}

// isFirstLocked reports whether the only waiting read should be made without a list. The first read
// of a process is an individual one, whose answer is final even where the customer is gone. The
// second one is a list call, which also shows the size of the account.
func (r *Reader) isFirstLocked() bool {
	return len(r.queue.waiting) == 1 && (r.spent == 0 || r.lists.isAnswered)
}

// answerFromCacheLocked answers the reads that the cache can answer by now. Those that no list can
// answer become single reads.
func (r *Reader) answerFromCacheLocked() {
	q := &r.queue
	q.waiting = slices.DeleteFunc(q.waiting, func(queued *read) bool {
		customer, isKnown := r.cache.get(queued.id, queued.accepted)
		isRead := r.isAccountFreshLocked(queued.accepted.notBefore)
		switch {
		case isKnown, queued.id == wholeAccount && isRead:
			r.finishLocked(queued, customer, nil)
		case queued.id == wholeAccount && r.isAccountTooLargeLocked(queued.maxPages):
			r.finishLocked(queued, customer, ErrAccountUnread)
		case queued.id != wholeAccount && (queued.accepted.isSingle || isRead || r.cache.isUnlisted(queued.id)):
			q.singles = append(q.singles, queued)
		default:
			return false
		}
		return true
	})
	r.startSinglesLocked()
}

// runRound runs the list calls of a round. Their context ends when no caller waits for any of them,
// not when the first caller is cancelled.
func (r *Reader) runRound(first *read, round []*read, calls func(context.Context)) {
	ctx, cancel := context.WithCancel(first.ctx)
	defer cancel()
	r.mu.Lock()
	r.queue.stop, r.queue.round = cancel, round
	if !r.isRoundWantedLocked() {
		cancel()
	}
	r.mu.Unlock()
	calls(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue.stop, r.queue.round = nil, nil
}

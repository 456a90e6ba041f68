package customers

import (
	"context"
	"time"
)

// singlesAtOnce is how many customers are read individually at once: more than Terraform reads side
// by side, unless its -parallelism is raised, and few enough that a latch set does not flood the
// service.
const singlesAtOnce = 16

// startSinglesLocked starts the single reads that wait, as many as may be under way at once.
func (r *Reader) startSinglesLocked() {
	q := &r.queue
	for q.running < singlesAtOnce && len(q.singles) > 0 {
		next := q.singles[0]
		q.singles = q.singles[1:]
		if next.callers == 0 {
			continue
		}
		ctx, cancel := context.WithCancel(next.ctx)
		next.asked, next.stop = time.Now(), cancel
		q.running++
		if next.accepted.isForPlan() {
			r.spent++
		}
		go r.readSingle(ctx, next)
	}
}

// readSingle makes the call for a single read.
func (r *Reader) readSingle(ctx context.Context, single *read) {
	customer, err := r.CustomerNow(ctx, single.id)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finishLocked(single, customer, err)
	single.stop()
	r.queue.running--
	r.startSinglesLocked()
}

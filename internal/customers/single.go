package customers

import (
	"context"
	"time"
)

// singlesAtOnce is the maximum number of individual reads at the same time. It is above Terraform's
// default parallelism, and low enough for a latch set not to overload the service.
const singlesAtOnce = 16

// startSinglesLocked starts waiting single reads, up to [singlesAtOnce] at the same time.
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

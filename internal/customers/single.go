package customers

import "context"

// goesSingly says whether the reads of a batch are made one by one. r.mu is held.
func (r *Reader) goesSingly(batch []*read) bool {
	switch {
	case r.sets.limit < 2:
		return true
	case r.account.isFresh(batch[0].notBefore): // They are gaps in the account.
		return true
	default:
		// The first read of a process goes alone: its answer is final even where the customer is gone. The second asks a
		// list, which says more: how large the account is.
		return len(batch) == 1 && (r.spent == 0 || r.sets.answered)
	}
}

// readSingly makes a call for each of these reads that is still wanted, side by side, and doesn't wait for them: there are
// no more than callers. r.mu is held.
func (r *Reader) readSingly(reads []*read) {
	for _, read := range wanted(reads) {
		ctx, cancel := context.WithCancel(read.ctx)
		read.stop = cancel
		r.spent++
		go r.readSingle(ctx, read)
	}
}

func (r *Reader) readSingle(ctx context.Context, read *read) {
	customer, err := r.CustomerNow(ctx, read.id)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finish(read, customer, err)
	read.stop()
}

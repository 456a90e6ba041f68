package customers

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// maxBatch is how many customers one list call asks for by ID: about 1,200 bytes of URL.
const maxBatch = 100

// lists is what the Reader knows about list calls.
type lists struct {
	isAnswered     bool           // one was answered, and has shown the account's size if lists do
	isRefused      bool           // the last batch was too large
	batchSize      int            // the most customers that a call may ask for by ID; below 2: none
	complete       int            // entries with a latch
	incomplete     int            // entries without one
	confirmed      map[int64]bool // customers shown unlatched that were read individually, up to samples
	isContradicted bool           // one of them was latched or gone
}

// areUseless reports whether nearly all entries of lists lack the HubSpot IDs. A few odd entries
// concern only their customers.
func (l *lists) areUseless() bool { return l.incomplete > 2 && l.incomplete > 10*l.complete }

// areUnlatchedProved reports whether enough customers that lists show unlatched were read
// individually, and all were unlatched.
func (l *lists) areUnlatchedProved() bool { return len(l.confirmed) >= samples && !l.isContradicted }

// size returns how many customers a batch may have; below 2: batches are not worth making.
func (l *lists) size() int {
	if l.areUseless() {
		return 0
	}
	return l.batchSize
}

// calls returns how many calls it takes to read so many customers by batches.
func (l *lists) calls(reads int) int { return ceilDiv(reads, max(l.size(), 1)) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// takeRoundLocked takes out of the queue the reads for the next list calls, batches of that size.
// After a batch that was too large, one call tries a smaller one.
func (r *Reader) takeRoundLocked(size int) []*read {
	waiting := r.queue.waiting
	n := min(len(waiting), size*listsAtOnce)
	if r.lists.isRefused {
		n = min(n, size)
	}
	round := waiting[:n:n]
	r.queue.waiting = waiting[n:]
	for _, taken := range round {
		taken.asked = time.Now()
	}
	return round
}

// readBatches reads customers by batches of a size, side by side.
func (r *Reader) readBatches(round []*read, size int) {
	r.runRound(round[0], round, func(ctx context.Context) {
		var group errgroup.Group
		for batch := range slices.Chunk(round, size) {
			group.Go(func() error {
				r.readBatch(ctx, batch)
				return nil
			})
		}
		_ = group.Wait() // A failure is the answer to the batch's reads.
	})
}

// readBatch reads customers by one list call. A batch that may have been too large goes back to the
// queue, for smaller ones or for single reads.
func (r *Reader) readBatch(ctx context.Context, batch []*read) {
	ids := make([]int64, len(batch))
	for i, asked := range batch {
		ids[i] = asked.id
	}
	asked := r.ask()
	page, err := r.client.Customers(ctx, fusebill.CustomersRequest{IDs: ids})
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(batch, func(made *read) bool { return made.accepted.isForPlan() }) {
		r.spent++
	}
	switch {
	case fusebill.IsTooLarge(err):
		r.lists.isRefused, r.lists.batchSize = true, min(r.lists.batchSize, len(batch)/2)
		r.requeueLocked(batch)
	case err != nil:
		for _, made := range batch {
			r.finishLocked(made, fusebill.Customer{}, err)
		}
	default:
		r.lists.isRefused = false
		r.answerBatchLocked(asked, page, batch)
	}
}

// answerBatchLocked keeps the entries of a batch that were asked for, and answers its reads. Where
// most entries are others, the service ignores the query: reads without an entry go back to the
// queue. Otherwise these become single reads.
func (r *Reader) answerBatchLocked(asked *question, page fusebill.CustomersPage, batch []*read) {
	isAsked := make(map[int64]bool, len(batch))
	for _, made := range batch {
		isAsked[made.id] = true
	}
	entries := len(page.Customers)
	page.Customers = slices.DeleteFunc(page.Customers, func(c fusebill.Customer) bool { return !isAsked[c.ID] })
	r.keepListLocked(asked, page)
	isSelected := 2*len(page.Customers) >= entries
	if !isSelected {
		r.lists.batchSize = 0
	}
	var rest []*read
	for _, made := range batch {
		if customer, ok := r.cache.get(made.id, made.accepted); ok {
			r.finishLocked(made, customer, nil)
			continue
		}
		made.accepted.isSingle = made.accepted.isSingle || isSelected
		rest = append(rest, made)
	}
	r.requeueLocked(rest)
}

// requeueLocked puts reads that are still wanted at the head of the queue.
func (r *Reader) requeueLocked(batch []*read) {
	var wanted []*read
	for _, made := range batch {
		if made.callers > 0 {
			made.asked = time.Time{}
			wanted = append(wanted, made)
		}
	}
	r.queue.waiting = append(wanted, r.queue.waiting...)
}

// keepListLocked keeps what a list shows of its customers, of the account's size, and of lists.
func (r *Reader) keepListLocked(asked *question, page fusebill.CustomersPage) {
	for _, customer := range page.Customers {
		r.cache.putListed(customer, asked)
		if customer.Latch == nil {
			r.lists.incomplete++
		} else {
			r.lists.complete++
		}
	}
	r.lists.isAnswered = true
	r.lists.incomplete += page.Unreadable
	if page.AccountSize >= 0 && !r.account.isSizeWrong {
		r.account.size = page.AccountSize
	}
}

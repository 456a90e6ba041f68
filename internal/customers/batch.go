package customers

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// maxBatch is the number of customers that one list call asks for by ID. They take about 1,200
// bytes of the URL.
const maxBatch = 100

// lists is what the Reader knows about list calls.
type lists struct {
	isAnswered     bool           // a list call was answered, so the size of the account is known if lists show it
	isRefused      bool           // the last batch was too large
	batchSize      int            // the maximum number of customers in a batch; below 2: batches do not work
	complete       int            // the number of entries with a latch
	incomplete     int            // the number of entries without one
	confirmed      map[int64]bool // customers shown unlatched that were read individually, up to samples
	isContradicted bool           // one of them was latched or gone
}

// areUseless reports whether nearly all entries of lists lack the HubSpot IDs. A few such entries
// concern only their own customers.
func (l *lists) areUseless() bool { return l.incomplete > 2 && l.incomplete > 10*l.complete }

// areUnlatchedProved reports whether lists are known to be right about unlatched customers: enough
// of them were read individually, and all were unlatched.
func (l *lists) areUnlatchedProved() bool { return len(l.confirmed) >= samples && !l.isContradicted }

// size returns the maximum number of customers in a batch. Below 2, batches are useless.
func (l *lists) size() int {
	if l.areUseless() {
		return 0
	}
	return l.batchSize
}

// calls returns the number of calls that read so many customers in batches.
func (l *lists) calls(reads int) int { return ceilDiv(reads, max(l.size(), 1)) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// takeRoundLocked removes the reads of the next batches from the queue. After a batch that was too
// large, the next round has only one batch.
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

// readBatches reads customers in batches of a size, at the same time.
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

// readBatch reads customers by one list call. The reads of a batch that may have been too large go
// back to the queue, for smaller batches or for single reads.
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

// answerBatchLocked keeps the requested entries of a list and answers the reads of the batch. Reads
// without an entry become single reads. But where most entries were not requested, the service
// ignores the query, so these reads go back to the queue.
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

// keepListLocked keeps the customers of a list, the size of the account, and what the list shows
// about lists in general.
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

package customers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// maxSet is how many customers one list call asks for by ID: about 1,200 bytes of URL.
	maxSet = 100
	// lingerIdle is how long a call waits for another read to join it, and lingerMost how long it waits in all. Terraform
	// starts its next reads within a few milliseconds after the answers to those before.
	lingerIdle = 3 * time.Millisecond
	lingerMost = 25 * time.Millisecond
)

// sets is what is known about reading sets of customers.
type sets struct {
	limit    int  // the most customers that a call may ask for; below 2: none but single reads
	widest   int  // the most callers that ever waited at once: as many as Terraform reads side by side
	answered bool // whether any list was: what lists tell of the account is known then
}

// gather waits until the next shared call is worth making, and says whether there is a read to make. It doesn't wait
// where as many callers wait as ever did, nor where no list will be asked.
func (r *Reader) gather() bool {
	deadline := time.NewTimer(lingerMost)
	defer deadline.Stop()
	for {
		r.mu.Lock()
		if len(r.queue) == 0 {
			r.serving = false
			r.mu.Unlock()
			return false
		}
		enough := len(r.queue) >= min(r.sets.widest, r.sets.limit) || r.account.isFresh(r.queue[0].notBefore)
		arrival := r.arrival
		r.mu.Unlock()
		if enough || !arrives(arrival, deadline.C) {
			return true
		}
	}
}

// arrives waits for another read, and says whether one came in time.
func arrives(arrival <-chan struct{}, deadline <-chan time.Time) bool {
	idle := time.NewTimer(lingerIdle)
	defer idle.Stop()
	select {
	case <-arrival:
		return true
	case <-idle.C:
	case <-deadline:
	}
	return false
}

// readSet makes one call for all reads of a batch. Those that the answer leaves open are read one by one: a gap in a list
// proves nothing.
func (r *Reader) readSet(batch []*read) {
	r.shared(batch[0], batch, func(ctx context.Context) {
		asked := r.ask()
		page, err := r.client.Customers(ctx, fusebill.CustomersRequest{IDs: idsOf(batch)})
		if err != nil {
			r.setFailed(batch, err)
			return
		}
		r.keepList(asked, page)
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(page.Customers) > len(batch) { // The service ignores the filter.
			r.sets.limit = 0
		}
		r.readSingly(r.answerFromCache(batch))
	})
}

// setFailed deals with a set that the service refused. One that may have been too large is tried again by smaller sets, at
// last by single reads. Any other error is the batch's answer.
func (r *Reader) setFailed(batch []*read, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if isTooLarge(err) {
		r.sets.limit = min(r.sets.limit, len(batch)/2)
		r.requeue(batch)
		return
	}
	for _, read := range batch {
		r.finish(read, fusebill.Customer{}, err)
	}
}

// isTooLarge says whether a set may have been too large for the service or for a proxy before it. That shows as 400, 413,
// 414, 431, as a 404 (a Windows server's answer to a long query), or as an answer that breaks off or has an entry that
// can't be read. A 404 that a list is answered with never means that a customer is gone.
func isTooLarge(err error) bool {
	var (
		malformed *fusebill.MalformedAnswerError
		refusal   *fusebill.APIError
	)
	if errors.As(err, &malformed) {
		return true
	}
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.StatusCode {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
		http.StatusRequestHeaderFieldsTooLarge:
		return true
	}
	return false
}

func idsOf(batch []*read) []int64 {
	ids := make([]int64, len(batch))
	for i, read := range batch {
		ids[i] = read.id
	}
	return ids
}

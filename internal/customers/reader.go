package customers

import (
	"context"
	"sync"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Reader reads customers for one provider process with as few calls as it can. Terraform reads each
// resource individually, several of them at the same time, and does not announce their number.
// Therefore:
//
//   - All reads wait in one queue (queue.go). Reads that arrive while a call is under way share the
//     next call, which reads a batch of these customers (batch.go).
//   - The Reader reads the pages of the account (account.go) once they cost fewer calls than it has
//     already made, and than the queue still needs. So the total number of calls is at most about
//     twice the number that the cheaper of the two ways needs.
//   - The Reader keeps each answer for a while. The answers to this process's own writes replace
//     those to earlier reads (cache.go).
//
// A list does not prove that a customer is absent. The Reader reads a customer individually
// (single.go) where a list leaves it out or shows it without its HubSpot IDs.
//
// A Reader is safe for concurrent use. The end of one caller's context does not affect other
// callers that wait for the same call. An error of a call is returned only to the callers that have
// waited for it.
type Reader struct {
	client   *fusebill.Client
	searches chan struct{} // has an element for each search with a filter that is under way
	control  control

	mu          sync.Mutex // guards the fields below
	cache       cache
	lists       lists
	account     account
	queue       queue
	spent       int         // the number of calls for plans since the whole account was last read
	fingerprint Fingerprint // nil until the first page of the account was read
}

const (
	// MaxAge is the maximum age of an answer that a plan uses, and of a reading of the account that
	// a write relies on. A plan of 10,000 latches takes less time.
	MaxAge = 10 * time.Minute
	// MaxAgeBeforeWrite is the maximum age of an answer about a customer when a write of that
	// customer is sent. The write overwrites a change that somebody else has made since the answer.
	MaxAgeBeforeWrite = 15 * time.Second
)

// NewReader makes a Reader that calls the API through client.
func NewReader(client *fusebill.Client) *Reader {
	return &Reader{
		client:   client,
		searches: make(chan struct{}, searchesAtOnce),
		control:  control{turn: make(chan struct{}, 1)},
		cache:    newCache(),
		lists:    lists{batchSize: maxBatch, confirmed: make(map[int64]bool)},
		account:  account{size: unknown},
		queue:    queue{open: make(map[int64]*read), changed: make(chan struct{})},
	}
}

// Customer returns a customer, whose Latch is never nil and must not be changed. An error for which
// [fusebill.IsNotFound] is true means that the service answered 404 to a call about this customer,
// and that the same account has answered a list call: under a wrong base URL everything is a 404.
func (r *Reader) Customer(ctx context.Context, id int64) (fusebill.Customer, error) {
	return r.customer(ctx, id, MaxAge)
}

// CustomerBeforeWrite is Customer for a write that depends on the answer. The answer was requested
// at most [MaxAgeBeforeWrite] before the call. The caller must send the write before sendBefore,
// which is when the answer reaches that age.
func (r *Reader) CustomerBeforeWrite(
	ctx context.Context, id int64,
) (customer fusebill.Customer, sendBefore time.Time, err error) {
	called := time.Now()
	customer, err = r.customer(ctx, id, MaxAgeBeforeWrite)
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.cache.entries[id]; ok && customer.Latch != nil && e.customer.Latch == customer.Latch {
		return customer, e.asked.at.Add(MaxAgeBeforeWrite), err
	}
	return customer, called, err // The answer may have the maximum age.
}

func (r *Reader) customer(ctx context.Context, id int64, maxAge time.Duration) (fusebill.Customer, error) {
	isIgnored := func(error) bool { return false }
	found, err := r.readMany(ctx, []int64{id}, acceptance{notBefore: time.Now().Add(-maxAge)}, isIgnored)
	if fusebill.IsNotFound(err) {
		if unproved := r.proveAccount(ctx, id); unproved != nil {
			err = unproved
		}
	}
	return found[id], err
}

// CustomerNow is Customer by its own call, made at once. Later reads can use the answer.
func (r *Reader) CustomerNow(ctx context.Context, id int64) (fusebill.Customer, error) {
	asked := r.ask()
	customer, err := r.client.Customer(ctx, id)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.cache.put(customer, asked, false)
		r.cache.holdsAlone(customer, asked.sequence)
	case fusebill.IsNotFound(err):
		r.cache.gone(id, asked)
	}
	return customer, err
}

// Customers returns the customers with these IDs that exist. Each answer is at most maxAge old.
func (r *Reader) Customers(
	ctx context.Context, ids []int64, maxAge time.Duration,
) (map[int64]fusebill.Customer, error) {
	return r.readMany(ctx, ids, acceptance{notBefore: time.Now().Add(-maxAge)}, fusebill.IsNotFound)
}

// readMany returns customers. It leaves out those whose reads fail with an error for which
// isIgnored returns true, and returns the first other error.
func (r *Reader) readMany(
	ctx context.Context, ids []int64, accepted acceptance, isIgnored func(error) bool,
) (map[int64]fusebill.Customer, error) {
	found := make(map[int64]fusebill.Customer, len(ids))
	reads := r.enqueue(ctx, ids, accepted, found)
	if len(reads) > 0 {
		defer r.leave(reads)
	}
	for _, read := range reads {
		customer, err := read.wait(ctx)
		switch {
		case err == nil:
			found[read.id] = customer
		case !isIgnored(err):
			return nil, err
		}
	}
	return found, nil
}

// Holders returns the customers that may hold a contact or company, in the order of their IDs. Each
// of them held it when it was last read, however long ago that is. There may be several, because a
// contact may move between customers of two pages while the pages are read.
func (r *Reader) Holders(claim fusebill.Claim) []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cache.holders.of(claim)
}

// BeginWrite informs the Reader that a write of a customer's latch begins. The Reader no longer
// returns earlier answers about the customer.
func (r *Reader) BeginWrite(id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cache.written(id)
	r.queue.writes++
}

// EndWrite informs the Reader of the answer to a write, which is nil where the outcome is unknown.
// A read after EndWrite does not share a call that is already under way, because its answer may be
// older than the write. Each BeginWrite needs an EndWrite.
func (r *Reader) EndWrite(id int64, answer *fusebill.Customer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	begun := r.cache.writes[id]
	r.cache.written(id)
	r.queue.writes--
	r.queue.wakeLocked()
	delete(r.queue.open, id)
	if answer != nil && answer.ID == id && answer.Latch != nil {
		r.cache.put(*answer, r.cache.ask(), false)
		r.cache.holdsAlone(*answer, begun)
	}
}

// Name returns a customer as messages show it, such as "customer 2554530 (Brown Coffee)". The name
// is that of the last answer about the customer. Name makes no call.
func (r *Reader) Name(id int64) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	customer := r.cache.named(id)
	customer.ID = id
	return customer.String()
}

// IsListed reports whether a list is likely to show a customer's current latch. Each other customer
// needs its own call.
func (r *Reader) IsListed(id int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lists.size() > 1 && !r.cache.isUnlisted(id)
}

// LatchOf returns the latch of a customer that was read, or the zero latch where the read has
// failed.
func LatchOf(customer fusebill.Customer) fusebill.Latch {
	if customer.Latch == nil {
		return fusebill.Latch{}
	}
	return *customer.Latch
}

// ask returns a question that is asked now.
func (r *Reader) ask() *question {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cache.ask()
}

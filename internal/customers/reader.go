package customers

import (
	"context"
	"sync"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Reader answers every read of a customer in one provider process with as few calls as it can.
// Terraform reads one resource at a time, some of them side by side, and does not announce how many
// there will be. Therefore:
//
//   - All reads wait in one queue (queue.go). Reads that come while a call is under way share the
//     next one, a batch of just these customers (batch.go).
//   - Once the pages of the account cost fewer calls than were spent and than the queue still
//     needs, the Reader reads the account (account.go). The total stays within about twice the
//     better of the two ways.
//   - The Reader keeps for a while what it has read, and this process's own writes replace it
//     (cache.go).
//
// A list proves no absence: the Reader reads a customer individually (single.go) where a list
// leaves it out or shows it without its HubSpot IDs.
//
// A Reader is safe for concurrent use. A caller that is cancelled does not disturb others that wait
// for the same call, and a failed call fails only those who waited for it.
type Reader struct {
	client   *fusebill.Client
	searches chan struct{} // holds an element for each search with a filter that is under way
	control  control

	mu          sync.Mutex // guards the fields below
	cache       cache
	lists       lists
	account     account
	queue       queue
	spent       int         // calls for plans since the Reader last read the whole account
	fingerprint Fingerprint // nil until the first page of the account was read
}

const (
	// MaxAge is the age up to which an answer serves a plan, and up to which the Reader's picture of
	// the account serves a write. It is longer than a plan of 10,000 latches takes.
	MaxAge = 10 * time.Minute
	// MaxAgeBeforeWrite is the age up to which an answer serves a write of that customer. A later
	// change by somebody else would be overwritten unseen.
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
// [fusebill.IsNotFound] is true means that the service answered 404 to a call about this customer.
// Only [Reader.Managed] proves that the customer is gone.
func (r *Reader) Customer(ctx context.Context, id int64) (fusebill.Customer, error) {
	return r.customer(ctx, id, MaxAge)
}

// CustomerBeforeWrite is Customer for a read that decides on a write. The answer was asked for at
// most [MaxAgeBeforeWrite] before the call. The write must be sent before sendBefore, when the
// answer has that age.
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
	return customer, called, err // As old as it may be.
}

func (r *Reader) customer(ctx context.Context, id int64, maxAge time.Duration) (fusebill.Customer, error) {
	isIgnored := func(error) bool { return false }
	found, err := r.readMany(ctx, []int64{id}, acceptance{notBefore: time.Now().Add(-maxAge)}, isIgnored)
	return found[id], err
}

// CustomerNow is Customer by a call of its own, made now.
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

// Customers returns those of many customers that exist, each of them read no longer ago than
// maxAge.
func (r *Reader) Customers(
	ctx context.Context, ids []int64, maxAge time.Duration,
) (map[int64]fusebill.Customer, error) {
	return r.readMany(ctx, ids, acceptance{notBefore: time.Now().Add(-maxAge)}, fusebill.IsNotFound)
}

// readMany returns customers without those whose reads end in an error that isIgnored reports. Any
// other error ends the reading.
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

// Holders returns the customers that may hold a contact or company, in the order of their IDs: each
// of them held it when it was last read, however long ago. There may be several: while pages are
// read side by side, a contact may move from a customer of one page to a customer of another.
func (r *Reader) Holders(claim fusebill.Claim) []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cache.holders.of(claim)
}

// BeginWrite informs the Reader that a write of a customer's latch begins. The Reader does not
// serve earlier answers about the customer any more.
func (r *Reader) BeginWrite(id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cache.written(id)
	r.queue.writes++
}

// EndWrite gives the Reader the answer to a write, nil where the outcome is unknown. A later read
// does not join one that is under way, whose answer may be from before the write. Each BeginWrite
// needs its EndWrite.
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

// Name returns the customer in the words of messages, such as "customer 2554530 (Brown Coffee)", with
// the name that the last answer about it has shown. It makes no call.
func (r *Reader) Name(id int64) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	customer := r.cache.named(id)
	customer.ID = id
	return customer.String()
}

// IsListed reports whether a list is likely to show a customer's current latch. Other customers
// take a call each.
func (r *Reader) IsListed(id int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lists.size() > 1 && !r.cache.isUnlisted(id)
}

// LatchOf returns the latch of a customer that was read, and the zero latch where reading failed.
func LatchOf(customer fusebill.Customer) fusebill.Latch {
	if customer.Latch == nil {
		return fusebill.Latch{}
	}
	return *customer.Latch
}

// ask notes the time at which a question is asked.
func (r *Reader) ask() *question {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cache.ask()
}

package customers

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Reader answers every read of a customer in one provider process with as few calls as it can. Terraform reads one
// resource at a time, some of them side by side, and tells nobody how many there will be. So:
//
//   - reads that come while a call is under way share the next one, a list of just these customers (sets.go);
//   - once as many calls were spent as reading the whole account would have cost, the account is read, and answers the
//     rest (account.go): the total stays within about twice the better of the two, whatever the number;
//   - what was read is kept for a while, and what this process wrote replaces it (cache.go).
//
// A list is never proof that something isn't there: a customer that is missing from one, or comes without its HubSpot
// IDs, is read by itself (single.go), and only that read's answer counts.
//
// A Reader is safe for concurrent use. A caller that gives up doesn't disturb the others that wait for the same call,
// and a failed call fails only those who waited for it.
type Reader struct {
	client   *fusebill.Client
	mu       sync.Mutex
	cache    cache
	account  account
	sets     sets
	spent    int                // calls since the account was last read whole
	waiting  map[int64]*read    // reads that new callers may join, by customer
	queue    []*read            // reads that no call is under way for
	callers  int                // that wait
	lookups  chan struct{}      // a place for each that is under way
	arrival  chan struct{}      // closed and made anew when the queue grows
	serving  bool               // whether serve runs
	stopCall context.CancelFunc // ends the shared call that is under way; nil: none is
	batch    []*read            // those that it is made for; nil: the queue, as pages are
}

// read is one read of a customer, which several callers may wait for.
type read struct {
	id        int64
	notBefore time.Time       // when an answer that will do was asked for at the earliest
	asked     time.Time       // when the call that is to answer it began; zero: none has
	ctx       context.Context //nolint:containedctx // The first caller's, for the log of the call that it shares.
	maxPages  int             // of wholeAccount
	callers   int
	stop      context.CancelFunc // ends the call that is made for this read alone; nil: none is
	done      chan struct{}      // closed when customer and err are set
	customer  fusebill.Customer
	err       error
}

const (
	// MaxAge is how long what was read is good for. It is longer than a plan of 10,000 latches takes, which keeps Terraform
	// busy for minutes.
	MaxAge = 10 * time.Minute
	// MaxAgeBeforeWrite is the same for a read that decides on a write: what somebody else does meanwhile would be
	// overwritten unseen. It is long enough to share reads at the pace that the rate limit allows for writes.
	MaxAgeBeforeWrite = 2 * time.Minute
)

// NewReader makes a reader that calls the API through client.
func NewReader(client *fusebill.Client) *Reader {
	return &Reader{
		client:  client,
		cache:   newCache(),
		account: account{size: unknown},
		sets:    sets{limit: maxSet},
		waiting: make(map[int64]*read),
		lookups: make(chan struct{}, lookupsAtOnce),
		arrival: make(chan struct{}),
	}
}

// Customer returns a customer, whose Latch is never nil and must not be changed. An error for which [fusebill.IsNotFound]
// holds says that there is no such customer; no other error does.
func (r *Reader) Customer(ctx context.Context, id int64) (fusebill.Customer, error) {
	return r.customer(ctx, id, time.Now().Add(-MaxAge))
}

// CustomerBeforeWrite is Customer for a read that decides on a write, and takes an older answer less easily.
func (r *Reader) CustomerBeforeWrite(ctx context.Context, id int64) (fusebill.Customer, error) {
	return r.customer(ctx, id, time.Now().Add(-MaxAgeBeforeWrite))
}

// CustomerNow is Customer by a call of its own, made now.
func (r *Reader) CustomerNow(ctx context.Context, id int64) (fusebill.Customer, error) {
	asked := r.ask()
	customer, err := r.client.Customer(ctx, id)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.cache.put(customer, asked)
	case fusebill.IsNotFound(err):
		r.cache.gone(id, asked)
	}
	return customer, err
}

// Holder returns the customer that holds a contact or company by the last word on it, 0 where none is known to.
func (r *Reader) Holder(claim fusebill.Claim) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cache.holders.of(claim)
}

func (r *Reader) customer(ctx context.Context, id int64, notBefore time.Time) (fusebill.Customer, error) {
	r.mu.Lock()
	if customer, ok := r.cache.get(id, notBefore); ok {
		r.mu.Unlock()
		return customer, nil
	}
	read := r.join(ctx, id, notBefore)
	r.mu.Unlock()
	return r.wait(ctx, read)
}

// wait waits for the answer to a read that the caller has joined.
func (r *Reader) wait(ctx context.Context, read *read) (fusebill.Customer, error) {
	select {
	case <-read.done:
		r.leave(read)
		return read.customer, read.err
	case <-ctx.Done():
		r.leave(read)
		return fusebill.Customer{}, context.Cause(ctx)
	}
}

// join makes the caller wait for a read of a customer, one that is under way if its answer will be new enough. r.mu is
// held.
func (r *Reader) join(ctx context.Context, id int64, notBefore time.Time) *read {
	current := r.waiting[id]
	if current == nil || !current.asked.IsZero() && current.asked.Before(notBefore) {
		current = &read{id: id, ctx: context.WithoutCancel(ctx), done: make(chan struct{})}
		r.waiting[id] = current
		r.queue = append(r.queue, current)
		close(r.arrival)
		r.arrival = make(chan struct{})
	}
	if current.notBefore.Before(notBefore) {
		current.notBefore = notBefore
	}
	current.callers++
	r.callers++
	r.sets.widest = max(r.sets.widest, r.callers)
	if !r.serving {
		r.serving = true
		go r.serve()
	}
	return current
}

// leave ends a caller's wait. A read that nobody waits for any more isn't made, and a call that nobody waits for ends.
func (r *Reader) leave(left *read) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left.callers--
	r.callers--
	if left.callers > 0 {
		return
	}
	r.queue = slices.DeleteFunc(r.queue, func(queued *read) bool { return queued == left })
	r.forget(left)
	if left.stop != nil {
		left.stop()
	}
	if r.stopCall != nil && !r.callIsWanted() {
		r.stopCall()
	}
}

// callIsWanted says whether anybody waits for the shared call that is under way. r.mu is held.
func (r *Reader) callIsWanted() bool {
	if r.batch == nil {
		return len(r.queue) > 0
	}
	return len(wanted(r.batch)) > 0
}

// wanted returns the reads that somebody waits for.
func wanted(reads []*read) []*read {
	var some []*read
	for _, read := range reads {
		if read.callers > 0 {
			some = append(some, read)
		}
	}
	return some
}

// forget keeps new callers from joining a read. r.mu is held.
func (r *Reader) forget(old *read) {
	if r.waiting[old.id] == old {
		delete(r.waiting, old.id)
	}
}

// serve makes calls, one shared call at a time, until no read is left to make.
func (r *Reader) serve() {
	for r.gather() {
		r.makeCall()
	}
}

// makeCall makes the call that is the best for the reads in the queue.
func (r *Reader) makeCall() {
	r.mu.Lock()
	r.queue = r.answerFromCache(r.queue)
	if len(r.queue) == 0 { // Or all callers have left.
		r.mu.Unlock()
		return
	}
	if pages := r.pagesWorthReading(); pages > 0 {
		first := r.queue[0]
		r.mu.Unlock()
		r.readPages(first, pages)
		return
	}
	batch := r.takeBatch()
	if r.goesSingly(batch) {
		r.readSingly(batch)
		r.mu.Unlock()
		return
	}
	r.spent++
	r.mu.Unlock()
	r.readSet(batch)
}

// takeBatch takes as many reads out of the queue as one call may ask for. r.mu is held.
func (r *Reader) takeBatch() []*read {
	n := min(len(r.queue), max(r.sets.limit, 1))
	batch := r.queue[:n:n]
	r.queue = r.queue[n:]
	for _, read := range batch {
		read.asked = time.Now()
	}
	return batch
}

// requeue puts reads that are still wanted back to the head of the queue. r.mu is held.
func (r *Reader) requeue(batch []*read) {
	batch = wanted(batch)
	for _, read := range batch {
		read.asked = time.Time{}
	}
	r.queue = append(batch, r.queue...)
}

// shared runs a call for the reads of a batch, or, where that is nil, for the queue. Its context ends when nobody waits
// for it any more, and not when the one who happened to come first gives up.
func (r *Reader) shared(first *read, batch []*read, call func(context.Context)) {
	ctx, cancel := context.WithCancel(first.ctx)
	defer cancel()
	r.mu.Lock()
	r.stopCall, r.batch = cancel, batch
	if !r.callIsWanted() {
		cancel()
	}
	r.mu.Unlock()
	call(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopCall, r.batch = nil, nil
}

// finish gives a read its answer. r.mu is held.
func (r *Reader) finish(read *read, customer fusebill.Customer, err error) {
	r.forget(read)
	read.customer, read.err = customer, err
	close(read.done)
}

// ask marks when an answer is asked for.
func (r *Reader) ask() *question {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cache.ask()
}

// keepList takes in what a list says: of customers, of the account's size, and of what lists are good for.
func (r *Reader) keepList(asked *question, page fusebill.CustomersPage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, customer := range page.Customers {
		r.cache.putListed(customer, asked)
		if customer.Latch == nil {
			r.sets.limit, r.account.useless = 0, true
		}
	}
	r.sets.answered = true
	if page.AccountSize >= 0 && !r.account.sizeIsWrong {
		r.account.size = page.AccountSize
	}
}

// answerFromCache gives reads what the cache has by now, and returns the rest. r.mu is held.
func (r *Reader) answerFromCache(reads []*read) (rest []*read) {
	for _, read := range reads {
		customer, ok := r.cache.get(read.id, read.notBefore)
		switch {
		case ok, read.id == wholeAccount && r.account.isFresh(read.notBefore):
			r.finish(read, customer, nil)
		case read.id == wholeAccount && r.account.isTooLarge(read.maxPages):
			r.finish(read, customer, ErrAccountUnread)
		default:
			rest = append(rest, read)
		}
	}
	return rest
}

// BeginWrite says that a customer's latch is about to be written. What was read of it before isn't served any more.
func (r *Reader) BeginWrite(id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cache.written(id)
}

// EndWrite takes in the answer to a write, nil where its outcome isn't known. Whoever reads the customer from now on joins
// no read that is under way: it may tell of before.
func (r *Reader) EndWrite(id int64, answer *fusebill.Customer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cache.written(id)
	delete(r.waiting, id)
	if answer != nil {
		r.cache.put(*answer, r.cache.ask())
	}
}

// LatchOf returns the latch of a customer that was read, and no latch where reading failed.
func LatchOf(customer fusebill.Customer) fusebill.Latch {
	if customer.Latch == nil {
		return fusebill.Latch{}
	}
	return *customer.Latch
}

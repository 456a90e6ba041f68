package customers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const (
	// pageSize is the largest that the service is sure to serve.
	pageSize = fusebill.MaxPageSize
	// pagesAtOnce are read side by side: enough to hide the way to the service, few enough for its and our memory.
	pagesAtOnce = 4
	// unknown is the size of an account that no answer has told yet.
	unknown = -1
)

// account is what is known about reading the whole account.
type account struct {
	size        int       // customers, unknown at first
	sizeIsWrong bool      // the service's word on it has turned out wrong
	asked       time.Time // when the reading began
	pages       int       // read so far, while it isn't whole
	whole       bool      // all pages were read
	useless     bool      // lists come without the HubSpot IDs
	failure     error     // of the last reading
	tryAgain    int       // calls to spend otherwise after it, before the next reading
}

// wholeAccount stands for the ID of a customer in a read of the whole account. Nobody asks for a customer of this ID.
const wholeAccount = math.MinInt64

// ErrAccountUnread says that the account is too large to be read whole, or that lists don't tell latches.
var ErrAccountUnread = errors.New("the account isn't read whole")

// errAccountFailed wraps why reading the account has failed a short while ago, where it isn't tried again yet.
var errAccountFailed = errors.New("the account couldn't be read a short while ago")

// ReadAccount reads the whole account, so that it is known who holds what, unless that was done no longer ago than
// maxAge. An account of more than maxPages pages is left unread, with [ErrAccountUnread]. No error of it is about a single
// customer.
func (r *Reader) ReadAccount(ctx context.Context, maxAge time.Duration, maxPages int) error {
	notBefore := time.Now().Add(-maxAge)
	r.mu.Lock()
	if r.account.isFresh(notBefore) {
		r.mu.Unlock()
		return nil
	}
	if err := r.refuseAccount(maxPages); err != nil {
		r.mu.Unlock()
		return err
	}
	read := r.join(ctx, wholeAccount, notBefore)
	read.maxPages = max(read.maxPages, maxPages)
	r.mu.Unlock()
	_, err := r.wait(ctx, read)
	return err
}

// refuseAccount says why the account isn't to be read, if so. After a failure it isn't tried again at once, since every
// change of an apply asks for it. Each that does brings the next try nearer. r.mu is held.
func (r *Reader) refuseAccount(maxPages int) error {
	a := &r.account
	switch {
	case a.isTooLarge(maxPages):
		return ErrAccountUnread
	case r.spent < a.tryAgain:
		a.tryAgain--
		return fmt.Errorf("%w: %w", errAccountFailed, a.failure)
	default:
		return nil
	}
}

// isFresh says whether the whole account was read, and not before that time.
func (a *account) isFresh(notBefore time.Time) bool {
	return a.whole && !a.useless && !a.asked.Before(notBefore)
}

// isTooLarge says whether reading the account is known to take more than so many pages, or to tell nothing.
func (a *account) isTooLarge(maxPages int) bool {
	return a.useless || maxPages == 0 || a.size != unknown && pagesOf(a.size) > maxPages || a.pages >= maxPages
}

// pagesWorthReading decides between renting and buying: what the rest of the run will ask for is unknown, so once as
// many calls were spent as the whole account costs, the account is read. Where its size is unknown too, page after page
// is read, as many as calls were spent otherwise. r.mu is held.
func (r *Reader) pagesWorthReading() int {
	a := &r.account
	rest := 1
	if a.size != unknown {
		rest = max(pagesOf(a.size)-a.pages, 1)
	}
	switch {
	case slices.ContainsFunc(r.queue, func(queued *read) bool { return queued.id == wholeAccount }):
		return rest
	case a.useless || r.spent < a.tryAgain || a.isFresh(r.queue[0].notBefore):
		return 0
	case a.size == unknown && r.spent > a.pages+1, a.size != unknown && r.spent >= pagesOf(a.size):
		return rest
	default:
		return 0
	}
}

func pagesOf(customers int) int { return max((customers+pageSize-1)/pageSize, 1) }

// readPages reads the next pages of the account, and answers from them what is asked by then.
func (r *Reader) readPages(first *read, pages int) {
	from := r.beginPages()
	r.shared(first, nil, func(ctx context.Context) {
		last, err := r.fetchPages(ctx, from, pages)
		if ctx.Err() == nil { // Else nobody waits, and whoever comes now begins anew.
			r.endPages(pages, last, err)
		}
	})
}

// fetchPages reads pages side by side, and says whether one of them was the last.
func (r *Reader) fetchPages(ctx context.Context, from, pages int) (bool, error) {
	var last atomic.Bool
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(pagesAtOnce)
	for number := from; number < from+pages && !last.Load() && ctx.Err() == nil; number++ {
		group.Go(func() error {
			asked := r.ask()
			page, err := r.client.Customers(ctx, fusebill.CustomersRequest{PageNumber: number, PageSize: pageSize})
			if err != nil {
				return err
			}
			r.keepList(asked, page)
			if page.Last {
				last.Store(true)
			}
			return nil
		})
	}
	err := group.Wait()
	return last.Load(), err
}

// beginPages returns the number of the page to go on with, which is the first where what was read is too old for any read
// in the queue.
func (r *Reader) beginPages() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.account
	isTooOld := func(queued *read) bool { return a.asked.Before(queued.notBefore) }
	if a.pages == 0 || a.whole || slices.ContainsFunc(r.queue, isTooOld) {
		a.asked, a.pages, a.whole = time.Now(), 0, false
	}
	for _, queued := range r.queue {
		if queued.id == wholeAccount {
			queued.asked = a.asked
		}
	}
	return a.pages
}

// endPages takes in how the reading went and answers what it can. The other reads stay in the queue.
func (r *Reader) endPages(pages int, last bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.account
	switch {
	case err != nil:
		// The reads go on without it, and whatever is wrong will be their answer if it hits them too. The wait grows with
		// each failure, so that what all of them cost stays small beside the rest.
		a.pages, a.tryAgain, a.failure = 0, 2*r.spent+pages, notOfCustomer(err)
		r.failWholeReads(a.failure)
	case last:
		a.pages, a.whole, r.spent, a.tryAgain = 0, true, 0, 0
	default:
		a.pages += pages
		if a.size != unknown && a.pages > pagesOf(a.size) { // A page more than that may have been made meanwhile.
			a.size, a.sizeIsWrong = unknown, true
		}
	}
	r.queue = r.answerFromCache(r.queue)
}

// notOfCustomer keeps a list's 404 from passing for one that says that a customer is gone.
func notOfCustomer(err error) error {
	if fusebill.IsNotFound(err) {
		return errors.New(err.Error())
	}
	return err
}

// failWholeReads gives those who want the whole account the error that it couldn't be read for. r.mu is held.
func (r *Reader) failWholeReads(err error) {
	r.queue = slices.DeleteFunc(r.queue, func(queued *read) bool {
		if queued.id != wholeAccount {
			return false
		}
		r.finish(queued, fusebill.Customer{}, err)
		return true
	})
}

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
	// unknown is the size of an account that no answer has shown.
	unknown = -1
)

// account is what the Reader knows about reading the whole account.
type account struct {
	size        int       // customers; unknown at first
	isSizeWrong bool      // the service's count has turned out wrong
	read        time.Time // when the last complete reading began; zero: there is none
	oddRead     time.Time // of the reading whose odd entries were read individually
	begun       time.Time // when the present, incomplete reading began
	pages       int       // pages of the present reading so far
	failure     error     // of the last reading
	tryAgain    int       // calls to spend otherwise after the failure, before the next reading
}

// wholeAccount stands for the ID of a customer in a read of the whole account. No customer has it.
const wholeAccount = math.MinInt64

// ErrAccountUnread means that the account is too large to be read whole, or that lists do not show
// latches.
var ErrAccountUnread = errors.New("the account cannot be read as a whole")

// errAccountFailed wraps the reason why reading the account failed a short while ago, where it is
// not tried again yet.
var errAccountFailed = errors.New("an earlier reading of the account failed")

// ReadAccount reads the whole account, so it is known who holds what, unless the Reader did that no
// longer ago than maxAge. It leaves an account of more than maxPages pages unread, with
// [ErrAccountUnread]; likewise one in which more than maxPages customers have to be read
// individually because their list entries lack the latch. No error of it is about a single
// customer: a customer that cannot be read does not block the others.
func (r *Reader) ReadAccount(ctx context.Context, maxAge time.Duration, maxPages int) error {
	notBefore := time.Now().Add(-maxAge)
	r.mu.Lock()
	if !r.isAccountFreshLocked(notBefore) {
		if err := r.refuseAccountLocked(maxPages); err != nil {
			r.mu.Unlock()
			return err
		}
		whole := r.joinLocked(context.WithoutCancel(ctx), wholeAccount, acceptance{notBefore: notBefore})
		whole.maxPages = max(whole.maxPages, maxPages)
		r.awaitLocked()
		r.mu.Unlock()
		defer r.leave([]*read{whole})
		if _, err := whole.wait(ctx); err != nil {
			return err
		}
		r.mu.Lock()
	}
	r.mu.Unlock()
	return r.readOddEntries(ctx, maxPages)
}

// readOddEntries reads the customers individually whose latches the pages of the last reading have
// not shown. One that cannot be read individually either stays unknown.
func (r *Reader) readOddEntries(ctx context.Context, most int) error {
	r.mu.Lock()
	reading, odd := r.account.read, r.cache.oddSince(r.account.read)
	isDone := reading.Equal(r.account.oddRead)
	r.mu.Unlock()
	switch {
	case isDone || len(odd) == 0:
		return nil
	case len(odd) > most:
		return ErrAccountUnread
	}
	_, err := r.readMany(ctx, odd, acceptance{notBefore: reading, isSingle: true}, func(err error) bool {
		_, isMalformed := errors.AsType[*fusebill.MalformedAnswerError](err)
		return isMalformed || fusebill.IsNotFound(err)
	})
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.account.oddRead = reading
	}
	return err
}

// Latched returns every customer of the account that is latched, with its latch, read no longer ago
// than maxAge. It returns the errors of [Reader.ReadAccount].
func (r *Reader) Latched(ctx context.Context, maxAge time.Duration, maxPages int) (map[int64]fusebill.Latch, error) {
	if err := r.ReadAccount(ctx, maxAge, maxPages); err != nil {
		return nil, err
	}
	customers, err := r.ofAccount(ctx, fusebill.Filter{})
	latched := make(map[int64]fusebill.Latch)
	for _, customer := range customers {
		if !customer.Latch.IsZero() {
			latched[customer.ID] = *customer.Latch
		}
	}
	return latched, err
}

// isAccountFreshLocked reports whether the Reader has read the whole account, and not before that
// time.
func (r *Reader) isAccountFreshLocked(notBefore time.Time) bool {
	read := r.account.read
	return !read.IsZero() && !read.Before(notBefore) && !r.lists.areUseless()
}

// refuseAccountLocked returns why the account is not to be read now, if so. After a failure the
// Reader does not try again at once, since every change of an apply asks for it. Each that does
// brings the next try nearer.
func (r *Reader) refuseAccountLocked(maxPages int) error {
	a := &r.account
	switch {
	case r.isAccountTooLargeLocked(maxPages):
		return ErrAccountUnread
	case r.spent < a.tryAgain:
		a.tryAgain--
		return fmt.Errorf("%w: %w", errAccountFailed, a.failure)
	default:
		return nil
	}
}

// isAccountTooLargeLocked reports whether reading the account is known to take more than so many
// pages, or to show nothing.
func (r *Reader) isAccountTooLargeLocked(maxPages int) bool {
	a := &r.account
	return r.lists.areUseless() || maxPages == 0 || a.pages >= maxPages || a.size != unknown && pagesOf(a.size) > maxPages
}

// pagesToReadLocked returns how many pages of the account to read for the queue; 0: none. Batches
// or single reads answer it then.
func (r *Reader) pagesToReadLocked() int {
	waiting := r.queue.waiting
	isForAccount, isForPlan := false, false
	for _, queued := range waiting {
		isForAccount = isForAccount || queued.id == wholeAccount
		isForPlan = isForPlan || queued.accepted.isForPlan()
	}
	if !isForAccount && (len(waiting) == 0 || !r.arePagesCheaperLocked(r.lists.calls(len(waiting)), isForPlan)) {
		return 0
	}
	return r.pagesLeftLocked()
}

// arePagesCheaperLocked decides between reading on as the Reader did and reading the account, where
// so many other calls are needed now. It is unknown what the rest of a plan asks for, so once more
// calls were spent and are needed than the pages cost, it reads these (the ski-rental problem). A
// read before a write does not count what was spent: pages would be too old for the next one.
func (r *Reader) arePagesCheaperLocked(needed int, isForPlan bool) bool {
	a := &r.account
	total := needed
	if isForPlan {
		total += r.spent
	}
	switch {
	case r.lists.areUseless() || r.spent < a.tryAgain:
		return false
	case a.size != unknown:
		return total > r.pagesLeftLocked()
	case !r.lists.isAnswered: // A page shows the size, at no more cost than a batch.
		return needed > 1
	default:
		return total > a.pages+2
	}
}

// pagesLeftLocked returns how many pages the present reading still needs, 1 where the size of the
// account is unknown.
func (r *Reader) pagesLeftLocked() int {
	if r.account.size == unknown {
		return 1
	}
	done := r.account.pages
	if r.isReadingOutdatedLocked() {
		done = 0
	}
	return max(pagesOf(r.account.size)-done, 1)
}

// isReadingOutdatedLocked reports whether the present reading began too early for a read that
// waits.
func (r *Reader) isReadingOutdatedLocked() bool {
	return slices.ContainsFunc(r.queue.waiting, func(queued *read) bool {
		return r.account.begun.Before(queued.accepted.notBefore)
	})
}

func pagesOf(customers int) int { return max(ceilDiv(customers, pageSize), 1) }

// readPages reads the next pages of the account, and answers from them the reads that wait by then.
func (r *Reader) readPages(first *read, pages int) {
	from := r.beginPages()
	r.runRound(first, nil, func(ctx context.Context) {
		isLast, err := r.fetchPages(ctx, from, pages)
		if ctx.Err() == nil { // Else nobody waits, and the next caller begins a new reading.
			r.endPages(pages, isLast, err)
		}
	})
}

// fetchPages reads pages side by side, and reports whether one of them was the last.
func (r *Reader) fetchPages(ctx context.Context, from, pages int) (bool, error) {
	var isLast atomic.Bool
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listsAtOnce)
	for number := from; number < from+pages && !isLast.Load() && ctx.Err() == nil; number++ {
		group.Go(func() error {
			asked := r.ask()
			page, err := r.client.Customers(ctx, fusebill.CustomersRequest{PageNumber: number, PageSize: pageSize})
			if err != nil {
				return err
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.keepListLocked(asked, page)
			if number == 0 {
				r.keepFingerprintLocked(page)
			}
			if page.Last {
				isLast.Store(true)
			}
			return nil
		})
	}
	err := group.Wait()
	return isLast.Load(), err
}

// beginPages returns the number of the page to go on with, which is the first where the present
// reading is too old for a read in the queue.
func (r *Reader) beginPages() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.account
	if a.pages == 0 || r.isReadingOutdatedLocked() {
		a.begun, a.pages = time.Now(), 0
	}
	for _, queued := range r.queue.waiting {
		if queued.id == wholeAccount {
			queued.asked = a.begun
		}
	}
	return a.pages
}

// endPages notes how the reading went and answers the reads that it can. The others stay in the
// queue.
func (r *Reader) endPages(pages int, isLast bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.account
	switch {
	case err != nil:
		// The reads go on without it, and get their own errors if the cause hits them, too. The wait
		// grows with each failure, so all failures together cost little beside the rest.
		r.failReadsLocked(err)
		a.pages, a.tryAgain, a.failure = 0, 2*(r.spent+r.lists.calls(len(r.queue.waiting)))+pages, err
	case isLast:
		a.read, a.pages, r.spent, a.tryAgain = a.begun, 0, 0, 0
	default:
		a.pages += pages
		if a.size != unknown && a.pages > pagesOf(a.size) { // One page more may have been filled meanwhile.
			a.size, a.isSizeWrong = unknown, true
		}
	}
	r.answerFromCacheLocked()
}

// failReadsLocked gives the error of a page to the reads of the whole account, and to all reads
// where every other call would end in it, too.
func (r *Reader) failReadsLocked(err error) {
	r.queue.waiting = slices.DeleteFunc(r.queue.waiting, func(queued *read) bool {
		if queued.id != wholeAccount && !fusebill.IsKeyRefused(err) {
			return false
		}
		r.finishLocked(queued, fusebill.Customer{}, err)
		return true
	})
}

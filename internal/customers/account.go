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
	// pageSize is the largest page size that the service is sure to accept.
	pageSize = fusebill.MaxPageSize
	// unknown is the size of an account that no answer has shown.
	unknown = -1
)

// account is what the Reader knows about reading the whole account.
type account struct {
	size        int       // the number of customers; unknown at first
	isSizeWrong bool      // the service's count has turned out wrong
	read        time.Time // when the last complete reading began; zero: there is none
	oddRead     time.Time // of the reading whose odd entries were read individually
	begun       time.Time // when the current, incomplete reading began
	pages       int       // the number of pages of the current reading so far
	failure     error     // of the last reading
	tryAgain    int       // the number of other calls to make after the failure, before the next reading
}

// wholeAccount stands for the ID of a customer in a read of the whole account. No customer has it.
const wholeAccount = math.MinInt64

// ErrAccountUnread means that the account is too large to be read whole, or that lists do not show
// latches.
var ErrAccountUnread = errors.New("the account cannot be read as a whole")

// errAccountFailed wraps the reason why reading the account failed a short while ago, where it is
// not tried again yet.
var errAccountFailed = errors.New("an earlier reading of the account failed")

// ReadAccount reads the whole account, so the holders of all claims are known. It makes no call
// if the last reading is at most maxAge old. It returns [ErrAccountUnread] if the account has
// more than maxPages pages, or if more than maxPages customers would have to be read
// individually because their list entries lack the latch. It returns no error for a single customer
// that cannot be read.
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

// readOddEntries individually reads the customers whose latches the pages of the last reading have
// not shown. The latch of a customer that cannot be read individually either stays unknown.
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

// Latched returns the latches of all latched customers of the account. The answers are at most
// maxAge old. It returns the errors of [Reader.ReadAccount].
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

// isAccountFreshLocked reports whether the Reader has read the whole account, at notBefore or
// later.
func (r *Reader) isAccountFreshLocked(notBefore time.Time) bool {
	read := r.account.read
	return !read.IsZero() && !read.Before(notBefore) && !r.lists.areUseless()
}

// refuseAccountLocked returns the reason why the account must not be read now, or nil. After a
// failure the Reader does not try again at once, because every change of an apply asks for the
// account. Each refusal brings the next try nearer.
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

// isAccountTooLargeLocked reports whether the account is known to have more than maxPages pages, or
// its pages are known not to show latches.
func (r *Reader) isAccountTooLargeLocked(maxPages int) bool {
	a := &r.account
	return r.lists.areUseless() || maxPages == 0 || a.pages >= maxPages || a.size != unknown && pagesOf(a.size) > maxPages
}

// pagesToReadLocked returns the number of pages of the account to read next for the queue. With 0,
// batches or single reads answer the queue.
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

// arePagesCheaperLocked reports whether the Reader should read the account instead of making the
// needed calls. The number of later reads of a plan is unknown. So the Reader reads the account
// once the calls that it has made, and those that it needs now, are more than the remaining pages
// (the ski-rental problem, https://en.wikipedia.org/wiki/Ski_rental_problem). For a read before a
// write, earlier calls do not count, because the pages would be too old for the next write.
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
	case !r.lists.isAnswered: // A page also shows the size of the account, and costs no more than a batch.
		return needed > 1
	default:
		return total > a.pages+2
	}
}

// pagesLeftLocked returns the number of pages that the current reading still needs, or 1 where the
// size of the account is unknown.
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

// isReadingOutdatedLocked reports whether the current reading began too early for a waiting read.
func (r *Reader) isReadingOutdatedLocked() bool {
	return slices.ContainsFunc(r.queue.waiting, func(queued *read) bool {
		return r.account.begun.Before(queued.accepted.notBefore)
	})
}

func pagesOf(customers int) int { return max(ceilDiv(customers, pageSize), 1) }

// readPages reads the next pages of the account, and answers waiting reads from them.
func (r *Reader) readPages(first *read, pages int) {
	from := r.beginPages()
	r.runRound(first, nil, func(ctx context.Context) {
		isLast, err := r.fetchPages(ctx, from, pages)
		if ctx.Err() == nil { // Otherwise nobody waits, and the next caller begins a new reading.
			r.endPages(pages, isLast, err)
		}
	})
}

// fetchPages reads pages, several at the same time, and reports whether one of them was the last
// one.
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

// beginPages returns the number of the next page. That is the first page where the current reading
// is too old for a waiting read.
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

// endPages records the result of a reading and answers the reads that it can. The others stay in
// the queue.
func (r *Reader) endPages(pages int, isLast bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.account
	switch {
	case err != nil:
		// The reads of customers go on without pages, and get their own errors if they fail, too.
		// The wait for the next reading grows with each failure, so failures cost few of all calls.
		r.failReadsLocked(err)
		a.pages, a.tryAgain, a.failure = 0, 2*(r.spent+r.lists.calls(len(r.queue.waiting)))+pages, err
	case isLast:
		a.read, a.pages, r.spent, a.tryAgain = a.begun, 0, 0, 0
	default:
		a.pages += pages
		if a.size != unknown && a.pages > pagesOf(a.size) { // The account may have grown by one page meanwhile.
			a.size, a.isSizeWrong = unknown, true
		}
	}
	r.answerFromCacheLocked()
}

// failReadsLocked ends the reads of the whole account with the error of a page. If the key is
// refused, every other call would fail, too, so it ends all reads.
func (r *Reader) failReadsLocked(err error) {
	r.queue.waiting = slices.DeleteFunc(r.queue.waiting, func(queued *read) bool {
		if queued.id != wholeAccount && !fusebill.IsKeyRefused(err) {
			return false
		}
		r.finishLocked(queued, fusebill.Customer{}, err)
		return true
	})
}

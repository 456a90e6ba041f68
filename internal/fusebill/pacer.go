package fusebill

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"sync"
	"time"
)

const (
	// minuteWindow and dayWindow are the lengths of windows whose ends the service does not report.
	minuteWindow = time.Minute
	dayWindow    = 24 * time.Hour
	// resetJitter is the largest difference between the ends of the same window in two answers: a
	// service may round the end, or compute it again for each answer.
	resetJitter = time.Second
	// clockPrecision is the largest delay with which the client notices the end of a window: a Date
	// has whole seconds, and answers take time.
	clockPrecision = 2 * time.Second
	// resetSlack is the shortest wait after a 429, even after one that came although its window
	// should be over. If the Date is wrong, the client tries again in these steps, so it notices
	// the end of a window at most so late.
	resetSlack = 2 * time.Second
	// maxMinuteWaits is the number of windows in a row after which a refused call fails, because
	// others use the whole quota.
	maxMinuteWaits = 30
	// unlimited is the value of a limit that is not set, and of a remainder that is not known.
	unlimited = math.MaxInt
)

// pacer uses all calls of a window and then waits for the next window. So a run is as fast as the
// quota allows, and no call is refused. The windows of the API are fixed, not sliding
// (https://developer.staxbill.com/reference/rate-limits).
//
// It allows as many calls as the service last reported as remaining, less the calls under way,
// which that report may not include. These are never too many while nobody else uses the account. A
// window that follows one with a known limit begins with the whole limit. The first call of each
// window is sent alone, until its answer proves that the service has begun that window.
type pacer struct {
	ownLimit int // the client's own limit of calls per minute
	logger   *slog.Logger
	mask     mask

	mu       sync.Mutex
	clock    serverClock
	limit    int // the account's limit of calls per minute
	window   window
	before   window // the previous window
	inFlight int
	reserved int // the number of calls that are kept for Reservations
	// reservedBriefly is the same for reservations that are used at once.
	reservedBriefly int
	today           *RateLimitError // the refusal by the limit of the day, until the day ends
	dayEnd          time.Time       // by our clock
	changed         chan struct{}   // closed and replaced to wake waiting calls
}

// window has the known facts about one minute of the service.
type window struct {
	// start is when the client assumed that it began, by our clock; zero once an answer has
	// reported its end.
	start time.Time
	end   time.Time // by our clock
	// reset is when it ends, by the service's clock. Until an answer has reported it, it is a time
	// between the end of the window before and its own, which is enough to distinguish answers
	// about the two.
	reset     time.Time
	remaining int       // the lowest number that an answer has reported, because older answers may arrive later
	done      int       // the number of calls of this client that ended in it
	silent    int       // the number of these without a report, so remaining may not include them
	silentAt  time.Time // when the last of them ended
	refused   bool      // a 429 has set its end
	logged    bool      // a log record reports that calls wait for its end
	isProved  bool      // an answer is about it
	underWay  int       // the number of calls under way that were sent in it
}

func newPacer(s settings) *pacer {
	p := &pacer{ownLimit: unlimited, logger: s.logger, mask: s.mask, limit: unlimited, changed: make(chan struct{})}
	if s.requestsPerMinute > 0 {
		p.ownLimit = s.requestsPerMinute
	}
	return p
}

// wait waits until a call may be sent. Then the caller sends it and reports its end to answered.
// After an error, which is that of the context or a [RateLimitError] of the day, the caller must
// not send it.
func (p *pacer) wait(ctx context.Context) error {
	for waited := false; ; waited = true {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, err := p.take(ctx, time.Now())
		if err != nil {
			return err
		}
		if t.taken {
			if waited {
				p.logger.DebugContext(ctx, "the wait for the rate limit is over")
			}
			return nil
		}
		if t.reason != "" {
			p.logger.InfoContext(ctx, "waiting for the rate limit", slog.String("reason", t.reason),
				slog.Duration("wait", time.Until(t.until).Round(time.Millisecond)), slog.Time("until", t.until))
		}
		if err := sleep(ctx, t.until, t.changed); err != nil {
			return err
		}
	}
}

// turn is the permission of a call, or how long to wait for it.
type turn struct {
	taken   bool
	until   time.Time       // when to try again
	changed <-chan struct{} // or try again when it is closed
	reason  string          // of a wait that should be logged
}

// take allows one call of the window, or returns how long to wait.
func (p *pacer) take(ctx context.Context, now time.Time) (turn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.today != nil && now.Before(p.dayEnd) {
		return turn{}, p.today // The call would certainly fail, so it is not made.
	}
	p.today = nil
	w := &p.window
	if !now.Before(w.end) {
		p.before, *w = *w, p.nextWindowLocked(now)
	}
	if until, ok := w.mayProbe(now); !ok {
		return turn{until: until, changed: p.changed}, nil
	}
	if p.leftLocked() > p.reservedForOthersLocked(ctx) {
		p.useReservedLocked(ctx)
		p.inFlight++
		w.underWay++
		return turn{taken: true}, nil
	}
	t := turn{until: w.end, changed: p.changed}
	if !w.logged && p.leftLocked()+p.inFlight <= 0 && w.end.Sub(now) >= time.Second {
		w.logged = true
		t.reason = p.usedUpLocked()
	}
	return t, nil
}

// nextWindowLocked returns the window that begins when the current one ends, with the whole limit
// if it is known.
func (p *pacer) nextWindowLocked(now time.Time) window {
	next := window{start: now, end: now.Add(minuteWindow), reset: p.window.reset, remaining: p.limit}
	if p.window.start.IsZero() {
		next.reset = next.reset.Add(2 * resetJitter)
	}
	// If nothing was reported or refused, as many calls as before may probe at the same time. The
	// service may already have counted a call in this window that ended shortly before, without an
	// answer.
	if p.window.remaining == unlimited || p.window.silentAt.Add(clockPrecision).After(p.window.end) {
		next.silent, next.silentAt = p.window.silent, p.window.silentAt
	}
	return next
}

// mayProbe reports whether a call may be sent before an answer has proved that the window has
// begun. Otherwise it returns the time to try again. The first call of a window is sent alone,
// because the clock that counts calls may be behind, and one refusal shows that as well as many.
// One more call may be sent for each that ended without an answer and for each resetSlack that has
// passed, so one slow call does not block all others.
func (w *window) mayProbe(now time.Time) (time.Time, bool) {
	if w.isProved || w.start.IsZero() {
		return time.Time{}, true
	}
	waits := int(now.Sub(w.start) / resetSlack)
	next := w.start.Add(time.Duration(waits+1) * resetSlack)
	if next.After(w.end) {
		next = w.end
	}
	return next, w.underWay <= w.silent+waits
}

// leftLocked returns the number of calls that may be sent now.
func (p *pacer) leftLocked() int {
	w := &p.window
	return min(w.remaining-w.silent, p.allowedLocked()-w.done) - p.inFlight
}

// allowedLocked returns the number of calls per minute that the account and the client's own limit
// allow.
func (p *pacer) allowedLocked() int { return min(p.limit, p.ownLimit) }

// usedUpLocked returns the name of the limit that is used up, for a log record.
func (p *pacer) usedUpLocked() string {
	if p.ownLimit <= p.window.done {
		return fmt.Sprintf("the %d calls per minute that this client allows itself are used up", p.ownLimit)
	}
	return "the account's calls of this minute are used up"
}

// answered records the end of a call that wait allowed: its answer, or nil and whether the call was
// never sent. For a 429 it returns the limit that was reached.
func (p *pacer) answered(sent time.Time, resp *http.Response, unsent bool) *RateLimitError {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.wakeAllLocked()
	p.inFlight--
	if !sent.Before(p.window.start) {
		p.window.underWay = max(p.window.underWay-1, 0)
	}
	a := answer{sent: sent, arrived: time.Now()}
	if resp == nil {
		p.hearNothingLocked(a, unsent)
		return nil
	}
	a.date = a.arrived
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		a.date = date
		p.clock.observe(date, a.sent, a.arrived)
	}
	q := quotaOf(resp.Header, Minute, a)
	if !q.reset.IsZero() {
		p.clock.observeReset(q.reset, a.sent, a.arrived)
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return p.refuseLocked(a, resp)
	}
	p.learnLocked(a, q)
	return nil
}

// wakeAllLocked wakes all waiting calls.
func (p *pacer) wakeAllLocked() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// hearNothingLocked records a call that ended without a report on the quota. The service may have
// counted it, unless it was never sent.
func (p *pacer) hearNothingLocked(a answer, unsent bool) {
	w := &p.window
	if !unsent {
		w.done++
	}
	if !unsent || w.remaining == unlimited {
		w.silent++
		w.silentAt = a.arrived
	}
}

// learnLocked records the report of an answer on its window, and reports whether that is the
// current window.
func (p *pacer) learnLocked(a answer, q quota) bool {
	w := &p.window
	if w.precedes(a, q) && !a.sent.Before(w.start) && !w.start.IsZero() {
		*w = p.before // The service has not begun this window yet.
		w.end = p.clock.local(q.reset)
	}
	if w.precedes(a, q) {
		return false
	}
	w.isProved = true
	if q.limit > 0 {
		p.limit = q.limit
	} else if q.remaining == unknown {
		p.hearNothingLocked(a, false)
		return true
	}
	if q.reset.After(w.reset.Add(resetJitter)) {
		if w.start.IsZero() { // This window is over earlier than expected.
			*w = window{remaining: p.limit, silent: w.silent, silentAt: w.silentAt}
		}
		w.start, w.reset = time.Time{}, q.reset
	}
	if !q.reset.IsZero() && !w.refused {
		w.end = p.clock.local(q.reset) // Each answer makes the clock more exact.
	}
	w.done++
	w.remaining = min(w.remaining, p.limit)
	if q.remaining != unknown {
		w.remaining = min(w.remaining, q.remaining)
	}
	if !a.sent.Before(w.silentAt) {
		w.silent = 0 // This answer counts them, if the service did.
	}
	return true
}

// precedes reports whether an answer is about the previous window.
func (w *window) precedes(a answer, q quota) bool {
	if q.reset.IsZero() {
		return a.sent.Before(w.start)
	}
	return q.reset.Before(w.reset.Add(-resetJitter))
}

// refuseLocked records a 429.
func (p *pacer) refuseLocked(a answer, resp *http.Response) *RateLimitError {
	apiErr := newAPIError(resp, answerOf(resp).all, p.mask)
	hit := refusedWindow(resp.Header, apiErr)
	q := quotaOf(resp.Header, hit, a)
	refusal := &RateLimitError{Window: hit, Limit: max(q.limit, 0), Reset: q.reset, Err: apiErr}
	if hit == Day {
		p.today, p.dayEnd = refusal, p.refusalEndLocked(a, q, resp.Header, dayWindow)
		return refusal
	}
	w := &p.window
	q.remaining = 0
	late := !p.learnLocked(a, q) && (w.start.IsZero() || a.sent.Before(w.start))
	if !late { // A late refusal is about the previous window, and this window has calls left.
		w.remaining, w.refused = 0, true
		w.end = p.refusalEndLocked(a, q, resp.Header, minuteWindow)
	}
	return refusal
}

// refusalEndLocked returns the time, by our clock, when calls may be sent again after a refusal.
// That is at most two lengths of the window later, even where the service asks for more: no window
// lasts longer, another refusal costs only one call, and a wait for years would look like a hang.
func (p *pacer) refusalEndLocked(a answer, q quota, header http.Header, length time.Duration) time.Time {
	end := a.arrived.Add(length)
	if wait, ok := retryAfter(header, a.date); ok {
		end = a.arrived.Add(min(wait, 2*length))
	} else if !q.reset.IsZero() {
		end = p.clock.local(q.reset)
	}
	if earliest := a.sent.Add(resetSlack); end.Before(earliest) {
		return earliest
	}
	return end
}

// sleep waits until a time or until changed is closed. It returns an error if the context ends
// first.
func sleep(ctx context.Context, until time.Time, changed <-chan struct{}) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	case <-changed:
	}
	return nil
}

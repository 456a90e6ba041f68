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
	// minuteWindow and dayWindow are the windows' lengths, for when the service doesn't say when one ends.
	minuteWindow = time.Minute
	dayWindow    = 24 * time.Hour
	// resetJitter is how far apart two answers may put the end of one window: a service may round it, or work it out anew
	// for each answer.
	resetJitter = time.Second
	// clockPrecision is how late we may notice the end of a window: a Date has whole seconds, and answers take their time.
	clockPrecision = 2 * time.Second
	// resetSlack is the shortest wait after a 429, also after one that came although its window should be over. It is the
	// step in which the end of a window is sought where the Date is wrong, and how late that end may then be noticed.
	resetSlack = 2 * time.Second
	// maxMinuteWaits ends a call that is refused window after window: others take the whole quota.
	maxMinuteWaits = 30
	// unlimited stands for a limit that nobody has set, and for a remainder that nobody has told.
	unlimited = math.MaxInt
)

// pacer spends the account's calls per minute whole and then waits for the next window, so that a run is as fast as the
// account allows and no call is refused. The API's windows are fixed, not sliding (the API reference).
//
// What may be sent is what the service last said is left, less the calls under way, which it may not have counted when it
// said so. That is never too much while nobody else uses the account, grows exact as the calls under way end, and follows
// what others spend. A window that follows on one with a known limit begins whole; where nothing is known, as in a fresh
// process, one call goes alone, and its answer says what is left.
type pacer struct {
	ownLimit int // calls per minute that we allow ourselves
	logger   *slog.Logger
	mask     mask

	mu       sync.Mutex
	clock    serverClock
	limit    int // the account's calls per minute
	window   window
	before   window // the one before
	inFlight int
	today    *RateLimitError // the day's refusal, while it holds
	dayEnd   time.Time       // when it ends, by our clock
	changed  chan struct{}   // closed and made anew when waiting calls should look again
}

// window is what is known of the current minute.
type window struct {
	// start is when we took it for begun, by our clock; zero once an answer has said when it ends.
	start time.Time
	end   time.Time // by our clock
	// reset is when it ends, by the service's clock. Until an answer has said so, it lies between the end of the window
	// before and its own, which is enough to tell answers of the two apart.
	reset     time.Time
	remaining int       // the least that an answer has told: an older one never raises it
	done      int       // our calls that ended in it
	silent    int       // those of them whose answer, if any, said nothing, so that remaining may not count them
	silentAt  time.Time // when the last of them ended
	refused   bool      // a 429 has set its end
	logged    bool      // that calls wait for its end
	isProved  bool      // an answer is about it
	probes    int       // the calls under way that were sent before one proved it
}

func newPacer(s settings) *pacer {
	p := &pacer{ownLimit: unlimited, logger: s.logger, mask: s.mask, limit: unlimited, changed: make(chan struct{})}
	if s.requestsPerMinute > 0 {
		p.ownLimit = s.requestsPerMinute
	}
	return p
}

// wait returns when a call may be sent; the caller then sends it and reports the end to answered. An error is the
// context's or the day's [RateLimitError], and nothing may be sent.
func (p *pacer) wait(ctx context.Context) error {
	for waited := false; ; waited = true {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, err := p.take(time.Now())
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

// turn is a call's turn, taken or to be waited for.
type turn struct {
	taken   bool
	until   time.Time       // look again then
	changed <-chan struct{} // or when it is closed
	reason  string          // of a wait that should be announced
}

// take takes one call of the window, or says how long to wait.
func (p *pacer) take(now time.Time) (turn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.today != nil && now.Before(p.dayEnd) {
		return turn{}, p.today // A call that is certain to fail isn't made.
	}
	p.today = nil
	w := &p.window
	if !now.Before(w.end) {
		p.before, *w = *w, p.nextWindow(now)
	}
	if until, ok := w.mayProbe(now); !ok {
		return turn{until: until, changed: p.changed}, nil
	}
	if p.left() > 0 {
		p.inFlight++
		w.probes++
		return turn{taken: true}, nil
	}
	t := turn{until: w.end, changed: p.changed}
	if !w.logged && p.left()+p.inFlight <= 0 && w.end.Sub(now) >= time.Second {
		w.logged = true
		t.reason = p.usedUp()
	}
	return t, nil
}

// nextWindow is the window that begins when the current one ends: whole, where the limit is known.
func (p *pacer) nextWindow(now time.Time) window {
	next := window{start: now, end: now.Add(minuteWindow), reset: p.window.reset, remaining: p.limit}
	if p.window.start.IsZero() {
		next.reset = next.reset.Add(2 * resetJitter)
	}
	// Where nothing has been told or refused, as many as before may ask side by side. And what ended without a word so
	// shortly before may have been counted in this window already.
	if p.window.remaining == unlimited || p.window.silentAt.Add(clockPrecision).After(p.window.end) {
		next.silent, next.silentAt = p.window.silent, p.window.silentAt
	}
	return next
}

// mayProbe reports whether a call may be sent as far as it is known that the window has begun; otherwise, when to look
// again. The first call of a window goes alone: the clock that counts may be behind, and one refusal says as much as one for
// each caller. So that no single call holds up all others, each that ends without an answer lets one more go beside it, and
// so does each wait of resetSlack.
func (w *window) mayProbe(now time.Time) (time.Time, bool) {
	if w.isProved || w.start.IsZero() {
		return time.Time{}, true
	}
	waits := int(now.Sub(w.start) / resetSlack)
	next := w.start.Add(time.Duration(waits+1) * resetSlack)
	if next.After(w.end) {
		next = w.end
	}
	return next, w.probes <= w.silent+waits
}

// left is how many calls may be sent now.
func (p *pacer) left() int {
	w := &p.window
	return min(w.remaining-w.silent, min(p.limit, p.ownLimit)-w.done) - p.inFlight
}

// usedUp says in words what left counts as used up.
func (p *pacer) usedUp() string {
	if p.ownLimit <= p.window.done {
		return fmt.Sprintf("the %d calls per minute that this client allows itself are used up", p.ownLimit)
	}
	return "the account's calls of this minute are used up"
}

// answered reports the end of a call that wait allowed: its answer, or nil and whether it was never sent. For a 429 it
// says which limit was hit.
func (p *pacer) answered(sent time.Time, resp *http.Response, unsent bool) *RateLimitError {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.wakeAll()
	p.inFlight--
	if !sent.Before(p.window.start) {
		p.window.probes = max(p.window.probes-1, 0)
	}
	a := answer{sent: sent, arrived: time.Now()}
	if resp == nil {
		p.hearNothing(a, unsent)
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
		return p.refuse(a, resp)
	}
	p.learn(a, q)
	return nil
}

// wakeAll lets waiting calls look again.
func (p *pacer) wakeAll() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// hearNothing takes in a call that ended without a word on the quota. The service may have counted it all the same,
// unless it was never sent.
func (p *pacer) hearNothing(a answer, unsent bool) {
	w := &p.window
	if !unsent {
		w.done++
	}
	if !unsent || w.remaining == unlimited {
		w.silent++
		w.silentAt = a.arrived
	}
}

// learn takes in what an answer says of the minute, and reports whether it is about the current one.
func (p *pacer) learn(a answer, q quota) bool {
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
		p.hearNothing(a, false)
		return true
	}
	if q.reset.After(w.reset.Add(resetJitter)) {
		if w.start.IsZero() { // This one is over, earlier than we knew.
			*w = window{remaining: p.limit, silent: w.silent, silentAt: w.silentAt}
		}
		w.start, w.reset = time.Time{}, q.reset
	}
	if !q.reset.IsZero() && !w.refused {
		w.end = p.clock.local(q.reset) // Anew with each answer: the clock is known better and better.
	}
	w.done++
	w.remaining = min(w.remaining, p.limit)
	if q.remaining != unknown {
		w.remaining = min(w.remaining, q.remaining)
	}
	if !a.sent.Before(w.silentAt) {
		w.silent = 0 // Whatever had become of them, this answer counts them.
	}
	return true
}

// precedes says whether an answer is about the window before: it comes late.
func (w *window) precedes(a answer, q quota) bool {
	if q.reset.IsZero() {
		return a.sent.Before(w.start)
	}
	return q.reset.Before(w.reset.Add(-resetJitter))
}

// refuse takes in a 429.
func (p *pacer) refuse(a answer, resp *http.Response) *RateLimitError {
	apiErr := newAPIError(resp, answerOf(resp).all, p.mask)
	hit := refusedWindow(resp.Header, apiErr)
	q := quotaOf(resp.Header, hit, a)
	refusal := &RateLimitError{Window: hit, Limit: max(q.limit, 0), Reset: q.reset, Err: apiErr}
	if hit == Day {
		p.today, p.dayEnd = refusal, p.refusalEnd(a, q, resp.Header, dayWindow)
		return refusal
	}
	w := &p.window
	q.remaining = 0
	late := !p.learn(a, q) && (w.start.IsZero() || a.sent.Before(w.start))
	if !late { // A late one is about the window before, and this one has calls left.
		w.remaining, w.refused = 0, true
		w.end = p.refusalEnd(a, q, resp.Header, minuteWindow)
	}
	return refusal
}

// refusalEnd says when calls that were refused may be sent again, by our clock. Whatever is asked for, that is within twice the
// window's length: no window lasts longer than once, and asking again costs one call, while a wait for years looks like a hang.
func (p *pacer) refusalEnd(a answer, q quota, header http.Header, length time.Duration) time.Time {
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

// sleep returns at a time, when changed is closed, or with the context's error.
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

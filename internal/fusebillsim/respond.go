package fusebillsim

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxBody bounds a request's body, in bytes.
const maxBody = 1 << 20

// errDropped is the outcome of a call whose connection a fault dropped.
var errDropped = fmt.Errorf("fusebillsim: connection dropped by a fault: %w", io.ErrUnexpectedEOF)

// call is one request on its way through the simulator.
type call struct {
	*http.Request
	route    Route
	pathID   string // the customer ID in the path, as it was sent
	body     []byte
	behavior *Behavior
	faults   []activeFault
	entry    *Request // its record among the calls, or nil
	rates    rates    // as they were when the call was counted
}

// respond handles a call and returns its answer, or an error if the connection must be dropped. It
// may change r, but nothing that r shares with its original.
func (s *Simulator) respond(r *http.Request) (*answer, error) {
	s.pending.add()
	defer s.pending.done()
	c, err := s.receive(r)
	if err != nil {
		return nil, err
	}
	if err := c.before(); err != nil {
		if delay := c.behavior.AbandonedWriteDelay; delay > 0 && c.route.writes() {
			s.processLater(c, delay)
		}
		return nil, err
	}
	a, err := s.process(c)
	if err != nil {
		return nil, err
	}
	if a, err = c.after(a); err != nil {
		return nil, err
	}
	if err := wait(c.Context(), c.behavior.Latency); err != nil {
		return nil, err
	}
	if err := s.finish(c, a); err != nil {
		return nil, err
	}
	return a, nil
}

// receive reads and counts a request, and finds the faults that it meets.
func (s *Simulator) receive(r *http.Request) (*call, error) {
	c := &call{Request: r, behavior: s.behavior.Load()}
	c.route, c.pathID = routeOf(r)
	if r.Body != nil {
		var err error
		if c.body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1)); err != nil {
			return nil, fmt.Errorf("fusebillsim: reading the request body: %w", err)
		}
	}
	c.entry = s.calls.add(c, s.hasKey(r))
	c.faults = s.injections.due(c)
	return c, nil
}

// process checks a call in the order in which the service does, and handles it.
func (s *Simulator) process(c *call) (*answer, error) {
	c.rates = s.limiter.peek(time.Now())
	if c.route == RouteUnknown {
		return noSuchRoute(c), nil
	}
	if a := c.refuse(); a != nil {
		return a, nil
	}
	if limit := c.behavior.MaxURLLength; limit > 0 && len(c.URL.RequestURI()) > limit {
		return errorAnswer(http.StatusRequestURITooLong, "The request URL is too long."), nil
	}
	if a := s.refuseKey(c); a != nil {
		return a, nil
	}
	var refused period
	if c.rates, refused = s.limiter.take(time.Now()); refused != "" {
		s.calls.addRateLimited()
		return c.rateLimited(refused), nil
	}
	if a, err := c.fail(); a != nil || err != nil {
		return a, err
	}
	return s.handle(c), nil
}

func (s *Simulator) handle(c *call) *answer {
	switch c.route {
	case RouteLatch:
		return s.latch(c)
	case RouteUnlatch:
		return s.unlatch(c)
	case RouteUpdate:
		return s.update(c)
	case RouteCustomer:
		return s.customer(c)
	default:
		return s.customers(c)
	}
}

// finish completes the headers, compresses the body and records the outcome.
func (s *Simulator) finish(c *call, a *answer) error {
	a.header.Set("Date", time.Now().Add(c.behavior.DateAhead).UTC().Format(http.TimeFormat))
	if !a.foreign && !c.behavior.OmitRateHeaders {
		c.rates.setHeaders(a.header, c.behavior.ResetFormat)
	}
	if acceptsGzip(c.Header) && c.behavior.compresses(len(a.body)) {
		compressed, err := s.gzip.compress(a.body)
		if err != nil {
			return err
		}
		a.body = compressed
		a.header.Set("Content-Encoding", "gzip")
	}
	if a.status != http.StatusNoContent { // RFC 9110 section 8.6 forbids it there.
		a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	s.calls.setStatus(c.entry, a.status)
	return nil
}

// rateLimited returns the 429 for a window that is used up. The rates of the call must already show
// that.
func (c *call) rateLimited(p period) *answer {
	r := c.rates.of(p)
	a := errorAnswer(http.StatusTooManyRequests,
		cmp.Or(c.behavior.RateLimitText, fmt.Sprintf("The limit of %d API calls per %s is exceeded.", r.limit, p)))
	if c.behavior.RetryAfter {
		a.header.Set("Retry-After", secondsUntil(r.reset))
	}
	return a
}

// rewind resets the body of the request to its beginning, for code that may read it.
func (c *call) rewind() *http.Request {
	c.Body = io.NopCloser(bytes.NewReader(c.body))
	return c.Request
}

// wait returns after d, or with the context's cause once that ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

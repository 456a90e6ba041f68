package fusebillsim

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// SpendQuota counts n calls of another user of the account toward the current minute and day.
func (s *Simulator) SpendQuota(n int) {
	s.limiter.spend(time.Now(), n)
}

// ResetFormat is a format of the X-Rate-Limit-Reset headers. The API reference
// (https://developer.staxbill.com/reference/rate-limits) calls their value a timestamp, without a
// format.
type ResetFormat int

const (
	// ResetRFC3339 is "2026-01-02T15:04:00Z", with a fraction where one is needed.
	ResetRFC3339 ResetFormat = iota
	// ResetHTTPDate is "Fri, 02 Jan 2026 15:04:00 GMT".
	ResetHTTPDate
	// ResetDotNet is "01/02/2026 15:04:00", in UTC.
	ResetDotNet
	// ResetDotNetAMPM is "01/02/2026 03:04:00 PM", in UTC.
	ResetDotNetAMPM
	// ResetDotNetOffset is "01/02/2026 10:04:00 -05:00".
	ResetDotNetOffset
	// ResetDotNetAMPMOffset is "01/02/2026 10:04:00 AM -05:00".
	ResetDotNetAMPMOffset
	// ResetUniversal is "2026-01-02 15:04:00Z", .NET's format "u".
	ResetUniversal
	// ResetDateTime is "2026-01-02 15:04:00", in UTC.
	ResetDateTime
	// ResetEpoch is the seconds since 1970, "1767366240".
	ResetEpoch
	// ResetEpochMillis is the milliseconds since 1970, "1767366240000".
	ResetEpochMillis
	// ResetMalformed is a text that is no time.
	ResetMalformed
	// ResetAbsent leaves the two headers out.
	ResetAbsent
)

// layouts are the formats that package time can write. Those with an offset are in a zone that is
// not UTC, so a client that ignores the offset is wrong by hours.
var layouts = map[ResetFormat]string{
	ResetHTTPDate:         http.TimeFormat,
	ResetDotNet:           "01/02/2006 15:04:05",
	ResetDotNetAMPM:       "01/02/2006 03:04:05 PM",
	ResetDotNetOffset:     "01/02/2006 15:04:05 -07:00",
	ResetDotNetAMPMOffset: "01/02/2006 03:04:05 PM -07:00",
	ResetUniversal:        "2006-01-02 15:04:05Z",
	ResetDateTime:         time.DateTime,
}

func (f ResetFormat) format(t time.Time) string {
	t = t.UTC()
	switch f {
	case ResetRFC3339:
		return t.Format(time.RFC3339Nano)
	case ResetEpoch:
		return strconv.FormatInt(ceilSecond(t).Unix(), 10)
	case ResetEpochMillis:
		return strconv.FormatInt(t.Add(time.Millisecond-1).UnixMilli(), 10)
	case ResetMalformed:
		return "next window"
	case ResetDotNetOffset, ResetDotNetAMPMOffset:
		t = t.In(time.FixedZone("", -5*60*60))
	}
	return ceilSecond(t).Format(layouts[f])
}

// ceilSecond rounds a time up, so a format without fractions never shows a time before the start of
// the window.
func ceilSecond(t time.Time) time.Time {
	return t.Add(time.Second - 1).Truncate(time.Second)
}

// period is the name of a rate limit window in the service's 429.
type period string

const (
	perMinute period = "minute"
	perDay    period = "day"
)

// limiter counts calls in fixed windows.
type limiter struct {
	mu          sync.Mutex
	minute, day window
}

// take counts a call and returns the rates after it. If a window is used up, it does not count the
// call, and returns that window.
func (l *limiter) take(now time.Time) (rates, period) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance(now)
	switch {
	case l.day.remaining() == 0:
		return l.rates(), perDay
	case l.minute.remaining() == 0:
		return l.rates(), perMinute
	}
	l.minute.used++
	l.day.used++
	return l.rates(), ""
}

// peek returns the rates without counting a call.
func (l *limiter) peek(now time.Time) rates {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance(now)
	return l.rates()
}

func (l *limiter) spend(now time.Time, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance(now)
	l.minute.used += n
	l.day.used += n
}

func (l *limiter) advance(now time.Time) {
	l.minute.advance(now)
	l.day.advance(now)
}

func (l *limiter) rates() rates {
	return rates{minute: l.minute.rate(), day: l.day.rate()}
}

// window is a fixed window, aligned to multiples of its length.
type window struct {
	limit  int
	length time.Duration
	start  time.Time
	used   int
}

// advance begins a new window if the current one has ended. A clock that is set back does not begin
// a window.
func (w *window) advance(now time.Time) {
	if start := now.Truncate(w.length); start.After(w.start) {
		w.start, w.used = start, 0
	}
}

func (w *window) remaining() int {
	return max(0, w.limit-w.used)
}

func (w *window) rate() rate {
	return rate{limit: w.limit, remaining: w.remaining(), reset: w.start.Add(w.length)}
}

// rate is the state of one window for the headers.
type rate struct {
	limit, remaining int
	reset            time.Time // when the next window starts
}

// rates is the state of both windows at one time.
type rates struct {
	minute, day rate
}

// of returns the rate of one window.
func (r *rates) of(p period) *rate {
	if p == perDay {
		return &r.day
	}
	return &r.minute
}

func (r *rates) setHeaders(h http.Header, f ResetFormat) {
	r.minute.setHeaders(h, "Minute", f)
	r.day.setHeaders(h, "Day", f)
}

func (r *rate) setHeaders(h http.Header, suffix string, f ResetFormat) {
	h.Set("X-Rate-Limit-Limit-"+suffix, strconv.Itoa(r.limit))
	h.Set("X-Rate-Limit-Remaining-"+suffix, strconv.Itoa(r.remaining))
	if f != ResetAbsent {
		h.Set("X-Rate-Limit-Reset-"+suffix, f.format(r.reset))
	}
}

// secondsUntil returns the whole seconds to wait until t, rounded up.
func secondsUntil(t time.Time) string {
	seconds := (time.Until(t) + time.Second - 1) / time.Second
	return strconv.FormatInt(max(0, int64(seconds)), 10)
}

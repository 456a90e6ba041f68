package fusebill

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// unknown is the value of a number that the service did not report. It is not 0, which means that
// no call is left.
const unknown = -1

// clockDifference is the largest time by which the clock that counts calls may be behind the clock
// of the Date header.
const clockDifference = 10 * time.Second

// answer has the times at which a call was sent and answered, by our clock, and the Date of the
// answer, or our clock where it has none.
type answer struct {
	sent, arrived, date time.Time
}

// quota is the report of the headers of an answer on one window.
type quota struct {
	limit     int       // unknown if not reported
	remaining int       // unknown if not reported
	reset     time.Time // by the service's clock; zero if not reported, not understood or impossible
}

// quotaOf reads the X-Rate-Limit headers of one window, which every answer of the API has
// (https://developer.staxbill.com/reference/rate-limits).
func quotaOf(header http.Header, window RateLimitWindow, a answer) quota {
	suffix, length := "Minute", minuteWindow
	if window == Day {
		suffix, length = "Day", dayWindow
	}
	q := quota{
		limit:     headerInt(header, "X-Rate-Limit-Limit-"+suffix, unknown),
		remaining: headerInt(header, "X-Rate-Limit-Remaining-"+suffix, unknown),
	}
	reset, ok := parseTimestamp(header.Get("X-Rate-Limit-Reset-" + suffix))
	// The service counted the call after it was sent, in a window that ended later, within its
	// length. A slow answer may arrive after the reset that it reports. The clocks of the service's
	// machines may differ a little, and ours may differ more from them.
	counted := a.date.Add(-a.arrived.Sub(a.sent))
	if ok && !reset.Before(counted.Add(-clockDifference)) && !reset.After(a.date.Add(2*length)) {
		q.reset = reset
	}
	return q
}

// retryAfter reads a Retry-After header, in seconds or as a date. Both date and such a date are by
// the service's clock.
func retryAfter(header http.Header, date time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil { // 31 bits are 68 years, which a Duration holds.
		return time.Duration(seconds) * time.Second, true
	}
	if t, err := http.ParseTime(text); err == nil {
		return max(t.Sub(date), 0), true
	}
	return 0, false
}

// refusedWindow returns the limit that a 429 is about. The headers decide where they can, and the
// service's words only where no header does. In doubt it is the limit of the minute, because
// waiting helps only with that.
func refusedWindow(header http.Header, apiErr *APIError) RateLimitWindow {
	minute := headerInt(header, "X-Rate-Limit-Remaining-Minute", unknown)
	day := headerInt(header, "X-Rate-Limit-Remaining-Day", unknown)
	switch {
	case day == 0 && minute != 0:
		return Day
	case day > 0 || day == unknown && minute == 0:
		return Minute
	}
	var hasMinute, hasDay bool
	for word := range strings.FieldsFuncSeq(strings.ToLower(strings.Join(apiErr.Messages, " ")), isNoLetter) {
		hasMinute = hasMinute || word == "minute" || word == "minutes"
		hasDay = hasDay || word == "day" || word == "days" || word == "daily"
	}
	if hasDay && !hasMinute {
		return Day
	}
	return Minute
}

func isNoLetter(r rune) bool { return !unicode.IsLetter(r) }

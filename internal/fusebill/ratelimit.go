package fusebill

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// unknown stands for a number that the service did not report. It is not 0, which means that
// nothing is left.
const unknown = -1

// clockDifference is how far the clock that counts calls may be behind the clock of the Date
// header.
const clockDifference = 10 * time.Second

// answer is when a call was sent and answered: by our clock, and by the Date of the answer (ours
// where it has none).
type answer struct {
	sent, arrived, date time.Time
}

// quota is what the headers of an answer report about one window.
type quota struct {
	limit     int       // unknown if not reported
	remaining int       // unknown if not reported
	reset     time.Time // by the service's clock; zero if not reported, not understood or impossible
}

// quotaOf reads the X-Rate-Limit headers of one window, which every answer of the API carries (the
// API reference).
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
	// length. A slow answer may come after the reset that it reports. The clocks of the service's
	// machines may differ a little, ours from theirs more.
	counted := a.date.Add(-a.arrived.Sub(a.sent))
	if ok && !reset.Before(counted.Add(-clockDifference)) && !reset.After(a.date.Add(2*length)) {
		q.reset = reset
	}
	return q
}

// retryAfter reads a Retry-After header, in seconds or as a date, which is by the service's clock
// as date is.
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

// refusedWindow decides which limit a 429 is about. The headers decide where they can; the
// service's words do only where no header does. In doubt it is the minute's, which is the one that
// waiting helps with.
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

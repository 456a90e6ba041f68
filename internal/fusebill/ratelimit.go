package fusebill

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// unknown stands for a number that the service didn't say. It isn't 0, which says that nothing is left.
const unknown = -1

// clockDifference is how far the clock that counts calls may be behind the one that dates answers.
const clockDifference = 10 * time.Second

// answer is when a call was sent and answered: by our clock, and by the service's Date (ours where it sent none).
type answer struct {
	sent, arrived, date time.Time
}

// quota is what an answer's headers say of one window.
type quota struct {
	limit     int       // unknown where not said
	remaining int       // unknown where not said
	reset     time.Time // by the service's clock; zero where not said, not understood or impossible
}

// quotaOf reads the X-Rate-Limit headers of one window, which every answer of the API carries (the API reference).
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
	// The call was counted after it was sent, and that window ended later, within its length: a slow answer may well come
	// after the reset that it tells. The clocks of the service's machines may differ a little, ours from theirs more.
	counted := a.date.Add(-a.arrived.Sub(a.sent))
	if ok && !reset.Before(counted.Add(-clockDifference)) && !reset.After(a.date.Add(2*length)) {
		q.reset = reset
	}
	return q
}

// parseTimestamp understands the forms that a .NET service may write; the API reference doesn't say which one it is.
func parseTimestamp(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds > 0 {
		return time.Unix(seconds, 0).UTC(), true
	}
	for _, layout := range []string{time.RFC3339Nano, "01/02/2006 15:04:05", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	if t, err := http.ParseTime(text); err == nil {
		return t.UTC(), true
	}
	return time.Time{}, false
}

// retryAfter reads a Retry-After header, in seconds or as a date, which is by the service's clock as date is.
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

// refusedWindow says which limit a 429 is about: the day's if the headers or the service's words say so, else the
// minute's, which is the one that waiting helps with.
func refusedWindow(header http.Header, apiErr *APIError) RateLimitWindow {
	if headerInt(header, "X-Rate-Limit-Remaining-Minute", unknown) != 0 &&
		headerInt(header, "X-Rate-Limit-Remaining-Day", unknown) == 0 {
		return Day
	}
	words := strings.ToLower(strings.Join(apiErr.Messages, " "))
	if !strings.Contains(words, "minute") && (strings.Contains(words, "day") || strings.Contains(words, "daily")) {
		return Day
	}
	return Minute
}

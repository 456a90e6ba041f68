package fusebill

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestQuotaOf(t *testing.T) {
	t.Parallel()
	// Our clock is an hour behind the service's, and the call took 10 seconds.
	a := answer{
		sent:    time.Date(2026, 1, 2, 14, 3, 20, 0, time.UTC),
		arrived: time.Date(2026, 1, 2, 14, 3, 30, 0, time.UTC),
		date:    time.Date(2026, 1, 2, 15, 3, 30, 0, time.UTC),
	}
	tests := map[string]struct {
		limit, remaining, reset         string
		wantLimit, wantRemaining, wantS int // wantS: seconds from the Date to the reset; 99: none
	}{
		"all":                    {"50", "49", "2026-01-02T15:04:00Z", 50, 49, 30},
		"none":                   {"", "", "", unknown, unknown, 99},
		"malformed":              {"many", "some", "soon", unknown, unknown, 99},
		"fraction":               {"50.0", "1e3", "", unknown, unknown, 99},
		"nothing left":           {"50", "0", "", 50, 0, 99},
		"white space":            {" 50 ", " 49 ", " 2026-01-02T15:04:00Z ", 50, 49, 30},
		"while under way":        {"50", "0", "2026-01-02T15:03:20Z", 50, 0, -10},
		"before it was sent":     {"50", "0", "2026-01-02T15:03:09Z", 50, 0, 99},
		"by another machine":     {"50", "0", "2026-01-02T15:03:10Z", 50, 0, -20},
		"at once":                {"50", "0", "2026-01-02T15:03:30Z", 50, 0, 0},
		"as far as clocks allow": {"50", "0", "2026-01-02T15:05:00Z", 50, 0, 90},
		"too far":                {"50", "0", "2026-01-02T15:06:00Z", 50, 0, 99},
		"by our clock":           {"50", "0", "2026-01-02T14:04:00Z", 50, 0, 99},
		"milliseconds":           {"50", "0", "1767366240000", 50, 0, 30},
		"with AM or PM":          {"50", "0", "1/2/2026 3:04:00 PM", 50, 0, 30},
		"the beginning of time":  {"50", "0", "0001-01-01T00:00:00Z", 50, 0, 99},
	}
	for name, test := range tests {
		for window, suffix := range map[RateLimitWindow]string{Minute: "-Minute", Day: "-Day"} {
			header := http.Header{}
			header.Set("X-Rate-Limit-Limit"+suffix, test.limit)
			header.Set("X-Rate-Limit-Remaining"+suffix, test.remaining)
			header.Set("X-Rate-Limit-Reset"+suffix, test.reset)
			got := quotaOf(header, window, a)
			want := quota{limit: test.wantLimit, remaining: test.wantRemaining}
			if test.wantS != 99 {
				want.reset = a.date.Add(time.Duration(test.wantS) * time.Second)
			}
			if name == "too far" && window == Day {
				want.reset = a.date.Add(150 * time.Second)
			}
			if got != want {
				t.Errorf("%s%s: got %+v, want %+v", name, suffix, got, want)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 1, 2, 15, 3, 30, 0, time.UTC)
	for text, want := range map[string]time.Duration{ // -1: none
		"0": 0, "30": 30 * time.Second, " 30 ": 30 * time.Second, "86400": 24 * time.Hour,
		"Fri, 02 Jan 2026 15:04:00 GMT": 30 * time.Second, "Fri, 02 Jan 2026 15:03:00 GMT": 0,
		"": -1, "-5": -1, "+5": -1, "1.5": -1, "soon": -1, "99999999999": -1, "99999999999999999999": -1,
	} {
		got, ok := retryAfter(http.Header{"Retry-After": {text}}, date)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %s, %v", text, got, ok)
		}
	}
}

func TestRefusedWindow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		minute, day, words string
		want               RateLimitWindow
	}{
		{"0", "100", "", Minute},
		{"0", "100", "The limit of 50 API calls per minute is exceeded.", Minute},
		{"5", "0", "", Day},
		{"", "0", "", Day},
		{"0", "0", "", Minute}, // The one that waiting helps with.
		{"0", "0", "The limit of 5000 API calls per day is exceeded.", Day},
		{"0", "0", "Try again today, or on Monday", Minute},
		{"0", "", "The limit of calls per day is exceeded.", Minute}, // The headers decide.
		{"0", "100", "The limit of calls per day is exceeded.", Minute},
		{"5", "100", "The limit of calls per day is exceeded.", Minute},
		{"5", "", "The limit of calls per day is exceeded.", Day},
		{"", "0", "The limit of 50 API calls per minute is exceeded.", Day},
		{"", "", "DAILY limit exceeded", Day},
		{"", "", "The day's limit is exceeded", Day},
		{"", "", "Too many requests today", Minute},
		{"", "", "Too many requests until Monday", Minute},
		{"", "", "Limit exceeded: 50 a minute, 5000 a day", Minute},
		{"", "", "Too many requests", Minute},
		{"", "", "", Minute},
	}
	for _, test := range tests {
		header := http.Header{}
		header.Set("X-Rate-Limit-Remaining-Minute", test.minute)
		header.Set("X-Rate-Limit-Remaining-Day", test.day)
		if got := refusedWindow(header, &APIError{Messages: []string{test.words}}); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// A quota's reset is one that a window of this length can have, for any headers, and a number that
// is not plain counts as not reported.
func FuzzRateHeaders(f *testing.F) {
	for _, seed := range [][3]string{
		{"50", "49", "2000-01-01T00:01:00Z"}, {"", "", ""}, {"many", "-5", "next window"}, {"0", "0", "946684860"},
		{"9223372036854775808", "+7", "Sat, 01 Jan 2000 00:00:59 GMT"}, {"50", "0", "1999-12-31T23:59:59Z"},
	} {
		f.Add(seed[0], seed[1], seed[2], uint16(200))
	}
	f.Fuzz(func(t *testing.T, limit, remaining, reset string, took uint16) {
		date := time.Date(2000, 1, 1, 0, 0, 30, 0, time.UTC)
		a := answer{sent: date.Add(-time.Duration(took) * time.Millisecond), arrived: date, date: date}
		header := http.Header{}
		header.Set("X-Rate-Limit-Limit-Minute", limit)
		header.Set("X-Rate-Limit-Remaining-Minute", remaining)
		header.Set("X-Rate-Limit-Reset-Minute", reset)
		q := quotaOf(header, Minute, a)
		if !q.reset.IsZero() && (q.reset.Before(a.sent.Add(-clockDifference)) ||
			q.reset.After(date.Add(2*time.Minute))) {
			t.Errorf("reset %s", q.reset)
		}
		for text, n := range map[string]int{limit: q.limit, remaining: q.remaining} {
			if plain, err := strconv.Atoi(text); err == nil && limit != remaining && n != plain {
				t.Errorf("%q became %d", text, n)
			}
		}
		// No answer blocks the pacer for good: after two minutes at most, a call may go.
		p := newPacer(settings{})
		if _, err := p.take(t.Context(), a.sent); err != nil {
			t.Fatal(err)
		}
		p.inFlight--
		p.learnLocked(a, q)
		for _, at := range []time.Duration{0, 2*time.Minute + time.Second} {
			if turn, _ := p.take(t.Context(), date.Add(at)); turn.taken {
				return
			}
		}
		t.Errorf("blocked by %+v: %+v", q, p.window)
	})
}

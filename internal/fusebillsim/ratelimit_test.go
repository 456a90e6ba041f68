package fusebillsim

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rateHeaders returns limit, remaining and reset of a window.
func rateHeaders(h http.Header, window string) [3]string {
	return [3]string{
		h.Get("X-Rate-Limit-Limit-" + window),
		h.Get("X-Rate-Limit-Remaining-" + window),
		h.Get("X-Rate-Limit-Reset-" + window),
	}
}

func TestMinuteWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // starts at 2000-01-01 00:00:00
		s := newTest(t, Config{LimitMinute: 2, LimitDay: 100})
		time.Sleep(59 * time.Second)
		steps := []struct {
			at, remaining, day, reset string
			status                    int
		}{
			{"00:00:59", "1", "99", "2000-01-01T00:01:00Z", 200},
			{"00:00:59", "0", "98", "2000-01-01T00:01:00Z", 200},
			{"00:00:59", "0", "98", "2000-01-01T00:01:00Z", 429}, // refused: not counted
			{"00:00:59", "0", "98", "2000-01-01T00:01:00Z", 429},
			{"00:01:00", "1", "97", "2000-01-01T00:02:00Z", 200}, // fixed, not sliding
			{"00:01:00", "0", "96", "2000-01-01T00:02:00Z", 200},
		}
		for i, step := range steps {
			if i == 4 {
				time.Sleep(time.Second)
			}
			got := get(t, s, "customers")
			want := [3]string{"2", step.remaining, step.reset}
			if headers := rateHeaders(got.header, "Minute"); got.status != step.status || headers != want {
				t.Errorf("step %d: status %d, headers %v; want %d, %v", i, got.status, headers, step.status, want)
			}
			want = [3]string{"100", step.day, "2000-01-02T00:00:00Z"}
			if headers := rateHeaders(got.header, "Day"); headers != want {
				t.Errorf("step %d: day headers %v, want %v", i, headers, want)
			}
			if date := got.header.Get("Date"); date != "Sat, 01 Jan 2000 "+step.at+" GMT" {
				t.Errorf("step %d: Date %q", i, date)
			}
			if got.status == 429 && !strings.Contains(got.errorText(t), "minute") {
				t.Errorf("step %d: %s", i, got.body)
			}
		}
		if s.RateLimited() != 2 {
			t.Errorf("RateLimited %d", s.RateLimited())
		}
	})
}

func TestDayWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{LimitDay: 1})
		get(t, s, "customers")
		time.Sleep(24*time.Hour - time.Nanosecond)
		got := get(t, s, "customers")
		if text := got.errorText(t); got.status != 429 || !strings.Contains(text, "day") || strings.Contains(text, "minute") {
			t.Errorf("status %d, %q", got.status, text)
		}
		time.Sleep(time.Nanosecond)
		if got := get(t, s, "customers"); got.status != 200 {
			t.Errorf("next day: status %d", got.status)
		}
	})
}

// Errors carry the headers too; what never reached the account is not counted.
func TestRateHeadersOnErrors(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{LimitDay: 100})
	noKey := newRequest(t, http.MethodGet, "customers", "")
	noKey.Header.Del("Authorization")
	steps := []struct {
		request   *http.Request
		status    int
		remaining string
	}{
		{newRequest(t, http.MethodGet, "customers/1", ""), 404, "99"},
		{newRequest(t, http.MethodPost, latchPath, ""), 400, "98"},
		{noKey, 401, "98"},
		{newRequest(t, http.MethodGet, "nowhere", ""), 404, "98"},
	}
	for _, step := range steps {
		got := send(t, s, step.request)
		if headers := rateHeaders(got.header, "Day"); got.status != step.status || headers[1] != step.remaining {
			t.Errorf("%s: status %d, headers %v; want %d, %s remaining",
				step.request.URL, got.status, headers, step.status, step.remaining)
		}
		if headers := rateHeaders(got.header, "Minute"); headers[0] == "" || headers[1] == "" || headers[2] == "" {
			t.Errorf("%s: headers %v", step.request.URL, headers)
		}
	}
	s.Configure(func(b *Behavior) { b.OmitRateHeaders = true })
	if headers := rateHeaders(get(t, s, "customers").header, "Day"); headers != [3]string{} {
		t.Errorf("headers %v, want none", headers)
	}
}

func TestSpendQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{LimitMinute: 10})
		s.SpendQuota(15)
		if got := get(t, s, "customers"); got.status != 429 || rateHeaders(got.header, "Minute")[1] != "0" {
			t.Errorf("status %d, headers %v", got.status, rateHeaders(got.header, "Minute"))
		}
		time.Sleep(time.Minute)
		if got := get(t, s, "customers"); got.status != 200 {
			t.Errorf("next minute: status %d", got.status)
		}
	})
}

func TestShortMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{LimitMinute: 1, Minute: 100 * time.Millisecond})
		got := get(t, s, "customers")
		if reset := rateHeaders(got.header, "Minute")[2]; reset != "2000-01-01T00:00:00.1Z" {
			t.Errorf("reset %s", reset)
		}
		time.Sleep(100 * time.Millisecond)
		if got := get(t, s, "customers"); got.status != 200 {
			t.Errorf("next window: status %d", got.status)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{LimitMinute: 1, Behavior: Behavior{RetryAfter: true}})
		if got := get(t, s, "customers"); got.header.Get("Retry-After") != "" {
			t.Errorf("on a 200: %v", got.header)
		}
		time.Sleep(1500 * time.Millisecond)
		if got := get(t, s, "customers"); got.header.Get("Retry-After") != "59" { // 58.5 s, rounded up
			t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
		}
		s.Configure(func(b *Behavior) { b.RetryAfter = false })
		if got := get(t, s, "customers"); got.status != 429 || got.header.Get("Retry-After") != "" {
			t.Errorf("status %d, %v", got.status, got.header)
		}
	})
}

// No format may give a time at which the next window has not started.
func TestResetFormats(t *testing.T) {
	t.Parallel()
	whole := time.Date(2026, 1, 2, 15, 4, 0, 0, time.UTC)
	for format, want := range map[ResetFormat][2]string{
		ResetRFC3339:          {"2026-01-02T15:04:00Z", "2026-01-02T15:04:00.25Z"},
		ResetHTTPDate:         {"Fri, 02 Jan 2026 15:04:00 GMT", "Fri, 02 Jan 2026 15:04:01 GMT"},
		ResetDotNet:           {"01/02/2026 15:04:00", "01/02/2026 15:04:01"},
		ResetEpoch:            {"1767366240", "1767366241"},
		ResetEpochMillis:      {"1767366240000", "1767366240250"},
		ResetDotNetAMPM:       {"01/02/2026 03:04:00 PM", "01/02/2026 03:04:01 PM"},
		ResetDotNetOffset:     {"01/02/2026 10:04:00 -05:00", "01/02/2026 10:04:01 -05:00"},
		ResetDotNetAMPMOffset: {"01/02/2026 10:04:00 AM -05:00", "01/02/2026 10:04:01 AM -05:00"},
		ResetUniversal:        {"2026-01-02 15:04:00Z", "2026-01-02 15:04:01Z"},
		ResetDateTime:         {"2026-01-02 15:04:00", "2026-01-02 15:04:01"},
		ResetMalformed:        {"next window", "next window"},
	} {
		got := [2]string{format.format(whole), format.format(whole.Add(250 * time.Millisecond))}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("format %d (-want +got):\n%s", format, diff)
		}
	}
	s := newTest(t, Config{Behavior: Behavior{ResetFormat: ResetAbsent}})
	headers := get(t, s, "customers").header
	for _, window := range []string{"Minute", "Day"} {
		if h := rateHeaders(headers, window); h[0] == "" || h[1] == "" || h[2] != "" {
			t.Errorf("absent, %s: %v", window, h)
		}
	}
}

func TestRateLimitText(t *testing.T) {
	t.Parallel()
	const text = "Too many calls; try again until Monday."
	s := newTest(t, Config{LimitMinute: 1, Behavior: Behavior{RateLimitText: text}})
	s.SpendQuota(1)
	if got := get(t, s, "customers"); got.status != 429 || got.errorText(t) != text {
		t.Errorf("status %d, %s", got.status, got.body)
	}
	s.Inject(Fault{Kind: FaultRateLimitDay})
	if got := get(t, s, "customers"); got.errorText(t) != text {
		t.Errorf("injected: %s", got.body)
	}
}

// The window ends by the clock that counts, which is behind the one of the Date header.
func TestDateAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // starts at 2000-01-01 00:00:00
		s := newTest(t, Config{LimitMinute: 1, Behavior: Behavior{DateAhead: 5 * time.Second}})
		get(t, s, "customers")
		time.Sleep(55 * time.Second)
		got := get(t, s, "customers")
		if got.status != 429 || got.header.Get("Date") != "Sat, 01 Jan 2000 00:01:00 GMT" ||
			rateHeaders(got.header, "Minute")[2] != "2000-01-01T00:01:00Z" {
			t.Errorf("status %d, %v", got.status, got.header)
		}
		time.Sleep(5 * time.Second)
		if got := get(t, s, "customers"); got.status != 200 {
			t.Errorf("next minute: status %d", got.status)
		}
	})
}

// Calls side by side must neither exceed the limit nor share a remaining count.
func TestRateLimitIsExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{LimitMinute: 50})
		var mu sync.Mutex
		remaining := make(map[int]int)
		var group sync.WaitGroup
		for range 80 {
			group.Go(func() {
				got, err := trySend(s.Transport(), newRequest(t, http.MethodGet, "customers", ""))
				if err != nil {
					t.Error(err)
				}
				if got.status == 200 {
					n, _ := strconv.Atoi(rateHeaders(got.header, "Minute")[1])
					mu.Lock()
					defer mu.Unlock()
					remaining[n]++
				}
			})
		}
		group.Wait()
		if len(remaining) != 50 || s.RateLimited() != 30 {
			t.Errorf("%d distinct counts of 50 allowed calls, %d refused", len(remaining), s.RateLimited())
		}
	})
}

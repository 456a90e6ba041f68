package fusebill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The bubbles' clock begins with a minute, and so with a window of the simulator.

// spend makes n calls by so many workers and fails if one of them does.
func spend(t *testing.T, client *Client, n, workers int) {
	t.Helper()
	todo := make(chan struct{}, n)
	for range n {
		todo <- struct{}{}
	}
	close(todo)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range todo {
				if _, err := client.Customer(t.Context(), 1); err != nil {
					t.Errorf("after %s: %v", sinceStart(), err)
				}
			}
		})
	}
	group.Wait()
}

var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func sinceStart() time.Duration { return time.Since(bubbleStart) }

// perMinute counts the calls that the service did, by minute.
func perMinute(sim *fusebillsim.Simulator) []int {
	var counts []int
	for _, request := range sim.Requests() {
		if request.Status == http.StatusTooManyRequests {
			continue
		}
		minute := int(request.Time.Sub(bubbleStart) / time.Minute)
		for len(counts) <= minute {
			counts = append(counts, 0)
		}
		counts[minute]++
	}
	return counts
}

func requireMinutes(t *testing.T, sim *fusebillsim.Simulator, want ...int) {
	t.Helper()
	if diff := cmp.Diff(want, perMinute(sim)); diff != "" {
		t.Errorf("calls per minute: %s", diff)
	}
}

// requireEnd fails unless it is so long after the bubble's start, to the second.
func requireEnd(t *testing.T, want time.Duration) {
	t.Helper()
	if got := sinceStart(); got < want || got >= want+time.Second {
		t.Errorf("it took %s, not %s", got, want)
	}
}

func TestPacerSpendsWindowsWhole(t *testing.T) {
	t.Parallel()
	tests := []struct {
		limit, workers, calls int
		latency               time.Duration
		begin                 time.Duration // in the first minute
		minutes               []int
		end                   time.Duration
	}{
		{1000, 10, 2500, 20 * time.Millisecond, 0, []int{1000, 1000, 500}, 2*time.Minute + time.Second},
		{1000, 50, 2500, 20 * time.Millisecond, 0, []int{1000, 1000, 500}, 2 * time.Minute},
		{1000, 50, 2500, 200 * time.Millisecond, 30 * time.Second, []int{1000, 1000, 500},
			2*time.Minute + 2*time.Second},
		{50, 10, 175, 20 * time.Millisecond, 0, []int{50, 50, 50, 25}, 3 * time.Minute},
		{50, 50, 175, 20 * time.Millisecond, 0, []int{50, 50, 50, 25}, 3 * time.Minute},
		{50, 10, 175, 0, 0, []int{50, 50, 50, 25}, 3 * time.Minute},
		{50, 50, 175, 20 * time.Millisecond, 29500 * time.Millisecond, []int{50, 50, 50, 25}, 3 * time.Minute},
		{10, 30, 31, 20 * time.Millisecond, 0, []int{10, 10, 10, 1}, 3 * time.Minute},
		{1, 10, 3, 20 * time.Millisecond, 0, []int{1, 1, 1}, 2 * time.Minute},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d a minute, %d workers, %s, %s", test.limit, test.workers, test.latency, test.begin),
			func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim := newSim(simConfig{LimitMinute: test.limit,
						Behavior: fusebillsim.Behavior{Latency: test.latency}})
					time.Sleep(test.begin)
					spend(t, newSimClient(t, sim), test.calls, test.workers)
					requireMinutes(t, sim, test.minutes...)
					if sim.RateLimited() != 0 {
						t.Errorf("%d calls were refused", sim.RateLimited())
					}
					// Date headers have whole seconds, so a window may be known to be over up to a
					// second late.
					if got := sinceStart(); got < test.end || got > test.end+1300*time.Millisecond {
						t.Errorf("it took %s, not %s", got, test.end)
					}
				})
			})
	}
}

func TestPacerWithOwnLimit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		behavior fusebillsim.Behavior
		own      int
		minutes  []int
	}{
		"below the account's": {fusebillsim.Behavior{}, 20, []int{20, 20, 20}},
		"above the account's": {fusebillsim.Behavior{}, 80, []int{50, 10}},
		"without headers":     {fusebillsim.Behavior{OmitRateHeaders: true}, 20, []int{20, 20, 20}},
		"without resets":      {fusebillsim.Behavior{ResetFormat: fusebillsim.ResetAbsent}, 20, []int{20, 20, 20}},
		"one":                 {fusebillsim.Behavior{}, 1, slices.Repeat([]int{1}, 60)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				records := new(logRecorder)
				test.behavior.Latency = 20 * time.Millisecond
				sim := newSim(simConfig{LimitMinute: 50, Behavior: test.behavior})
				spend(t, newSimClient(t, sim, WithRequestsPerMinute(test.own), WithLogger(slog.New(records))), 60, 10)
				requireMinutes(t, sim, test.minutes...)
				requireEnd(t, time.Duration(len(test.minutes)-1)*time.Minute)
				own := fmt.Sprintf("the %d calls per minute that this client allows itself are used up", test.own)
				if logged := len(records.with(own)); (logged > 0) != (test.own < 50) || sim.RateLimited() != 0 {
					t.Errorf("%d records of the own limit, %d calls refused", logged, sim.RateLimited())
				}
			})
		})
	}
}

func TestPacerInAHalfSpentWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 50, Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond}})
		sim.SpendQuota(38)
		time.Sleep(20 * time.Second)
		spend(t, newSimClient(t, sim), 70, 20)
		requireMinutes(t, sim, 12, 50, 8)
		requireEnd(t, 2*time.Minute)
		if sim.RateLimited() != 0 {
			t.Errorf("%d calls were refused", sim.RateLimited())
		}
	})
}

// A process that finds the window spent learns so from one refusal, not from one for each worker.
func TestPacerInASpentWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 50, Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond}})
		sim.SpendQuota(50)
		spend(t, newSimClient(t, sim, WithMaxRetries(0)), 50, 50)
		requireMinutes(t, sim, 0, 50)
		if sim.RateLimited() != 1 {
			t.Errorf("%d calls were refused", sim.RateLimited())
		}
	})
}

func TestPacerBesideAnotherClient(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(*fusebillsim.Simulator){
		"evenly": func(sim *fusebillsim.Simulator) {
			for sinceStart() < 5*time.Minute {
				sim.SpendQuota(1)
				time.Sleep(2400 * time.Millisecond)
			}
		},
		"at once, at the beginning": func(sim *fusebillsim.Simulator) {
			for sinceStart() < 5*time.Minute {
				sim.SpendQuota(25)
				time.Sleep(time.Minute)
			}
		},
		"at once, in the middle": func(sim *fusebillsim.Simulator) {
			for sinceStart() < 5*time.Minute {
				time.Sleep(300 * time.Millisecond)
				sim.SpendQuota(25)
				time.Sleep(time.Minute - 300*time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newSim(simConfig{LimitMinute: 50,
					Behavior: fusebillsim.Behavior{Latency: 200 * time.Millisecond}})
				go other(sim)
				spend(t, newSimClient(t, sim, WithMaxRetries(0)), 100, 10)
				// Half of each minute's calls are ours, and the rest of what the other one leaves.
				if got := sinceStart(); got > 4*time.Minute {
					t.Errorf("it took %s", got)
				}
				if sim.RateLimited() > 10 {
					t.Errorf("%d calls were refused", sim.RateLimited())
				}
				time.Sleep(5 * time.Minute) // The other one ends.
			})
		})
	}
}

// Somebody who takes all that there is makes calls wait, not fail, for half an hour.
func TestPacerEndsACallThatIsAlwaysRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 50})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for ctx.Err() == nil {
				sim.SpendQuota(50)
				time.Sleep(time.Minute)
			}
		}()
		time.Sleep(time.Millisecond)
		_, err := newSimClient(t, sim).Latch(t.Context(), 2, Latch{HubSpotID: 8})
		cancel()
		var rateLimit *RateLimitError
		if !errors.As(err, &rateLimit) || rateLimit.Window != Minute || rateLimit.Limit != 50 || isOutcomeUnknown(err) {
			t.Errorf("got %v", err)
		}
		if sim.Count() != 1+maxMinuteWaits {
			t.Errorf("%d calls", sim.Count())
		}
		time.Sleep(time.Minute)
	})
}

func TestMinuteRefusalIsWaitedOut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header []string
		want   time.Duration
	}{
		"reset": {[]string{"X-Rate-Limit-Remaining-Minute", "0", "X-Rate-Limit-Reset-Minute",
			"2000-01-01T00:01:00Z"}, 50 * time.Second},
		"reset, no count":       {[]string{"X-Rate-Limit-Reset-Minute", "2000-01-01T00:01:00Z"}, 50 * time.Second},
		"Retry-After":           {[]string{"Retry-After", "7"}, 7 * time.Second},
		"Retry-After as a date": {[]string{"Retry-After", "Sat, 01 Jan 2000 00:00:17 GMT"}, 7 * time.Second},
		"Retry-After before reset": {[]string{"Retry-After", "90", "X-Rate-Limit-Reset-Minute",
			"2000-01-01T00:01:00Z"}, 90 * time.Second},
		"Retry-After zero":           {[]string{"Retry-After", "0"}, resetSlack},
		"Retry-After of years":       {[]string{"Retry-After", "2000000000"}, 2 * time.Minute},
		"Retry-After, far in future": {[]string{"Retry-After", "Sat, 01 Jan 2101 00:00:17 GMT"}, 2 * time.Minute},
		"nothing":                    {nil, time.Minute},
		"malformed": {[]string{"Retry-After", "soon", "X-Rate-Limit-Reset-Minute", "next window"},
			time.Minute},
		"a reset just past":          {[]string{"X-Rate-Limit-Reset-Minute", "2000-01-01T00:00:10Z"}, resetSlack},
		"a reset long past":          {[]string{"X-Rate-Limit-Reset-Minute", "1999-01-01T00:00:10Z"}, time.Minute},
		"a reset in another century": {[]string{"X-Rate-Limit-Reset-Minute", "2100-01-01T00:00:10Z"}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(10 * time.Second)
				calls := 0
				client := newTestClient(t, WithMaxRetries(0),
					WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
						calls++
						date := []string{"Date", time.Now().UTC().Format(http.TimeFormat)}
						if calls == 1 {
							return textAnswer(429, "", append(date, test.header...)...), nil
						}
						if body, err := req.GetBody(); err != nil || body == nil {
							t.Errorf("the body is gone: %v", err)
						}
						return textAnswer(200, `{"id":7,"hubSpotId":1,"hubSpotCompanyId":null}`, date...), nil
					})))
				start := time.Now()
				if _, err := client.Latch(t.Context(), 7, Latch{HubSpotID: 1}); err != nil {
					t.Error(err)
				}
				if waited := time.Since(start); calls != 2 || waited != test.want {
					t.Errorf("%d calls, waited %s, not %s", calls, waited, test.want)
				}
			})
		})
	}
}

func TestDayRefusal(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		behavior fusebillsim.Behavior
		wait     time.Duration // until calls are sent again, from one hour into the day
		reset    time.Time
	}{
		"with reset":     {fusebillsim.Behavior{}, 23 * time.Hour, bubbleStart.AddDate(0, 0, 1)},
		"without reset":  {fusebillsim.Behavior{ResetFormat: fusebillsim.ResetAbsent}, 24 * time.Hour, time.Time{}},
		"no headers":     {fusebillsim.Behavior{OmitRateHeaders: true}, 24 * time.Hour, time.Time{}},
		"by Retry-After": {fusebillsim.Behavior{OmitRateHeaders: true, RetryAfter: true}, 23 * time.Hour, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Hour)
				sim := newSim(simConfig{LimitDay: 3, Behavior: test.behavior})
				client := newSimClient(t, sim)
				spend(t, client, 3, 1)
				refuse := func(calls int) {
					t.Helper()
					_, err := client.Latch(t.Context(), 1, Latch{})
					var rateLimit *RateLimitError
					if !errors.As(err, &rateLimit) || rateLimit.Window != Day || !rateLimit.Reset.Equal(test.reset) ||
						isOutcomeUnknown(err) ||
						!strings.Contains(err.Error(), "The limit of 3 API calls per day is exceeded.") {
						t.Errorf("got %v", err)
					}
					if sim.Count() != calls {
						t.Errorf("%d calls, not %d", sim.Count(), calls)
					}
				}
				refuse(4) // Once by the service, without a retry,
				refuse(4) // and then without a call.
				time.Sleep(test.wait - time.Second)
				refuse(4)
				time.Sleep(time.Second)
				spend(t, client, 1, 1)
			})
		})
	}
}

func TestPacerReadsEveryResetFormat(t *testing.T) {
	t.Parallel()
	for format, name := range map[fusebillsim.ResetFormat]string{
		fusebillsim.ResetRFC3339: "RFC 3339", fusebillsim.ResetHTTPDate: "HTTP date", fusebillsim.ResetDotNet: ".NET",
		fusebillsim.ResetEpoch: "epoch", fusebillsim.ResetMalformed: "malformed", fusebillsim.ResetAbsent: "absent",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newSim(simConfig{LimitMinute: 50,
					Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond, ResetFormat: format}})
				time.Sleep(20 * time.Second)
				spend(t, newSimClient(t, sim), 120, 10)
				requireMinutes(t, sim, 50, 50, 20)
				end := 2 * time.Minute
				if format >= fusebillsim.ResetMalformed { // Each window is taken to last a minute from our first call.
					end += 20 * time.Second
				}
				requireEnd(t, end)
				if sim.RateLimited() != 0 {
					t.Errorf("%d calls were refused", sim.RateLimited())
				}
			})
		})
	}
}

func TestPacerWithoutHeaders(t *testing.T) {
	t.Parallel()
	for name, retryAfter := range map[string]bool{"with Retry-After": true, "with nothing at all": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newSim(simConfig{LimitMinute: 50, Behavior: fusebillsim.Behavior{
					Latency: 20 * time.Millisecond, OmitRateHeaders: true, RetryAfter: retryAfter,
				}})
				time.Sleep(20 * time.Second)
				spend(t, newSimClient(t, sim, WithMaxRetries(0)), 120, 10)
				requireMinutes(t, sim, 50, 50, 20)
				end := 2 * time.Minute
				if !retryAfter {
					end += 20 * time.Second
				}
				requireEnd(t, end)
				if sim.RateLimited() > 20 { // Each window's end is learnt from at most one refusal per worker.
					t.Errorf("%d calls were refused", sim.RateLimited())
				}
			})
		})
	}
}

// shiftClock makes a simulator's clock differ from ours.
func shiftClock(sim *fusebillsim.Simulator, by time.Duration) Option {
	inner := sim.Transport()
	return WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := inner.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"Date", "X-Rate-Limit-Reset-Minute", "X-Rate-Limit-Reset-Day"} {
			when, ok := parseTimestamp(resp.Header.Get(name))
			if !ok {
				return nil, fmt.Errorf("%s is %q", name, resp.Header.Get(name))
			}
			resp.Header.Set(name, when.Add(by).Format(http.TimeFormat))
		}
		return resp, nil
	}))
}

func TestPacerUnderClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-10 * time.Minute, -90 * time.Second, -5 * time.Second, 5 * time.Second,
		30 * time.Second, 10 * time.Minute} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newSim(simConfig{LimitMinute: 50,
					Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond}})
				time.Sleep(20 * time.Second)
				spend(t, newSimClient(t, sim, shiftClock(sim, by)), 120, 10)
				requireMinutes(t, sim, 50, 50, 20)
				requireEnd(t, 2*time.Minute)
				if sim.RateLimited() != 0 {
					t.Errorf("%d calls were refused", sim.RateLimited())
				}
			})
		})
	}
}

// The machine that writes the Date runs ahead of the one that counts: the first call of a window
// comes too early and is refused. The client learns from it, and does not ask with all of its
// calls.
func TestPacerUnderADateAhead(t *testing.T) {
	t.Parallel()
	seconds := func(n ...int) func() time.Duration {
		return func() time.Duration { return time.Duration(n[rand.IntN(len(n))]) * time.Second }
	}
	for name, test := range map[string]struct {
		ahead func() time.Duration // for each answer
		most  int                  // refusals
	}{
		"2 seconds":    {seconds(2), 5},
		"5 seconds":    {seconds(5), 5},
		"10 seconds":   {seconds(10), 5},
		"two machines": {seconds(0, 5), 12},
	} {
		for _, workers := range []int{1, 10, 50} {
			t.Run(fmt.Sprintf("%s, %d workers", name, workers), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim := newSim(simConfig{LimitMinute: 100,
						Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond}})
					inner := sim.Transport()
					early := roundTripper(func(req *http.Request) (*http.Response, error) {
						resp, err := inner.RoundTrip(req)
						if err == nil {
							resp.Header.Set("Date", time.Now().Add(test.ahead()).UTC().Format(http.TimeFormat))
						}
						return resp, err
					})
					time.Sleep(17300 * time.Millisecond)
					spend(t, newSimClient(t, sim, WithTransport(early), WithMaxRetries(0)), 500, workers)
					requireMinutes(t, sim, 100, 100, 100, 100, 100)
					if sim.RateLimited() > test.most {
						t.Errorf("%d calls were refused", sim.RateLimited())
					}
					if got := sinceStart(); got > 4*time.Minute+2*resetSlack+2*time.Second {
						t.Errorf("it took %s", got)
					}
				})
			})
		}
	}
}

// The first call of a window goes alone, but it does not hold up the others for long.
func TestSlowProbeHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 50})
		client := newSimClient(t, sim)
		spend(t, client, 50, 10)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: 50 * time.Second})
		spend(t, client, 50, 10)
		requireMinutes(t, sim, 50, 50)
		requests := sim.Requests() // In the order of their ends.
		if last := requests[len(requests)-2].Time.Sub(bubbleStart); last != time.Minute+resetSlack ||
			sim.RateLimited() != 0 {
			t.Errorf("the last call but the slow one came after %s, %d calls were refused", last, sim.RateLimited())
		}
	})
}

// A reset that is computed for each answer again differs by fractions of a second within one
// window.
func TestPacerUnderResetsThatJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		records := new(logRecorder)
		sim := newSim(simConfig{LimitMinute: 50, Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond}})
		inner := sim.Transport()
		jitter := roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := inner.RoundTrip(req)
			if err == nil {
				const name = "X-Rate-Limit-Reset-Minute"
				reset, _ := parseTimestamp(resp.Header.Get(name))
				jittered := reset.Add(time.Duration(rand.Int64N(int64(time.Second))))
				resp.Header.Set(name, jittered.Format(time.RFC3339Nano))
			}
			return resp, err
		})
		client := newSimClient(t, sim, WithTransport(jitter), WithRequestsPerMinute(20), WithLogger(slog.New(records)))
		spend(t, client, 60, 10)
		requireMinutes(t, sim, 20, 20, 20)
		if logged := len(records.with("INFO waiting")); logged != 2 {
			t.Errorf("%d waits were logged", logged)
		}
	})
}

// Answers of the window before, which say that nothing is left, come when the next one has begun.
func TestLateAnswersDontBlock(t *testing.T) {
	t.Parallel()
	for _, format := range []fusebillsim.ResetFormat{fusebillsim.ResetRFC3339, fusebillsim.ResetAbsent} {
		synctest.Test(t, func(t *testing.T) {
			sim := newSim(simConfig{LimitMinute: 50, Behavior: fusebillsim.Behavior{ResetFormat: format}})
			sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, After: 47, Times: 3,
				Latency: 90 * time.Second})
			time.Sleep(5 * time.Second)
			client := newSimClient(t, sim, WithRequestTimeout(2*time.Minute))
			spend(t, client, 47, 1) // One by one, so no answer counts a call that is still under way.
			spend(t, client, 53, 10)
			requireMinutes(t, sim, 50, 50)
			requireEnd(t, time.Minute+35*time.Second)
			if sim.RateLimited() != 0 {
				t.Errorf("%d calls were refused", sim.RateLimited())
			}
		})
	}
}

func TestServiceOutOfReachDoesntQueueCalls(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error // nil: the try's timeout
		most time.Duration
	}{
		"dialing fails": {&net.OpError{Op: "dial", Err: errors.New("no route to host")}, 8 * time.Second},
		"dropped":       {errors.New("connection reset"), 8 * time.Second},
		"timeouts":      {nil, 8 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := newTestClient(t, WithMaxRetries(0),
					WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
						if test.err == nil {
							<-req.Context().Done()
							return nil, req.Context().Err()
						}
						time.Sleep(time.Second)
						return nil, test.err
					})))
				var group sync.WaitGroup
				for range 100 {
					group.Go(func() {
						if _, err := client.Customer(t.Context(), 1); err == nil {
							t.Error("no error")
						}
					})
				}
				group.Wait()
				if got := sinceStart(); got > test.most {
					t.Errorf("100 calls side by side took %s", got)
				}
			})
		})
	}
}

// Calls that failed before they were sent cost nothing of the minute.
func TestUnsentCallsAreNotCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 50})
		inner := sim.Transport()
		calls := 0
		client := newSimClient(t, sim, WithRequestsPerMinute(40), WithMaxRetries(0),
			WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
				if calls++; calls > 1 && calls <= 101 {
					return nil, &net.OpError{Op: "dial", Err: errors.New("no route to host")}
				}
				return inner.RoundTrip(req)
			})))
		for range 140 {
			_, err := client.Customer(t.Context(), 1)
			if network := (*net.OpError)(nil); err != nil && !errors.As(err, &network) {
				t.Error(err)
			}
		}
		requireMinutes(t, sim, 40)
		requireEnd(t, 0)
	})
}

func TestWaitingCallsEndAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 50})
		client := newSimClient(t, sim)
		spend(t, client, 50, 10)
		ctx, cancel := context.WithCancel(t.Context())
		var ended sync.WaitGroup
		for range 30 {
			ended.Go(func() {
				_, err := client.Latch(ctx, 2, Latch{HubSpotID: 8})
				if !errors.Is(err, context.Canceled) || isOutcomeUnknown(err) {
					t.Errorf("got %v", err)
				}
			})
		}
		time.Sleep(3 * time.Second)
		cancel()
		ended.Wait()
		requireEnd(t, 3*time.Second)
		if sim.Writes() != 0 {
			t.Errorf("%d writes were sent", sim.Writes())
		}
		// Those who wait on are served when their time comes.
		spend(t, client, 50, 10)
		requireMinutes(t, sim, 50, 50)
		requireEnd(t, time.Minute)
	})
}

func TestWaitIsLoggedOncePerWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		records := new(logRecorder)
		sim := newSim(simConfig{LimitMinute: 50, Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond}})
		spend(t, newSimClient(t, sim, WithLogger(slog.New(records))), 120, 10)
		waits := records.with("INFO")
		if len(waits) != 2 || len(records.with("DEBUG the wait for the rate limit is over")) == 0 {
			t.Fatalf("%q", waits)
		}
		for i, want := range []string{"until=2000-01-01 00:01:00", "until=2000-01-01 00:02:00"} {
			if !strings.Contains(waits[i],
				"waiting for the rate limit reason=the account's calls of this minute are used up wait=59.") ||
				!strings.Contains(waits[i], want) {
				t.Errorf("%q lacks %q", waits[i], want)
			}
		}
	})
}

// While this client is alone, none of its calls is refused, and all are counted to the end, also if
// they fail on the way.
func TestPacerUnderRandomInterleavings(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, seed))
				limit, workers, own := 1+random.IntN(1+random.IntN(60)), 1+random.IntN(40), 1+random.IntN(100)
				sim := newSim(simConfig{LimitMinute: limit, Behavior: fusebillsim.Behavior{
					ResetFormat: fusebillsim.ResetFormat(random.IntN(4)),
				}})
				client := newSimClient(t, sim, WithRequestsPerMinute(own), WithMaxRetries(20),
					WithRetryWait(time.Millisecond, time.Second), WithTransport(wander(sim.Transport())))
				sim.SpendQuota(random.IntN(limit))
				time.Sleep(time.Duration(random.Int64N(int64(time.Minute))))
				spend(t, client, 1, 1) // Others may go once it fails, until one succeeds.
				sim.InjectChaos(fusebillsim.Chaos{Probability: 0.2, Seed: seed, Kinds: []fusebillsim.FaultKind{
					fusebillsim.FaultDropBefore, fusebillsim.FaultDropAfter, fusebillsim.FaultStatus500After,
					fusebillsim.FaultHTML502, fusebillsim.FaultTruncatedBody, fusebillsim.FaultNotJSON,
				}})
				spend(t, client, 5*min(limit, own), workers)
				if sim.RateLimited() != 0 {
					t.Errorf("%d calls were refused (limit %d, own %d, %d workers)", sim.RateLimited(), limit, own,
						workers)
				}
				if most := slices.Max(perMinute(sim)); most > min(limit, own) {
					t.Errorf("%d calls in one minute (limit %d, own %d)", most, limit, own)
				}
				transport, ok := client.retry.HTTPClient.Transport.(*attemptTransport)
				if !ok || transport.pacer.inFlight != 0 {
					t.Errorf("%d calls are said to be under way", transport.pacer.inFlight)
				}
			})
		})
	}
}

// A call that the service counted in a new minute ended without an answer, before we knew of that
// minute.
func TestSilenceAtTheEndOfAWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 2, Behavior: fusebillsim.Behavior{Latency: 20 * time.Millisecond}})
		client := newSimClient(t, sim, WithMaxRetries(0))
		time.Sleep(900 * time.Millisecond) // As far as the client knows, the Date may be that much behind.
		spend(t, client, 1, 1)
		time.Sleep(59200 * time.Millisecond)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDropAfter})
		if _, err := client.Customer(t.Context(), 1); err == nil {
			t.Error("no error")
		}
		spend(t, client, 2, 2)
		requireMinutes(t, sim, 1, 2, 1)
		if sim.RateLimited() != 0 {
			t.Errorf("%d calls were refused", sim.RateLimited())
		}
	})
}

// A call without an answer may have been counted. Only the answer to a later call says so: then the
// minute is spent whole.
func TestSilenceIsClearedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 50})
		client := newSimClient(t, sim)
		spend(t, client, 1, 1)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDropAfter})
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultHTML502, After: 1})
		spend(t, client, 60, 10)
		requireMinutes(t, sim, 50, 13)
		if sim.RateLimited() != 0 {
			t.Errorf("%d calls were refused", sim.RateLimited())
		}
	})
}

func TestSilenceOutlastsEarlierAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 50})
		sim.SpendQuota(47)
		client := newSimClient(t, sim)
		spend(t, client, 1, 1)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: 10 * time.Second})
		go spend(t, client, 1, 1) // Counted first, and answered last: it reports one call as remaining.
		time.Sleep(time.Second)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDropAfter})
		spend(t, client, 1, 1)
		requireMinutes(t, sim, 3, 1)
		if sim.RateLimited() != 0 {
			t.Errorf("%d calls were refused", sim.RateLimited())
		}
	})
}

// A Date has whole seconds, so the first answer puts the minute's end up to a second late. Later
// ones make it exact.
func TestEndOfWindowGrowsExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 2})
		client := newSimClient(t, sim)
		time.Sleep(900 * time.Millisecond)
		spend(t, client, 1, 1)
		time.Sleep(110 * time.Millisecond)
		spend(t, client, 2, 1)
		if got, want := sinceStart(), time.Minute+10*time.Millisecond; got != want {
			t.Errorf("it took %s, not %s", got, want)
		}
	})
}

// An answer that was under way during a refusal does not shorten the wait that the refusal asks
// for.
func TestRefusalOutlastsOtherAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{LimitMinute: 50})
		inner := sim.Transport()
		var calls atomic.Int32
		client := newSimClient(t, sim, WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
			switch calls.Add(1) {
			case 2:
				time.Sleep(time.Millisecond) // The third call is under way by then.
				return textAnswer(429, "", "Retry-After", "90"), nil
			case 3:
				defer time.Sleep(time.Second)
			}
			return inner.RoundTrip(req)
		})))
		spend(t, client, 3, 2)
		requireEnd(t, 90*time.Second)
	})
}

// wander makes calls take their time both ways.
func wander(inner http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		time.Sleep(time.Duration(rand.Int64N(int64(300 * time.Millisecond))))
		defer func() { time.Sleep(time.Duration(rand.Int64N(int64(2 * time.Second)))) }()
		return inner.RoundTrip(req)
	})
}

package fusebill

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Every fault of the simulator, on a write, all the time: how often it is tried, and what is known
// afterwards.
func TestFaultsOfAWrite(t *testing.T) {
	t.Parallel()
	const retries = 3
	tests := []struct {
		kind    fusebillsim.FaultKind
		calls   int
		words   string // of the error; empty: none
		unknown bool
	}{
		{fusebillsim.FaultStatus500Before, 1 + retries, `500 Internal Server Error: "An unexpected error occurred."`,
			true},
		{fusebillsim.FaultStatus500After, 1 + retries, `500 Internal Server Error: "An unexpected error occurred."`,
			true},
		{fusebillsim.FaultDropBefore, 1 + retries, "unexpected EOF", true},
		{fusebillsim.FaultDropAfter, 1 + retries, "unexpected EOF", true},
		{fusebillsim.FaultLatencyBefore, 1 + retries, "no complete answer within 1m0s", true},
		{fusebillsim.FaultLatencyAfter, 1 + retries, "no complete answer within 1m0s", true},
		{fusebillsim.FaultSlowDrip, 1 + retries, "no complete answer within 1m0s", true},
		{fusebillsim.FaultTruncatedBody, 1 + retries, "the answer is incomplete: ", true},
		{fusebillsim.FaultTruncatedJSON, 1 + retries, "the answer cannot be understood: the JSON ends too early", true},
		{fusebillsim.FaultEmptyBody, 1 + retries, "the answer cannot be understood: the JSON ends too early", true},
		{fusebillsim.FaultNotJSON, 1 + retries, "The service is being updated.", true},
		{fusebillsim.FaultHTMLBody, 1 + retries, "<title>Please wait</title>", true},
		{fusebillsim.FaultHTML502, 1 + retries, "502 Bad Gateway, not in the API's form (text/html): <html>", true},
		{fusebillsim.FaultWrongContentType, 1, "", false},
		{fusebillsim.FaultDifferentAnswer, 1, "", false},
		{fusebillsim.FaultRateLimitMinute, 1 + maxMinuteWaits,
			"the account's quota of 1000 calls per minute is used up until 2000-01-01 00:31:00 UTC", false},
		{fusebillsim.FaultRateLimitDay, 1,
			"the account's quota of 180000 calls per day is used up until 2000-01-02 00:00:00 UTC " +
				`(429 Too Many Requests: "The limit of 180000 API calls per day is exceeded.")`, false},
		{fusebillsim.FaultUnauthorized, 1, `401 Unauthorized: "The API key is missing or wrong."`, false},
		{fusebillsim.FaultRedirectHost, 1, "redirects to https://redirected.fusebill.invalid/v1/HubSpot/latchCustomer",
			false},
		{fusebillsim.FaultRedirectPlainHTTP, 1, "redirects to http://fusebill.test/v1/HubSpot/latchCustomer", false},
	}
	for _, test := range tests {
		t.Run(test.kind.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newSim(simConfig{})
				sim.Inject(fusebillsim.Fault{Kind: test.kind, Times: -1, Latency: 61 * time.Second})
				_, err := newSimClient(t, sim, WithMaxRetries(retries)).Latch(t.Context(), 2, Latch{HubSpotID: 8})
				if sim.Count(fusebillsim.RouteLatch) != test.calls || sim.Count() != test.calls {
					t.Errorf("%d calls, not %d", sim.Count(), test.calls)
				}
				switch {
				case test.words == "" && err != nil:
					t.Errorf("error %v", err)
				case test.words != "" && (err == nil ||
					!strings.HasPrefix(err.Error(), "POST HubSpot/latchCustomer: ") ||
					!strings.Contains(err.Error(), test.words)):
					t.Errorf("got %v", err)
				}
				if isOutcomeUnknown(err) != test.unknown {
					t.Errorf("outcome unknown: %v", err)
				}
			})
		})
	}
}

// A fault that passes is never seen by the caller, for reads and writes alike.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	for _, kind := range []fusebillsim.FaultKind{
		fusebillsim.FaultStatus500Before, fusebillsim.FaultStatus500After, fusebillsim.FaultDropBefore,
		fusebillsim.FaultDropAfter,
		fusebillsim.FaultLatencyAfter, fusebillsim.FaultTruncatedBody, fusebillsim.FaultTruncatedJSON,
		fusebillsim.FaultEmptyBody,
		fusebillsim.FaultNotJSON, fusebillsim.FaultHTMLBody, fusebillsim.FaultHTML502,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newSim(simConfig{})
				for _, route := range []fusebillsim.Route{fusebillsim.RouteLatch, fusebillsim.RouteUnlatch,
					fusebillsim.RouteCustomer, fusebillsim.RouteCustomers} {
					sim.Inject(fusebillsim.Fault{Kind: kind, Route: route, Times: 2, Latency: 61 * time.Second})
				}
				client := newSimClient(t, sim, WithMaxRetries(2))
				if customer, err := client.Latch(t.Context(), 2, Latch{HubSpotID: 8}); err != nil ||
					customer.Latch.HubSpotID != 8 {
					t.Errorf("latch: %+v, %v", customer, err)
				}
				if customer, err := client.Unlatch(t.Context(), 1); err != nil || !customer.Latch.IsZero() {
					t.Errorf("unlatch: %+v, %v", customer, err)
				}
				if customer, err := client.Customer(t.Context(), 2); err != nil || customer.Latch.HubSpotID != 8 {
					t.Errorf("customer: %+v, %v", customer, err)
				}
				if page, err := client.Customers(t.Context(), CustomersRequest{}); err != nil ||
					len(page.Customers) != 3 {
					t.Errorf("customers: %+v, %v", page, err)
				}
				for route, calls := range sim.Calls() {
					if calls != 3 {
						t.Errorf("%s: %d calls", route, calls)
					}
				}
			})
		})
	}
}

// A refusal after a lost answer does not say that nothing was done.
func TestOutcomeStaysUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{})
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDropAfter})
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultUnauthorized, After: 1})
		_, err := newSimClient(t, sim).Latch(t.Context(), 2, Latch{HubSpotID: 8})
		var apiErr *APIError
		if !isOutcomeUnknown(err) || !errors.As(err, &apiErr) || apiErr.StatusCode != 401 {
			t.Errorf("got %v", err)
		}
	})
}

func TestReadsHaveNoUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{})
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDropAfter, Times: -1})
		if _, err := newSimClient(t, sim).Customer(t.Context(), 2); err == nil || isOutcomeUnknown(err) {
			t.Errorf("got %v", err)
		}
	})
}

func TestStatusesAreRetriedOrNot(t *testing.T) {
	t.Parallel()
	for status, retried := range map[int]bool{
		204: false, 302: false, 400: false, 401: false, 403: false, 404: false, 408: true, 409: false, 415: false,
		500: true, 501: true, 502: true, 503: true, 504: true,
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			client := newTestClient(t, WithMaxRetries(2),
				WithTransport(roundTripper(func(*http.Request) (*http.Response, error) {
					calls++
					return textAnswer(status, ""), nil
				})))
			_, err := client.Latch(t.Context(), 7, Latch{})
			if !strings.Contains(err.Error(), fmt.Sprintf(" %d %s", status, http.StatusText(status))) ||
				(calls == 3) != retried {
				t.Errorf("%d: %d calls, error %v", status, calls, err)
			}
			if unknown := retried || status == 204; isOutcomeUnknown(err) != unknown {
				t.Errorf("%d: got %v", status, err)
			}
		})
	}
}

func TestCancellationEndsABackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{})
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500After, Times: -1})
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(3*time.Second, cancel)
		_, err := newSimClient(t, sim, WithRetryWait(time.Minute, time.Hour)).Latch(ctx, 2, Latch{HubSpotID: 8})
		if !errors.Is(err, context.Canceled) || !isOutcomeUnknown(err) {
			t.Errorf("got %v", err)
		}
		if passed := time.Since(start); passed != 3*time.Second || sim.Count() != 1 {
			t.Errorf("ended after %s and %d calls", passed, sim.Count())
		}
	})
}

func TestCancellationInFlight(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc, error){
		"cancel": func(ctx context.Context) (context.Context, context.CancelFunc, error) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(3*time.Second, cancel)
			return ctx, cancel, context.Canceled
		},
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc, error) {
			ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
			return ctx, cancel, context.DeadlineExceeded
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newSim(simConfig{})
				sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: time.Hour})
				ctx, cancel, want := end(t.Context())
				defer cancel()
				start := time.Now()
				_, err := newSimClient(t, sim).Latch(ctx, 2, Latch{HubSpotID: 8})
				if !errors.Is(err, want) || !isOutcomeUnknown(err) || time.Since(start) != 3*time.Second ||
					sim.Count() != 1 {
					t.Errorf("got %v after %s and %d calls", err, time.Since(start), sim.Count())
				}
			})
		})
	}
}

func TestCancelledBeforehand(t *testing.T) {
	t.Parallel()
	sim := newSim(simConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newSimClient(t, sim).Latch(ctx, 2, Latch{HubSpotID: 8})
	if !errors.Is(err, context.Canceled) || isOutcomeUnknown(err) || sim.Count() != 0 {
		t.Errorf("got %v after %d calls", err, sim.Count())
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	const shortest, longest = 500 * time.Millisecond, 30 * time.Second
	date := "Fri, 02 Jan 2026 15:04:00 GMT"
	tests := []struct {
		try        int
		retryAfter string
		most       time.Duration // and at least three quarters of it
	}{
		{0, "", shortest},
		{1, "", time.Second},
		{5, "", 16 * time.Second},
		{6, "", longest},
		{1000, "", longest},
		{0, "0", shortest},
		{0, "5", 5 * time.Second},
		{0, "Fri, 02 Jan 2026 15:04:07 GMT", 7 * time.Second},
		{0, "Fri, 02 Jan 2026 15:03:07 GMT", shortest},
		{0, "86400", longest},
		{0, "soon", shortest},
		{0, "-1", shortest},
		{0, "99999999999999999999", shortest},
	}
	for _, test := range tests {
		var resp *http.Response
		if test.retryAfter != "" {
			resp = &http.Response{Header: http.Header{"Retry-After": {test.retryAfter}, "Date": {date}}}
		}
		got := backoff(shortest, longest, test.try, resp)
		if got > test.most || got < test.most*3/4 {
			t.Errorf("%+v: %s", test, got)
		}
	}
	if wait := backoff(0, 0, 3, nil); wait != 0 {
		t.Errorf("no wait became %s", wait)
	}
}

// Real servers, since it is net/http that follows redirects.
func TestRedirects(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host got a request, Authorization %q", r.Header["Authorization"])
	}))
	defer other.Close()
	read := func(ctx context.Context, c *Client) error { _, err := c.Customer(ctx, 7); return err }
	write := func(ctx context.Context, c *Client) error { _, err := c.Latch(ctx, 7, Latch{HubSpotID: 1}); return err }
	const answer = `{"id":7,"hubSpotId":1,"hubSpotCompanyId":null}`
	tests := map[string]struct {
		status   int
		location string
		call     func(context.Context, *Client) error
		followed bool
	}{
		"read to another host":         {302, other.URL, read, false},
		"write to another host":        {307, other.URL, write, false},
		"to the host under a name":     {302, "http://localhost.example/v1", read, false},
		"without a scheme":             {302, strings.TrimPrefix(other.URL, "http:"), read, false},
		"to a user of the host":        {302, "http://key@evil.example/", read, false},
		"read on the same host":        {302, "/final", read, true},
		"read kept, same host":         {308, "/final", read, true},
		"write kept, same host":        {307, "/final", write, true},
		"write becomes a read, 301":    {301, "/final", write, false},
		"write becomes a read, 302":    {302, "/final", write, false},
		"write becomes a read, 303":    {303, "/final", write, false},
		"round and round":              {302, "/start", read, false},
		"round and round with a write": {307, "/start", write, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				if auth := r.Header["Authorization"]; len(auth) != 1 || auth[0] != "Basic "+testKey {
					t.Errorf("Authorization %q", auth)
				}
				if r.URL.Path == "/final" {
					fmt.Fprint(w, answer)
					return
				}
				http.Redirect(w, r, test.location, test.status)
			}))
			defer server.Close()
			err := test.call(t.Context(), newTestClient(t, WithBaseURL(server.URL+"/v1")))
			if test.followed {
				if err != nil || calls != 2 {
					t.Errorf("error %v after %d calls", err, calls)
				}
				return
			}
			var redirect *RedirectError
			if !errors.As(err, &redirect) || isOutcomeUnknown(err) || calls > 4 {
				t.Errorf("error %v after %d calls", err, calls)
			}
		})
	}
}

func TestRedirectToPlainHTTP(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter,
		*http.Request) {
		t.Error("the key came over plain HTTP")
	}))
	defer plain.Close()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	client := newTestClient(t, WithBaseURL(server.URL), WithTransport(server.Client().Transport))
	_, err := client.Latch(t.Context(), 7, Latch{})
	var redirect *RedirectError
	if !errors.As(err, &redirect) || isOutcomeUnknown(err) {
		t.Errorf("got %v", err)
	}
}

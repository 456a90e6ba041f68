package fusebillsim

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A write that its client has cancelled takes effect all the same, later.
func TestAbandonedWrite(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method, path, body string
		want               holder
	}{
		"latch":   {http.MethodPost, latchPath, `{"fusebillId":1,"hubSpotId":101}`, holder{1, 101, 0}},
		"unlatch": {http.MethodPost, "HubSpot/UnlatchCustomer/1", "", holder{1, 0, 0}},
		"update":  {http.MethodPut, "customers", `{"id":1}`, holder{1, 0, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTest(t, Config{LimitDay: 10, Behavior: Behavior{AbandonedWriteDelay: 5 * time.Second}})
				s.AddCustomers(Customer{ID: 1, HubSpotID: 11})
				s.Inject(Fault{Kind: FaultLatencyBefore, Latency: time.Hour})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				r := newRequest(t, test.method, test.path, test.body).WithContext(ctx)
				if _, err := trySend(s.Transport(), r); err == nil {
					t.Fatal("no timeout")
				}
				r.Header.Del("Authorization") // It is the caller's again.
				time.Sleep(5*time.Second - time.Nanosecond)
				synctest.Wait()
				checkLatches(t, s, holder{1, 11, 0})
				s.Settle()
				checkLatches(t, s, test.want)
				if got := get(t, s, "customers/1"); rateHeaders(got.header, "Day")[1] != "8" {
					t.Errorf("rate headers %v, want two calls counted", rateHeaders(got.header, "Day"))
				}
			})
		})
	}
}

// Reads have no effect to come, and without the switch an abandoned write has none either.
func TestAbandonedCallWithoutEffect(t *testing.T) {
	t.Parallel()
	for name, behavior := range map[string]Behavior{"read": {AbandonedWriteDelay: time.Second}, "switch off": {}} {
		synctest.Test(t, func(t *testing.T) {
			s := newTest(t, Config{Behavior: behavior})
			s.AddCustomers(Customer{ID: 1})
			s.Inject(Fault{Kind: FaultLatencyBefore, Latency: time.Hour})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			r := newRequest(t, http.MethodGet, "customers/1", "")
			if name == "switch off" {
				r = newRequest(t, http.MethodPost, latchPath, latchBody)
			}
			if _, err := trySend(s.Transport(), r.WithContext(ctx)); err == nil {
				t.Fatal("no timeout")
			}
			start := time.Now()
			s.Settle()
			if time.Since(start) != 0 {
				t.Errorf("%s: something was pending", name)
			}
			checkLatches(t, s, holder{1, 0, 0})
		})
	}
}

func TestSettleWaitsForCallsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{Behavior: Behavior{Latency: time.Minute}})
		start := time.Now()
		go func() { _, _ = trySend(s.Transport(), newRequest(t, http.MethodGet, "customers", "")) }()
		synctest.Wait()
		s.Settle()
		if time.Since(start) != time.Minute {
			t.Errorf("settled after %v", time.Since(start))
		}
	})
}

// Behind a socket the simulator learns later than the client that the client has gone.
func TestAbandonedWriteOverASocket(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Behavior: Behavior{AbandonedWriteDelay: time.Nanosecond}})
	s.AddCustomers(Customer{ID: 1})
	server := httptest.NewServer(s)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	handled := func(*http.Request) { t.Error("handled in time") }
	s.Inject(Fault{Kind: FaultLatencyBefore, Latency: time.Hour, OnRequest: handled})
	s.Inject(Fault{Match: func(*http.Request) bool { cancel(); return true }})
	r := newRequest(t, http.MethodPost, latchPath, latchBody).WithContext(ctx)
	r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(server.URL, "http://")
	if _, err := trySend(http.DefaultTransport, r); err == nil {
		t.Fatal("not cancelled")
	}
	s.Settle()
	checkLatches(t, s, holder{1, 101, 202})
}

package fusebill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

var discardLog = log.New(io.Discard, "", 0)

// endless is a body without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }
func (e *endless) Close() error               { return nil }

func TestOversizeAnswer(t *testing.T) {
	t.Parallel()
	body := new(endless)
	calls := 0
	client := newTestClient(t, WithTransport(roundTripper(func(*http.Request) (*http.Response, error) {
		calls++
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body}, nil
	})))
	_, err := client.Latch(t.Context(), 7, Latch{})
	if !isOutcomeUnknown(err) || !strings.Contains(err.Error(), "the answer is larger than 64 MiB") || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
	if body.read > maxAnswerSize+1<<20 {
		t.Errorf("read %d bytes", body.read)
	}
}

// A try has the time limit; the call with its retries does not.
func TestTimeoutIsPerTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{})
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: 11 * time.Second, Times: 2})
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: 9 * time.Second, After: 2})
		client := newSimClient(t, sim, WithRequestTimeout(10*time.Second), WithRetryWait(time.Second, time.Second))
		start := time.Now()
		if _, err := client.Customer(t.Context(), 1); err != nil {
			t.Error(err)
		}
		// Two tries of 10 s, one of 9 s, two waits of three quarters to one second.
		if passed := time.Since(start); sim.Count() != 3 || passed > 31*time.Second ||
			passed < 30*time.Second+500*time.Millisecond {
			t.Errorf("%d calls in %s", sim.Count(), passed)
		}
	})
}

func TestTransportIsItsOwn(t *testing.T) {
	t.Parallel()
	transport, ok := newTransport(nil, time.Minute).(*http.Transport)
	if !ok || transport == http.DefaultTransport || transport.TLSClientConfig.MinVersion < 0x0303 ||
		transport.Proxy == nil {
		t.Errorf("got %+v", transport)
	}
	for timeout, want := range map[time.Duration]time.Duration{
		4 * time.Second: time.Second, time.Minute: maxSilence, time.Hour: maxSilence,
	} {
		transport, ok := newTransport(nil, timeout).(*http.Transport)
		if !ok || transport.HTTP2.SendPingTimeout != want || transport.HTTP2.PingTimeout != want {
			t.Errorf("timeout %s: %+v", timeout, transport.HTTP2)
		}
	}
}

// Each record has its level, and none has the key.
func TestLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSim(simConfig{})
		records := new(logRecorder)
		client := newSimClient(t, sim, WithLogger(slog.New(records)))
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDropBefore})
		if _, err := client.Latch(t.Context(), 2, Latch{HubSpotID: 8}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Customers(t.Context(), CustomersRequest{IDs: []int64{1, 2}}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"DEBUG the call failed method=POST path=/v1/HubSpot/latchCustomer query= try=1 took=0s error=",
			"DEBUG the API answered method=POST path=/v1/HubSpot/latchCustomer query= try=2 took=0s status=200",
			`DEBUG-4 the bodies of a call method=POST path=/v1/HubSpot/latchCustomer query= try=2 took=0s status=200 ` +
				`sent={"fusebillId":2,"hubSpotId":8,"hubSpotCompanyId":null} body={"firstName":"Björn"`,
			"DEBUG the API answered method=GET path=/v1/customers query=id:1,2 try=1 took=0s status=200",
		} {
			if len(records.with(want)) != 1 {
				t.Errorf("%d records with %q in\n%s", len(records.with(want)), want,
					strings.Join(records.with(""), "\n"))
			}
		}
		requireNoKey(t, "the log", strings.Join(records.with(""), "\n"))
	})
}

type contextKey struct{}

// contextHandler notes whether records come with the context of the call.
type contextHandler struct {
	logRecorder
	foreign bool
}

func (h *contextHandler) Handle(ctx context.Context, record slog.Record) error {
	h.foreign = h.foreign || ctx.Value(contextKey{}) == nil
	return h.logRecorder.Handle(ctx, record)
}

func TestLogHasTheContextOfTheCall(t *testing.T) {
	t.Parallel()
	handler := new(contextHandler)
	client := newSimClient(t, newSim(simConfig{}), WithLogger(slog.New(handler)))
	if _, err := client.Customer(context.WithValue(t.Context(), contextKey{}, true), 1); err != nil {
		t.Fatal(err)
	}
	if handler.foreign || len(handler.with("")) == 0 {
		t.Errorf("records %q, foreign context %v", handler.with(""), handler.foreign)
	}
}

func TestLongBodiesAreLoggedInPart(t *testing.T) {
	t.Parallel()
	records := new(logRecorder)
	client := newTestClient(t, WithLogger(slog.New(records)), answering(400, strings.Repeat("x", maxLoggedBody+1)))
	_, err := client.Customer(t.Context(), 1)
	var apiErr *APIError
	if !errors.As(err, &apiErr) || len(records.with(strings.Repeat("x", maxLoggedBody))) != 1 ||
		len(records.with(strings.Repeat("x", maxLoggedBody+1))) != 0 {
		t.Errorf("got %v, %d records", err, len(records.with("")))
	}
}

// Debugging servers and some proxies answer with the request that they got.
func TestEchoedKey(t *testing.T) {
	t.Parallel()
	echo := "Authorization: Basic " + testKey
	for status, bodies := range map[int][]string{
		200: {echo, fmt.Sprintf(`{"headers":%q}`, echo), fmt.Sprintf(`{"id":%q}`, testKey),
			fmt.Sprintf(`[{"id":%q}]`, echo)},
		400: {echo, fmt.Sprintf(errorObject, 400, echo), strings.Repeat("x", maxExcerpt-len(echo)/2) + echo},
		502: {"<pre>" + echo + "</pre>"},
	} {
		for _, body := range bodies {
			records := new(logRecorder)
			client := newTestClient(t, WithMaxRetries(0), WithLogger(slog.New(records)),
				answering(status, body, "Content-Type", "text/plain"))
			_, err := client.Customer(t.Context(), 7)
			if err == nil {
				t.Fatalf("%d %s: no error", status, body)
			}
			_, listErr := client.Customers(t.Context(), CustomersRequest{})
			requireNoKey(t, "the error", fmt.Sprintf("%v %+v %#v %v", err, err, err, listErr))
			requireNoKey(t, "the log", strings.Join(records.with(""), "\n"))
		}
	}
}

// The key is in no error of any fault.
func TestErrorsOfFaultsWithoutKey(t *testing.T) {
	t.Parallel()
	for kind := fusebillsim.FaultStatus500Before; kind <= fusebillsim.FaultRedirectPlainHTTP; kind++ {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				records := new(logRecorder)
				sim := newSim(simConfig{})
				sim.Inject(fusebillsim.Fault{Kind: kind, Times: -1, Latency: 61 * time.Second})
				client := newSimClient(t, sim, WithMaxRetries(1), WithLogger(slog.New(records)))
				_, writeErr := client.Unlatch(t.Context(), 1)
				_, readErr := client.Customers(t.Context(), CustomersRequest{})
				requireNoKey(t, "an error",
					fmt.Sprintf("%v %+v %#v %v %+v %#v", writeErr, writeErr, writeErr, readErr, readErr, readErr))
				requireNoKey(t, "the log", strings.Join(records.with(""), "\n"))
			})
		})
	}
}

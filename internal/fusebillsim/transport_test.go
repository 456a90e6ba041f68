package fusebillsim

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A client must see the same with and without a socket in between.
func TestTransportAndServerAgree(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddSampleCustomers(3)
	server := httptest.NewServer(s)
	defer server.Close()
	// On a kept connection, net/http would repeat a dropped GET on its own.
	socket := &http.Transport{DisableCompression: true, DisableKeepAlives: true}

	for _, kind := range []FaultKind{
		FaultNone, FaultStatus500After, FaultDropBefore, FaultDropAfter, FaultTruncatedBody, FaultTruncatedJSON,
		FaultEmptyBody, FaultNullBody, FaultNoContent, FaultHTML502, FaultSlowDrip, FaultUnauthorized, FaultRateLimitDay,
	} {
		answers := make(map[string]reply)
		for name, via := range map[string]http.RoundTripper{"transport": s.Transport(), "server": socket} {
			s.Inject(Fault{Kind: kind})
			r := newRequest(t, http.MethodGet, "customers", "")
			r.Body = http.NoBody
			r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(server.URL, "http://")
			got, err := trySend(via, r)
			dropped := kind == FaultDropBefore || kind == FaultDropAfter || kind == FaultTruncatedBody
			if dropped != (err != nil) {
				t.Errorf("%v, %s: error %v", kind, name, err)
			}
			for header := range got.header {
				if header == "Date" || strings.HasPrefix(header, "X-Rate-Limit") {
					got.header.Set(header, "varies")
				}
			}
			answers[name] = got
		}
		if diff := cmp.Diff(answers["server"], answers["transport"], cmp.AllowUnexported(reply{})); diff != "" {
			t.Errorf("%v (-server +transport):\n%s", kind, diff)
		}
	}
}

func TestTransportHonoursTheContext(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	cause := errors.New("the reason")
	ctx, cancel := context.WithCancelCause(t.Context())

	resp, err := s.Transport().RoundTrip(newRequest(t, http.MethodGet, "customers/1", "").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cancel(cause)
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, cause) {
		t.Errorf("reading the body: %v", err)
	}
	r := newRequest(t, http.MethodPost, latchPath, latchBody).WithContext(ctx)
	if _, err := trySend(s.Transport(), r); !errors.Is(err, cause) {
		t.Errorf("sending: %v", err)
	}
	if s.Writes() != 0 {
		t.Error("a call that was cancelled before it began arrived")
	}
}

// RoundTrip must close the request's body and leave the request alone.
func TestTransportKeepsTheContract(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.Inject(Fault{Match: func(*http.Request) bool { return true }}) // makes the simulator replace its body
	r := newRequest(t, http.MethodPost, latchPath, "")
	body := &closeRecorder{Reader: strings.NewReader(latchBody)}
	r.Body = body
	headers := r.Header.Clone()
	send(t, s, r)
	if !body.closed || r.Body != body {
		t.Errorf("closed %v, replaced %v", body.closed, r.Body != body)
	}
	if diff := cmp.Diff(headers, r.Header); diff != "" {
		t.Errorf("headers changed:\n%s", diff)
	}
}

type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error {
	c.closed = true
	return nil
}

func TestGzip(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		accept   string
		size     int // Behavior.GzipMinSize
		path     string
		compress bool
	}{
		"accepted":        {"gzip", 0, "customers", true},
		"among others":    {"br, GZIP;q=0.5", 0, "customers", true},
		"not accepted":    {"", 0, "customers", false},
		"refused":         {"gzip;q=0, identity", 0, "customers", false},
		"switched off":    {"gzip", -1, "customers", false},
		"small":           {"gzip", 0, "customers?query=id:1", false},
		"small, however":  {"gzip", 1, "customers?query=id:1", true},
		"error, however":  {"gzip", 1, "nowhere", true},
		"below the bound": {"gzip", 1 << 20, "customers", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTest(t, Config{Behavior: Behavior{GzipMinSize: test.size}})
			s.AddSampleCustomers(5)
			plain := get(t, s, test.path)
			for range 2 { // the second compressor is a used one
				r := newRequest(t, http.MethodGet, test.path, "")
				r.Header.Set("Accept-Encoding", test.accept)
				got := send(t, s, r)
				if compressed := got.header.Get("Content-Encoding") == "gzip"; compressed != test.compress {
					t.Fatalf("compressed: %v", compressed)
				}
				if body := decompress(t, got); body != plain.body {
					t.Errorf("body %q, want %q", body, plain.body)
				}
			}
		})
	}
}

func decompress(t *testing.T, r reply) string {
	t.Helper()
	if r.header.Get("Content-Encoding") != "gzip" {
		return r.body
	}
	z, err := gzip.NewReader(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Answers under way must not hold up each other, nor changes.
func TestSlowAnswerHoldsNothing(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	release, arrived := make(chan struct{}), make(chan struct{})
	s.Inject(Fault{Kind: FaultSlowDrip, Latency: time.Nanosecond, OnAnswer: func(*http.Request) {
		close(arrived)
		<-release
	}})
	done := make(chan error)
	go func() {
		_, err := trySend(s.Transport(), newRequest(t, http.MethodGet, "customers", ""))
		done <- err
	}()
	<-arrived
	if got := post(t, s, latchPath, latchBody); got.status != 200 {
		t.Errorf("status %d", got.status)
	}
	s.Configure(func(*Behavior) {})
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

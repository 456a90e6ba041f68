package fusebill

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// testKey is as long as a real key, with every kind of character that base64 has.
const testKey = "MDpUaGUra2V5L29mK2Etc2FuZGJveC9hY2NvdW50Kys="

type simConfig = fusebillsim.Config

// newSim makes a simulator with customers 1 to 3, of which 1 is latched, and calls without a limit
// that matters.
func newSim(config simConfig) *fusebillsim.Simulator {
	config.APIKey = testKey
	sim := fusebillsim.New(config)
	sim.AddCustomers(
		fusebillsim.Customer{ID: 1, FirstName: "Ada", Reference: "C-1", HubSpotID: 101, HubSpotCompanyID: 201},
		fusebillsim.Customer{ID: 2, FirstName: "Björn", PrimaryEmail: "bjorn@example.com"},
		fusebillsim.Customer{ID: 3, CompanyName: "Stolen Bikes", Status: "Draft"},
	)
	return sim
}

// newSimClient makes a client that reaches a simulator without a socket.
func newSimClient(t *testing.T, sim *fusebillsim.Simulator, options ...Option) *Client {
	t.Helper()
	return newTestClient(t, append([]Option{
		WithBaseURL("https://fusebill.test/v1"), WithTransport(sim.Transport()),
	}, options...)...)
}

func newTestClient(t *testing.T, options ...Option) *Client {
	t.Helper()
	client, err := NewClient(testKey, options...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// roundTripper is a transport for what the simulator cannot do.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// textAnswer makes an answer of pairs of header names and values.
func textAnswer(status int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

// logRecorder keeps all records of all levels, as text.
type logRecorder struct {
	mu      sync.Mutex
	records []string
}

func (l *logRecorder) Enabled(context.Context, slog.Level) bool { return true }
func (l *logRecorder) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logRecorder) WithGroup(string) slog.Handler            { return l }

func (l *logRecorder) Handle(_ context.Context, record slog.Record) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s", record.Level, record.Message)
	record.Attrs(func(attr slog.Attr) bool {
		fmt.Fprintf(&text, " %s=%+v", attr.Key, attr.Value.Any())
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, text.String())
	return nil
}

// with returns the records that hold a text.
func (l *logRecorder) with(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, record := range l.records {
		if strings.Contains(record, text) {
			found = append(found, record)
		}
	}
	return found
}

// requireNoKey fails where a text holds the key, or a part of it that is worth having.
func requireNoKey(t *testing.T, what, text string) {
	t.Helper()
	const worth = 6
	for i := 0; i+worth <= len(testKey); i++ {
		if strings.Contains(text, testKey[i:i+worth]) {
			t.Errorf("%s holds %q of the key: %s", what, testKey[i:i+worth], text)
			return
		}
	}
}

// answering makes all answers the same.
func answering(status int, body string, header ...string) Option {
	return WithTransport(roundTripper(func(*http.Request) (*http.Response, error) {
		return textAnswer(status, body, header...), nil
	}))
}

// noMask is the mask of no key.
func noMask(text string) string { return text }

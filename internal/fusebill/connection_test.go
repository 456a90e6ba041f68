package fusebill

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Package net/http decides whether a request was never sent or may have arrived, hence real
// sockets. Nothing asserts how long anything takes.
func TestUnsentWrites(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	hang := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		<-over // A firewall that swallows packets.
		return nil, errors.New("timeout")
	}}
	tests := map[string]struct {
		serve func(*testing.T) (baseURL string, options []Option)
		words string
	}{
		"nobody listens": {func(t *testing.T) (string, []Option) {
			server := httptest.NewServer(nil)
			server.Close()
			return server.URL, nil
		}, "connection refused"},
		"unknown host": {func(*testing.T) (string, []Option) {
			return "https://fusebill.invalid/v1", []Option{WithTransport(&http.Transport{
				DialContext: (&net.Dialer{Resolver: &net.Resolver{PreferGo: true,
					Dial: func(context.Context, string, string) (net.Conn, error) {
						return nil, errors.New("no resolver")
					}}}).DialContext,
			})}
		}, "lookup fusebill.invalid"},
		"timeout in dialing": {func(*testing.T) (string, []Option) {
			return "https://fusebill.invalid/v1", []Option{WithTransport(hang), WithRequestTimeout(time.Millisecond)}
		}, "no complete answer within 1ms"},
		"certificate of an unknown authority": {func(t *testing.T) (string, []Option) {
			server := httptest.NewTLSServer(nil)
			server.Config.ErrorLog = discardLog
			t.Cleanup(server.Close)
			return server.URL, nil
		}, "certificate"},
		"old TLS": {func(t *testing.T) (string, []Option) {
			server := httptest.NewUnstartedServer(nil)
			server.Config.ErrorLog = discardLog
			server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL, nil
		}, "protocol version"},
		"plain HTTP on the TLS port": {func(t *testing.T) (string, []Option) {
			server := httptest.NewServer(nil)
			t.Cleanup(server.Close)
			return strings.Replace(server.URL, "http:", "https:", 1), nil
		}, "HTTP response to HTTPS client"},
		"an own transport's word": {func(*testing.T) (string, []Option) {
			return "https://fusebill.invalid/v1",
				[]Option{WithTransport(roundTripper(func(*http.Request) (*http.Response, error) {
					return nil, &net.OpError{Op: "dial", Err: errors.New("no route to host")}
				}))}
		}, "no route to host"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			baseURL, options := test.serve(t)
			client := newTestClient(t, append([]Option{
				WithBaseURL(baseURL), WithMaxRetries(1), WithRetryWait(0, 0)}, options...)...)
			_, err := client.Latch(t.Context(), 7, Latch{HubSpotID: 1})
			if err == nil || isOutcomeUnknown(err) || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %v", err)
			}
			requireNoKey(t, "the error", err.Error())
		})
	}
}

func TestCertificateErrorsAreNotRetried(t *testing.T) {
	t.Parallel()
	connections := 0
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = discardLog
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections++
		}
	}
	server.StartTLS()
	_, err := newTestClient(t, WithBaseURL(server.URL)).Customer(t.Context(), 7)
	server.Close()
	var certificate *tls.CertificateVerificationError
	if !errors.As(err, &certificate) || connections != 1 {
		t.Errorf("got %v after %d connections", err, connections)
	}
}

func TestSentWrites(t *testing.T) {
	t.Parallel()
	drop := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"id":`)
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	tests := map[string]struct {
		handler http.HandlerFunc
		http2   bool
		timeout time.Duration
		is      error
	}{
		"dropped":              {handler: drop, is: io.EOF},
		"dropped on HTTP/2":    {handler: drop, http2: true},
		"broken off":           {handler: half, is: io.ErrUnexpectedEOF},
		"broken off on HTTP/2": {handler: half, http2: true},
		"timeout":              {handler: hang, timeout: 100 * time.Millisecond},
		"timeout on HTTP/2":    {handler: hang, http2: true, timeout: 100 * time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if (r.ProtoMajor == 2) != test.http2 {
					t.Errorf("came over %s", r.Proto)
				}
				if r.Method == http.MethodGet {
					_, _ = io.WriteString(w, `[]`)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body) // Only then does the server notice that the client is gone.
				test.handler(w, r)
			}))
			server.EnableHTTP2 = test.http2
			server.Config.ErrorLog = discardLog
			server.StartTLS()
			defer server.Close()
			options := []Option{
				WithBaseURL(server.URL), WithMaxRetries(1), WithRetryWait(0, 0),
				WithTransport(server.Client().Transport),
			}
			// With a connection at hand, however slow this machine is, the write is sent before its
			// time is up.
			if _, err := newTestClient(t, options...).Customers(t.Context(), CustomersRequest{}); err != nil {
				t.Fatal(err)
			}
			if test.timeout > 0 {
				options = append(options, WithRequestTimeout(test.timeout))
			}
			_, err := newTestClient(t, options...).Latch(t.Context(), 7, Latch{HubSpotID: 1})
			if !isOutcomeUnknown(err) || test.is != nil && !errors.Is(err, test.is) &&
				!errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v", err)
			}
		})
	}
}

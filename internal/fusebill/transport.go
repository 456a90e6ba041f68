package fusebill

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// LevelTrace is the log level of bodies, below debug.
const LevelTrace = slog.LevelDebug - 4

const (
	// maxAnswerSize bounds an answer in memory. A page of 1,000 customers takes about 2 MiB.
	maxAnswerSize = 64 << 20
	// maxSilence bounds how long a connection of HTTP/2 is used before it is checked.
	maxSilence = 15 * time.Second
	// maxLoggedBody bounds how many bytes of a body a trace record shows.
	maxLoggedBody = 4 << 10
)

// newTransport returns a new transport, because the default one belongs to the whole process.
//
// A connection may break unnoticed, because a NAT drops it or the machine was suspended. All calls
// share one connection of HTTP/2, so each try of each call would wait on it for the whole timeout.
// Therefore the transport sends a ping on a connection that has received nothing for a quarter of
// the timeout or for maxSilence, and closes it if there is no response within the same time. The
// tries on the connection then fail early, and the next ones open a new connection. For HTTP/1.1,
// see closeIdle.
func newTransport(authorities *x509.CertPool, timeout time.Duration) http.RoundTripper {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // The program has replaced it.
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	}
	transport = transport.Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities}
	silence := min(timeout/4, maxSilence)
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: silence}
	transport.MaxIdleConnsPerHost = 64 // Parallel calls keep their connections.
	transport.MaxResponseHeaderBytes = 64 << 10
	return transport
}

// attemptTransport makes one try of a call: it waits until the quota allows the try, limits its
// time, reads and decodes the whole answer, and logs it. So a connection that breaks in the middle
// of the body is a failed try.
type attemptTransport struct {
	base    http.RoundTripper
	timeout time.Duration
	logger  *slog.Logger
	pacer   *pacer
	mask    mask
}

// RoundTrip implements [http.RoundTripper]. After a 429 by the limit of the minute it waits for the
// next window, so this does not count as a retry.
func (t *attemptTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	for waits := 0; ; waits++ {
		if err := t.pacer.wait(req.Context()); err != nil {
			return nil, err
		}
		sent := time.Now()
		if isTooLate(req.Context()) {
			_ = t.pacer.answered(sent, nil, true)
			return nil, ErrTooLate
		}
		resp, unsent, err := t.roundTrip(req)
		refusal := t.pacer.answered(sent, resp, unsent)
		switch {
		case refusal == nil:
			return resp, err
		case refusal.Window == Day || waits == maxMinuteWaits:
			return nil, refusal
		}
		if req, err = rewound(req); err != nil {
			return nil, err
		}
	}
}

// roundTrip sends the request once. For an error, unsent reports whether the service cannot have
// seen the request.
func (t *attemptTransport) roundTrip(req *http.Request) (resp *http.Response, unsent bool, err error) {
	tries := triesFrom(req.Context())
	tries.count++
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.timeout,
		fmt.Errorf("no complete answer within %s", t.timeout))
	defer cancel()
	start := time.Now()
	conn := new(connection)
	resp, err = t.readAll(req.WithContext(conn.watch(ctx)))
	if err == nil && resp.StatusCode == http.StatusOK && tries.decode != nil {
		body := answerOf(resp)
		body.decodeErr = tries.decode(body.all)
	}
	unsent = err != nil && conn.isMissing(err)
	if err != nil && req.Context().Err() == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
		t.closeIdle()
	}
	err = t.mask.error(err)
	tries.record(resp, unsent)
	t.log(req, tries.count, resp, err, time.Since(start))
	return resp, unsent, err
}

// closeIdle closes the connections that no call uses. After one connection has timed out, the
// others may be broken, too, and the next tries of a call would wait on each of them.
func (t *attemptTransport) closeIdle() {
	if closer, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// readAll sends the request and reads the whole answer into memory.
func (t *attemptTransport) readAll(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerSize+1))
	if err != nil {
		return nil, fmt.Errorf("the answer is incomplete: %w", err)
	}
	if len(body) > maxAnswerSize {
		return nil, &answerTooLargeError{}
	}
	for _, values := range resp.Header {
		for i, value := range values {
			values[i] = t.mask(value) // The content type and the target of a redirect become parts of errors.
		}
	}
	resp.Body = &answerBody{Reader: bytes.NewReader(body), all: body}
	return resp, nil
}

// answerBody is the body of an answer that is in memory already.
type answerBody struct {
	*bytes.Reader
	all       []byte // the whole body, however much of it was read
	decodeErr error  // why the body of a 200 is not what the call asked for
}

func (*answerBody) Close() error { return nil }

// answerOf returns the body of an answer of attemptTransport.
func answerOf(resp *http.Response) *answerBody {
	body, ok := resp.Body.(*answerBody)
	if !ok {
		return new(answerBody)
	}
	return body
}

// answerTooLargeError is the error of an answer that is larger than maxAnswerSize.
type answerTooLargeError struct{}

func (*answerTooLargeError) Error() string {
	return fmt.Sprintf("the answer is larger than %d MiB", maxAnswerSize>>20)
}

// rewound returns a copy of a request whose body can be sent again.
func rewound(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, nil
}

// log records a try. It has no headers, one of which contains the key.
func (t *attemptTransport) log(req *http.Request, try int, resp *http.Response, err error, took time.Duration) {
	ctx := req.Context()
	if !t.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", req.Method),
		slog.String("path", req.URL.Path),
		slog.String("query", req.URL.Query().Get("query")),
		slog.Int("try", try),
		slog.Duration("took", took),
	}
	if err != nil {
		t.logger.LogAttrs(ctx, slog.LevelDebug, "the call failed", append(attrs, slog.Any("error", err))...)
		return
	}
	attrs = append(attrs, slog.Int("status", resp.StatusCode))
	t.logger.LogAttrs(ctx, slog.LevelDebug, "the API answered", attrs...)
	if t.logger.Enabled(ctx, LevelTrace) {
		body := answerOf(resp).all
		t.logger.LogAttrs(ctx, LevelTrace, "the bodies of a call", append(attrs,
			slog.String("sent", sentBody(req)),
			slog.String("body", t.mask.cut(body, maxLoggedBody)))...)
	}
}

// sentBody returns the body of a request that was sent. The bodies of this client are small.
func sentBody(req *http.Request) string {
	again, err := rewound(req)
	if err != nil || again.Body == nil {
		return ""
	}
	body, err := io.ReadAll(again.Body)
	if err != nil {
		return ""
	}
	return string(body)
}

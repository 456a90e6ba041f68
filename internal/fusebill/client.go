package fusebill

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Defaults of the options of the same names.
const (
	DefaultBaseURL        = "https://secure.fusebill.com/v1"
	DefaultMaxRetries     = 4
	DefaultRequestTimeout = 60 * time.Second
)

// Client calls the API with one key. It is safe for concurrent use.
type Client struct {
	baseURL *url.URL
	retry   *retryablehttp.Client
	pacer   *pacer
	mask    mask
	// headers returns those of every request. It is a function, so no dump of a Client can show the
	// key.
	headers func() http.Header
}

// settings are the values of the options.
type settings struct {
	baseURL           *url.URL
	userAgent         string
	maxRetries        int
	retryWaitMin      time.Duration
	retryWaitMax      time.Duration
	requestTimeout    time.Duration
	requestsPerMinute int
	logger            *slog.Logger
	transport         http.RoundTripper
	authorities       *x509.CertPool // nil: those of the system
	mask              mask
}

// Option sets one property of a [Client]; an invalid value is an error of [NewClient].
type Option func(*settings) error

// WithBaseURL sets the base URL of the API, in a form that [ParseBaseURL] accepts. Default:
// [DefaultBaseURL].
func WithBaseURL(raw string) Option {
	return func(s *settings) (err error) {
		s.baseURL, err = ParseBaseURL(raw)
		return err
	}
}

// WithUserAgent sets the User-Agent header.
func WithUserAgent(userAgent string) Option {
	return func(s *settings) error {
		s.userAgent = userAgent
		return nil
	}
}

// WithMaxRetries sets the maximum number of retries of a call, 0 or more. Default:
// [DefaultMaxRetries].
func WithMaxRetries(n int) Option {
	return func(s *settings) error {
		if n < 0 {
			return fmt.Errorf("max retries must be 0 or more, not %d", n)
		}
		s.maxRetries = n
		return nil
	}
}

// WithRetryWait sets the shortest and the longest wait between two tries. The wait doubles with
// each try. Default: half a second and 30 seconds.
func WithRetryWait(shortest, longest time.Duration) Option {
	return func(s *settings) error {
		if shortest < 0 || longest < shortest {
			return fmt.Errorf("the retry wait must be 0 or more and grow, not from %s to %s", shortest, longest)
		}
		s.retryWaitMin, s.retryWaitMax = shortest, longest
		return nil
	}
}

// WithRequestTimeout bounds one try, from its sending to the last byte of the answer. Default:
// [DefaultRequestTimeout].
func WithRequestTimeout(timeout time.Duration) Option {
	return func(s *settings) error {
		if timeout <= 0 {
			return fmt.Errorf("request timeout must be more than 0, not %s", timeout)
		}
		s.requestTimeout = timeout
		return nil
	}
}

// WithRequestsPerMinute sets a limit for this client that is below the limit of the account, which
// leaves the rest of the quota to others. Default: the limit of the account, as the service reports
// it.
func WithRequestsPerMinute(n int) Option {
	return func(s *settings) error {
		if n < 1 {
			return fmt.Errorf("requests per minute must be 1 or more, not %d", n)
		}
		s.requestsPerMinute = n
		return nil
	}
}

// WithLogger sets the logger of calls. Each try is one debug record with its method, path and
// status; bodies are one level below debug ([LevelTrace]); waits of a second or more are info
// records. Headers are never logged. Each record has the context of its call. Default: none.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		s.logger = logger
		return nil
	}
}

// WithCACertificates adds certificate authorities, in PEM form, to those of the system. It has no
// effect together with [WithTransport].
func WithCACertificates(pem []byte) Option {
	return func(s *settings) (err error) {
		s.authorities, err = parseAuthorities(pem)
		return err
	}
}

// WithTransport sets the transport of the requests, such as a simulator in tests. Default: a new
// transport that uses TLS 1.2 or later and the proxies that the environment names.
func WithTransport(transport http.RoundTripper) Option {
	return func(s *settings) error {
		s.transport = transport
		return nil
	}
}

// NewClient returns a client that authenticates with apiKey, in a form that [ParseAPIKey] accepts.
// It makes no call.
func NewClient(apiKey string, options ...Option) (*Client, error) {
	key, err := ParseAPIKey(apiKey)
	if err != nil {
		return nil, err
	}
	s := settings{
		maxRetries:     DefaultMaxRetries,
		retryWaitMin:   500 * time.Millisecond,
		retryWaitMax:   30 * time.Second,
		requestTimeout: DefaultRequestTimeout,
		logger:         slog.New(slog.DiscardHandler),
		mask:           newMask(key),
	}
	for _, option := range append([]Option{WithBaseURL(DefaultBaseURL)}, options...) {
		if err := option(&s); err != nil {
			return nil, err
		}
	}
	if s.transport == nil {
		s.transport = newTransport(s.authorities, s.requestTimeout)
	}
	p := newPacer(s)
	return &Client{
		baseURL: s.baseURL,
		retry:   newRetryClient(s, p),
		pacer:   p,
		mask:    s.mask,
		headers: func() http.Header {
			return http.Header{
				"Authorization": {"Basic " + key},
				"Accept":        {"application/json"},
				"User-Agent":    {s.userAgent},
			}
		},
	}, nil
}

// call is one call of the API.
type call struct {
	method string
	path   string // below the base URL
	query  url.Values
	body   any                     // encoded as JSON; nil: none
	decode func(body []byte) error // reads the body of each answer with status 200
	write  bool                    // changes something
	list   bool                    // is about no single customer
}

// do makes a call, retries it as the package comment describes, and returns the headers of the
// answer.
func (c *Client) do(ctx context.Context, call call) (http.Header, error) {
	req, err := c.newRequest(ctx, call)
	if err != nil {
		return nil, err
	}
	tries := &tries{decode: call.decode}
	resp, err := c.retry.Do(req.WithContext(withTries(ctx, tries)))
	if resp != nil {
		defer resp.Body.Close()
	}
	switch {
	case err == nil:
		err = c.answerError(resp, call)
	case ctx.Err() != nil: // The end of the context is the cause of the broken call.
		err = endOf(ctx)
	}
	if err == nil {
		return resp.Header, nil
	}
	err = fmt.Errorf("%s %s: %w", call.method, call.path, unwrapURLError(err))
	if call.write && tries.mayHaveReachedService() {
		err = &OutcomeUnknownError{Err: err}
	}
	return nil, err
}

func (c *Client) newRequest(ctx context.Context, call call) (*retryablehttp.Request, error) {
	target := c.baseURL.JoinPath(call.path) //nolint:gosec // A path is a constant, with an integer at most.
	target.RawQuery = call.query.Encode()
	var body any
	if call.body != nil {
		encoded, err := json.Marshal(call.body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		body = encoded
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, call.method, target.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header = c.headers()
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// answerError returns the error of an answer to a call, or nil if the answer was accepted and
// decoded. The error must not be changed later: it may be the cause with which the context of
// another call ends.
func (c *Client) answerError(resp *http.Response, call call) error {
	body := answerOf(resp)
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		apiErr := newAPIError(resp, body.all, c.mask)
		apiErr.IsRead, apiErr.isList, apiErr.BaseURL = !call.write, call.list, c.baseURL.String()
		return apiErr
	case resp.StatusCode != http.StatusOK:
		body.decodeErr = fmt.Errorf("its status is %d %s instead of 200 OK",
			resp.StatusCode, http.StatusText(resp.StatusCode))
	case body.decodeErr == nil:
		return nil
	}
	malformed := &MalformedAnswerError{ContentType: resp.Header.Get("Content-Type"), Err: c.mask.error(body.decodeErr)}
	if text := bytes.TrimSpace(body.all); len(text) > 0 && text[0] != '{' && text[0] != '[' {
		malformed.Excerpt = c.mask.excerpt(text) // A customer object would show a person's name and email address.
	}
	return malformed
}

// endOf returns why a context ended: canceled or out of time, with the cause if there is one.
func endOf(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// unwrapURLError removes the method and the URL that net/http puts before an error, because this
// package names the call in the terms of the API.
func unwrapURLError(err error) error {
	if urlErr := (*url.Error)(nil); errors.As(err, &urlErr) {
		return urlErr.Err
	}
	return err
}

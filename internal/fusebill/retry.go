package fusebill

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

func newRetryClient(s settings, p *pacer) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: &attemptTransport{
				base: s.transport, timeout: s.requestTimeout, logger: s.logger, pacer: p, mask: s.mask,
			},
			CheckRedirect: checkRedirect,
		},
		RetryMax:     s.maxRetries,
		RetryWaitMin: s.retryWaitMin,
		RetryWaitMax: s.retryWaitMax,
		CheckRetry:   checkRetry,
		Backoff:      backoff,
		// The last answer or error is returned unchanged, so errors can quote it.
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// checkRetry reports whether a retry may succeed. The wait for the quota of a minute is not a
// retry, see pacer.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	switch {
	case err == nil && isFinalAnswer(resp): // The outcome is known, even if the context has ended meanwhile.
		return false, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	default:
		return err == nil || !isFinal(err), nil
	}
}

// isFinalAnswer reports whether a retry would have the same answer.
func isFinalAnswer(resp *http.Response) bool {
	switch {
	case isFault(resp.StatusCode):
		return false
	case resp.StatusCode == http.StatusOK:
		// Otherwise it is a page of a proxy or a part of an answer, and a retry may get the whole
		// answer.
		return !isCutOff(answerOf(resp).decodeErr)
	default:
		return true
	}
}

// isFinal reports whether a retry would end in the same error.
func isFinal(err error) bool {
	var (
		redirect    *RedirectError
		tooLarge    *answerTooLargeError
		rateLimit   *RateLimitError
		certificate *tls.CertificateVerificationError
	)
	return errors.As(err, &redirect) || errors.As(err, &tooLarge) || errors.As(err, &rateLimit) ||
		errors.As(err, &certificate) || errors.Is(err, ErrTooLate)
}

// backoff doubles the wait with each try, up to longest. It shortens each wait at random by up to a
// quarter, so calls that have failed together are not retried together. A Retry-After makes the
// wait longer, up to the same bound.
func backoff(shortest, longest time.Duration, try int, resp *http.Response) time.Duration {
	wait := shortest
	for range try {
		wait = min(2*wait, longest)
	}
	wait -= time.Duration(rand.Float64() * float64(wait) / 4)
	if resp == nil {
		return wait
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		date = time.Now()
	}
	asked, _ := retryAfter(resp.Header, date)
	return max(wait, min(asked, longest))
}

// RedirectError is the error of a redirect that the client does not follow: the API key must not be
// sent to another host, and a latch call would lose its body.
type RedirectError struct {
	Target string // scheme, host and path, without a query, which may hold a secret
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("the answer redirects to %s; the provider does not follow, because the API key is only for the "+
		"host of the base URL", e.Target)
}

// checkRedirect refuses redirects to another host or scheme, to which the key must not be sent, and
// redirects of a POST. After a 301, 302 or 303, net/http turns a POST into a GET, and a write that
// became a read would look successful.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme || req.Method != first.Method ||
		len(via) > 3 {
		return &RedirectError{Target: req.URL.Scheme + "://" + req.URL.Host + req.URL.Path}
	}
	return nil
}

// tries records, over all tries of one call, whether a failed write may have been made. The tries
// of a call follow one another, so it needs no lock.
type tries struct {
	decode func(body []byte) error // of the call
	count  int
	isOpen bool // a try ended without a clear refusal after its request may have arrived
}

// mayHaveReachedService reports whether the service may have carried out one of the tries.
func (t *tries) mayHaveReachedService() bool { return t.isOpen }

// record records the end of a try; resp is nil where there was no answer.
func (t *tries) record(resp *http.Response, unsent bool) {
	if resp == nil {
		t.isOpen = t.isOpen || !unsent
		return
	}
	t.isOpen = t.isOpen || isFault(resp.StatusCode) || resp.StatusCode < 300
}

type triesKey struct{}

func withTries(ctx context.Context, t *tries) context.Context {
	return context.WithValue(ctx, triesKey{}, t)
}

func triesFrom(ctx context.Context) *tries {
	t, _ := ctx.Value(triesKey{}).(*tries)
	if t == nil {
		return new(tries)
	}
	return t
}

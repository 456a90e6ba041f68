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

// checkRetry decides whether another try may succeed. The wait for a minute's quota is not a retry:
// see pacer.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	switch {
	case err == nil && isFinalAnswer(resp): // Also for a caller that has ended meanwhile: the outcome is known.
		return false, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	default:
		return err == nil || !isFinal(err), nil
	}
}

// isFinalAnswer reports whether another try would bring the same answer.
func isFinalAnswer(resp *http.Response) bool {
	switch {
	case isFault(resp.StatusCode):
		return false
	case resp.StatusCode == http.StatusOK:
		// Otherwise it is a proxy's page or a part of an answer, and the next try may bring the
		// whole answer.
		return !isCutOff(answerOf(resp).decodeErr)
	default:
		return true
	}
}

// isFinal reports whether another try would end in the same error.
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

// backoff doubles the wait with each try, up to longest, and shortens it by up to a quarter at
// random: calls that failed together then do not return together. A Retry-After makes the wait
// longer, within the same bound.
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

// RedirectError refuses a redirect: the API key stays with its host, and a latch call would lose
// its body.
type RedirectError struct {
	Target string // scheme, host and path, without a query, which may hold a secret
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("the answer redirects to %s; the provider does not follow, because the API key is only for the "+
		"host of the base URL", e.Target)
}

// checkRedirect keeps the key on its host and scheme, and keeps a POST a POST: net/http turns it
// into a GET after a 301, 302 or 303, and a write that became a read would look as if it were done.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme || req.Method != first.Method ||
		len(via) > 3 {
		return &RedirectError{Target: req.URL.Scheme + "://" + req.URL.Host + req.URL.Path}
	}
	return nil
}

// tries records, over all tries of one call, whether a failed write may have been done. The tries
// of a call follow one another, so it needs no lock.
type tries struct {
	decode func(body []byte) error // of the call
	count  int
	isOpen bool // a try ended without a clear refusal after its request may have arrived
}

// mayHaveReachedService reports whether the service may have carried out one of the tries.
func (t *tries) mayHaveReachedService() bool { return t.isOpen }

// record notes how a try ended; resp is nil where no answer came.
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

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

func newRetryClient(s settings) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: &attemptTransport{
				base: s.transport, timeout: s.requestTimeout, logger: s.logger, pacer: newPacer(s), mask: s.mask,
			},
			CheckRedirect: checkRedirect,
		},
		RetryMax:     s.maxRetries,
		RetryWaitMin: s.retryWaitMin,
		RetryWaitMax: s.retryWaitMax,
		CheckRetry:   checkRetry,
		Backoff:      backoff,
		// The last answer or error comes back as it is, so that errors can quote it.
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// checkRetry tries again what may go well next time. The wait for a minute's quota isn't a retry: see pacer.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	switch {
	case err == nil && isFinalAnswer(resp): // Even for a caller who has ended meanwhile: what was done is known.
		return false, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	default:
		return err == nil || !isFinal(err), nil
	}
}

// isFinalAnswer says whether another try would bring the same answer.
func isFinalAnswer(resp *http.Response) bool {
	switch {
	case isFault(resp.StatusCode):
		return false
	case resp.StatusCode == http.StatusOK:
		// Otherwise it's a proxy's page or the first half of an answer: the next try may bring the whole one.
		return !isCutOff(answerOf(resp).decodeErr)
	default:
		return true
	}
}

// isFinal says whether another try would end in the same error.
func isFinal(err error) bool {
	var (
		redirect    *RedirectError
		tooLarge    *answerTooLargeError
		rateLimit   *RateLimitError
		certificate *tls.CertificateVerificationError
	)
	return errors.As(err, &redirect) || errors.As(err, &tooLarge) || errors.As(err, &rateLimit) ||
		errors.As(err, &certificate)
}

// backoff doubles the wait with each try, up to longest, and spreads it by a quarter, so that calls that failed together
// don't come back together. A Retry-After makes it longer, within the same bound.
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

// RedirectError refuses a redirect: the API key stays with its host, and a latch call would lose its body.
type RedirectError struct {
	target string
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("the service redirects to %s, which isn't followed, since the API key stays with the host that it was "+
		"given for and a call stays what it is: check the base URL", e.target)
}

// checkRedirect keeps the key on its host and scheme, and keeps a POST a POST: net/http turns it into a GET on a 301,
// 302 or 303, and a write that became a read would pass for done.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme || req.Method != first.Method || len(via) > 3 {
		return &RedirectError{target: req.URL.Scheme + "://" + req.URL.Host + req.URL.Path}
	}
	return nil
}

// tries records, over all tries of one call, what decides whether a failed write may have been done. A call's tries
// come one after another, so it needs no lock.
type tries struct {
	decode  func(body []byte) error // of the call
	count   int
	unclear bool
}

// mayHaveReachedService says whether any try ended without a clear refusal after its request may have arrived.
func (t *tries) mayHaveReachedService() bool { return t.unclear }

// record notes how a try ended; resp is nil where no answer came.
func (t *tries) record(resp *http.Response, unsent bool) {
	if resp == nil {
		t.unclear = t.unclear || !unsent
		return
	}
	t.unclear = t.unclear || isFault(resp.StatusCode) || resp.StatusCode < 300
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

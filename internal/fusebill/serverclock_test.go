package fusebill

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestServerClock(t *testing.T) {
	t.Parallel()
	ours := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	var clock serverClock
	if got := clock.local(ours); !got.Equal(ours) {
		t.Errorf("a clock that knows nothing says %s", got)
	}
	// The service is 3 minutes ahead; an answer takes 200 ms.
	for range 50 {
		sent := ours.Add(time.Duration(rand.Int64N(int64(time.Hour))))
		clock.observe(sent.Add(100*time.Millisecond+3*time.Minute).Truncate(time.Second), sent, sent.Add(200*time.Millisecond))
	}
	requireLocal(t, &clock, ours, 3*time.Minute)

	// It is set back: what was known doesn't hold any more.
	for range 50 {
		sent := ours.Add(time.Duration(rand.Int64N(int64(time.Hour))))
		clock.observe(sent.Add(100*time.Millisecond-3*time.Minute).Truncate(time.Second), sent, sent.Add(200*time.Millisecond))
	}
	requireLocal(t, &clock, ours, -3*time.Minute)
}

// requireLocal fails unless a time of the service's clock, which is ahead of ours, is surely reached at our own, and not
// more than about a second and a round trip before.
func requireLocal(t *testing.T, clock *serverClock, at time.Time, ahead time.Duration) {
	t.Helper()
	exact := at.Add(-ahead)
	if got := clock.local(at); got.Before(exact) || got.Sub(exact) > 1200*time.Millisecond {
		t.Errorf("got %s, exact is %s", got, exact)
	}
}

func TestServerClockIsExactForInstantAnswers(t *testing.T) {
	t.Parallel()
	ours := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	var clock serverClock
	clock.observe(ours.Add(time.Minute), ours, ours)
	if got := clock.local(ours.Add(2 * time.Minute)); !got.Equal(ours.Add(time.Minute)) {
		t.Errorf("got %s", got)
	}
}

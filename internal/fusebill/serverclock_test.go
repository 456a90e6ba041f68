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
		clock.observe(sent.Add(100*time.Millisecond+3*time.Minute).Truncate(time.Second), sent,
			sent.Add(200*time.Millisecond))
	}
	requireLocal(t, &clock, ours, 3*time.Minute)

	// It is set back: what was known does not hold any more.
	for range 50 {
		sent := ours.Add(time.Duration(rand.Int64N(int64(time.Hour))))
		clock.observe(sent.Add(100*time.Millisecond-3*time.Minute).Truncate(time.Second), sent,
			sent.Add(200*time.Millisecond))
	}
	requireLocal(t, &clock, ours, -3*time.Minute)
}

// requireLocal fails unless a time of the service's clock, which is ahead of ours, is surely
// reached at our own, and not more than about a second and a round trip before.
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

// Calls that were counted before a reset, although the Date was past it, prove that the Date is
// wrong.
func TestServerClockPrefersWhatWasCounted(t *testing.T) {
	t.Parallel()
	reset := time.Date(2026, 1, 2, 15, 1, 0, 0, time.UTC)
	var clock serverClock
	sent := reset.Add(-40 * time.Second)
	clock.observe(sent.Add(5*time.Second), sent, sent)
	clock.observeReset(reset, sent, sent)
	requireLocalAt := func(what string, want time.Duration) {
		t.Helper()
		if got := clock.local(reset); !got.Equal(reset.Add(want)) {
			t.Errorf("%s: the reset is at %s, not %s", what, got.Sub(reset), want)
		}
	}
	requireLocalAt("by the Date", -5*time.Second)
	for refused := -5 * time.Second; refused < 0; refused += resetSlack {
		clock.observeReset(reset, reset.Add(refused), reset.Add(refused))
		requireLocalAt("after a refusal", refused+resetSlack)
	}
	next := reset.Add(minuteWindow)
	clock.observeReset(next, reset.Add(time.Second), reset.Add(time.Second))
	requireLocalAt("in the next minute", time.Second)

	// A clock is set: the newest evidence alone counts.
	clock.observeReset(next.Add(time.Hour), next, next)
	if got := clock.local(next.Add(time.Hour)); got.Before(next) || got.After(next.Add(minuteWindow+resetJitter)) {
		t.Errorf("the reset is at %s", got)
	}
}

package fusebill

import "time"

// serverClock learns how far the service's clock is from ours, since resets are given by the service's. A Date header
// has whole seconds: each answer narrows the difference down to an interval, and many of them to about a round trip.
type serverClock struct {
	// The service's clock minus ours lies between these two.
	least, most time.Duration
	known       bool
}

// observe learns from the Date of an answer to a request sent and answered at these times of our clock.
func (c *serverClock) observe(date, sent, answered time.Time) {
	least := date.Sub(answered)
	most := date.Add(time.Second).Sub(sent)
	if !c.known || least > c.most || most < c.least { // The first, or one of the clocks was set.
		*c = serverClock{least: least, most: most, known: true}
		return
	}
	c.least, c.most = max(c.least, least), min(c.most, most)
}

// local returns when, by our clock, the service's clock has surely reached t.
func (c *serverClock) local(t time.Time) time.Time { return t.Add(-c.least) }

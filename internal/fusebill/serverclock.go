package fusebill

import "time"

// serverClock estimates the difference between this machine's clock and the clock by which the
// service counts calls, because the service reports resets by its own clock.
//
// The Date of an answer is the first evidence. It has whole seconds, so each answer limits the
// difference to an interval, and many answers limit it to about one round trip. But a load balancer
// may write the Date by another clock. The reset of an answer is the stronger evidence: the service
// counted the call before that reset, and at most one window earlier.
type serverClock struct {
	date, count interval
}

// interval bounds the difference of the service's clock minus this machine's clock.
type interval struct {
	least, most time.Duration
	isKnown     bool
}

// narrow adds an observation. If it contradicts the earlier ones, one of the clocks was set, and
// the interval becomes that of this observation.
func (i *interval) narrow(least, most time.Duration) {
	if !i.isKnown || least > i.most || most < i.least {
		*i = interval{least: least, most: most, isKnown: true}
		return
	}
	i.least, i.most = max(i.least, least), min(i.most, most)
}

// observe learns from the Date of an answer to a request sent and answered at these times of our
// clock.
func (c *serverClock) observe(date, sent, answered time.Time) {
	c.date.narrow(date.Sub(answered), date.Add(time.Second).Sub(sent))
}

// observeReset learns from the end of the minute in which the service counted a request sent and
// answered at these times of our clock.
func (c *serverClock) observeReset(reset, sent, answered time.Time) {
	c.count.narrow(reset.Add(-minuteWindow-resetJitter).Sub(answered), reset.Sub(sent))
}

// local returns a time of our clock at which the service's clock has reached t, by the evidence so
// far. That is certain unless the Date comes from a clock that runs ahead. A request that was
// counted before t although its Date was after t proves such a clock. Then local returns a time a
// little after that request was sent.
func (c *serverClock) local(t time.Time) time.Time {
	ahead := c.date.least
	if c.count.isKnown {
		if ahead >= c.count.most {
			ahead = c.count.most - resetSlack
		}
		ahead = max(ahead, c.count.least)
	}
	return t.Add(-ahead)
}

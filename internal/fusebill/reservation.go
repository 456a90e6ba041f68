package fusebill

import (
	"context"
	"errors"
	"time"
)

// Reservation is a number of calls of the account's quota that only the calls of its own contexts
// may use.
type Reservation struct {
	pacer *pacer
	left  int
}

type reservationKey struct{}

// Reserve waits until n calls are left of the account's quota and keeps them, in this and in later
// windows, for the calls of the reservation's own contexts. A change that takes more than one call,
// and must not stop half way, reserves them first.
func (c *Client) Reserve(ctx context.Context, n int) (*Reservation, error) {
	p := c.pacer
	r := &Reservation{pacer: p}
	latest := time.Now().Add(minuteWindow + clockPrecision)
	for {
		p.mu.Lock()
		now := time.Now()
		if !now.Before(p.window.end) {
			p.before, p.window = p.window, p.nextWindowLocked(now)
		}
		left := p.leftLocked() - p.reserved - 1 // One call remains for the others.
		// At most half of the quota is reserved, or else the calls that a reservation waits for would
		// wait for it. What one reservation waits for must not wait for another for ever, so after a
		// window it gets fewer calls, or none.
		if isOver := !now.Before(latest); isOver || left >= n && (p.reserved == 0 || p.reserved+n <= p.limit/2) {
			r.left = max(min(n, left), 0)
			p.reserved += r.left
			p.mu.Unlock()
			return r, nil
		}
		end, changed := p.window.end, p.changed
		p.mu.Unlock()
		if latest.Before(end) {
			end = latest
		}
		if err := sleep(ctx, end, changed); err != nil {
			return nil, err
		}
	}
}

// Context returns a context for calls that use the reservation, as long as calls are left of it.
func (r *Reservation) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, reservationKey{}, r)
}

// Release ends a reservation. It may be called on nil, and more than once.
func (r *Reservation) Release() {
	if r == nil {
		return
	}
	r.pacer.mu.Lock()
	defer r.pacer.mu.Unlock()
	r.pacer.reserved -= r.left
	r.left = 0
	r.pacer.wakeAllLocked()
}

// reservedForOthersLocked is how many of the calls that are left a call must not use.
func (p *pacer) reservedForOthersLocked(ctx context.Context) int {
	reserved := p.reserved
	if r, ok := ctx.Value(reservationKey{}).(*Reservation); ok {
		reserved -= r.left
	}
	return min(reserved, p.limit/2) // The limit may turn out to be smaller than what was reserved.
}

// useReservedLocked takes a call out of the reservation of its context, if there is one.
func (p *pacer) useReservedLocked(ctx context.Context) {
	if r, ok := ctx.Value(reservationKey{}).(*Reservation); ok && r.left > 0 {
		r.left--
		p.reserved--
	}
}

// ErrTooLate is the error of a call that was not sent, or not sent again, since the time that
// [SendBefore] sets was over.
var ErrTooLate = errors.New("the time in which the call was to be sent is over")

type sendBeforeKey struct{}

// SendBefore returns a context for calls that are to be sent before a time, such as a write that is
// based on a read. A call that waits for the quota or for another try until then fails with
// [ErrTooLate].
func SendBefore(ctx context.Context, t time.Time) context.Context {
	return context.WithValue(ctx, sendBeforeKey{}, t)
}

func isTooLate(ctx context.Context) bool {
	t, ok := ctx.Value(sendBeforeKey{}).(time.Time)
	return ok && time.Now().After(t)
}

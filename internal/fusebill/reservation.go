package fusebill

import (
	"context"
	"errors"
	"time"
)

// Reservation is a number of calls of the account's quota that only the calls of its own contexts
// may use.
type Reservation struct {
	pacer   *pacer
	left    int
	isBrief bool
}

type reservationKey struct{}

// Reserve waits until n calls are left of the account's quota and keeps them, in this and in later
// windows, for the calls of the reservation's own contexts. A change that takes more than one call,
// and must not stop half way, reserves them first.
//
// At most half of the quota is reserved in this way, or else the calls that a reservation waits for
// would wait for it.
func (c *Client) Reserve(ctx context.Context, n int) (*Reservation, error) {
	return c.pacer.reserve(ctx, n, false)
}

// ReserveBriefly is [Client.Reserve] for calls that follow each other at once, such as a read and
// the write that it decides on. Its calls do not count towards the half of the quota,
// since nothing else has to happen before it is used.
func (c *Client) ReserveBriefly(ctx context.Context, n int) (*Reservation, error) {
	return c.pacer.reserve(ctx, n, true)
}

// reserve waits for at most one window, and then reserves fewer calls, or none: reservations that
// need each other's calls must not wait forever.
func (p *pacer) reserve(ctx context.Context, n int, isBrief bool) (*Reservation, error) {
	r := &Reservation{pacer: p, isBrief: isBrief}
	latest := time.Now().Add(minuteWindow + clockPrecision)
	for {
		p.mu.Lock()
		now := time.Now()
		if !now.Before(p.window.end) {
			p.before, p.window = p.window, p.nextWindowLocked(now)
		}
		left := p.leftLocked() - p.reserved - p.reservedBriefly - 1 // One call remains for the others.
		isWithinHalf := isBrief || p.reserved == 0 || p.reserved+n <= p.allowedLocked()/2
		if isOver := !now.Before(latest); isOver || left >= n && isWithinHalf {
			r.changeLocked(max(min(n, left), 0))
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

// changeLocked adds a number of calls to a reservation.
func (r *Reservation) changeLocked(calls int) {
	r.left += calls
	if r.isBrief {
		r.pacer.reservedBriefly += calls
	} else {
		r.pacer.reserved += calls
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
	r.changeLocked(-r.left)
	r.pacer.wakeAllLocked()
}

// reservedForOthersLocked returns the number of calls that are left but kept for others than this
// call. The limit may turn out to be smaller than the number of reserved calls.
func (p *pacer) reservedForOthersLocked(ctx context.Context) int {
	reserved, briefly := p.reserved, p.reservedBriefly
	if r, ok := ctx.Value(reservationKey{}).(*Reservation); ok && r.isBrief {
		briefly -= r.left
	} else if ok {
		reserved -= r.left
	}
	return min(min(reserved, p.allowedLocked()/2)+briefly, p.allowedLocked()-1)
}

// useReservedLocked removes a call from the reservation of its context, if there is one.
func (p *pacer) useReservedLocked(ctx context.Context) {
	if r, ok := ctx.Value(reservationKey{}).(*Reservation); ok && r.left > 0 {
		r.changeLocked(-1)
	}
}

// ErrTooLate is the error of a call that was not sent, or not sent again, because the condition of
// [SendWhile] no longer held.
var ErrTooLate = errors.New("the call was not sent in time")

type sendWhileKey struct{}

// SendWhile returns a context for calls that may be sent only while a condition holds, such as a
// write that is based on a read of a limited age. A call for which the condition ends while it
// waits for the quota or for another try fails with [ErrTooLate]. The condition may be checked in
// any goroutine.
func SendWhile(ctx context.Context, holds func() bool) context.Context {
	return context.WithValue(ctx, sendWhileKey{}, holds)
}

func isTooLate(ctx context.Context) bool {
	holds, ok := ctx.Value(sendWhileKey{}).(func() bool)
	return ok && !holds()
}

package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// limitCase is an apply in an account whose limit is felt. A real minute would make it take many of them, so the window
// is shorter, and the limit too where Terraform on this machine couldn't use it up.
type limitCase struct {
	kind      string // of account
	limit     int    // calls in each window
	window    time.Duration
	as        string // what that is of the real limit
	creates   int    // enough for several windows
	otherHalf bool   // whether somebody else uses half of the quota
	set       bool   // whether the creates are those of a latch set
}

const (
	liveLimit      = "1,000 a minute: a fifth of both"
	liveLimitOfSet = "1,000 a minute: a tenth of the minute"
	sandboxLimit   = "50 a minute: a tenth of the minute"
)

func (b *bench) limitCases() []limitCase {
	if b.quick {
		return []limitCase{{kind: "sandbox", limit: 50, window: 6 * time.Second, as: sandboxLimit, creates: 150}}
	}
	return []limitCase{
		{kind: "live", limit: 200, window: 12 * time.Second, as: liveLimit, creates: 1000},
		{kind: "live", limit: 200, window: 12 * time.Second, as: liveLimit, creates: 1000, otherHalf: true},
		{kind: "live", limit: 1000, window: 6 * time.Second, as: liveLimitOfSet, creates: mostInOneSet, set: true},
		{kind: "sandbox", limit: 50, window: 6 * time.Second, as: sandboxLimit, creates: 200},
		{kind: "sandbox", limit: 50, window: 6 * time.Second, as: sandboxLimit, creates: 200, otherHalf: true},
	}
}

// company says in words who else uses the account.
func (c limitCase) company() string {
	if c.otherHalf {
		return "another uses half"
	}
	return "alone"
}

// resource says in words what makes the latches.
func (c limitCase) resource() string {
	if c.set {
		return "a set"
	}
	return "resources"
}

// limitedRow is what came of a limitCase.
type limitedRow struct {
	limitCase
	measurement
	reads, writes int // that weren't refused
	bound         int // of the reads
	refusedBound  int
	share         float64 // of the calls that were allowed, in whole windows
	windows       int     // how many these are
}

// measureLimits measures applies that have to wait for their account's quota.
func (b *bench) measureLimits(ctx context.Context) ([]limitedRow, error) {
	var rows []limitedRow
	for _, c := range b.limitCases() {
		b.tell("%s account: %s creates, %d calls in %s, %s.", c.kind, grouped(c.creates), c.limit, c.window, c.company())
		r, err := b.measureLimit(ctx, c)
		if err != nil {
			return rows, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (b *bench) measureLimit(ctx context.Context, c limitCase) (limitedRow, error) {
	a, err := openAccount(ctx, fusebillsim.Config{
		LimitMinute: c.limit,
		LimitDay:    noLimit,
		Minute:      c.window,
		Behavior:    fusebillsim.Behavior{Latency: b.latency},
	}, c.creates)
	if err != nil {
		return limitedRow{}, err
	}
	defer a.close()
	workspace, reads := b.latches, readsBound(c.creates, c.creates, b.parallelism[0])
	if c.set {
		workspace, reads = b.set, setReadsBound(c.creates, c.creates)
	}
	if err := workspace.clear(); err != nil {
		return limitedRow{}, err
	}
	if err := workspace.declare(a.chosen(c.creates)); err != nil {
		return limitedRow{}, err
	}
	other := &other{account: a, half: c.limit / 2, window: c.window, calls: make(map[time.Time]int)}
	if c.otherHalf {
		a.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultNone, Times: -1, OnAnswer: other.call})
	}
	m, err := b.measure(ctx, b.apply(workspace, a, c.creates))
	if err != nil {
		return limitedRow{}, err
	}
	r := limitedRow{
		limitCase:   c,
		measurement: m,
		bound:       reads + accountBound(c.creates),
	}
	accepted := slices.DeleteFunc(a.Requests(), func(r fusebillsim.Request) bool { return r.Status == http.StatusTooManyRequests })
	for _, request := range accepted {
		if request.Route == fusebillsim.RouteLatch {
			r.writes++
		} else {
			r.reads++
		}
	}
	r.share, r.windows = shareOfAllowed(c, accepted, other.calls)
	r.refusedBound = handful * len(other.calls) // None where nobody else is there.
	return r, nil
}

// shareOfAllowed is how much of what the limit allowed was used, and in how many windows. It looks at the windows that
// lie wholly between the first write and the last: those at the ends have parts in which there was nothing to do, and so
// says nothing of pacing. Reads count too, since they take from the same quota.
func shareOfAllowed(c limitCase, accepted []fusebillsim.Request, taken map[time.Time]int) (share float64, windows int) {
	var first, last time.Time
	made := make(map[time.Time]int)
	for _, r := range accepted {
		window := r.Time.Truncate(c.window)
		made[window]++
		if r.Route == fusebillsim.RouteLatch {
			if first.IsZero() {
				first = window
			}
			last = window
		}
	}
	used, allowed := 0, 0
	for window := first.Add(c.window); window.Before(last); window = window.Add(c.window) {
		windows++
		used += made[window]
		allowed += c.limit - taken[window]
	}
	if allowed == 0 {
		return 0, 0
	}
	return float64(used) / float64(allowed), windows
}

// other is somebody else who uses the account, as fast as we do: it makes a call for each of ours, until half of the
// window's quota is its own. One who spread its calls over the window would find the quota used up by us.
type other struct {
	account *account
	half    int
	window  time.Duration

	mu    sync.Mutex
	calls map[time.Time]int // by window
}

func (o *other) call(*http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if window := time.Now().Truncate(o.window); o.calls[window] < o.half {
		o.calls[window]++
		o.account.SpendQuota(1)
	}
}

package latch

import (
	"cmp"
	"slices"
	"time"
)

const (
	// DefaultStallTimeout is how long a change waits for a claim during a stall: every change under
	// way waits, and none begins or ends. Terraform starts every operation that it can start within
	// milliseconds, so it starts none after this time.
	DefaultStallTimeout = 5 * time.Second
	// afterStall is how long the other changes wait, after a change has ended because of the stall,
	// for operations that Terraform starts in its place.
	afterStall = 500 * time.Millisecond
)

// stall measures how long every change under way has been waiting.
type stall struct {
	timer *time.Timer
	since time.Time // when the last change began to wait; zero: a change is busy
	base  time.Time // since, as it was before hasLooked or hasEnded was set
	// hasLooked is set after the holders were read again, and hasEnded after a change has ended
	// because of the stall. A completed write resets both.
	hasLooked, hasEnded bool
	isLooking           bool
}

// watchStallLocked starts or stops the timer of a stall.
func (g *graph) watchStallLocked() {
	s := &g.stall
	if s.timer != nil {
		s.timer.Stop()
	}
	if g.busy > 0 || len(g.runs) == 0 {
		s.since = time.Time{}
		return
	}
	if s.isLooking {
		return
	}
	if s.since.IsZero() {
		s.since = time.Now()
		if !s.hasLooked && !s.hasEnded {
			s.base = s.since
		}
	}
	first := time.Time{}
	for r := range g.runs {
		if due := g.dueLocked(r); r.mayExpireLocked() && (first.IsZero() || due.Before(first)) {
			first = due
		}
	}
	if !first.IsZero() {
		s.timer = time.AfterFunc(time.Until(first), g.endOneWait)
	}
}

// progressLocked records a completed write.
func (s *stall) progressLocked() { s.hasLooked, s.hasEnded = false, false }

// dueLocked returns when the stall timeout of a run ends, if the stall lasts until then.
func (g *graph) dueLocked(r *run) time.Time {
	due := g.stall.base.Add(cmp.Or(r.options.StallTimeout, r.coordinator.stallTimeout))
	if earliest := g.stall.since.Add(afterStall); g.stall.hasEnded && due.Before(earliest) {
		return earliest
	}
	return due
}

// mayExpireLocked reports whether a change of the run waits for more than its turn.
func (r *run) mayExpireLocked() bool { return slices.ContainsFunc(r.changes, r.graph.waitsLocked) }

// waitsLocked reports whether a change waits for more than its turn.
func (g *graph) waitsLocked(c *change) bool {
	return c.phase == waiting || c.phase == queued && c.isParked && c.customer.turn == nil
}

// endOneWait ends the waits of one run with errors. Then Terraform can start other operations, for
// which the other changes may wait. Before that, it reads the holders again, because somebody else
// may have changed them.
func (g *graph) endOneWait() {
	g.mu.Lock()
	defer g.settleAndUnlock()
	if g.busy > 0 || g.stall.since.IsZero() || g.stall.isLooking {
		return
	}
	var due []*run
	for r := range g.runs {
		if r.mayExpireLocked() && !g.dueLocked(r).After(time.Now()) {
			due = append(due, r)
		}
	}
	if len(due) == 0 {
		return
	}
	g.stall.hasLooked = true
	if ids := g.unlookedLocked(); len(ids) > 0 {
		g.stall.isLooking = true
		go g.lookAt(due[0], ids)
		return
	}
	g.stall.hasEnded = true
	hopeful := g.hopefulLocked()
	ranks := make(map[*run]*rank, len(g.runs))
	for r := range g.runs {
		ranks[r] = &rank{hopeful: 1}
	}
	for r := range g.runs {
		for _, c := range r.changes {
			g.rankLocked(c, hopeful[c], ranks)
		}
	}
	r := slices.MinFunc(due, func(a, b *run) int { return ranks[a].compare(ranks[b]) })
	g.expireLocked(r, func(c *change) bool { return ranks[r].hopeful == 1 || !hopeful[c] })
	g.stall.since = time.Time{} // The others wait from now on.
}

// hopefulLocked returns the changes that may take what they claim once the change of the holder has
// failed, and those that wait for them.
func (g *graph) hopefulLocked() map[*change]bool {
	hopeful := make(map[*change]bool)
	var stack []*change
	for r := range g.runs {
		for _, c := range r.changes {
			if r.options.Reassociate && c.phase == waiting && !c.isBlocked {
				hopeful[c] = true
				stack = append(stack, c)
			}
		}
	}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, w := range top.customer.waiters {
			if !hopeful[w] && w.phase == waiting && !w.isBlocked && slices.Contains(w.blockers, top) {
				hopeful[w] = true
				stack = append(stack, w)
			}
		}
	}
	return hopeful
}

// unlookedLocked returns the customers that changes wait for although no change is about them, and
// that were not read again yet.
func (g *graph) unlookedLocked() (ids []int64) {
	for r := range g.runs {
		for _, c := range r.changes {
			if c.isLookedAt || !g.waitsLocked(c) {
				continue
			}
			c.isLookedAt = true
			if c.isParked {
				ids = append(ids, c.CustomerID)
			}
			for _, h := range c.held {
				if g.customerLocked(h.Holder).turn == nil {
					ids = append(ids, h.Holder)
				}
			}
		}
	}
	return ids
}

// lookAt reads customers again, and wakes the changes that wait for them.
func (g *graph) lookAt(r *run, ids []int64) {
	if len(ids) == 1 {
		_, _ = r.coordinator.reader.CustomerNow(r.ctx, ids[0])
	} else {
		_, _ = r.coordinator.reader.Customers(r.ctx, ids, 0)
	}
	g.mu.Lock()
	defer g.settleAndUnlock()
	g.stall.isLooking = false
	g.wakeAllLocked()
}

// expireLocked ends the waits of changes of a run. Those that can go on by now do so instead.
func (g *graph) expireLocked(r *run, isOver func(*change) bool) {
	for _, c := range r.changes {
		if !g.waitsLocked(c) || !isOver(c) {
			continue
		}
		c.isExpired = true
		if c.phase == waiting {
			g.pushLocked(c)
			continue
		}
		c.customer.leaveQueue(c)
		g.giveTurnLocked(c)
	}
}

// rank orders the runs whose waits may end. The first is the one that the fewest other runs wait
// for.
type rank struct {
	open     int // 1: it has released something, and would have to restore it
	hopeful  int // 1: all of its changes are hopeful
	waiters  int
	customer int64
}

func (a *rank) compare(b *rank) int {
	return cmp.Or(cmp.Compare(a.open, b.open), cmp.Compare(a.hopeful, b.hopeful), cmp.Compare(a.waiters, b.waiters),
		cmp.Compare(a.customer, b.customer))
}

// rankLocked adds a change to the ranks of its own run and of the runs that it waits for.
func (g *graph) rankLocked(c *change, isHopeful bool, ranks map[*run]*rank) {
	if !g.waitsLocked(c) {
		return
	}
	own := ranks[c.run]
	if c.isOpen() {
		own.open = 1
	}
	if !isHopeful {
		own.hopeful = 0
	}
	if own.customer == 0 || c.CustomerID < own.customer {
		own.customer = c.CustomerID
	}
	for _, b := range c.blockers {
		if b.run != c.run && b.run != nil {
			ranks[b.run].waiters++
		}
	}
}

package latch

import (
	"cmp"
	"slices"
	"time"
)

const (
	// DefaultStallTimeout is how long a change waits for a claim while nothing else goes on: every
	// change under way waits, and none begins or ends. Terraform begins what it can begin within
	// milliseconds, so nothing comes after that.
	DefaultStallTimeout = 5 * time.Second
	// afterStall is how long the others wait, once one has waited in vain, for what Terraform begins
	// in its place.
	afterStall = 500 * time.Millisecond
)

// stall finds out when nothing goes on any more.
type stall struct {
	timer *time.Timer
	since time.Time // when all changes under way have begun to wait; zero: something goes on
	base  time.Time // the same, before any of the next two was set
	// hasLooked and hasEnded are set when the holders were read again, and when a change has waited in
	// vain, until there is progress again: a write that is completed.
	hasLooked, hasEnded bool
	isLooking           bool
}

// watchStallLocked starts or stops the time that changes wait while nothing goes on.
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

// progressLocked notes a write that is completed.
func (s *stall) progressLocked() { s.hasLooked, s.hasEnded = false, false }

// dueLocked is when a run has waited long enough, where nothing goes on until then.
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

// endOneWait lets the changes of one run end that wait in vain. That frees a place for what
// Terraform begins next, which may be what the others wait for. Before, it reads the holders again:
// what is known of them may be old.
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
	ranks := make(map[*run]rank, len(due))
	for r := range g.runs {
		ranks[r] = rank{hasHope: true}
	}
	for r := range g.runs {
		for _, c := range r.changes {
			g.rankLocked(c, hopeful[c], ranks)
		}
	}
	r := slices.MinFunc(due, func(a, b *run) int { return ranks[a].compare(ranks[b]) })
	g.expireLocked(r, func(c *change) bool { return ranks[r].hasHope || !hopeful[c] })
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

// unlookedLocked returns the customers, whom no change is about, that others wait for.
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

// lookAt reads customers now, for those that wait for them.
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

// expireLocked makes changes of a run end, unless it turns out that they can go on.
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

// rank orders the runs of which one is to end its wait: the first is the one that the fewest others
// wait for.
type rank struct {
	isOpen   bool // it has released something, and would have to restore it
	hasHope  bool // all of its changes are hopeful
	waiters  int
	customer int64
}

func (a rank) compare(b rank) int {
	return cmp.Or(compareBool(a.isOpen, b.isOpen), compareBool(a.hasHope, b.hasHope), cmp.Compare(a.waiters, b.waiters),
		cmp.Compare(a.customer, b.customer))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// rankLocked adds what a change means for the ranks of its own run and of those that it waits for.
func (g *graph) rankLocked(c *change, isHopeful bool, ranks map[*run]rank) {
	if !g.waitsLocked(c) {
		return
	}
	own := ranks[c.run]
	own.isOpen = own.isOpen || c.isOpen()
	own.hasHope = own.hasHope && isHopeful
	if own.customer == 0 || c.CustomerID < own.customer {
		own.customer = c.CustomerID
	}
	ranks[c.run] = own
	for _, b := range c.blockers {
		if b.run != c.run && b.run != nil {
			other := ranks[b.run]
			other.waiters++
			ranks[b.run] = other
		}
	}
}

package latch

import "slices"

// search is the data of a search for rings about one change.
type search struct {
	pass       int // the number of the search that has set the other fields
	waitsFor   int // the number of changes that it waits for and that may be part of a ring
	dependents []*change
	isStuck    bool // it waits, directly or indirectly, for a claim that no change under way will release
	isGone     bool // it will go on, so it is part of no ring
	isOnPath   bool
}

// isUndecided reports whether a change waits, or is about to release first, and is not known to be
// settling. A change that is about to release stays settling while others search again. If each of
// two such changes had to begin again because of the other, neither would ever release.
func (c *change) isUndecided() bool {
	return !c.isSettling && (c.phase == waiting || c.phase == working && c.step == release)
}

func (g *graph) markUnsureLocked(c *change) {
	if !c.isUnsure {
		c.isUnsure = true
		g.unsure = append(g.unsure, c)
	}
}

// unsettleLocked records that the claims of a waiting change, and of the changes that wait for it,
// may not become free after all. A change that was ready to release first waits again.
func (g *graph) unsettleLocked(c *change) {
	for stack := []*change{c}; len(stack) > 0; {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !top.isSettling && top != c {
			continue
		}
		top.isSettling = false
		if top.phase == ready && top.step == release {
			g.setPhaseLocked(top, waiting)
		}
		g.markUnsureLocked(top)
		for _, w := range top.customer.waiters {
			if w.isSettling {
				stack = append(stack, w)
			}
		}
	}
}

// breakRingsLocked searches for rings, beginning with the changes that are not known to be
// settling. If changes under way will release everything that the changes of a ring wait for,
// one of these releases first. Otherwise its release might be in vain, so it waits.
func (g *graph) breakRingsLocked() {
	for len(g.unsure) > 0 {
		starts := g.unsure
		g.unsure = nil
		reached := g.reachLocked(starts)
		markStuck(reached)
		settling := reached[:0]
		for _, c := range reached {
			if !c.search.isStuck {
				c.isSettling = true
				settling = append(settling, c)
			}
		}
		g.releaseFirstLocked(settling)
		for _, c := range settling { // Others may have been stuck because of these.
			for _, w := range c.customer.waiters {
				if w.phase == waiting && !w.isSettling && w.search.pass != g.pass {
					g.markUnsureLocked(w)
				}
			}
		}
	}
}

// reachLocked returns these changes and the waiting changes that they wait for, directly or
// indirectly.
func (g *graph) reachLocked(starts []*change) []*change {
	g.pass++
	var reached []*change
	visit := func(c *change) {
		if c.search.pass != g.pass {
			c.search = search{pass: g.pass, dependents: c.search.dependents[:0], isStuck: c.isBlocked}
			reached = append(reached, c)
		}
	}
	for _, c := range starts {
		c.isUnsure = false
		if c.isUndecided() && !c.isFailing() {
			visit(c)
		}
	}
	for i := 0; i < len(reached); i++ {
		c := reached[i]
		for _, b := range c.blockers {
			if b.isUndecided() {
				visit(b)
				c.search.waitsFor++
				b.search.dependents = append(b.search.dependents, c)
			}
		}
	}
	return reached
}

// markStuck marks the changes that wait for one that is stuck.
func markStuck(reached []*change) {
	var stack []*change
	for _, c := range reached {
		if c.search.isStuck {
			stack = append(stack, c)
		}
	}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, d := range top.search.dependents {
			if !d.search.isStuck {
				d.search.isStuck = true
				stack = append(stack, d)
			}
		}
	}
}

// releaseFirstLocked excludes, one after another, the changes that will go on without a ring being
// broken. The others wait for rings, and one change of each ring releases first.
func (g *graph) releaseFirstLocked(settling []*change) {
	takeAway := func(c *change) {
		c.search.isGone = true
		for stack := []*change{c}; len(stack) > 0; {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for _, d := range top.search.dependents {
				if d.search.waitsFor--; d.search.waitsFor == 0 && !d.search.isGone {
					d.search.isGone = true
					stack = append(stack, d)
				}
			}
		}
	}
	for _, c := range settling {
		if (c.search.waitsFor == 0 || c.phase == working) && !c.search.isGone {
			takeAway(c)
		}
	}
	for _, c := range settling {
		g.releaseOnPathLocked(c, takeAway)
	}
}

// releaseOnPathLocked follows the changes that a change waits for. If it reaches one that is on
// its path already, the path has closed a ring, and that change releases first. It visits each
// change once.
func (g *graph) releaseOnPathLocked(start *change, takeAway func(*change)) {
	start.search.isOnPath = true
	for path := []*change{start}; len(path) > 0; {
		top := path[len(path)-1]
		if top.search.isGone {
			path = path[:len(path)-1]
			continue
		}
		next := top.blockers[slices.IndexFunc(top.blockers, func(b *change) bool {
			return b.search.pass == g.pass && !b.search.isGone
		})]
		if next.search.isOnPath {
			g.handLocked(next, release)
			takeAway(next)
			continue
		}
		next.search.isOnPath = true
		path = append(path, next)
	}
}

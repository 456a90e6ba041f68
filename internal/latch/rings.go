package latch

import "slices"

// search is what a search for rings keeps with each change that it reaches.
type search struct {
	pass       int // the search that the rest belongs to
	waitsFor   int // how many changes it waits for that may be part of a ring
	dependents []*change
	isStuck    bool // it waits, directly or not, for something that no change under way is to release
	isGone     bool // none of the others waits for it any more
	isOnPath   bool
}

func (g *graph) markUnsureLocked(c *change) {
	if !c.isUnsure {
		c.isUnsure = true
		g.unsure = append(g.unsure, c)
	}
}

// unsettleLocked notes that the claims of a waiting change may not become free after all, nor those
// of the changes that wait for it. Where one of them was to release something first, and has not
// begun, it does not.
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

// breakRingsLocked searches, from the changes that are not known to be settling, for rings of
// changes that wait for each other. Where everything that the changes of a ring wait for is to be
// released by changes under way, one of them releases first. Otherwise its release might be in
// vain, and it waits.
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

// reachLocked returns the waiting changes that these wait for, directly or not, and themselves.
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
		if c.phase == waiting && !c.isSettling && !c.isFailing() {
			visit(c)
		}
	}
	for i := 0; i < len(reached); i++ {
		c := reached[i]
		for _, b := range c.blockers {
			if b.phase == waiting && !b.isSettling {
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

// releaseFirstLocked takes away, one after another, the changes that will go on anyway. Where none
// is left that will, one of a ring releases first.
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
		if c.search.waitsFor == 0 && !c.search.isGone {
			takeAway(c)
		}
	}
	for _, c := range settling {
		g.releaseOnPathLocked(c, takeAway)
	}
}

// releaseOnPathLocked follows, from a change that waits in vain, what it waits for until it comes
// round, which closes a ring, and goes on from there. It comes to each change once.
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

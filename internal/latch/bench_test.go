package latch

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// BenchmarkPermutation measures the coordinator's own work for one set that moves every contact to
// another customer: the graph, without reads and writes. It is to grow linearly.
func BenchmarkPermutation(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		for name, kinds := range map[string]int{"contacts": 1, "contacts and companies": 2} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				writes := 0
				for b.Loop() {
					b.StopTimer()
					p := newReshuffle(n, kinds)
					b.StartTimer()
					writes = p.settle(b)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/change")
				b.ReportMetric(float64(writes)/float64(n), "writes/change")
			})
		}
	}
}

// reshuffle is a run of changes that move every contact to another customer, and every company
// if there are two kinds.
type reshuffle struct {
	run    *run
	holder map[fusebill.Claim][]int64 // one for each
}

func newReshuffle(n, kinds int) *reshuffle {
	dice := rand.New(rand.NewPCG(5, 0))
	contacts, companies := dice.Perm(n), dice.Perm(n)
	p := &reshuffle{holder: make(map[fusebill.Claim][]int64, kinds*n)}
	g := newGraph(func(claim fusebill.Claim) []int64 { return p.holder[claim] })
	p.run = &run{graph: g, coordinator: &Coordinator{}, wake: make(chan struct{}, 1), left: n}
	latch := func(contact, company int) fusebill.Latch {
		if kinds == 1 {
			return pair(int64(contact)+1, 0)
		}
		return pair(int64(contact)+1, int64(company)+1)
	}
	for i := range n {
		c := &change{run: p.run}
		c.Change = Change{CustomerID: int64(i) + 1, Prior: latch(i, i), Declared: latch(contacts[i], companies[i])}
		p.run.changes = append(p.run.changes, c)
		for _, claim := range c.Prior.Claims() {
			p.holder[claim] = []int64{c.CustomerID}
		}
	}
	return p
}

// settle makes the changes in the graph, as the workers of the run would.
func (p *reshuffle) settle(b *testing.B) (writes int) {
	b.Helper()
	r, g := p.run, p.run.graph
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addLocked(r)
	for _, c := range r.unread {
		g.prepareLocked(c, c.Prior)
	}
	g.settleLocked()
	for queue := r.nextQueue(); queue != nil; queue = r.nextQueue() {
		c := (*queue)[0]
		*queue = (*queue)[1:]
		if c.phase != ready {
			continue
		}
		writes++
		now := c.target
		if c.step == release {
			now = c.current.Common(c.target)
			c.isReleased = true
		}
		g.setPhaseLocked(c, working)
		for _, claim := range c.current.Without(now).Claims() {
			p.holder[claim] = nil
		}
		for _, claim := range now.Without(c.current).Claims() {
			if p.holder[claim] != nil {
				b.Fatalf("customer %d takes %s from customer %d", c.CustomerID, claim, p.holder[claim])
			}
			p.holder[claim] = []int64{c.CustomerID}
		}
		g.holdsLocked(c, now)
		if c.step == release {
			g.setPhaseLocked(c, waiting)
			g.pushLocked(c)
		} else {
			g.finishLocked(c, nil)
		}
		g.settleLocked()
	}
	if r.left > 0 {
		b.Fatalf("%d changes are left", r.left)
	}
	return writes
}

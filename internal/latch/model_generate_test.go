package latch_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// generator makes one scenario up.
type generator struct {
	*rand.Rand
	*scenario
	lastID  int64 // of the contacts and companies that were made up
	renames int
}

// newScenario returns the scenario of a seed.
func newScenario(seed uint64) *scenario {
	g := generator{Rand: rand.New(rand.NewPCG(seed, 1)), scenario: &scenario{seed: seed, account: rows{}}, lastID: 300}
	g.makeAccount()
	g.makeResources()
	for range 1 + g.IntN(8) {
		g.mutate()
	}
	g.makeSettings()
	g.Shuffle(len(g.resources), func(i, j int) { g.resources[i], g.resources[j] = g.resources[j], g.resources[i] })
	g.makeDependencies()
	g.makeService()
	g.makeDisturbances()
	g.Rand = rand.New(rand.NewPCG(seed, 3)) // Merges came later, and other scenarios keep their seeds.
	g.makeMerges()
	return g.scenario
}

// one reports true once in n times.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

// upTo returns a duration of more than zero and at most d.
func (g *generator) upTo(d time.Duration) time.Duration { return 1 + time.Duration(g.Int64N(int64(d))) }

func oneOf[T any](g *generator, values ...T) T { return values[g.IntN(len(values))] }

// newID returns the ID of a contact or company that no customer has.
func (g *generator) newID() int64 {
	g.lastID++
	return g.lastID
}

func (g *generator) makeAccount() {
	contacts, companies, customers := !g.one(4), !g.one(3), 2+g.IntN(11)
	if g.one(30) {
		customers = 20 + g.IntN(30) // More than a set changes side by side.
	}
	for id := range int64(customers) {
		var l fusebill.Latch
		if contacts && !g.one(6) {
			l.HubSpotID = 101 + id
		}
		if (companies || !contacts) && !g.one(4) {
			l.HubSpotCompanyID = 201 + id
		}
		g.account[1+id] = l
	}
}

// makeResources distributes the customers over single latches, sets, and nobody.
func (g *generator) makeResources() {
	sets := oneOf(g, 0, 0, 1, 1, 2, 3)
	for n := range sets {
		g.resources = append(g.resources, &resource{name: fmt.Sprint("set", n+1), set: true, prior: rows{}, declared: rows{}})
	}
	inSet := oneOf(g, 2, 4, 8) // tenths
	for _, id := range ids(g.account) {
		r := &resource{name: fmt.Sprint("single", id), prior: rows{}, declared: rows{}}
		switch {
		case g.one(6):
			continue
		case sets > 0 && g.IntN(10) < inSet:
			r = g.resources[g.IntN(sets)]
		default:
			g.resources = append(g.resources, r)
		}
		switch l := g.account[id]; {
		case l.IsZero():
			r.declared[id] = fusebill.Latch{HubSpotID: g.newID()}
		case g.one(6): // An adoption of the customer as it is.
			r.declared[id] = l
		default:
			r.prior[id], r.declared[id] = l, l
		}
	}
	g.dropEmpty()
}

// dropEmpty removes resources that neither the state nor the configuration has.
func (g *generator) dropEmpty() {
	g.resources = slices.DeleteFunc(g.resources, func(r *resource) bool { return len(r.prior)+len(r.declared) == 0 })
}

// mutate changes the configuration in one way, if that leaves it possible.
func (g *generator) mutate() {
	before := g.clone()
	if len(g.resources) == 0 {
		return
	}
	r := g.resources[g.IntN(len(g.resources))]
	rowsOfAll := g.declaredRows()
	switch g.IntN(13) {
	case 0, 1, 2, 3:
		g.rotate(rowsOfAll)
	case 4:
		g.change(rowsOfAll, func(l *fusebill.Latch) { setSide(l, g.one(2), g.newID()) })
	case 5:
		g.change(rowsOfAll, func(l *fusebill.Latch) { setSide(l, g.one(2), 0) })
	case 6: // A row is removed, and with it a resource that has no other.
		if len(rowsOfAll) > 0 {
			at := rowsOfAll[g.IntN(len(rowsOfAll))]
			delete(at.resource.declared, at.customer)
		}
	case 7: // A claim that nobody declares: the end of a chain, or of an outsider.
		contact, id := g.one(2), 1+g.Int64N(int64(len(g.account)))
		g.change(rowsOfAll, func(l *fusebill.Latch) {
			claimed := g.account[id]
			if contact && claimed.HubSpotID != 0 {
				l.HubSpotID = claimed.HubSpotID
			} else if claimed.HubSpotCompanyID != 0 {
				l.HubSpotCompanyID = claimed.HubSpotCompanyID
			}
		})
	case 8: // The same latch of another customer, or the latches of two customers swapped.
		if len(rowsOfAll) > 0 {
			g.replaceCustomer(rowsOfAll[g.IntN(len(rowsOfAll))])
		}
	case 9, 10: // Renamed without `moved`.
		renamed := r.clone()
		g.renames++
		renamed.name, renamed.prior = fmt.Sprint("renamed", g.renames), rows{}
		r.declared = rows{}
		g.resources = append(g.resources, renamed)
	case 11: // A row changes its resource.
		to := g.resources[g.IntN(len(g.resources))]
		if len(rowsOfAll) > 0 && (to.set || len(to.declared) == 0) {
			at := rowsOfAll[g.IntN(len(rowsOfAll))]
			l := at.resource.declared[at.customer]
			delete(at.resource.declared, at.customer)
			to.declared[at.customer] = l
		}
	case 12:
		r.tainted = true
	}
	g.dropEmpty()
	if !g.isPossible() {
		*g.scenario = *before
	}
}

// row is a customer that a resource declares.
type row struct {
	resource *resource
	customer int64
}

func (s *scenario) declaredRows() []row {
	var all []row
	for _, r := range s.resources {
		for _, id := range ids(r.declared) {
			all = append(all, row{r, id})
		}
	}
	return all
}

// isPossible reports whether each customer, contact and company is declared once at most.
func (s *scenario) isPossible() bool {
	customers, claims := make(map[int64]bool), make(map[fusebill.Claim]bool)
	for _, r := range s.resources {
		if !r.set && len(r.declared) > 1 {
			return false
		}
		for id, l := range r.declared {
			if l.IsZero() || customers[id] {
				return false
			}
			customers[id] = true
			for _, claim := range l.Claims() {
				if claims[claim] {
					return false
				}
				claims[claim] = true
			}
		}
	}
	return true
}

func setSide(l *fusebill.Latch, contact bool, id int64) {
	if contact {
		l.HubSpotID = id
	} else {
		l.HubSpotCompanyID = id
	}
}

func (g *generator) change(all []row, change func(*fusebill.Latch)) {
	if len(all) == 0 {
		return
	}
	at := all[g.IntN(len(all))]
	l := at.resource.declared[at.customer]
	change(&l)
	at.resource.declared[at.customer] = l
}

// rotate gives each of some rows the contact, the company or both of the next one: a swap for two
// rows, else a ring.
func (g *generator) rotate(all []row) {
	if len(all) < 2 {
		return
	}
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	ring := all[:2+g.IntN(len(all)-1)]
	contacts, companies := g.one(2), g.one(2)
	var had []fusebill.Latch
	for _, at := range ring {
		had = append(had, at.resource.declared[at.customer])
	}
	for i, at := range ring {
		l, next := had[i], had[(i+1)%len(ring)]
		if contacts || !companies {
			l.HubSpotID = next.HubSpotID
		}
		if companies {
			l.HubSpotCompanyID = next.HubSpotCompanyID
		}
		at.resource.declared[at.customer] = l
	}
}

// replaceCustomer declares what a row has for another customer. One that is declared gets the
// row's customer in its place.
func (g *generator) replaceCustomer(at row) {
	other := 1 + g.Int64N(int64(len(g.account)))
	if other == at.customer {
		return
	}
	l := at.resource.declared[at.customer]
	delete(at.resource.declared, at.customer)
	for _, r := range g.resources {
		if theirs, isDeclared := r.declared[other]; isDeclared {
			delete(r.declared, other)
			r.declared[at.customer] = theirs
		}
	}
	at.resource.declared[other] = l
}

func (g *generator) makeSettings() {
	reassociate := g.IntN(4)
	for _, r := range g.resources {
		r.reassociate = reassociate == 0 || reassociate == 1 && g.one(2)
		r.createFirst, r.strict = g.one(4), g.one(4)
		if g.one(8) {
			r.slow = g.upTo(15 * time.Second)
		}
		if r.slow > 4*time.Second || g.one(8) {
			r.stall = 30 * time.Second
		}
	}
}

// makeDependencies lets some resources depend on others. A resource that one with
// create_before_destroy depends on is created before it is destroyed too, as Terraform has it.
func (g *generator) makeDependencies() {
	if !g.one(4) {
		return
	}
	for i := len(g.resources) - 1; i > 0; i-- {
		r := g.resources[i]
		if !g.one(3) {
			continue
		}
		on := g.resources[g.IntN(i)]
		r.dependsOn = on.name
		on.createFirst = on.createFirst || r.createFirst
	}
}

func (g *generator) makeService() {
	g.conflict = oneOf(g, fusebillsim.ConflictStatus409, fusebillsim.ConflictStatus400, fusebillsim.ConflictMoves)
	g.neverReads = g.one(4)
	g.latency = oneOf(g, time.Millisecond, 20*time.Millisecond, 20*time.Millisecond, 300*time.Millisecond)
	g.parallelism = oneOf(g, 1, 2, 3, 4, 6, 10, 12)
	g.gap = oneOf(g, 0, 0, time.Millisecond, 30*time.Millisecond, 300*time.Millisecond)
}

// makeDisturbances leaves a third of the scenarios undisturbed.
func (g *generator) makeDisturbances() {
	if g.one(3) {
		return
	}
	if g.one(3) {
		g.faults = oneOf(g, 0.02, 0.05, 0.2)
	}
	if g.one(10) {
		g.limit = 4 + g.IntN(30)
	}
	if g.one(10) {
		g.refuses = []int64{1 + g.Int64N(int64(len(g.account)))}
	}
	if g.one(3) {
		g.readEarlier = g.upTo(2 * time.Minute)
	}
	if g.one(3) {
		g.interruptAt = g.upTo(oneOf(g, 4*g.latency, 16*g.latency, 10*time.Second))
		g.lateWrites, g.hangs = g.one(2), g.one(4)
	}
	if g.one(10) && len(g.resources) > 0 {
		oneOf(g, g.resources...).timeout = g.upTo(20 * g.latency)
	}
	if g.one(2) {
		for range 1 + g.IntN(4) {
			g.outside = append(g.outside, g.makeWrite())
		}
	}
}

// makeMerges lets HubSpot have merged some of the contacts and companies that are declared. The
// account and the states show the new IDs. If the service moves claims silently, nobody can know
// that a customer holds a merged one, so there it is merged only where no other customer holds it.
func (g *generator) makeMerges() {
	if !g.one(12) {
		return
	}
	g.merged = make(map[fusebill.Claim]int64)
	for _, at := range g.declaredRows() {
		for _, claim := range at.resource.declared[at.customer].Claims() {
			holder := g.holder(claim)
			if !g.one(4) || g.conflict == fusebillsim.ConflictMoves && holder != 0 && holder != at.customer {
				continue
			}
			g.merged[claim] = g.newID()
		}
	}
	for id, l := range g.account {
		g.account[id] = g.afterMerges(l)
	}
	for _, r := range g.resources {
		for id, l := range r.prior {
			r.prior[id] = g.afterMerges(l)
		}
	}
	for i, w := range g.outside {
		merged := g.afterMerges(w.latch)
		if g.conflict == fusebillsim.ConflictMoves { // Nor that somebody else has moved it.
			merged = merged.Common(w.latch)
		}
		g.outside[i].latch = merged
	}
}

// makeWrite makes up a change by somebody else, most often about when operations begin and end.
func (g *generator) makeWrite() write {
	all := slices.Sorted(maps.Keys(g.account))
	w := write{customer: oneOf(g, all...), at: g.readEarlier + g.upTo(20*g.latency)}
	switch {
	case g.readEarlier > 0 && g.one(2):
		w.at = g.upTo(g.readEarlier)
	case g.one(8):
		w.at = g.upTo(2 * time.Minute)
	}
	switch g.IntN(9) {
	case 0:
		w.deletes = true
	case 1, 2, 3, 4:
		w.latch = fusebill.Latch{HubSpotID: g.newID()}
	case 5, 6:
		w.latch = fusebill.Latch{HubSpotID: g.account[oneOf(g, all...)].HubSpotID, HubSpotCompanyID: g.newID()}
	}
	return w
}

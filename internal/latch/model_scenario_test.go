package latch_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// scenario is everything that a run depends on.
type scenario struct {
	seed      uint64
	account   rows
	resources []*resource // in the order in which Terraform visits them
	outside   []write     // by others

	conflict   fusebillsim.ConflictMode
	neverReads bool          // conflict_check = "never": the account is not read for holders
	latency    time.Duration // of a call
	limit      int           // calls per minute; 0: none
	faults     float64       // the probability of a fault in a call
	injected   []fusebillsim.Fault
	lateWrites bool    // a cancelled write may still take effect, up to two seconds later
	hangs      bool    // the service hangs once Terraform is interrupted
	refuses    []int64 // the customers for which every write is refused with 409, by another rule
	// merged are the contacts and companies that HubSpot has merged into others, whose IDs the service
	// stores and answers instead.
	merged map[fusebill.Claim]int64

	parallelism int
	gap         time.Duration // between the starts of two operations
	readEarlier time.Duration // the process reads the customers so long before it begins the apply
	interruptAt time.Duration // since the apply began; 0: never
}

// rows are the latches of customers: of an account, a state, or a configuration.
type rows map[int64]fusebill.Latch

// resource is a single latch, which has one row at most, or a latch set.
type resource struct {
	name        string
	set         bool
	prior       rows // in the state
	declared    rows // in the configuration
	tainted     bool // the object in the state is replaced
	reassociate bool
	createFirst bool          // create_before_destroy
	strict      bool          // its rows are released as an exclusive set releases unlisted ones
	stall       time.Duration // a timeout that the user has set explicitly
	timeout     time.Duration // of each operation; 0: none
	dependsOn   string        // the name of a resource before it
	slow        time.Duration // it depends on another provider's resource that takes so long
}

// write is a change that somebody else makes in the account.
type write struct {
	at       time.Duration // since the process began
	customer int64
	latch    fusebill.Latch
	deletes  bool // the customer
}

// replaced reports whether Terraform destroys and creates the resource instead of updating it.
func (r *resource) replaced() bool {
	if len(r.prior) == 0 || len(r.declared) == 0 {
		return false
	}
	return r.tainted || !r.set && slices.Max(ids(r.prior)) != slices.Max(ids(r.declared))
}

func (r *resource) clone() *resource {
	c := *r
	c.prior, c.declared = maps.Clone(r.prior), maps.Clone(r.declared)
	return &c
}

func (s *scenario) clone() *scenario {
	c := *s
	c.account, c.outside, c.resources = maps.Clone(s.account), slices.Clone(s.outside), nil
	for _, r := range s.resources {
		c.resources = append(c.resources, r.clone())
	}
	return &c
}

// isQuiet reports whether nothing disturbs the run.
func (s *scenario) isQuiet() bool {
	return s.faults == 0 && len(s.injected) == 0 && s.limit == 0 && len(s.outside) == 0 && s.interruptAt == 0 &&
		!slices.ContainsFunc(s.resources, func(r *resource) bool { return r.timeout > 0 })
}

// afterMerges returns a latch as the service stores it.
func (s *scenario) afterMerges(l fusebill.Latch) fusebill.Latch {
	for _, claim := range l.Claims() {
		if into, isMerged := s.merged[claim]; isMerged {
			setSide(&l, claim.Kind == fusebill.Contact, into)
		}
	}
	return l
}

func ids(r rows) []int64 { return slices.Sorted(maps.Keys(r)) }

func (r rows) String() string {
	var all []string
	for _, id := range ids(r) {
		all = append(all, fmt.Sprintf("%d: %s", id, r[id]))
	}
	return "{" + strings.Join(all, ", ") + "}"
}

func (r *resource) String() string {
	kind := "single latch"
	if r.set {
		kind = "latch set"
	}
	text := fmt.Sprintf("%s %s: state %s, declared %s", kind, r.name, r.prior, r.declared)
	for _, option := range []struct {
		isSet bool
		words string
	}{
		{r.tainted, "tainted"},
		{r.reassociate, "allow_reassociation"},
		{r.createFirst, "create_before_destroy"},
		{r.strict, "strict"},
		{r.dependsOn != "", "depends on " + r.dependsOn},
		{r.stall > 0, fmt.Sprint("explicit timeout ", r.stall)},
		{r.timeout > 0, fmt.Sprint("ends after ", r.timeout)},
		{r.slow > 0, fmt.Sprint("slow dependency ", r.slow)},
	} {
		if option.isSet {
			text += ", " + option.words
		}
	}
	return text
}

func (w write) String() string {
	if w.deletes {
		return fmt.Sprintf("others delete customer %d at %s", w.customer, w.at)
	}
	return fmt.Sprintf("others latch customer %d to %s at %s", w.customer, w.latch, w.at)
}

func (s *scenario) String() string {
	var text strings.Builder
	conflict := map[fusebillsim.ConflictMode]string{
		fusebillsim.ConflictStatus409: "answers 409", fusebillsim.ConflictStatus400: "answers 400",
		fusebillsim.ConflictMoves: "moves silently",
	}[s.conflict]
	fmt.Fprintf(&text, "service: %s, latency %s, limit %d, faults %g, late writes %v, hangs %v, refuses %v, merged %v\n",
		conflict, s.latency, s.limit, s.faults, s.lateWrites, s.hangs, s.refuses, s.merged)
	fmt.Fprintf(&text, "run: parallelism %d, gap %s, never reads %v, reads earlier %s, interrupted at %s\n",
		s.parallelism, s.gap, s.neverReads, s.readEarlier, s.interruptAt)
	fmt.Fprintf(&text, "account: %s\n", s.account)
	for _, r := range s.resources {
		fmt.Fprintln(&text, r)
	}
	for _, w := range s.outside {
		fmt.Fprintln(&text, w)
	}
	return text.String()
}

// reductions returns scenarios with one thing less.
func (s *scenario) reductions() []*scenario {
	var all []*scenario
	add := func(reduce func(*scenario)) {
		c := s.clone()
		reduce(c)
		if c.String() != s.String() {
			all = append(all, c)
		}
	}
	for i := range s.resources {
		add(func(c *scenario) { c.resources = slices.Delete(c.resources, i, i+1) })
	}
	for i, r := range s.resources {
		for id := range r.declared {
			add(func(c *scenario) { delete(c.resources[i].declared, id) })
		}
		for id := range r.prior {
			add(func(c *scenario) { delete(c.resources[i].prior, id); delete(c.resources[i].declared, id) })
		}
		add(func(c *scenario) { c.resources[i].dependsOn = "" })
		add(func(c *scenario) { c.resources[i].stall, c.resources[i].slow, c.resources[i].timeout = 0, 0, 0 })
		add(func(c *scenario) { c.resources[i].tainted = false })
		add(func(c *scenario) { c.resources[i].strict = false })
		add(func(c *scenario) { c.resources[i].createFirst = false })
		add(func(c *scenario) { c.resources[i].reassociate = false })
	}
	for i := range s.outside {
		add(func(c *scenario) { c.outside = slices.Delete(c.outside, i, i+1) })
	}
	for id := range s.account {
		add(func(c *scenario) {
			if !s.concerns(id) {
				delete(c.account, id)
			}
		})
	}
	add(func(c *scenario) { c.faults = 0 })
	add(func(c *scenario) { c.interruptAt = 0 })
	add(func(c *scenario) { c.limit, c.refuses = 0, nil })
	add(func(c *scenario) { c.merged = nil })
	add(func(c *scenario) { c.lateWrites, c.hangs = false, false })
	add(func(c *scenario) { c.readEarlier = 0 })
	add(func(c *scenario) { c.gap = 0 })
	add(func(c *scenario) { c.neverReads = false })
	add(func(c *scenario) { c.conflict = fusebillsim.ConflictStatus409 })
	add(func(c *scenario) { c.parallelism = 12 })
	return all
}

func (s *scenario) concerns(id int64) bool {
	return slices.ContainsFunc(s.outside, func(w write) bool { return w.customer == id }) ||
		slices.ContainsFunc(s.resources, func(r *resource) bool {
			return !r.prior[id].IsZero() || !r.declared[id].IsZero()
		})
}

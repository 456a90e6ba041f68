package latch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// moves are the prior and the declared latches of some customers. writes is the number of latch
// calls that bring the declared ones; it is negative where the order of the calls decides.
type moves struct {
	prior, declared latches
	writes          int
}

// updates returns one update for each customer, in the order of their IDs.
func (m moves) updates(r *trial) []operation {
	var operations []operation
	for _, id := range sorted(m.prior) {
		operations = append(operations, r.update(id, m.prior[id], m.declared[id]))
	}
	return operations
}

// ring returns the moves of n customers. Each of them claims the contact or the company, by turns,
// of the next one.
func ring(n int64) moves {
	m := moves{prior: make(latches), declared: make(latches), writes: int(n) + 1}
	held := func(i int64) fusebill.Latch {
		if i %= n; i%2 == 0 {
			return pair(100+i, 0)
		} else {
			return pair(0, 200+i)
		}
	}
	for i := range n {
		m.prior[i+1], m.declared[i+1] = held(i), held(i+1)
	}
	return m
}

// permutation returns the moves of n customers that exchange their contacts and companies at
// random.
func permutation(n int64, seed uint64) moves {
	dice := rand.New(rand.NewPCG(seed, 0))
	m := moves{prior: make(latches), declared: make(latches)}
	contacts, companies := dice.Perm(int(n)), dice.Perm(int(n))
	for i := range n {
		m.prior[i+1] = pair(1000+i, 2000+i)
		m.declared[i+1] = pair(1000+int64(contacts[i]), 2000+int64(companies[i]))
	}
	return m
}

// movesByName are moves that settle in one apply in any order of the calls.
var movesByName = map[string]moves{
	"move": {
		latches{1: pair(101, 0), 2: pair(102, 0)},
		latches{1: pair(103, 0), 2: pair(101, 0)}, 2,
	},
	"chain of 5": {
		latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0), 4: pair(104, 0), 5: pair(105, 0)},
		latches{1: pair(102, 0), 2: pair(103, 0), 3: pair(104, 0), 4: pair(105, 0), 5: pair(106, 0)}, 5,
	},
	"swap": {
		latches{1: pair(101, 201), 2: pair(102, 202)},
		latches{1: pair(102, 201), 2: pair(101, 202)}, 3,
	},
	"swap of both": {
		latches{1: pair(101, 201), 2: pair(102, 202)},
		latches{1: pair(102, 202), 2: pair(101, 201)}, 3,
	},
	"ring of 8":  ring(8),
	"ring of 10": ring(10),
	// Customer 1 is in both rings. It releases both of its IDs first, or neither.
	"two rings that share a customer": {
		latches{1: pair(101, 201), 2: pair(102, 0), 3: pair(0, 203)},
		latches{1: pair(102, 203), 2: pair(101, 0), 3: pair(0, 201)}, -1,
	},
	"two rings that share everything": {
		latches{1: pair(101, 201), 2: pair(102, 202), 3: pair(103, 203)},
		latches{1: pair(102, 203), 2: pair(103, 201), 3: pair(101, 202)}, -1,
	},
	"one customer waits for two": {
		latches{1: pair(101, 0), 2: pair(0, 202), 3: pair(0, 0)},
		latches{1: pair(104, 0), 2: pair(0, 205), 3: pair(101, 202)}, 3,
	},
}

// Moves settle in one apply without a stall, in any order of the calls, with one write for each
// customer and one more for each ring.
func TestMoves_settleInOneApply(t *testing.T) {
	for name, m := range movesByName {
		for order, reorder := range map[string]func([]operation){
			"forward": func([]operation) {}, "reversed": slices.Reverse[[]operation],
			"half reversed": func(o []operation) { slices.Reverse(o[:len(o)/2]) },
		} {
			for when, gap := range map[string]time.Duration{
				"together": time.Millisecond, "staggered": 3 * callTime / 2, "one by one": time.Second,
			} {
				runInBubble(t, name+" "+order+" "+when, func(t *testing.T) {
					r := newTrial(t, m.prior)
					r.gap = gap
					operations := m.updates(r)
					reorder(operations)
					begin := time.Now()
					r.runOK(operations...)
					n := len(operations)
					wantTook(t, begin, 0, times(n, gap)+times(n+3, callTime))
					r.wantAccount(m.declared)
					if m.writes >= 0 {
						r.wantWrites(m.writes)
					} else if most := len(operations) + 2; r.sim.Writes() > most {
						t.Errorf("%d writes, want at most %d", r.sim.Writes(), most)
					}
					if r.sim.Count(fusebillsim.RouteCustomers) > 1 {
						t.Errorf("the account was read %d times", r.sim.Count(fusebillsim.RouteCustomers))
					}
				})
			}
		}
	}
}

// Moves settle however the service answers a claim that another customer holds, even where the
// coordinator cannot read the account and only that answer shows the conflict.
func TestMoves_settleInEveryConflictMode(t *testing.T) {
	for name, m := range movesByName {
		for mode, conflict := range conflictModes {
			for _, options := range [][]Option{nil, {unreadable}} {
				for _, gap := range []time.Duration{time.Millisecond, 3 * callTime / 2, time.Second} {
					runInBubble(t, fmt.Sprint(name, " ", mode, " unreadable=", len(options) > 0, " ", gap), func(t *testing.T) {
						if conflict == fusebillsim.ConflictStatus400 && len(options) > 0 && gap == time.Second && len(m.prior) > 5 {
							t.Skip("a change waits at most the stall timeout after a 400, which may have another reason")
						}
						r := newTrial(t, m.prior, options...)
						r.gap = gap
						r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = conflict })
						r.runOK(m.updates(r)...)
						r.wantAccount(m.declared)
					})
				}
			}
		}
	}
}

// conflictModes are the answers that a service may give to a claim that another customer holds.
var conflictModes = map[string]fusebillsim.ConflictMode{
	"409": fusebillsim.ConflictStatus409, "400": fusebillsim.ConflictStatus400, "moves": fusebillsim.ConflictMoves,
}

// A create waits until the destroy of another latch has released its claim.
func TestMoves_waitForDestroyOfHolder(t *testing.T) {
	for name, reverse := range map[string]bool{"create first": false, "destroy first": true} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: pair(101, 0), 2: {}})
			r.gap = time.Second
			operations := []operation{r.create(2, pair(101, 0)), r.delete(1, pair(101, 0))}
			if reverse {
				slices.Reverse(operations)
			}
			r.runOK(operations...)
			r.wantWrites(2)
			r.wantAccount(latches{1: {}, 2: pair(101, 0)})
		})
	}
}

// A permutation of any size settles in one apply with reassociation.
func TestMoves_settlePermutationWithReassociation(t *testing.T) {
	for seed := range uint64(5) {
		runInBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			m := permutation(100, seed)
			r := newTrial(t, m.prior)
			var operations []operation
			for _, id := range sorted(m.prior) {
				operations = append(operations, r.take(id, m.prior[id], m.declared[id]))
			}
			r.runOK(operations...)
			r.wantAccount(m.declared)
			if writes := r.sim.Writes(); writes > 3*len(m.prior) {
				t.Errorf("%d writes", writes)
			}
			if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 1 {
				t.Errorf("%d list calls, want 1", lists)
			}
		})
	}
}

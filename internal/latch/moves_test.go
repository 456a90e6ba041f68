package latch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// moveModel makes the moves of a schedule on an account of its own, and fails the test where a step takes what another
// customer still holds, where two steps of a move are made at once, where a move is made twice or not at all, and where a step
// gives up nothing.
type moveModel struct {
	t       *testing.T
	moves   []move
	now     []fusebill.Latch
	holder  map[fusebill.Claim]int
	running map[int]bool
	made    []bool
	gaveUp  []int
	ordered []setStep
}

func newMoveModel(t *testing.T, moves []move) *moveModel {
	t.Helper()
	m := &moveModel{t: t, moves: moves, holder: map[fusebill.Claim]int{}, running: map[int]bool{}, made: make([]bool, len(moves))}
	for i, move := range moves {
		m.now = append(m.now, move.from)
		for _, claim := range move.from.Claims() {
			m.holder[claim] = i
		}
	}
	return m
}

func (m *moveModel) target(s setStep) fusebill.Latch {
	if s.giveUp {
		return m.moves[s.move].from.Common(m.moves[s.move].to)
	}
	return m.moves[s.move].to
}

// begin claims what a step takes: its call may reach the service at once.
func (m *moveModel) begin(s setStep) {
	m.t.Helper()
	if m.running[s.move] {
		m.t.Fatalf("two steps of move %d at once; steps so far: %v", s.move, m.ordered)
	}
	m.running[s.move] = true
	for _, claim := range m.target(s).Without(m.now[s.move]).Claims() {
		if other, held := m.holder[claim]; held && other != s.move {
			m.t.Fatalf("move %d takes %s, which move %d still holds; steps so far: %v", s.move, claim, other, m.ordered)
		}
		m.holder[claim] = s.move
	}
	m.ordered = append(m.ordered, s)
}

// end releases what a step gives up: its call may reach the service as late as that.
func (m *moveModel) end(s setStep) {
	m.t.Helper()
	delete(m.running, s.move)
	if s.giveUp {
		if m.target(s) == m.now[s.move] {
			m.t.Fatalf("move %d gives up nothing", s.move)
		}
		m.gaveUp = append(m.gaveUp, s.move)
	} else if m.made[s.move] {
		m.t.Fatalf("move %d is made twice", s.move)
	} else {
		m.made[s.move] = true
	}
	for _, claim := range m.now[s.move].Without(m.target(s)).Claims() {
		delete(m.holder, claim)
	}
	m.now[s.move] = m.target(s)
}

// run makes all steps, at most so many at once, and begins and ends them in any order that the schedule allows.
func (m *moveModel) run(random *rand.Rand, width int) {
	m.t.Helper()
	schedule := newSchedule(m.moves)
	var running []setStep
	for schedule.isReady() || len(running) > 0 {
		if schedule.isReady() && len(running) < width && (len(running) == 0 || random.IntN(2) == 0) {
			i := random.IntN(len(schedule.ready))
			schedule.ready[0], schedule.ready[i] = schedule.ready[i], schedule.ready[0]
			step := schedule.next()
			m.begin(step)
			running = append(running, step)
			continue
		}
		i := random.IntN(len(running))
		step := running[i]
		running = slices.Delete(running, i, i+1)
		m.end(step)
		schedule.made(step)
	}
	for i, made := range m.made {
		if !made {
			m.t.Fatalf("move %d of %d is never made", i, len(m.made))
		}
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		moves   []move
		giveUps int
	}{
		"nothing": {nil, 0},
		"side by side": {[]move{
			{pair(1, 0), pair(2, 0)}, {pair(0, 1), pair(0, 2)}, {pair(3, 0), pair(0, 0)},
		}, 0},
		"contacts and companies are numbered apart": {[]move{{pair(1, 0), pair(0, 2)}, {pair(0, 2), pair(1, 0)}}, 1},
		"the same number as contact and company":    {[]move{{pair(1, 0), pair(2, 0)}, {pair(0, 2), pair(0, 1)}}, 0},
		"chain, free end last": {[]move{
			{pair(1, 0), pair(2, 0)}, {pair(2, 0), pair(3, 0)}, {pair(3, 0), pair(4, 0)},
		}, 0},
		"chain to one that is released": {[]move{{pair(1, 0), pair(2, 0)}, {pair(2, 0), pair(0, 0)}}, 0},
		"chain from one that is new":    {[]move{{pair(0, 0), pair(1, 0)}, {pair(1, 0), pair(2, 0)}}, 0},
		"swap":                          {[]move{{pair(1, 5), pair(2, 5)}, {pair(2, 6), pair(1, 6)}}, 1},
		"swap of both":                  {[]move{{pair(1, 5), pair(2, 6)}, {pair(2, 6), pair(1, 5)}}, 1},
		"swap across the kinds": {[]move{
			{pair(1, 5), pair(2, 7)}, {pair(2, 6), pair(3, 5)},
		}, 1},
		"ring": {[]move{
			{pair(1, 0), pair(2, 0)}, {pair(2, 0), pair(3, 0)}, {pair(3, 0), pair(1, 0)},
		}, 1},
		"two rings": {[]move{
			{pair(1, 0), pair(2, 0)}, {pair(3, 0), pair(4, 0)}, {pair(2, 0), pair(1, 0)}, {pair(4, 0), pair(3, 0)},
		}, 2},
		"rings of contacts and of companies through the same customers": {[]move{
			{pair(1, 5), pair(2, 7)}, {pair(2, 6), pair(3, 5)}, {pair(3, 7), pair(1, 6)},
		}, 2}, // Each waits for both others.
		"a chain into a ring": {[]move{
			{pair(1, 0), pair(2, 5)}, {pair(2, 0), pair(1, 0)}, {pair(9, 5), pair(8, 0)}, {pair(0, 0), pair(9, 0)},
		}, 1},
		"held by nobody in the set": {[]move{{pair(1, 0), pair(7, 0)}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20) {
				m := newMoveModel(t, test.moves)
				m.run(rand.New(rand.NewPCG(seed, 1)), 1+int(seed%4))
				if len(m.gaveUp) != test.giveUps {
					t.Fatalf("%v gave up first, want %d", m.gaveUp, test.giveUps)
				}
			}
		})
	}
}

// TestScheduleOfPermutations moves contacts, or contacts and companies, around at random. Some are dropped, some new ones
// come in. However the steps that may be made are ordered, none takes what is still held, and where only contacts move, one
// move of each ring gives up first. (Contacts and companies together can wait for each other in rings of both kinds.)
func TestScheduleOfPermutations(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 2))
		n := 1 + random.IntN(60)
		contacts, companies := newShuffle(random, n), shuffle{make([]int64, n), make([]int64, n)}
		if seed%2 == 0 {
			companies = newShuffle(random, n)
		}
		moves := make([]move, n)
		for i := range moves {
			moves[i] = move{pair(contacts.from[i], companies.from[i]), pair(contacts.to[i], companies.to[i])}
		}
		t.Run(fmt.Sprintf("%d of seed %d", n, seed), func(t *testing.T) {
			t.Parallel()
			m := newMoveModel(t, moves)
			m.run(random, 1+random.IntN(20))
			if want := contacts.rings(); seed%2 == 1 && len(m.gaveUp) != want {
				t.Errorf("%d gave up first in %d rings", len(m.gaveUp), want)
			}
		})
	}
}

// shuffle is who holds which ID before and after; 0 is none.
type shuffle struct{ from, to []int64 }

func newShuffle(random *rand.Rand, n int) shuffle {
	s := shuffle{from: make([]int64, n), to: make([]int64, n)}
	for i := range n {
		s.from[i] = int64(i + 1)
	}
	for i, j := range random.Perm(n) {
		s.to[i] = s.from[j]
	}
	for i := range n {
		switch random.IntN(6) {
		case 0:
			s.to[i] = 0
		case 1:
			s.to[i] = int64(1000 + i)
		case 2:
			s.from[i] = 0
		}
	}
	return s
}

// rings counts the rings in which more than one customer each takes what the next one holds.
func (s shuffle) rings() int {
	holder := map[int64]int{}
	for i, id := range s.from {
		if id != 0 {
			holder[id] = i
		}
	}
	rings := 0
	seen := make([]bool, len(s.to))
	for start := range s.to {
		length, at, closed := 0, start, false
		for !seen[at] {
			seen[at] = true
			length++
			next, held := holder[s.to[at]]
			if !held {
				break
			}
			at, closed = next, next == start
		}
		if closed && length > 1 {
			rings++
		}
	}
	return rings
}

package latch

import (
	"slices"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// move is what a customer's latch is and what it is to be, in a set of changes that are made together.
type move struct {
	from, to fusebill.Latch
}

// setStep is what is done of a move at once: all of it, or, for one move of each ring, the part that others wait for.
type setStep struct {
	move   int
	giveUp bool
}

// schedule is the order in which the moves of a set can be made: what one takes, another must have given up before.
// Chains begin at their free end. A ring has none, so one of its moves gives up first what the others wait for, and gets
// its new IDs last. Everything else may go side by side.
type schedule struct {
	ready      []setStep
	waitsFor   []int   // of each move: how many things it waits for
	dependents [][]int // of each move: those that wait for it
	givesUp    []bool  // of each move: whether it is the one of a ring that gives up first
}

func newSchedule(moves []move) *schedule {
	s := &schedule{
		waitsFor:   make([]int, len(moves)),
		dependents: make([][]int, len(moves)),
		givesUp:    make([]bool, len(moves)),
	}
	s.breakRings(s.link(moves))
	for i := range moves {
		if s.givesUp[i] {
			s.ready = append(s.ready, setStep{move: i, giveUp: true})
			s.waitsFor[i]++ // for that: where another ring is broken by another move, nothing else may hold it up.
		}
	}
	for i := range moves {
		if s.waitsFor[i] == 0 {
			s.ready = append(s.ready, setStep{move: i})
		}
	}
	return s
}

// isReady says whether there is a step that can be made now.
func (s *schedule) isReady() bool { return len(s.ready) > 0 }

// next returns the first of these steps.
func (s *schedule) next() setStep {
	next := s.ready[0]
	s.ready = s.ready[1:]
	return next
}

// made says that a step was made, or has failed for good.
func (s *schedule) made(made setStep) {
	if made.giveUp {
		s.hasWaited(made.move)
	} else if s.givesUp[made.move] {
		return // Its dependents went on when it gave up.
	}
	for _, dependent := range s.dependents[made.move] {
		s.hasWaited(dependent)
	}
}

// hasWaited says that one of the things that a move waits for is over.
func (s *schedule) hasWaited(move int) {
	if s.waitsFor[move]--; s.waitsFor[move] == 0 {
		s.ready = append(s.ready, setStep{move: move})
	}
}

// link finds what waits for what, and returns for each move those that it waits for.
func (s *schedule) link(moves []move) (awaited [][]int) {
	releasedBy := make(map[fusebill.Claim]int, len(moves))
	for i, m := range moves {
		for _, claim := range m.from.Without(m.to).Claims() {
			releasedBy[claim] = i
		}
	}
	awaited = make([][]int, len(moves))
	for i, m := range moves {
		for _, claim := range m.to.Without(m.from).Claims() {
			if other, ok := releasedBy[claim]; ok && other != i {
				s.waitsFor[i]++
				s.dependents[other] = append(s.dependents[other], i)
				awaited[i] = append(awaited[i], other)
			}
		}
	}
	return awaited
}

// breakRings takes away, one after another, the moves that can be made, and where none can, lets a move of a ring give up
// first.
func (s *schedule) breakRings(awaited [][]int) {
	waits := slices.Clone(s.waitsFor)
	gone := make([]bool, len(waits)) // no other waits for it any more
	takeAway := func(move int) {
		for stack := []int{move}; len(stack) > 0; {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			gone[top] = true
			for _, dependent := range s.dependents[top] {
				if waits[dependent]--; waits[dependent] == 0 && !gone[dependent] {
					stack = append(stack, dependent)
				}
			}
		}
	}
	for move, waitsFor := range s.waitsFor {
		if waitsFor == 0 {
			takeAway(move)
		}
	}
	for move := range waits {
		for !gone[move] {
			member := ringMember(move, awaited, gone)
			s.givesUp[member] = true
			takeAway(member)
		}
	}
}

// ringMember follows, from a move that can't be made, what it waits for until it comes round.
func ringMember(start int, awaited [][]int, gone []bool) int {
	seen := make(map[int]bool)
	at := start
	for !seen[at] {
		seen[at] = true
		i := slices.IndexFunc(awaited[at], func(other int) bool { return !gone[other] })
		at = awaited[at][i]
	}
	return at
}

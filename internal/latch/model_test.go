package latch_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestModel proves that no latch is lost, nothing hangs and a second apply settles the rest, over
// random accounts, configurations, services, faults and cancellations. Each scenario follows from a
// seed. A failure prints the seed, a smaller scenario that fails in the same way, and its events.
//
// To run one scenario again, or a number of scenarios from a seed on:
//
//	TEST_SEED=123 TEST_RUNS=1 go test -run '^TestModel$' ./internal/latch
//
// Goroutines that run at the same moment may run in any order, so a failure may need a few runs.
//
// The files model_*_test.go hold the parts: scenario (what a run depends on), generate (random
// scenarios), terraform (which operations Terraform makes of a configuration, and when), service
// (the account and its history), invariants (what must hold after each run: latches, bounds, and
// settle, which changes an apply has to complete), cases (scenarios with names) and case (how they
// run).
func TestModel(t *testing.T) {
	t.Parallel()
	first, runs := fromEnvironment("TEST_SEED", 1), fromEnvironment("TEST_RUNS", 2000)
	workers := uint64(runtime.GOMAXPROCS(0))
	for worker := range workers {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			for seed := first + worker; seed < first+runs; seed += workers {
				s := newScenario(seed)
				found := s.run(t)
				switch {
				case len(found) == 0:
				case t.Failed(): // One in full is enough to read.
					t.Errorf("TEST_SEED=%d TEST_RUNS=1: %s: %s", seed, found[0].invariant, found[0].text)
				default:
					t.Errorf("TEST_SEED=%d TEST_RUNS=1\n%s", seed, s.explain(t, found))
				}
			}
		})
	}
}

func fromEnvironment(name string, fallback uint64) uint64 {
	n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
	if err != nil {
		return fallback
	}
	return n
}

// explain describes what does not hold, in the smallest scenario found for which the same does not
// hold.
func (s *scenario) explain(t *testing.T, found []violation) string {
	t.Helper()
	runs := 0
	for smaller := true; smaller; {
		smaller = false
		for _, candidate := range s.reductions() {
			if runs++; runs > maxReductions {
				break
			}
			if again := candidate.run(t); len(again) > 0 && again[0].invariant == found[0].invariant {
				s, found, smaller = candidate, again, true
				break
			}
		}
	}
	var text strings.Builder
	for _, v := range found {
		fmt.Fprintf(&text, "%s: %s\n", v.invariant, v.text)
	}
	fmt.Fprintf(&text, "%s\n%s", s, found[0].events)
	return text.String()
}

// maxReductions bounds the runs that make one failure smaller.
const maxReductions = 300

// violation is an invariant that does not hold after a run.
type violation struct {
	invariant string
	text      string
	events    string // of the run, for the reader
}

// run applies a scenario, and then applies its configuration once more to what has come of it:
// without faults, without writes by others, and with room for all operations at once.
func (s *scenario) run(t *testing.T) (found []violation) {
	t.Helper()
	fail := func(how any) { panic(fmt.Sprintf("TEST_SEED=%d TEST_RUNS=1: %v\n%s", s.seed, how, s)) }
	defer time.AfterFunc(time.Minute, func() { fail("it goes round in circles") }).Stop() // No fake time passes.
	defer func() {
		if deadlock := recover(); deadlock != nil {
			fail(deadlock)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		first := newRun(t, s)
		first.apply()
		found = first.violations()
		if len(found) > 0 {
			return
		}
		second := newRun(t, first.next())
		second.apply()
		for _, v := range second.violations() {
			v.invariant = "second apply: " + v.invariant
			v.events = first.service.events() + "second apply:\n" + second.String() + v.events
			found = append(found, v)
		}
	})
	return found
}

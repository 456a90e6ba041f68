package provider

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests of this file show with the real CLI how chains and rings of many latches settle. Each
// change that waits occupies one of Terraform's places.

// chainOf returns latches of customers 1 to n. Each takes the contact of the next one, and the last
// takes a contact that is free, or that of the first.
func chainOf(n int64, isRing bool) (before, after acctest.LatchSet) {
	before = acctest.NumberedSet(n, 100)
	after = before.Renumbered(101)
	if isRing {
		after[n-1].Contact = before[0].Contact
	}
	return before, after
}

// settled returns the number of customers that are latched as declared. It fails the test if a
// customer has lost its latch, or if two customers have the same contact.
func settled(t *testing.T, a acctest.Account, declared acctest.LatchSet) int {
	t.Helper()
	n := 0
	holders := make(map[int64]int64)
	for _, want := range declared {
		got, _ := a.Customer(want.ID)
		if got.HubSpotID == 0 {
			t.Errorf("customer %d has lost its latch", want.ID)
		}
		if other, ok := holders[got.HubSpotID]; ok {
			t.Errorf("customers %d and %d have contact %d", other, want.ID, got.HubSpotID)
		}
		holders[got.HubSpotID] = want.ID
		if got.HubSpotID == want.Contact {
			n++
		}
	}
	return n
}

// mostWritesOfACustomer returns the largest number of writes of one customer.
func mostWritesOfACustomer(t *testing.T, a acctest.Account) int {
	t.Helper()
	writes := make(map[string]int)
	for _, r := range a.Requests() {
		if r.Route != fusebillsim.RouteLatch && r.Route != fusebillsim.RouteUnlatch {
			continue
		}
		var id int64
		if _, err := fmt.Sscanf(r.Body, `{"fusebillId":%d,`, &id); err != nil {
			t.Errorf("%s: %v", r.Body, err)
		}
		writes[fmt.Sprint(id)]++
	}
	most := 0
	for n := range maps.Values(writes) {
		most = max(most, n)
	}
	return most
}

func TestAccCLIChains_settleAtTheParallelismOfTheirLength(t *testing.T) {
	t.Parallel()
	for name, isRing := range map[string]bool{"chain": false, "ring": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := chainOf(30, isRing)
			a := acctest.AccountWith(t, before.Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			runStepsIn(t, a, c, cliStep{config: singles(before)}, cliStep{
				config: singles(after), args: applied("-parallelism=30"), latched: after, writes: 31,
				prints: []string{"Warning: Long chain of HubSpot latches", "terraform apply -parallelism="},
			})
			if most := mostWritesOfACustomer(t, a); most > 2 {
				t.Errorf("a customer had %d writes", most)
			}
			c.PlanIs(false)
		})
	}
}

// With a smaller parallelism, no latch is lost. Each apply settles a part of a chain, and a ring
// stays as it is.
func TestAccCLIChains_belowTheParallelismOfTheirLength(t *testing.T) {
	t.Parallel()
	const length = 30
	for _, parallelism := range []int{10, 2} {
		for name, isRing := range map[string]bool{"chain": false, "ring": true} {
			t.Run(fmt.Sprintf("%s at %d", name, parallelism), func(t *testing.T) {
				t.Parallel()
				before, after := chainOf(length, isRing)
				a := acctest.AccountWith(t, before.Unlatched()...)
				c := acctest.NewWorkspace(t, a)
				runStepsIn(t, a, c, cliStep{config: singles(before)})
				c.Declare(singles(after))
				a.ResetCalls()
				done := 0
				for range 2 { // A user goes on until all have settled; two applies show that each goes on.
					cmd, output := c.Command(applied(fmt.Sprintf("-parallelism=%d", parallelism))...)
					err := cmd.Run()
					is := settled(t, a, after)
					t.Logf("%d latches are as declared", is)
					if is < length {
						c.Ended(cmd, output, err, 1)
						acctest.Prints(t, output.String(), "Error: HubSpot contact is latched to another customer", "-parallelism")
					}
					if isRing {
						a.Wrote(t)
						a.Holds(t, before...)
						break
					}
					if is <= done && done < length {
						t.Fatalf("after %d latches an apply settles none:\n%s", done, output)
					}
					done = is
				}
				runStepsIn(t, a, c, cliStep{args: applied("-parallelism=30"), latched: after, writes: length + 1})
				c.PlanIs(false)
			})
		}
	}
}

func TestAccCLIChains_permutationOfASetHasOneMoreWriteForEachRing(t *testing.T) {
	t.Parallel()
	const length = 250
	before := acctest.NumberedSet(length, 10_000)
	after := before.Shuffled(rand.New(rand.NewPCG(15, 1)))
	fixed, rings := cyclesOf(before, after)
	a := acctest.AccountWith(t, before.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	runStepsIn(t, a, c, cliStep{config: before.Block()})
	runStepsIn(t, a, c, cliStep{config: after.Block("max_changes = 1000"), latched: after})
	if got, want := a.Writes(), length-fixed+rings; got != want {
		t.Errorf("%d writes of a permutation with %d rings and %d latches that stay, want %d", got, rings, fixed, want)
	}
	c.PlanIs(false)
}

// cyclesOf returns the number of latches that a permutation leaves as they are, and the number of
// rings that the others form.
func cyclesOf(before, after acctest.LatchSet) (fixed, rings int) {
	holder := make(map[int64]int64)
	for _, h := range before {
		holder[h.Contact] = h.ID
	}
	next := make(map[int64]int64)
	for _, h := range after {
		next[h.ID] = holder[h.Contact]
	}
	for len(next) > 0 {
		length := 0
		for id := range next {
			for other, ok := next[id]; ok; other, ok = next[id] {
				delete(next, id)
				id = other
				length++
			}
			break
		}
		if length == 1 {
			fixed++
		} else {
			rings++
		}
	}
	return fixed, rings
}

package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: two resources can't claim the same thing; contacts and companies go from customer to customer
// in one apply, whatever the order of calls; nothing is lost where that can't be; a rename never unlatches a customer.
//
// The orders and faults that a CLI can't be made to take are in package latch, keeper_model_test.go.

// named declares a latch by a resource of its own.
func (h held) named(name string, more ...string) string {
	return strings.Replace(h.block(more...), `"test"`, fmt.Sprintf("%q", name), 1)
}

// all declares a latch for each of these customers.
func all(latches []held, more ...string) string {
	var blocks strings.Builder
	for _, h := range latches {
		blocks.WriteString(h.named(fmt.Sprintf("c%d", h.customer), more...))
	}
	return blocks.String()
}

// ring makes the latches of customers 1 to n, and what they become when each takes what the next one holds: contacts of
// odd customers and companies of even ones would never meet, so each customer has both and passes on both.
func ring(n int) (before, after []held) {
	for i := range int64(n) {
		next := (i + 1) % int64(n)
		before = append(before, held{i + 1, 100 + i, 200 + i})
		after = append(after, held{i + 1, 100 + next, 200 + next})
	}
	return before, after
}

func TestAccHubSpotLatchMoves_settleInOneApply(t *testing.T) {
	ringBefore, ringAfter := ring(8)
	for name, test := range map[string]struct {
		before, after []held
		writes        int
	}{
		"move": {
			before: []held{{11, 101, 0}, {12, 102, 0}},
			after:  []held{{11, 103, 0}, {12, 101, 0}},
			writes: 2,
		},
		"chain of five": {
			before: []held{{11, 101, 0}, {12, 102, 0}, {13, 103, 0}, {14, 104, 0}, {15, 105, 0}},
			after:  []held{{11, 102, 0}, {12, 103, 0}, {13, 104, 0}, {14, 105, 0}, {15, 106, 0}},
			writes: 5,
		},
		"contact of one, company of another": {
			before: []held{{11, 101, 201}, {12, 102, 202}, {13, 103, 203}},
			after:  []held{{11, 102, 203}, {12, 104, 202}, {13, 103, 204}},
			writes: 3,
		},
		"swap":          {[]held{{11, 101, 0}, {12, 102, 0}}, []held{{11, 102, 0}, {12, 101, 0}}, 3},
		"ring of eight": {ringBefore, ringAfter, 9},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, empty(test.before)...)
			accept(t, resource.TestCase{ProtoV6ProviderFactories: patient, Steps: []resource.TestStep{{
				Config: a.with(all(test.before)),
			}, {
				PreConfig: a.ResetCalls,
				Config:    a.with(all(test.after)),
				PostApplyFunc: func() {
					a.holds(t, test.after...)
					if got := a.Writes(); got != test.writes {
						t.Errorf("%d writes, want %d", got, test.writes)
					}
				},
			}}})
		})
	}
}

// empty are the same customers without their latches.
func empty(latches []held) []held {
	var customers []held
	for _, h := range latches {
		customers = append(customers, held{customer: h.customer})
	}
	return customers
}

func TestAccHubSpotLatchMoves_permutationWithReassociation(t *testing.T) {
	before, after := ring(100)
	a := accountWith(t, empty(before)...)
	allowed := "allow_reassociation = true"
	run(t, resource.TestStep{Config: a.with(all(before, allowed))}, resource.TestStep{
		PreConfig:     a.ResetCalls,
		Config:        a.with(all(after, allowed)),
		PostApplyFunc: func() { a.holds(t, after...) },
	})
}

func TestAccHubSpotLatchMoves_declaredTwiceIsRefusedAtPlan(t *testing.T) {
	for name, test := range map[string]struct {
		second held
		line   string
		words  string
	}{
		"contact":  {held{12, 101, 0}, "hubspot_id = 101", "contact 101 is also declared elsewhere in this configuration"},
		"company":  {held{12, 0, 201}, "hubspot_company_id = 201", "company 201 is also declared elsewhere in this configuration"},
		"customer": {held{11, 0, 202}, "fusebill_id = 11", "customer 11 is also declared elsewhere in this configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0}, held{12, 0, 0})
			run(t, resource.TestStep{
				Config:      a.with(held{11, 101, 201}.named("first"), test.second.named("second")),
				PlanOnly:    true,
				ExpectError: diagnosis("HubSpot latch is declared twice", test.line, test.words),
			})
			a.wrote(t)
		})
	}
}

// -replace plans the same instance twice in one run: that is no second declaration.
func TestAccHubSpotLatchMoves_replacedInstanceIsNoSecondDeclaration(t *testing.T) {
	t.Parallel()
	a := accountWith(t, held{11, 0, 0})
	c := newCLI(t, a)
	c.declare(held{11, 101, 201}.block())
	c.apply()
	prints(t, c.run(0, "apply", "-no-color", "-auto-approve", "-replace="+testLatch), "1 added, 0 changed, 1 destroyed")
	a.holds(t, held{11, 101, 201})
}

func TestAccHubSpotLatchMoves_unmanagedHolder(t *testing.T) {
	a := accountWith(t, held{11, 0, 0}, held{12, 101, 202})
	claim := held{11, 101, 0}
	run(t, resource.TestStep{
		Config:      a.with(claim.block()),
		ExpectError: diagnosis("HubSpot contact is latched to another customer", "hubspot_id = 101", "contact 101 is latched to customer 12", "allow_reassociation = true"),
	}, resource.TestStep{
		PreConfig: func() {
			a.wrote(t)
			a.ResetCalls()
		},
		Config: a.with(claim.block("allow_reassociation = true")),
		PostApplyFunc: func() {
			a.wrote(t, held{12, 0, 202}, claim)
			a.holds(t, claim, held{12, 0, 202}) // The holder's other ID is kept.
		},
	})
}

func TestAccHubSpotLatchMoves_reassociationThatFailsIsUndone(t *testing.T) {
	a := accountWith(t, held{11, 0, 0}, held{12, 101, 202})
	a.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{404: true} })
	claim := held{11, 101, 404}
	run(t, resource.TestStep{
		Config:      a.with(claim.block("allow_reassociation = true")),
		ExpectError: diagnosis("HubSpot company can't be latched", "hubspot_company_id = 404", "Could not create the HubSpot latch of customer 11"),
	})
	a.wrote(t, held{12, 0, 202}, claim, held{12, 101, 202})
	a.holds(t, held{11, 0, 0}, held{12, 101, 202})
}

// Terraform destroys the old name and creates the new one in any order; a slow answer forces the other one.
func TestAccHubSpotLatchMoves_renameWithoutMoved(t *testing.T) {
	latch := held{11, 101, 202}
	for _, slow := range []fusebillsim.Route{fusebillsim.RouteLatch, fusebillsim.RouteCustomer, fusebillsim.RouteCustomers} {
		t.Run(string(slow), func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0})
			steps := []resource.TestStep{{Config: a.with(latch.named("name0"))}}
			for i := range 10 {
				steps = append(steps, resource.TestStep{
					PreConfig: func() {
						a.Inject(fusebillsim.Fault{
							Kind: fusebillsim.FaultLatencyBefore, Route: slow, After: i % 3, Latency: 30 * time.Millisecond,
						})
					},
					Config: a.with(latch.named(fmt.Sprintf("name%d", i+1))),
					ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
						plancheck.ExpectResourceAction(fmt.Sprintf("fusebill_hubspot_latch.name%d", i), plancheck.ResourceActionDestroy),
					}},
					PostApplyFunc: func() { a.holds(t, latch) },
				})
			}
			run(t, steps...)
		})
	}
}

// Ctrl-C comes when the first customer of a ring has given up what it held.
func TestAccHubSpotLatchMoves_interruptedRing(t *testing.T) {
	t.Parallel()
	before, after := ring(4)
	a := accountWith(t, empty(before)...)
	c := newCLI(t, a)
	c.declare(all(before))
	c.apply()

	c.declare(all(after))
	cmd, output := c.command("apply", "-no-color", "-auto-approve")
	started := make(chan struct{})
	a.Inject(fusebillsim.Fault{Route: fusebillsim.RouteLatch, After: 1, OnRequest: func(*http.Request) {
		<-started
		c.interrupt(cmd)
	}})
	err := cmd.Start()
	close(started)
	if err == nil {
		err = cmd.Wait()
	}
	t.Logf("The interrupted run: %v\n%s", err, output)
	for _, h := range before {
		if got, _ := a.Customer(h.customer); got.HubSpotID == 0 || got.HubSpotCompanyID == 0 {
			t.Errorf("customer %d is latched to %s, and has lost something", h.customer, held{got.ID, got.HubSpotID, got.HubSpotCompanyID}.latch())
		}
	}
	c.apply()
	a.holds(t, after...)
	c.planIs(false)
}

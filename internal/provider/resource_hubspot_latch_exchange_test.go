package provider

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file change several single latches in one apply. They check that:
//
//   - two resources cannot declare the same customer, contact or company;
//   - one apply moves contacts and companies between customers, in any order of Terraform's calls;
//   - no latch is lost if such a move fails or is interrupted;
//   - a rename never unlatches a customer.
//
// TestModel in package latch checks the orders and faults that a test cannot cause with a CLI.

// named declares a latch by a resource with this name.
func named(h acctest.Customer, name string, more ...string) string {
	return strings.Replace(h.Block(more...), `"test"`, fmt.Sprintf("%q", name), 1)
}

// all declares each of these latches by a resource that is named after its customer.
func all(latches []acctest.Customer, more ...string) string {
	var blocks strings.Builder
	for _, h := range latches {
		blocks.WriteString(named(h, fmt.Sprintf("c%d", h.ID), more...))
	}
	return blocks.String()
}

// ring returns the latches of customers 1 to n before and after each of them claims the contact and
// the company of the next one. The last customer claims those of the first one.
func ring(n int) (before, after []acctest.Customer) {
	for i := range int64(n) {
		next := (i + 1) % int64(n)
		before = append(before, acctest.Customer{ID: i + 1, Contact: 100 + i, Company: 200 + i})
		after = append(after, acctest.Customer{ID: i + 1, Contact: 100 + next, Company: 200 + next})
	}
	return before, after
}

func TestAccHubSpotLatchExchange_inOneApply(t *testing.T) {
	ringBefore, ringAfter := ring(8)
	for name, test := range map[string]struct {
		before, after []acctest.Customer
		writes        int
	}{
		"move": {
			before: []acctest.Customer{{ID: 11, Contact: 101}, {ID: 12, Contact: 102}},
			after:  []acctest.Customer{{ID: 11, Contact: 103}, {ID: 12, Contact: 101}},
			writes: 2,
		},
		"chain of five": {
			before: []acctest.Customer{
				{ID: 11, Contact: 101}, {ID: 12, Contact: 102}, {ID: 13, Contact: 103}, {ID: 14, Contact: 104},
				{ID: 15, Contact: 105},
			},
			after: []acctest.Customer{
				{ID: 11, Contact: 102}, {ID: 12, Contact: 103}, {ID: 13, Contact: 104}, {ID: 14, Contact: 105},
				{ID: 15, Contact: 106},
			},
			writes: 5,
		},
		"contact of one, company of another": {
			before: []acctest.Customer{
				{ID: 11, Contact: 101, Company: 201}, {ID: 12, Contact: 102, Company: 202}, {ID: 13, Contact: 103, Company: 203},
			},
			after: []acctest.Customer{
				{ID: 11, Contact: 102, Company: 203}, {ID: 12, Contact: 104, Company: 202}, {ID: 13, Contact: 103, Company: 204},
			},
			writes: 3,
		},
		"swap": {
			before: []acctest.Customer{{ID: 11, Contact: 101}, {ID: 12, Contact: 102}},
			after:  []acctest.Customer{{ID: 11, Contact: 102}, {ID: 12, Contact: 101}},
			writes: 3,
		},
		"ring of eight": {ringBefore, ringAfter, 9},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, unlatched(test.before)...)
			acctest.RunCase(t, resource.TestCase{ProtoV6ProviderFactories: acctest.Patient, Steps: []resource.TestStep{{
				Config: a.With(all(test.before)),
			}, {
				PreConfig: a.ResetCalls,
				Config:    a.With(all(test.after)),
				PostApplyFunc: func() {
					a.Holds(t, test.after...)
					if got := a.Writes(); got != test.writes {
						t.Errorf("%d writes, want %d", got, test.writes)
					}
				},
			}}})
		})
	}
}

// unlatched returns the same customers without their latches.
func unlatched(latches []acctest.Customer) []acctest.Customer {
	var customers []acctest.Customer
	for _, h := range latches {
		customers = append(customers, acctest.Customer{ID: h.ID})
	}
	return customers
}

func TestAccHubSpotLatchExchange_ringOf30WithReassociation(t *testing.T) {
	before, after := ring(30) // three times the parallelism
	a := acctest.AccountWith(t, unlatched(before)...)
	allowed := "allow_reassociation = true"
	acctest.Run(t, resource.TestStep{Config: a.With(all(before, allowed))}, resource.TestStep{
		PreConfig:     a.ResetCalls,
		Config:        a.With(all(after, allowed)),
		PostApplyFunc: func() { a.Holds(t, after...) },
	})
}

func TestAccHubSpotLatchExchange_declaredTwiceIsRefusedAtPlan(t *testing.T) {
	for name, test := range map[string]struct {
		second  acctest.Customer
		summary string
		line    string
		words   string
	}{
		"contact": {
			acctest.Customer{ID: 12, Contact: 101}, "HubSpot contact is declared twice", "hubspot_id = 101",
			"this configuration also declares contact 101",
		},
		"company": {
			acctest.Customer{ID: 12, Company: 201}, "HubSpot company is declared twice", "hubspot_company_id = 201",
			"this configuration also declares company 201",
		},
		"customer": {
			acctest.Customer{ID: 11, Company: 202}, "Customer is declared twice", "fusebill_id = 11",
			"another resource of this configuration also declares customer 11",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 12})
			first := acctest.Customer{ID: 11, Contact: 101, Company: 201}
			acctest.Run(t, resource.TestStep{
				Config:      a.With(named(first, "first"), named(test.second, "second")),
				PlanOnly:    true,
				ExpectError: acctest.Diagnosis(test.summary, test.line, test.words),
			})
			a.Wrote(t)
		})
	}
}

// With -replace, Terraform plans the same instance twice in one run. The second plan is not a
// second declaration of the customer.
func TestAccHubSpotLatchExchange_replacedInstanceIsNotDeclaredTwice(t *testing.T) {
	t.Parallel()
	latch := acctest.Customer{ID: 11, Contact: 101, Company: 201}
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	c := acctest.NewWorkspace(t, a)
	c.Declare(latch.Block())
	c.Apply()
	acctest.Prints(t, c.Run(0, "apply", "-no-color", "-auto-approve", "-replace="+acctest.LatchAddress),
		"1 added, 0 changed, 1 destroyed")
	a.Holds(t, latch)
}

func TestAccHubSpotLatchExchange_reassociationFromUnmanagedHolder(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 12, Contact: 101, Company: 202})
	claim := acctest.Customer{ID: 11, Contact: 101}
	acctest.Run(t, resource.TestStep{
		Config: a.With(claim.Block()),
		ExpectError: acctest.Diagnosis("HubSpot contact is latched to another customer", "hubspot_id = 101",
			"contact 101 is latched to customer 12", "allow_reassociation = true"),
	}, resource.TestStep{
		PreConfig: func() {
			a.Wrote(t)
			a.ResetCalls()
		},
		Config: a.With(claim.Block("allow_reassociation = true")),
		PostApplyFunc: func() {
			a.Wrote(t, acctest.Customer{ID: 12, Company: 202}, claim)
			a.Holds(t, claim, acctest.Customer{ID: 12, Company: 202}) // The holder keeps its other ID.
		},
	})
}

func TestAccHubSpotLatchExchange_failedReassociationIsRestored(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 12, Contact: 101, Company: 202})
	a.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{404: true} })
	claim := acctest.Customer{ID: 11, Contact: 101, Company: 404}
	acctest.Run(t, resource.TestStep{
		Config: a.With(claim.Block("allow_reassociation = true")),
		ExpectError: acctest.Diagnosis("HubSpot company cannot be latched", "hubspot_company_id = 404",
			"Could not create the HubSpot latch of customer 11"),
	})
	a.Wrote(t, acctest.Customer{ID: 12, Company: 202}, claim, acctest.Customer{ID: 12, Contact: 101, Company: 202})
	a.Holds(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 12, Contact: 101, Company: 202})
}

// If a resource is renamed without a moved block, Terraform destroys the old one and creates the
// new one in any order. A slow response to one of the calls causes both orders.
func TestAccHubSpotLatchExchange_renameWithoutMovedBlock(t *testing.T) {
	latch := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	for _, slow := range slices.Concat(acctest.WriteRoutes, acctest.ReadRoutes) {
		t.Run(string(slow), func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			steps := []resource.TestStep{{Config: a.With(named(latch, "name0"))}}
			for i := range 10 {
				steps = append(steps, resource.TestStep{
					PreConfig: func() {
						a.Inject(fusebillsim.Fault{
							Kind: fusebillsim.FaultLatencyBefore, Route: slow, After: i % 3, Latency: 30 * time.Millisecond,
						})
					},
					Config: a.With(named(latch, fmt.Sprintf("name%d", i+1))),
					ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
						plancheck.ExpectResourceAction(fmt.Sprintf("fusebill_hubspot_latch.name%d", i), plancheck.ResourceActionDestroy),
					}},
					PostApplyFunc: func() { a.Holds(t, latch) },
				})
			}
			acctest.Run(t, steps...)
		})
	}
}

// Ctrl-C arrives after the first customer of a ring has released its latch.
func TestAccHubSpotLatchExchange_interruptedRing(t *testing.T) {
	t.Parallel()
	before, after := ring(4)
	a := acctest.AccountWith(t, unlatched(before)...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(all(before))
	c.Apply()

	c.Declare(all(after))
	cmd, output := c.Command("apply", "-no-color", "-auto-approve")
	started := make(chan struct{})
	a.Inject(fusebillsim.Fault{Route: fusebillsim.RouteLatch, After: 1, OnRequest: func(*http.Request) {
		<-started
		c.Interrupt(cmd)
	}})
	err := cmd.Start()
	close(started)
	if err == nil {
		err = cmd.Wait()
	}
	t.Logf("The interrupted run: %v\n%s", err, output)
	for _, h := range before {
		if got, _ := a.Customer(h.ID); got.HubSpotID == 0 || got.HubSpotCompanyID == 0 {
			t.Errorf("customer %d is latched to contact %d and company %d, want one of each",
				h.ID, got.HubSpotID, got.HubSpotCompanyID)
		}
	}
	c.Apply()
	a.Holds(t, after...)
	c.PlanIs(false)
}

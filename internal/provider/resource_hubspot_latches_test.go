package provider

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The tests in this file create, update and destroy a latch set. They check that:
//
//   - the account has the declared latches, with one call for each customer that changes;
//   - a plan shows only the customers that change, for each cause of a change;
//   - the state has values as they were declared;
//   - moves within a set need no permission, and one additional call for each ring;
//   - an exclusive set removes the other latches of the account, within max_removals.
//
// Invalid sets, failures, interruptions and imports have files of their own.

// A configuration may use the cells of a CSV file as they are. An empty cell means no ID, and is
// empty in the state, too.
func TestAccHubSpotLatches_fromCSV(t *testing.T) {
	after := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Company: 203}, {ID: 33, Contact: 303}}
	a := acctest.AccountWith(t, after.Unlatched()...)
	file := filepath.Join(t.TempDir(), "latches.csv")
	const csv = "fusebill_id,contact_id,company_id,name\n11,101,202,Stolen Bikes\n22,,203,Brown Coffee\n" +
		"33,303,,Castillo Dental\n"
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	config := a.Config(`resource "fusebill_hubspot_latches" "test" {
  hubspot_ids         = { for r in csvdecode(file(%[1]q)) : r.fusebill_id => r.contact_id }
  hubspot_company_ids = { for r in csvdecode(file(%[1]q)) : r.fusebill_id => r.company_id }
}`, file)
	elements := elementsOfSet(after)
	elements["hubspot_ids[22]"], elements["hubspot_company_ids[33]"] = "", ""
	acctest.Run(t, stepOfSet(t, a, setStep{
		config: config, action: plancheck.ResourceActionCreate, after: after, elements: elements, writes: after,
	}))
	a.Holds(t, after.Unlatched()...) // plugin-testing has destroyed the set at the end.
}

// A map may have numbers, strings, nulls and empty strings, and each stays as it is declared.
func TestAccHubSpotLatches_formsOfIDs(t *testing.T) {
	after := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}, {ID: 33, Company: 203}}
	a := acctest.AccountWith(t, after.Unlatched()...)
	config := func(contact string) string {
		return a.Config(`resource "fusebill_hubspot_latches" "test" {
  hubspot_ids = {
    11   = %s
    "22" = "102"
    33   = null
  }
  hubspot_company_ids = {
    22 = ""
    33 = 203
  }
}`, contact)
	}
	elements := elementsOfSet(after)
	elements["hubspot_ids[33]"], elements["hubspot_company_ids[22]"] = "null", ""
	acctest.Run(t,
		stepOfSet(t, a, setStep{
			config: config("101"), action: plancheck.ResourceActionCreate, after: after, elements: elements, writes: after,
		}),
		stepOfSet(t, a, setStep{
			config: config(`"101"`), action: plancheck.ResourceActionNoop, elementsBefore: elements, after: after, elements: elements,
		}),
	)
}

func TestAccHubSpotLatches_writesOnlyChangedCustomers(t *testing.T) {
	before := acctest.NumberedSet(200, 1000)
	var customers []acctest.Customer
	customers = append(customers, before.Unlatched()...)
	a := acctest.AccountWith(t, append(customers, acctest.Customer{ID: 201})...)
	steps := []resource.TestStep{
		createsSet(t, a, before),
		// Nothing changes, so each process only reads one page.
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionNoop, before: before, after: before, reads: 4}),
	}
	for _, changed := range []acctest.Customer{
		{ID: 11, Contact: 9011}, {ID: 12, Company: 9012}, {ID: 13, Contact: 1013, Company: 9013}, // changed
		{ID: 201, Contact: 1201}, // added
		{ID: 14},                 // removed
		{ID: 14, Contact: 1014},  // added again
	} {
		after := before.With(changed)
		steps = append(steps, stepOfSet(t, a, setStep{
			action: plancheck.ResourceActionUpdate, before: before, after: after, writes: acctest.LatchSet{changed},
		}))
		before = after
	}
	acctest.Run(t, steps...)
}

// If somebody else changes latches, the next plan shows exactly these changes, and the apply
// reverts each of them with one write.
func TestAccHubSpotLatches_driftIsShownAndReverted(t *testing.T) {
	declared := acctest.LatchSet{
		{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}, {ID: 33, Company: 203}, {ID: 44, Contact: 104},
		{ID: 55, Contact: 105},
	}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	drift := func(changed ...acctest.Customer) resource.TestStep {
		var reverted acctest.LatchSet
		for _, c := range changed {
			at := slices.IndexFunc(declared, func(h acctest.Customer) bool { return h.ID == c.ID })
			reverted = append(reverted, declared[at])
		}
		return stepOfSet(t, a, setStep{
			prepare: func() {
				for _, c := range changed {
					a.SetLatch(c.ID, c.Contact, c.Company)
				}
			},
			action: plancheck.ResourceActionUpdate, before: declared.With(changed...), after: declared, writes: reverted,
		})
	}
	swapped := drift(acctest.Customer{ID: 11, Contact: 102, Company: 202}, acctest.Customer{ID: 22, Contact: 101})
	swapped.PostApplyFunc = func() { // One of them releases its contact first.
		a.WroteSet(t, []acctest.Customer{
			{ID: 11, Company: 202}, {ID: 22, Contact: 102}, {ID: 11, Contact: 101, Company: 202},
		}...)
		a.Holds(t, declared...)
	}
	acctest.Run(t, createsSet(t, a, declared), swapped,
		drift(acctest.Customer{ID: 11, Contact: 999, Company: 202}), // contact changed
		drift(acctest.Customer{ID: 22, Contact: 102, Company: 888}), // company added
		drift(acctest.Customer{ID: 11, Contact: 101}),               // company removed
		drift(acctest.Customer{ID: 33}),                             // unlatched
		// The IDs of one customer swapped, and another customer unlatched.
		drift(acctest.Customer{ID: 11, Contact: 202, Company: 101}, acctest.Customer{ID: 44}),
		// A contact moved from one customer to another one.
		drift(acctest.Customer{ID: 22, Contact: 105}, acctest.Customer{ID: 55}),
		drift(declared.Unlatched()...),
	)
}

// A deleted customer leaves the state. As long as it is declared, the plan warns, and the apply
// makes the other changes and ends with an error for this customer.
func TestAccCLILatches_deletedCustomer(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}, {ID: 33, Contact: 103}}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	c.Apply()
	a.DeleteCustomer(22)
	declared = declared.With(acctest.Customer{ID: 33, Contact: 109})
	c.Declare(declared.Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: Customer not found in Fusebill",
		"Could not plan the HubSpot latch of customer 22 to contact 102",
		"Where the customer was deleted, remove it from the set.")
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), "Error: Customer not found in Fusebill",
		"Could not update the HubSpot latch of customer 22 to contact 102")
	left := declared.With(acctest.Customer{ID: 22})
	showsSet(c, left)
	a.Holds(t, left...)
	c.Declare(left.Block())
	c.PlanIs(false)
}

func TestAccHubSpotLatches_largeIDsKeepAllDigits(t *testing.T) {
	const big = 9007199254740993 // 2^53 + 1, which a float cannot represent
	declared := acctest.LatchSet{
		{ID: big, Contact: big + 2, Company: big + 4}, {ID: math.MaxInt64, Contact: math.MaxInt64 - 1},
	}
	changed := acctest.Customer{ID: big, Contact: big + 6, Company: big + 4}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	acctest.Run(t, createsSet(t, a, declared),
		stepOfSet(t, a, setStep{
			prepare: func() { a.SetLatch(changed.ID, changed.Contact, changed.Company) },
			action:  plancheck.ResourceActionUpdate, before: declared.With(changed), after: declared, writes: declared[:1],
		}))
}

// Values that are unknown at plan are checked at apply, when they are known.
func TestAccHubSpotLatches_unknownAtPlan(t *testing.T) {
	t.Parallel()
	after := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}}
	for name, maps := range map[string][2]string{
		"a contact": {`{ "11" = terraform_data.later.output, "22" = 102 }`, `{ "11" = 202 }`},
		"a company": {`{ "11" = 101, "22" = 102 }`, `{ "11" = terraform_data.later.output + 101 }`},
		"both maps": {
			`{ for id in ["11", "22"] : "${id}${terraform_data.later.output == "" ? "" : ""}" => id == "11" ? 101 : 102 }`,
			`{ for id in ["11"] : "${id}${terraform_data.later.output == "" ? "" : ""}" => 202 }`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, after.Unlatched()...)
			acctest.Run(t, resource.TestStep{
				Config: a.With(acctest.Block(`resource "terraform_data" "later"`, `input = "101"`),
					acctest.Block(`resource "fusebill_hubspot_latches" "test"`,
						"hubspot_ids = "+maps[0], "hubspot_company_ids = "+maps[1])),
				ConfigStateChecks: inStateAs(elementsOfSet(after)),
				PostApplyFunc:     func() { a.WroteSet(t, after...) },
			})
		})
	}
}

// An apply refuses an invalid value that was unknown at plan, and makes no write.
func TestAccHubSpotLatches_invalidUnknownIsRefusedAtApply(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		later   string
		summary string
		part    string
	}{
		"not an ID": {
			"oops", "Invalid HubSpot latch",
			`The value of hubspot_ids["11"] must be the ID of a HubSpot contact. "oops" is not the ID of a`,
		},
		"declared for another customer": {
			"102", "HubSpot contact or company is declared twice",
			"HubSpot contact 102 is declared for customer 11 and for customer 22.",
		},
		"held by another customer": {
			"999", "HubSpot contact is latched to another customer", "contact 999 is latched to customer 33",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, []acctest.Customer{{ID: 11}, {ID: 22}, {ID: 33, Contact: 999}}...)
			config := a.With(
				acctest.Block(`resource "terraform_data" "later"`, fmt.Sprintf("input = %q", test.later)),
				acctest.Block(`resource "fusebill_hubspot_latches" "test"`,
					`hubspot_ids = { "11" = terraform_data.later.output, "22" = 102 }`))
			acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(test.summary, "", test.part)))
			a.Holds(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 33, Contact: 999})
		})
	}
}

// Customers that are already latched as declared are adopted without a write.
func TestAccHubSpotLatches_adoptsExistingLatches(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}, {ID: 33, Contact: 103}}
	a := acctest.AccountWith(t, declared[0], acctest.Customer{ID: 22}, declared[2])
	acctest.Run(t, stepOfSet(t, a, setStep{
		action: plancheck.ResourceActionCreate, after: declared, writes: declared[1:2],
	}))
}

// With allow_reassociation, an apply takes contacts from customers outside the set, which keep
// their companies, and replaces other latches of its own customers.
func TestAccHubSpotLatches_allowReassociation(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}
	a := acctest.AccountWith(t, []acctest.Customer{
		{ID: 11}, {ID: 22, Contact: 999, Company: 888}, {ID: 33, Contact: 101, Company: 203},
	}...)
	acctest.Run(t, stepOfSet(t, a, setStep{
		action: plancheck.ResourceActionCreate, after: declared, arguments: []string{"allow_reassociation = true"},
		writes: append(slices.Clone(declared), acctest.Customer{ID: 33, Company: 203}),
	}))
	a.Holds(t, acctest.Customer{ID: 33, Company: 203})
}

// One apply settles chains, swaps and rings within a set without permission, with one additional
// write for each ring. The service refuses none of the writes.
func TestAccHubSpotLatches_chainsAndRings(t *testing.T) {
	const n = 120 // more than a batch
	before := acctest.NumberedSet(n, 1000)
	perm := rand.New(rand.NewPCG(7, 0)).Perm(n)
	permuted := slices.Clone(before)
	moved := 0
	rings, seen := 0, make([]bool, n)
	for i := range permuted {
		permuted[i].Contact = before[perm[i]].Contact
		if perm[i] != i {
			moved++
		}
		for at, length := i, 0; !seen[at]; at, length = perm[at], length+1 {
			seen[at] = true
			if length == 1 {
				rings++
			}
		}
	}
	a := acctest.AccountWith(t, append(before.Unlatched(), acctest.Customer{ID: n + 1})...)
	chain := before.With([]acctest.Customer{
		{ID: 1, Contact: 1002}, {ID: 2, Contact: 1003}, {ID: 3}, {ID: n + 1, Contact: 1001},
	}...)
	step := func(from, to acctest.LatchSet, writes int) resource.TestStep {
		s := stepOfSet(t, a, setStep{
			action: plancheck.ResourceActionUpdate, before: from, after: to, reads: 20,
			arguments: []string{fmt.Sprint("max_changes = ", n)},
		})
		s.PostApplyFunc = func() {
			if got := a.Writes(); got != writes {
				t.Errorf("%d writes, want %d", got, writes)
			}
			a.Holds(t, to...)
			for _, r := range a.Requests() {
				if r.Status == http.StatusConflict {
					t.Errorf("the service refused the call %s", r.Body)
				}
			}
		}
		return s
	}
	ring := before.With([]acctest.Customer{
		{ID: 1, Contact: 1002}, {ID: 2, Contact: 1003}, {ID: 3, Contact: 1001},
	}...)
	acctest.Run(t, createsSet(t, a, before),
		step(before, chain, 4),
		step(chain, before, 4), // the opposite chain
		step(before, ring, 3+1),
		step(ring, before, 3+1),
		step(before, permuted, moved+rings),
	)
}

// An exclusive set shows the latches of other customers in unlisted. The next apply removes those
// that it has shown.
func TestAccCLILatches_exclusive(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}
	var others acctest.LatchSet
	for id := range int64(11) {
		others = append(others, acctest.Customer{ID: 100 + id, Contact: 1100 + id})
	}
	a := acctest.AccountWith(t, append(declared.Unlatched(), others...)...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block("exclusive = true"))
	acctest.Prints(t, c.PlanIs(true), "Warning: Other customers are latched",
		"does not list 11 customers that the account has latched: customer 100",
		"This apply leaves them alone", "unlisted", "(known after apply)")
	c.Run(0, "apply", "-no-color", "tfplan")
	showsSet(c, declared)
	a.Holds(t, others...)

	acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Error: Too many HubSpot latches would be removed",
		"unlatch 11 customers, and max_removals allows 10", "max_removals = 11", "terraform destroy -refresh=false")
	c.Declare(declared.Block("exclusive = true", "max_removals = 11"))
	acctest.Prints(t, c.PlanIs(true), `- "100" = "contact 1100" -> null`, "Warning: HubSpot latches will be removed",
		"This exclusive set unlatches 11 customers that it does not list: customer 100, customer 101")
	a.ResetCalls()
	a.SetLatch(100, 9999, 0)
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), "Error: HubSpot latch changed since the plan was made",
		"does not list customer 100", "Its latch stays as it is.")
	a.Holds(t, append(others[1:].Unlatched(), acctest.Customer{ID: 100, Contact: 9999})...)
	showsSet(c, declared)
	c.Apply()
	a.Holds(t, append(others.Unlatched(), declared...)...)
	c.PlanIs(false)

	// A set that is no longer exclusive leaves the latches in unlisted alone.
	a.SetLatch(100, 1100, 0)
	c.Run(0, "apply", "-no-color", "-auto-approve", "-refresh-only")
	c.Declare(declared.Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: Unlisted HubSpot latches stay as they are", "customer 100")
	c.Run(0, "apply", "-no-color", "tfplan")
	a.Holds(t, acctest.Customer{ID: 100, Contact: 1100})
	c.PlanIs(false)
}

// The limits protect a set if its file was cut off. If a limit stops the plan before a destroy, the
// destroy works with -refresh=false.
func TestAccCLILatches_limits(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(40, 1000)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	c.Apply()
	c.Declare(declared[:29].Block())
	acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Error: Too many HubSpot latches would be removed",
		"unlatch 11 customers, and max_removals allows 10, the default for a set of 40 rows", "customer 30, customer 31")
	c.Declare(declared[:29].Block("max_removals = 11"))
	acctest.Prints(t, c.PlanIs(true), "Warning: HubSpot latches will be removed",
		"unlatches 11 customers that the set no longer lists: customer 30")
	c.Run(0, "apply", "-no-color", "tfplan")
	left := declared[:29]
	for _, h := range left[:12] {
		a.SetLatch(h.ID, h.Contact+5000, 0)
	}
	c.Declare(left.Block())
	acctest.Prints(t, c.Run(1, "destroy", "-no-color", "-auto-approve"), "Error: Too many HubSpot latches would change",
		"change the IDs of 12 customers, and max_changes allows 10", "terraform destroy -refresh=false")
	for _, h := range left[:12] {
		a.SetLatch(h.ID, h.Contact, 0)
	}
	c.Run(0, "destroy", "-no-color", "-auto-approve", "-refresh=false")
	a.Holds(t, declared.Unlatched()...)
}

// A set may be empty. Its create makes no call.
func TestAccHubSpotLatches_empty(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	one := acctest.LatchSet{{ID: 11, Contact: 101}}
	acctest.Run(t,
		stepOfSet(t, a, setStep{
			action: plancheck.ResourceActionCreate, after: acctest.LatchSet{}, elements: setElements{}, reads: -1,
		}),
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionUpdate, after: one, writes: one}),
		stepOfSet(t, a, setStep{
			config: a.With(acctest.LatchSet{}.Block()), action: plancheck.ResourceActionUpdate, before: one,
			after: acctest.LatchSet{}, elements: setElements{}, writes: acctest.LatchSet{{ID: 11}},
		}))
}

func TestAccCLILatches_planShowsOnlyChangedCustomers(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(50, 1000)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	c.Apply()
	acctest.Prints(t, c.PlanIs(false), "No changes.")
	a.SetLatch(33, 9999, 0)
	c.Declare(declared.With(acctest.Customer{ID: 7, Contact: 1007, Company: 2007}, acctest.Customer{ID: 44}).Block())
	plan := c.PlanIs(true)
	acctest.Prints(t, plan, "(48 unchanged elements hidden)", `~ "33" = "9999" -> "1033"`, `+ "7" = "2007"`, `- "44" = "1044" -> null`)
	for id := range 50 {
		if at := fmt.Sprintf(`"%d" = `, id+1); !slices.Contains([]int{7, 33, 44}, id+1) && strings.Contains(plan, at) {
			t.Errorf("the plan shows customer %d:\n%s", id+1, plan)
		}
	}
}

package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: what can't be right is refused at plan, on the element at fault and without a write; thousands of
// faults are told as twenty and a number; two resources of one configuration never own the same thing.

// Invalid rows are refused with the map and the key, on the element.
func TestAccHubSpotLatchesRefused_invalidElements(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arguments []string
		summary   string
		line      string
		detail    string
	}{
		"a key from a spreadsheet": {
			[]string{`hubspot_ids = { "1.23457E+10" = 101 }`}, "Invalid HubSpot latch", "hubspot_ids",
			`A key of hubspot_ids must be the ID of a Fusebill customer. "1.23457E+10" is not the ID of a`,
		},
		"a contact with a fraction": {
			[]string{"hubspot_ids = {\n    \"11\" = 101.5\n  }"}, "Invalid HubSpot latch", `"11" = 101.5`,
			`The value of hubspot_ids["11"] must be the ID of a HubSpot contact. "101.5" is not the ID of a`,
		},
		"leading zeros in a company": {
			[]string{"hubspot_company_ids = {\n    \"11\" = \"0202\"\n  }"}, "Invalid HubSpot latch", `"11" = "0202"`,
			`The value of hubspot_company_ids["11"] must be the ID of a HubSpot company. "0202" is not the ID of a`,
		},
		"an ID that is too large": {[]string{`hubspot_ids = { "11" = 9223372036854775808 }`}, "Invalid HubSpot latch", "", `"9223372036854775808" is not the ID of a HubSpot contact`},
		"no ID":                   {[]string{`hubspot_ids = { "11" = "" }`, `hubspot_company_ids = { "11" = null }`}, "HubSpot latch without a contact and a company", "", "for customer 11"},
		"an invalid ID among unknown ones": {
			[]string{`hubspot_ids = { "11" = terraform_data.later.output }`, `hubspot_company_ids = { "11" = "x" }`}, "Invalid HubSpot latch", "", `"x" is not the ID of a HubSpot company`,
		},
		"no map": {nil, "HubSpot latch set without latches", "", "At least one of hubspot_ids and hubspot_company_ids must be set."},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
			acctest.Run(t, acctest.Refused(a.With(`resource "terraform_data" "later" {}`+"\n",
				acctest.Block(`resource "fusebill_hubspot_latches" "test"`, c.arguments...)), acctest.Diagnosis(c.summary, c.line, c.detail)))
			if n := a.Count(); n > 0 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// Where a file has thousands of bad lines, errors explain the first twenty, in order, and count the rest.
func TestAccCLILatches_manyFaultsAreTwentyAndANumber(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t)
	c := acctest.NewWorkspace(t, a)
	c.Declare(acctest.Block(`resource "fusebill_hubspot_latches" "test"`, `hubspot_ids = { for i in range(100, 150) : i => "x${i}" }`))
	output := c.Run(1, "validate", "-no-color")
	if got := strings.Count(output, "Error: Invalid HubSpot latch"); got != maxListed+1 {
		t.Errorf("%d errors, want %d:\n%s", got, maxListed+1, output)
	}
	acctest.Prints(t, output, `The value of hubspot_ids["100"]`, `The value of hubspot_ids["119"]`, "30 more rows have a fault like these.")
	if strings.Contains(output, `["120"]`) {
		t.Errorf("more than the first are listed:\n%s", output)
	}
}

// With the key of another account there is one error, and no list of thousands of rows.
func TestAccCLILatches_anotherAccount(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(3000, 100_000)
	a := acctest.AccountWith(t, acctest.Customer{ID: 9001}, acctest.Customer{ID: 9002, Contact: 102})
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	output := c.Run(1, "plan", "-no-color")
	acctest.Prints(t, output, "Error: Customers of the set are not in this Fusebill account",
		"None of 10 customers that the provider looked up, of the 3000 customers of the set, exists in the account", a.URL)
	if n := strings.Count(output, "Error: "); n != 1 || strings.Count(output, "\n") > 40 {
		t.Errorf("%d errors in %d lines:\n%s", n, strings.Count(output, "\n"), output)
	}
}

func TestAccHubSpotLatchesRefused_declaredTwiceWithinTheMap(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		declared acctest.LatchSet
		what     string
	}{
		"contact": {acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 101, Company: 202}}, "contact 101"},
		"company": {acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Company: 202}}, "company 202"},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, test.declared.Unlatched()...)
			acctest.Run(t, acctest.Refused(a.With(test.declared.Block()), acctest.Diagnosis("HubSpot contact or company is declared twice", "",
				"HubSpot "+test.what+" is declared for customer 11 and for customer 22.")))
		})
	}
	t.Run("not so across kinds", func(t *testing.T) {
		declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 202, Company: 101}}
		a := acctest.AccountWith(t, declared.Unlatched()...)
		acctest.Run(t, createsSet(t, a, declared))
	})
}

// A single latch and a set, or two sets, that claim the same thing are refused, whichever is planned first.
func TestAccHubSpotLatchesRefused_clashes(t *testing.T) {
	t.Parallel()
	set := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}}
	summaries := map[string]string{"custome": "Customer", "contact": "HubSpot contact", "company": "HubSpot company"}
	for name, other := range map[string]string{
		"customer in a single latch":   acctest.Customer{ID: 22, Contact: 999}.Block(),
		"contact in a single latch":    acctest.Customer{ID: 33, Contact: 101}.Block(),
		"company in a single latch":    acctest.Customer{ID: 33, Company: 202}.Block(),
		"customer in another set":      acctest.LatchSet{{ID: 44, Contact: 104}, {ID: 22, Contact: 999}}.BlockOf("other"),
		"contact in another set":       acctest.LatchSet{{ID: 44, Contact: 104}, {ID: 33, Contact: 102}}.BlockOf("other"),
		"customer, IDs not known yet":  acctest.Block(`resource "fusebill_hubspot_latch" "test"`, "fusebill_id = 22", "hubspot_id = terraform_data.later.output"),
		"contact, company not known":   acctest.Block(`resource "fusebill_hubspot_latch" "test"`, "fusebill_id = 33", "hubspot_id = 101", "hubspot_company_id = terraform_data.later.output"),
		"customer, of a set not known": acctest.Block(`resource "fusebill_hubspot_latches" "other"`, `hubspot_ids = { "22" = terraform_data.later.output }`),
	} {
		for order, dependsOn := range map[string][2]string{
			"the set first": {"", "depends_on = [fusebill_hubspot_latches.test]"},
			"the set last":  {"depends_on = [OTHER]", ""},
		} {
			t.Run(name+", "+order, func(t *testing.T) {
				a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33}, acctest.Customer{ID: 44})
				address := "fusebill_hubspot_latch.test"
				if strings.Contains(other, "latches") {
					address = "fusebill_hubspot_latches.other"
				}
				config := a.With(`resource "terraform_data" "later" {
  input = 999
}
`, set.Block(strings.ReplaceAll(dependsOn[0], "OTHER", address)), strings.Replace(other, "{\n", "{\n  "+dependsOn[1]+"\n", 1))
				acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(
					summaries[name[:len("contact")]]+" is declared twice", "", "configuration also declares")))
				a.WroteSet(t)
			})
		}
	}
}

// An exclusive set would remove what other resources declare, even such as don't change. The error is on what is planned last.
func TestAccHubSpotLatchesRefused_exclusiveBesideOthers(t *testing.T) {
	t.Parallel()
	set, unlisted := acctest.LatchSet{{ID: 11, Contact: 101}}, acctest.Customer{ID: 22, Contact: 102}
	for name, test := range map[string]struct {
		ofSet, other string
		line         string
	}{
		"a single latch, the set first": {"", unlisted.Block("depends_on = [fusebill_hubspot_latches.test]"), "fusebill_id = 22"},
		"a single latch, the set last":  {"depends_on = [fusebill_hubspot_latch.test]", unlisted.Block(), "exclusive = true"},
		"another set, the set first": {
			"", acctest.LatchSet{unlisted}.BlockOf("other", "depends_on = [fusebill_hubspot_latches.test]"), `"22" = 102`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
			before := a.With(set.Block(test.ofSet), test.other)
			acctest.Run(t,
				resource.TestStep{Config: before},
				acctest.Refused(a.With(set.Block("exclusive = true", test.ofSet), test.other), acctest.Diagnosis("Exclusive latch set does not list the customer",
					test.line, "does not list customer 22", "List customer 22 in that set instead of another resource, or remove exclusive")),
				resource.TestStep{PreConfig: a.ResetCalls, Config: before, PostApplyFunc: func() { a.WroteSet(t); a.Holds(t, append(set, unlisted)...) }},
			)
		})
	}
}

// A customer that is latched otherwise, or does not exist, is a warning at plan. The apply makes the other changes.
func TestAccCLILatches_latchedOtherwise(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Contact: 999, Company: 888}, acctest.Customer{ID: 33, Contact: 103})
	c := acctest.NewWorkspace(t, a)
	c.Declare(acctest.LatchSet{{ID: 11, Contact: 101}}.Block())
	c.Apply()
	c.Declare(acctest.LatchSet{{ID: 11, Contact: 109}, {ID: 22, Contact: 102}, {ID: 99, Contact: 104}}.Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: Customer is already latched",
		"Could not plan the HubSpot latch of customer 22 to contact 102: customer 22 is already latched to contact 999 and company 888.",
		`hubspot_ids         = { "22" = "999" }`, `hubspot_company_ids = { "22" = "888" }`, "To replace it, set allow_reassociation = true.",
		"Warning: Customer not found in Fusebill", "check that 99 is the ID of the customer")
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), "Error: Customer is already latched", "Error: Customer not found in Fusebill")
	a.Holds(t, acctest.Customer{ID: 11, Contact: 109}, acctest.Customer{ID: 22, Contact: 999, Company: 888})
}

// A claim that a customer outside the set holds is a warning at plan, since another resource may make it free, and refused
// at apply: the rest is made.
func TestAccHubSpotLatchesRefused_heldOutsideTheSet(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33, Contact: 101, Company: 203})
	acctest.Run(t, acctest.Refused(a.With(acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}.Block()), acctest.Diagnosis("HubSpot contact is latched to another customer", "",
		"Could not create the HubSpot latch of customer 11 to contact 101: contact 101 is latched to customer 33.",
		"set allow_reassociation = true")))
	a.Holds(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 33, Contact: 101, Company: 203})
}

// What a customer that leaves the set gives up is no conflict: the plan doesn't warn of it.
func TestAccCLILatches_moveFromOneThatLeavesNeedsNoWarning(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33, Contact: 103})
	c := acctest.NewWorkspace(t, a)
	c.Declare(acctest.LatchSet{{ID: 11, Contact: 101}}.Block())
	c.Apply()
	c.Declare(acctest.LatchSet{{ID: 22, Contact: 101}}.Block())
	if output := c.PlanIs(true); strings.Contains(output, "is latched to another customer") {
		t.Errorf("a warning:\n%s", output)
	}
	c.Declare(acctest.LatchSet{{ID: 22, Contact: 103}}.Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: HubSpot contact is latched to another customer",
		"HubSpot contact 103 is latched to customer 33 now, and planned for customer 22.")
}

// With a wrong key the plan ends at the first answer: accounts get locked.
func TestAccHubSpotLatchesRefused_wrongKey(t *testing.T) {
	a := acctest.AccountWith(t, acctest.NumberedSet(150, 100).Unlatched()...)
	config := acctest.Required + acctest.ProviderBlock(`api_key = "`+keyOfAnotherAccount+`"`, `base_url = "`+a.URL+`"`) + acctest.NumberedSet(150, 100).Block()
	acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("Fusebill refused the API key", "", "Could not plan the HubSpot latches: ", "401 Unauthorized")))
	if n := a.Count(); n != 1 {
		t.Errorf("%d calls with a key that was refused, want 1", n)
	}
}

// Where the account can't be read at plan, the plan says so and stands.
func TestAccCLILatches_planWithoutTheService(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(3, 100)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	back := a.Faults(fusebillsim.FaultStatus500Before, "", -1)
	acctest.Prints(t, c.PlanIs(true), "Warning: Plan is not checked for conflicts", "Could not plan the HubSpot latches: ", "500 Internal Server Error")
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), "Error: Fusebill returned a server error", "Could not create 3 of 3 HubSpot latches: ")
	a.WroteSet(t)
	if state := setInState(c); state != nil {
		t.Errorf("there is a state, and so a taint: %v", state)
	}
	back()
	c.Apply()
	showsSet(c, declared)
	a.WroteSet(t, declared...)
}

// Where lists do not show latches, nobody can say what else the account has latched, unless it has so few customers that
// the provider reads each of them individually.
func TestAccHubSpotLatchesRefused_exclusiveWhereListsTellNothing(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101}}
	a := acctest.AccountWith(t, append(declared.Unlatched(), acctest.Customer{ID: 22}, acctest.Customer{ID: 33})...)
	a.Configure(func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true })
	acctest.Run(t, createsSet(t, a, declared),
		acctest.Refused(a.With(declared.Block("exclusive = true")), acctest.Diagnosis("Fusebill's lists do not show HubSpot latches", "",
			"Could not find the latches of other customers", "Remove exclusive from the set")),
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionNoop, before: declared, after: declared}))
}

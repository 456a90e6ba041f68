package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file declare latch sets that the provider refuses or warns about. They check
// that:
//
//   - invalid rows are refused at plan, on the element at fault and without a write;
//   - for thousands of faults, the errors show twenty and count the others;
//   - two resources of one configuration cannot declare the same customer, contact or company;
//   - conflicts with the account are warnings at plan, and errors at apply.

// An error for an invalid row names the map and the key, and is on the element.
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
		"an ID that is too large": {
			[]string{`hubspot_ids = { "11" = 9223372036854775808 }`}, "Invalid HubSpot latch", "",
			`"9223372036854775808" is not the ID of a HubSpot contact`,
		},
		"no ID": {
			[]string{`hubspot_ids = { "11" = "" }`, `hubspot_company_ids = { "11" = null }`},
			"HubSpot latch without a contact and a company", "", "for customer 11",
		},
		"an invalid ID among unknown ones": {
			[]string{`hubspot_ids = { "11" = terraform_data.later.output }`, `hubspot_company_ids = { "11" = "x" }`},
			"Invalid HubSpot latch", "", `"x" is not the ID of a HubSpot company`,
		},
		"no map": {
			nil, "HubSpot latch set without latches", "",
			"At least one of hubspot_ids and hubspot_company_ids must be set.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
			config := a.With(`resource "terraform_data" "later" {}`+"\n",
				acctest.Block(`resource "fusebill_hubspot_latches" "test"`, c.arguments...))
			acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(c.summary, c.line, c.detail)))
			if n := a.Count(); n > 0 {
				t.Errorf("%d calls were made, want none", n)
			}
		})
	}
}

// If a file has thousands of invalid lines, the errors explain the first twenty in order, and count
// the others.
func TestAccCLILatches_manyFaultsAreCounted(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t)
	c := acctest.NewWorkspace(t, a)
	c.Declare(acctest.Block(`resource "fusebill_hubspot_latches" "test"`,
		`hubspot_ids = { for i in range(100, 150) : i => "x${i}" }`))
	output := c.Run(1, "validate", "-no-color")
	if got := strings.Count(output, "Error: Invalid HubSpot latch"); got != maxListed+1 {
		t.Errorf("%d errors, want %d:\n%s", got, maxListed+1, output)
	}
	acctest.Prints(t, output, `The value of hubspot_ids["100"]`, `The value of hubspot_ids["119"]`,
		"30 more rows have a fault like these.")
	if strings.Contains(output, `["120"]`) {
		t.Errorf("the errors list more than twenty rows:\n%s", output)
	}
}

// With the key of another account, the plan ends with one error instead of one for each row.
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

func TestAccHubSpotLatchesRefused_declaredTwiceInOneSet(t *testing.T) {
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
			acctest.Run(t, acctest.Refused(a.With(test.declared.Block()), acctest.Diagnosis(
				"HubSpot contact or company is declared twice", "",
				"HubSpot "+test.what+" is declared for customer 11 and for customer 22.")))
		})
	}
	t.Run("contact and company with the same ID", func(t *testing.T) {
		declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 202, Company: 101}}
		a := acctest.AccountWith(t, declared.Unlatched()...)
		acctest.Run(t, createsSet(t, a, declared))
	})
}

// A single latch and a set, or two sets, cannot declare the same customer, contact or company, in
// any order of their plans.
func TestAccHubSpotLatchesRefused_declaredTwiceInTwoResources(t *testing.T) {
	t.Parallel()
	set := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}}
	summaries := map[string]string{
		"customer": "Customer", "contact": "HubSpot contact", "company": "HubSpot company",
	}
	for name, other := range map[string]string{
		"customer in a single latch": acctest.Customer{ID: 22, Contact: 999}.Block(),
		"contact in a single latch":  acctest.Customer{ID: 33, Contact: 101}.Block(),
		"company in a single latch":  acctest.Customer{ID: 33, Company: 202}.Block(),
		"customer in another set":    acctest.LatchSet{{ID: 44, Contact: 104}, {ID: 22, Contact: 999}}.BlockOf("other"),
		"contact in another set":     acctest.LatchSet{{ID: 44, Contact: 104}, {ID: 33, Contact: 102}}.BlockOf("other"),
		"customer in a single latch with an unknown contact": acctest.LatchBlock(
			"fusebill_id = 22", "hubspot_id = terraform_data.later.output"),
		"contact in a single latch with an unknown company": acctest.LatchBlock(
			"fusebill_id = 33", "hubspot_id = 101", "hubspot_company_id = terraform_data.later.output"),
		"customer in another set with an unknown contact": acctest.Block(
			`resource "fusebill_hubspot_latches" "other"`, `hubspot_ids = { "22" = terraform_data.later.output }`),
	} {
		for order, dependsOn := range map[string][2]string{
			"the set first": {"", "depends_on = [fusebill_hubspot_latches.test]"},
			"the set last":  {"depends_on = [OTHER]", ""},
		} {
			t.Run(name+", "+order, func(t *testing.T) {
				a := acctest.AccountWith(t, []acctest.Customer{{ID: 11}, {ID: 22}, {ID: 33}, {ID: 44}}...)
				address := "fusebill_hubspot_latch.test"
				if strings.Contains(other, "latches") {
					address = "fusebill_hubspot_latches.other"
				}
				config := a.With(`resource "terraform_data" "later" {
  input = 999
}
`, set.Block(strings.ReplaceAll(dependsOn[0], "OTHER", address)), strings.Replace(other, "{\n", "{\n  "+dependsOn[1]+"\n", 1))
				acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(
					summaries[strings.Fields(name)[0]]+" is declared twice", "", "configuration also declares")))
				a.WroteSet(t)
			})
		}
	}
}

// A set cannot become exclusive while other resources declare latches, even if these do not change,
// because the set would remove their latches. The error is on the resource that is planned last.
func TestAccHubSpotLatchesRefused_exclusiveWithOtherResources(t *testing.T) {
	t.Parallel()
	set, unlisted := acctest.LatchSet{{ID: 11, Contact: 101}}, acctest.Customer{ID: 22, Contact: 102}
	for name, test := range map[string]struct {
		ofSet, other string
		line         string
	}{
		"a single latch, the set first": {
			"", unlisted.Block("depends_on = [fusebill_hubspot_latches.test]"), "fusebill_id = 22",
		},
		"a single latch, the set last": {
			"depends_on = [fusebill_hubspot_latch.test]", unlisted.Block(), "exclusive = true",
		},
		"another set, the set first": {
			"", acctest.LatchSet{unlisted}.BlockOf("other", "depends_on = [fusebill_hubspot_latches.test]"), `"22" = 102`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
			before := a.With(set.Block(test.ofSet), test.other)
			acctest.Run(t,
				resource.TestStep{Config: before},
				acctest.Refused(a.With(set.Block("exclusive = true", test.ofSet), test.other), acctest.Diagnosis(
					"Exclusive latch set does not list the customer", test.line, "does not list customer 22",
					"List customer 22 in that set instead of another resource, or remove exclusive")),
				resource.TestStep{
					PreConfig: a.ResetCalls, Config: before,
					PostApplyFunc: func() { a.WroteSet(t); a.Holds(t, append(set, unlisted)...) },
				},
			)
		})
	}
}

// The plan warns about a customer that has another latch, or does not exist. The apply makes the
// other changes.
func TestAccCLILatches_otherLatchIsWarnedAboutAtPlan(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, []acctest.Customer{
		{ID: 11}, {ID: 22, Contact: 999, Company: 888}, {ID: 33, Contact: 103},
	}...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(acctest.LatchSet{{ID: 11, Contact: 101}}.Block())
	c.Apply()
	c.Declare(acctest.LatchSet{{ID: 11, Contact: 109}, {ID: 22, Contact: 102}, {ID: 99, Contact: 104}}.Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: Customer is already latched",
		"Could not plan the HubSpot latch of customer 22 to contact 102: "+
			"customer 22 is already latched to contact 999 and company 888.",
		`hubspot_ids         = { "22" = "999" }`, `hubspot_company_ids = { "22" = "888" }`,
		"To replace it, set allow_reassociation = true.",
		"Warning: Customer not found in Fusebill", "check that 99 is the ID of the customer")
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"),
		"Error: Customer is already latched", "Error: Customer not found in Fusebill")
	a.Holds(t, acctest.Customer{ID: 11, Contact: 109}, acctest.Customer{ID: 22, Contact: 999, Company: 888})
}

// If a customer outside the set holds a claim, the plan only warns, because another resource may
// release it. The apply refuses the claim and makes the other changes.
func TestAccHubSpotLatchesRefused_heldOutsideTheSet(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}
	a := acctest.AccountWith(t, append(declared.Unlatched(), acctest.Customer{ID: 33, Contact: 101, Company: 203})...)
	acctest.Run(t, acctest.Refused(a.With(declared.Block()), acctest.Diagnosis(
		"HubSpot contact is latched to another customer", "",
		"Could not create the HubSpot latch of customer 11 to contact 101: contact 101 is latched to customer 33.",
		"set allow_reassociation = true")))
	a.Holds(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 33, Contact: 101, Company: 203})
}

// A plan does not warn about a contact that a removed row of the same set releases.
func TestAccCLILatches_noWarningForContactOfRemovedRow(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33, Contact: 103})
	c := acctest.NewWorkspace(t, a)
	c.Declare(acctest.LatchSet{{ID: 11, Contact: 101}}.Block())
	c.Apply()
	c.Declare(acctest.LatchSet{{ID: 22, Contact: 101}}.Block())
	if output := c.PlanIs(true); strings.Contains(output, "is latched to another customer") {
		t.Errorf("the plan warns about a holder:\n%s", output)
	}
	c.Declare(acctest.LatchSet{{ID: 22, Contact: 103}}.Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: HubSpot contact is latched to another customer",
		"HubSpot contact 103 is latched to customer 33 now, and planned for customer 22.")
}

// With a wrong key, the plan ends after the first call, because each failed login may lock the
// account.
func TestAccHubSpotLatchesRefused_wrongKey(t *testing.T) {
	declared := acctest.NumberedSet(150, 100)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	config := acctest.Required +
		acctest.ProviderBlock(`api_key = "`+keyOfAnotherAccount+`"`, `base_url = "`+a.URL+`"`) + declared.Block()
	acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("Fusebill refused the API key", "",
		"Could not plan the HubSpot latches: ", "401 Unauthorized")))
	if n := a.Count(); n != 1 {
		t.Errorf("%d calls with a refused key, want 1", n)
	}
}

// If the account cannot be read at plan, the plan warns and goes on.
func TestAccCLILatches_planDuringOutage(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(3, 100)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	repair := a.Faults(fusebillsim.FaultStatus500Before, "", -1)
	acctest.Prints(t, c.PlanIs(true), "Warning: Plan is not checked for conflicts",
		"Could not plan the HubSpot latches: ", "500 Internal Server Error")
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), "Error: Fusebill returned a server error",
		"Could not create 3 of 3 HubSpot latches: ")
	a.WroteSet(t)
	if state := setInState(c); state != nil {
		t.Errorf("the state has a tainted set: %v", state)
	}
	repair()
	c.Apply()
	showsSet(c, declared)
	a.WroteSet(t, declared...)
}

// If list calls do not show latches, the provider cannot know all latches of the account, so the
// set cannot become exclusive. A plan of the rows works, because the provider reads them
// individually.
func TestAccHubSpotLatchesRefused_exclusiveWithoutLatchesInLists(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101}}
	a := acctest.AccountWith(t, append(declared.Unlatched(), acctest.Customer{ID: 22}, acctest.Customer{ID: 33})...)
	a.Configure(func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true })
	acctest.Run(t, createsSet(t, a, declared),
		acctest.Refused(a.With(declared.Block("exclusive = true")), acctest.Diagnosis(
			"Fusebill's lists do not show HubSpot latches", "",
			"Could not find the latches of other customers", "Remove exclusive from the set")),
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionNoop, before: declared, after: declared}))
}

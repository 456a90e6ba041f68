package provider

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: what can't be right is refused at plan, on the element at fault and without a write; thousands of
// faults are told as twenty and a number; two resources of one configuration never own the same thing.

// setOf declares the set "test" by the elements of its map as they stand.
func setOf(elements ...string) string {
	return acctest.Block(`resource "fusebill_hubspot_latches" "test"`, "latches = {\n    "+strings.Join(elements, "\n    ")+"\n  }")
}

func TestAccHubSpotLatchesRefused_invalidElements(t *testing.T) {
	t.Parallel()
	const form = "a whole number of 1 or more, without leading zeros or white space"
	key := func(key string) string {
		return fmt.Sprintf("The key %q isn't the ID of a Fusebill customer: %s.", key, form)
	}
	for name, c := range map[string]struct {
		element string
		detail  string
	}{
		"leading zeros in the key":      {`"011" = { hubspot_id = 101, hubspot_company_id = null }`, key("011")},
		"white space in the key":        {`" 11" = { hubspot_id = 101, hubspot_company_id = null }`, key(" 11")},
		"a key of 0":                    {`"0" = { hubspot_id = 101, hubspot_company_id = null }`, key("0")},
		"a negative key":                {`"-11" = { hubspot_id = 101, hubspot_company_id = null }`, key("-11")},
		"a key with a sign":             {`"+11" = { hubspot_id = 101, hubspot_company_id = null }`, key("+11")},
		"letters in the key":            {`"CUST-11" = { hubspot_id = 101, hubspot_company_id = null }`, key("CUST-11")},
		"an empty key":                  {`"" = { hubspot_id = 101, hubspot_company_id = null }`, key("")},
		"a key beyond 64 bits":          {`"9223372036854775808" = { hubspot_id = 101, hubspot_company_id = null }`, key("9223372036854775808")},
		"a contact of 0":                {`"11" = { hubspot_id = 0, hubspot_company_id = null }`, `Customer 11: hubspot_id must be ` + form + `, not "0".`},
		"a fraction":                    {`"11" = { hubspot_id = 101.5, hubspot_company_id = null }`, `Customer 11: hubspot_id must be ` + form + `, not "101.5".`},
		"white space around a contact":  {`"11" = { hubspot_id = " 101", hubspot_company_id = null }`, `Customer 11: hubspot_id must be ` + form + `, not " 101".`},
		"white space only":              {`"11" = { hubspot_id = " ", hubspot_company_id = 202 }`, `Customer 11: hubspot_id must be ` + form + `, not " ".`},
		"leading zeros in a company":    {`"11" = { hubspot_id = 101, hubspot_company_id = "0202" }`, `Customer 11: hubspot_company_id must be ` + form + `, not "0202".`},
		"letters in a company":          {`"11" = { hubspot_id = null, hubspot_company_id = "ACME" }`, `Customer 11: hubspot_company_id must be ` + form + `, not "ACME".`},
		"no ID at all":                  {`"11" = { hubspot_id = null, hubspot_company_id = null }`, "Customer 11: one of hubspot_id and hubspot_company_id must be set; null and the empty text count as none."},
		"empty texts":                   {`"11" = { hubspot_id = "", hubspot_company_id = "" }`, "Customer 11: one of hubspot_id and hubspot_company_id must be set"},
		"an element that isn't there":   {`"11" = null`, "Customer 11: one of hubspot_id and hubspot_company_id must be set"},
		"a contact as large as 2^63":    {`"11" = { hubspot_id = 9223372036854775808, hubspot_company_id = null }`, `not "9223372036854775808".`},
		"a wrong element among unknown": {`"11" = { hubspot_id = terraform_data.later.output, hubspot_company_id = "x" }`, `Customer 11: hubspot_company_id must be`},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
			acctest.Run(t, acctest.Refused(a.With(`resource "terraform_data" "later" {}`+"\n", setOf(c.element, `"22" = { hubspot_id = 102, hubspot_company_id = null }`)),
				acctest.Diagnosis("Invalid HubSpot latch", "", c.detail)))
			if n := a.Count(); n > 0 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// Where a file has thousands of bad lines, the first twenty are told, in order, and the rest counted.
func TestAccCLILatches_manyFaultsAreTwentyAndANumber(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t)
	c := acctest.NewWorkspace(t, a)
	c.Declare(acctest.Block(`resource "fusebill_hubspot_latches" "test"`,
		`latches = { for i in range(100, 150) : i => { hubspot_id = "x${i}", hubspot_company_id = null } }`))
	output := c.Run(1, "validate", "-no-color")
	if got := strings.Count(output, "Error: Invalid HubSpot latch"); got != maxListed+1 {
		t.Errorf("%d errors, want %d:\n%s", got, maxListed+1, output)
	}
	acctest.Prints(t, output, `Customer 100: hubspot_id must be`, `Customer 119: hubspot_id must be`, "And 30 more like these.")
	if strings.Contains(output, "Customer 120") {
		t.Errorf("more than the first are told:\n%s", output)
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
	for name, other := range map[string]string{
		"customer in a single latch":   acctest.Customer{ID: 22, Contact: 999}.Block(),
		"contact in a single latch":    acctest.Customer{ID: 33, Contact: 101}.Block(),
		"company in a single latch":    acctest.Customer{ID: 33, Company: 202}.Block(),
		"customer in another set":      acctest.LatchSet{{ID: 44, Contact: 104}, {ID: 22, Contact: 999}}.BlockOf("other"),
		"contact in another set":       acctest.LatchSet{{ID: 44, Contact: 104}, {ID: 33, Contact: 102}}.BlockOf("other"),
		"customer, IDs not known yet":  acctest.Block(`resource "fusebill_hubspot_latch" "test"`, "fusebill_id = 22", "hubspot_id = terraform_data.later.output"),
		"contact, company not known":   acctest.Block(`resource "fusebill_hubspot_latch" "test"`, "fusebill_id = 33", "hubspot_id = 101", "hubspot_company_id = terraform_data.later.output"),
		"customer, of a set not known": acctest.Block(`resource "fusebill_hubspot_latches" "other"`, `latches = { "22" = { hubspot_id = terraform_data.later.output, hubspot_company_id = null } }`),
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
				acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("HubSpot latch is declared twice", "", "is also declared elsewhere in this configuration")))
				a.WroteSet(t)
			})
		}
	}
}

// An exclusive set would remove what single latches declare, even such as don't change.
func TestAccHubSpotLatchesRefused_exclusiveBesideSingles(t *testing.T) {
	t.Parallel()
	set, single := acctest.LatchSet{{ID: 11, Contact: 101}}, acctest.Customer{ID: 22, Contact: 102}
	for name, test := range map[string]struct {
		ofSet, ofSingle string
		refusal         *regexp.Regexp
	}{
		"the set first": {"", "depends_on = [fusebill_hubspot_latches.test]", acctest.Diagnosis("HubSpot latch is declared twice", "fusebill_id = 22")},
		"the set last": {"depends_on = [fusebill_hubspot_latch.test]", "", acctest.Diagnosis("HubSpot latch is declared elsewhere", "exclusive = true",
			"doesn't list customer 22", "List the customer in latches instead, or leave out exclusive.")},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
			exclusive := a.With(set.Block("exclusive = true", test.ofSet), single.Block(test.ofSingle))
			acctest.Run(t,
				resource.TestStep{Config: a.With(set.Block(test.ofSet), single.Block(test.ofSingle))},
				resource.TestStep{PreConfig: a.ResetCalls, Config: exclusive, ExpectError: test.refusal},
				resource.TestStep{
					Config:        a.With(set.Block(test.ofSet), single.Block(test.ofSingle)),
					PostApplyFunc: func() { a.WroteSet(t); a.Holds(t, append(set, single)...) },
				},
			)
		})
	}
}

// What is latched otherwise, or doesn't exist, is refused at plan, each on its element, before the first write.
func TestAccHubSpotLatchesRefused_latchedOtherwise(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Contact: 999, Company: 888}, acctest.Customer{ID: 33, Contact: 103})
	acctest.Run(t,
		acctest.Refused(a.With(acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}.Block()), acctest.Diagnosis("Customer is latched already", "",
			"Could not plan the HubSpot latch of customer 22 (contact 102): customer 22 is latched to contact 999 and company 888 already.",
			"To keep this latch, declare it for the customer:", "hubspot_id         = 999", "hubspot_company_id = 888",
			"To replace it, set allow_reassociation = true.")),
		acctest.Refused(a.With(acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 99, Contact: 109}}.Block()), acctest.Diagnosis("Customer not found in Fusebill", "",
			"Could not plan the HubSpot latch of customer 99 (contact 109): customer 99 doesn't exist.",
			"Check that 99 is the customer's own ID")),
		// The same where the set is there already, and a customer is added to it.
		resource.TestStep{Config: a.With(acctest.LatchSet{{ID: 11, Contact: 101}}.Block())},
		acctest.Refused(a.With(acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}.Block()), acctest.Diagnosis("Customer is latched already", "", "customer 22")),
	)
	a.Holds(t, acctest.Customer{ID: 22, Contact: 999, Company: 888})
}

// A claim that a customer outside the set holds is a warning at plan, since another resource may make it free, and refused
// at apply: the rest is made.
func TestAccHubSpotLatchesRefused_heldOutsideTheSet(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33, Contact: 101, Company: 203})
	acctest.Run(t, acctest.Refused(a.With(acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}.Block()), acctest.Diagnosis("HubSpot contact is latched to another customer", "",
		"Could not create the HubSpot latch of customer 11 (contact 101): contact 101 is latched to customer 33.",
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
	if output := c.PlanIs(true); strings.Contains(output, "Warning: HubSpot") {
		t.Errorf("a warning:\n%s", output)
	}
	c.Declare(acctest.LatchSet{{ID: 22, Contact: 103}}.Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: HubSpot contact is latched to another customer",
		"HubSpot contact 103 is latched to customer 33 now, and planned for customer 22.")
}

// With a wrong key the plan ends at the first answer: accounts get locked.
func TestAccHubSpotLatchesRefused_wrongKey(t *testing.T) {
	a := acctest.AccountWith(t, acctest.NumberedSet(150, 100).Unlatched()...)
	config := acctest.Required + acctest.ProviderBlock(`api_key = "d3Jvbmcta2V5"`, `base_url = "`+a.URL+`"`) + acctest.NumberedSet(150, 100).Block()
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
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), "Error: Fusebill had a fault", "Could not create 3 of 3 HubSpot latches: ")
	a.WroteSet(t)
	if state := setInState(c); state != nil {
		t.Errorf("there is a state, and so a taint: %v", state)
	}
	back()
	c.Apply()
	showsSet(c, declared)
	a.WroteSet(t, declared...)
}

// Where lists don't tell latches, nobody can say what else the account has latched.
func TestAccHubSpotLatchesRefused_exclusiveWhereListsTellNothing(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101}}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	a.Configure(func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true })
	acctest.Run(t, createsSet(t, a, declared),
		acctest.Refused(a.With(declared.Block("exclusive = true")), acctest.Diagnosis("Fusebill's lists don't show HubSpot latches", "",
			"Could not find the latches of other customers", "leave out exclusive")),
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionNoop, before: declared, after: declared}))
}

// A set that becomes exclusive says what that will remove.
func TestAccCLILatches_becomesExclusive(t *testing.T) {
	t.Parallel()
	set := acctest.LatchSet{{ID: 11, Contact: 101}}
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Contact: 102})
	c := acctest.NewWorkspace(t, a)
	c.Declare(set.Block("exclusive = true"))
	acctest.Prints(t, c.PlanIs(true), "Warning: Other customers are latched", "these customers, which it doesn't list, are latched: 22.",
		"This apply leaves them alone. From the next plan on they show as removed.")
	c.Run(0, "apply", "tfplan")
	a.Holds(t, acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 22, Contact: 102})
	acctest.Prints(t, c.PlanIs(true), `- "22" = {`)
	c.Run(0, "apply", "tfplan")
	a.Holds(t, acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 22})
}

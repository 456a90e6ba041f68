package provider

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The tests in this file import latch sets, and move latches between single resources and sets.
// They check that:
//
//   - an import of the whole account, or of a list of customers, makes no write, and the plan after
//     it is empty;
//   - an invalid import ID is refused with the next step;
//   - latches move between single resources and sets without a write;
//   - the destroy of a set removes only the latches that the set has made.

func TestAccHubSpotLatchesImport(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{
		{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}, {ID: 9007199254740993, Company: 203},
	}
	for name, id := range map[string]string{
		"whole account":         "account",
		"customers":             "11,22,9007199254740993",
		"customers with spaces": " 22, 9007199254740993, 11 ",
		"a customer twice":      "11,22,9007199254740993,11",
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, append(declared.With(), acctest.Customer{ID: 33})...)
			acctest.Needs(t, "import blocks", tfversion.SkipBelow(tfversion.Version1_5_0), stepOfSet(t, a, setStep{
				config: a.With(declared.Block(), acctest.ImportOfSet(id)),
				action: plancheck.ResourceActionNoop, before: declared, after: declared,
			}))
		})
	}
}

func TestAccHubSpotLatchesImport_byCommand(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}}
	a := acctest.AccountWith(t, append(declared.Unlatched(), acctest.Customer{ID: 33})...)
	acctest.Run(t, createsSet(t, a, declared), resource.TestStep{
		PreConfig: a.ResetCalls, ResourceName: acctest.SetAddress,
		ImportState: true, ImportStateId: "account", ImportStateVerify: true,
		ImportStateVerifyIdentifierAttribute: "hubspot_ids.%",
	}, stepOfSet(t, a, setStep{action: plancheck.ResourceActionNoop, before: declared, after: declared}))
}

// One apply imports a set and changes two of its latches. The declared maps have empty values,
// which the import cannot know and which need no write.
func TestAccHubSpotLatchesImport_withChange(t *testing.T) {
	before := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}}
	after := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 103}, {ID: 33, Company: 204}}
	a := acctest.AccountWith(t, append(before.With(), acctest.Customer{ID: 33})...)
	elements := elementsOfSet(after)
	elements["hubspot_ids[33]"], elements["hubspot_company_ids[22]"] = "", ""
	acctest.Needs(t, "import blocks", tfversion.SkipBelow(tfversion.Version1_5_0), stepOfSet(t, a, setStep{
		config: a.With(acctest.ImportOfSet("account"), acctest.Block(`resource "fusebill_hubspot_latches" "test"`,
			`hubspot_ids = { "11" = 101, "22" = "103", "33" = "" }`,
			`hubspot_company_ids = { "11" = 202, "22" = "", "33" = 204 }`)),
		action: plancheck.ResourceActionUpdate, before: before, after: after, elements: elements,
		writes: acctest.LatchSet{{ID: 22, Contact: 103}, {ID: 33, Company: 204}},
	}))
}

// The configuration that Terraform generates for an import block is valid and equal to the current
// latches.
func TestAccHubSpotLatchesImport_generatedConfigurationNeedsNoChange(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Company: 9007199254740993}}
	a := acctest.AccountWith(t, declared...)
	acctest.Needs(t, "generated configuration", tfversion.SkipBelow(tfversion.Version1_5_0), resource.TestStep{
		Config: a.With(), ResourceName: acctest.SetAddress, ImportState: true, ImportStateId: "account",
		ImportStateKind: resource.ImportBlockWithID, GenerateConfig: true,
		ImportPlanChecks: resource.ImportPlanChecks{
			PreApply: plansSet(plancheck.ResourceActionNoop, elementsOfSet(declared), elementsOfSet(declared)),
		},
	})
	a.WroteSet(t)
}

func TestAccHubSpotLatchesImport_refusesInvalidIDs(t *testing.T) {
	t.Parallel()
	notAnID := func(part string) *regexp.Regexp {
		return acctest.Diagnosis("Invalid import ID", "",
			"The import ID is the word account, for all latches of the account, or the IDs of Fusebill customers "+
				"with commas between them, such as 2554529,2554530, but "+part+" is not an ID")
	}
	for name, c := range map[string]struct {
		id        string
		diagnosis *regexp.Regexp
	}{
		"another word":           {"all", notAnID(`"all"`)},
		"a word among IDs":       {"11,account", notAnID(`"account"`)},
		"a reference":            {"11,CUST-22", notAnID(`"CUST-22"`)},
		"a comma at the end":     {"11,", notAnID(`""`)},
		"leading zeros":          {"011", notAnID(`"011"`)},
		"zero":                   {"0", notAnID(`"0"`)},
		"beyond 64 bits":         {"9223372036854775808", notAnID(`"9223372036854775808"`)},
		"semicolons":             {"11;22", notAnID(`"11;22"`)},
		"a customer and its IDs": {"11/101", notAnID(`"11/101"`)},
		"customers without a latch": {"11,33,22,99", acctest.Diagnosis("Customer is not latched", "",
			"or do not exist: customer 33, customer 99.", "Leave them out of the import ID.")},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, []acctest.Customer{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}, {ID: 33}}...)
			acctest.Run(t, resource.TestStep{
				Config: a.With(acctest.LatchSet{{ID: 11, Contact: 101}}.Block()), ResourceName: acctest.SetAddress,
				ImportState: true, ImportStateId: c.id, ExpectError: c.diagnosis,
			})
		})
	}
}

// If thousands of customers are not latched, the error names twenty and counts the others.
func TestAccHubSpotLatchesImport_manyCustomersWithoutLatch(t *testing.T) {
	set := acctest.NumberedSet(50, 100)
	a := acctest.AccountWith(t, set.Unlatched()...)
	var ids []string
	for _, h := range set {
		ids = append(ids, acctest.OrNull(h.ID))
	}
	acctest.Run(t, resource.TestStep{
		Config: a.With(set.Block()), ResourceName: acctest.SetAddress,
		ImportState: true, ImportStateId: strings.Join(ids, ","),
		ExpectError: acctest.Diagnosis("Customer is not latched", "", "customer 18, customer 19, customer 20 and 30 more."),
	})
}

// singles declares the latches of a set by single resources.
func singles(s acctest.LatchSet) string {
	return acctest.Block(`resource "fusebill_hubspot_latch" "each"`, "for_each           = "+s.Expression(),
		"fusebill_id        = each.key",
		"hubspot_id         = each.value.hubspot_id",
		"hubspot_company_id = each.value.hubspot_company_id")
}

// removed returns a removed block, which lets Terraform forget a resource without a destroy.
func removed(address string) string {
	return acctest.Block("removed", "from = "+address, "lifecycle {\n    destroy = false\n  }")
}

// One apply turns single latches into a set, and another one turns the set into single latches,
// both without a write.
func TestAccCLILatches_betweenSinglesAndASet(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}, {ID: 33, Company: 203}}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.SkipBelow(1, 7, "removed blocks")
	c.Declare(singles(declared))
	c.Apply()
	a.ResetCalls()

	c.Declare(declared.Block(), acctest.ImportOfSet("11,22,33"), removed("fusebill_hubspot_latch.each"))
	acctest.Prints(t, c.PlanIs(true), "1 to import, 0 to add, 0 to change, 0 to destroy")
	c.Run(0, "apply", "-no-color", "tfplan")
	showsSet(c, declared)
	c.Declare(declared.Block())
	c.PlanIs(false)

	imports := acctest.Block("import", `for_each = toset(["11", "22", "33"])`,
		"to = fusebill_hubspot_latch.each[each.key]", "id = each.key")
	c.Declare(singles(declared), imports, removed(acctest.SetAddress))
	acctest.Prints(t, c.PlanIs(true), "3 to import, 0 to add, 0 to change, 0 to destroy")
	c.Run(0, "apply", "-no-color", "tfplan")
	if state := setInState(c); state != nil {
		t.Errorf("the set is still in state: %v", state)
	}
	c.Declare(singles(declared))
	c.PlanIs(false)
	a.WroteSet(t)
	a.Holds(t, declared...)
}

// One resource removes a latch that another one imports in the same apply. The latch would be lost
// unnoticed, because the resource that imports it has no change to make. The provider keeps it, in
// any order of the two plans: the plan fails, or the destroy makes no call.
func TestAccCLILatches_importedAndRemovedInOneApply(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}, {ID: 33, Company: 203}}
	imports := acctest.Block("import", `to = fusebill_hubspot_latch.each["11"]`, `id = "11"`)
	for name, test := range map[string]struct {
		from     string
		after    []string
		destroys bool
	}{
		"row of a set to a single latch": {
			declared.Block(), []string{declared[1:].Block(), singles(declared[:1]), imports}, false,
		},
		"whole set to a single latch": {declared[:1].Block(), []string{singles(declared[:1]), imports}, true},
		"single latches to a set": {
			singles(declared), []string{declared.Block(), acctest.ImportOfSet("11,22,33")}, true,
		},
		"set to another set": {declared.Block(), []string{
			declared.BlockOf("other"), acctest.Block("import", "to = fusebill_hubspot_latches.other", `id = "11,22,33"`),
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, declared.Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			c.SkipBelow(1, 5, "import blocks")
			c.Declare(test.from)
			c.Apply()
			a.ResetCalls()
			c.Declare(test.after...)
			cmd, output := c.Command("apply", "-no-color", "-auto-approve")
			switch err := cmd.Run(); {
			case err == nil && test.destroys:
				acctest.Prints(t, output.String(), "Warning: HubSpot latch stays with another resource",
					"Another object of the state has the latch of these customers too, and keeps it")
			case err == nil:
				t.Errorf("the apply succeeded, want an error:\n%s", output)
			default:
				acctest.Prints(t, output.String(), "Error: HubSpot latch would be removed by another resource",
					"one object of the state keeps the latch of customer 11, and another one removes it.",
					"removed block that has destroy = false")
			}
			a.WroteSet(t)
			a.Holds(t, acctest.Customer{ID: 11, Contact: 101, Company: 202})
		})
	}
}

// For older CLIs, commands turn single latches into a set, and a set into single latches.
func TestAccCLILatches_betweenSinglesAndASetByCommands(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(singles(declared))
	c.Apply()
	a.ResetCalls()

	c.Declare(declared.Block())
	c.Run(0, "state", "rm", "fusebill_hubspot_latch.each")
	c.Run(0, "import", "-no-color", acctest.SetAddress, "11,22")
	showsSet(c, declared)
	c.PlanIs(false)

	c.Declare(singles(declared))
	c.Run(0, "state", "rm", acctest.SetAddress)
	for _, h := range declared {
		c.Run(0, "import", "-no-color", `fusebill_hubspot_latch.each["`+acctest.OrNull(h.ID)+`"]`, acctest.OrNull(h.ID))
	}
	c.PlanIs(false)
	a.WroteSet(t)
}

// If latches move to another resource without a removed or moved block, one apply destroys the
// first resource and creates the second one. The customers stay latched.
func TestAccCLILatches_renamedWithoutBlocks(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(60, 1000)
	for name, test := range map[string]struct{ from, to string }{
		"set to set":            {declared.Block(), declared.BlockOf("renamed")},
		"single latches to set": {singles(declared[:20]), declared[:20].Block()},
		"set to single latches": {declared[:20].Block(), singles(declared[:20])},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, declared.Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			c.Declare(test.from)
			c.Apply()
			c.Declare(test.to)
			c.Apply()
			a.Holds(t, declared[:20]...)
			c.PlanIs(false)
		})
	}
}

// A destroy removes the latches of the set. It leaves latches that others have made since, with a
// warning.
func TestAccCLILatches_destroyRemovesOnlyOwnLatches(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{
		{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}, {ID: 33, Contact: 103, Company: 203},
		{ID: 44, Contact: 104},
	}
	a := acctest.AccountWith(t, append(declared.Unlatched(), acctest.Customer{ID: 55, Contact: 105})...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	c.Apply()
	c.Run(0, "plan", "-destroy", "-out=tfplan")
	a.SetLatch(22, 999, 0)   // another contact
	a.SetLatch(33, 103, 888) // another company
	a.SetLatch(44, 0, 0)     // no latch
	a.ResetCalls()
	acctest.Prints(t, c.Run(0, "apply", "-no-color", "tfplan"), "Warning: Another HubSpot latch was left in place",
		"Customer 22 was latched to contact 102 by this resource, and is latched to contact 999 now.", "1 destroyed")
	a.Holds(t, []acctest.Customer{
		{ID: 11}, {ID: 22, Contact: 999}, {ID: 33, Company: 888}, {ID: 44}, {ID: 55, Contact: 105},
	}...)
	a.WroteSet(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 33, Company: 888})
}

// If an exclusive set is removed or renamed, its destroy unlatches none of the customers that the
// set did not list, although a refresh has recorded them.
func TestAccCLILatches_destroyOfExclusiveSetKeepsUnlisted(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{{ID: 11, Contact: 101}}
	for name, test := range map[string]struct {
		after string
		holds acctest.LatchSet
	}{
		"removed": {"", declared.Unlatched()},
		"renamed": {declared.BlockOf("renamed", "exclusive = true"), declared},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			others := acctest.LatchSet{{ID: 22}, {ID: 33}}.Renumbered(100)
			a := acctest.AccountWith(t, append(declared.Unlatched(), others...)...)
			c := acctest.NewWorkspace(t, a)
			c.Declare(declared.Block("exclusive = true"))
			c.Apply()
			c.Run(0, "apply", "-no-color", "-auto-approve", "-refresh-only")
			c.Declare(test.after)
			c.Run(0, "apply", "-no-color", "-auto-approve")
			a.Holds(t, append(others, test.holds...)...)
		})
	}
}

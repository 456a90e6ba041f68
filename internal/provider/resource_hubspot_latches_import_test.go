package provider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"
)

// The promises tested here: a set is imported whole, or by its customers, without a write, and the plan after it is empty;
// what can't be imported is refused with what to give instead; latches move between single resources and sets without a
// write, and each resource removes only what is its own.

// importOfSet is an import block for the set "test".
func importOfSet(id string) string {
	return block("import", "to = "+testSet, `id = "`+id+`"`)
}

func TestAccHubSpotLatchesImport(t *testing.T) {
	t.Parallel()
	declared := latchSet{{11, 101, 202}, {22, 102, 0}, {9007199254740993, 0, 203}}
	for name, id := range map[string]string{
		"whole account":                    "account",
		"customers":                        "11,22,9007199254740993",
		"customers, as people write lists": " 22, 9007199254740993, 11 ",
		"a customer twice":                 "11,22,9007199254740993,11",
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, append(declared.with(), held{33, 0, 0})...)
			needs(t, "import blocks", tfversion.SkipBelow(tfversion.Version1_5_0), a.setStep(t, setStep{
				config: a.with(declared.block(), importOfSet(id)), action: plancheck.ResourceActionNoop, before: declared, after: declared,
			}))
		})
	}
}

func TestAccHubSpotLatchesImport_byCommand(t *testing.T) {
	declared := latchSet{{11, 101, 202}, {22, 102, 0}}
	a := accountWith(t, append(declared.unlatched(), held{33, 0, 0})...)
	run(t, a.createsSet(t, declared), resource.TestStep{
		PreConfig: a.ResetCalls, ResourceName: testSet, ImportState: true, ImportStateId: "account", ImportStateVerify: true,
		ImportStateVerifyIdentifierAttribute: "latches.%",
	}, a.setStep(t, setStep{action: plancheck.ResourceActionNoop, before: declared, after: declared}))
}

// An import and a change in one apply, and a form of writing that the import can't know: that costs no call.
func TestAccHubSpotLatchesImport_withChange(t *testing.T) {
	before, after := latchSet{{11, 101, 202}, {22, 102, 0}}, latchSet{{11, 101, 202}, {22, 103, 0}, {33, 0, 204}}
	a := accountWith(t, append(before.with(), held{33, 0, 0})...)
	texts := after.texts()
	texts["33"] = latchText{known, idText{mark: known}, newIDText(204)}
	texts["22"] = latchText{known, newIDText(103), idText{mark: known}}
	needs(t, "import blocks", tfversion.SkipBelow(tfversion.Version1_5_0), a.setStep(t, setStep{
		config: a.with(importOfSet("account"), setOf(`"11" = { hubspot_id = 101, hubspot_company_id = 202 }`,
			`"22" = { hubspot_id = "103", hubspot_company_id = "" }`, `"33" = { hubspot_id = "", hubspot_company_id = 204 }`)),
		action: plancheck.ResourceActionUpdate, before: before, after: after, texts: texts,
		writes: latchSet{{22, 103, 0}, {33, 0, 204}},
	}))
}

// What Terraform generates for an import block is configuration that the provider accepts and finds nothing to change in.
func TestAccHubSpotLatchesImport_generatedConfigurationNeedsNoChange(t *testing.T) {
	declared := latchSet{{11, 101, 202}, {22, 0, 9007199254740993}}
	a := accountWith(t, declared...)
	needs(t, "generated configuration", tfversion.SkipBelow(tfversion.Version1_5_0), resource.TestStep{
		Config: a.with(), ResourceName: testSet, ImportState: true, ImportStateId: "account",
		ImportStateKind: resource.ImportBlockWithID, GenerateConfig: true,
		ImportPlanChecks: resource.ImportPlanChecks{PreApply: plansSet(plancheck.ResourceActionNoop, declared.texts(), declared.texts())},
	})
	a.wroteSet(t)
}

func TestAccHubSpotLatchesImport_refused(t *testing.T) {
	t.Parallel()
	notAnID := func(part string) *regexp.Regexp {
		return diagnosis("Invalid import ID", "", "The import ID is the word account, for all latches of the account, or the IDs of Fusebill customers "+
			"with commas between them, such as 2554529,2554530.", part+" isn't such an ID")
	}
	for name, c := range map[string]struct {
		id        string
		diagnosis *regexp.Regexp
	}{
		"another word":            {"all", notAnID(`"all"`)},
		"a word among IDs":        {"11,account", notAnID(`"account"`)},
		"a reference":             {"11,CUST-22", notAnID(`"CUST-22"`)},
		"a comma at the end":      {"11,", notAnID(`""`)},
		"leading zeros":           {"011", notAnID(`"011"`)},
		"zero":                    {"0", notAnID(`"0"`)},
		"beyond 64 bits":          {"9223372036854775808", notAnID(`"9223372036854775808"`)},
		"semicolons":              {"11;22", notAnID(`"11;22"`)},
		"a customer and its IDs":  {"11/101", notAnID(`"11/101"`)},
		"customers without latch": {"11,33,22,99", diagnosis("Customer isn't latched", "", "or don't exist: 33, 99.", "Leave them out of the import ID.")},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, held{11, 101, 0}, held{22, 102, 0}, held{33, 0, 0})
			run(t, resource.TestStep{
				Config: a.with(latchSet{{11, 101, 0}}.block()), ResourceName: testSet, ImportState: true, ImportStateId: c.id, ExpectError: c.diagnosis,
			})
		})
	}
}

// Thousands that can't be imported are told as twenty and a number.
func TestAccHubSpotLatchesImport_manyThatAreNotLatched(t *testing.T) {
	set := numberedSet(50, 100)
	a := accountWith(t, set.unlatched()...)
	var ids []string
	for _, h := range set {
		ids = append(ids, orNull(h.customer))
	}
	run(t, resource.TestStep{
		Config: a.with(set.block()), ResourceName: testSet, ImportState: true, ImportStateId: strings.Join(ids, ","),
		ExpectError: diagnosis("Customer isn't latched", "", "18, 19, 20 and 30 more."),
	})
}

// singles declares a set's latches as single resources.
func (s latchSet) singles() string {
	return block(`resource "fusebill_hubspot_latch" "each"`, "for_each           = "+s.expression(),
		"fusebill_id        = each.key", "hubspot_id         = each.value.hubspot_id", "hubspot_company_id = each.value.hubspot_company_id")
}

// skipBelow skips a test of what older CLIs don't have.
func (c *cli) skipBelow(major, minor int, feature string) { //nolint:unparam // There will be a version 2.
	c.t.Helper()
	var version struct {
		Terraform string `json:"terraform_version"`
	}
	if err := json.Unmarshal([]byte(c.run(0, "version", "-json")), &version); err != nil {
		c.t.Fatal(err)
	}
	var gotMajor, gotMinor int
	if _, err := fmt.Sscanf(version.Terraform, "%d.%d", &gotMajor, &gotMinor); err != nil {
		c.t.Fatal(err)
	}
	if gotMajor < major || gotMajor == major && gotMinor < minor {
		c.t.Skipf("This test is about %s, which %s doesn't have.", feature, version.Terraform)
	}
}

func removed(address string) string {
	return block("removed", "from = "+address, "lifecycle {\n    destroy = false\n  }")
}

// Singles become a set, and a set singles, in one apply and without a write.
func TestAccCLILatches_betweenSinglesAndASet(t *testing.T) {
	t.Parallel()
	declared := latchSet{{11, 101, 202}, {22, 102, 0}, {33, 0, 203}}
	a := accountWith(t, declared.unlatched()...)
	c := newCLI(t, a)
	c.skipBelow(1, 7, "removed blocks")
	c.declare(declared.singles())
	c.apply()
	a.ResetCalls()

	c.declare(declared.block(), importOfSet("11,22,33"), removed("fusebill_hubspot_latch.each"))
	prints(t, c.planIs(true), "1 to import, 0 to add, 0 to change, 0 to destroy")
	c.run(0, "apply", "-no-color", "tfplan")
	c.showsSet(declared)
	c.declare(declared.block())
	c.planIs(false)

	imports := block("import", "for_each = toset([\"11\", \"22\", \"33\"])", "to = fusebill_hubspot_latch.each[each.key]", "id = each.key")
	c.declare(declared.singles(), imports, removed(testSet))
	prints(t, c.planIs(true), "3 to import, 0 to add, 0 to change, 0 to destroy")
	c.run(0, "apply", "-no-color", "tfplan")
	if state := c.latches(); state != nil {
		t.Errorf("the set is still in state: %v", state)
	}
	c.declare(declared.singles())
	c.planIs(false)
	a.wroteSet(t)
	a.holds(t, declared...)
}

// A latch that one resource gives up and another one imports in the same apply would be removed: the one that has imported it
// has nothing to do, and nobody notices.
func TestAccCLILatches_importedWhereItIsRemoved(t *testing.T) {
	t.Parallel()
	declared := latchSet{{11, 101, 202}, {22, 102, 0}, {33, 0, 203}}
	imports := block("import", `to = fusebill_hubspot_latch.each["11"]`, `id = "11"`)
	for name, test := range map[string]struct {
		from  string
		after []string
	}{
		"from a set to a single":           {declared.block(), []string{declared[1:].block(), declared[:1].singles(), imports}},
		"from a set that goes to a single": {declared[:1].block(), []string{declared[:1].singles(), imports}},
		"from a single to a set":           {declared.singles(), []string{declared.block(), importOfSet("11,22,33")}},
		"from one set to another":          {declared.block(), []string{declared.blockOf("other"), block("import", "to = fusebill_hubspot_latches.other", `id = "11,22,33"`)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := accountWith(t, declared.unlatched()...)
			c := newCLI(t, a)
			c.skipBelow(1, 5, "import blocks")
			c.declare(test.from)
			c.apply()
			a.ResetCalls()
			c.declare(test.after...)
			prints(t, c.run(1, "apply", "-no-color", "-auto-approve"), "HubSpot latch would be removed by another resource",
				"one resource has the latch of customer 11 as declared, and another one removes it.", "removed block with destroy = false")
			a.wroteSet(t)
			a.holds(t, held{11, 101, 202})
		})
	}
}

// The same by commands, for older CLIs.
func TestAccCLILatches_betweenSinglesAndASetByCommands(t *testing.T) {
	t.Parallel()
	declared := latchSet{{11, 101, 202}, {22, 102, 0}}
	a := accountWith(t, declared.unlatched()...)
	c := newCLI(t, a)
	c.declare(declared.singles())
	c.apply()
	a.ResetCalls()

	c.declare(declared.block())
	c.run(0, "state", "rm", "fusebill_hubspot_latch.each")
	c.run(0, "import", "-no-color", testSet, "11,22")
	c.showsSet(declared)
	c.planIs(false)

	c.declare(declared.singles())
	c.run(0, "state", "rm", testSet)
	for _, h := range declared {
		c.run(0, "import", "-no-color", `fusebill_hubspot_latch.each["`+orNull(h.customer)+`"]`, orNull(h.customer))
	}
	c.planIs(false)
	a.wroteSet(t)
}

// Without removed blocks or moved ones, the resource that is destroyed and the one that is created settle it between them.
func TestAccCLILatches_renamedWithoutAWord(t *testing.T) {
	t.Parallel()
	declared := numberedSet(60, 1000)
	for name, test := range map[string]struct{ from, to string }{
		"set to set":       {declared.block(), declared.blockOf("renamed")},
		"singles to a set": {declared[:20].singles(), declared[:20].block()},
		"set to singles":   {declared[:20].block(), declared[:20].singles()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := accountWith(t, declared.unlatched()...)
			c := newCLI(t, a)
			c.declare(test.from)
			c.apply()
			c.declare(test.to)
			c.apply()
			a.holds(t, declared[:20]...)
			c.planIs(false)
		})
	}
}

// A destroy removes what the set holds, and leaves what others have latched since, with a warning.
func TestAccCLILatches_destroyReleasesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	declared := latchSet{{11, 101, 202}, {22, 102, 0}, {33, 103, 203}, {44, 104, 0}}
	a := accountWith(t, append(declared.unlatched(), held{55, 105, 0})...)
	c := newCLI(t, a)
	c.declare(declared.block())
	c.apply()
	c.run(0, "plan", "-destroy", "-out=tfplan")
	a.SetLatch(22, 999, 0)   // anew
	a.SetLatch(33, 103, 888) // in part
	a.SetLatch(44, 0, 0)     // gone
	a.ResetCalls()
	prints(t, c.run(0, "apply", "-no-color", "tfplan"), "Warning: Another HubSpot latch was left in place",
		"Customer 22 was latched to contact 102 by this resource, and is latched to contact 999 now.", "1 destroyed")
	a.holds(t, held{11, 0, 0}, held{22, 999, 0}, held{33, 0, 888}, held{44, 0, 0}, held{55, 105, 0})
	a.wroteSet(t, held{11, 0, 0}, held{33, 0, 888})
}

// An exclusive set that is destroyed removes what it has shown, and not what came after that.
func TestAccCLILatches_destroyOfAnExclusiveSet(t *testing.T) {
	t.Parallel()
	declared := latchSet{{11, 101, 0}}
	a := accountWith(t, held{11, 0, 0}, held{22, 0, 0}, held{33, 0, 0})
	c := newCLI(t, a)
	c.declare(declared.block("exclusive = true"))
	c.apply()
	a.SetLatch(22, 102, 0)
	prints(t, c.run(0, "plan", "-no-color", "-destroy", "-out=tfplan"), `- "22" = {`)
	a.SetLatch(33, 103, 0)
	a.ResetCalls()
	c.run(0, "apply", "-no-color", "tfplan")
	a.wroteSet(t, held{11, 0, 0}, held{22, 0, 0})
	a.holds(t, held{33, 103, 0})
}

package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file call the provider without a CLI. They check that:
//
//   - the two maps of the state have the values as they were declared;
//   - a drifted row shows its current ID;
//   - empty values change nothing, and unknown values are no errors;
//   - an error names the map and the key, on the path of the element.

func TestLatchSet_rowsStayAsDeclared(t *testing.T) {
	t.Parallel()
	for name, declared := range map[string]map[string]any{
		"contacts alone":  {contactsAttribute: ids{"11": "101", "22": "102"}},
		"companies alone": {companiesAttribute: ids{"11": "201"}},
		"both": {contactsAttribute: ids{"11": "101", "22": "102"}, companiesAttribute: ids{"22": "202",
			"33": "203"}},
		"null and empty": {contactsAttribute: ids{"11": "101", "22": nil, "33": ""}, companiesAttribute: ids{"11": "",
			"22": "202", "33": "203"}},
		"no rows":          {contactsAttribute: ids{}},
		"more than 2^53":   {contactsAttribute: ids{"11": "9007199254740993"}},
		"an empty company": {contactsAttribute: ids{"11": "101"}, companiesAttribute: ids{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newSetTerraform(t, latchedCustomers([3]int64{11, 0, 0}, [3]int64{22, 0, 0}, [3]int64{33, 0, 0})...)
			c.succeeds(declared)
			c.stateIs(declared)
			writes := c.sim.Writes()
			c.succeeds(declared)
			if more := c.sim.Writes() - writes; more > 0 {
				t.Errorf("%d writes for no change", more)
			}
			c.destroy().errors().isEmpty(t)
			c.accountIs([3]int64{11, 0, 0}, [3]int64{22, 0, 0}, [3]int64{33, 0, 0})
		})
	}
}

func TestLatchSet_changes(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 0, 0}, [3]int64{22, 0, 0}, [3]int64{33, 0, 0})...)
	c.succeeds(map[string]any{contactsAttribute: ids{"11": "101", "22": "102"}})
	for _, step := range []struct {
		contacts, companies ids
		writes              int
	}{
		{ids{"11": "101", "22": "109"}, ids{}, 1},
		{ids{"11": "101"}, ids{"22": "202"}, 1},
		{ids{"11": "101"}, ids{"11": "201"}, 2},
		{ids{"11": "101", "33": "103"}, ids{"11": "201"}, 1},
	} {
		before := c.sim.Writes()
		c.succeeds(map[string]any{contactsAttribute: step.contacts, companiesAttribute: step.companies})
		if n := c.sim.Writes() - before; n != step.writes {
			t.Errorf("%v, %v: %d writes, want %d", step.contacts, step.companies, n, step.writes)
		}
	}
	c.accountIs([3]int64{11, 101, 201}, [3]int64{22, 0, 0}, [3]int64{33, 103, 0})
}

// Read stores the current ID of a drifted row. It removes a key only if the customer no longer has
// an ID of this kind.
func TestLatchSet_drift(t *testing.T) {
	t.Parallel()
	declared := map[string]any{
		contactsAttribute:  ids{"11": "101", "22": "102", "33": "103", "44": ""},
		companiesAttribute: ids{"22": "202", "33": nil, "44": "204"},
	}
	for name, test := range map[string]struct {
		customer            [3]int64
		contacts, companies ids
	}{
		"contact changed": {[3]int64{11, 999, 0}, ids{"11": "999", "22": "102", "33": "103", "44": ""}, ids{"22": "202",
			"33": nil, "44": "204"}},
		"company added": {
			[3]int64{11, 101, 299}, ids{"11": "101", "22": "102", "33": "103", "44": ""}, ids{"11": "299", "22": "202",
				"33": nil, "44": "204"},
		},
		"contact removed": {[3]int64{22, 0, 202}, ids{"11": "101", "33": "103", "44": ""}, ids{"22": "202", "33": nil,
			"44": "204"}},
		"contact added where it was empty": {
			[3]int64{44, 104, 204}, ids{"11": "101", "22": "102", "33": "103", "44": "104"}, ids{"22": "202", "33": nil,
				"44": "204"},
		},
		"unlatched": {[3]int64{33, 0, 0}, ids{"11": "101", "22": "102", "44": ""}, ids{"22": "202",
			"44": "204"}},
		"unlatched with an empty half": {[3]int64{44, 0, 0}, ids{"11": "101", "22": "102", "33": "103"}, ids{"22": "202",
			"33": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newSetTerraform(t, latchedCustomers([3]int64{11, 0, 0}, [3]int64{22, 0, 0}, [3]int64{33, 0, 0}, [3]int64{44, 0,
				0})...)
			c.succeeds(declared)
			c.sim.SetLatch(test.customer[0], test.customer[1], test.customer[2])
			p := c.plan(declared)
			c.stateIs(map[string]any{contactsAttribute: test.contacts, companiesAttribute: test.companies})
			if p.isNoop() {
				t.Error("the plan shows no drift")
			}
			c.apply(p).errors().isEmpty(t)
			c.accountIs([3]int64{11, 101, 0}, [3]int64{22, 102, 202}, [3]int64{33, 103, 0}, [3]int64{44, 0, 204})
			c.succeeds(declared)
		})
	}
}

// A map that differs from the state only in empty elements causes no change, because an import
// cannot know these elements.
func TestLatchSet_emptyValuesChangeNothing(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 101, 0}, [3]int64{22, 0, 202})...)
	c.imports("account")
	c.stateIs(map[string]any{contactsAttribute: ids{"11": "101"}, companiesAttribute: ids{"22": "202"},
		unlistedAttribute: nil})
	p := c.plan(map[string]any{contactsAttribute: ids{"11": "101", "22": ""}, companiesAttribute: ids{"11": nil,
		"22": "202"}})
	p.diags.isEmpty(t)
	if !p.isNoop() {
		t.Errorf("planned %s", p.planned)
	}
	// Once one value changes, Terraform compares the map as a whole.
	declared := map[string]any{contactsAttribute: ids{"11": "109", "22": ""}, companiesAttribute: ids{"11": nil,
		"22": "202"}}
	p = c.plan(declared)
	p.plans(t, c, map[string]any{contactsAttribute: declared[contactsAttribute], companiesAttribute: ids{"22": "202"}})
	c.apply(p).errors().isEmpty(t)
	c.accountIs([3]int64{11, 109, 0})
}

func (c *setTerraform) imports(id string) diagnostics {
	c.t.Helper()
	resp, err := c.process().ImportResourceState(c.t.Context(),
		&tfprotov6.ImportResourceStateRequest{TypeName: latchesType, ID: id})
	if err != nil {
		c.t.Fatal(err)
	}
	if len(resp.ImportedResources) == 1 {
		c.state, c.private = c.decode(resp.ImportedResources[0].State), resp.ImportedResources[0].Private
	}
	return resp.Diagnostics
}

// The plan after an import shows only values that the import cannot know.
func TestLatchSet_planAfterImport(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 101, 0}, [3]int64{22, 102, 0}, [3]int64{33, 103, 0})...)
	c.imports("11, 22").isEmpty(t)
	p := c.plan(map[string]any{contactsAttribute: ids{"11": "101", "22": "102"}})
	p.diags.isEmpty(t)
	if !p.isNoop() {
		t.Errorf("planned %s", p.planned)
	}
	p = c.plan(map[string]any{contactsAttribute: ids{"11": "101", "22": "102"}, "max_removals": 3, "exclusive": true})
	p.plans(t, c, map[string]any{contactsAttribute: ids{"11": "101", "22": "102"}, unlistedAttribute: unknown})
	c.imports("11,x").has(t, "Invalid import ID", `"x" is not an ID`)
	c.imports("11,99").has(t, "Customer is not latched", "customer 99", "Leave them out")
}

func TestLatchSet_unknownAtPlan(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ planned, applied map[string]any }{
		"a map": {
			map[string]any{contactsAttribute: unknown}, map[string]any{contactsAttribute: ids{"11": "101"}},
		},
		"the other map": {
			map[string]any{contactsAttribute: ids{"11": "101", "22": ""}, companiesAttribute: unknown},
			map[string]any{contactsAttribute: ids{"11": "101", "22": ""}, companiesAttribute: ids{"22": "202"}},
		},
		"a value": {
			map[string]any{contactsAttribute: ids{"11": unknown, "22": "102"}},
			map[string]any{contactsAttribute: ids{"11": "101", "22": "102"}},
		},
		"a half": {
			map[string]any{contactsAttribute: ids{"11": "101"}, companiesAttribute: ids{"11": unknown}},
			map[string]any{contactsAttribute: ids{"11": "101"}, companiesAttribute: ids{"11": "201"}},
		},
		"settings": {
			map[string]any{contactsAttribute: ids{"11": "101"}, "exclusive": unknown, "max_removals": unknown,
				"max_changes": unknown},
			map[string]any{contactsAttribute: ids{"11": "101"}, "exclusive": true, "max_removals": 1, "max_changes": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, prior := range []map[string]any{nil, {contactsAttribute: ids{"22": "109"}}} {
				c := newSetTerraform(t, latchedCustomers([3]int64{11, 0, 0}, [3]int64{22, 0, 0})...)
				if prior != nil {
					c.succeeds(prior)
				}
				p := c.plan(test.planned)
				p.plans(t, c, map[string]any{contactsAttribute: test.planned[contactsAttribute],
					companiesAttribute: test.planned[companiesAttribute]})
				p.config = c.config(test.applied)
				c.apply(p).errors().isEmpty(t)
				c.stateIs(map[string]any{contactsAttribute: test.applied[contactsAttribute],
					companiesAttribute: test.applied[companiesAttribute]})
			}
		})
	}
}

func TestLatchSet_invalidRows(t *testing.T) {
	t.Parallel()
	contacts := tftypes.NewAttributePath().WithAttributeName(contactsAttribute)
	companies := tftypes.NewAttributePath().WithAttributeName(companiesAttribute)
	type invalid struct {
		declared map[string]any
		at       *tftypes.AttributePath
		summary  string
		parts    []string
	}
	tests := map[string]invalid{
		"no map": {map[string]any{}, nil, "HubSpot latch set without latches",
			[]string{"At least one of hubspot_ids and hubspot_company_ids must be set"}},
		"neither ID": {
			map[string]any{contactsAttribute: ids{"11": ""}, companiesAttribute: ids{"11": nil}},
			contacts.WithElementKeyString("11"),
			"HubSpot latch without a contact and a company", []string{"customer 11", "null and the empty string mean none"},
		},
		"neither ID, in one map": {
			map[string]any{companiesAttribute: ids{"11": ""}}, companies.WithElementKeyString("11"),
			"HubSpot latch without a contact and a company", []string{"customer 11"},
		},
		"contact twice": {
			map[string]any{contactsAttribute: ids{"11": "101", "22": "101"}}, contacts,
			"HubSpot contact or company is declared twice",
			[]string{"contact 101", "customer 11", "customer 22"},
		},
		"company twice": {
			map[string]any{companiesAttribute: ids{"11": "201", "22": "201"}}, companies,
			"HubSpot contact or company is declared twice",
			[]string{"company 201", "customer 11", "customer 22"},
		},
	}
	for _, text := range []string{"1.23457E+10", "101.5", "0101", "12345678901234567890", "-1", "0", " 101",
		"https://app.hubspot.com/contacts/1/contact/101", "REF-11"} {
		tests["key "+text] = invalid{
			map[string]any{contactsAttribute: ids{text: "101"}}, contacts.WithElementKeyString(text), "Invalid HubSpot latch",
			[]string{"A key of hubspot_ids must be the ID of a Fusebill customer", fmt.Sprintf("%q", text)},
		}
		tests["contact "+text] = invalid{
			map[string]any{contactsAttribute: ids{"11": text}}, contacts.WithElementKeyString("11"), "Invalid HubSpot latch",
			[]string{`The value of hubspot_ids["11"] must be the ID of a HubSpot contact`, fmt.Sprintf("%q", text)},
		}
		tests["company "+text] = invalid{
			map[string]any{companiesAttribute: ids{"11": text}}, companies.WithElementKeyString("11"), "Invalid HubSpot latch",
			[]string{`The value of hubspot_company_ids["11"] must be the ID of a HubSpot company`, fmt.Sprintf("%q", text)},
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newSetTerraform(t)
			d := c.plan(test.declared).diags.errors().has(t, test.summary, test.parts...)
			if at := d.Attribute; test.at != nil && !strings.HasPrefix(at.String(), test.at.String()) {
				t.Errorf("the error is at %s, want %s", at, test.at)
			}
			if n := c.sim.Count(); n > 0 {
				t.Errorf("%d calls were made", n)
			}
		})
	}
}

// For many faults, the errors show twenty and count the others.
func TestLatchSet_manyInvalidRows(t *testing.T) {
	t.Parallel()
	rows := ids{}
	for i := range 3000 {
		rows[fmt.Sprintf("x%04d", i)] = "101"
	}
	c := newSetTerraform(t)
	diags := c.plan(map[string]any{contactsAttribute: rows}).diags.errors()
	if len(diags) != maxListed+1 {
		t.Errorf("%d errors, want %d", len(diags), maxListed+1)
	}
	diags.has(t, "Invalid HubSpot latch", "2980 more rows")
}

// A customer of a set that was deleted in Fusebill is a warning at plan. The apply writes the other
// rows, and ends with an error for that one.
func TestLatchSet_deletedCustomer(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 0, 0}, [3]int64{22, 0, 0}, [3]int64{33, 0, 0})...)
	c.succeeds(map[string]any{contactsAttribute: ids{"11": "101", "22": "102", "33": "103"}})
	c.sim.DeleteCustomer(22)
	p := c.plan(map[string]any{contactsAttribute: ids{"11": "101", "22": "102", "33": "109"}})
	p.diags.errors().isEmpty(t)
	d := p.diags.warnings().has(t, "Customer not found in Fusebill", "customer 22", "the apply makes the other changes",
		"remove it from the set")
	want := tftypes.NewAttributePath().WithAttributeName(contactsAttribute).WithElementKeyString("22")
	if !d.Attribute.Equal(want) {
		t.Errorf("the warning is at %s", d.Attribute)
	}
	diags := c.apply(p)
	diags.errors().has(t, "Customer not found in Fusebill", "customer 22")
	c.stateIs(map[string]any{contactsAttribute: ids{"11": "101", "33": "109"}})
	c.accountIs([3]int64{33, 109, 0})
	if c.tainted {
		t.Error("the set is tainted by an update")
	}
}

// With the key of another account there is one error, and no list of thousands of rows.
func TestLatchSet_wrongAccount(t *testing.T) {
	t.Parallel()
	rows := ids{}
	for id := range int64(3000) {
		rows[fmt.Sprint(5000+id)] = fmt.Sprint(100 + id)
	}
	declared := map[string]any{contactsAttribute: rows}
	summary := "Customers of the set are not in this Fusebill account"
	create := newSetTerraform(t, latchedCustomers([3]int64{11, 0, 0}, [3]int64{22, 0, 0})...)
	p := create.plan(declared)
	p.diags.errors().has(t, summary, "None of 10 customers", "of the 3000 customers of the set",
		"https://fusebill.test/v1", "that of another account")
	if len(p.diags) != 1 {
		t.Errorf("%d diagnostics, want 1:\n%s", len(p.diags), p.diags)
	}

	var customers []fusebillsim.Customer
	for id := range int64(3000) {
		customers = append(customers, fusebillsim.Customer{ID: 5000 + id, HubSpotID: 100 + id})
	}
	right := newSetTerraform(t, customers...)
	right.succeeds(declared)
	wrong := newSetTerraform(t, latchedCustomers([3]int64{11, 111, 0}, [3]int64{22, 0, 0})...)
	wrong.state, wrong.private = right.state, right.private
	p = wrong.plan(declared)
	p.diags.errors().has(t, "State belongs to another Fusebill account", "https://fusebill.test/v1", "terraform state rm ADDRESS",
		"terraform import ADDRESS 5000,")
	if calls := wrong.sim.Count(); calls > 15 {
		t.Errorf("%d calls", calls)
	}
	if len(p.diags) != 1 {
		t.Errorf("%d diagnostics, want 1:\n%s", len(p.diags), p.diags)
	}
	wrong.stateIs(declared)
}

// A row with another latch in the account is a warning at plan and an error at apply. Both messages
// name the declared and the current latch.
func TestLatchSet_otherLatch(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 999, 299}, [3]int64{22, 0, 0})...)
	declared := map[string]any{contactsAttribute: ids{"11": "101", "22": "102"}}
	p := c.plan(declared)
	p.diags.errors().isEmpty(t)
	p.diags.warnings().has(t, "Customer is already latched", "contact 101", "contact 999",
		`hubspot_company_ids = { "11" = "299" }`)
	c.apply(p).errors().has(t, "Customer is already latched", "contact 999")
	c.accountIs([3]int64{11, 999, 299}, [3]int64{22, 102, 0})
	c.stateIs(map[string]any{contactsAttribute: ids{"22": "102"}})
	declared["allow_reassociation"] = true
	c.tainted = false // terraform untaint
	c.succeeds(declared)
	c.accountIs([3]int64{11, 101, 0})
}

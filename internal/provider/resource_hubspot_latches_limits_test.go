package provider

import (
	"fmt"
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file call the provider without a CLI. They check that:
//
//   - an exclusive set removes only the latches that its plan shows;
//   - a destroy or a replacement never unlatches a customer that the set did not list;
//   - the limits apply to updates and replacements;
//   - the apply after a failed create removes no latch that is still declared.

// numbered are n customers from the first on, each latched to the contact that is so far above its
// ID; 0: to none. rowsOf are the rows of such customers.
func numbered(first, n, above int64) (customers []fusebillsim.Customer) {
	for id := first; id < first+n; id++ {
		customer := fusebillsim.Customer{ID: id}
		if above != 0 {
			customer.HubSpotID = id + above
		}
		customers = append(customers, customer)
	}
	return customers
}

func rowsOf(first, n, above int64) ids {
	rows := ids{}
	for id := first; id < first+n; id++ {
		rows[fmt.Sprint(id)] = fmt.Sprint(id + above)
	}
	return rows
}

// latchedCount returns how many of n customers, from the first one on, are latched.
func (c *setTerraform) latchedCount(first, n int64) (count int) {
	for id := first; id < first+n; id++ {
		if customer, _ := c.sim.Customer(id); customer.HubSpotID != 0 || customer.HubSpotCompanyID != 0 {
			count++
		}
	}
	return count
}

func TestLatchSet_exclusive(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 0, 0}, [3]int64{44, 104, 204}, [3]int64{55, 0, 205})...)
	declared := map[string]any{contactsAttribute: ids{"11": "101"}, "exclusive": true}
	others := ids{"44": "contact 104 and company 204", "55": "company 205"}

	// A create only records the latches of other customers.
	p := c.plan(declared)
	p.plans(t, c, map[string]any{unlistedAttribute: unknown})
	p.diags.warnings().has(t, "Other customers are latched", "customer 44, customer 55", "This apply leaves them alone")
	c.apply(p).errors().isEmpty(t)
	c.stateIs(map[string]any{contactsAttribute: ids{"11": "101"}, companiesAttribute: nil, unlistedAttribute: others})
	c.accountIs([3]int64{44, 104, 204}, [3]int64{55, 0, 205})

	// The plan of an update shows them as removed. Its apply removes those that the plan has shown,
	// but no new ones and none that have changed since.
	p = c.plan(declared)
	p.plans(t, c, map[string]any{contactsAttribute: ids{"11": "101"}, unlistedAttribute: ids{}})
	p.diags.warnings().has(t, "HubSpot latches will be removed", "2 customers that it does not list: customer 44, "+
		"customer 55")
	c.sim.SetLatch(55, 0, 299)
	c.sim.AddCustomers(fusebillsim.Customer{ID: 66, HubSpotID: 106})
	diags := c.apply(p)
	diags.errors().has(t, "HubSpot latch changed since the plan was made", "does not list customer 55", "company 205",
		"company 299", "Plan again")
	c.accountIs([3]int64{11, 101, 0}, [3]int64{44, 0, 0}, [3]int64{55, 0, 299}, [3]int64{66, 106, 0})
	c.stateIs(map[string]any{contactsAttribute: ids{"11": "101"}, unlistedAttribute: ids{"55": "company 299"}})

	p = c.plan(declared)
	c.stateIs(map[string]any{unlistedAttribute: ids{"55": "company 299", "66": "contact 106"}})
	c.apply(p).errors().isEmpty(t)
	c.accountIs([3]int64{11, 101, 0}, [3]int64{55, 0, 0}, [3]int64{66, 0, 0})
	c.succeeds(declared)
}

// A customer that moves from unlisted to a row starts from the latch that the plan shows.
func TestLatchSet_exclusiveListsCustomer(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 0, 0}, [3]int64{44, 104, 0}, [3]int64{55, 105, 0})...)
	c.apply(c.plan(map[string]any{contactsAttribute: ids{"11": "101"}, "exclusive": true})).errors().isEmpty(t)
	p := c.plan(map[string]any{contactsAttribute: ids{"11": "101", "44": "109", "55": "105"}, "exclusive": true})
	p.plans(t, c, map[string]any{unlistedAttribute: ids{}})
	p.diags.isEmpty(t)
	c.apply(p).errors().isEmpty(t)
	c.accountIs([3]int64{44, 109, 0}, [3]int64{55, 105, 0})
}

// A set that is no longer exclusive leaves customers alone that it does not list.
func TestLatchSet_endsExclusive(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, latchedCustomers([3]int64{11, 0, 0}, [3]int64{22, 0, 0}, [3]int64{44, 104, 0})...)
	c.apply(c.plan(map[string]any{contactsAttribute: ids{"11": "101", "22": "102"},
		"exclusive": true})).errors().isEmpty(t)
	declared := map[string]any{contactsAttribute: ids{"11": "101"}}
	p := c.plan(declared)
	p.diags.warnings().has(t, "Unlisted HubSpot latches stay as they are", "customer 44")
	p.diags.warnings().has(t, "HubSpot latches will be removed", "1 customer that the set no longer lists: customer 22")
	c.apply(p).errors().isEmpty(t)
	c.accountIs([3]int64{11, 101, 0}, [3]int64{22, 0, 0}, [3]int64{44, 104, 0})
	c.succeeds(declared)
}

// After a refresh that put unlisted latches into the state, a destroy releases only the rows.
func TestLatchSet_destroyOfExclusiveSet(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, append(numbered(1, 3, 0), numbered(100, 40, 1000)...)...)
	c.apply(c.plan(map[string]any{contactsAttribute: rowsOf(1, 3, 500), "exclusive": true})).errors().isEmpty(t)
	c.refresh(c.process()).isEmpty(t) // apply -refresh-only
	p := c.planDestroy(c.process())
	p.diags.warnings().has(t, "HubSpot latches will be removed", "unlatches 3 customers")
	c.destroy().errors().isEmpty(t)
	if n := c.latchedCount(1, 3); n > 0 {
		t.Errorf("%d rows are still latched", n)
	}
	if n := c.latchedCount(100, 40); n != 40 {
		t.Errorf("%d of 40 other customers are latched", n)
	}
}

// failCreate creates a set of which one row fails, and returns the failed row.
func (c *setTerraform) failCreate(attributes map[string]any, failing int64) {
	c.t.Helper()
	p := c.plan(attributes)
	p.diags.errors().isEmpty(c.t)
	c.sim.SetLatch(failing, 999_999, 0)
	c.apply(p).errors().has(c.t, "HubSpot latches are incomplete", "Apply again")
	if !c.tainted {
		c.t.Fatal("the set is not tainted")
	}
	c.sim.SetLatch(failing, 0, 0)
}

// The next apply after a create that failed for one row makes that row, and touches nothing else.
func TestLatchSet_resumesExclusive(t *testing.T) {
	t.Parallel()
	for name, exclusive := range map[string]any{"exclusive": true, "no longer exclusive": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newSetTerraform(t, append(numbered(1, 5, 0), numbered(100, 40, 1000)...)...)
			declared := map[string]any{contactsAttribute: rowsOf(1, 5, 500), "exclusive": true}
			c.failCreate(declared, 3)
			declared["exclusive"] = exclusive
			writes := c.sim.Writes()
			p := c.plan(declared)
			p.diags.warnings().has(t, "HubSpot latch set is resumed", "The state has 4 customers.", "It removes no latch.",
				"It latches 1 customer")
			c.apply(p).errors().isEmpty(t)
			if n := c.latchedCount(1, 5); n != 5 {
				t.Errorf("%d of 5 rows are latched", n)
			}
			if n := c.latchedCount(100, 40); n != 40 {
				t.Errorf("%d of 40 other customers are latched", n)
			}
			if n := c.sim.Writes() - writes; n != 1 {
				t.Errorf("%d writes, want 1", n)
			}
		})
	}
}

// max_removals limits the replacement of a tainted set at plan, and at apply if the plan has not
// read the set.
func TestLatchSet_limitsOfTaintedSet(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, numbered(1, 100, 0)...)
	declared := map[string]any{contactsAttribute: rowsOf(1, 100, 500), "max_removals": 3}
	c.failCreate(declared, 100)
	declared[contactsAttribute] = rowsOf(1, 15, 500)
	p := c.plan(declared)
	p.diags.errors().has(t, "Too many HubSpot latches would be removed", "84 customers", "max_removals allows 3.",
		"max_removals = 84")

	p = c.planIn(c.process(), declared, false) // -refresh=false
	p.diags.errors().isEmpty(t)
	writes := c.sim.Writes()
	c.apply(p).errors().has(t, "Too many HubSpot latches would be removed", "84 customers")
	if n := c.sim.Writes() - writes; n > 0 {
		t.Errorf("%d writes", n)
	}
	if !c.tainted || c.state.IsNull() {
		t.Error("the state is gone")
	}

	declared["max_removals"] = 84
	p = c.plan(declared)
	p.diags.warnings().has(t, "HubSpot latch set is resumed", "unlatches 84 customers that the set no longer lists: "+
		"customer 16")
	c.apply(p).errors().isEmpty(t)
	if n := c.latchedCount(1, 100); n != 15 {
		t.Errorf("%d customers are latched, want 15", n)
	}
	if c.tainted {
		t.Error("the set is still tainted")
	}
}

// The apply after a failed create changes rows whose declared latch has changed since. The destroy
// half of the replacement leaves them in place for the create half.
func TestLatchSet_resumesWithChangedRows(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, numbered(1, 4, 0)...)
	c.failCreate(map[string]any{contactsAttribute: rowsOf(1, 4, 500)}, 4)
	declared := map[string]any{contactsAttribute: ids{"1": "501", "2": "777", "4": "504"},
		companiesAttribute: ids{"1": "601"}}
	p := c.plan(declared)
	d := p.diags.warnings().has(t, "HubSpot latch set is resumed", "unlatches 1 customer that the set no longer lists: "+
		"customer 3",
		"changes the IDs of 1 customer: customer 2")
	if len(p.diags) != 1 {
		t.Errorf("more than %s:\n%s", d.Summary, p.diags)
	}
	c.apply(p).errors().isEmpty(t)
	c.accountIs([3]int64{1, 501, 601}, [3]int64{2, 777, 0}, [3]int64{3, 0, 0}, [3]int64{4, 504, 0})
	c.succeeds(declared)
}

// The destroy half leaves all rows in place if the declared rows are unknown at plan.
func TestLatchSet_resumesWithUnknownRows(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, numbered(1, 4, 0)...)
	c.failCreate(map[string]any{contactsAttribute: rowsOf(1, 4, 500)}, 4)
	p := c.plan(map[string]any{contactsAttribute: unknown})
	p.diags.warnings().has(t, "HubSpot latch set is resumed", "the rows are not known yet")
	p.config = c.config(map[string]any{contactsAttribute: rowsOf(2, 3, 500)})
	c.apply(p).has(t, "HubSpot latches were left in place", "customer 1")
	if n := c.latchedCount(1, 4); n != 4 {
		t.Errorf("%d of 4 customers are latched", n)
	}
}

// With create_before_destroy, the create comes first, and the destroy gets none of its private
// data. The destroy keeps the latches that the create of the same process has declared.
func TestLatchSet_createBeforeDestroy(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, numbered(1, 4, 0)...)
	c.failCreate(map[string]any{contactsAttribute: rowsOf(1, 4, 500)}, 4)
	p := c.plan(map[string]any{contactsAttribute: rowsOf(2, 3, 500)})
	server := c.process()
	deposed, deposedPrivate := c.state, c.private
	final := c.planFrom(server, p, nil)
	c.call(server, p.prior, p.config, final.planned, nil).errors().isEmpty(t)
	created := c.state
	null := p.prior
	destroyed := c.planFrom(server, setPlanned{config: null, prior: deposed}, deposedPrivate)
	destroyed.diags.errors().isEmpty(t)
	c.call(server, deposed, null, null, destroyed.private).errors().isEmpty(t)
	c.state, c.tainted = created, false
	c.accountIs([3]int64{1, 0, 0}, [3]int64{2, 502, 0}, [3]int64{3, 503, 0}, [3]int64{4, 504, 0})
}

func TestLatchSet_limits(t *testing.T) {
	t.Parallel()
	changed := func(rows ids, first, n int64) ids {
		rows = maps.Clone(rows)
		maps.Copy(rows, rowsOf(first, n, 9000))
		return rows
	}
	const refresh = "terraform destroy -refresh=false"
	for name, test := range map[string]struct {
		rows     int64
		declared map[string]any
		refused  string
		parts    []string
	}{
		"default allows 10 removals": {40, map[string]any{contactsAttribute: rowsOf(11, 30, 500)}, "", nil},
		"default refuses 11 removals": {
			40, map[string]any{contactsAttribute: rowsOf(12, 29, 500)}, "Too many HubSpot latches would be removed",
			[]string{"unlatch 11 customers", "max_removals allows 10, the default for a set of 40 rows",
				"customer 1, customer 2", "max_removals = 11", refresh},
		},
		"default allows 5 % of 400": {400, map[string]any{contactsAttribute: rowsOf(21, 380, 500)}, "", nil},
		"default refuses more than 5 % of 400": {
			400, map[string]any{contactsAttribute: rowsOf(22, 379, 500)}, "Too many HubSpot latches would be removed",
			[]string{"21 customers", "allows 20", " and 1 more"},
		},
		"none allowed": {
			3, map[string]any{contactsAttribute: rowsOf(2, 2, 500), "max_removals": 0},
			"Too many HubSpot latches would be removed",
			[]string{"1 customer,", "allows 0."},
		},
		"default allows 10 changes": {40, map[string]any{contactsAttribute: changed(rowsOf(1, 40, 500), 1, 10)}, "", nil},
		"default refuses 11 changes": {
			40, map[string]any{contactsAttribute: changed(rowsOf(1, 40, 500), 1, 11)}, "Too many HubSpot latches would change",
			[]string{"change the IDs of 11 customers", "max_changes allows 10", "max_changes = 11", refresh},
		},
		"more allowed": {40, map[string]any{contactsAttribute: changed(rowsOf(1, 40, 500), 1, 40),
			"max_changes": 40}, "", nil},
		"added rows are free": {3, map[string]any{contactsAttribute: rowsOf(1, 60, 500), "max_changes": 0,
			"max_removals": 0}, "", nil},
		"added IDs are free": {40, map[string]any{contactsAttribute: rowsOf(1, 40, 500), companiesAttribute: rowsOf(1, 40,
			700), "max_changes": 0}, "", nil},
		"removed halves change": {3, map[string]any{companiesAttribute: rowsOf(1, 3, 700), "max_changes": 2},
			"Too many HubSpot latches would change", nil},
		"unlisted customers count": {
			3, map[string]any{contactsAttribute: rowsOf(2, 2, 500), "exclusive": true, "max_removals": 1},
			"Too many HubSpot latches would be removed",
			[]string{"2 customers", "customer 1, customer 400"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newSetTerraform(t, numbered(1, 400, 0)...)
			first := map[string]any{contactsAttribute: rowsOf(1, test.rows, 500), "exclusive": test.declared["exclusive"]}
			if first["exclusive"] != nil {
				c.sim.SetLatch(400, 4000, 0)
			}
			c.apply(c.plan(first)).errors().isEmpty(t)
			p := c.plan(test.declared)
			if test.refused == "" {
				c.apply(p).errors().isEmpty(t)
				return
			}
			p.diags.errors().has(t, test.refused, test.parts...)
			// A destroy without a refresh, as the message advises, has no limit.
			c.destroy().errors().isEmpty(t)
			if n := c.latchedCount(1, test.rows); n > 0 {
				t.Errorf("%d rows are still latched", n)
			}
		})
	}
}

// Terraform reports any change of a set as "1 to change", so a warning gives numbers and names.
func TestLatchSet_warnsAboutLargeChanges(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, numbered(1, 60, 0)...)
	c.succeeds(map[string]any{contactsAttribute: rowsOf(1, 40, 500)})
	rows := rowsOf(2, 49, 500)
	maps.Copy(rows, rowsOf(2, 12, 9000))
	p := c.plan(map[string]any{contactsAttribute: rows, "max_changes": 12})
	p.diags.warnings().has(t, "HubSpot latches will be removed", "unlatches 1 customer that the set no longer lists: "+
		"customer 1.",
		"changes the IDs of 12 customers: customer 2, customer 3", "It latches 10 customers that the set did not list "+
			"before.")
	p = c.plan(map[string]any{contactsAttribute: rowsOf(1, 60, 500)})
	p.diags.isEmpty(t)
	rows = rowsOf(1, 40, 500)
	maps.Copy(rows, rowsOf(2, 12, 9000))
	p = c.plan(map[string]any{contactsAttribute: rows, "max_changes": 12})
	p.diags.warnings().has(t, "Many HubSpot latches will change", "12 customers")
}

// A rename without a moved block is a destroy and a create in one process. The latches that the
// create declares stay.
func TestLatchSet_destroyKeepsDeclaredLatches(t *testing.T) {
	t.Parallel()
	c := newSetTerraform(t, numbered(1, 4, 0)...)
	c.succeeds(map[string]any{contactsAttribute: rowsOf(1, 4, 500)})
	former, formerPrivate := c.state, c.private
	server := c.process()
	null := c.decode(&tfprotov6.DynamicValue{MsgPack: []byte{0xc0}})
	c.state, c.private = null, nil
	p := c.planIn(server, map[string]any{contactsAttribute: rowsOf(2, 3, 500)}, false)
	c.call(server, p.prior, p.config, p.planned, nil).errors().isEmpty(t)
	c.call(server, former, null, null, formerPrivate).has(t, "HubSpot latches were kept",
		"customer 2, customer 3, customer 4")
	c.accountIs([3]int64{1, 0, 0}, [3]int64{2, 502, 0}, [3]int64{3, 503, 0}, [3]int64{4, 504, 0})
}

package provider

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file check with the real CLI that a plan refuses only changes that no apply can
// make. An apply settles swaps of customers, replacements and renames. If it cannot settle them, no
// latch is lost.

// cliStep is one command of the CLI and its results.
type cliStep struct {
	config  string                                        // empty: that of the step before
	prepare func(a acctest.Account, c *acctest.Workspace) // runs before the command; may be nil
	args    []string                                      // empty: an apply
	code    int
	prints  []string // parts of the output
	silent  []string // parts that the plan must not print
	latched []acctest.Customer
	writes  int // at most; 0: any number, -1: none
}

// runSteps runs commands in one workspace. Unless the last of them fails, the next plan has no
// changes.
func runSteps(t *testing.T, customers []acctest.Customer, steps ...cliStep) {
	t.Helper()
	a := acctest.AccountWith(t, customers...)
	c := acctest.NewWorkspace(t, a)
	runStepsIn(t, a, c, steps...)
	if steps[len(steps)-1].code == 0 {
		c.PlanIs(false)
	}
}

func runStepsIn(t *testing.T, a acctest.Account, c *acctest.Workspace, steps ...cliStep) {
	t.Helper()
	for i, s := range steps {
		if s.config != "" {
			c.Declare(s.config)
		}
		if s.prepare != nil {
			s.prepare(a, c)
		}
		a.ResetCalls()
		if len(s.args) == 0 {
			s.args = applied()
		}
		output := c.Run(s.code, s.args...)
		acctest.Prints(t, output, s.prints...)
		for _, text := range s.silent {
			if strings.Contains(planIn(output), text) {
				t.Errorf("the plan of step %d prints %q", i+1, text)
			}
		}
		a.Holds(t, s.latched...)
		if n := a.Writes(); s.writes < 0 && n > 0 || s.writes > 0 && n > s.writes {
			t.Errorf("step %d makes %d writes, want at most %d", i+1, n, max(s.writes, 0))
		}
		if t.Failed() {
			t.Fatalf("step %d printed:\n%s", i+1, output)
		}
	}
}

// planIn returns the part of an apply's output before the first change.
func planIn(output string) string {
	if first := regexp.MustCompile(`(Creating|Modifying|Destroying)\.\.\.`).FindStringIndex(output); first != nil {
		return output[:first[0]]
	}
	return output
}

// applied returns an apply with further arguments.
func applied(more ...string) []string {
	return append([]string{"apply", "-no-color", "-auto-approve"}, more...)
}

// warnings are the summaries of warnings about conflicts that may stop an apply.
var warnings = []string{
	"Customer is already latched", "is latched to another customer", "would be removed by another resource",
}

// latchOf declares a single latch to a contact.
func latchOf(name string, customerID, contact any, more ...string) string {
	arguments := []string{fmt.Sprintf("fusebill_id = %v", customerID), fmt.Sprintf("hubspot_id = %v", contact)}
	return acctest.Block(fmt.Sprintf(`resource "fusebill_hubspot_latch" %q`, name), append(arguments, more...)...)
}

const createFirst = "lifecycle {\n    create_before_destroy = true\n  }"

// laterContact declares a value that is not known before the apply, once version has changed.
func laterContact(contact int64, version string) string {
	return acctest.Block(`resource "terraform_data" "contact"`, fmt.Sprintf("input = %d", contact),
		fmt.Sprintf("triggers_replace = %q", version))
}

func TestAccCLIPlans_settleInOneApply(t *testing.T) {
	t.Parallel()
	type customer = acctest.Customer
	two := latchOf("a", 1, 101) + latchOf("b", 2, 102)
	three := two + latchOf("c", 3, 103)
	triggered := "lifecycle {\n    replace_triggered_by = [terraform_data.contact]\n  }"
	counted := func(contacts string) string {
		return acctest.Block(`resource "fusebill_hubspot_latch" "each"`, "count = 2", "fusebill_id = count.index + 1",
			"hubspot_id = ["+contacts+"][count.index]")
	}
	for name, test := range map[string]struct {
		from, to string
		args     []string
		taint    string
		latched  []customer
		writes   int
		isWarned bool // the plan may warn, because it has not seen the holder's plan
	}{
		"customers swapped": {
			from: two, to: latchOf("a", 2, 101) + latchOf("b", 1, 102),
			latched: []customer{{ID: 1, Contact: 102}, {ID: 2, Contact: 101}}, writes: 4,
		},
		"another customer, whose resource is removed": {
			from: two, to: latchOf("a", 2, 101), latched: []customer{{ID: 1}, {ID: 2, Contact: 101}}, writes: 3,
		},
		"each customer moves up": {
			from: two, to: latchOf("a", 2, 101) + latchOf("b", 3, 102),
			latched: []customer{{ID: 1}, {ID: 2, Contact: 101}, {ID: 3, Contact: 102}}, writes: 4,
		},
		"customers in a ring": {
			from: three, to: latchOf("a", 2, 101) + latchOf("b", 3, 102) + latchOf("c", 1, 103),
			latched: []customer{{ID: 1, Contact: 103}, {ID: 2, Contact: 101}, {ID: 3, Contact: 102}}, writes: 6,
		},
		"customers and contacts change": {
			from: three, to: latchOf("a", 2, 103) + latchOf("b", 3, 101) + latchOf("c", 1, 102),
			latched: []customer{{ID: 1, Contact: 102}, {ID: 2, Contact: 103}, {ID: 3, Contact: 101}}, writes: 6,
		},
		"-replace with another contact": {
			from: two, to: latchOf("a", 1, 109) + latchOf("b", 2, 102), args: []string{"-replace=fusebill_hubspot_latch.a"},
			latched: []customer{{ID: 1, Contact: 109}, {ID: 2, Contact: 102}}, writes: 2,
		},
		"taint with another contact": {
			from: two, to: latchOf("a", 1, 109) + latchOf("b", 2, 102), taint: "fusebill_hubspot_latch.a",
			latched: []customer{{ID: 1, Contact: 109}, {ID: 2, Contact: 102}}, writes: 2,
		},
		"swap of contacts with taint": {
			from: two, to: latchOf("a", 1, 102) + latchOf("b", 2, 101), taint: "fusebill_hubspot_latch.a",
			latched: []customer{{ID: 1, Contact: 102}, {ID: 2, Contact: 101}}, writes: 4, isWarned: true,
		},
		"replace_triggered_by with another contact": {
			from:    laterContact(1, "v1") + latchOf("a", 1, 101, triggered),
			to:      laterContact(1, "v2") + latchOf("a", 1, 109, triggered),
			latched: []customer{{ID: 1, Contact: 109}}, writes: 2,
		},
		"count becomes for_each, with one row corrected": {
			from: counted("101, 102"), to: singles([]customer{{ID: 1, Contact: 101}, {ID: 2, Contact: 109}}),
			latched: []customer{{ID: 1, Contact: 101}, {ID: 2, Contact: 109}}, writes: 4,
		},
		"single latch becomes a row with another contact": {
			from: two, to: latchOf("a", 1, 101) + acctest.LatchSet{{ID: 2, Contact: 109}}.Block(),
			latched: []customer{{ID: 1, Contact: 101}, {ID: 2, Contact: 109}}, writes: 2,
		},
		"row becomes a single latch with another contact": {
			from:    acctest.LatchSet{{ID: 1, Contact: 101}, {ID: 2, Contact: 102}}.Block(),
			to:      acctest.LatchSet{{ID: 1, Contact: 101}}.Block() + latchOf("b", 2, 109),
			latched: []customer{{ID: 1, Contact: 101}, {ID: 2, Contact: 109}}, writes: 2,
		},
		"row changes its set and its contact": {
			from: acctest.LatchSet{{ID: 1, Contact: 101}, {ID: 2, Contact: 102}}.Block() +
				acctest.LatchSet{{ID: 3, Contact: 103}}.BlockOf("other"),
			to: acctest.LatchSet{{ID: 1, Contact: 101}}.Block() +
				acctest.LatchSet{{ID: 2, Contact: 109}, {ID: 3, Contact: 103}}.BlockOf("other"),
			latched: []customer{{ID: 1, Contact: 101}, {ID: 2, Contact: 109}, {ID: 3, Contact: 103}}, writes: 2,
		},
		"renamed, and the new contact is known after apply": {
			from:    laterContact(101, "v1") + latchOf("a", 1, 101),
			to:      laterContact(109, "v2") + latchOf("renamed", 1, "terraform_data.contact.output"),
			latched: []customer{{ID: 1, Contact: 109}}, writes: 2,
		},
		"set renamed, and a new contact is known after apply": {
			from: laterContact(101, "v1") + acctest.LatchSet{{ID: 1, Contact: 101}, {ID: 2, Contact: 102}}.Block(),
			to: laterContact(109, "v2") + acctest.Block(`resource "fusebill_hubspot_latches" "renamed"`,
				`hubspot_ids = { "1" = terraform_data.contact.output, "2" = 102 }`),
			latched: []customer{{ID: 1, Contact: 109}, {ID: 2, Contact: 102}}, writes: 3,
		},
		"ring of a set and a single latch": {
			from:    acctest.LatchSet{{ID: 1, Contact: 101}, {ID: 2, Contact: 102}}.Block() + latchOf("c", 3, 103),
			to:      acctest.LatchSet{{ID: 1, Contact: 102}, {ID: 2, Contact: 103}}.Block() + latchOf("c", 3, 101),
			latched: []customer{{ID: 1, Contact: 102}, {ID: 2, Contact: 103}, {ID: 3, Contact: 101}}, writes: 4,
		},
		"rings across two sets": {
			from: acctest.LatchSet{{ID: 1, Contact: 101}, {ID: 2, Contact: 102}}.Block() +
				acctest.LatchSet{{ID: 3, Contact: 103}, {ID: 4, Contact: 104}}.BlockOf("other"),
			to: acctest.LatchSet{{ID: 1, Contact: 104}, {ID: 2, Contact: 103}}.Block() +
				acctest.LatchSet{{ID: 3, Contact: 102}, {ID: 4, Contact: 101}}.BlockOf("other"),
			latched: []customer{
				{ID: 1, Contact: 104}, {ID: 2, Contact: 103}, {ID: 3, Contact: 102}, {ID: 4, Contact: 101},
			}, writes: 6,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			apply := cliStep{
				config: test.to, args: applied(test.args...), latched: test.latched, writes: test.writes,
			}
			if !test.isWarned {
				apply.silent = warnings
			}
			if test.taint != "" {
				apply.prepare = func(_ acctest.Account, c *acctest.Workspace) { c.Run(0, "taint", test.taint) }
			}
			runSteps(t, []customer{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}}, cliStep{config: test.from}, apply)
		})
	}
}

// With create_before_destroy, a contact that moves to the new customer of a replacement stays with
// the old one until the new latch exists.
func TestAccCLIPlans_createBeforeDestroyKeepsTheContact(t *testing.T) {
	t.Parallel()
	runSteps(t, []acctest.Customer{{ID: 1}, {ID: 2}},
		cliStep{config: latchOf("a", 1, 101, createFirst)},
		cliStep{
			config: latchOf("a", 2, 101, createFirst), code: 1, writes: -1,
			prints: []string{
				"Error: HubSpot contact is latched to another customer", "create_before_destroy", "allow_reassociation = true",
			},
			latched: []acctest.Customer{{ID: 1, Contact: 101}, {ID: 2}},
		},
		cliStep{
			config:  latchOf("a", 2, 101, "allow_reassociation = true", createFirst),
			latched: []acctest.Customer{{ID: 1}, {ID: 2, Contact: 101}}, writes: 3,
		},
	)
}

// The create does not know that the existing latch is that of the object that it replaces.
func TestAccCLIPlans_createBeforeDestroyOfTheSameCustomer(t *testing.T) {
	t.Parallel()
	replaced := applied("-replace=fusebill_hubspot_latch.a")
	runSteps(t, []acctest.Customer{{ID: 1}},
		cliStep{config: latchOf("a", 1, 101, createFirst)},
		cliStep{
			config: latchOf("a", 1, 109, createFirst), args: replaced, code: 1, writes: -1,
			prints:  []string{"Error: Customer is already latched", "create_before_destroy", "allow_reassociation = true"},
			latched: []acctest.Customer{{ID: 1, Contact: 101}},
		},
		cliStep{
			config: latchOf("a", 1, 109, "allow_reassociation = true", createFirst), args: replaced, writes: 1,
			latched: []acctest.Customer{{ID: 1, Contact: 109}},
		},
	)
}

// The data source takes longer than a change waits for a claim by default. It is no change, so
// nothing of the run makes progress meanwhile.
func TestAccCLIPlans_timeoutsAllowForASlowDependency(t *testing.T) {
	t.Parallel()
	config := func(version string, contactOfA, contactOfB int64) string {
		return laterContact(1, version) +
			acctest.Block(`data "fusebill_customer" "slow"`, "id = 3", "depends_on = [terraform_data.contact]") +
			latchOf("a", 1, contactOfA, "depends_on = [data.fusebill_customer.slow]") +
			latchOf("b", 2, contactOfB, "timeouts {\n    update = \"30m\"\n  }")
	}
	runSteps(t, []acctest.Customer{{ID: 1}, {ID: 2}, {ID: 3}},
		cliStep{config: config("v1", 101, 102)},
		cliStep{
			config: config("v2", 109, 101),
			prepare: func(a acctest.Account, _ *acctest.Workspace) {
				a.Inject(fusebillsim.Fault{
					Kind: fusebillsim.FaultLatencyBefore, Route: fusebillsim.RouteCustomer, Latency: 6 * time.Second, Times: -1,
				})
			},
			latched: []acctest.Customer{{ID: 1, Contact: 109}, {ID: 2, Contact: 101}},
		},
	)
}

func TestAccCLIPlans_renamedSetMakesNoWrite(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(200, 1000)
	runSteps(t, declared.Unlatched(), cliStep{config: declared.Block()},
		cliStep{config: declared.BlockOf("renamed"), latched: declared, writes: -1})
}

// Two objects of the state have the same latch. One keeps it, and the other one removes it.
// Terraform makes the two plans in a random order: the removal makes no call, or an error gives the
// commands that solve the conflict.
func TestAccCLIPlans_latchInStateTwice(t *testing.T) {
	t.Parallel()
	each := func(keys ...string) string {
		return acctest.Block(`resource "fusebill_hubspot_latch" "each"`, "for_each = { "+strings.Join(keys, ", ")+" }",
			"fusebill_id = each.value", "hubspot_id = each.value + 100")
	}
	dependent := func(contact int64) string {
		return latchOf("a", 1, 101, createFirst) + latchOf("b", 2, contact, "depends_on = [fusebill_hubspot_latch.a]")
	}
	for name, test := range map[string]struct {
		steps    []cliStep
		commands [][]string // the ones that the error gives
	}{
		"for_each keys renamed by halves": {
			steps: []cliStep{
				{config: each("a = 1", "b = 2")},
				{config: each("x = 1", "y = 2"), args: applied(`-target=fusebill_hubspot_latch.each["x"]`), writes: -1},
			},
			commands: [][]string{{"state", "rm", `fusebill_hubspot_latch.each["a"]`}},
		},
		"deposed object": {
			steps: []cliStep{
				{config: dependent(102)},
				{
					config: dependent(109), args: applied("-replace=fusebill_hubspot_latch.a"), code: 1,
					prepare: func(a acctest.Account, _ *acctest.Workspace) {
						a.Faults(fusebillsim.FaultStatus500Before, fusebillsim.RouteLatch, 1)
					},
					prints: []string{"Error: "},
				},
			},
			commands: [][]string{{"state", "rm", "fusebill_hubspot_latch.a"}, {"import", "fusebill_hubspot_latch.a", "1"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, acctest.Customer{ID: 1}, acctest.Customer{ID: 2})
			c := acctest.NewWorkspace(t, a)
			runStepsIn(t, a, c, test.steps...)
			cmd, output := c.Command(applied()...)
			if err := cmd.Run(); err != nil {
				c.Ended(cmd, output, err, 1)
				acctest.Prints(t, output.String(), "Error: HubSpot latch would be removed by another resource", "deposed object",
					"terraform state rm ADDRESS", "terraform import ADDRESS 1", "terraform destroy -refresh=false")
				for _, command := range test.commands {
					c.Run(0, command...)
				}
				c.Apply()
			}
			a.Latched(t, 1, 101, 0)
			c.PlanIs(false)
		})
	}
}

// The destroy half of a replacement would remove a latch that another resource of the same run
// imports.
func TestAccCLIPlans_replacementSparesWhatAnotherResourceKeeps(t *testing.T) {
	t.Parallel()
	const imported = "import {\n  to = fusebill_hubspot_latch.b\n  id = \"11\"\n}\n"
	both := []acctest.Customer{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}
	for name, test := range map[string]struct {
		lifecycle string
		isTainted bool
	}{
		"destroy first": {}, "create first": {lifecycle: createFirst}, "tainted": {isTainted: true},
		"tainted, create first": {lifecycle: createFirst, isTainted: true},
	} {
		for order, dependsOn := range map[string][2]string{
			"kept first":     {"depends_on = [fusebill_hubspot_latch.b]", ""},
			"replaced first": {"", "depends_on = [fusebill_hubspot_latch.a]"},
		} {
			t.Run(name+", "+order, func(t *testing.T) {
				t.Parallel()
				a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
				c := acctest.NewWorkspace(t, a)
				c.SkipBelow(1, 5, "import blocks")
				runStepsIn(t, a, c, cliStep{config: latchOf("a", 11, 101, test.lifecycle)})
				if test.isTainted {
					c.Run(0, "taint", "fusebill_hubspot_latch.a")
				}
				replacing := cliStep{
					config: imported + latchOf("a", 22, 102, dependsOn[0], test.lifecycle) + latchOf("b", 11, 101, dependsOn[1]),
					prints: []string{"Warning: HubSpot latch stays with another resource"}, latched: both, writes: 1,
				}
				if dependsOn[0] == "" {
					replacing.code, replacing.writes, replacing.latched = 1, -1, both[:1]
					replacing.prints = []string{"Error: HubSpot latch would be removed by another resource"}
				}
				runStepsIn(t, a, c, replacing)
				if replacing.code == 0 {
					c.PlanIs(false)
				}
			})
		}
	}
}

// Terraform plans the configuration before it plans a destroy.
func TestAccCLIPlans_destroyIsNotBlocked(t *testing.T) {
	t.Parallel()
	destroyed := []string{"destroy", "-no-color", "-auto-approve"}
	set := acctest.LatchSet{{ID: 2, Contact: 102}, {ID: 3, Contact: 103}}
	applied := latchOf("a", 1, 101) + set.Block()
	deleted := func(ids ...int64) func(acctest.Account, *acctest.Workspace) {
		return func(a acctest.Account, _ *acctest.Workspace) {
			for _, id := range ids {
				a.DeleteCustomer(id)
			}
		}
	}
	for name, test := range map[string]struct {
		config  string // empty: the one that was applied
		prepare func(acctest.Account, *acctest.Workspace)
		gone    map[int64]bool
		prints  []string // by the destroy, where it is refused
	}{
		"customer of a single latch was deleted":         {prepare: deleted(1), gone: map[int64]bool{1: true}},
		"customer of a row was deleted":                  {prepare: deleted(3), gone: map[int64]bool{3: true}},
		"new resource of a customer that is latched":     {config: applied + latchOf("new", 4, 104)},
		"new resource of a contact that is held":         {config: applied + latchOf("new", 5, 904)},
		"new resource of a customer that does not exist": {config: applied + latchOf("new", 6, 104)},
		"new resource of a declared customer": {
			config: applied + latchOf("new", 1, 104),
			prints: []string{"Error: Customer is declared twice", "terraform destroy -refresh=false"},
		},
		"new resource of a declared row": {
			config: applied + acctest.LatchSet{{ID: 3, Contact: 104}}.BlockOf("other"),
			prints: []string{"Error: Customer is declared twice", "terraform destroy -refresh=false"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, append(set.Unlatched(), acctest.Customer{ID: 1}, acctest.Customer{ID: 4, Contact: 904},
				acctest.Customer{ID: 5})...)
			c := acctest.NewWorkspace(t, a)
			runStepsIn(t, a, c, cliStep{config: applied})
			step := cliStep{config: test.config, prepare: test.prepare, args: destroyed}
			if test.prints != nil {
				step.code, step.prints, step.writes = 1, test.prints, -1
				runStepsIn(t, a, c, step)
				step = cliStep{args: append(destroyed, "-refresh=false")}
			}
			runStepsIn(t, a, c, step)
			for _, id := range []int64{1, 2, 3} {
				if !test.gone[id] {
					a.Latched(t, id, 0, 0)
				}
			}
			a.Latched(t, 4, 904, 0)
		})
	}
}

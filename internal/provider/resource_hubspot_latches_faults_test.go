package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: one bad row doesn't stop the others; state holds what is so; the next apply does what is missing
// and nothing else. A create that ended with errors is tainted, and yet its replacement removes no latch that is still
// declared, however it comes about. The same holds for a run that was interrupted or died.

// neverUnlatched fails the test if any call removed a latch.
func (a account) neverUnlatched(t *testing.T) {
	t.Helper()
	for _, r := range a.Requests() {
		if r.Route == fusebillsim.RouteUnlatch || r.Route == fusebillsim.RouteLatch && strings.Contains(r.Body, `"hubSpotId":null,"hubSpotCompanyId":null`) {
			t.Errorf("a latch was removed: %s %s", r.Path, r.Body)
		}
	}
}

// unknownContacts makes HubSpot not have contacts.
func (a account) unknownContacts(contacts ...int64) {
	a.Configure(func(b *fusebillsim.Behavior) {
		b.UnknownContacts = make(map[int64]bool)
		for _, contact := range contacts {
			b.UnknownContacts[contact] = true
		}
	})
}

// failedCreate is a create of 100 of which 5 have failed, and what is declared once their rows are right.
func failedCreate(t *testing.T, arguments ...string) (a account, c *cli, corrected latchSet, fixes latchSet) {
	t.Helper()
	declared := numberedSet(100, 1000)
	fixes = latchSet{{7, 2007, 0}, {19, 2019, 0}, {42, 0, 3042}, {77, 2077, 3077}, {100, 2100, 0}}
	a = accountWith(t, declared.unlatched()...)
	var bad []int64
	done := declared
	for _, fix := range fixes {
		bad = append(bad, fix.customer+1000)
		done = done.with(held{customer: fix.customer})
	}
	a.unknownContacts(bad...)
	c = newCLI(t, a)
	c.declare(declared.block(arguments...))
	output := c.run(1, "apply", "-no-color", "-auto-approve")
	if got := strings.Count(output, "Error: HubSpot contact can't be latched"); got != 5 {
		t.Errorf("%d customers are told as failed, want 5:\n%s", got, output)
	}
	prints(t, output, "Could not create the HubSpot latch of customer 42 (contact 1042): POST HubSpot/latchCustomer: 400 Bad Request: "+
		"The was an error getting the contact from HubSpot: resource not found.",
		"Error: HubSpot latches are incomplete", "Of 100 changes 95 were made, 5 failed and 0 weren't begun.",
		"That removes no latch that is still declared: the next create goes on from here.")
	c.showsSet(done)
	a.wroteSet(t, declared...)
	a.ResetCalls()
	return a, c, declared.with(fixes...), fixes
}

func TestAccCLILatches_partFailure(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments string
		untaint   bool
		plan      string
	}{
		"replaced":              {"", false, "must be replaced"},
		"untainted":             {"", true, "will be updated in-place"},
		"create before destroy": {"lifecycle {\n    create_before_destroy = true\n  }", false, "must be replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c, corrected, fixes := failedCreate(t, test.arguments)
			c.declare(corrected.block(test.arguments))
			if test.untaint {
				c.run(0, "untaint", testSet)
			}
			prints(t, c.planIs(true), testSet, test.plan)
			c.run(0, "apply", "-no-color", "tfplan")
			a.wroteSet(t, fixes...)
			a.holds(t, corrected...)
			c.showsSet(corrected)
			c.planIs(false)
		})
	}
}

// The replacement of a set that failed in part removes what isn't declared any more, as an update would.
func TestAccCLILatches_partFailureWithRowsRemoved(t *testing.T) {
	t.Parallel()
	a, c, corrected, fixes := failedCreate(t)
	corrected = corrected.with(held{1, 0, 0}, held{2, 0, 0})
	c.declare(corrected.block())
	c.apply()
	a.wroteSet(t, append(fixes, held{1, 0, 0}, held{2, 0, 0})...)
	a.holds(t, corrected.with(held{1, 0, 0})...)
	c.showsSet(corrected)
}

// A row that was made and is changed before the next apply is refused as one that is latched already, with the way on.
func TestAccCLILatches_partFailureWithRowsChanged(t *testing.T) {
	t.Parallel()
	a, c, corrected, fixes := failedCreate(t)
	changed := held{1, 2001, 0}
	c.declare(corrected.with(changed).block())
	prints(t, c.run(1, "plan", "-no-color"), "Error: Customer is latched already",
		"from a create that ended with errors, terraform untaint lets Terraform change it.")
	c.run(0, "untaint", testSet)
	c.apply()
	a.wroteSet(t, append(fixes, changed)...)
	a.neverUnlatched(t)
}

// What the replacement declares may not be known when it is planned. Nothing is removed on a guess.
func TestAccCLILatches_partFailureReplacedByUnknown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		latches string
		warns   bool
	}{
		"an ID":   {`merge(%s, { "42" = { hubspot_id = null, hubspot_company_id = terraform_data.later.output } })`, false},
		"the map": {`{ for id, l in %s : id => l if id != "42" || terraform_data.later.output != "" }`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c, corrected, fixes := failedCreate(t)
			c.declare(block(`resource "terraform_data" "later"`, `input = "3042"`),
				block(`resource "fusebill_hubspot_latches" "test"`, "latches = "+fmt.Sprintf(test.latches, corrected.expression())))
			output := c.run(0, "apply", "-no-color", "-auto-approve")
			if warned := strings.Contains(output, "Warning: HubSpot latches were left in place"); warned != test.warns {
				t.Errorf("a warning: %v, want %v\n%s", warned, test.warns, output)
			}
			a.wroteSet(t, fixes...)
			a.neverUnlatched(t)
			a.holds(t, corrected...)
			c.showsSet(corrected)
			c.planIs(false)
		})
	}
}

// The destroy half of a replacement may fail for a row that is removed. What it was to leave alone stays in the state.
func TestAccCLILatches_replacementWhoseDestroyFails(t *testing.T) {
	t.Parallel()
	a, c, corrected, fixes := failedCreate(t)
	corrected = corrected.with(held{1, 0, 0}, held{2, 0, 0})
	c.declare(corrected.block())
	back := a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteLatch, Times: -1,
		Match: func(r *http.Request) bool { return customerOf(t, r) == 1 },
	})
	prints(t, c.run(1, "apply", "-no-color", "-auto-approve"), "Could not delete the HubSpot latch of customer 1")
	var failed []held
	for _, fix := range fixes {
		failed = append(failed, held{customer: fix.customer})
	}
	c.showsSet(corrected.with(failed...).with(held{1, 1001, 0}))
	back()
	a.ResetCalls()
	c.apply()
	a.wroteSet(t, append(fixes, held{1, 0, 0})...)
	c.showsSet(corrected)
}

// A destroy of a tainted set is one like any other.
func TestAccCLILatches_destroyAfterPartFailure(t *testing.T) {
	t.Parallel()
	a, c, corrected, _ := failedCreate(t)
	c.declare(corrected.block())
	c.run(0, "destroy", "-no-color", "-auto-approve")
	a.holds(t, corrected.unlatched()...)
	if n := a.Writes(); n != 95 {
		t.Errorf("%d writes, want one for each latch", n)
	}
}

// A whole set that is replaced for no other reason than that somebody asks for it keeps its latches.
func TestAccCLILatches_replacedOnDemand(t *testing.T) {
	t.Parallel()
	for name, lifecycle := range map[string]string{
		"destroyed first": "", "created first": "lifecycle {\n    create_before_destroy = true\n  }",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			declared := numberedSet(30, 1000)
			a := accountWith(t, declared.unlatched()...)
			c := newCLI(t, a)
			c.declare(declared.block(lifecycle))
			c.apply()
			a.ResetCalls()
			c.run(0, "apply", "-no-color", "-auto-approve", "-replace="+testSet)
			a.wroteSet(t)
			a.holds(t, declared...)
			c.showsSet(declared)
		})
	}
}

// Where everything fails there is nothing to keep, no state, and so no taint.
func TestAccHubSpotLatchesFaults_allFail(t *testing.T) {
	declared := numberedSet(30, 1000)
	a := accountWith(t, declared.unlatched()...)
	var back func()
	run(t,
		resource.TestStep{
			PreConfig: func() { back = a.faults(fusebillsim.FaultStatus500Before, fusebillsim.RouteLatch, -1) },
			Config:    a.with(declared.block()),
			ExpectError: diagnosis("HubSpot latch was not changed", "", "Could not create the HubSpot latch of customer 1 (contact 1001): ",
				"read afterwards, customer 1 is latched to nothing."),
		},
		a.setStep(t, setStep{prepare: func() { back() }, action: plancheck.ResourceActionCreate, after: declared, writes: declared}))
}

// An update keeps what it has made, what it has removed, and what has failed as it was.
func TestAccHubSpotLatchesFaults_partOfAnUpdate(t *testing.T) {
	before := numberedSet(60, 1000)
	after := before.with(held{1, 2001, 0}, held{2, 404, 0}, held{3, 0, 0}, held{4, 1004, 3004}, held{5, 0, 0}, held{61, 405, 0}, held{62, 1062, 0})
	a := accountWith(t, append(before.unlatched(), held{61, 0, 0}, held{62, 0, 0})...)
	var back func()
	run(t, a.createsSet(t, before),
		resource.TestStep{
			PreConfig: func() {
				a.unknownContacts(404, 405)
				back = a.Inject(fusebillsim.Fault{
					Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteLatch, Times: -1,
					Match: func(r *http.Request) bool { return customerOf(t, r) == 5 },
				})
			},
			Config: a.with(after.block()),
			// The CLI sorts errors by the line that they point at.
			ExpectError: diagnosis("HubSpot latches are incomplete", latchesLine, "Of 7 changes 4 were made, 3 failed and 0 weren't begun.",
				"Could not update the HubSpot latch of customer 5:", "customer 5 is latched to contact 1005.",
				`"2" = { hubspot_id = 404, hubspot_company_id = null }`, "Could not update the HubSpot latch of customer 2 (contact 404)",
				`"61" = { hubspot_id = 405, hubspot_company_id = null }`, "Could not update the HubSpot latch of customer 61 (contact 405)"),
		},
		a.setStep(t, setStep{
			prepare: func() { back(); a.unknownContacts() }, action: plancheck.ResourceActionUpdate,
			before: after.with(held{2, 1002, 0}, held{5, 1005, 0}, held{61, 0, 0}), after: after,
			writes: latchSet{{2, 404, 0}, {5, 0, 0}, {61, 405, 0}},
		}))
}

// latchesLine is where a diagnostic points at that is about the set "test" as a whole.
const latchesLine = `resource "fusebill_hubspot_latches" "test" {`

// Answers that are lost, and answers that say something else than was asked for.
func TestAccHubSpotLatchesFaults_answers(t *testing.T) {
	declared := numberedSet(20, 1000)
	a := accountWith(t, declared.unlatched()...)
	fault := func(kind fusebillsim.FaultKind, customer int64) func() {
		return a.Inject(fusebillsim.Fault{
			Kind: kind, Route: fusebillsim.RouteLatch, Times: -1, Match: func(r *http.Request) bool { return customerOf(t, r) == customer },
		})
	}
	var back func()
	run(t, resource.TestStep{
		PreConfig: func() {
			back = fault(fusebillsim.FaultDifferentAnswer, 3)
			fault(fusebillsim.FaultDropAfter, 4) // A lost answer isn't a lost write: the customer is read.
		},
		Config: a.with(declared.block()),
		ExpectError: diagnosis("HubSpot latches are incomplete", latchesLine, "Of 20 changes 19 were made, 1 failed",
			"Error: Fusebill latched something else than was asked for", `"3" = { hubspot_id = 1003, hubspot_company_id = null }`,
			"customer 3 was to be latched to contact 1003"),
	}, a.setStep(t, setStep{
		prepare: func() { back(); a.holds(t, declared...) },
		action:  plancheck.ResourceActionDestroyBeforeCreate, before: declared, after: declared,
	}))
	a.holds(t, declared.unlatched()...)
}

// customerOf is the customer that a latch call is about.
func customerOf(t *testing.T, r *http.Request) int64 {
	t.Helper()
	var body struct {
		FusebillID int64 `json:"fusebillId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		t.Error(err)
	}
	return body.FusebillID
}

// stopAt runs an apply that a signal ends at its n-th latch call: the CLI, or the provider where kill says so. Calls from
// then on hang until their caller gives them up.
func (c *cli) stopAt(a account, n int64, stop func(*exec.Cmd)) (output string) {
	c.t.Helper()
	cmd, buffer := c.command("apply", "-no-color", "-auto-approve")
	started := make(chan struct{})
	var calls atomic.Int64
	hung := a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultLatencyBefore, Route: fusebillsim.RouteLatch, Latency: forever, Times: -1,
		Match: func(*http.Request) bool {
			<-started
			call := calls.Add(1)
			if call == n {
				stop(cmd)
			}
			return call >= n
		},
	})
	c.fails(cmd, buffer, started)
	hung()
	return buffer.String()
}

// fails runs a command that is to end with an error, and says when it has a process.
func (c *cli) fails(cmd *exec.Cmd, output *bytes.Buffer, started chan struct{}) {
	c.t.Helper()
	err := cmd.Start()
	close(started)
	if err == nil {
		err = cmd.Wait()
	}
	c.ended(cmd, output, err, 1)
}

// dieAt applies, and kills the provider when it makes the n-th call to change a latch, with whatever else is under way.
func (c *cli) dieAt(a account, n int64) {
	c.t.Helper()
	cmd, output := c.command("apply", "-no-color", "-auto-approve")
	started := make(chan struct{})
	var calls atomic.Int64
	lived := a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultNone, Route: fusebillsim.RouteLatch, Times: -1,
		OnRequest: func(*http.Request) {
			<-started
			if calls.Add(1) == n {
				c.killProvider(cmd)
			}
		},
	})
	defer lived()
	c.fails(cmd, output, started)
}

// interrupt is a Ctrl-C. A terminal sends that to all; the provider ignores it, as does a CLI that runs another one.
func (c *cli) interrupt(cmd *exec.Cmd) {
	pid := cmd.Process.Pid
	for _, child := range c.children(pid) { // A CLI before 1.2 runs itself in a child.
		if len(c.children(child)) > 0 {
			pid = child
		}
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(os.Interrupt)
	}
	if err != nil {
		c.t.Error(err)
	}
}

// killProvider kills the provider that a CLI has started.
func (c *cli) killProvider(cmd *exec.Cmd) { c.killBelow(cmd.Process.Pid) }

// killBelow kills the processes below this one that have started none.
func (c *cli) killBelow(pid int) {
	for _, child := range c.children(pid) {
		if len(c.children(child)) > 0 {
			c.killBelow(child)
			continue
		}
		if process, err := os.FindProcess(child); err == nil {
			_ = process.Kill()
		}
	}
}

// children are the processes that a process has started.
func (c *cli) children(pid int) (children []int) {
	// A child belongs to the thread that started it, which may be any.
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, thread := range threads {
		of, _ := os.ReadFile(thread) // One that has ended meanwhile has none.
		for child := range strings.FieldsSeq(string(of)) {
			pid, err := strconv.Atoi(child)
			if err != nil {
				c.t.Error(err)
				continue
			}
			children = append(children, pid)
		}
	}
	return children
}

// Interrupted in the midst of a create, update or destroy, the set is in the state as far as it came, and the next apply does
// the rest.
func TestAccCLILatches_interrupted(t *testing.T) {
	t.Parallel()
	declared := numberedSet(100, 1000)
	for name, test := range map[string]struct {
		before, after latchSet
	}{
		"create":  {nil, declared},
		"update":  {declared, declared.unlatched().renumbered(5000)},
		"destroy": {declared, latchSet{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := accountWith(t, declared.unlatched()...)
			c := newCLI(t, a)
			if test.before != nil {
				c.declare(test.before.block())
				c.apply()
			}
			a.ResetCalls()
			if len(test.after) > 0 {
				c.declare(test.after.block())
			} else {
				c.declare()
			}
			output := c.stopAt(a, 40, c.interrupt)
			prints(t, output, "Interrupt received", "Error: Interrupted", "weren't begun", "context canceled", "Run again to go on.")
			if state := c.latches(); len(test.after) > 0 {
				for id, text := range state {
					number, err := strconv.ParseInt(id, 10, 64)
					if err != nil {
						t.Fatal(err)
					}
					customer, _ := a.Customer(number)
					if text.contact.text != fmt.Sprint(customer.HubSpotID) {
						t.Errorf("state says %s of customer %s, who is latched to contact %d", text.contact.text, id, customer.HubSpotID)
					}
				}
			}
			written := a.Writes()
			lost := written - 39 // Calls that hung, and weren't made.
			a.ResetCalls()
			c.apply()
			if want := 100 - written + lost; a.Writes() != want {
				t.Errorf("%d writes, want %d for the rest", a.Writes(), want)
			}
			if name != "destroy" {
				a.neverUnlatched(t)
				c.showsSet(test.after)
				a.holds(t, test.after...)
			} else {
				a.holds(t, declared.unlatched()...)
			}
			c.planIs(false)
		})
	}
}

// renumbered is the set with contacts that are so far above the customers' IDs.
func (s latchSet) renumbered(above int64) latchSet {
	all := slices.Clone(s)
	for i := range all {
		all[i].contact = all[i].customer + above
	}
	return all
}

// Where the provider dies, Terraform learns nothing of what was done. The next apply finds out.
func TestAccCLILatches_providerDies(t *testing.T) {
	t.Parallel()
	declared := numberedSet(100, 1000)
	for name, before := range map[string]latchSet{"in a create": nil, "in an update": declared.unlatched().renumbered(5000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := accountWith(t, declared.unlatched()...)
			c := newCLI(t, a)
			if before != nil {
				c.declare(before.block())
				c.apply()
			}
			c.declare(declared.block())
			a.ResetCalls()
			c.stopAt(a, 40, c.killProvider)
			a.ResetCalls()
			c.apply()
			if n := a.Writes(); n != 100-39 {
				t.Errorf("%d writes, want those of the customers that are missing", n)
			}
			a.neverUnlatched(t)
			a.holds(t, declared...)
			c.showsSet(declared)
			c.planIs(false)
		})
	}
}

// A thousand customers exchange their contacts, round after round, and each time the provider dies on the way.
func TestAccCLILatches_providerDiesAtAnyMoment(t *testing.T) {
	t.Parallel()
	const rounds, n = 20, 1000
	dice := rand.New(rand.NewPCG(20, 0))
	declared := numberedSet(n, 10_000)
	a := accountWith(t, declared...)
	c := newCLI(t, a)
	c.declare(declared.block())
	c.apply() // It takes over what is there.
	for range rounds {
		declared = declared.shuffled(dice)
		c.declare(declared.block())
		c.dieAt(a, 1+dice.Int64N(n*9/10))
		c.apply()
		a.holds(t, declared...)
	}
	c.planIs(false)
}

// shuffled is the set with its contacts at random among its customers.
func (s latchSet) shuffled(dice *rand.Rand) latchSet {
	all := slices.Clone(s)
	for i, j := range dice.Perm(len(s)) {
		all[i].contact = s[j].contact
	}
	return all
}

func TestAccCLILatches_fiftyOfAThousandFail(t *testing.T) {
	t.Parallel()
	declared := numberedSet(1000, 10_000)
	a := accountWith(t, declared.unlatched()...)
	var bad []int64
	var fixes latchSet
	for i := 19; i < len(declared); i += 20 {
		bad = append(bad, declared[i].contact)
		fixes = append(fixes, held{declared[i].customer, declared[i].contact + 10_000, 0})
	}
	a.unknownContacts(bad...)
	c := newCLI(t, a)
	c.declare(declared.block())
	output := c.run(1, "apply", "-no-color", "-auto-approve")
	prints(t, output, "Of 1000 changes 950 were made, 50 failed and 0 weren't begun. The first 20 failures are told one by one.")
	a.wroteSet(t, declared...)

	a.ResetCalls()
	c.declare(declared.with(fixes...).block())
	c.apply()
	a.wroteSet(t, fixes...)
	a.neverUnlatched(t)
	a.holds(t, declared.with(fixes...)...)
	c.planIs(false)
}

package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: a set is what the account has, with one call for each customer that changes and none for the
// rest; a plan shows what changes by customer, whatever changed it; values stay as they are written; moves within a set need
// no permission and one call more for each ring; an exclusive set owns the account, within max_removals.
//
// Elsewhere: what is refused, failures and interruptions, and import in the files of those names.

// testSet is the address of the set in most configurations.
const testSet = "fusebill_hubspot_latches.test"

// latchSet is a set of latches, as it is declared, in state, or in the account.
type latchSet []held

// block declares the set "test", with further arguments or blocks inside. An ID that isn't there is written as null.
func (s latchSet) block(more ...string) string { return s.blockOf("test", more...) }

func (s latchSet) blockOf(name string, more ...string) string {
	return block(fmt.Sprintf("resource %q %q", latchesType, name), append([]string{"latches = " + s.expression()}, more...)...)
}

func (s latchSet) expression() string {
	var elements strings.Builder
	for _, h := range s {
		fmt.Fprintf(&elements, "    %q = { hubspot_id = %s, hubspot_company_id = %s }\n", fmt.Sprint(h.customer), orNull(h.contact), orNull(h.company))
	}
	return "{\n" + elements.String() + "  }"
}

func orNull(id int64) string {
	if id == 0 {
		return "null"
	}
	return fmt.Sprint(id)
}

// texts is the set as state and plans hold it, where it was written by numbers and nulls.
func (s latchSet) texts() latchTexts {
	texts := latchTexts{}
	for _, h := range s {
		texts[fmt.Sprint(h.customer)] = latchText{mark: known, contact: newIDText(h.contact), company: newIDText(h.company)}
	}
	return texts
}

// numberedSet is n latches of customers from 1 on, each to the contact that is so far above its ID.
func numberedSet(n, above int64) latchSet {
	var s latchSet
	for id := range n {
		s = append(s, held{id + 1, id + 1 + above, 0})
	}
	return s
}

// with is the set with these latches in place of those of the same customers; one without IDs is left out.
func (s latchSet) with(changed ...held) latchSet {
	all := slices.Clone(s)
	for _, c := range changed {
		all = slices.DeleteFunc(all, func(h held) bool { return h.customer == c.customer })
		if c.contact != 0 || c.company != 0 {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b held) int { return cmp.Compare(a.customer, b.customer) })
	return all
}

// unlatched are the set's customers without latches.
func (s latchSet) unlatched() latchSet {
	all := slices.Clone(s)
	for i := range all {
		all[i] = held{customer: all[i].customer}
	}
	return all
}

// textsOf reads a set in the JSON form of a state or plan.
func textsOf(value any) latchTexts {
	object, _ := value.(map[string]any)
	elements, _ := object[latchesAttribute].(map[string]any)
	texts := latchTexts{}
	for key, element := range elements {
		attributes, _ := element.(map[string]any)
		id := func(name string) idText {
			switch value := attributes[name].(type) {
			case nil:
				return idText{mark: null}
			case string:
				return idText{mark: known, text: value}
			default:
				return idText{mark: unknown, text: fmt.Sprintf("%T", value)}
			}
		}
		texts[key] = latchText{mark: known, contact: id(contactAttribute), company: id(companyAttribute)}
	}
	return texts
}

// diffTexts returns how two sets differ, empty where they don't.
func diffTexts(want, got latchTexts) string {
	return gocmp.Diff(want, got, gocmp.AllowUnexported(latchText{}, idText{}))
}

// inStateAs checks the set "test" in state, to the letter.
func inStateAs(want latchTexts) []statecheck.StateCheck {
	return []statecheck.StateCheck{checkState(func(values map[string]any) error {
		if diff := diffTexts(want, textsOf(values)); diff != "" {
			return fmt.Errorf("state differs (- want, + got):\n%s", diff)
		}
		return nil
	})}
}

// checkState is a state check of the set "test" made of a function.
type checkState func(values map[string]any) error

func (f checkState) CheckState(_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	for _, r := range req.State.Values.RootModule.Resources {
		if r.Address == testSet {
			resp.Error = f(r.AttributeValues)
			return
		}
	}
	resp.Error = fmt.Errorf("%s isn't in state", testSet)
}

// plansSet checks what a plan does to the set "test": its action, and the map before and after it.
func plansSet(action plancheck.ResourceActionType, before, after latchTexts) []plancheck.PlanCheck {
	return []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(testSet, action),
		checkPlan(func(req plancheck.CheckPlanRequest) error {
			for _, rc := range req.Plan.ResourceChanges {
				if rc.Address != testSet {
					continue
				}
				if diff := diffTexts(before, textsOf(rc.Change.Before)); diff != "" {
					return fmt.Errorf("the plan starts from another set (- want, + got):\n%s", diff)
				}
				if diff := diffTexts(after, textsOf(rc.Change.After)); diff != "" {
					return fmt.Errorf("the plan ends with another set (- want, + got):\n%s", diff)
				}
			}
			return nil
		}),
	}
}

// setStep applies a configuration of the set "test" and says what must come of it.
type setStep struct {
	prepare       func()   // what happens before the plan
	config        string   // default: provider and after
	arguments     []string // of the default, besides latches
	action        plancheck.ResourceActionType
	before, after latchSet
	textsBefore   latchTexts // before, where it isn't written by numbers and nulls
	texts         latchTexts // after, likewise
	writes        latchSet   // the latch calls, in any order
	reads         int        // at most so many other calls; 0: 10, -1: none
}

func (a account) setStep(t *testing.T, s setStep) resource.TestStep {
	t.Helper()
	before, after := s.before.texts(), s.after.texts()
	if s.textsBefore != nil {
		before = s.textsBefore
	}
	if s.texts != nil {
		after = s.texts
	}
	return resource.TestStep{
		PreConfig: func() {
			if s.prepare != nil {
				s.prepare()
			}
			a.ResetCalls()
		},
		Config:            cmp.Or(s.config, a.with(s.after.block(s.arguments...))),
		ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: plansSet(s.action, before, after)},
		ConfigStateChecks: inStateAs(after),
		PostApplyFunc: func() {
			a.wroteSet(t, s.writes...)
			a.holds(t, s.after...)
			if reads, most := a.Count()-a.Writes(), max(cmp.Or(s.reads, 10), 0); reads > most {
				t.Errorf("%d reads, want at most %d: %v", reads, most, a.Calls())
			}
		},
	}
}

// createsSet is the step that most tests begin with.
func (a account) createsSet(t *testing.T, s latchSet, arguments ...string) resource.TestStep {
	t.Helper()
	return a.setStep(t, setStep{action: plancheck.ResourceActionCreate, after: s, arguments: arguments, writes: s})
}

// wroteSet fails the test unless these were the latch calls since the last reset, in any order, to the letter.
func (a account) wroteSet(t *testing.T, want ...held) {
	t.Helper()
	var got, wanted []string
	for _, r := range a.Requests() {
		if r.Route == fusebillsim.RouteLatch || r.Route == fusebillsim.RouteUnlatch {
			got = append(got, r.Body)
		}
	}
	for _, w := range want {
		wanted = append(wanted, fmt.Sprintf(`{"fusebillId":%d,"hubSpotId":%s,"hubSpotCompanyId":%s}`, w.customer, orNull(w.contact), orNull(w.company)))
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if diff := gocmp.Diff(wanted, got); diff != "" {
		t.Errorf("latch calls (- want, + got):\n%s", diff)
	}
}

// The cells of a CSV file are taken as they are: empty ones stand for none, and stay as empty as they were written.
func TestAccHubSpotLatches_fromCSV(t *testing.T) {
	after := latchSet{{11, 101, 202}, {22, 0, 203}, {33, 303, 0}}
	a := accountWith(t, after.unlatched()...)
	file := filepath.Join(t.TempDir(), "latches.csv")
	const csv = "fusebill_id,contact_id,company_id,name\n11,101,202,Stolen Bikes\n22,,203,Brown Coffee\n33,303,,Castillo Dental\n"
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	config := a.config(`resource "fusebill_hubspot_latches" "test" {
  latches = { for r in csvdecode(file(%q)) : r.fusebill_id => {
    hubspot_id         = r.contact_id
    hubspot_company_id = r.company_id
  } }
}`, file)
	empty := idText{mark: known}
	texts := after.texts()
	texts["22"] = latchText{known, empty, newIDText(203)}
	texts["33"] = latchText{known, newIDText(303), empty}
	run(t, a.setStep(t, setStep{config: config, action: plancheck.ResourceActionCreate, after: after, texts: texts, writes: after}))
	a.holds(t, after.unlatched()...) // plugin-testing destroyed what it made.
}

// Numbers, texts, nulls and empty texts may stand side by side, and each stays as it is.
func TestAccHubSpotLatches_formsOfIDs(t *testing.T) {
	after := latchSet{{11, 101, 0}, {22, 102, 0}, {33, 0, 203}}
	a := accountWith(t, after.unlatched()...)
	config := func(contact string) string {
		return a.config(`resource "fusebill_hubspot_latches" "test" {
  latches = {
    11   = { hubspot_id = %s, hubspot_company_id = null }
    "22" = { hubspot_id = "102", hubspot_company_id = "" }
    33   = { hubspot_id = null, hubspot_company_id = 203 }
  }
}`, contact)
	}
	texts := after.texts()
	texts["22"] = latchText{known, newIDText(102), idText{mark: known}}
	run(t,
		a.setStep(t, setStep{config: config("101"), action: plancheck.ResourceActionCreate, after: after, texts: texts, writes: after}),
		a.setStep(t, setStep{config: config(`"101"`), action: plancheck.ResourceActionNoop, textsBefore: texts, after: after, texts: texts}),
	)
}

func TestAccHubSpotLatches_changesAreOneWriteEach(t *testing.T) {
	before := numberedSet(200, 1000)
	var customers []held
	customers = append(customers, before.unlatched()...)
	a := accountWith(t, append(customers, held{201, 0, 0})...)
	steps := []resource.TestStep{
		a.createsSet(t, before),
		// Nothing changes: a page, in each of the processes.
		a.setStep(t, setStep{action: plancheck.ResourceActionNoop, before: before, after: before, reads: 4}),
	}
	for _, changed := range []held{
		{11, 9011, 0}, {12, 0, 9012}, {13, 1013, 9013}, // changed
		{201, 1201, 0}, // added
		{14, 0, 0},     // removed
		{14, 1014, 0},  // and back
	} {
		after := before.with(changed)
		steps = append(steps, a.setStep(t, setStep{
			action: plancheck.ResourceActionUpdate, before: before, after: after, writes: latchSet{changed},
		}))
		before = after
	}
	run(t, steps...)
}

// Whatever somebody else does to a latch, the next plan shows just that, and the apply heals it with a write for each.
func TestAccHubSpotLatches_driftIsShownAndHealed(t *testing.T) {
	declared := latchSet{{11, 101, 202}, {22, 102, 0}, {33, 0, 203}, {44, 104, 0}, {55, 105, 0}}
	a := accountWith(t, declared.unlatched()...)
	drift := func(changed ...held) resource.TestStep {
		var heals latchSet
		for _, c := range changed {
			at := slices.IndexFunc(declared, func(h held) bool { return h.customer == c.customer })
			heals = append(heals, declared[at])
		}
		return a.setStep(t, setStep{
			prepare: func() {
				for _, c := range changed {
					a.SetLatch(c.customer, c.contact, c.company)
				}
			},
			action: plancheck.ResourceActionUpdate, before: declared.with(changed...), after: declared, writes: heals,
		})
	}
	swapped := drift(held{11, 102, 202}, held{22, 101, 0})
	swapped.PostApplyFunc = func() { // One of them first gives up what the other one is to have.
		a.wroteSet(t, held{11, 0, 202}, held{22, 102, 0}, held{11, 101, 202})
		a.holds(t, declared...)
	}
	run(t, a.createsSet(t, declared), swapped,
		drift(held{11, 999, 202}),                 // contact changed
		drift(held{22, 102, 888}),                 // company added
		drift(held{11, 101, 0}),                   // company removed
		drift(held{33, 0, 0}),                     // unlatched
		drift(held{11, 202, 101}, held{44, 0, 0}), // both sides swapped, and another one unlatched
		drift(held{22, 105, 0}, held{55, 0, 0}),   // one's contact went to the other
		drift(held{11, 0, 0}, held{22, 0, 0}, held{33, 0, 0}, held{44, 0, 0}, held{55, 0, 0}),
	)
}

// A customer that was deleted leaves the set. Declared still, it is refused as one that doesn't exist.
func TestAccHubSpotLatches_deletedCustomer(t *testing.T) {
	declared := latchSet{{11, 101, 0}, {22, 102, 0}}
	a := accountWith(t, declared.unlatched()...)
	left := declared.with(held{22, 0, 0})
	run(t, a.createsSet(t, declared),
		resource.TestStep{
			PreConfig:   func() { a.DeleteCustomer(22); a.ResetCalls() },
			Config:      a.with(declared.block()),
			ExpectError: diagnosis("Customer not found in Fusebill", "", "Could not plan the HubSpot latch of customer 22 (contact 102)"),
		},
		a.setStep(t, setStep{action: plancheck.ResourceActionNoop, before: left, after: left}),
	)
}

func TestAccHubSpotLatches_idsKeepEveryDigit(t *testing.T) {
	const big = 9007199254740993 // 2^53 + 1, which no float has
	declared := latchSet{{big, big + 2, big + 4}, {9223372036854775807, 9223372036854775806, 0}}
	a := accountWith(t, declared.unlatched()...)
	run(t, a.createsSet(t, declared),
		a.setStep(t, setStep{
			prepare: func() { a.SetLatch(big, big+6, big+4) },
			action:  plancheck.ResourceActionUpdate, before: declared.with(held{big, big + 6, big + 4}), after: declared, writes: declared[:1],
		}))
}

// Values that come from something that isn't applied yet are checked and applied once they are known.
func TestAccHubSpotLatches_unknownAtPlan(t *testing.T) {
	t.Parallel()
	after := latchSet{{11, 101, 202}, {22, 102, 0}}
	for name, latches := range map[string]string{
		"an ID": `{ "11" = { hubspot_id = terraform_data.later.output, hubspot_company_id = 202 }, "22" = { hubspot_id = 102, hubspot_company_id = null } }`,
		"an element": `{
    "11" = jsondecode(terraform_data.later.output == "" ? "" : "{\"hubspot_id\":\"101\",\"hubspot_company_id\":\"202\"}")
    "22" = { hubspot_id = "102", hubspot_company_id = null }
  }`,
		"the map": `{ for id in ["11", "22"] : "${id}${terraform_data.later.output == "" ? "" : ""}" => id == "11" ?
    { hubspot_id = "101", hubspot_company_id = "202" } : { hubspot_id = "102", hubspot_company_id = null } }`,
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, after.unlatched()...)
			run(t, resource.TestStep{
				Config: a.with(block(`resource "terraform_data" "later"`, `input = "101"`),
					block(`resource "fusebill_hubspot_latches" "test"`, "latches = "+latches)),
				ConfigStateChecks: inStateAs(after.texts()),
				PostApplyFunc:     func() { a.wroteSet(t, after...) },
			})
		})
	}
}

// What turns out wrong only when it is known is refused then, with nothing written.
func TestAccHubSpotLatches_unknownThatTurnsOutWrong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		later   string
		summary string
		part    string
	}{
		"no ID":           {"oops", "Invalid HubSpot latch", `Customer 11: hubspot_id must be a whole number of 1 or more, without leading zeros or white space, not "oops".`},
		"another one's":   {"102", "HubSpot contact or company is declared twice", "HubSpot contact 102 is declared for customer 11 and for customer 22."},
		"held by another": {"999", "HubSpot contact is latched to another customer", "contact 999 is latched to customer 33"},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0}, held{22, 0, 0}, held{33, 999, 0})
			run(t, refused(a.with(block(`resource "terraform_data" "later"`, fmt.Sprintf("input = %q", test.later)),
				block(`resource "fusebill_hubspot_latches" "test"`,
					`latches = { "11" = { hubspot_id = terraform_data.later.output, hubspot_company_id = null }, "22" = { hubspot_id = 102, hubspot_company_id = null } }`)),
				diagnosis(test.summary, "", test.part)))
			a.holds(t, held{11, 0, 0}, held{33, 999, 0})
		})
	}
}

// Customers that are latched already, exactly as declared, are taken over without a write.
func TestAccHubSpotLatches_takesOverWhatIsThere(t *testing.T) {
	declared := latchSet{{11, 101, 202}, {22, 102, 0}, {33, 103, 0}}
	a := accountWith(t, held{11, 101, 202}, held{22, 0, 0}, held{33, 103, 0})
	run(t, a.setStep(t, setStep{action: plancheck.ResourceActionCreate, after: declared, writes: declared[1:2]}))
}

// With permission, contacts are taken from customers outside the set, which keep what else they have, and customers that are
// latched otherwise are latched anew.
func TestAccHubSpotLatches_allowReassociation(t *testing.T) {
	declared := latchSet{{11, 101, 0}, {22, 102, 0}}
	a := accountWith(t, held{11, 0, 0}, held{22, 999, 888}, held{33, 101, 203})
	run(t, a.setStep(t, setStep{
		action: plancheck.ResourceActionCreate, after: declared, arguments: []string{"allow_reassociation = true"},
		writes: append(slices.Clone(declared), held{33, 0, 203}),
	}))
	a.holds(t, held{33, 0, 203})
}

// Chains, swaps and rings of one apply settle without permission, with one write more for each ring, and without a refusal.
func TestAccHubSpotLatches_moves(t *testing.T) {
	const n = 300
	before := numberedSet(n, 1000)
	perm := rand.New(rand.NewPCG(7, 0)).Perm(n)
	permuted := slices.Clone(before)
	moved := 0
	rings, seen := 0, make([]bool, n)
	for i := range permuted {
		permuted[i].contact = before[perm[i]].contact
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
	a := accountWith(t, append(before.unlatched(), held{n + 1, 0, 0})...)
	chain := before.with(held{1, 1002, 0}, held{2, 1003, 0}, held{3, 0, 0}, held{n + 1, 1001, 0})
	step := func(from, to latchSet, writes int) resource.TestStep {
		s := a.setStep(t, setStep{action: plancheck.ResourceActionUpdate, before: from, after: to, reads: 20})
		s.PostApplyFunc = func() {
			if got := a.Writes(); got != writes {
				t.Errorf("%d writes, want %d", got, writes)
			}
			a.holds(t, to...)
			for _, r := range a.Requests() {
				if r.Status == http.StatusConflict {
					t.Errorf("refused: %s", r.Body)
				}
			}
		}
		return s
	}
	ring := before.with(held{1, 1002, 0}, held{2, 1003, 0}, held{3, 1001, 0})
	run(t, a.createsSet(t, before),
		step(before, chain, 4),
		step(chain, before, 4), // back again
		step(before, ring, 3+1),
		step(ring, before, 3+1),
		step(before, permuted, moved+rings),
	)
}

// An exclusive set shows what else the account has latched, and removes it.
func TestAccHubSpotLatches_exclusive(t *testing.T) {
	const exclusive = "exclusive = true"
	declared := latchSet{{11, 101, 0}, {22, 102, 0}}
	var others latchSet
	customers := declared.unlatched()
	for id := range int64(11) {
		others = append(others, held{100 + id, 1100 + id, 0})
		customers = append(customers, held{100 + id, 0, 0})
	}
	a := accountWith(t, customers...)
	latchOthers := func(n int) func() {
		return func() {
			for _, h := range others[:n] {
				a.SetLatch(h.customer, h.contact, h.company)
			}
		}
	}
	run(t, a.createsSet(t, declared, exclusive),
		a.setStep(t, setStep{
			prepare: latchOthers(10), arguments: []string{exclusive},
			action: plancheck.ResourceActionUpdate, before: append(slices.Clone(declared), others[:10]...), after: declared,
			writes: others[:10].unlatched(), reads: 20,
		}),
		resource.TestStep{
			PreConfig: func() { latchOthers(11)(); a.ResetCalls() },
			Config:    a.with(declared.block(exclusive)),
			ExpectError: diagnosis("Too many HubSpot latches would be removed", "", "This plan would remove more latches (11) than max_removals allows (10)",
				"customers 100, 101, 102,", "set max_removals to 11 or more for this apply."),
		},
		a.setStep(t, setStep{
			prepare: func() { a.wroteSet(t); latchOthers(11)() }, arguments: []string{exclusive, "max_removals = 11"},
			action: plancheck.ResourceActionUpdate, before: append(slices.Clone(declared), others...), after: declared,
			writes: others.unlatched(), reads: 20,
		}),
		// Not exclusive any more, the set leaves alone what it doesn't list, however it came into the state.
		a.setStep(t, setStep{
			prepare: latchOthers(11),
			action:  plancheck.ResourceActionUpdate, before: append(slices.Clone(declared), others...), after: declared,
		}),
	)
	a.holds(t, others...)
}

// max_removals guards any set against a file that was cut off.
func TestAccHubSpotLatches_maxRemovals(t *testing.T) {
	declared := numberedSet(20, 100)
	a := accountWith(t, declared.unlatched()...)
	run(t, a.createsSet(t, declared, "max_removals = 3"),
		refused(a.with(declared[:16].block("max_removals = 3")), diagnosis("Too many HubSpot latches would be removed", "max_removals = 3",
			"more latches (4) than max_removals allows (3)", "17, 18, 19, 20.", "Look for what is missing from latches.")),
		a.setStep(t, setStep{
			action: plancheck.ResourceActionUpdate, before: declared, after: declared[:17], arguments: []string{"max_removals = 3"},
			writes: declared[17:].unlatched(),
		}),
		a.setStep(t, setStep{
			action: plancheck.ResourceActionUpdate, before: declared[:17], after: declared[:1], writes: declared[1:17].unlatched(),
		}))
}

// A set may be empty: that is no error, and costs no call.
func TestAccHubSpotLatches_empty(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	run(t,
		a.setStep(t, setStep{action: plancheck.ResourceActionCreate, after: latchSet{}, texts: latchTexts{}, reads: -1}),
		a.setStep(t, setStep{action: plancheck.ResourceActionUpdate, after: latchSet{{11, 101, 0}}, writes: latchSet{{11, 101, 0}}}),
		a.setStep(t, setStep{
			config: a.with(latchSet{}.block()), action: plancheck.ResourceActionUpdate, before: latchSet{{11, 101, 0}},
			after: latchSet{}, texts: latchTexts{}, writes: latchSet{{11, 0, 0}},
		}))
}

// The plan that people read shows the customers that change, and none besides.
func TestAccCLILatches_planShowsWhatChanges(t *testing.T) {
	t.Parallel()
	declared := numberedSet(50, 1000)
	a := accountWith(t, declared.unlatched()...)
	c := newCLI(t, a)
	c.declare(declared.block())
	c.apply()
	prints(t, c.planIs(false), "No changes.")
	a.SetLatch(33, 9999, 0)
	c.declare(declared.with(held{7, 1007, 2007}, held{44, 0, 0}).block())
	plan := c.planIs(true)
	prints(t, plan, "(47 unchanged elements hidden)", `"33" = {`, `"9999" -> "1033"`, `"7" = {`, `"2007"`,
		`- "44" = {`, `- hubspot_id = "1044"`)
	for id := range 50 {
		if at := fmt.Sprintf(`"%d" = {`, id+1); !slices.Contains([]int{7, 33, 44}, id+1) && strings.Contains(plan, at) {
			t.Errorf("the plan shows customer %d:\n%s", id+1, plan)
		}
	}
}

// latches returns the set "test" in state.
func (c *cli) latches() latchTexts {
	c.t.Helper()
	var shown struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Address string
					Values  map[string]any
				}
			} `json:"root_module"`
		}
	}
	text := c.run(0, "show", "-json")
	if err := json.Unmarshal([]byte(text), &shown); err != nil {
		c.t.Fatalf("show -json: %v\n%s", err, text)
	}
	for _, r := range shown.Values.RootModule.Resources {
		if r.Address == testSet {
			return textsOf(r.Values)
		}
	}
	return nil
}

// showsSet fails the test unless state holds this set.
func (c *cli) showsSet(want latchSet) {
	c.t.Helper()
	if diff := diffTexts(want.texts(), c.latches()); diff != "" {
		c.t.Errorf("state differs (- want, + got):\n%s", diff)
	}
}

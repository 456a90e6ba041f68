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

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The promises tested here: a set is what the account has, with one call for each customer that changes and none for the
// rest; a plan shows what changes by customer, whatever changed it; values stay as they are written; moves within a set need
// no permission and one call more for each ring; an exclusive set owns the account, within max_removals.
//
// Elsewhere: what is refused, failures and interruptions, and import in the files of those names.

// texts is the set as state and plans hold it, where it was written by numbers and nulls.
func textsOfSet(s acctest.LatchSet) latchTexts {
	texts := latchTexts{}
	for _, h := range s {
		texts[fmt.Sprint(h.ID)] = latchText{mark: known, contact: newIDText(h.Contact), company: newIDText(h.Company)}
	}
	return texts
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
		if r.Address == acctest.SetAddress {
			resp.Error = f(r.AttributeValues)
			return
		}
	}
	resp.Error = fmt.Errorf("%s isn't in state", acctest.SetAddress)
}

// plansSet checks what a plan does to the set "test": its action, and the map before and after it.
func plansSet(action plancheck.ResourceActionType, before, after latchTexts) []plancheck.PlanCheck {
	return []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(acctest.SetAddress, action),
		acctest.CheckPlan(func(req plancheck.CheckPlanRequest) error {
			for _, rc := range req.Plan.ResourceChanges {
				if rc.Address != acctest.SetAddress {
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
	before, after acctest.LatchSet
	textsBefore   latchTexts       // before, where it isn't written by numbers and nulls
	texts         latchTexts       // after, likewise
	writes        acctest.LatchSet // the latch calls, in any order
	reads         int              // at most so many other calls; 0: 10, -1: none
}

func stepOfSet(t *testing.T, a acctest.Account, s setStep) resource.TestStep {
	t.Helper()
	before, after := textsOfSet(s.before), textsOfSet(s.after)
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
		Config:            cmp.Or(s.config, a.With(s.after.Block(s.arguments...))),
		ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: plansSet(s.action, before, after)},
		ConfigStateChecks: inStateAs(after),
		PostApplyFunc: func() {
			a.WroteSet(t, s.writes...)
			a.Holds(t, s.after...)
			if reads, most := a.Count()-a.Writes(), max(cmp.Or(s.reads, 10), 0); reads > most {
				t.Errorf("%d reads, want at most %d: %v", reads, most, a.Calls())
			}
		},
	}
}

// createsSet is the step that most tests begin with.
func createsSet(t *testing.T, a acctest.Account, s acctest.LatchSet, arguments ...string) resource.TestStep {
	t.Helper()
	return stepOfSet(t, a, setStep{action: plancheck.ResourceActionCreate, after: s, arguments: arguments, writes: s})
}

// The cells of a CSV file are taken as they are: empty ones stand for none, and stay as empty as they were written.
func TestAccHubSpotLatches_fromCSV(t *testing.T) {
	after := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Company: 203}, {ID: 33, Contact: 303}}
	a := acctest.AccountWith(t, after.Unlatched()...)
	file := filepath.Join(t.TempDir(), "latches.csv")
	const csv = "fusebill_id,contact_id,company_id,name\n11,101,202,Stolen Bikes\n22,,203,Brown Coffee\n33,303,,Castillo Dental\n"
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	config := a.Config(`resource "fusebill_hubspot_latches" "test" {
  latches = { for r in csvdecode(file(%q)) : r.fusebill_id => {
    hubspot_id         = r.contact_id
    hubspot_company_id = r.company_id
  } }
}`, file)
	empty := idText{mark: known}
	texts := textsOfSet(after)
	texts["22"] = latchText{known, empty, newIDText(203)}
	texts["33"] = latchText{known, newIDText(303), empty}
	acctest.Run(t, stepOfSet(t, a, setStep{config: config, action: plancheck.ResourceActionCreate, after: after, texts: texts, writes: after}))
	a.Holds(t, after.Unlatched()...) // plugin-testing destroyed what it made.
}

// Numbers, texts, nulls and empty texts may stand side by side, and each stays as it is.
func TestAccHubSpotLatches_formsOfIDs(t *testing.T) {
	after := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}, {ID: 33, Company: 203}}
	a := acctest.AccountWith(t, after.Unlatched()...)
	config := func(contact string) string {
		return a.Config(`resource "fusebill_hubspot_latches" "test" {
  latches = {
    11   = { hubspot_id = %s, hubspot_company_id = null }
    "22" = { hubspot_id = "102", hubspot_company_id = "" }
    33   = { hubspot_id = null, hubspot_company_id = 203 }
  }
}`, contact)
	}
	texts := textsOfSet(after)
	texts["22"] = latchText{known, newIDText(102), idText{mark: known}}
	acctest.Run(t,
		stepOfSet(t, a, setStep{config: config("101"), action: plancheck.ResourceActionCreate, after: after, texts: texts, writes: after}),
		stepOfSet(t, a, setStep{config: config(`"101"`), action: plancheck.ResourceActionNoop, textsBefore: texts, after: after, texts: texts}),
	)
}

func TestAccHubSpotLatches_changesAreOneWriteEach(t *testing.T) {
	before := acctest.NumberedSet(200, 1000)
	var customers []acctest.Customer
	customers = append(customers, before.Unlatched()...)
	a := acctest.AccountWith(t, append(customers, acctest.Customer{ID: 201})...)
	steps := []resource.TestStep{
		createsSet(t, a, before),
		// Nothing changes: a page, in each of the processes.
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionNoop, before: before, after: before, reads: 4}),
	}
	for _, changed := range []acctest.Customer{
		{ID: 11, Contact: 9011}, {ID: 12, Company: 9012}, {ID: 13, Contact: 1013, Company: 9013}, // changed
		{ID: 201, Contact: 1201}, // added
		{ID: 14},                 // removed
		{ID: 14, Contact: 1014},  // and back
	} {
		after := before.With(changed)
		steps = append(steps, stepOfSet(t, a, setStep{
			action: plancheck.ResourceActionUpdate, before: before, after: after, writes: acctest.LatchSet{changed},
		}))
		before = after
	}
	acctest.Run(t, steps...)
}

// Whatever somebody else does to a latch, the next plan shows just that, and the apply heals it with a write for each.
func TestAccHubSpotLatches_driftIsShownAndHealed(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}, {ID: 33, Company: 203}, {ID: 44, Contact: 104}, {ID: 55, Contact: 105}}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	drift := func(changed ...acctest.Customer) resource.TestStep {
		var heals acctest.LatchSet
		for _, c := range changed {
			at := slices.IndexFunc(declared, func(h acctest.Customer) bool { return h.ID == c.ID })
			heals = append(heals, declared[at])
		}
		return stepOfSet(t, a, setStep{
			prepare: func() {
				for _, c := range changed {
					a.SetLatch(c.ID, c.Contact, c.Company)
				}
			},
			action: plancheck.ResourceActionUpdate, before: declared.With(changed...), after: declared, writes: heals,
		})
	}
	swapped := drift(acctest.Customer{ID: 11, Contact: 102, Company: 202}, acctest.Customer{ID: 22, Contact: 101})
	swapped.PostApplyFunc = func() { // One of them first gives up what the other one is to have.
		a.WroteSet(t, acctest.Customer{ID: 11, Company: 202}, acctest.Customer{ID: 22, Contact: 102}, acctest.Customer{ID: 11, Contact: 101, Company: 202})
		a.Holds(t, declared...)
	}
	acctest.Run(t, createsSet(t, a, declared), swapped,
		drift(acctest.Customer{ID: 11, Contact: 999, Company: 202}),                           // contact changed
		drift(acctest.Customer{ID: 22, Contact: 102, Company: 888}),                           // company added
		drift(acctest.Customer{ID: 11, Contact: 101}),                                         // company removed
		drift(acctest.Customer{ID: 33}),                                                       // unlatched
		drift(acctest.Customer{ID: 11, Contact: 202, Company: 101}, acctest.Customer{ID: 44}), // both sides swapped, and another one unlatched
		drift(acctest.Customer{ID: 22, Contact: 105}, acctest.Customer{ID: 55}),               // one's contact went to the other
		drift(acctest.Customer{ID: 11}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33}, acctest.Customer{ID: 44}, acctest.Customer{ID: 55}),
	)
}

// A customer that was deleted leaves the set. Declared still, it is refused as one that doesn't exist.
func TestAccHubSpotLatches_deletedCustomer(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	left := declared.With(acctest.Customer{ID: 22})
	acctest.Run(t, createsSet(t, a, declared),
		resource.TestStep{
			PreConfig:   func() { a.DeleteCustomer(22); a.ResetCalls() },
			Config:      a.With(declared.Block()),
			ExpectError: acctest.Diagnosis("Customer not found in Fusebill", "", "Could not plan the HubSpot latch of customer 22 (contact 102)"),
		},
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionNoop, before: left, after: left}),
	)
}

func TestAccHubSpotLatches_idsKeepEveryDigit(t *testing.T) {
	const big = 9007199254740993 // 2^53 + 1, which no float has
	declared := acctest.LatchSet{{ID: big, Contact: big + 2, Company: big + 4}, {ID: 9223372036854775807, Contact: 9223372036854775806}}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	acctest.Run(t, createsSet(t, a, declared),
		stepOfSet(t, a, setStep{
			prepare: func() { a.SetLatch(big, big+6, big+4) },
			action:  plancheck.ResourceActionUpdate, before: declared.With(acctest.Customer{ID: big, Contact: big + 6, Company: big + 4}), after: declared, writes: declared[:1],
		}))
}

// Values that come from something that isn't applied yet are checked and applied once they are known.
func TestAccHubSpotLatches_unknownAtPlan(t *testing.T) {
	t.Parallel()
	after := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}}
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
			a := acctest.AccountWith(t, after.Unlatched()...)
			acctest.Run(t, resource.TestStep{
				Config: a.With(acctest.Block(`resource "terraform_data" "later"`, `input = "101"`),
					acctest.Block(`resource "fusebill_hubspot_latches" "test"`, "latches = "+latches)),
				ConfigStateChecks: inStateAs(textsOfSet(after)),
				PostApplyFunc:     func() { a.WroteSet(t, after...) },
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
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33, Contact: 999})
			acctest.Run(t, acctest.Refused(a.With(acctest.Block(`resource "terraform_data" "later"`, fmt.Sprintf("input = %q", test.later)),
				acctest.Block(`resource "fusebill_hubspot_latches" "test"`,
					`latches = { "11" = { hubspot_id = terraform_data.later.output, hubspot_company_id = null }, "22" = { hubspot_id = 102, hubspot_company_id = null } }`)),
				acctest.Diagnosis(test.summary, "", test.part)))
			a.Holds(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 33, Contact: 999})
		})
	}
}

// Customers that are latched already, exactly as declared, are taken over without a write.
func TestAccHubSpotLatches_takesOverWhatIsThere(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101, Company: 202}, {ID: 22, Contact: 102}, {ID: 33, Contact: 103}}
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101, Company: 202}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33, Contact: 103})
	acctest.Run(t, stepOfSet(t, a, setStep{action: plancheck.ResourceActionCreate, after: declared, writes: declared[1:2]}))
}

// With permission, contacts are taken from customers outside the set, which keep what else they have, and customers that are
// latched otherwise are latched anew.
func TestAccHubSpotLatches_allowReassociation(t *testing.T) {
	declared := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22, Contact: 999, Company: 888}, acctest.Customer{ID: 33, Contact: 101, Company: 203})
	acctest.Run(t, stepOfSet(t, a, setStep{
		action: plancheck.ResourceActionCreate, after: declared, arguments: []string{"allow_reassociation = true"},
		writes: append(slices.Clone(declared), acctest.Customer{ID: 33, Company: 203}),
	}))
	a.Holds(t, acctest.Customer{ID: 33, Company: 203})
}

// Chains, swaps and rings of one apply settle without permission, with one write more for each ring, and without a refusal.
func TestAccHubSpotLatches_moves(t *testing.T) {
	const n = 300
	before := acctest.NumberedSet(n, 1000)
	perm := rand.New(rand.NewPCG(7, 0)).Perm(n)
	permuted := slices.Clone(before)
	moved := 0
	rings, seen := 0, make([]bool, n)
	for i := range permuted {
		permuted[i].Contact = before[perm[i]].Contact
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
	a := acctest.AccountWith(t, append(before.Unlatched(), acctest.Customer{ID: n + 1})...)
	chain := before.With(acctest.Customer{ID: 1, Contact: 1002}, acctest.Customer{ID: 2, Contact: 1003}, acctest.Customer{ID: 3}, acctest.Customer{ID: n + 1, Contact: 1001})
	step := func(from, to acctest.LatchSet, writes int) resource.TestStep {
		s := stepOfSet(t, a, setStep{action: plancheck.ResourceActionUpdate, before: from, after: to, reads: 20})
		s.PostApplyFunc = func() {
			if got := a.Writes(); got != writes {
				t.Errorf("%d writes, want %d", got, writes)
			}
			a.Holds(t, to...)
			for _, r := range a.Requests() {
				if r.Status == http.StatusConflict {
					t.Errorf("refused: %s", r.Body)
				}
			}
		}
		return s
	}
	ring := before.With(acctest.Customer{ID: 1, Contact: 1002}, acctest.Customer{ID: 2, Contact: 1003}, acctest.Customer{ID: 3, Contact: 1001})
	acctest.Run(t, createsSet(t, a, before),
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
	declared := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}
	var others acctest.LatchSet
	customers := declared.Unlatched()
	for id := range int64(11) {
		others = append(others, acctest.Customer{ID: 100 + id, Contact: 1100 + id})
		customers = append(customers, acctest.Customer{ID: 100 + id})
	}
	a := acctest.AccountWith(t, customers...)
	latchOthers := func(n int) func() {
		return func() {
			for _, h := range others[:n] {
				a.SetLatch(h.ID, h.Contact, h.Company)
			}
		}
	}
	acctest.Run(t, createsSet(t, a, declared, exclusive),
		stepOfSet(t, a, setStep{
			prepare: latchOthers(10), arguments: []string{exclusive},
			action: plancheck.ResourceActionUpdate, before: append(slices.Clone(declared), others[:10]...), after: declared,
			writes: others[:10].Unlatched(), reads: 20,
		}),
		resource.TestStep{
			PreConfig: func() { latchOthers(11)(); a.ResetCalls() },
			Config:    a.With(declared.Block(exclusive)),
			ExpectError: acctest.Diagnosis("Too many HubSpot latches would be removed", "", "This plan would remove more latches (11) than max_removals allows (10)",
				"customers 100, 101, 102,", "set max_removals to 11 or more for this apply."),
		},
		stepOfSet(t, a, setStep{
			prepare: func() { a.WroteSet(t); latchOthers(11)() }, arguments: []string{exclusive, "max_removals = 11"},
			action: plancheck.ResourceActionUpdate, before: append(slices.Clone(declared), others...), after: declared,
			writes: others.Unlatched(), reads: 20,
		}),
		// Not exclusive any more, the set leaves alone what it doesn't list, however it came into the state.
		stepOfSet(t, a, setStep{
			prepare: latchOthers(11),
			action:  plancheck.ResourceActionUpdate, before: append(slices.Clone(declared), others...), after: declared,
		}),
	)
	a.Holds(t, others...)
}

// max_removals guards any set against a file that was cut off.
func TestAccHubSpotLatches_maxRemovals(t *testing.T) {
	declared := acctest.NumberedSet(20, 100)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	acctest.Run(t, createsSet(t, a, declared, "max_removals = 3"),
		acctest.Refused(a.With(declared[:16].Block("max_removals = 3")), acctest.Diagnosis("Too many HubSpot latches would be removed", "max_removals = 3",
			"more latches (4) than max_removals allows (3)", "17, 18, 19, 20.", "Look for what is missing from latches.")),
		stepOfSet(t, a, setStep{
			action: plancheck.ResourceActionUpdate, before: declared, after: declared[:17], arguments: []string{"max_removals = 3"},
			writes: declared[17:].Unlatched(),
		}),
		stepOfSet(t, a, setStep{
			action: plancheck.ResourceActionUpdate, before: declared[:17], after: declared[:1], writes: declared[1:17].Unlatched(),
		}))
}

// A set may be empty: that is no error, and costs no call.
func TestAccHubSpotLatches_empty(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	acctest.Run(t,
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionCreate, after: acctest.LatchSet{}, texts: latchTexts{}, reads: -1}),
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionUpdate, after: acctest.LatchSet{{ID: 11, Contact: 101}}, writes: acctest.LatchSet{{ID: 11, Contact: 101}}}),
		stepOfSet(t, a, setStep{
			config: a.With(acctest.LatchSet{}.Block()), action: plancheck.ResourceActionUpdate, before: acctest.LatchSet{{ID: 11, Contact: 101}},
			after: acctest.LatchSet{}, texts: latchTexts{}, writes: acctest.LatchSet{{ID: 11}},
		}))
}

// The plan that people read shows the customers that change, and none besides.
func TestAccCLILatches_planShowsWhatChanges(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(50, 1000)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	c.Apply()
	acctest.Prints(t, c.PlanIs(false), "No changes.")
	a.SetLatch(33, 9999, 0)
	c.Declare(declared.With(acctest.Customer{ID: 7, Contact: 1007, Company: 2007}, acctest.Customer{ID: 44}).Block())
	plan := c.PlanIs(true)
	acctest.Prints(t, plan, "(47 unchanged elements hidden)", `"33" = {`, `"9999" -> "1033"`, `"7" = {`, `"2007"`,
		`- "44" = {`, `- hubspot_id = "1044"`)
	for id := range 50 {
		if at := fmt.Sprintf(`"%d" = {`, id+1); !slices.Contains([]int{7, 33, 44}, id+1) && strings.Contains(plan, at) {
			t.Errorf("the plan shows customer %d:\n%s", id+1, plan)
		}
	}
}

// latches returns the set "test" in state.
func setInState(c *acctest.Workspace) latchTexts {
	c.T.Helper()
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
	text := c.Run(0, "show", "-json")
	if err := json.Unmarshal([]byte(text), &shown); err != nil {
		c.T.Fatalf("show -json: %v\n%s", err, text)
	}
	for _, r := range shown.Values.RootModule.Resources {
		if r.Address == acctest.SetAddress {
			return textsOf(r.Values)
		}
	}
	return nil
}

// showsSet fails the test unless state holds this set.
func showsSet(c *acctest.Workspace, want acctest.LatchSet) {
	c.T.Helper()
	if diff := diffTexts(textsOfSet(want), setInState(c)); diff != "" {
		c.T.Errorf("state differs (- want, + got):\n%s", diff)
	}
}

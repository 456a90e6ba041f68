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

// setTexts are the elements of a set's two maps as state and plans have them, such as "hubspot_ids[11]".
type setTexts map[string]string

// textsOfSet are the elements of a set that is written without empty values.
func textsOfSet(s acctest.LatchSet) setTexts {
	texts := setTexts{}
	for _, h := range s {
		if h.Contact != 0 {
			texts[fmt.Sprintf("hubspot_ids[%d]", h.ID)] = fmt.Sprint(h.Contact)
		}
		if h.Company != 0 {
			texts[fmt.Sprintf("hubspot_company_ids[%d]", h.ID)] = fmt.Sprint(h.Company)
		}
	}
	return texts
}

// textsOf reads a set in the JSON form of a state or plan.
func textsOf(value any) setTexts {
	object, _ := value.(map[string]any)
	texts := setTexts{}
	for _, name := range []string{contactsAttribute, companiesAttribute} {
		elements, _ := object[name].(map[string]any)
		for key, element := range elements {
			switch element := element.(type) {
			case nil:
				texts[fmt.Sprintf("%s[%s]", name, key)] = "null"
			case string:
				texts[fmt.Sprintf("%s[%s]", name, key)] = element
			default:
				texts[fmt.Sprintf("%s[%s]", name, key)] = fmt.Sprintf("%T", element)
			}
		}
	}
	return texts
}

// diffTexts returns how two sets differ, empty where they do not.
func diffTexts(want, got setTexts) string { return gocmp.Diff(want, got) }

// inStateAs checks the set "test" in state, to the letter.
func inStateAs(want setTexts) []statecheck.StateCheck {
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
func plansSet(action plancheck.ResourceActionType, before, after setTexts) []plancheck.PlanCheck {
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
	textsBefore   setTexts         // before, where it isn't written by numbers and nulls
	texts         setTexts         // after, likewise
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
			if reads, most := a.Count()-a.Writes(), max(cmp.Or(s.reads, 12), 0); reads > most {
				t.Errorf("%d reads, want at most %d: %v", reads, most, a.Calls())
			}
		},
	}
}

// createsSet is the step that most tests begin with.
func createsSet(t *testing.T, a acctest.Account, s acctest.LatchSet) resource.TestStep {
	t.Helper()
	return stepOfSet(t, a, setStep{action: plancheck.ResourceActionCreate, after: s, writes: s})
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
  hubspot_ids         = { for r in csvdecode(file(%[1]q)) : r.fusebill_id => r.contact_id }
  hubspot_company_ids = { for r in csvdecode(file(%[1]q)) : r.fusebill_id => r.company_id }
}`, file)
	texts := textsOfSet(after)
	texts["hubspot_ids[22]"], texts["hubspot_company_ids[33]"] = "", ""
	acctest.Run(t, stepOfSet(t, a, setStep{config: config, action: plancheck.ResourceActionCreate, after: after, texts: texts, writes: after}))
	a.Holds(t, after.Unlatched()...) // plugin-testing destroyed what it made.
}

// Numbers, texts, nulls and empty texts may stand side by side, and each stays as it is.
func TestAccHubSpotLatches_formsOfIDs(t *testing.T) {
	after := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}, {ID: 33, Company: 203}}
	a := acctest.AccountWith(t, after.Unlatched()...)
	config := func(contact string) string {
		return a.Config(`resource "fusebill_hubspot_latches" "test" {
  hubspot_ids = {
    11   = %s
    "22" = "102"
    33   = null
  }
  hubspot_company_ids = {
    22 = ""
    33 = 203
  }
}`, contact)
	}
	texts := textsOfSet(after)
	texts["hubspot_ids[33]"], texts["hubspot_company_ids[22]"] = "null", ""
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

// A customer that was deleted leaves the state. While it is declared, the plan warns, and the apply makes the other
// changes and ends with an error for it.
func TestAccCLILatches_deletedCustomer(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}, {ID: 33, Contact: 103}}
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	c.Apply()
	a.DeleteCustomer(22)
	declared = declared.With(acctest.Customer{ID: 33, Contact: 109})
	c.Declare(declared.Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: Customer not found in Fusebill",
		"Could not plan the HubSpot latch of customer 22 to contact 102", "Where the customer was deleted, remove it from the set.")
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), "Error: Customer not found in Fusebill",
		"Could not update the HubSpot latch of customer 22 to contact 102")
	left := declared.With(acctest.Customer{ID: 22})
	showsSet(c, left)
	a.Holds(t, left...)
	c.Declare(left.Block())
	c.PlanIs(false)
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
	for name, maps := range map[string][2]string{
		"an ID":          {`{ "11" = terraform_data.later.output, "22" = 102 }`, `{ "11" = 202 }`},
		"the other half": {`{ "11" = 101, "22" = 102 }`, `{ "11" = terraform_data.later.output + 101 }`},
		"the maps": {
			`{ for id in ["11", "22"] : "${id}${terraform_data.later.output == "" ? "" : ""}" => id == "11" ? 101 : 102 }`,
			`{ for id in ["11"] : "${id}${terraform_data.later.output == "" ? "" : ""}" => 202 }`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, after.Unlatched()...)
			acctest.Run(t, resource.TestStep{
				Config: a.With(acctest.Block(`resource "terraform_data" "later"`, `input = "101"`),
					acctest.Block(`resource "fusebill_hubspot_latches" "test"`, "hubspot_ids = "+maps[0], "hubspot_company_ids = "+maps[1])),
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
		"no ID":           {"oops", "Invalid HubSpot latch", `The value of hubspot_ids["11"] must be the ID of a HubSpot contact. "oops" is not the ID of a`},
		"another one's":   {"102", "HubSpot contact or company is declared twice", "HubSpot contact 102 is declared for customer 11 and for customer 22."},
		"held by another": {"999", "HubSpot contact is latched to another customer", "contact 999 is latched to customer 33"},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22}, acctest.Customer{ID: 33, Contact: 999})
			acctest.Run(t, acctest.Refused(a.With(acctest.Block(`resource "terraform_data" "later"`, fmt.Sprintf("input = %q", test.later)),
				acctest.Block(`resource "fusebill_hubspot_latches" "test"`,
					`hubspot_ids = { "11" = terraform_data.later.output, "22" = 102 }`)),
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
		s := stepOfSet(t, a, setStep{
			action: plancheck.ResourceActionUpdate, before: from, after: to, reads: 20, arguments: []string{fmt.Sprint("max_changes = ", n)},
		})
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

// An exclusive set shows in unlisted which other customers are latched, apart from its rows, and removes what it
// has shown.
func TestAccCLILatches_exclusive(t *testing.T) {
	t.Parallel()
	declared := acctest.LatchSet{{ID: 11, Contact: 101}, {ID: 22, Contact: 102}}
	var others acctest.LatchSet
	for id := range int64(11) {
		others = append(others, acctest.Customer{ID: 100 + id, Contact: 1100 + id})
	}
	a := acctest.AccountWith(t, append(declared.Unlatched(), others...)...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block("exclusive = true"))
	acctest.Prints(t, c.PlanIs(true), "Warning: Other customers are latched", "does not list 11 customers that the account has latched: customer 100",
		"This apply leaves them alone", "unlisted", "(known after apply)")
	c.Run(0, "apply", "-no-color", "tfplan")
	showsSet(c, declared)
	a.Holds(t, others...)

	acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Error: Too many HubSpot latches would be removed", "unlatch 11 customers, and max_removals allows 10",
		"max_removals = 11", "terraform destroy -refresh=false")
	c.Declare(declared.Block("exclusive = true", "max_removals = 11"))
	acctest.Prints(t, c.PlanIs(true), `- "100" = "contact 1100" -> null`, "Warning: HubSpot latches will be removed",
		"This exclusive set unlatches 11 customers that it does not list: customer 100, customer 101")
	a.ResetCalls()
	a.SetLatch(100, 9999, 0)
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), "Error: HubSpot latch changed since the plan was made", "does not list customer 100",
		"Its latch stays as it is.")
	a.Holds(t, append(others[1:].Unlatched(), acctest.Customer{ID: 100, Contact: 9999})...)
	showsSet(c, declared)
	c.Apply()
	a.Holds(t, append(others.Unlatched(), declared...)...)
	c.PlanIs(false)

	// A set that is not exclusive any more leaves alone what it does not list, however it came into the state.
	a.SetLatch(100, 1100, 0)
	c.Run(0, "apply", "-no-color", "-auto-approve", "-refresh-only")
	c.Declare(declared.Block())
	acctest.Prints(t, c.PlanIs(true), "Warning: Unlisted HubSpot latches stay as they are", "customer 100")
	c.Run(0, "apply", "-no-color", "tfplan")
	a.Holds(t, acctest.Customer{ID: 100, Contact: 1100})
	c.PlanIs(false)
}

// Limits guard any set against a file that was cut off. A destroy that a limit stops goes on without a refresh.
func TestAccCLILatches_limits(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(40, 1000)
	a := acctest.AccountWith(t, declared.Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	c.Apply()
	c.Declare(declared[:29].Block())
	acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Error: Too many HubSpot latches would be removed",
		"unlatch 11 customers, and max_removals allows 10, the default for a set of 40 rows", "customer 30, customer 31")
	c.Declare(declared[:29].Block("max_removals = 11"))
	acctest.Prints(t, c.PlanIs(true), "Warning: HubSpot latches will be removed", "unlatches 11 customers that the set no longer lists: customer 30")
	c.Run(0, "apply", "-no-color", "tfplan")
	left := declared[:29]
	for _, h := range left[:12] {
		a.SetLatch(h.ID, h.Contact+5000, 0)
	}
	c.Declare(left.Block())
	acctest.Prints(t, c.Run(1, "destroy", "-no-color", "-auto-approve"), "Error: Too many HubSpot latches would change",
		"change the IDs of 12 customers, and max_changes allows 10", "terraform destroy -refresh=false")
	for _, h := range left[:12] {
		a.SetLatch(h.ID, h.Contact, 0)
	}
	c.Run(0, "destroy", "-no-color", "-auto-approve", "-refresh=false")
	a.Holds(t, declared.Unlatched()...)
}

// A set may be empty: that is no error, and costs no call.
func TestAccHubSpotLatches_empty(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	acctest.Run(t,
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionCreate, after: acctest.LatchSet{}, texts: setTexts{}, reads: -1}),
		stepOfSet(t, a, setStep{action: plancheck.ResourceActionUpdate, after: acctest.LatchSet{{ID: 11, Contact: 101}}, writes: acctest.LatchSet{{ID: 11, Contact: 101}}}),
		stepOfSet(t, a, setStep{
			config: a.With(acctest.LatchSet{}.Block()), action: plancheck.ResourceActionUpdate, before: acctest.LatchSet{{ID: 11, Contact: 101}},
			after: acctest.LatchSet{}, texts: setTexts{}, writes: acctest.LatchSet{{ID: 11}},
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
	acctest.Prints(t, plan, "(48 unchanged elements hidden)", `~ "33" = "9999" -> "1033"`, `+ "7" = "2007"`, `- "44" = "1044" -> null`)
	for id := range 50 {
		if at := fmt.Sprintf(`"%d" = `, id+1); !slices.Contains([]int{7, 33, 44}, id+1) && strings.Contains(plan, at) {
			t.Errorf("the plan shows customer %d:\n%s", id+1, plan)
		}
	}
}

// setInState returns the set "test" in state.
func setInState(c *acctest.Workspace) setTexts {
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

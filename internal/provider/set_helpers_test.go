package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// setElements are the elements of the two maps of a set in a state or plan, by names such as
// "hubspot_ids[11]".
type setElements map[string]string

// elementsOfSet returns the elements of a set that is declared without empty values.
func elementsOfSet(s acctest.LatchSet) setElements {
	elements := setElements{}
	for _, h := range s {
		if h.Contact != 0 {
			elements[fmt.Sprintf("hubspot_ids[%d]", h.ID)] = fmt.Sprint(h.Contact)
		}
		if h.Company != 0 {
			elements[fmt.Sprintf("hubspot_company_ids[%d]", h.ID)] = fmt.Sprint(h.Company)
		}
	}
	return elements
}

// elementsOf returns the elements of a set in the JSON of a state or plan.
func elementsOf(value any) setElements {
	object, _ := value.(map[string]any)
	elements := setElements{}
	for _, name := range []string{contactsAttribute, companiesAttribute} {
		attribute, _ := object[name].(map[string]any)
		for key, element := range attribute {
			switch element := element.(type) {
			case nil:
				elements[fmt.Sprintf("%s[%s]", name, key)] = "null"
			case string:
				elements[fmt.Sprintf("%s[%s]", name, key)] = element
			default:
				elements[fmt.Sprintf("%s[%s]", name, key)] = fmt.Sprintf("%T", element)
			}
		}
	}
	return elements
}

// diffElements returns the differences between two sets, empty if there are none.
func diffElements(want, got setElements) string { return gocmp.Diff(want, got) }

// inStateAs checks that the state has the set "test" with exactly these elements.
func inStateAs(want setElements) []statecheck.StateCheck {
	return []statecheck.StateCheck{checkState(func(values map[string]any) error {
		if diff := diffElements(want, elementsOf(values)); diff != "" {
			return fmt.Errorf("state differs (- want, + got):\n%s", diff)
		}
		return nil
	})}
}

// checkState is a function that checks the state of the set "test".
type checkState func(values map[string]any) error

func (f checkState) CheckState(
	_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse,
) {
	for _, r := range req.State.Values.RootModule.Resources {
		if r.Address == acctest.SetAddress {
			resp.Error = f(r.AttributeValues)
			return
		}
	}
	resp.Error = fmt.Errorf("the state has no %s", acctest.SetAddress)
}

// plansSet checks the plan of the set "test": its action, and the two maps before and after it.
func plansSet(action plancheck.ResourceActionType, before, after setElements) []plancheck.PlanCheck {
	return []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(acctest.SetAddress, action),
		acctest.CheckPlan(func(req plancheck.CheckPlanRequest) error {
			for _, rc := range req.Plan.ResourceChanges {
				if rc.Address != acctest.SetAddress {
					continue
				}
				if diff := diffElements(before, elementsOf(rc.Change.Before)); diff != "" {
					return fmt.Errorf("the plan starts from another set (- want, + got):\n%s", diff)
				}
				if diff := diffElements(after, elementsOf(rc.Change.After)); diff != "" {
					return fmt.Errorf("the plan ends with another set (- want, + got):\n%s", diff)
				}
			}
			return nil
		}),
	}
}

// setStep applies a configuration of the set "test", and holds the expected results.
type setStep struct {
	prepare        func()   // runs before the plan
	config         string   // default: provider and after
	arguments      []string // further arguments of the default configuration
	action         plancheck.ResourceActionType
	before, after  acctest.LatchSet
	elementsBefore setElements      // default: before, without empty values
	elements       setElements      // default: after, without empty values
	writes         acctest.LatchSet // the latch calls, in any order
	reads          int              // the largest number of other calls; 0: 12, -1: none
}

// stepOfSet returns the step of plugin-testing for a setStep.
func stepOfSet(t *testing.T, a acctest.Account, s setStep) resource.TestStep {
	t.Helper()
	before, after := elementsOfSet(s.before), elementsOfSet(s.after)
	if s.elementsBefore != nil {
		before = s.elementsBefore
	}
	if s.elements != nil {
		after = s.elements
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

// createsSet returns a step that creates a set, with which most tests begin.
func createsSet(t *testing.T, a acctest.Account, s acctest.LatchSet) resource.TestStep {
	t.Helper()
	return stepOfSet(t, a, setStep{action: plancheck.ResourceActionCreate, after: s, writes: s})
}

// setInState returns the set "test" in state.
func setInState(c *acctest.Workspace) setElements {
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
			return elementsOf(r.Values)
		}
	}
	return nil
}

// showsSet fails the test unless state holds this set.
func showsSet(c *acctest.Workspace, want acctest.LatchSet) {
	c.T.Helper()
	if diff := diffElements(elementsOfSet(want), setInState(c)); diff != "" {
		c.T.Errorf("state differs (- want, + got):\n%s", diff)
	}
}

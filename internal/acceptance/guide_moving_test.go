package acceptance

import (
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// runMoving swaps the contacts of two customers, with the plan and the calls that the guide shows.
func runMoving(t *testing.T, folder string) {
	before := []acctest.Customer{{ID: 2554529, Contact: 101}, {ID: 2554530, Contact: 102}}
	after := []acctest.Customer{{ID: 2554529, Contact: 102}, {ID: 2554530, Contact: 101}}
	a := acctest.AccountWith(t, acctest.Customer{ID: 2554529}, acctest.Customer{ID: 2554530})
	g := newGuide(t, a, folder)
	swapped := readExample(t, folder+"/main.tf")
	g.use()
	g.Write("main.tf", strings.NewReplacer("102 # before: 101", "101", "101 # before: 102", "102").Replace(swapped))
	g.Apply()
	a.Holds(t, before...)

	g.use("main.tf")
	a.ResetCalls()
	acctest.Prints(t, g.PlanIs(true), "Plan: 0 to add, 2 to change, 0 to destroy.")
	g.Run(0, "apply", "-no-color", "tfplan")
	a.Holds(t, after...)
	if n := a.Writes(); n != 3 {
		t.Errorf("%d writes, want 3", n)
	}
	g.PlanIs(false)
}

package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// A destroy works although a customer was deleted, somebody has changed the latch of another one,
// and the configuration conflicts with the latch of an unmanaged customer.
func TestAccDestroy_worksDespiteConflicts(t *testing.T) {
	t.Parallel()
	for _, refresh := range []string{"true", "false"} {
		t.Run("refresh="+refresh, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountOfYear(t, 2020, acctest.NumberedSet(6, 100).Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			set := acctest.NumberedSet(3, 100)
			single := acctest.Customer{ID: 4, Contact: 104}
			c.Declare(set.Block(), single.Block())
			c.Apply()
			a.DeleteCustomer(1)
			a.SetLatch(2, 999, 0)
			a.SetLatch(6, 555, 0)
			c.Declare(set.With(acctest.Customer{ID: 3, Contact: 555}).Block(), single.Block())
			c.Run(0, "destroy", "-auto-approve", "-refresh="+refresh)
			if left := c.Latches(); len(left) > 0 {
				t.Errorf("the state has %v", left)
			}
			want := []acctest.Customer{{ID: 3}, {ID: 4}, {ID: 5}, {ID: 6, Contact: 555}}
			if refresh == "true" {
				want = append(want, acctest.Customer{ID: 2}) // The refresh has made it the state's own.
			} else {
				want = append(want, acctest.Customer{ID: 2, Contact: 999})
			}
			for _, h := range want {
				a.Latched(t, h.ID, h.Contact, h.Company)
			}
		})
	}
}

// Customers of a set that were all deleted stop neither a plan nor a destroy where the state shows
// that the account is the right one.
func TestAccDestroy_ofASetWithoutCustomers(t *testing.T) {
	t.Parallel()
	for rows, warning := range map[int64]string{
		3: "Warning: Customer not found in Fusebill", 12: "Warning: Customers of the set are not in this Fusebill account",
	} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			t.Parallel()
			latches := acctest.NumberedSet(rows+1, 100)
			single, set := latches[0], latches[1:]
			a := acctest.AccountOfYear(t, 2020, latches.Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			c.Declare(set.Block(), single.Block())
			c.Apply()
			for _, h := range set {
				a.DeleteCustomer(h.ID)
			}
			acctest.Prints(t, c.Run(0, "plan", "-no-color"), warning)
			output := c.Run(0, "apply", "-no-color", "-auto-approve", "-refresh-only")
			acctest.Prints(t, output, "Warning: Fusebill customer is gone",
				fmt.Sprintf("The set had %d customers that no longer exist", rows))
			acctest.Prints(t, c.Run(0, "plan", "-no-color"), warning)
			c.Run(0, "destroy", "-auto-approve")
			if left := c.Latches(); len(left) > 0 {
				t.Errorf("the state has %v", left)
			}
			a.Latched(t, single.ID, 0, 0)
		})
	}
}

// A limit may refuse the plan before a destroy. A destroy with -refresh=false, as the error
// advises, removes only the latches of the state: neither the unlisted ones of an exclusive set,
// nor those that have changed since.
func TestAccDestroy_withoutRefreshDespiteLimits(t *testing.T) {
	t.Parallel()
	set := acctest.NumberedSet(12, 100)
	stranger := acctest.Customer{ID: 50, Contact: 500}
	a := acctest.AccountOfYear(t, 2020, append(set.Unlatched(), stranger)...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(set.Block("exclusive = true", "max_removals = 0"))
	c.Apply()
	c.Declare(set[:1].Block("exclusive = true", "max_removals = 0"))
	acctest.Prints(t, c.Run(1, "destroy", "-no-color", "-auto-approve"),
		"Error: Too many HubSpot latches would be removed", "terraform destroy -refresh=false")
	a.SetLatch(2, 999, 0)
	c.Run(0, "destroy", "-auto-approve", "-refresh=false")
	a.Latched(t, 50, 500, 0)
	a.Latched(t, 2, 999, 0)
	a.Latched(t, 3, 0, 0)
}

// Replacements with create_before_destroy keep each latch, and one warning covers all of them.
func TestAccDestroy_replacementsShareOneWarning(t *testing.T) {
	t.Parallel()
	a := acctest.AccountOfYear(t, 2020, acctest.NumberedSet(5, 100).Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(fmt.Sprintf("resource %q \"test\" {\n  for_each = %s\n  fusebill_id = each.key\n"+
		"  hubspot_id = each.value.hubspot_id\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n",
		acctest.LatchType, acctest.NumberedSet(5, 100).Expression()))
	c.Apply()
	a.ResetCalls()
	args := []string{"apply", "-no-color", "-auto-approve"}
	for id := range 5 {
		args = append(args, fmt.Sprintf("-replace=%s[%q]", acctest.LatchAddress, fmt.Sprint(id+1)))
	}
	output := c.Run(0, args...)
	acctest.Prints(t, output, "If the resource was replaced, there is nothing to do")
	if n := strings.Count(output, "Warning: HubSpot"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, output)
	}
	a.Holds(t, acctest.NumberedSet(5, 100)...)
	if n := a.Writes(); n > 0 {
		t.Errorf("%d writes", n)
	}
}

package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file list customers. They check that the list is in the order of the IDs, that
// the argument latched chooses customers with or without a latch, and that a check block names
// those without one. Filters are in data_source_test.go.

// coverage serves the account of directory, with further customers that are not latched.
func coverage(t *testing.T) acctest.Account {
	t.Helper()
	return acctest.NewAccount(t, append(directory(),
		fusebillsim.Customer{ID: 7, CompanyName: "Brown Coffee"},
		fusebillsim.Customer{ID: 77, Status: "Hold"},
		fusebillsim.Customer{ID: 88, FirstName: "Ada", LastName: "Brown"},
	)...)
}

func TestAccCustomersDataSource(t *testing.T) {
	a := coverage(t)
	lists := func(arguments string, ids ...int64) resource.TestStep {
		var want []knownvalue.Check
		for _, id := range ids {
			c, _ := a.Customer(id)
			want = append(want, customerIs(c))
		}
		return resource.TestStep{
			Config: a.With(dataBlock("fusebill_customers", arguments)),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("data.fusebill_customers.test", tfjsonpath.New("customers"),
					knownvalue.ListExact(want)),
			},
		}
	}
	acctest.Run(t,
		acctest.Refused(a.With(dataBlock("fusebill_customers", `statuses = ["Active", "paid"]`)),
			acctest.Diagnosis("Invalid filter", `statuses = ["Active", "paid"]`, `"paid" is no status of a customer.`)),
		lists("", 7, 11, 22, 33, 44, 55, 66, 77, 88, 9007199254740993),
		lists("latched = true", 11, 22, 33, 44, 55, 66, 9007199254740993),
		lists("latched = false", 7, 77, 88),
		lists("latched = null\nstatuses = [\"Hold\"]", 22, 77),
		lists("latched = false\nstatuses = [\"Active\"]", 7, 88),
		lists("latched = false\nreference = \"C-1\""),
	)
}

func TestAccCustomersDataSource_checkBlock(t *testing.T) {
	t.Parallel()
	a := coverage(t)
	c := acctest.NewWorkspace(t, a)
	c.SkipBelow(1, 5, "check blocks")
	c.Declare(acctest.Block(`check "coverage"`,
		`data "fusebill_customers" "active" {
    statuses = ["Active"]
    latched  = false
  }
  assert {
    condition     = length(data.fusebill_customers.active.customers) == 0
    error_message = "Not latched: ${join(", ", data.fusebill_customers.active.customers[*].id)}"
  }`))
	acctest.Prints(t, c.Run(0, "plan", "-no-color"), "Warning: Check block assertion failed", "Not latched: 7, 88")
	a.SetLatch(7, 107, 0)
	a.SetLatch(88, 188, 0)
	if output := c.Run(0, "plan", "-no-color"); strings.Contains(output, "Check block") {
		t.Errorf("a check fails although all customers are latched:\n%s", output)
	}
}

func TestAccCustomersDataSource_failures(t *testing.T) {
	a := coverage(t)
	acctest.Run(t, failures(a, "fusebill_customers",
		failure{fusebillsim.FaultUnauthorized, `statuses = ["Active"]`, "Fusebill refused the API key",
			"Could not list the customers: GET customers: 401 Unauthorized: "},
		failure{fusebillsim.FaultStatus500Before, "", "Fusebill returned a server error",
			"Could not list the customers: GET customers: 500 Internal Server Error: "},
	)...)
}

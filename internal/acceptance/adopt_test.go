package acceptance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// From an account whose latches were made by hand to a state that holds all of them and a plan
// without changes, in as few calls as reading each page of the account twice takes, and without a
// write. The log has the number of calls.

// latchedAccount is an account of n customers, all of them latched.
func latchedAccount(t *testing.T, n int64) acctest.Account {
	t.Helper()
	a := acctest.NewAccount(t)
	for _, id := range a.AddSampleCustomers(int(n)) {
		a.SetLatch(id, id+contactsAbove, id+companiesAbove)
	}
	return a
}

const (
	contactsAbove  = 20_000_000_000
	companiesAbove = 30_000_000_000
)

// isAdopted fails the test if anything was written, or if more than this number of calls was made.
func isAdopted(t *testing.T, a acctest.Account, most int) {
	t.Helper()
	if n := a.Writes(); n > 0 {
		t.Errorf("%d writes", n)
	}
	t.Logf("%d calls for the whole way, of at most %d", a.Count(), most)
	if n := a.Count(); n > most {
		t.Errorf("%d calls, want at most %d", n, most)
	}
}

// TestAccCLIAdopt_threePagesAsASet imports the ID "account", for which Terraform generates a
// configuration, too. The account has three pages, which the first plan and the last one read.
func TestAccCLIAdopt_threePagesAsASet(t *testing.T) {
	t.Parallel()
	a := latchedAccount(t, 2001)
	c := acctest.NewWorkspace(t, a)
	c.SkipBelow(1, 5, "import blocks")
	a.ResetCalls()
	c.Declare(acctest.ImportOfSet("account"))
	c.Run(0, "plan", "-no-color", "-generate-config-out=generated.tf", "-out=tfplan")
	c.Run(0, "apply", "-no-color", "tfplan")
	c.PlanIs(false)
	isAdopted(t, a, 10)
}

// TestAccCLIAdopt_asASetThatReadsAFile replaces the generated configuration by one that reads a
// file, with customers that have a contact, a company, or both.
func TestAccCLIAdopt_asASetThatReadsAFile(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101, Company: 202},
		acctest.Customer{ID: 12, Company: 203}, acctest.Customer{ID: 13, Contact: 303})
	c := acctest.NewWorkspace(t, a)
	c.SkipBelow(1, 5, "import blocks")
	c.Write("import.tf", acctest.Block("import", "to = fusebill_hubspot_latches.crm", `id = "account"`))
	c.Run(0, "plan", "-no-color", "-generate-config-out=generated.tf", "-out=tfplan")
	c.Run(0, "apply", "-no-color", "tfplan")
	c.PlanIs(false)

	c.Write("latches.csv", "fusebill_id,hubspot_id,hubspot_company_id\n11,101,202\n12,,203\n13,303,\n")
	c.Remove("provider.tf") // The example names the provider.
	c.Remove("generated.tf")
	c.Setenv(acctest.EnvBaseURL, a.URL)
	c.Write("main.tf", readExample(t, "guides/large-accounts/main.tf"))
	c.PlanIs(false)
	isAdopted(t, a, 40)
}

// TestAccCLIAdopt_byCSVFile uses the files of the guide: a data source writes a CSV file, and
// import blocks take over its latches.
func TestAccCLIAdopt_byCSVFile(t *testing.T) {
	t.Parallel()
	const latches = 200
	a := latchedAccount(t, latches)
	c := acctest.NewWorkspace(t, a)
	c.SkipBelow(1, 7, "import blocks with for_each")
	// The examples have the block required_providers.
	c.Write("provider.tf", acctest.ProviderBlock(fmt.Sprintf("base_url = %q", a.URL)))
	a.ResetCalls()
	c.Write("main.tf", readExample(t, exportingExample))
	c.Apply()
	c.Write("latches.csv", c.Run(0, "output", "-raw", "csv"))
	c.Write("main.tf", readExample(t, "guides/importing/main.tf"))
	acctest.Prints(t, c.PlanIs(true), fmt.Sprint(latches, " to import, 0 to add, 0 to change, 0 to destroy"))
	c.Run(0, "apply", "-no-color", "tfplan")
	c.PlanIs(false)
	isAdopted(t, a, 10)
}

// TestAccCLIAdopt_coverage tests that the guide's check names customers without a latch and no
// others.
func TestAccCLIAdopt_coverage(t *testing.T) {
	t.Parallel()
	a := acctest.NewAccount(t,
		fusebillsim.Customer{ID: 11, CompanyName: "Stolen Bikes", HubSpotID: 101},
		fusebillsim.Customer{ID: 22, CompanyName: "Brown Coffee"},
		fusebillsim.Customer{ID: 33, CompanyName: "Gone Ltd.", Status: "Cancelled"})
	c := acctest.NewWorkspace(t, a)
	c.SkipBelow(1, 5, "check blocks")
	c.Write("provider.tf", acctest.ProviderBlock(fmt.Sprintf("base_url = %q", a.URL)))
	c.Write("main.tf", readExample(t, "guides/coverage/main.tf"))
	output := c.PlanIs(false)
	acctest.Prints(t, output,
		"Check block assertion failed", "Active customers without a HubSpot latch:", "22 Brown Coffee")
	for _, other := range []string{"Stolen", "Gone"} {
		if strings.Contains(output, other) {
			t.Errorf("the warning names %s:\n%s", other, output)
		}
	}
}

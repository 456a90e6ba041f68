package acceptance

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// examplesFolder has the files that the documentation shows and that users copy.
const examplesFolder = "../../examples"

// example is the account that an example needs, and its effect.
type example struct {
	cli       []tfversion.TerraformVersionCheck // the CLIs that can run it; none: all
	customers []fusebillsim.Customer            // of the account, with more than their latches
	latched   acctest.LatchSet                  // the other customers of the account
	holds     acctest.LatchSet                  // latches of the account after the apply
	writes    int                               // calls that change the account
}

// examples are the cases, by path below the examples folder. An example of a guide is a folder.
// Every other example is a file.
var examples = map[string]example{
	"provider/provider.tf": {
		latched: acctest.LatchSet{{ID: 2554529}},
		holds:   acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}},
		writes:  1,
	},
	"provider/provider-shared-quota.tf": {},
	"resources/fusebill_hubspot_latch/resource.tf": {
		latched: acctest.LatchSet{{ID: 2554529}, {ID: 2554530}},
		holds:   acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}},
		writes:  2,
	},
	"resources/fusebill_hubspot_latch/import-by-string-id.tf": {
		cli:     []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_5_0)},
		latched: acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}},
		holds:   acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}},
	},
	"resources/fusebill_hubspot_latch/import-by-identity.tf": {
		cli:     []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		latched: acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}},
		holds:   acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}},
	},
	"resources/fusebill_hubspot_latches/resource.tf": {
		latched: acctest.LatchSet{{ID: 2554529}, {ID: 2554530}, {ID: 2554531}},
		holds: acctest.LatchSet{
			{ID: 2554529, Contact: 101, Company: 202},
			{ID: 2554530, Company: 203},
			{ID: 2554531, Contact: 303},
		},
		writes: 3,
	},
	"resources/fusebill_hubspot_latches/import-by-string-id.tf": {
		cli:     []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_5_0)},
		latched: acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}},
		holds:   acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}},
	},
	"actions/fusebill_hubspot_unlatch/action.tf": {
		cli:     []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_14_0)},
		latched: acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}},
		holds:   acctest.LatchSet{{ID: 2554529}},
		writes:  1,
	},
	// A query lists the latches in holds. Terraform generates the configuration that imports them.
	"list-resources/fusebill_hubspot_latch/list-resource.tfquery.hcl": {
		latched: acctest.LatchSet{
			{ID: 2554529, Contact: 101, Company: 202},
			{ID: 2554530, Company: 203},
			{ID: 2554531},
		},
		holds: acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}},
	},
	"list-resources/fusebill_hubspot_latch/list-resource-filtered.tfquery.hcl": {
		latched: acctest.LatchSet{
			{ID: 2554529, Contact: 101, Company: 202},
			{ID: 2554530, Company: 203},
			{ID: 2554531},
		},
		holds: acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}},
	},
	"data-sources/fusebill_customer/data-source.tf": {
		customers: []fusebillsim.Customer{
			{ID: 2554529, Reference: "C-000123"},
			{ID: 2554530, CompanyName: "Brown Coffee", HubSpotCompanyID: 203},
		},
		holds:  acctest.LatchSet{{ID: 2554529, Contact: 101}},
		writes: 1,
	},
	"data-sources/fusebill_customers/data-source.tf": {
		customers: []fusebillsim.Customer{
			{ID: 2554529, CompanyName: "Stolen Bikes", HubSpotID: 101},
			{ID: 2554530, CompanyName: "Brown Coffee"},
		},
	},
	"data-sources/fusebill_customers/data-source_check.tf": {
		cli:     []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_5_0)},
		latched: acctest.LatchSet{{ID: 2554529, Contact: 101}, {ID: 2554530}},
	},
	"data-sources/fusebill_hubspot_latches/data-source.tf": {
		customers: []fusebillsim.Customer{
			{ID: 2554529, CompanyName: `Stolen "Bikes"`, HubSpotID: 101, HubSpotCompanyID: 202},
			{ID: 2554530, HubSpotCompanyID: 203},
		},
	},
	"data-sources/fusebill_hubspot_latches/data-source_import.tf": {
		cli: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_7_0)},
		latched: acctest.LatchSet{
			{ID: 2554529, Contact: 101, Company: 202},
			{ID: 2554530, Company: 203},
			{ID: 2554531},
		},
		holds: acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}},
	},
	"functions/parse_hubspot_url/function.tf": {
		cli:     []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_8_0)},
		latched: acctest.LatchSet{{ID: 2554529}},
		holds:   acctest.LatchSet{{ID: 2554529, Contact: 101}},
		writes:  1,
	},
	"functions/parse_latches_csv/function.tf": {
		cli:     []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_8_0)},
		latched: acctest.LatchSet{{ID: 2554529}, {ID: 2554530}},
		holds:   acctest.LatchSet{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}},
		writes:  2,
	},
	"functions/match_hubspot_export/function.tf": {
		cli: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_8_0)},
		customers: []fusebillsim.Customer{
			{ID: 2554529, Reference: "C-000123", PrimaryEmail: "bob@castillo.example"},
			{ID: 2554530, PrimaryEmail: "ann@brown-coffee.example"},
			{ID: 2554531, PrimaryEmail: "info@bikes.example"},
		},
		holds:  acctest.LatchSet{{ID: 2554529, Contact: 102}, {ID: 2554530, Contact: 101}},
		writes: 2,
	},
	"guides/how-it-works": {
		latched: acctest.LatchSet{{ID: 2500003}, {ID: 2500004}, {ID: 2500005}},
		holds: acctest.LatchSet{
			{ID: 2500003, Contact: 201},
			{ID: 2500004, Contact: 202},
			{ID: 2500005, Contact: 203},
		},
		writes: 3,
	},
	"guides/large-accounts": {
		latched: acctest.LatchSet{{ID: 2554529}, {ID: 2554530}, {ID: 2554531}},
		holds: acctest.LatchSet{
			{ID: 2554529, Contact: 101, Company: 202},
			{ID: 2554530, Company: 9007199254740993},
			{ID: 2554531, Contact: 303},
		},
		writes: 3,
	},
}

// TestAccExamples runs every example: a plan, an apply, and a plan without changes.
func TestAccExamples(t *testing.T) {
	found := findExamples(t)
	for name := range examples {
		if !found[name] {
			t.Errorf("the case %s has no example", name)
		}
	}
	for name := range found {
		t.Run(name, func(t *testing.T) {
			e, ok := examples[name]
			if !ok {
				t.Fatalf("No case runs this example. Add a case to examples in examples_test.go.")
			}
			if strings.HasSuffix(name, ".tfquery.hcl") {
				e.query(t, name)
				return
			}
			e.run(t, name)
		})
	}
}

// findExamples returns the paths of all examples.
func findExamples(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := fs.WalkDir(os.DirFS(examplesFolder), ".", func(name string, _ fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path.Ext(name) != ".tf" && !strings.HasSuffix(name, ".tfquery.hcl"):
		case guides[path.Dir(name)] != nil: // TestAccGuides runs it.
		case strings.HasPrefix(name, "guides/"):
			found[path.Dir(name)] = true
		default:
			found[name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// account returns an account with the customers that the example needs.
func (e example) account(t *testing.T) acctest.Account {
	t.Helper()
	customers := slices.Clone(e.customers)
	for _, c := range e.latched {
		customers = append(customers, fusebillsim.Customer{ID: c.ID, HubSpotID: c.Contact, HubSpotCompanyID: c.Company})
	}
	return acctest.NewAccount(t, customers...)
}

// query runs an example of a query, and applies the configuration that Terraform generates from it.
func (e example) query(t *testing.T, name string) {
	t.Parallel()
	a := e.account(t)
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutTerraform14("terraform query")
	c.Write(path.Base(name), readExample(t, name))
	c.Run(0, "query", "-no-color", "-generate-config-out=generated.tf")
	want := fmt.Sprintf("Plan: %d to import, 0 to add, 0 to change, 0 to destroy.", len(e.holds))
	acctest.Prints(t, c.PlanIs(true), want)
	c.Run(0, "apply", "-no-color", "tfplan")
	c.PlanIs(false)
	imported := c.Run(0, "show", "-no-color")
	for _, latch := range e.holds {
		acctest.Prints(t, imported, fmt.Sprintf("fusebill_id = \"%d\"", latch.ID))
	}
	if got := a.Writes(); got != e.writes {
		t.Errorf("%d calls wrote to the account, want %d", got, e.writes)
	}
}

func (e example) run(t *testing.T, name string) {
	a := e.account(t)
	step := resource.TestStep{
		PostApplyFunc: func() {
			a.Holds(t, e.holds...)
			if got := a.Writes(); got != e.writes {
				t.Errorf("%d calls wrote to the account, want %d", got, e.writes)
			}
		},
	}
	if path.Ext(name) == ".tf" {
		step.Config = readExample(t, name)
	} else {
		step.ConfigDirectory = config.StaticDirectory(filepath.Join(examplesFolder, filepath.FromSlash(name)))
	}
	steps := []resource.TestStep{step}
	if path.Base(name) == "resource.tf" {
		steps = append(steps, importStep(t, path.Dir(name)))
	}
	// A step destroys the resources, because the test framework cannot end with instances of
	// for_each in the state.
	steps = append(steps, resource.TestStep{
		Config: "# Nothing is declared any more.\n",
		PostApplyFunc: func() {
			a.Holds(t, e.holds.Unlatched()...)
		},
	})
	acctest.RunCase(t, resource.TestCase{
		TerraformVersionChecks: e.cli,
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"fusebill": acctest.Serve([]fusebill.Option{fusebill.WithBaseURL(a.URL)}, nil),
		},
		Steps: steps,
	})
}

func readExample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(examplesFolder, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// importStep runs the command of the import.sh beside an example of a resource, and compares the
// imported resource with the resource that the example has made.
func importStep(t *testing.T, folder string) resource.TestStep {
	t.Helper()
	script := readExample(t, path.Join(folder, "import.sh"))
	lines := strings.Split(strings.TrimSpace(script), "\n")
	command := strings.Fields(lines[len(lines)-1])
	if len(command) != 4 || command[0] != "terraform" || command[1] != "import" {
		t.Fatalf("import.sh ends with %q, want terraform import ADDRESS ID", command)
	}
	step := resource.TestStep{ResourceName: command[2], ImportState: true, ImportStateId: command[3]}
	if strings.HasPrefix(command[2], acctest.LatchesType+".") {
		step.ImportStateCheck = func(imported []*terraform.InstanceState) error {
			attributes := imported[0].Attributes
			contacts, companies := attributes["hubspot_ids.%"], attributes["hubspot_company_ids.%"]
			if contacts != "2" || companies != "2" {
				return fmt.Errorf("imported %s contacts and %s companies, want 2 of each", contacts, companies)
			}
			return nil
		}
		return step
	}
	step.ImportStateVerify = true
	step.ImportStateVerifyIdentifierAttribute = "fusebill_id"
	return step
}

// TestReadmeShowsExamples checks that the configuration and the commands of the README are those
// that other tests run.
func TestReadmeShowsExamples(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, language := range map[string]string{
		"provider/provider.tf":       "terraform",
		"guides/installing/build.sh": "shell",
	} {
		if !strings.Contains(string(readme), "```"+language+"\n"+readExample(t, name)+"```") {
			t.Errorf("the README does not show examples/%s", name)
		}
	}
}

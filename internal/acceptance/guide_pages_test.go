package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// These tests follow the rendered pages as a new user does: from an empty folder, block by block,
// with terraform init. Other tests of the guides run the same files in more situations.

// block is code that a page shows.
type block struct{ heading, text string }

// reader follows a page of the documentation.
type reader struct {
	guide
	page     string
	blocks   []block // not followed yet
	commands string  // the script of the last commands
}

// newReader begins a page in an empty folder. The provider can be installed as from a registry.
func newReader(t *testing.T, a acctest.Account, page string) *reader {
	t.Helper()
	g := newGuide(t, a, "guides/"+page)
	g.Install()
	g.Setenv("TF_CLI_ARGS", "-no-color")
	g.Setenv("TF_CLI_ARGS_apply", "-auto-approve")
	text, err := os.ReadFile("../../docs/guides/" + page + ".md")
	if err != nil {
		t.Fatal(err)
	}
	return &reader{guide: g, page: page, blocks: blocksOf(string(text))}
}

var (
	fence       = regexp.MustCompile("^( *)```")
	pageHeading = regexp.MustCompile(`^#+ +(.+)$`)
)

// blocksOf returns the blocks of a page in their order, without the indentation of a list.
func blocksOf(page string) []block {
	var blocks []block
	var current *block
	var heading, indent string
	for line := range strings.Lines(page) {
		mark := fence.FindStringSubmatch(line)
		title := pageHeading.FindStringSubmatch(strings.TrimSpace(line))
		switch {
		case mark != nil && current == nil:
			current, indent = &block{heading: heading}, mark[1]
		case mark != nil:
			blocks = append(blocks, *current)
			current = nil
		case current != nil:
			current.text += strings.TrimPrefix(line, indent)
		case title != nil:
			heading = title[1]
		}
	}
	return blocks
}

// next returns the text of the next block, which must be below this heading.
func (r *reader) next(heading string) string {
	r.T.Helper()
	if len(r.blocks) == 0 || r.blocks[0].heading != heading {
		r.T.Fatalf("%s.md has no further block below %q. These blocks follow: %q", r.page, heading, r.blocks)
	}
	b := r.blocks[0]
	r.blocks = r.blocks[1:]
	return b.text
}

// skipTo leaves out the blocks before a heading.
func (r *reader) skipTo(heading string) {
	r.T.Helper()
	for len(r.blocks) > 0 && r.blocks[0].heading != heading {
		r.blocks = r.blocks[1:]
	}
}

// save writes the next block to a file.
func (r *reader) save(heading, file string) {
	r.T.Helper()
	r.Write(file, r.next(heading))
}

// run runs the commands of the next block and returns what they print. It fails the test unless
// they end with this code and print these texts.
func (r *reader) run(heading string, code int, prints ...string) string {
	r.T.Helper()
	r.commands = filepath.Join(r.T.TempDir(), "commands.sh")
	if err := os.WriteFile(r.commands, []byte(r.next(heading)), 0o600); err != nil {
		r.T.Fatal(err)
	}
	return r.runAgain(code, prints...)
}

// runAgain runs the last commands again.
func (r *reader) runAgain(code int, prints ...string) string {
	r.T.Helper()
	output := r.scriptAt(code, r.commands)
	acctest.Prints(r.T, output, prints...)
	return output
}

// removeBlocks removes the blocks of this kind, and comments directly above, from a configuration.
func (r *reader) removeBlocks(file, kind string) {
	r.T.Helper()
	text := r.read(file)
	shorter := regexp.MustCompile(`(?ms)^(?:#[^\n]*\n)*`+kind+` \{\n.*?^\}\n`).ReplaceAllString(text, "")
	if shorter == text {
		r.T.Fatalf("%s has no block %s", file, kind)
	}
	r.Write(file, shorter)
}

const noChanges = "No changes."

// runImporting follows each way of the page. Some of the latches have only one ID.
func runImporting(t *testing.T, _ string) {
	account := func(t *testing.T, latched int) acctest.Account {
		t.Helper()
		a := acctest.NewAccount(t)
		for i, id := range a.AddSampleCustomers(3000)[:latched] {
			contact, company := 101+int64(i), 500_000+int64(i)
			switch i % 3 {
			case 1:
				contact = 0
			case 2:
				company = 0
			}
			a.SetLatch(id, contact, company)
		}
		a.ResetCalls()
		return a
	}
	t.Run("set", func(t *testing.T) {
		t.Parallel()
		const heading = "Import as a set"
		a := account(t, 2950)
		r := newReader(t, a, "importing")
		r.SkipBelow(1, 5, "import blocks")
		r.save(heading, "main.tf")
		r.run(heading, 0, "1 to import, 0 to add, 0 to change, 0 to destroy")
		r.run(heading, 0, "Apply complete! Resources: 1 imported")
		r.removeBlocks("main.tf", "import")
		acctest.Prints(t, r.PlanIs(false), noChanges)
		a.Wrote(t)
	})
	t.Run("CSV file", func(t *testing.T) {
		t.Parallel()
		const heading, latches = "Import with a CSV file", 100
		a := account(t, latches)
		r := newReader(t, a, "importing")
		r.SkipBelow(1, 7, "import blocks with for_each")
		r.skipTo(heading)
		r.save(heading, "main.tf")
		r.run(heading, 0)
		r.save(heading, "main.tf")
		r.run(heading, 0, strconv.Itoa(latches)+" to import, 0 to add, 0 to change, 0 to destroy")
		r.removeBlocks("main.tf", "import")
		acctest.Prints(t, r.PlanIs(false), noChanges)
		a.Wrote(t)
	})
	t.Run("query", func(t *testing.T) {
		t.Parallel()
		const heading, latches = "Import with a query", 150 // more than Terraform lists without a limit
		a := account(t, latches)
		r := newReader(t, a, "importing")
		r.SkipWithoutTerraform14("terraform query")
		r.skipTo(heading)
		r.save(heading, "main.tf")
		r.save(heading, "latches.tfquery.hcl")
		r.run(heading, 0, strconv.Itoa(latches)+" to import, 0 to add, 0 to change, 0 to destroy")
		acctest.Prints(t, r.PlanIs(false), noChanges)
		a.Wrote(t)
	})
}

// runCoverage follows the page, with customers who have a latch, have none, or are not active.
func runCoverage(t *testing.T, _ string) {
	const heading = "Check that customers are latched"
	a := acctest.NewAccount(t,
		fusebillsim.Customer{ID: 2554529, CompanyName: "Stolen Bikes", Status: "Active", HubSpotID: 101},
		fusebillsim.Customer{ID: 2554530, CompanyName: "Brown Coffee", Status: "Active"},
		fusebillsim.Customer{ID: 2554531, CompanyName: "Castillo Dental", Status: "Cancelled"})
	r := newReader(t, a, "coverage")
	r.SkipBelow(1, 5, "check blocks")
	needs(t, "jq")
	r.save(heading, "coverage.tf")
	r.compare(heading, r.run(heading, 0))
	r.run("Fail a pipeline", 1, "Check block assertion failed")
	a.SetLatch(2554530, 102, 0)
	r.runAgain(0)
	r.isFinished()
}

// compare fails the test unless an output has the lines of the next block.
func (r *reader) compare(heading, output string) {
	r.T.Helper()
	acctest.Prints(r.T, output, strings.Split(strings.TrimSpace(r.next(heading)), "\n")...)
}

// isFinished fails the test if blocks of the page are left.
func (r *reader) isFinished() {
	r.T.Helper()
	if len(r.blocks) > 0 {
		r.T.Errorf("The test does not follow these blocks of %s.md: %q", r.page, r.blocks)
	}
}

// needs skips a test of a page that uses a program which is not installed.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("This guide uses %s, which is not installed.", program)
		}
	}
}

// readsCSV follows the page about spreadsheets from the file to each configuration.
func readsCSV(t *testing.T) {
	t.Parallel()
	const heading = "Latches in a spreadsheet"
	a := acctest.AccountWith(t, acctest.LatchSet(spreadsheetLatches).Unlatched()...)
	r := newReader(t, a, "csv")
	r.SkipBelow(1, 8, "functions of providers")
	r.save(heading, "latches.csv")
	r.save("As a set", "main.tf")
	r.run("As a set", 0, "1 added")
	acctest.Prints(t, r.PlanIs(false), noChanges)
	a.Holds(t, spreadsheetLatches...)
	singles := r.next("As single latches")
	r.save("Without functions", "main.tf")
	acctest.Prints(t, r.PlanIs(false), noChanges)
	r.Write("main.tf", singles)
	r.PlanIs(true)
	r.Run(0, "apply", "tfplan")
	r.save("Without functions", "main.tf")
	acctest.Prints(t, r.PlanIs(false), noChanges)
	a.Holds(t, spreadsheetLatches...)
	r.isFinished()
}

// readsYAML follows the page about YAML files from the file to each configuration.
func readsYAML(t *testing.T) {
	t.Parallel()
	const heading = "Latches in a YAML file"
	a := acctest.AccountWith(t, acctest.LatchSet(yamlLatches).Unlatched()...)
	r := newReader(t, a, "yaml")
	r.save(heading, "latches.yaml")
	r.save(heading, "main.tf")
	r.run(heading, 0, "1 added")
	acctest.Prints(t, r.PlanIs(false), noChanges)
	r.save(heading, "main.tf")
	r.PlanIs(true)
	r.Run(0, "apply", "tfplan")
	acctest.Prints(t, r.PlanIs(false), noChanges)
	a.Holds(t, yamlLatches...)
	r.isFinished()
}

// readsMigrating follows the page from terraform_data to each of the two ways.
func readsMigrating(t *testing.T) {
	const heading, older = "From terraform_data", "Older CLIs"
	latches := []acctest.Customer{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}}
	begin := func(t *testing.T) (*reader, acctest.Account) {
		t.Helper()
		t.Parallel()
		needs(t, "curl")
		a := acctest.AccountWith(t, acctest.LatchSet(latches).Unlatched()...)
		r := newReader(t, a, "migrating")
		r.SkipBelow(1, 4, "a former configuration with terraform_data")
		r.save(heading, "main.tf")
		r.Run(0, "init")
		r.Apply()
		a.ResetCalls()
		r.save(heading, "main.tf")
		return r, a
	}
	t.Run("page with moved", func(t *testing.T) {
		r, a := begin(t)
		r.SkipWithoutMoves()
		r.save(heading, "moved.tf")
		r.run(heading, 0, "has moved to", "0 to add, 0 to change, 0 to destroy")
		r.run(heading, 0)
		r.Remove("moved.tf")
		acctest.Prints(t, r.PlanIs(false), noChanges)
		a.Wrote(t)
		a.Holds(t, latches...)
	})
	t.Run("page with commands", func(t *testing.T) {
		r, a := begin(t)
		r.skipTo(older)
		r.next(older) // the blocks for Terraform 1.7
		r.run(older, 0)
		r.isFinished()
		acctest.Prints(t, r.PlanIs(false), noChanges)
		a.Wrote(t)
		a.Holds(t, latches...)
	})
}

// readsTesting follows the page about mocks, without a key.
func readsTesting(t *testing.T) {
	t.Parallel()
	r := newReader(t, acctest.NewAccount(t), "testing")
	r.SkipWithoutMocks()
	r.Setenv(acctest.EnvAPIKey, "")
	r.save("Module", "main.tf")
	r.save("Tests", "tests/latches.tftest.hcl")
	r.compare("Tests", r.run("Tests", 0))
	r.isFinished()
}

// readsHubSpotExport follows the page from two exports to latches. The match and the configuration
// of the latches have folders of their own.
func readsHubSpotExport(t *testing.T) {
	t.Parallel()
	const export, match, declare = "1. Export the records", "2. Match", "4. Declare and apply"
	customer := func(id int64, name, reference, email string) fusebillsim.Customer {
		return fusebillsim.Customer{ID: id, CompanyName: name, Reference: reference, PrimaryEmail: email, Status: "Active"}
	}
	a := acctest.NewAccount(t,
		customer(2554529, "Stolen Bikes", "C-000123", "office@stolen-bikes.example"),
		customer(2554530, "Brown Coffee", "C-000124", "billing@brown-coffee.example"),
		customer(2554531, "Castillo Dental", "", "chloe@castillo-dental.example"),
		customer(2554532, "Doe Printing", "", ""))
	r := newReader(t, a, "hubspot-export")
	r.SkipBelow(1, 8, "functions of providers")
	r.save(export, "contacts.csv")
	r.save(export, "companies.csv")
	r.save(match, "match.tf")
	printed := r.run(match, 0, `"2554531 Castillo Dental" = [`, `"303 Chloé Castillo <chloe@castillo-dental.example>"`,
		`"2554532 Doe Printing"`)
	applied, _, _ := strings.Cut(printed, `"2554531`) // The last command prints the customers.
	acctest.Prints(t, applied, "matched = 2")
	if strings.Contains(applied, "@") {
		t.Errorf("The apply prints an email address:\n%s", applied)
	}
	latches := r.read("latches.csv")
	acctest.Prints(t, latches, `"2554530","102","203","Brown Coffee","Björn Brown `+
		`<Billing@Brown-Coffee.example>","Brown Coffee"`)
	if !strings.Contains(r.read("terraform.tfstate"), "@") {
		t.Error("The page warns of email addresses in the state of the match, and there are none.")
	}
	matching := r.guide
	r.guide = r.inside(t.TempDir())
	r.Write("latches.csv", latches)
	r.save(declare, "main.tf")
	r.run(declare, 0, "1 added")
	acctest.Prints(t, r.PlanIs(false), noChanges)
	if strings.Contains(r.read("terraform.tfstate"), "@") {
		t.Error("The state of the latches has an email address.")
	}
	r.guide = matching
	r.run("Stored data", 0)
	if left, _ := filepath.Glob(filepath.Join(r.Dir, "*.tfstate*")); left != nil {
		t.Errorf("The folder of the match still has %q.", left)
	}
	a.Holds(t, acctest.Customer{ID: 2554529, Contact: 101, Company: 202},
		acctest.Customer{ID: 2554530, Contact: 102, Company: 203},
		acctest.Customer{ID: 2554531}, acctest.Customer{ID: 2554532})
}

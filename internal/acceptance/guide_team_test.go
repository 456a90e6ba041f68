package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// These tests follow the guides for a team: one repository for the latches of 3,000 customers, and
// the daily work in it. They run the files of the guides with a local backend. The outputs in the
// guides are files of the examples, too. SHOWN=update writes these files again.

const (
	teamFolder       = "guides/team"
	exportingExample = "data-sources/fusebill_hubspot_latches/data-source.tf"
	localBackend     = "terraform {\n  backend \"local\" {}\n}\n"
)

// teamFiles are the files of the repository, without the workflow.
var teamFiles = []string{"backend.tf", "provider.tf", "latches.tf", "policy.jq", "policy.sh", "review.sh"}

// teamAccount is an account of 3,000 customers, of whom 2,950 are latched.
func teamAccount(t *testing.T) acctest.Account {
	t.Helper()
	a := acctest.NewAccount(t)
	for i, id := range a.AddSampleCustomers(3000)[:2950] {
		a.SetLatch(id, 101+int64(i), 500_000+int64(i))
	}
	return a
}

// newTeam is an empty repository with the files of the guide.
func newTeam(t *testing.T, a acctest.Account) guide {
	t.Helper()
	needs(t, "jq")
	g := newGuide(t, a, teamFolder)
	g.SkipBelow(1, 5, "import blocks")
	g.Install()
	g.use(teamFiles...)
	for _, script := range []string{"plan.sh", "apply.sh", "drift.sh"} {
		g.Write(script, readExample(t, "guides/pipelines/"+script))
	}
	g.Write("backend_override.tf", localBackend)
	g.Setenv("TF_CLI_ARGS_apply", "-no-color")
	return g
}

// takesOver follows the guide from its first step to a plan without changes.
func (g guide) takesOver(a acctest.Account) {
	t := g.T
	t.Helper()
	export := g.inside(t.TempDir())
	export.Write("main.tf", readExample(t, exportingExample))
	export.Run(0, "init")
	export.Run(0, "apply", "-auto-approve")
	g.Write("latches.csv", export.Run(0, "output", "-raw", "csv"))

	a.ResetCalls()
	g.add("import.tf")
	g.script(0, "review.sh")
	acctest.Prints(t, g.read("plan.txt"), "1 to import, 0 to add, 1 to change, 0 to destroy")
	g.script(0, "../pipelines/apply.sh")
	g.Remove("import.tf")
	acctest.Prints(t, g.script(0, "review.sh"), "Customers that the plan unlatches: 0.", "No changes")
	a.Wrote(t)
}

func (g guide) read(file string) string {
	g.T.Helper()
	text, err := os.ReadFile(filepath.Join(g.Dir, file))
	if err != nil {
		g.T.Fatal(err)
	}
	return string(text)
}

// edit replaces text in a file of the working directory.
func (g guide) edit(file string, oldnew ...string) {
	g.T.Helper()
	text := g.read(file)
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(text, oldnew[i]) {
			g.T.Fatalf("%s lacks %q", file, oldnew[i])
		}
	}
	g.Write(file, strings.NewReplacer(oldnew...).Replace(text))
}

// shows fails the test unless an output has the lines of a file that the guide shows.
func (g guide) shows(file, output string) {
	g.T.Helper()
	path := filepath.Join(examplesFolder, filepath.FromSlash(g.folder), file)
	if os.Getenv("SHOWN") == "update" {
		if err := os.WriteFile(path, []byte(strings.TrimSpace(output)+"\n"), 0o600); err != nil {
			g.T.Fatal(err)
		}
	}
	for line := range strings.Lines(readExample(g.T, g.folder+"/"+file)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			acctest.Prints(g.T, output, line)
		}
	}
}

// newTeamWithoutProvider is a repository with one latch, on a machine that has no provider and
// reaches no registry.
func newTeamWithoutProvider(t *testing.T) guide {
	t.Helper()
	g := newTeam(t, acctest.AccountWith(t, acctest.Customer{ID: 2554529, Contact: 101}))
	if g.CLI.IsOpenTofu() {
		t.Skip("The folder is named after the registry of Terraform.")
	}
	g.Write("latches.csv", "fusebill_id,hubspot_id,hubspot_company_id\n2554529,101,\n")
	g.Write("cli.tfrc", "")
	g.Setenv("TF_CLI_ARGS_init", "-plugin-dir=providers")
	return g
}

// fills runs a script that fills the folder of providers in a repository, for one platform where it
// builds the provider.
func (g guide) fills(repository guide, script string) {
	g.T.Helper()
	const path, platforms = "/path/to/repository", "linux_amd64 darwin_arm64"
	text := readExample(g.T, g.folder+"/"+script)
	if !strings.Contains(text, path) || strings.Contains(text, "go build") != strings.Contains(text, platforms) {
		g.T.Fatalf("%s has neither %s nor %s to replace", script, path, platforms)
	}
	text = strings.NewReplacer(path, repository.Dir, platforms, g.CLI.OS+"_"+g.CLI.Arch).Replace(text)
	file := filepath.Join(g.T.TempDir(), script)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		g.T.Fatal(err)
	}
	g.scriptAt(0, file)
}

func runTeam(t *testing.T, folder string) {
	t.Run("from an account to a pull request", func(t *testing.T) {
		t.Parallel()
		a := teamAccount(t)
		g := newTeam(t, a)
		g.takesOver(a)

		file := g.read("latches.csv")
		lines := strings.SplitAfter(file, "\n")
		g.Write("latches.csv", strings.Join(lines[:2000], "")) // The file was cut off.
		acctest.Prints(t, g.script(1, "review.sh"), "There is no plan.", "Too many HubSpot latches would be removed")
		g.Write("latches.csv", strings.Replace(file, "hubspot_id,hubspot_company_id", "hubspot_company_id,hubspot_id", 1))
		acctest.Prints(t, g.script(1, "review.sh"), "Too many HubSpot latches would change")
		g.Write("latches.csv", strings.Replace(file, "2500000,101,500000,", "2500000,101,,\n2500000,,500000,", 1))
		acctest.Prints(t, g.script(1, "review.sh"), "A customer is on two lines of latches.csv.")
		g.Write("latches.csv", file+"2502960,,,\n")
		acctest.Prints(t, g.script(1, "review.sh"), "A line of latches.csv has neither a contact nor a company.")

		g.Write("latches.csv", strings.Join(lines[:2931], "")) // 20 lines less are within the limit.
		g.Setenv("MAX_UNLATCHED", "19")
		acctest.Prints(t, g.script(1, "review.sh"),
			"The plan is refused. The first customers are 2502930 2502931 2502932 2502933 2502934.")
		g.Setenv("MAX_UNLATCHED", "20")
		acctest.Prints(t, g.script(0, "review.sh"),
			"Customers that the plan unlatches: 20.", "This plan unlatches 20 customers")
		acctest.Prints(t, g.Run(1, "destroy", "-no-color", "-auto-approve"), "Instance cannot be destroyed")

		g.Remove("latches.tf") // Without its block, prevent_destroy does not keep the set.
		acctest.Prints(t, g.script(1, "review.sh"), "1 to destroy", "Customers that the plan unlatches: 2950.")
		if comment := g.read("comment.md"); len(comment) > 65_536 || !strings.HasSuffix(comment, "\n```\n\n</details>\n") {
			t.Errorf("the comment has %d bytes, or is cut off:\n%s", len(comment), comment)
		}

		g.Write("tfplan", "not a plan")
		g.script(1, "policy.sh")
		a.Wrote(t)
	})
	t.Run("first apply that ends with an error", func(t *testing.T) {
		t.Parallel()
		a := acctest.AccountWith(t, acctest.Customer{ID: 2554529})
		g := newTeam(t, a)
		g.Write("latches.csv", "fusebill_id,hubspot_id,hubspot_company_id\n2554529,101,\n2554530,102,\n")
		g.script(0, "review.sh")
		g.script(1, "../pipelines/apply.sh")
		acctest.Prints(t, g.script(1, "review.sh"), "Instance cannot be destroyed")
		g.Run(0, "untaint", "fusebill_hubspot_latches.crm")
		g.edit("latches.csv", "2554530,102,\n", "")
		g.script(0, "review.sh")
		g.script(0, "../pipelines/apply.sh")
		a.Holds(t, acctest.Customer{ID: 2554529, Contact: 101})
	})
	t.Run("parts", func(t *testing.T) {
		t.Parallel()
		const fixed, ofFile = `toset(["amer", "emea"])`, "toset(local.rows[*].part)"
		latches := []acctest.Customer{{ID: 2554529, Contact: 101}, {ID: 2554530, Contact: 102}}
		for i := range int64(30) {
			latches = append(latches, acctest.Customer{ID: 2600000 + i, Company: 1 + i})
		}
		a := acctest.AccountWith(t, latches...)
		g := newTeam(t, a)
		g.add("parts.tf")
		g.Remove("latches.tf")
		const amer = "part,fusebill_id,hubspot_id,hubspot_company_id\namer,2554529,101,\namer,2554530,102,\n"
		whole := amer
		for _, c := range latches[2:] {
			whole += fmt.Sprintf("emea,%d,,%d\n", c.ID, c.Company)
		}
		g.Write("latches.csv", whole)
		g.script(0, "review.sh")
		g.script(0, "../pipelines/apply.sh")
		g.Write("latches.csv", whole+"apac,2554531,103,\n")
		acctest.Prints(t, g.script(1, "review.sh"), "A line of latches.csv belongs to no part.")

		g.Write("latches.csv", amer) // The lines of a whole part are cut off.
		acctest.Prints(t, g.script(1, "review.sh"), "Too many HubSpot latches would be removed", "30 customers")
		g.edit("parts.tf", fixed, ofFile)
		acctest.Prints(t, g.script(1, "review.sh"), "Instance cannot be destroyed")
		g.edit("parts.tf", "prevent_destroy = true", "")
		acctest.Prints(t, g.script(1, "review.sh"),
			"1 to destroy", "Customers that the plan unlatches: 30.", "The plan is refused.")
	})
	t.Run("provider in the repository, from source", func(t *testing.T) {
		t.Parallel()
		g := newTeamWithoutProvider(t)
		source, err := filepath.Abs("../..")
		if err != nil {
			t.Fatal(err)
		}
		clone := g.inside(source)
		clone.keepGoCache()
		clone.fills(g, "providers-build.sh")
		g.Run(0, "providers", "lock", "-fs-mirror=providers", "-platform="+g.CLI.OS+"_"+g.CLI.Arch)
		g.script(0, "review.sh")
	})
	t.Run("provider in the repository, from a release", func(t *testing.T) {
		t.Parallel()
		g := newTeamWithoutProvider(t)
		downloads := g.inside(t.TempDir())
		downloads.makeRelease("0.1.0")
		downloads.fills(g, "providers.sh")
		g.script(0, "providers-lock.sh")
		if n := g.lockedHashes(); n < 2 {
			t.Errorf("the lock file has %d checksums, want one for each platform", n)
		}
		g.script(0, "review.sh")
	})
	t.Run("workflow", func(t *testing.T) {
		t.Parallel()
		p := readPipeline(t, folder+"/github-latches.yml")
		want := []string{
			"sh review.sh",
			`gh pr comment "$PULL_REQUEST" --edit-last --create-if-none --body-file comment.md`,
			"sh plan.sh", "sh policy.sh", "sh apply.sh",
		}
		if !slices.Equal(p.commands, want) {
			t.Errorf("the workflow runs %q, want %q", p.commands, want)
		}
	})
}

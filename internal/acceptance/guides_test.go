package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// guides are the tests of the guides whose examples are more than one configuration, by the folder
// of the examples. Each test runs all files of its folder with the CLI, in the order of the guide.
// TestAccExamples runs all other examples.
var guides = map[string]func(t *testing.T, folder string){
	"guides/coverage":         runCoverage,
	"guides/csv":              runCSV,
	"guides/hubspot-export":   runHubSpotExport,
	"guides/daily-work":       runDailyWork,
	"guides/importing":        runImporting,
	"guides/installing":       runInstalling,
	"guides/migrating":        runMigrating,
	"guides/moving":           runMoving,
	"guides/pipelines":        runPipelines,
	"guides/singles-and-sets": runSinglesAndSets,
	"guides/team":             runTeam,
	"guides/testing":          runTesting,
	"guides/yaml":             runYAML,
}

// threeLatches have each form of a latch: both IDs, only a company, and only a contact.
var threeLatches = []acctest.Customer{
	{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}, {ID: 2554531, Contact: 303},
}

func TestAccGuides(t *testing.T) {
	t.Parallel()
	for folder, run := range guides {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			run(t, folder)
		})
	}
}

// guide is a working directory for the files of a guide. The key and the URL of the account are in
// the environment.
type guide struct {
	*acctest.Workspace
	folder string
}

func newGuide(t *testing.T, a acctest.Account, folder string) guide {
	t.Helper()
	g := guide{Workspace: acctest.NewWorkspace(t, a), folder: folder}
	g.Remove("provider.tf") // The configurations of guides require the provider themselves.
	g.Setenv(acctest.EnvBaseURL, a.URL)
	// Scripts call terraform. This may be OpenTofu here.
	bin := t.TempDir()
	if err := os.Symlink(g.CLI.Path, filepath.Join(bin, "terraform")); err != nil {
		t.Fatal(err)
	}
	g.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return g
}

// use makes these files of the guide the whole configuration.
func (g guide) use(files ...string) {
	g.T.Helper()
	former, err := filepath.Glob(filepath.Join(g.Dir, "*.tf"))
	if err != nil {
		g.T.Fatal(err)
	}
	for _, file := range former {
		g.Remove(filepath.Base(file))
	}
	g.add(files...)
}

// add copies files of the guide into the working directory.
func (g guide) add(files ...string) {
	g.T.Helper()
	for _, file := range files {
		g.Write(filepath.Base(file), readExample(g.T, g.folder+"/"+file))
	}
}

// script runs a script of the guide and returns what it prints. It fails the test unless the script
// ends with this code.
func (g guide) script(code int, file string) string {
	g.T.Helper()
	path, err := filepath.Abs(filepath.Join(examplesFolder, g.folder, file))
	if err != nil {
		g.T.Fatal(err)
	}
	return g.scriptAt(code, path)
}

// scriptAt does the same for a script anywhere.
func (g guide) scriptAt(code int, path string) string {
	g.T.Helper()
	shell, err := exec.LookPath("sh")
	if err != nil {
		g.T.Skip("This guide has scripts, and there is no shell to run them.")
	}
	cmd, output := g.Command("-eu", path)
	cmd.Path = shell
	g.Ended(cmd, output, cmd.Run(), code)
	return output.String()
}

// settles fails the test unless a plan prints this text, its apply writes nothing to the account,
// and the remaining files then plan no change.
func (g guide) settles(a acctest.Account, prints string, remaining ...string) {
	g.T.Helper()
	a.ResetCalls()
	acctest.Prints(g.T, g.PlanIs(true), prints)
	g.Run(0, "apply", "-no-color", "tfplan")
	g.use(remaining...)
	g.PlanIs(false)
	a.Wrote(g.T)
}

// runMigrating makes latches with the former configuration and moves or imports them. Without
// either, the destroy of the former resource would remove them.
func runMigrating(t *testing.T, folder string) {
	readsMigrating(t)
	latches := []acctest.Customer{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}}
	before := func(t *testing.T) (guide, acctest.Account) {
		t.Helper()
		t.Parallel()
		needs(t, "curl")
		a := acctest.AccountWith(t, acctest.Customer{ID: 2554529}, acctest.Customer{ID: 2554530})
		g := newGuide(t, a, folder)
		g.SkipBelow(1, 4, "a former configuration with terraform_data")
		g.use("before.tf")
		g.Apply()
		a.Holds(t, latches...)
		a.ResetCalls()
		return g, a
	}
	t.Run("without moved or import blocks", func(t *testing.T) {
		g, a := before(t)
		g.Run(0, "plan", "-destroy", "-out=destroy")
		g.use("after.tf")
		acctest.Prints(t, g.PlanIs(true), "2 to add, 0 to change, 2 to destroy")
		g.use("before.tf")
		g.Run(0, "apply", "destroy")
		a.Holds(t, acctest.Customer{ID: 2554529}, acctest.Customer{ID: 2554530})
	})
	t.Run("moved", func(t *testing.T) {
		g, a := before(t)
		g.SkipWithoutMoves()
		g.use("after.tf", "moved.tf")
		g.settles(a, "0 to add, 0 to change, 0 to destroy", "after.tf")
		a.Holds(t, latches...)
	})
	t.Run("imported by blocks", func(t *testing.T) {
		g, a := before(t)
		g.SkipWithoutRemoved()
		g.use("after.tf", "import.tf")
		g.settles(a, "2 to import, 0 to add, 0 to change, 0 to destroy", "after.tf")
		a.Holds(t, latches...)
	})
	t.Run("other resources", func(t *testing.T) {
		t.Parallel()
		latches := threeLatches
		a := acctest.AccountWith(t, latches...)
		g := newGuide(t, a, folder)
		g.SkipWithoutMoves()
		// The attributes are in the form in which each provider writes them to the state.
		former := map[string]acctest.Foreign{
			"stolen_bikes": acctest.RestapiObject(`{
				"api_data": {"hubSpotCompanyId": "202", "hubSpotId": "101", "id": "2.554529e+06"},
				"api_response": "{\"hubSpotId\":101,\"hubSpotCompanyId\":202,\"id\":2554529}", "create_response": null,
				"data": "{\"fusebillId\":null,\"hubSpotCompanyId\":202,\"hubSpotId\":101,\"id\":2554529}",
				"id": "2554529", "path": "/customers"}`),
			"brown_coffee": acctest.RestfulResource(`{
				"body": {"value": {"fusebillId": 2554530, "hubSpotCompanyId": 203, "hubSpotId": null},
				"type": ["object", {"fusebillId": "number", "hubSpotCompanyId": "number", "hubSpotId": "dynamic"}]},
				"id": "/customers/2554530",
				"output": {"value": {"hubSpotCompanyId": 203, "hubSpotId": null, "id": 2554530},
				"type": ["object", {"hubSpotCompanyId": "number", "hubSpotId": "dynamic", "id": "number"}]},
				"path": "/HubSpot/latchCustomer"}`),
			"castillo_dental": acctest.NullResource(`{"id": "5577006791947779410",
				"triggers": {"fusebill_id": "2554531", "hubspot_id": "303", "hubspot_company_id": ""}}`),
		}
		var addresses, resources []string
		for name, from := range former {
			addresses = append(addresses, from.Provider)
			resources = append(resources, from.InState(name))
		}
		g.StandIn(addresses...)
		g.Write("terraform.tfstate", acctest.StateOf(resources...))
		g.use("others.tf")
		g.settles(a, "0 to add, 0 to change, 0 to destroy", "others.tf")
		a.Holds(t, latches...)
	})
}

// runTesting runs the tests of the module with the CLI. They pass with the module of the guide, and
// fail after each change that breaks it.
func runTesting(t *testing.T, folder string) {
	t.Run("page", readsTesting)
	a := acctest.AccountWith(t, acctest.Customer{ID: 2554529})
	g := newGuide(t, a, folder)
	g.SkipWithoutMocks()
	g.use("main.tf")
	g.Write("tests/latches.tftest.hcl", readExample(t, folder+"/tests/latches.tftest.hcl"))
	g.Setenv(acctest.EnvAPIKey, "")
	acctest.Prints(t, g.Run(0, "test", "-no-color"), "3 passed, 0 failed")

	module := readExample(t, folder+"/main.tf")
	for part, broken := range map[string]string{
		`each.value.hubspot_id != "" ? each.value.hubspot_id : null`: `202`,
		`row.hubspot_id != "" || `:                                   `true || `,
		`== length(csvdecode(var.csv))`:                              `> 0`,
	} {
		if !strings.Contains(module, part) {
			t.Errorf("the module lacks %s", part)
		}
		g.Write("main.tf", strings.Replace(module, part, broken, 1))
		acctest.Prints(t, g.Run(1, "test", "-no-color"), "Failure!")
	}
	if n := a.Count(); n > 0 {
		t.Errorf("the tests of the module made %d calls: %v", n, a.Calls())
	}
}

// runSinglesAndSets turns single latches into a set and back in each way of the guide, and moves
// one latch out of a set and back.
func runSinglesAndSets(t *testing.T, folder string) {
	latches := threeLatches
	start := func(t *testing.T) (guide, acctest.Account) {
		t.Helper()
		t.Parallel()
		a := acctest.AccountWith(t, latches...)
		g := newGuide(t, a, folder)
		g.use("latches.tf", "singles.tf")
		g.Apply()
		return g, a
	}
	t.Run("by blocks", func(t *testing.T) {
		g, a := start(t)
		g.SkipWithoutRemoved()
		g.use("latches.tf", "set.tf", "to-set.tf")
		g.settles(a, "1 to import, 0 to add, 0 to change, 0 to destroy", "latches.tf", "set.tf")
		g.use("latches.tf", "singles.tf", "to-singles.tf")
		g.settles(a, "3 to import, 0 to add, 0 to change, 0 to destroy", "latches.tf", "singles.tf")
		a.Holds(t, latches...)
	})
	t.Run("by commands", func(t *testing.T) {
		g, a := start(t)
		g.use("latches.tf", "set.tf")
		g.script(0, "to-set.sh")
		g.PlanIs(false)
		g.use("latches.tf", "singles.tf")
		g.script(0, "to-singles.sh")
		g.PlanIs(false)
		a.Wrote(t)
		a.Holds(t, latches...)
	})
	t.Run("without blocks and commands", func(t *testing.T) {
		g, a := start(t)
		for _, kind := range []string{"set.tf", "singles.tf"} {
			g.use("latches.tf", kind)
			g.Apply()
			g.PlanIs(false)
			a.Holds(t, latches...)
		}
	})
	t.Run("one out of a set and back", func(t *testing.T) {
		g, a := start(t)
		g.use("latches.tf", "set.tf")
		g.Apply()
		a.ResetCalls()
		g.use("latches.tf", "one-single.tf")
		g.script(0, "one-out.sh")
		g.PlanIs(false)
		g.use("latches.tf", "set.tf")
		g.Setenv("TF_CLI_ARGS_apply", "-auto-approve")
		acctest.Prints(t, g.script(0, "one-in.sh"), "0 added, 1 changed, 0 destroyed")
		g.PlanIs(false)
		a.Wrote(t)
		a.Holds(t, latches...)
	})
}

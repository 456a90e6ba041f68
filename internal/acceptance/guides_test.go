package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The guides whose examples take more than one configuration: the CLI goes through each as the guide tells it. The other
// examples are run by examples_test.go.

// guides are these guides, by the folder below the examples folder, and what runs all that is in it.
var guides = map[string]func(t *testing.T, folder string){
	"guides/csv":              runCSV,
	"guides/hubspot-export":   runHubSpotExport,
	"guides/daily-work":       runDailyWork,
	"guides/installing":       runInstalling,
	"guides/migrating":        runMigrating,
	"guides/moving":           runMoving,
	"guides/pipelines":        runPipelines,
	"guides/singles-and-sets": runSinglesAndSets,
	"guides/team":             runTeam,
	"guides/testing":          runTesting,
	"guides/yaml":             runYAML,
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

// guide is a working directory for what a guide shows. Key and URL of the account are in the environment.
type guide struct {
	*acctest.Workspace
	folder string
}

func newGuide(t *testing.T, a acctest.Account, folder string) guide {
	t.Helper()
	g := guide{Workspace: acctest.NewWorkspace(t, a), folder: folder}
	g.Remove("provider.tf") // Guides name the provider themselves.
	g.Setenv(acctest.EnvBaseURL, a.URL)
	// Scripts say terraform, whichever CLI is tested.
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

// script runs a script of the guide and returns what it prints. It fails the test unless the script ends with this code.
func (g guide) script(code int, file string) string {
	g.T.Helper()
	path, err := filepath.Abs(filepath.Join(examplesFolder, g.folder, file))
	if err != nil {
		g.T.Fatal(err)
	}
	cmd, output := g.Command("-eu", path)
	if cmd.Path, err = exec.LookPath("sh"); err != nil {
		g.T.Skip("This guide has scripts, and there is no shell to run them.")
	}
	g.Ended(cmd, output, cmd.Run(), code)
	return output.String()
}

// settles fails the test unless a plan says this and its apply writes nothing, and the files of the guide alone then plan
// nothing.
func (g guide) settles(a acctest.Account, says string, alone ...string) {
	g.T.Helper()
	a.ResetCalls()
	acctest.Prints(g.T, g.PlanIs(true), says)
	g.Run(0, "apply", "-no-color", "tfplan")
	g.use(alone...)
	g.PlanIs(false)
	a.Wrote(g.T)
}

// The former resource is real, down to the destroy that would remove the latch.
func runMigrating(t *testing.T, folder string) {
	latches := []acctest.Customer{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}}
	before := func(t *testing.T) (guide, acctest.Account) {
		t.Helper()
		t.Parallel()
		if _, err := exec.LookPath("curl"); err != nil {
			t.Skip("This guide's former configuration calls curl, which isn't there.")
		}
		a := acctest.AccountWith(t, acctest.Customer{ID: 2554529}, acctest.Customer{ID: 2554530})
		g := newGuide(t, a, folder)
		g.SkipBelow(1, 4, "a former configuration with terraform_data")
		g.use("before.tf")
		g.Apply()
		a.Holds(t, latches...)
		a.ResetCalls()
		return g, a
	}
	t.Run("neither moved nor imported", func(t *testing.T) {
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
	t.Run("imported by commands", func(t *testing.T) {
		g, a := before(t)
		g.use("after.tf")
		g.script(0, "import.sh")
		g.PlanIs(false)
		a.Wrote(t)
		a.Holds(t, latches...)
	})
	t.Run("others", func(t *testing.T) {
		t.Parallel()
		latches := []acctest.Customer{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}, {ID: 2554531, Contact: 303}}
		a := acctest.AccountWith(t, latches...)
		g := newGuide(t, a, folder)
		g.SkipWithoutMoves()
		former := map[string]acctest.Foreign{ // as their providers write them, see movable
			"stolen_bikes": acctest.RestapiObject(`{"api_data": {"hubSpotCompanyId": "202", "hubSpotId": "101", "id": "2.554529e+06"},
				"api_response": "{\"hubSpotId\":101,\"hubSpotCompanyId\":202,\"id\":2554529}", "create_response": null,
				"data": "{\"fusebillId\":null,\"hubSpotCompanyId\":202,\"hubSpotId\":101,\"id\":2554529}", "id": "2554529", "path": "/customers"}`),
			"brown_coffee": acctest.RestfulResource(`{"body": {"value": {"fusebillId": 2554530, "hubSpotCompanyId": 203, "hubSpotId": null},
				"type": ["object", {"fusebillId": "number", "hubSpotCompanyId": "number", "hubSpotId": "dynamic"}]},
				"id": "/customers/2554530", "output": {"value": {"hubSpotCompanyId": 203, "hubSpotId": null, "id": 2554530},
				"type": ["object", {"hubSpotCompanyId": "number", "hubSpotId": "dynamic", "id": "number"}]}, "path": "/HubSpot/latchCustomer"}`),
			"castillo_dental": acctest.NullResource(`{"id": "5577006791947779410", "triggers": {"fusebill_id": "2554531", "hubspot_id": "303", "hubspot_company_id": ""}}`),
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

// The CLI's own test runner tests the module, and would find it broken.
func runTesting(t *testing.T, folder string) {
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
		t.Errorf("%d calls were made: %v", n, a.Calls())
	}
}

// Both ways, by blocks and by commands, and a single latch out of a set and back.
func runSinglesAndSets(t *testing.T, folder string) {
	latches := []acctest.Customer{{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 203}, {ID: 2554531, Contact: 303}}
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
	t.Run("by neither", func(t *testing.T) {
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

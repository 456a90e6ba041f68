package provider

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The guides whose examples take more than one configuration: the CLI goes through each as the guide tells it. The other
// examples are run by examples_test.go.

// guides are these guides, by the folder below the examples folder, and what runs all that is in it.
var guides = map[string]func(t *testing.T, folder string){
	"guides/installing":       runInstalling,
	"guides/migrating":        runMigrating,
	"guides/pipelines":        runPipelines,
	"guides/singles-and-sets": runSinglesAndSets,
	"guides/testing":          runTesting,
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
	*cli
	folder string
}

func newGuide(t *testing.T, a account, folder string) guide {
	t.Helper()
	g := guide{cli: newCLI(t, a), folder: folder}
	g.remove("provider.tf") // Guides name the provider themselves.
	g.setenv(envBaseURL, a.url)
	// Scripts say terraform, whichever CLI is tested.
	bin := t.TempDir()
	path, err := exec.LookPath(g.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(bin, "terraform")); err != nil {
		t.Fatal(err)
	}
	g.setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return g
}

func (c *cli) remove(name string) {
	c.t.Helper()
	if err := os.Remove(filepath.Join(c.dir, name)); err != nil {
		c.t.Fatal(err)
	}
}

// use makes these files of the guide the whole configuration.
func (g guide) use(files ...string) {
	g.t.Helper()
	former, err := filepath.Glob(filepath.Join(g.dir, "*.tf"))
	if err != nil {
		g.t.Fatal(err)
	}
	for _, file := range former {
		g.remove(filepath.Base(file))
	}
	g.add(files...)
}

// add copies files of the guide into the working directory.
func (g guide) add(files ...string) {
	g.t.Helper()
	for _, file := range files {
		g.write(filepath.Base(file), readExample(g.t, g.folder+"/"+file))
	}
}

// script runs a script of the guide and returns what it prints. It fails the test unless the script ends with this code.
func (g guide) script(code int, file string) string {
	g.t.Helper()
	path, err := filepath.Abs(filepath.Join(examplesFolder, g.folder, file))
	if err != nil {
		g.t.Fatal(err)
	}
	cmd, output := g.command("-eu", path)
	if cmd.Path, err = exec.LookPath("sh"); err != nil {
		g.t.Skip("This guide has scripts, and there is no shell to run them.")
	}
	g.ended(cmd, output, cmd.Run(), code)
	return output.String()
}

// settles fails the test unless a plan says this and its apply writes nothing, and the files of the guide alone then plan
// nothing.
func (g guide) settles(a account, says string, alone ...string) {
	g.t.Helper()
	a.ResetCalls()
	prints(g.t, g.planIs(true), says)
	g.run(0, "apply", "-no-color", "tfplan")
	g.use(alone...)
	g.planIs(false)
	a.wrote(g.t)
}

// The former resource is real, down to the destroy that would remove the latch.
func runMigrating(t *testing.T, folder string) {
	latches := []held{{2554529, 101, 202}, {2554530, 0, 203}}
	before := func(t *testing.T) (guide, account) {
		t.Helper()
		t.Parallel()
		if _, err := exec.LookPath("curl"); err != nil {
			t.Skip("This guide's former configuration calls curl, which isn't there.")
		}
		a := accountWith(t, held{2554529, 0, 0}, held{2554530, 0, 0})
		g := newGuide(t, a, folder)
		g.skipBelow(1, 4, "a former configuration with terraform_data")
		g.use("before.tf")
		g.apply()
		a.holds(t, latches...)
		a.ResetCalls()
		return g, a
	}
	t.Run("neither moved nor imported", func(t *testing.T) {
		g, a := before(t)
		g.run(0, "plan", "-destroy", "-out=destroy")
		g.use("after.tf")
		prints(t, g.planIs(true), "2 to add, 0 to change, 2 to destroy")
		g.use("before.tf")
		g.run(0, "apply", "destroy")
		a.holds(t, held{2554529, 0, 0}, held{2554530, 0, 0})
	})
	t.Run("moved", func(t *testing.T) {
		g, a := before(t)
		g.skipWithoutMoves()
		g.use("after.tf", "moved.tf")
		g.settles(a, "0 to add, 0 to change, 0 to destroy", "after.tf")
		a.holds(t, latches...)
	})
	t.Run("imported by blocks", func(t *testing.T) {
		g, a := before(t)
		g.skipWithoutRemoved()
		g.use("after.tf", "import.tf")
		g.settles(a, "2 to import, 0 to add, 0 to change, 0 to destroy", "after.tf")
		a.holds(t, latches...)
	})
	t.Run("imported by commands", func(t *testing.T) {
		g, a := before(t)
		g.use("after.tf")
		g.script(0, "import.sh")
		g.planIs(false)
		a.wrote(t)
		a.holds(t, latches...)
	})
	t.Run("others", func(t *testing.T) {
		t.Parallel()
		latches := []held{{2554529, 101, 202}, {2554530, 0, 203}, {2554531, 303, 0}}
		a := accountWith(t, latches...)
		g := newGuide(t, a, folder)
		g.skipWithoutMoves()
		former := map[string]moved{ // as their providers write them, see movable
			"stolen_bikes": restapiObject(`{"api_data": {"hubSpotCompanyId": "202", "hubSpotId": "101", "id": "2.554529e+06"},
				"api_response": "{\"hubSpotId\":101,\"hubSpotCompanyId\":202,\"id\":2554529}", "create_response": null,
				"data": "{\"fusebillId\":null,\"hubSpotCompanyId\":202,\"hubSpotId\":101,\"id\":2554529}", "id": "2554529", "path": "/customers"}`),
			"brown_coffee": restfulResource(`{"body": {"value": {"fusebillId": 2554530, "hubSpotCompanyId": 203, "hubSpotId": null},
				"type": ["object", {"fusebillId": "number", "hubSpotCompanyId": "number", "hubSpotId": "dynamic"}]},
				"id": "/customers/2554530", "output": {"value": {"hubSpotCompanyId": 203, "hubSpotId": null, "id": 2554530},
				"type": ["object", {"hubSpotCompanyId": "number", "hubSpotId": "dynamic", "id": "number"}]}, "path": "/HubSpot/latchCustomer"}`),
			"castillo_dental": nullResource(`{"id": "5577006791947779410", "triggers": {"fusebill_id": "2554531", "hubspot_id": "303", "hubspot_company_id": ""}}`),
		}
		var addresses, resources []string
		for name, from := range former {
			addresses = append(addresses, from.provider)
			resources = append(resources, from.inState(name))
		}
		g.standIn(addresses...)
		g.write("terraform.tfstate", stateOf(resources...))
		g.use("others.tf")
		g.settles(a, "0 to add, 0 to change, 0 to destroy", "others.tf")
		a.holds(t, latches...)
	})
}

// inState is a resource as a state file has it.
func (m moved) inState(name string) string {
	return fmt.Sprintf(`{"mode": "managed", "type": %q, "name": %q, "provider": "provider[\"%s\"]",
		"instances": [{"schema_version": 0, "attributes": %s}]}`, m.typeName, name, m.provider, m.state)
}

// stateOf is a state file of these resources.
func stateOf(resources ...string) string {
	return fmt.Sprintf(`{"version": 4, "terraform_version": "1.8.0", "serial": 1, "lineage": "4543e38f-961e-8273-cb02-2575685471cd",
		"outputs": {}, "resources": [%s]}`, strings.Join(resources, ","))
}

// skipWithoutRemoved skips a test of removed blocks with destroy = false, which OpenTofu has had only since 1.10.
func (c *cli) skipWithoutRemoved() {
	c.t.Helper()
	minor := 7
	if c.isOpenTofu() {
		minor = 10
	}
	c.skipBelow(1, minor, "removed blocks with destroy = false")
}

// The CLI's own test runner tests the module, and would find it broken.
func runTesting(t *testing.T, folder string) {
	a := accountWith(t, held{2554529, 0, 0})
	g := newGuide(t, a, folder)
	minor := 7
	if g.isOpenTofu() {
		minor = 8
	}
	g.skipBelow(1, minor, "mocks of providers")
	g.use("main.tf")
	g.write("tests/latches.tftest.hcl", readExample(t, folder+"/tests/latches.tftest.hcl"))
	g.setenv(envAPIKey, "")
	prints(t, g.run(0, "test", "-no-color"), "3 passed, 0 failed")

	module := readExample(t, folder+"/main.tf")
	for part, broken := range map[string]string{
		`each.value.hubspot_id != "" ? each.value.hubspot_id : null`: `202`,
		`row.hubspot_id != "" || `:                                   `true || `,
		`== length(csvdecode(var.csv))`:                              `> 0`,
	} {
		if !strings.Contains(module, part) {
			t.Errorf("the module lacks %s", part)
		}
		g.write("main.tf", strings.Replace(module, part, broken, 1))
		prints(t, g.run(1, "test", "-no-color"), "Failure!")
	}
	if n := a.Count(); n > 0 {
		t.Errorf("%d calls were made: %v", n, a.Calls())
	}
}

// Both ways, by blocks and by commands, and a single latch out of a set and back.
func runSinglesAndSets(t *testing.T, folder string) {
	latches := []held{{2554529, 101, 202}, {2554530, 0, 203}, {2554531, 303, 0}}
	start := func(t *testing.T) (guide, account) {
		t.Helper()
		t.Parallel()
		a := accountWith(t, latches...)
		g := newGuide(t, a, folder)
		g.use("latches.tf", "singles.tf")
		g.apply()
		return g, a
	}
	t.Run("by blocks", func(t *testing.T) {
		g, a := start(t)
		g.skipWithoutRemoved()
		g.use("latches.tf", "set.tf", "to-set.tf")
		g.settles(a, "1 to import, 0 to add, 0 to change, 0 to destroy", "latches.tf", "set.tf")
		g.use("latches.tf", "singles.tf", "to-singles.tf")
		g.settles(a, "3 to import, 0 to add, 0 to change, 0 to destroy", "latches.tf", "singles.tf")
		a.holds(t, latches...)
	})
	t.Run("by commands", func(t *testing.T) {
		g, a := start(t)
		g.use("latches.tf", "set.tf")
		g.script(0, "to-set.sh")
		g.planIs(false)
		g.use("latches.tf", "singles.tf")
		g.script(0, "to-singles.sh")
		g.planIs(false)
		a.wrote(t)
		a.holds(t, latches...)
	})
	t.Run("by neither", func(t *testing.T) {
		g, a := start(t)
		for _, kind := range []string{"set.tf", "singles.tf"} {
			g.use("latches.tf", kind)
			g.apply()
			g.planIs(false)
			a.holds(t, latches...)
		}
	})
	t.Run("one out of a set and back", func(t *testing.T) {
		g, a := start(t)
		g.use("latches.tf", "set.tf")
		g.apply()
		a.ResetCalls()
		g.use("latches.tf", "one-single.tf")
		g.script(0, "one-out.sh")
		g.planIs(false)
		g.use("latches.tf", "set.tf")
		g.setenv("TF_CLI_ARGS_apply", "-auto-approve")
		prints(t, g.script(0, "one-in.sh"), "0 added, 1 changed, 0 destroyed")
		g.planIs(false)
		a.wrote(t)
		a.holds(t, latches...)
	})
}

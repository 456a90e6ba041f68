package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// These tests run the scripts of the pipelines. They read the file of each pipeline for its
// commands and its environment, because no test can run the file itself.

// pipeline is the content of the file of a pipeline.
type pipeline struct {
	commands []string
	env      map[string]string // of all jobs together
}

var (
	pipelineCommand = regexp.MustCompile(`(?m)^ *(?:- )?(?:run: |script:\n +- )(.+)$`)
	pipelineSetting = regexp.MustCompile(`(?m)^ +(TF_\w+): "(.*)"$`)
	pipelineAction  = regexp.MustCompile(`(?m)^.*\buses: (.+)$`)
	pinnedAction    = regexp.MustCompile(`^[a-z-]+/[a-z-]+@v\d+$`)
)

func readPipeline(t *testing.T, file string) pipeline {
	t.Helper()
	text := readExample(t, file)
	p := pipeline{env: map[string]string{}}
	for _, match := range pipelineCommand.FindAllStringSubmatch(text, -1) {
		p.commands = append(p.commands, match[1])
	}
	for _, match := range pipelineSetting.FindAllStringSubmatch(text, -1) {
		p.env[match[1]] = match[2]
	}
	for _, match := range pipelineAction.FindAllStringSubmatch(text, -1) {
		if !pinnedAction.MatchString(match[1]) {
			t.Errorf("%s: action %s is not pinned to a version", file, match[1])
		}
	}
	// A command in another form would not be tested.
	if n := strings.Count(text, "run:") + strings.Count(text, "script:"); n != len(p.commands) {
		t.Errorf("%s: found %d commands, but %d keys run or script", file, len(p.commands), n)
	}
	return p
}

func runPipelines(t *testing.T, folder string) {
	t.Run("check.sh", func(t *testing.T) {
		t.Parallel()
		refusesWarnings(t, folder)
	})
	for file, commands := range map[string][]string{
		"github-drift.yml": {"sh drift.sh"},
		"github-apply.yml": {"sh plan.sh", "sh apply.sh"},
		"gitlab-ci.yml":    {"sh drift.sh", "sh plan.sh", "sh apply.sh"},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			p := readPipeline(t, folder+"/"+file)
			if !slices.Equal(p.commands, commands) {
				t.Fatalf("%s runs %q, want %q", file, p.commands, commands)
			}
			a := acctest.AccountWith(t, acctest.Customer{ID: 2554529})
			g := newGuide(t, a, folder)
			g.Install()
			g.use("main.tf")
			g.Setenv("TF_CLI_ARGS_plan", "-no-color")
			g.Setenv("TF_CLI_ARGS_apply", "-no-color")
			for name, value := range p.env {
				g.Setenv(name, value)
			}
			g.runsPipeline(a, commands)
		})
	}
}

// refusesWarnings runs the script that fails a pull request on the errors and warnings of its plan.
func refusesWarnings(t *testing.T, folder string) {
	t.Helper()
	a := acctest.AccountWith(t, acctest.Customer{ID: 2554529, Contact: 999}, acctest.Customer{ID: 2554530})
	g := newGuide(t, a, folder)
	g.Install()
	g.use("main.tf")
	g.Setenv("TF_CLI_ARGS_show", "-no-color")
	acctest.Prints(t, g.script(1, "check.sh"), "1 to add", `"severity":"warning"`, `"summary":"Customer is already latched"`)
	a.SetLatch(2554529, 0, 0)
	acctest.Prints(t, g.script(0, "check.sh"), "1 to add")
	a.SetLatch(2554530, 101, 0)
	acctest.Prints(t, g.script(1, "check.sh"), `"summary":"HubSpot contact is latched to another customer"`)
	g.Write("twice.tf", acctest.Customer{ID: 2554530, Contact: 101}.Block())
	acctest.Prints(t, g.script(1, "check.sh"), `"severity":"error"`, `"summary":"HubSpot contact is declared twice"`)
	a.Wrote(t)
}

// runsPipeline runs the scripts of a pipeline in each situation that they distinguish. If the
// pipeline only applies or only looks for drift, the test makes the other half itself.
func (g guide) runsPipeline(a acctest.Account, commands []string) {
	t := g.T
	t.Helper()
	const noOutput = -1 // The script passes no exit code to GitHub.
	github := filepath.Join(g.Dir, "github-output")
	g.Setenv("GITHUB_OUTPUT", github)
	var printed strings.Builder
	run := func(script string, code, passed int, prints ...string) {
		t.Helper()
		output := g.script(code, script)
		acctest.Prints(t, output, prints...)
		printed.WriteString(output)
		if passed == noOutput {
			return
		}
		if got, err := os.ReadFile(github); string(got) != fmt.Sprintf("exitcode=%d\n", passed) {
			t.Errorf("%s passed %q to GitHub (%v), want exit code %d", script, got, err, passed)
		}
		g.Remove(filepath.Base(github))
	}
	declared := acctest.Customer{ID: 2554529, Contact: 101, Company: 202}
	drifts := slices.Contains(commands, "sh drift.sh")
	applies := slices.Contains(commands, "sh apply.sh")

	if applies {
		run("plan.sh", 0, 2, "1 to add, 0 to change, 0 to destroy")
		g.keepsKey("tfplan")
		run("apply.sh", 0, noOutput, "1 added")
		run("plan.sh", 0, 0, "No changes")
	} else {
		g.Run(0, "init")
		g.Apply()
	}
	a.Holds(t, declared)

	a.ResetCalls()
	if drifts {
		run("drift.sh", 0, 0, "All latches are as declared.")
	}
	a.SetLatch(2554529, 999, 0)
	if drifts {
		run("drift.sh", 2, 2, `hubspot_id = "999" -> "101"`, "Latches have drifted.")
	}
	a.Wrote(t)

	if applies {
		run("plan.sh", 0, 2, "0 to add, 1 to change, 0 to destroy")
		g.Run(0, "apply", "-refresh-only", "-auto-approve") // Somebody else changes the state.
		run("apply.sh", 1, noOutput, "Saved plan is stale")
		a.Wrote(t)
		run("plan.sh", 0, 2, "0 to add, 1 to change, 0 to destroy")
		run("apply.sh", 0, noOutput, "1 changed")
		a.Holds(t, declared)
	}

	g.Setenv(acctest.EnvBaseURL, acctest.NobodyURL+"/v1")
	// Without retries, because waits between retries are as long here as for users.
	g.Write("provider_override.tf", acctest.ProviderBlock("max_retries = 0"))
	if applies {
		run("plan.sh", 1, 1, "Error: ", "connection refused")
	}
	if drifts {
		run("drift.sh", 1, 1, "Error: ", "connection refused", "The check could not be made.")
	}
	g.Write("printed", printed.String())
	g.keepsKey("printed")
}

// keepsKey fails the test if a file holds a part of the key.
func (g guide) keepsKey(file string) {
	g.T.Helper()
	dir := g.T.TempDir()
	if err := os.Link(filepath.Join(g.Dir, file), filepath.Join(dir, file)); err != nil {
		g.T.Fatal(err)
	}
	acctest.KeepsKey(g.T, acctest.FilesBelow(g.T, dir))
}

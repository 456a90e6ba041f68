package provider

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// The commands of a pipeline are in scripts, which run here as they run there. Its file is read for what it calls, and in
// which environment.

// pipeline is what a test needs to know of a pipeline's file.
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
			t.Errorf("%s: action %s isn't pinned", file, match[1])
		}
	}
	// Nothing else may run, or it would be untested.
	if n := strings.Count(text, "run:") + strings.Count(text, "script:"); n != len(p.commands) {
		t.Errorf("%s: found %d commands in %d places", file, len(p.commands), n)
	}
	return p
}

func runPipelines(t *testing.T, folder string) {
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
			a := accountWith(t, held{2554529, 0, 0})
			g := newGuide(t, a, folder)
			g.install()
			g.use("main.tf")
			g.setenv("TF_CLI_ARGS_plan", "-no-color")
			g.setenv("TF_CLI_ARGS_apply", "-no-color")
			for name, value := range p.env {
				g.setenv(name, value)
			}
			g.runsPipeline(a, commands)
		})
	}
}

// runsPipeline goes through what a pipeline has to tell apart. What its own scripts don't do, another pipeline does.
func (g guide) runsPipeline(a account, commands []string) {
	t := g.t
	t.Helper()
	const nothing = -1 // is told to GitHub
	github := filepath.Join(g.dir, "github-output")
	g.setenv("GITHUB_OUTPUT", github)
	var printed strings.Builder
	run := func(script string, code, told int, says ...string) {
		t.Helper()
		output := g.script(code, script)
		prints(t, output, says...)
		printed.WriteString(output)
		if told == nothing {
			return
		}
		if got, err := os.ReadFile(github); string(got) != fmt.Sprintf("exitcode=%d\n", told) {
			t.Errorf("%s told GitHub %q (%v), want exit code %d", script, got, err, told)
		}
		g.remove(filepath.Base(github))
	}
	declared := held{2554529, 101, 202}
	drifts := slices.Contains(commands, "sh drift.sh")
	applies := slices.Contains(commands, "sh apply.sh")

	if applies {
		run("plan.sh", 0, 2, "1 to add, 0 to change, 0 to destroy")
		g.keepsKey("tfplan")
		run("apply.sh", 0, nothing, "1 added")
		run("plan.sh", 0, 0, "No changes")
	} else {
		g.run(0, "init")
		g.apply()
	}
	a.holds(t, declared)

	a.ResetCalls()
	if drifts {
		run("drift.sh", 0, 0, "All latches are as declared.")
	}
	a.SetLatch(2554529, 999, 0)
	if drifts {
		run("drift.sh", 2, 2, "hubspot_id = 999 -> 101", "Latches have drifted")
	}
	a.wrote(t)

	if applies {
		run("plan.sh", 0, 2, "0 to add, 1 to change, 0 to destroy")
		g.run(0, "apply", "-refresh-only", "-auto-approve") // Someone is faster, and changes the state.
		run("apply.sh", 1, nothing, "Saved plan is stale")
		a.wrote(t)
		run("plan.sh", 0, 2, "0 to add, 1 to change, 0 to destroy")
		run("apply.sh", 0, nothing, "1 changed")
		a.holds(t, declared)
	}

	g.setenv(envBaseURL, nobodyURL+"/v1")
	g.write("provider_override.tf", providerBlock("max_retries = 0")) // Waits between retries are as long here as for users.
	if applies {
		run("plan.sh", 1, 1, "Error: ", "connection refused")
	}
	if drifts {
		run("drift.sh", 1, 1, "Error: ", "connection refused", "Whether latches have drifted couldn't be told")
	}
	g.write("printed", printed.String())
	g.keepsKey("printed")
}

// keepsKey fails the test if a file holds a part of the key.
func (g guide) keepsKey(file string) {
	g.t.Helper()
	dir := g.t.TempDir()
	if err := os.Link(filepath.Join(g.dir, file), filepath.Join(dir, file)); err != nil {
		g.t.Fatal(err)
	}
	for name, text := range filesBelow(g.t, dir) {
		for _, secret := range secrets(testKey) {
			if strings.Contains(text, secret) {
				g.t.Errorf("%s holds %q of the key", name, secret)
			}
		}
	}
}

// install makes init find the built provider, as if it came from the registry. Runs without init need no such thing.
func (c *cli) install() {
	c.t.Helper()
	binary, err := builtProvider()
	if err != nil {
		c.t.Fatal(err)
	}
	host, source, _ := strings.Cut(Address, "/")
	host = cmp.Or(os.Getenv(resource.EnvTfAccProviderHost), host) // OpenTofu's is another.
	mirror := c.t.TempDir()
	dir := filepath.Join(mirror, host, filepath.FromSlash(source), "0.0.1", runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(dir, filepath.Base(binary)+"_v0.0.1")); err != nil {
		c.t.Fatal(err)
	}
	c.write("cli.tfrc", block("provider_installation", fmt.Sprintf("filesystem_mirror {\n    path = %q\n  }", mirror)))
}

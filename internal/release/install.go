package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// apiKey opens the simulated account.
const apiKey = "MDpUZUtkTm5GUklCWHVETDdEeHRwWWxTWHBmS3RIRjR2VUNzTWVoR0FrV3ZqN0ZBYzlRZVdKS1k0MHV2U3dNRkxa"

// guide holds what the guide "Installing without a registry" shows.
const guide = "examples/guides/installing"

// install goes the way of that guide, by its own scripts and files, from the packages to a plan in an empty folder. What it
// leaves out needs a signature.
func (r release) install(ctx context.Context) (err error) {
	if r.packages[runtime.GOOS+"_"+runtime.GOARCH] == "" {
		return fmt.Errorf("there is no package for this machine, %s_%s", runtime.GOOS, runtime.GOARCH)
	}
	c, err := acctest.Find(ctx)
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "fusebill-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	if err := r.prepare(home, c); err != nil {
		return err
	}
	account := fusebillsim.New(fusebillsim.Config{APIKey: apiKey})
	account.AddCustomers(fusebillsim.Customer{ID: 2554529})
	server := httptest.NewServer(account)
	defer server.Close()

	for _, command := range []struct {
		folder string
		args   []string
		shows  string
	}{
		{r.folder, script("checksums.sh"), ".zip: OK"},
		{r.folder, script("mirror.sh"), ""},
		{home, []string{"terraform", "init", "-no-color", "-input=false"}, "Installed " + acctest.Source + " v" + r.version},
		{home, []string{"terraform", "plan", "-no-color", "-input=false"}, "Plan: 1 to add, 0 to change, 0 to destroy."},
		{home, script("lock.sh"), ""},
	} {
		output, err := runAt(ctx, home, command.folder, server.URL+"/v1", command.args)
		if err == nil && !strings.Contains(output, command.shows) {
			err = fmt.Errorf("it should print %q", command.shows)
		}
		if err != nil {
			return fmt.Errorf("%s: %w:\n%s", strings.Join(command.args, " "), err, output)
		}
	}
	if err := r.checkLock(home); err != nil {
		return err
	}
	fmt.Printf("%s is installed from its zip, with checksums for all platforms of the guide in the lock file, and plans.\n", acctest.Source)
	return nil
}

// script is a command that runs a script of the guide.
func script(name string) []string {
	path, err := filepath.Abs(filepath.Join(guide, name))
	if err != nil {
		path = name // The shell says what is wrong.
	}
	return []string{"sh", "-eu", path}
}

// prepare writes the guide's files into a home folder, with the folder and the version in place of the guide's, and makes
// the CLI to be found there as terraform, as the scripts call it.
func (r release) prepare(home string, c acctest.CLI) error {
	for from, to := range map[string]struct{ name, theirs, ours string }{
		"mirror.tfrc": {"settings.tfrc", "/home/you", filepath.ToSlash(home)},
		"main.tf":     {"main.tf", `"0.1.0"`, fmt.Sprintf("%q", r.version)},
	} {
		text, err := os.ReadFile(filepath.Join(guide, from))
		if err != nil {
			return err
		}
		if !strings.Contains(string(text), to.theirs) {
			return fmt.Errorf("%s doesn't name %s", from, to.theirs)
		}
		text = []byte(strings.Replace(string(text), to.theirs, to.ours, 1))
		if err := os.WriteFile(filepath.Join(home, to.name), text, 0o600); err != nil {
			return err
		}
	}
	return os.Symlink(c.Path, filepath.Join(home, "terraform"))
}

func runAt(ctx context.Context, home, folder, baseURL string, args []string) (string, error) {
	program := args[0]
	if program == "terraform" {
		program = filepath.Join(home, program)
	}
	command := exec.CommandContext(ctx, program, args[1:]...)
	command.Dir = folder
	command.Env = append(os.Environ(), "HOME="+home, "PATH="+home+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"TF_CLI_CONFIG_FILE="+filepath.Join(home, "settings.tfrc"), "CHECKPOINT_DISABLE=1",
		"FUSEBILL_API_KEY="+apiKey, "FUSEBILL_BASE_URL="+baseURL)
	output, err := command.CombinedOutput()
	return string(output), err
}

var lockedHash = regexp.MustCompile(`"h1:[A-Za-z0-9+/=]+"`)

// checkLock makes sure that the CLI has noted which bytes it takes, for each of the three platforms of the guide.
func (r release) checkLock(folder string) error {
	lock, err := os.ReadFile(filepath.Join(folder, ".terraform.lock.hcl"))
	if err != nil {
		return err
	}
	if !strings.Contains(string(lock), acctest.Source) || !strings.Contains(string(lock), r.version) || len(lockedHash.FindAll(lock, -1)) < 3 {
		return fmt.Errorf("the lock file lacks the provider's version or checksums:\n%s", lock)
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// cli is the Terraform or OpenTofu CLI of this machine.
type cli struct {
	path     string // absolute
	name     string // as a user types it
	product  string
	version  string
	os, arch string
	registry string // the host that provider addresses without one belong to
}

// result is what a command of the CLI came to.
type result struct {
	exit   int
	output string
}

// howToGetCLI is one line for a machine that has none.
const howToGetCLI = "no Terraform CLI found: install Terraform 1.0 or later (developer.hashicorp.com/terraform/install) or OpenTofu 1.6 " +
	"or later (opentofu.org/docs/intro/install), or set TF_ACC_TERRAFORM_PATH"

// findCLI takes the CLI that the tests take too: the one that TF_ACC_TERRAFORM_PATH names, else terraform, else tofu.
func findCLI(ctx context.Context) (cli, error) {
	if chosen := os.Getenv("TF_ACC_TERRAFORM_PATH"); chosen != "" {
		c, err := openCLI(ctx, chosen)
		if err != nil {
			return cli{}, fmt.Errorf("TF_ACC_TERRAFORM_PATH: %w", err)
		}
		return c, nil
	}
	for _, name := range []string{"terraform", "tofu"} {
		c, err := openCLI(ctx, name)
		if !errors.Is(err, exec.ErrNotFound) {
			return c, err
		}
	}
	return cli{}, errors.New(howToGetCLI)
}

// versionText is how both CLIs answer to "version", since 1.0.
var versionText = regexp.MustCompile(`^(Terraform|OpenTofu) v(\S+)\s+on ([a-z0-9]+)_([a-z0-9]+)`)

// openCLI finds out which CLI this is. It has to: the two take providers from different registries.
func openCLI(ctx context.Context, name string) (cli, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return cli{}, err
	}
	if path, err = filepath.Abs(path); err != nil { // Its commands run in another folder.
		return cli{}, err
	}
	c := cli{path: path}
	answer, err := c.run(ctx, "", append(environment(os.Environ()), "CHECKPOINT_DISABLE=1"), io.Discard, "version")
	if err != nil {
		return cli{}, err
	}
	match := versionText.FindStringSubmatch(answer.output)
	if match == nil {
		return cli{}, fmt.Errorf("%s is neither Terraform nor OpenTofu: asked for its version, it says %q", path, answer.output)
	}
	c.product, c.version, c.os, c.arch = match[1], match[2], match[3], match[4]
	c.name, c.registry = "terraform", "registry.terraform.io"
	if c.product == "OpenTofu" {
		c.name, c.registry = "tofu", "registry.opentofu.org"
	}
	return c, nil
}

// commandLine is a step's command as a user types it.
func (c cli) commandLine(s step) string { return c.name + " " + s.command }

// run runs a command to its end, shows its output, and returns it. The exit code is the caller's to judge.
func (c cli) run(ctx context.Context, folder string, env []string, out io.Writer, args ...string) (result, error) {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Dir, cmd.Env = folder, env
	cmd.Stdout = io.MultiWriter(out, &output)
	cmd.Stderr = cmd.Stdout
	// Ctrl-C in a terminal reaches the CLI too, which then ends in order; a second signal would break it off. One that
	// doesn't end is killed.
	cmd.Cancel = func() error { return nil }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if exitErr := (*exec.ExitError)(nil); errors.As(err, &exitErr) && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		return result{}, err
	}
	return result{exit: cmd.ProcessState.ExitCode(), output: output.String()}, nil
}

// environment is an environment without what changes how the CLI and the provider work. A user's log level, arguments,
// workspace, variables and account are none of the demo's.
func environment(all []string) []string {
	var kept []string
	for _, entry := range all {
		name := strings.ToUpper(entry) // Windows tells no case apart.
		if !strings.HasPrefix(name, "TF_") && !strings.HasPrefix(name, "FUSEBILL_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

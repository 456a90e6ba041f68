package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	product  string
	version  string
	os, arch string
	registry string // the host that provider addresses without one belong to
}

// result is what a command came to.
type result struct {
	exit   int
	output string
	took   time.Duration
	worked time.Duration // processor time, of the program and those that it started
}

// howToGetCLI is one line for a machine that has none.
const howToGetCLI = "no Terraform CLI found: install Terraform 1.4 or later (developer.hashicorp.com/terraform/install) or OpenTofu 1.6 " +
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

// versionText is how both CLIs answer to "version".
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
	answer, err := execute(ctx, "", environment(os.Environ()), path, "version")
	if err != nil {
		return cli{}, err
	}
	match := versionText.FindStringSubmatch(answer.output)
	if match == nil {
		return cli{}, fmt.Errorf("%s is neither Terraform nor OpenTofu: asked for its version, it says %q", path, answer.output)
	}
	c := cli{path: path, product: match[1], version: match[2], os: match[3], arch: match[4], registry: "registry.terraform.io"}
	if c.product == "OpenTofu" {
		c.registry = "registry.opentofu.org"
	}
	return c, nil
}

// execute runs a program to its end. Its exit code is the caller's to judge.
//
// The program has a process group of its own, so that Ctrl-C in a terminal reaches this one only, which then hands on one
// interrupt, also where it was told to end in another way. The CLI ends in order on the first, and breaks off on a second.
func execute(ctx context.Context, folder string, env []string, program string, args ...string) (result, error) {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = folder, env
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = 10 * time.Second
	groupProcesses(cmd)
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if ctx.Err() != nil {
		killGroup(cmd) // One that didn't end in time has left plugins behind.
		return result{}, context.Cause(ctx)
	}
	if exitErr := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exitErr) {
		return result{}, err
	}
	state := cmd.ProcessState
	return result{
		exit: state.ExitCode(), output: output.String(), took: took, worked: state.UserTime() + state.SystemTime(),
	}, nil
}

// environment is an environment without what changes how the CLI and the provider work. A user's log level, arguments,
// workspace, variables and account are none of the benchmark's.
func environment(all []string) []string {
	kept := []string{
		"TF_IN_AUTOMATION=1",
		"CHECKPOINT_DISABLE=1", // no question for newer versions
	}
	for _, entry := range all {
		name := strings.ToUpper(entry) // Windows tells no case apart.
		if !strings.HasPrefix(name, "TF_") && !strings.HasPrefix(name, "FUSEBILL_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

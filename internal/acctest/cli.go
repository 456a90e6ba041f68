package acctest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// CLI is a Terraform or OpenTofu CLI.
type CLI struct {
	Path     string // absolute
	Name     string // as a user types it
	Product  string // Terraform or OpenTofu
	Version  string
	OS, Arch string // the platform of its providers
	Registry string // the default host of provider addresses
}

// howToGet explains how to get a CLI, for a machine that has none.
const howToGet = "no Terraform CLI found: install Terraform 1.0 or later " +
	"(developer.hashicorp.com/terraform/install) or OpenTofu 1.6 or later " +
	"(opentofu.org/docs/intro/install), or set " + envCLI

// envCLI is the environment variable with the path of the CLI, as in plugin-testing.
const envCLI = "TF_ACC_TERRAFORM_PATH"

// Find returns the CLI that the tests use: the one that TF_ACC_TERRAFORM_PATH names, or else
// terraform, or else tofu. The error of a machine without a CLI explains how to get one.
func Find(ctx context.Context) (CLI, error) {
	if chosen := os.Getenv(envCLI); chosen != "" {
		c, err := Open(ctx, chosen)
		if err != nil {
			return CLI{}, fmt.Errorf("%s: %w", envCLI, err)
		}
		return c, nil
	}
	for _, name := range []string{"terraform", "tofu"} {
		c, err := Open(ctx, name)
		if !errors.Is(err, exec.ErrNotFound) {
			return c, err
		}
	}
	return CLI{}, errors.New(howToGet)
}

// Open returns the CLI at a path or with a name on the search path. It asks the CLI for its
// product, because Terraform and OpenTofu use different registries.
func Open(ctx context.Context, name string) (CLI, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return CLI{}, err
	}
	if path, err = filepath.Abs(path); err != nil { // The commands of the CLI run in another folder.
		return CLI{}, err
	}
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = Environment(os.Environ())
	answer, err := cmd.CombinedOutput()
	if exitErr := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exitErr) {
		return CLI{}, err
	}
	match := versionText.FindStringSubmatch(string(answer))
	if match == nil {
		return CLI{}, fmt.Errorf("%s is neither Terraform nor OpenTofu: asked for its version, it says %q", path, answer)
	}
	c := CLI{Path: path, Product: match[1], Version: match[2], OS: match[3], Arch: match[4]}
	c.Name, c.Registry = "terraform", "registry.terraform.io"
	if c.IsOpenTofu() {
		c.Name, c.Registry = "tofu", "registry.opentofu.org"
	}
	return c, nil
}

// versionText matches the output of "version" of both CLIs, since 1.0.
var versionText = regexp.MustCompile(`^(Terraform|OpenTofu) v(\S+)\s+on ([a-z0-9]+)_([a-z0-9]+)`)

// Environment returns an environment without the variables that change the behavior of the CLI and
// the provider: a user's log level, arguments, workspace, variables and account. With it, the CLI
// prints no hints on the next command, and does not look for a newer version of itself.
func Environment(all []string) []string {
	kept := []string{"TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1"}
	for _, entry := range all {
		name := strings.ToUpper(entry) // Windows ignores case.
		if !strings.HasPrefix(name, "TF_") && !strings.HasPrefix(name, "FUSEBILL_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// IsOpenTofu reports whether the CLI is OpenTofu.
func (c CLI) IsOpenTofu() bool { return c.Product == "OpenTofu" }

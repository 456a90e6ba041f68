package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

// version is any but 0.0.0, which stands for none: the CLI finds no other one.
const version = "0.0.1"

// Source is how a configuration names the provider.
func Source() string {
	_, source, _ := strings.Cut(provider.Address, "/")
	return source
}

// Install builds a Go package, which serves the provider, into a folder that the CLI takes for a mirror of its registry. It
// returns the path of the CLI settings that say so. They name no other source, so the CLI asks no registry.
func (c CLI) Install(ctx context.Context, folder, goPackage string) (settings string, err error) {
	mirror := filepath.Join(folder, "mirror")
	if err := c.build(ctx, filepath.Join(mirror, c.mirrorPath()), goPackage); err != nil {
		return "", err
	}
	settings = filepath.Join(folder, "settings.tfrc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.ToSlash(mirror))
	return settings, os.WriteFile(settings, []byte(text), 0o600)
}

// mirrorPath is where a mirror has the provider's program: HOST/NAMESPACE/NAME/VERSION/OS_ARCH/PROGRAM.
func (c CLI) mirrorPath() string {
	program := "terraform-provider-" + filepath.Base(Source()) + "_v" + version
	if c.OS == "windows" {
		program += ".exe"
	}
	return filepath.Join(c.Registry, filepath.FromSlash(Source()), version, c.OS+"_"+c.Arch, program)
}

// build compiles for the CLI's platform, which may differ from Go's on a machine that runs both.
func (c CLI) build(ctx context.Context, program, goPackage string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, goPackage)
	cmd.Env = append(os.Environ(), "GOOS="+c.OS, "GOARCH="+c.Arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the provider: %w\n%s", err, output)
	}
	return nil
}

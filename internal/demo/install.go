package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

const (
	module  = "github.com/fusebill/terraform-provider-fusebill"
	version = "0.0.1" // any but 0.0.0, which stands for none: the CLI finds no other one
)

// install builds the provider into a folder that the CLI takes for a mirror of its registry, and returns the path of the
// CLI settings that say so. They name no other source, so the CLI asks no registry.
func install(ctx context.Context, c cli, folder string) (settings string, err error) {
	mirror := filepath.Join(folder, "mirror")
	if err := build(ctx, c, filepath.Join(mirror, mirrorPath(c))); err != nil {
		return "", err
	}
	settings = filepath.Join(folder, "settings.tfrc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.ToSlash(mirror))
	return settings, os.WriteFile(settings, []byte(text), 0o600)
}

// mirrorPath is where a mirror has the provider's program: HOST/NAMESPACE/NAME/VERSION/OS_ARCH/PROGRAM.
func mirrorPath(c cli) string {
	_, source, _ := strings.Cut(provider.Address, "/")
	_, name, _ := strings.Cut(source, "/")
	program := "terraform-provider-" + name + "_v" + version
	if c.os == "windows" {
		program += ".exe"
	}
	return filepath.Join(c.registry, filepath.FromSlash(source), version, c.os+"_"+c.arch, program)
}

// build compiles the provider for the CLI's platform, which may differ from Go's on a machine that runs both.
func build(ctx context.Context, c cli, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, module)
	cmd.Env = append(os.Environ(), "GOOS="+c.os, "GOARCH="+c.arch)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building the provider: %w\n%s", err, output.String())
	}
	return nil
}

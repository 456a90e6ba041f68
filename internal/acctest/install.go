package acctest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// version is the only version that the CLI finds. It must not be 0.0.0, which means no version.
const version = "0.0.1"

// Module is the Go package that serves the provider.
const Module = "github.com/fusebill/terraform-provider-fusebill"

// Install builds a Go package, which serves the provider, into a folder that is a mirror of the
// CLI's registry. It returns the path of CLI settings with this mirror and no other source, so the
// CLI calls no registry.
func (c CLI) Install(ctx context.Context, folder, goPackage string) (settings string, err error) {
	mirror := filepath.Join(folder, "mirror")
	if err := c.build(ctx, filepath.Join(mirror, c.mirrorPath()), goPackage); err != nil {
		return "", err
	}
	settings = filepath.Join(folder, "settings.tfrc")
	return settings, os.WriteFile(settings, []byte(mirrorSettings(mirror)), 0o600)
}

// mirrorSettings returns CLI settings that use only a mirror.
func mirrorSettings(mirror string) string {
	return Block("provider_installation", fmt.Sprintf("filesystem_mirror {\n    path = %q\n  }", filepath.ToSlash(mirror)))
}

// mirrorPath returns the path of the provider's program in a mirror:
// HOST/NAMESPACE/NAME/VERSION/OS_ARCH/PROGRAM.
func (c CLI) mirrorPath() string {
	program := "terraform-provider-" + filepath.Base(Source) + "_v" + version
	if c.OS == "windows" {
		program += ".exe"
	}
	return filepath.Join(c.Registry, filepath.FromSlash(Source), version, c.OS+"_"+c.Arch, program)
}

// build builds a program for the platform of the CLI, which may differ from Go's.
func (c CLI) build(ctx context.Context, program, goPackage string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, goPackage)
	cmd.Env = append(os.Environ(), "GOOS="+c.OS, "GOARCH="+c.Arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the provider: %w\n%s", err, output)
	}
	return nil
}

// built builds the provider once for all tests of a package.
var built = sync.OnceValues(func() (string, error) {
	c, err := foundCLI()
	if err != nil {
		return "", err
	}
	program := filepath.Join(temporary, "provider", "terraform-provider-"+filepath.Base(Source))
	return program, c.build(context.Background(), program, Module)
})

// BuiltProvider returns the path of the provider's program, which is alone in its folder.
func BuiltProvider(t *testing.T) string {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

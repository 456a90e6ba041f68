package acceptance

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// runInstalling installs the provider in each way of the guide: from source, from a release, and by
// a development override.
func runInstalling(t *testing.T, folder string) {
	t.Run("from source", func(t *testing.T) {
		t.Parallel()
		installsFromSource(t, folder)
	})
	t.Run("release", func(t *testing.T) {
		t.Parallel()
		installsRelease(t, folder)
	})
}

// newInstallingGuide is the guide with an empty home directory and without a configuration of the
// CLI.
func newInstallingGuide(t *testing.T, folder string) (g guide, home string) {
	t.Helper()
	g = newGuide(t, acctest.AccountWith(t, acctest.Customer{ID: 2554529}), folder)
	home = t.TempDir()
	g.Setenv("HOME", home)
	g.Write("cli.tfrc", "")
	return g, home
}

func installsFromSource(t *testing.T, folder string) {
	g, _ := newInstallingGuide(t, folder)
	g.add("main.tf")
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	clone := g.inside(source)
	clone.keepGoCache()
	clone.script(0, "build.sh")
	acctest.Prints(t, g.Run(0, "init", "-no-color"), "Installed fusebill/fusebill v0.1.0 (unauthenticated)")
	acctest.Prints(t, g.PlanIs(true), "1 to add, 0 to change, 0 to destroy")

	g.uninstall()
	g.Remove(".terraform.lock.hcl")
	g.settings("dev.tfrc", "/path/to/terraform-provider-fusebill/build", filepath.Dir(acctest.BuiltProvider(t)))
	acctest.Prints(t, g.PlanIs(true), "Provider development overrides are in effect",
		"1 to add, 0 to change, 0 to destroy")
}

// keepGoCache lets Go use its cache, whatever the home directory is.
func (g guide) keepGoCache() {
	g.T.Helper()
	for _, name := range []string{"GOCACHE", "GOPATH", "GOMODCACHE"} {
		value, err := exec.CommandContext(g.T.Context(), "go", "env", name).Output()
		if err != nil {
			g.T.Fatal(err)
		}
		g.Setenv(name, strings.TrimSpace(string(value)))
	}
}

// installsRelease verifies and installs a release. Each check refuses a changed file. The packages
// are those of [envRelease], or stand-ins with the same names.
func installsRelease(t *testing.T, folder string) {
	needs(t, "sha256sum", "gpg")
	g, home := newInstallingGuide(t, folder)
	downloads := g.inside(t.TempDir())
	version := "0.1.0"
	if os.Getenv(envRelease) == "" {
		downloads.makeRelease(version)
	} else {
		version = downloads.takeRelease()
	}
	downloads.sign(fmt.Sprintf("terraform-provider-fusebill_%s_SHA256SUMS", version))
	config := readExample(t, folder+"/main.tf")
	if !strings.Contains(config, `"0.1.0"`) {
		t.Error("main.tf does not ask for version 0.1.0")
	}
	g.Write("main.tf", strings.Replace(config, "0.1.0", version, 1))

	this := packageOf(version, runtime.GOOS+"_"+runtime.GOARCH)
	acctest.Prints(t, downloads.script(0, "checksums.sh"), this+": OK")
	acctest.Prints(t, downloads.script(0, "signature.sh"), "Good signature")
	downloads.script(0, "plugins.sh")
	installed := "Installed fusebill/fusebill v" + version + " (unauthenticated)"
	acctest.Prints(t, g.Run(0, "init", "-no-color"), installed)
	acctest.Prints(t, g.PlanIs(true), "1 to add, 0 to change, 0 to destroy")
	one := g.lockedHashes()
	g.script(0, "lock.sh")
	if all := g.lockedHashes(); one != 1 || all < 3 {
		t.Errorf("the lock file has %d checksums after init and %d after lock.sh, want 1 and 3 or more", one, all)
	}
	g.settings("mirror.tfrc", "/home/you", home)
	g.uninstall()
	acctest.Prints(t, g.Run(0, "init", "-no-color"), installed)

	downloads.Write(this, "something else")
	acctest.Prints(t, downloads.script(1, "checksums.sh"), this+": FAILED")
	downloads.Write(fmt.Sprintf("terraform-provider-fusebill_%s_SHA256SUMS", version), "something else")
	acctest.Prints(t, downloads.script(1, "signature.sh"), "BAD signature")
	downloads.pack(this, "terraform-provider-fusebill_v"+version, []byte("another program"))
	downloads.script(0, "plugins.sh")
	g.uninstall()
	acctest.Prints(t, g.Run(1, "init", "-no-color"),
		"match any of the checksums previously recorded in the dependency lock file")
}

// inside is the guide in another folder.
func (g guide) inside(dir string) guide {
	other := *g.Workspace
	other.Dir = dir
	return guide{Workspace: &other, folder: g.folder}
}

// settings makes a file of the guide the configuration of the CLI. It replaces the folder that the
// guide names by a folder of this machine.
func (g guide) settings(file, theirs, ours string) {
	g.T.Helper()
	text := readExample(g.T, g.folder+"/"+file)
	if !strings.Contains(text, theirs) {
		g.T.Fatalf("%s does not name %s", file, theirs)
	}
	g.Write("cli.tfrc", strings.Replace(text, theirs, filepath.ToSlash(ours), 1))
}

func (g guide) uninstall() {
	g.T.Helper()
	if err := os.RemoveAll(filepath.Join(g.Dir, ".terraform")); err != nil {
		g.T.Fatal(err)
	}
}

// lockedHashes counts the checksums of packages in the lock file.
func (g guide) lockedHashes() int {
	g.T.Helper()
	lock, err := os.ReadFile(filepath.Join(g.Dir, ".terraform.lock.hcl"))
	if err != nil {
		g.T.Fatal(err)
	}
	return strings.Count(string(lock), `"h1:`)
}

func packageOf(version, platform string) string {
	return fmt.Sprintf("terraform-provider-fusebill_%s_%s.zip", version, platform)
}

// takeRelease copies the packages of [envRelease] with their checksums, and returns their version.
func (g guide) takeRelease() (version string) {
	g.T.Helper()
	folder, version := releaseFolder(g.T)
	files, err := filepath.Glob(filepath.Join(folder, "terraform-provider-fusebill_"+version+"_*"))
	if err != nil {
		g.T.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			g.T.Fatal(err)
		}
		g.Write(filepath.Base(file), string(content))
	}
	return version
}

// makeRelease makes the files of a release: the built provider for the platform of this machine, a
// stand-in for each other one, and their checksums.
func (g guide) makeRelease(version string) {
	g.T.Helper()
	program, err := os.ReadFile(acctest.BuiltProvider(g.T))
	if err != nil {
		g.T.Fatal(err)
	}
	programs := map[string][]byte{}
	for _, platform := range []string{"linux_amd64", "darwin_arm64", "windows_amd64"} {
		programs[platform] = []byte("the program for " + platform)
	}
	programs[runtime.GOOS+"_"+runtime.GOARCH] = program
	var sums strings.Builder
	for platform, program := range programs {
		name := packageOf(version, platform)
		fmt.Fprintln(&sums, checksumLine(name, g.pack(name, "terraform-provider-fusebill_v"+version, program)))
	}
	g.Write(fmt.Sprintf("terraform-provider-fusebill_%s_SHA256SUMS", version), sums.String())
}

// sign signs a file with a new key.
func (g guide) sign(file string) {
	g.T.Helper()
	// The name of a socket has at most 108 bytes, and the folders of tests have long names.
	keys, err := os.MkdirTemp("", "gpg")
	if err != nil {
		g.T.Fatal(err)
	}
	g.Setenv("GNUPGHOME", keys)
	g.T.Cleanup(func() {
		g.tool("gpgconf", "--kill", "gpg-agent")
		if err := os.RemoveAll(keys); err != nil {
			g.T.Error(err)
		}
	})
	g.tool("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "release@example.com")
	g.tool("gpg", "--batch", "--yes", "--output", file+".sig", "--detach-sign", file)
}

// pack writes a zip with a program and returns its bytes.
func (g guide) pack(name, program string, content []byte) []byte {
	g.T.Helper()
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	header := &zip.FileHeader{Name: program}
	header.SetMode(0o755)
	file, err := archive.CreateHeader(header)
	if err == nil {
		_, err = file.Write(content)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		g.T.Fatal(err)
	}
	g.Write(name, packed.String())
	return packed.Bytes()
}

// tool runs a program other than the CLI, also after the context of the test has ended.
func (g guide) tool(name string, args ...string) {
	g.T.Helper()
	cmd := exec.Command(name, args...) //nolint:noctx // It also cleans up.
	cmd.Dir, cmd.Env = g.Dir, g.Env
	if output, err := cmd.CombinedOutput(); err != nil {
		g.T.Errorf("%s: %v\n%s", name, err, output)
	}
}

package acceptance

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The packages here are named as .goreleaser.yml names them; internal/release goes the same way, by the same files, with
// those that goreleaser builds.

// runInstalling goes from the files of a release to a plan. Each check refuses what isn't as it was.
func runInstalling(t *testing.T, folder string) {
	for _, tool := range []string{"sha256sum", "gpg"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("This guide uses %s, which isn't there.", tool)
		}
	}
	g := newGuide(t, acctest.AccountWith(t, acctest.Customer{ID: 2554529}), folder)
	g.use("main.tf")
	home := t.TempDir()
	g.Setenv("HOME", home)
	downloads := g.inside(t.TempDir())
	downloads.makeRelease("0.1.0")

	acctest.Prints(t, downloads.script(0, "checksums.sh"), "terraform-provider-fusebill_0.1.0_linux_amd64.zip: OK")
	acctest.Prints(t, downloads.script(0, "signature.sh"), "Good signature")
	downloads.script(0, "mirror.sh")
	g.settings("mirror.tfrc", "/home/you", home)
	acctest.Prints(t, g.Run(0, "init", "-no-color"), "Installed fusebill/fusebill v0.1.0 (unauthenticated)")
	acctest.Prints(t, g.PlanIs(true), "1 to add, 0 to change, 0 to destroy")
	one := g.lockedHashes()
	g.script(0, "lock.sh")
	if all := g.lockedHashes(); one != 1 || all < 3 {
		t.Errorf("the lock file has %d checksums after init and %d after lock.sh, want 1 and one for each platform", one, all)
	}

	this := packageOf("0.1.0", runtime.GOOS+"_"+runtime.GOARCH)
	downloads.Write(this, "something else")
	acctest.Prints(t, downloads.script(1, "checksums.sh"), this+": FAILED")
	downloads.Write("terraform-provider-fusebill_0.1.0_SHA256SUMS", "something else")
	acctest.Prints(t, downloads.script(1, "signature.sh"), "BAD signature")
	downloads.pack(this, "terraform-provider-fusebill_v0.1.0", []byte("another program"))
	downloads.script(0, "mirror.sh")
	g.uninstall()
	acctest.Prints(t, g.Run(1, "init", "-no-color"), "doesn't match any of the checksums previously recorded in the dependency lock file")

	g.uninstall()
	g.Remove(".terraform.lock.hcl")
	g.settings("dev.tfrc", "/path/to/terraform-provider-fusebill/build", filepath.Dir(acctest.BuiltProvider(t)))
	acctest.Prints(t, g.PlanIs(true), "Provider development overrides are in effect", "1 to add, 0 to change, 0 to destroy")
}

// inside is the guide in another folder.
func (g guide) inside(dir string) guide {
	other := *g.Workspace
	other.Dir = dir
	return guide{Workspace: &other, folder: g.folder}
}

// settings makes a file of the guide the CLI's configuration, with a folder of this machine in place of the guide's.
func (g guide) settings(file, theirs, ours string) {
	g.T.Helper()
	text := readExample(g.T, g.folder+"/"+file)
	if !strings.Contains(text, theirs) {
		g.T.Fatalf("%s doesn't name %s", file, theirs)
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

// makeRelease makes the files of a release: the built provider for this machine's platform, a stand-in for each other one,
// their checksums, and a signature by a key of its own.
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
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(g.pack(name, "terraform-provider-fusebill_v"+version, program)), name)
	}
	file := fmt.Sprintf("terraform-provider-fusebill_%s_SHA256SUMS", version)
	g.Write(file, sums.String())
	g.T.Cleanup(func() { g.tool("gpgconf", "--kill", "gpg-agent") })
	g.tool("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "release@example.com")
	g.tool("gpg", "--batch", "--output", file+".sig", "--detach-sign", file)
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

// tool runs another program than the CLI. Where the test has ended already, nothing can be run in its context.
func (g guide) tool(name string, args ...string) {
	g.T.Helper()
	cmd := exec.Command(name, args...) //nolint:noctx // It also cleans up.
	cmd.Dir, cmd.Env = g.Dir, g.Env
	if output, err := cmd.CombinedOutput(); err != nil {
		g.T.Errorf("%s: %v\n%s", name, err, output)
	}
}

package provider

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
	g := newGuide(t, accountWith(t, held{2554529, 0, 0}), folder)
	g.use("main.tf")
	home := t.TempDir()
	g.setenv("HOME", home)
	downloads := g.inside(t.TempDir())
	downloads.makeRelease("0.1.0")

	prints(t, downloads.script(0, "checksums.sh"), "terraform-provider-fusebill_0.1.0_linux_amd64.zip: OK")
	prints(t, downloads.script(0, "signature.sh"), "Good signature")
	downloads.script(0, "mirror.sh")
	g.settings("mirror.tfrc", "/home/you", home)
	prints(t, g.run(0, "init", "-no-color"), "Installed fusebill/fusebill v0.1.0 (unauthenticated)")
	prints(t, g.planIs(true), "1 to add, 0 to change, 0 to destroy")
	one := g.lockedHashes()
	g.script(0, "lock.sh")
	if all := g.lockedHashes(); one != 1 || all < 3 {
		t.Errorf("the lock file has %d checksums after init and %d after lock.sh, want 1 and one for each platform", one, all)
	}

	this := packageOf("0.1.0", runtime.GOOS+"_"+runtime.GOARCH)
	downloads.write(this, "something else")
	prints(t, downloads.script(1, "checksums.sh"), this+": FAILED")
	downloads.write("terraform-provider-fusebill_0.1.0_SHA256SUMS", "something else")
	prints(t, downloads.script(1, "signature.sh"), "BAD signature")
	downloads.pack(this, "terraform-provider-fusebill_v0.1.0", []byte("another program"))
	downloads.script(0, "mirror.sh")
	g.uninstall()
	prints(t, g.run(1, "init", "-no-color"), "doesn't match any of the checksums previously recorded in the dependency lock file")

	g.uninstall()
	g.remove(".terraform.lock.hcl")
	g.settings("dev.tfrc", "/path/to/terraform-provider-fusebill/build", builtProviderDir)
	prints(t, g.planIs(true), "Provider development overrides are in effect", "1 to add, 0 to change, 0 to destroy")
}

// inside is the guide in another folder.
func (g guide) inside(dir string) guide {
	other := *g.cli
	other.dir = dir
	return guide{cli: &other, folder: g.folder}
}

// settings makes a file of the guide the CLI's configuration, with a folder of this machine in place of the guide's.
func (g guide) settings(file, theirs, ours string) {
	g.t.Helper()
	text := readExample(g.t, g.folder+"/"+file)
	if !strings.Contains(text, theirs) {
		g.t.Fatalf("%s doesn't name %s", file, theirs)
	}
	g.write("cli.tfrc", strings.Replace(text, theirs, filepath.ToSlash(ours), 1))
}

func (g guide) uninstall() {
	g.t.Helper()
	if err := os.RemoveAll(filepath.Join(g.dir, ".terraform")); err != nil {
		g.t.Fatal(err)
	}
}

// lockedHashes counts the checksums of packages in the lock file.
func (g guide) lockedHashes() int {
	g.t.Helper()
	lock, err := os.ReadFile(filepath.Join(g.dir, ".terraform.lock.hcl"))
	if err != nil {
		g.t.Fatal(err)
	}
	return strings.Count(string(lock), `"h1:`)
}

func packageOf(version, platform string) string {
	return fmt.Sprintf("terraform-provider-fusebill_%s_%s.zip", version, platform)
}

// makeRelease makes the files of a release: the built provider for this machine's platform, a stand-in for each other one,
// their checksums, and a signature by a key of its own.
func (g guide) makeRelease(version string) {
	g.t.Helper()
	binary, err := builtProvider()
	if err != nil {
		g.t.Fatal(err)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		g.t.Fatal(err)
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
	g.write(file, sums.String())
	g.t.Cleanup(func() { g.tool("gpgconf", "--kill", "gpg-agent") })
	g.tool("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "release@example.com")
	g.tool("gpg", "--batch", "--output", file+".sig", "--detach-sign", file)
}

// pack writes a zip with a program and returns its bytes.
func (g guide) pack(name, program string, content []byte) []byte {
	g.t.Helper()
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
		g.t.Fatal(err)
	}
	g.write(name, packed.String())
	return packed.Bytes()
}

// tool runs another program than the CLI. Where the test has ended already, nothing can be run in its context.
func (g guide) tool(name string, args ...string) {
	g.t.Helper()
	cmd := exec.Command(name, args...) //nolint:noctx // It also cleans up.
	cmd.Dir, cmd.Env = g.dir, g.env
	if output, err := cmd.CombinedOutput(); err != nil {
		g.t.Errorf("%s: %v\n%s", name, err, output)
	}
}

package acceptance

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// envRelease names the folder with the packages that goreleaser has built. If it is set,
// [TestRelease] checks them, and the guide on installing is run with them.
const envRelease = "RELEASE"

// platforms are those that the registries list.
var platforms = []string{
	"darwin_amd64", "darwin_arm64", "freebsd_386", "freebsd_amd64", "freebsd_arm", "freebsd_arm64",
	"linux_386", "linux_amd64", "linux_arm", "linux_arm64", "windows_386", "windows_amd64", "windows_arm64",
}

// releaseFolder returns the folder that envRelease names, with the version of its packages. Where
// envRelease is not set, it skips the test.
func releaseFolder(t *testing.T) (folder, version string) {
	t.Helper()
	folder = os.Getenv(envRelease)
	if folder == "" {
		t.Skipf("%s names no folder with built packages.", envRelease)
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join("../..", folder)
	}
	sums, err := filepath.Glob(filepath.Join(folder, "terraform-provider-fusebill_*_SHA256SUMS"))
	if err != nil || len(sums) != 1 {
		t.Fatalf("%s has %d files of checksums, want one: %v", folder, len(sums), err)
	}
	name := strings.TrimSuffix(filepath.Base(sums[0]), "_SHA256SUMS")
	return folder, strings.TrimPrefix(name, "terraform-provider-fusebill_")
}

// TestRelease checks that built packages are as the registries of Terraform and OpenTofu want them:
// a zip for each platform with the program and the license, their checksums, and the manifest.
func TestRelease(t *testing.T) {
	t.Parallel()
	folder, version := releaseFolder(t)
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	var want []string
	for _, platform := range platforms {
		name := packageOf(version, platform)
		content := read(name)
		want = append(want, checksumLine(name, content))
		program := "terraform-provider-fusebill_v" + version
		if strings.HasPrefix(platform, "windows_") {
			program += ".exe"
		}
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var held []string
		for _, file := range archive.File {
			held = append(held, file.Name)
			if file.Name == program && file.Mode().Perm()&0o111 == 0 {
				t.Errorf("%s: its program cannot be executed", name)
			}
		}
		if slices.Sort(held); !slices.Equal(held, []string{"LICENSE", program}) {
			t.Errorf("%s holds %v, want LICENSE and %s", name, held, program)
		}
	}
	manifest, err := os.ReadFile("../../terraform-registry-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, checksumLine(fmt.Sprintf("terraform-provider-fusebill_%s_manifest.json", version), manifest))
	got := strings.Split(strings.TrimSpace(string(read("terraform-provider-fusebill_"+version+"_SHA256SUMS"))), "\n")
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("the checksums are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func checksumLine(name string, content []byte) string {
	return fmt.Sprintf("%x  %s", sha256.Sum256(content), name)
}

// TestManifest checks that the registries learn the version of the protocol.
func TestManifest(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../terraform-registry-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Version  int
		Metadata struct {
			ProtocolVersions []string `json:"protocol_versions"`
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil || manifest.Version != 1 ||
		!slices.Equal(manifest.Metadata.ProtocolVersions, []string{"6.0"}) {
		t.Errorf("got %+v (%v), want version 1 for protocol 6.0", manifest, err)
	}
}

// goreleaserList is a list of .goreleaser.yml.
func goreleaserList(t *testing.T, name string) []string {
	t.Helper()
	config, err := os.ReadFile("../../.goreleaser.yml")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^    ` + name + `: \[(.+)\]$`).FindSubmatch(config)
	if match == nil {
		t.Fatalf(".goreleaser.yml has no list %s", name)
	}
	return strings.Split(string(match[1]), ", ")
}

// TestRelease_isReproducible builds the program of this platform once more, in another folder and
// without the build cache. The same commit gives the same bytes, so anyone can check a release.
func TestRelease_isReproducible(t *testing.T) {
	t.Parallel()
	folder, version := releaseFolder(t)
	source := t.TempDir()
	copySource(t, source)
	ldflags := strings.Trim(strings.ReplaceAll(goreleaserList(t, "ldflags")[0], "{{ .Version }}", version), `"`)
	args := append([]string{"build", "-o", "provider", "-ldflags=" + ldflags}, goreleaserList(t, "flags")...)
	cmd := exec.CommandContext(t.Context(), "go", append(args, ".")...)
	cmd.Dir = source
	cmd.Env = append(append(os.Environ(), "GOCACHE="+t.TempDir()), goreleaserList(t, "env")...)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	built, err := os.ReadFile(filepath.Join(source, "provider"))
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(folder, packageOf(version, runtime.GOOS+"_"+runtime.GOARCH)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }() // It was only read.
	file, err := archive.Open("terraform-provider-fusebill_v" + version)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sha256.Sum256(packed), sha256.Sum256(built); got != want {
		t.Errorf("the program in the package has the checksum %x, one built elsewhere %x", got, want)
	}
}

// copySource copies what the provider is built from.
func copySource(t *testing.T, to string) {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		content, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(to, "internal"), os.DirFS("..")); err != nil {
		t.Fatal(err)
	}
}

// TestReleaseToolchain checks that a release is built by the toolchain of go.mod, whichever one the
// tools need.
func TestReleaseToolchain(t *testing.T) {
	t.Parallel()
	want := "GOTOOLCHAIN=" + readModule(t, "go.mod").Toolchain.Name
	if got := goreleaserList(t, "env"); !slices.Contains(got, want) {
		t.Errorf(".goreleaser.yml sets %v, want %s", got, want)
	}
}

// TestReleaseNotes checks that the notes of a version are its section of CHANGELOG.md.
func TestReleaseNotes(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"v0.1.0-rc.1": "hubspot_latch",
		"v0.0.0":      "has no section for 0.0.0",
	} {
		output, err := exec.CommandContext(t.Context(), "../../.ci/release-notes", version).CombinedOutput()
		if !strings.Contains(string(output), want) || (err != nil) != strings.Contains(want, "has no section") {
			t.Errorf("%s: got %v and %q, want %q", version, err, output, want)
		}
	}
}

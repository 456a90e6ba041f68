package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// minimum is the first version of a module without a known vulnerability.
type minimum struct {
	module   string // "stdlib" is the standard library, whose version is that of the toolchain
	version  string
	advisory string
}

// minimums are the known ones, sorted by module. They are kept here because CI cannot reach the
// vulnerability database, and `.ci/run vulnerabilities` checks nothing then. A row is added or
// raised when an advisory becomes known.
var minimums = []minimum{
	{"github.com/Masterminds/goutils", "v1.1.1", "GO-2022-0411, CVE-2021-4238"},
	{"github.com/cloudflare/circl", "v1.6.3", "GHSA-q9hv-hpm4-hj6x, CVE-2026-1229"},
	{"github.com/go-viper/mapstructure/v2", "v2.4.0", "GO-2025-3900, CVE-2025-11065"},
	{"github.com/hashicorp/go-retryablehttp", "v0.7.7", "GO-2024-2947, CVE-2024-6104"},
	{"golang.org/x/crypto", "v0.56.0", "GO-2026-6354, GO-2026-6355"},
	{"golang.org/x/net", "v0.57.0", "audit of this project; GO-2026-5026 is fixed in v0.55.0"},
	{"golang.org/x/text", "v0.39.0", "GO-2026-5970"},
	{"google.golang.org/grpc", "v1.83.2", "GHSA-2v4p-qf9q-27wj, CVE-2026-84445"},
	{"google.golang.org/protobuf", "v1.33.0", "GO-2024-2611, CVE-2024-24786"},
	{"stdlib", "v1.26.6", "GO-2026-6089, GO-2026-6090, GO-2026-6218"},
}

// TestDependencies_withoutKnownVulnerabilities checks both modules: the provider and its tools.
func TestDependencies_withoutKnownVulnerabilities(t *testing.T) {
	t.Parallel()
	required := map[string]bool{}
	for _, path := range []string{"go.mod", "tools/go.mod"} {
		versions := requiredVersions(readModule(t, path))
		for module := range versions {
			required[module] = true
		}
		for _, problem := range behindMinimums(versions, minimums) {
			t.Errorf("%s: %s", path, problem)
		}
	}
	for _, m := range minimums {
		if !required[m.module] || !semver.IsValid(m.version) {
			t.Errorf("Neither go.mod requires %s, or %s is no version: remove or correct the minimum", m.module, m.version)
		}
	}
}

// TestDependencies_oneGoVersion checks that code, tools and documentation name one version of Go.
func TestDependencies_oneGoVersion(t *testing.T) {
	t.Parallel()
	main, tools := readModule(t, "go.mod"), readModule(t, "tools/go.mod")
	if main.Toolchain == nil || tools.Toolchain == nil {
		t.Error("go.mod or tools/go.mod has no toolchain line")
	} else if got, want := tools.Toolchain.Name, main.Toolchain.Name; got != want {
		t.Errorf("tools/go.mod has the toolchain %s, go.mod has %s", got, want)
	}
	want := semver.MajorMinor("v" + main.Go.Version)
	if got := semver.MajorMinor("v" + tools.Go.Version); got != want {
		t.Errorf("tools/go.mod has Go %s, go.mod has %s", got, want)
	}
	for _, path := range []string{"README.md", "CONTRIBUTING.md"} {
		content, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		named := goVersions(string(content))
		if len(named) == 0 {
			t.Errorf("%s names no version of Go, want %s", path, want)
		}
		for _, got := range named {
			if got != want {
				t.Errorf("%s names Go %s, go.mod has %s", path, got, want)
			}
		}
	}
}

// TestBehindMinimums checks versions that are older than, the same as and newer than a minimum.
func TestBehindMinimums(t *testing.T) {
	t.Parallel()
	minimums := []minimum{{"example.com/a", "v1.10.0", "GO-1"}, {"stdlib", "v1.26.6", "GO-2"}}
	for _, c := range []struct {
		name     string
		versions map[string]string
		want     string
	}{
		{"older", map[string]string{"example.com/a": "v1.9.9"}, "example.com/a v1.9.9 is older than v1.10.0: GO-1"},
		{"candidate", map[string]string{"example.com/a": "v1.10.0-0"}, "example.com/a v1.10.0-0 is older than v1.10.0: GO-1"},
		{"same", map[string]string{"example.com/a": "v1.10.0"}, ""},
		{"newer", map[string]string{"example.com/a": "v1.11.0"}, ""},
		{"not required", map[string]string{"example.com/b": "v0.1.0"}, ""},
		{"old toolchain", map[string]string{"stdlib": "v1.26.5"}, "stdlib v1.26.5 is older than v1.26.6: GO-2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(behindMinimums(c.versions, minimums), "\n"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// behindMinimums explains which of the versions are older than their minimum.
func behindMinimums(versions map[string]string, minimums []minimum) []string {
	var problems []string
	for _, m := range minimums {
		if version, found := versions[m.module]; found && semver.Compare(version, m.version) < 0 {
			problems = append(problems, m.module+" "+version+" is older than "+m.version+": "+m.advisory)
		}
	}
	return problems
}

// requiredVersions returns the versions of all modules that file requires, with the toolchain's as
// that of "stdlib". A replaced module has the version of its replacement.
func requiredVersions(file *modfile.File) map[string]string {
	versions := map[string]string{}
	for _, r := range file.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	for _, r := range file.Replace {
		if _, found := versions[r.Old.Path]; found {
			versions[r.Old.Path] = r.New.Version
		}
	}
	if file.Toolchain != nil {
		versions["stdlib"] = "v" + strings.TrimPrefix(file.Toolchain.Name, "go")
	}
	return versions
}

var goVersion = regexp.MustCompile(`\bGo (1\.\d+)`)

// goVersions returns the minor versions of Go that a text names.
func goVersions(text string) []string {
	var versions []string
	for _, match := range goVersion.FindAllStringSubmatch(text, -1) {
		versions = append(versions, "v"+match[1])
	}
	return versions
}

func readModule(t *testing.T, path string) *modfile.File {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	file, err := modfile.Parse(path, content, nil)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// project is how the files of a release begin.
const project = "terraform-provider-fusebill"

// platforms are those that the registries list.
var platforms = []string{
	"darwin_amd64", "darwin_arm64", "freebsd_386", "freebsd_amd64", "freebsd_arm", "freebsd_arm64",
	"linux_386", "linux_amd64", "linux_arm", "linux_arm64", "windows_386", "windows_amd64", "windows_arm64",
}

// release is the folder that goreleaser has written.
type release struct {
	folder   string
	version  string
	packages map[string]string // the zip's path, by platform
}

var packageName = regexp.MustCompile(`^` + project + `_([^_]+)_([a-z0-9]+_[a-z0-9]+)\.zip$`)

// openRelease finds the packages. All are of one version.
func openRelease(folder string) (release, error) {
	r := release{folder: folder, packages: make(map[string]string)}
	paths, err := filepath.Glob(filepath.Join(folder, "*.zip"))
	if err != nil {
		return r, err
	}
	for _, path := range paths {
		match := packageName.FindStringSubmatch(filepath.Base(path))
		if match == nil {
			return r, fmt.Errorf("%s isn't named %s_VERSION_OS_ARCH.zip", path, project)
		}
		if r.version != "" && r.version != match[1] {
			return r, fmt.Errorf("there are packages of versions %s and %s", r.version, match[1])
		}
		r.version, r.packages[match[2]] = match[1], path
	}
	for _, platform := range platforms {
		if r.packages[platform] == "" {
			return r, fmt.Errorf("%s has no package for %s", folder, platform)
		}
	}
	return r, nil
}

func (r release) check() error {
	sums, err := r.checksums()
	if err != nil {
		return err
	}
	for platform, path := range r.packages {
		if err := errors.Join(checkSum(path, sums), r.checkContents(platform, path)); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	return r.checkManifest(sums)
}

// checksums reads the file with the sum of each file, in the form that sha256sum writes.
func (r release) checksums() (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(r.folder, fmt.Sprintf("%s_%s_SHA256SUMS", project, r.version)))
	if err != nil {
		return nil, err
	}
	sums := make(map[string]string)
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			return nil, fmt.Errorf("the checksums have a line %q", lines.Text())
		}
		sums[name] = sum
	}
	return sums, nil
}

func checkSum(path string, sums map[string]string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	if want := sums[filepath.Base(path)]; want != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("its checksum isn't the one of the list, %q", want)
	}
	return nil
}

// checkContents looks into a package: the program, under the name by which the CLI finds it, and the license.
func (r release) checkContents(platform, path string) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }() // It was only read.
	program := project + "_v" + r.version
	if strings.HasPrefix(platform, "windows_") {
		program += ".exe"
	}
	var names []string
	for _, file := range archive.File {
		names = append(names, file.Name)
		if file.Name == program && file.Mode().Perm()&0o111 == 0 {
			return errors.New("its program can't be executed")
		}
	}
	slices.Sort(names)
	if want := []string{"LICENSE", program}; !slices.Equal(names, want) {
		return fmt.Errorf("it holds %v, and should hold %v", names, want)
	}
	return nil
}

// checkManifest makes sure that the registry learns of the protocol's version. It has a checksum too, and goes by this name.
func (r release) checkManifest(sums map[string]string) error {
	const name = "terraform-registry-manifest.json"
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var manifest struct {
		Version  int
		Metadata struct {
			ProtocolVersions []string `json:"protocol_versions"`
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if manifest.Version != 1 || !slices.Equal(manifest.Metadata.ProtocolVersions, []string{"6.0"}) {
		return fmt.Errorf("%s isn't of version 1 for protocol 6.0", name)
	}
	sum := sha256.Sum256(text)
	if sums[fmt.Sprintf("%s_%s_manifest.json", project, r.version)] != hex.EncodeToString(sum[:]) {
		return errors.New("the checksums lack the manifest")
	}
	return nil
}

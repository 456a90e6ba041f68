package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

const (
	pluginPackage = "github.com/fusebill/terraform-provider-fusebill/internal/bench/plugin"
	pluginVersion = "0.0.1" // any but 0.0.0, which stands for none: the CLI finds no other one
	// See the plugin's main.go.
	envMode   = "FUSEBILL_BENCH_MODE"
	envMemory = "FUSEBILL_BENCH_MEMORY"
)

// mode is which provider the plugin is.
type mode string

const (
	production mode = ""
	naive      mode = "naive"   // makes a call for each read
	instant    mode = "instant" // answers reads at once, from the state
)

// installPlugin builds the plugin into a folder that the CLI takes for a mirror of its registry, and returns the path of
// the CLI's settings that say so. They name no other source, so the CLI asks no registry.
func installPlugin(ctx context.Context, c cli, folder string) (settings string, err error) {
	mirror := filepath.Join(folder, "mirror")
	// The CLI's platform may differ from Go's on a machine that runs both.
	env := append(os.Environ(), "GOOS="+c.os, "GOARCH="+c.arch)
	built, err := execute(ctx, "", env, "go", "build", "-o", filepath.Join(mirror, mirrorPath(c)), pluginPackage)
	if err != nil {
		return "", err
	}
	if built.exit != 0 {
		return "", fmt.Errorf("building the provider:\n%s", built.output)
	}
	settings = filepath.Join(folder, "settings.tfrc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.ToSlash(mirror))
	return settings, os.WriteFile(settings, []byte(text), 0o600)
}

// source is how a configuration names the provider: without a host, so that either CLI takes its own registry's.
func source() string {
	_, source, _ := strings.Cut(provider.Address, "/")
	return source
}

// mirrorPath is where a mirror has the provider's program: HOST/NAMESPACE/NAME/VERSION/OS_ARCH/PROGRAM.
func mirrorPath(c cli) string {
	program := "terraform-provider-" + filepath.Base(source()) + "_v" + pluginVersion
	if c.os == "windows" {
		program += ".exe"
	}
	return filepath.Join(c.registry, filepath.FromSlash(source()), pluginVersion, c.os+"_"+c.arch, program)
}

// peakMemory is the most that any of the plugin's processes took, by the files that they left in a folder, which is then
// emptied. It is 0 where they can't tell.
func peakMemory(folder string) (int64, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return 0, err
	}
	var most int64
	for _, file := range files {
		path := filepath.Join(folder, file.Name())
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		bytes, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return 0, err
		}
		most = max(most, bytes)
		if err := os.Remove(path); err != nil {
			return 0, err
		}
	}
	return most, nil
}

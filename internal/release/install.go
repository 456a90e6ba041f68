package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

// apiKey opens the simulated account.
const apiKey = "cmVsZWFzZQ=="

// install lets the CLI take the provider from a folder that mirrors its registry, as a user without one does, and plans
// with it in an empty folder.
func (r release) install(ctx context.Context) (err error) {
	folder, err := os.MkdirTemp("", "fusebill-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := r.mirror(folder); err != nil {
		return err
	}
	account := fusebillsim.New(fusebillsim.Config{APIKey: apiKey})
	account.AddCustomers(fusebillsim.Customer{ID: 2554529})
	server := httptest.NewServer(account)
	defer server.Close()

	for _, command := range []struct {
		args  []string
		shows string
	}{
		{[]string{"init", "-no-color", "-input=false"}, "Installed " + r.source() + " v" + r.version},
		{[]string{"plan", "-no-color", "-input=false"}, "Plan: 1 to add, 0 to change, 0 to destroy."},
	} {
		output, err := r.runCLI(ctx, folder, server.URL+"/v1", command.args)
		if err == nil && !strings.Contains(output, command.shows) {
			err = fmt.Errorf("it should print %q", command.shows)
		}
		if err != nil {
			return fmt.Errorf("%s: %w:\n%s", strings.Join(command.args, " "), err, output)
		}
	}
	if err := r.checkLock(folder); err != nil {
		return err
	}
	fmt.Printf("%s is installed from its zip, with its checksum in the lock file, and plans.\n", r.source())
	return nil
}

// source is how a configuration names the provider.
func (r release) source() string {
	_, source, _ := strings.Cut(provider.Address, "/")
	return source
}

// mirror lays the package for this machine out as the CLI wants it, and writes a configuration and the CLI's settings.
func (r release) mirror(folder string) error {
	packed := r.packages[runtime.GOOS+"_"+runtime.GOARCH]
	if packed == "" {
		return fmt.Errorf("there is no package for this machine, %s_%s", runtime.GOOS, runtime.GOARCH)
	}
	content, err := os.ReadFile(packed)
	if err != nil {
		return err
	}
	settings := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.Join(folder, "mirror"))
	configuration := fmt.Sprintf(`terraform {
  required_providers {
    fusebill = {
      source  = %q
      version = %q
    }
  }
}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id = 2554529
  hubspot_id  = 101
}
`, r.source(), r.version)
	// OpenTofu looks below its own registry's name.
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		place := filepath.Join(folder, "mirror", registry, filepath.FromSlash(r.source()))
		if err := os.MkdirAll(place, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(place, filepath.Base(packed)), content, 0o600); err != nil {
			return err
		}
	}
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "settings.tfrc"), []byte(settings), 0o600),
		os.WriteFile(filepath.Join(folder, "main.tf"), []byte(configuration), 0o600),
	)
}

func (r release) runCLI(ctx context.Context, folder, baseURL string, args []string) (string, error) {
	path := os.Getenv("TF_ACC_TERRAFORM_PATH")
	if path == "" {
		path = "terraform"
	}
	command := exec.CommandContext(ctx, path, args...)
	command.Dir = folder
	command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(folder, "settings.tfrc"), "CHECKPOINT_DISABLE=1",
		"FUSEBILL_API_KEY="+apiKey, "FUSEBILL_BASE_URL="+baseURL)
	output, err := command.CombinedOutput()
	return string(output), err
}

var lockedHash = regexp.MustCompile(`"h1:[A-Za-z0-9+/=]+"`)

// checkLock makes sure that the CLI has noted which bytes it has taken.
func (r release) checkLock(folder string) error {
	lock, err := os.ReadFile(filepath.Join(folder, ".terraform.lock.hcl"))
	if err != nil {
		return err
	}
	if !strings.Contains(string(lock), r.source()) || !strings.Contains(string(lock), r.version) || !lockedHash.Match(lock) {
		return fmt.Errorf("the lock file lacks the provider's version or checksum:\n%s", lock)
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

const stateFile = "terraform.tfstate"

// workspace is a folder with a configuration of one instance for each latch, and their state.
type workspace struct {
	folder string
	sample sampleState
}

// latchesConfig and dataConfig are the two configurations. They have one resource block each, as a user with thousands of
// latches writes it, and take the latches from a file.
var (
	latchesConfig = fmt.Sprintf(`terraform {
  required_providers {
    fusebill = {
      source = %q
    }
  }
}

locals {
  latches = jsondecode(file("${path.module}/latches.json"))
}

resource "fusebill_hubspot_latch" "each" {
  for_each           = local.latches
  fusebill_id        = tonumber(each.key)
  hubspot_id         = each.value.contact
  hubspot_company_id = each.value.company
}
`, source())

	// terraform_data is built into the CLI: what it takes is Terraform's own.
	dataConfig = `locals {
  latches = jsondecode(file("${path.module}/latches.json"))
}

resource "terraform_data" "each" {
  for_each = local.latches
  input    = each.value.contact
}
`
)

// newWorkspace makes a workspace ready to plan in.
func (b *bench) newWorkspace(ctx context.Context, name, config string) (*workspace, error) {
	w := &workspace{folder: filepath.Join(b.folder, name)}
	if err := os.Mkdir(w.folder, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(w.path("main.tf"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	if err := w.declare(nil); err != nil {
		return nil, err
	}
	init, err := execute(ctx, w.folder, b.env, b.cli.path, "init", "-input=false", "-no-color")
	if err == nil && init.exit != 0 {
		err = fmt.Errorf("%s init:\n%s", b.cli.path, init.output)
	}
	return w, err
}

func (w *workspace) path(name string) string { return filepath.Join(w.folder, name) }

// declare writes the latches that the configuration declares.
func (w *workspace) declare(latches []declaredLatch) error {
	type hubSpot struct {
		Contact int64 `json:"contact"`
		Company int64 `json:"company"`
	}
	file := make(map[string]hubSpot, len(latches))
	for _, l := range latches {
		file[strconv.FormatInt(l.customer, 10)] = hubSpot{l.HubSpotID, l.HubSpotCompanyID}
	}
	text, err := json.Marshal(file)
	if err != nil {
		return err
	}
	return os.WriteFile(w.path("latches.json"), text, 0o600)
}

// learn takes the state that an apply of one instance has left as the sample for others.
func (w *workspace) learn() (err error) {
	w.sample, err = os.ReadFile(w.path(stateFile))
	return err
}

// setState writes the state that an apply of these latches leaves.
func (w *workspace) setState(latches []declaredLatch) error {
	state, err := w.sample.with(latches)
	if err != nil {
		return err
	}
	return os.WriteFile(w.path(stateFile), state, 0o600)
}

// clear removes the state, and its backup, which the CLI would otherwise write anew from an older one.
func (w *workspace) clear() error {
	for _, name := range []string{stateFile, stateFile + ".backup"} {
		if err := os.Remove(w.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// stateSize is the size of the state file in bytes, 0 where there is none.
func (w *workspace) stateSize() (int64, error) {
	info, err := os.Stat(w.path(stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

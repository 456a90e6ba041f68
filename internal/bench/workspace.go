package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

const stateFile = "terraform.tfstate"

// workspace is a folder with a configuration and its state.
type workspace struct {
	folder string
	each   int         // how many latches an instance holds at most
	sample sampleState // of one instance for each latch
}

// How many latches an instance holds.
const (
	oneLatch   = 1
	partOfThem = 1000
	allOfThem  = 1 << 30
)

// instances is how many hold so many latches.
func (w *workspace) instances(latches int) int { return ceilDiv(latches, w.each) }

// instancesOfDrift is how many of them hold those that drifted has changed: every hundredth, which is in the same part.
func (w *workspace) instancesOfDrift(latches int) int {
	if w.each == oneLatch {
		return driftOf(latches)
	}
	return 1
}

// The configurations. They have one resource block each, and take the customers from a file.
//
// Those of one instance for each latch count, although for_each is the better choice for those who use it, who want an instance to stay when one before it
// goes: Terraform looks through all of for_each for each instance. A plan of 3,000 terraform_data took it 13 s that way and
// 5 s with count, and one of 10,000 took minutes, beside which what the provider takes could hardly be seen.
var (
	latchesConfig = requirements + customers + fmt.Sprintf(`
resource "fusebill_hubspot_latch" "each" {
  count              = length(local.customers)
  fusebill_id        = local.customers[count.index]
  hubspot_id         = local.customers[count.index] + %d
  hubspot_company_id = local.customers[count.index] + %d
}
`, contactOffset, companyOffset)

	setConfig = requirements + customers + fmt.Sprintf(`
resource "fusebill_hubspot_latches" "all" {
  hubspot_ids         = { for id in local.customers : id => id + %d }
  hubspot_company_ids = { for id in local.customers : id => id + %d }
}
`, contactOffset, companyOffset)

	partsConfig = requirements + customers + fmt.Sprintf(`
locals {
  number = ceil(length(local.customers) / %d)
  parts  = { for id in local.customers : id %% local.number => id... }
}

resource "fusebill_hubspot_latches" "part" {
  for_each            = local.parts
  hubspot_ids         = { for id in each.value : id => id + %d }
  hubspot_company_ids = { for id in each.value : id => id + %d }
}
`, partOfThem, contactOffset, companyOffset)

	// terraform_data is built into the CLI: what it takes is Terraform's own.
	dataConfig = customers + fmt.Sprintf(`
resource "terraform_data" "each" {
  count = length(local.customers)
  input = local.customers[count.index] + %d
}
`, contactOffset)

	dataSetConfig = customers + latchMap + `
resource "terraform_data" "all" {
  input = local.latches
}
`

	requirements = fmt.Sprintf(`terraform {
  required_providers {
    fusebill = {
      source = %q
    }
  }
}

`, acctest.Source)

	customers = `locals {
  customers = jsondecode(file("${path.module}/customers.json"))
}
`

	latchMap = fmt.Sprintf(`
locals {
  latches = { for id in local.customers : id => { hubspot_id = id + %d, hubspot_company_id = id + %d } }
}
`, contactOffset, companyOffset)
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
	init, err := execute(ctx, w.folder, b.env, b.cli.Path, "init", "-input=false", "-no-color")
	if err == nil && init.exit != 0 {
		err = fmt.Errorf("%s init:\n%s", b.cli.Path, init.output)
	}
	return w, err
}

func (w *workspace) path(name string) string { return filepath.Join(w.folder, name) }

// declare writes the latches that the configuration declares: their customers, of which the rest follows.
func (w *workspace) declare(latches []declaredLatch) error {
	customers := make([]int64, len(latches))
	for i, l := range latches {
		customers[i] = l.customer
	}
	text, err := json.Marshal(customers)
	if err != nil {
		return err
	}
	return os.WriteFile(w.path("customers.json"), text, 0o600)
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

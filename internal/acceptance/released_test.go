package acceptance

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// These tests promise that this version plans and writes nothing with a state that a released
// version has written, and that it heals drift and destroys. released_schema_test.go compares the
// schemas.
//
// The folder of a version has its configuration, the state after its apply, and its schema. The
// simulated account is made from the state. `make test` with RELEASED=VERSION writes the folder; it
// needs a CLI that stores identities in the state.

const releasedFolder = "testdata/released"

// next is the folder of the next version, which has the configuration alone.
const next = "."

// envReleased names the variable with the next version, whose folder is written before the tests.
const envReleased = "RELEASED"

// releasedVersions returns the versions that are in use before this one.
func releasedVersions(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(releasedFolder, "*", "schema.json"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no released version in %s: %v", releasedFolder, err)
	}
	for i, folder := range folders {
		folders[i] = filepath.Base(filepath.Dir(folder))
	}
	return folders
}

// readReleased reads a file of a released version.
func readReleased(t *testing.T, version, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(releasedFolder, version, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// releasedState is the part of a state file that the provider writes.
type releasedState struct {
	Resources []struct {
		Mode, Type string
		Instances  []releasedInstance
	}
}

type releasedInstance struct {
	SchemaVersion int64           `json:"schema_version"`
	Attributes    json.RawMessage `json:"attributes"`
	Identity      json.RawMessage `json:"identity"`
	Private       []byte          `json:"private"`
}

// eachManaged calls a function with each instance of a resource in a state file.
func eachManaged(t *testing.T, state string, do func(typeName string, instance releasedInstance)) {
	t.Helper()
	var file releasedState
	if err := json.Unmarshal([]byte(state), &file); err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Resources {
		for _, instance := range r.Instances {
			if r.Mode == "managed" {
				do(r.Type, instance)
			}
		}
	}
}

// latchesIn returns the latches in a state file, of both resources.
func latchesIn(t *testing.T, state string) acctest.LatchSet {
	t.Helper()
	parse := func(text string) int64 {
		id, err := strconv.ParseInt(cmp.Or(text, "0"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	var all acctest.LatchSet
	eachManaged(t, state, func(_ string, instance releasedInstance) {
		var resource struct {
			Customer  string            `json:"fusebill_id"`
			Contact   string            `json:"hubspot_id"`
			Company   string            `json:"hubspot_company_id"`
			Contacts  map[string]string `json:"hubspot_ids"`
			Companies map[string]string `json:"hubspot_company_ids"`
		}
		if err := json.Unmarshal(instance.Attributes, &resource); err != nil {
			t.Fatal(err)
		}
		rows := make(map[int64]acctest.Customer)
		for id, contact := range resource.Contacts {
			rows[parse(id)] = acctest.Customer{ID: parse(id), Contact: parse(contact)}
		}
		for id, company := range resource.Companies {
			rows[parse(id)] = acctest.Customer{ID: parse(id), Contact: rows[parse(id)].Contact, Company: parse(company)}
		}
		all = slices.AppendSeq(all, maps.Values(rows))
		if resource.Customer != "" {
			all = append(all, acctest.Customer{
				ID: parse(resource.Customer), Contact: parse(resource.Contact), Company: parse(resource.Company),
			})
		}
	})
	return all
}

// withoutIdentity returns a state file as a CLI without identities writes it.
func withoutIdentity(t *testing.T, state string) string {
	t.Helper()
	var file map[string]any
	numbers := json.NewDecoder(strings.NewReader(state))
	numbers.UseNumber() // IDs beyond 2^53 keep every digit.
	if err := numbers.Decode(&file); err != nil {
		t.Fatal(err)
	}
	removed := removeKeys(file, "identity", "identity_schema_version")
	if removed == 0 {
		t.Fatal("the state has no identity: it was recorded with a CLI that does not store identities")
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// removeKeys removes these keys from all objects in a value, and returns their number.
func removeKeys(value any, keys ...string) (removed int) {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range keys {
			if _, ok := value[key]; ok {
				delete(value, key)
				removed++
			}
		}
		for _, inner := range value {
			removed += removeKeys(inner, keys...)
		}
	case []any:
		for _, inner := range value {
			removed += removeKeys(inner, keys...)
		}
	}
	return removed
}

// inReleased returns a workspace with the configuration of a version.
func inReleased(t *testing.T, a acctest.Account, version string) *acctest.Workspace {
	t.Helper()
	c := acctest.NewWorkspace(t, a)
	c.Remove("provider.tf") // The configuration names the provider itself.
	c.Setenv(acctest.EnvBaseURL, a.URL)
	c.Declare(readReleased(t, version, "main.tf"))
	return c
}

func TestAccReleased(t *testing.T) {
	if version := os.Getenv(envReleased); version != "" {
		record(t, version)
	}
	for _, version := range releasedVersions(t) {
		state := readReleased(t, version, "state.json")
		for name, state := range map[string]string{"with identity": state, "without identity": withoutIdentity(t, state)} {
			t.Run(version+" "+name, func(t *testing.T) {
				t.Parallel()
				continuesFrom(t, version, state)
			})
		}
		t.Run(version+" from a newer version", func(t *testing.T) {
			t.Parallel()
			c := inReleased(t, acctest.AccountWith(t, latchesIn(t, state)...), version)
			c.Write("terraform.tfstate", strings.ReplaceAll(state, `"schema_version": 0`, `"schema_version": 99`))
			acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Resource instance managed by newer provider version")
		})
	}
}

// continuesFrom plans, heals drift and destroys with the state of a released version.
func continuesFrom(t *testing.T, version, state string) {
	t.Helper()
	latches := latchesIn(t, state)
	a := acctest.AccountWith(t, latches...)
	c := inReleased(t, a, version)
	c.Write("terraform.tfstate", state)
	c.PlanIs(false)
	a.Wrote(t)

	for _, h := range latches { // Every latch drifts.
		a.SetLatch(h.ID, h.ID+1000, h.Company)
	}
	a.ResetCalls()
	c.PlanIs(true)
	c.Run(0, "apply", "-no-color", "tfplan")
	a.WroteSet(t, latches...)
	c.PlanIs(false)

	a.ResetCalls()
	c.Run(0, "destroy", "-no-color", "-auto-approve")
	a.WroteSet(t, latches.Unlatched()...)
}

// record writes the folder of this version.
func record(t *testing.T, version string) {
	t.Helper()
	a := acctest.AccountWith(t, append(acctest.NumberedSet(20, 0).Unlatched(), acctest.Customer{ID: 9007199254740993})...)
	c := inReleased(t, a, next)
	c.Apply()
	state, err := os.ReadFile(filepath.Join(c.Dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(releasedFolder, version), 0o750); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{
		"main.tf": []byte(readReleased(t, next, "main.tf")), "state.json": state, "schema.json": printedSchema(t),
	} {
		if err := os.WriteFile(filepath.Join(releasedFolder, version, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReleased_upgradeOfState upgrades and reads each released state without a CLI. The read
// changes neither state nor identity.
func TestReleased_upgradeOfState(t *testing.T) {
	t.Parallel()
	for _, version := range releasedVersions(t) {
		state := readReleased(t, version, "state.json")
		p := acctest.NewConfiguredProtocol(t, acctest.SimulatorWith(latchesIn(t, state)...))
		eachManaged(t, state, func(typeName string, instance releasedInstance) {
			upgraded, err := p.Server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
				TypeName: typeName, Version: instance.SchemaVersion, RawState: &tfprotov6.RawState{JSON: instance.Attributes},
			})
			p.Succeeded(upgraded.Diagnostics, err)
			identity := identityIn(p, instance)
			read, err := p.Server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
				TypeName: typeName, CurrentState: upgraded.UpgradedState, CurrentIdentity: identity, Private: instance.Private,
			})
			p.Succeeded(read.Diagnostics, err)
			before, after := decode(p, typeName, upgraded.UpgradedState), decode(p, typeName, read.NewState)
			if !after.Equal(before) {
				t.Errorf("%s: a read changes the state of %s from\n%s\nto\n%s", version, typeName, before, after)
			}
			if diff := gocmp.Diff(identity, read.NewIdentity); diff != "" {
				t.Errorf("%s: a read changes the identity of %s (- before, + after):\n%s", version, typeName, diff)
			}
		})
	}
}

func decode(p *acctest.Protocol, typeName string, value *tfprotov6.DynamicValue) tftypes.Value {
	p.T.Helper()
	schemas, err := p.Server.GetProviderSchema(p.T.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		p.T.Fatal(err)
	}
	decoded, err := value.Unmarshal(schemas.ResourceSchemas[typeName].ValueType())
	if err != nil {
		p.T.Fatal(err)
	}
	return decoded
}

// identityIn returns the identity of an instance in a state file, or nil.
func identityIn(p *acctest.Protocol, instance releasedInstance) *tfprotov6.ResourceIdentityData {
	p.T.Helper()
	if instance.Identity == nil {
		return nil
	}
	identity, err := tfprotov6.RawState{JSON: instance.Identity}.Unmarshal(p.IdentityType)
	if err != nil {
		p.T.Fatal(err)
	}
	return &tfprotov6.ResourceIdentityData{IdentityData: p.Encode(p.IdentityType, identity)}
}

package acctest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// Workspace is a working directory of the CLI with a provider block for an account. Only the
// environment has the key.
type Workspace struct {
	T       *testing.T
	CLI     CLI
	Dir     string
	Env     []string // of commands: NAME=value; the last of a name counts
	WithKey []string // files that are expected to contain the key
	// MayBeTainted permits tainted latches in state.
	MayBeTainted bool

	printed []*bytes.Buffer // by each command
}

// NewWorkspace makes a working directory with the built provider for an account.
func NewWorkspace(t *testing.T, a Account) *Workspace {
	t.Helper()
	if os.Getenv(resource.EnvTfAcc) == "" {
		t.Skipf("Acceptance tests skipped unless env '%s' set", resource.EnvTfAcc)
	}
	c := &Workspace{T: t, CLI: findCLI(t), Dir: t.TempDir(), Env: Environment(os.Environ())}
	// With TLS, the CLI and the provider make keys of the curve P-521 for each start of the provider,
	// several in a command, which is more than half of the CPU time of a small run. The CLI has the
	// variable for test frameworks (hashicorp/terraform, internal/command/meta_providers.go).
	c.Setenv(EnvWithoutPluginTLS, "1")
	// No init and no registry: the CLI takes the provider from where the override says.
	c.override(nil)
	// In a workspace the waits between retries are as long as for users.
	c.Write("provider.tf", Required+ProviderBlock(fmt.Sprintf("base_url = %q", a.URL), "max_retries = 0"))
	c.Setenv("TF_CLI_CONFIG_FILE", filepath.Join(c.Dir, "cli.tfrc"))
	c.Setenv(EnvAPIKey, APIKey)
	c.keepsKey(len(a.Customers()))
	return c
}

// foundCLI finds the CLI once for all tests.
var foundCLI = sync.OnceValues(func() (CLI, error) { return Find(context.Background()) })

func findCLI(t *testing.T) CLI {
	t.Helper()
	found, err := foundCLI()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// override makes the CLI run the built provider for Source, and other providers from these folders,
// without a registry.
func (c *Workspace) override(others map[string]string) {
	c.T.Helper()
	folders := []string{fmt.Sprintf("  %q = %q", Source, filepath.Dir(BuiltProvider(c.T)))}
	for source, folder := range others {
		folders = append(folders, fmt.Sprintf("  %q = %q", source, folder))
	}
	c.Write("cli.tfrc", Block("provider_installation", "dev_overrides {", strings.Join(folders, "\n  "), "}", "direct {}"))
}

// UseAccount makes commands use an account by the environment alone, as pipelines do.
func (c *Workspace) UseAccount(url string) {
	c.T.Helper()
	c.Write("provider.tf", Required+ProviderBlock("max_retries = 0"))
	c.Setenv(EnvBaseURL, url)
}

// Setenv sets an environment variable of commands.
func (c *Workspace) Setenv(name, value string) { c.Env = append(c.Env, name+"="+value) }

// Write writes a file of the workspace.
func (c *Workspace) Write(name, text string) {
	c.T.Helper()
	path := filepath.Join(c.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		c.T.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.T.Fatal(err)
	}
}

// Declare replaces the configuration with the provider block and these blocks.
func (c *Workspace) Declare(blocks ...string) {
	c.T.Helper()
	config := strings.Join(blocks, "\n")
	if strings.Contains(config, "terraform_data") {
		c.SkipBelow(1, 4, "values of terraform_data that are unknown at plan")
	}
	c.Write("main.tf", config)
}

// Command returns a command of the CLI and the buffer of its output.
func (c *Workspace) Command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(c.T.Context(), c.CLI.Path, args...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	output := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = output, output
	c.printed = append(c.printed, output)
	return cmd, output
}

// Run runs a command of the CLI and returns its output. It fails the test unless the command ends
// with this exit code.
func (c *Workspace) Run(code int, args ...string) string {
	c.T.Helper()
	cmd, output := c.Command(args...)
	c.Ended(cmd, output, cmd.Run(), code)
	return output.String()
}

// Ended fails the test unless a command that Command made, and that ended with err, ended with this
// code.
func (c *Workspace) Ended(cmd *exec.Cmd, output *bytes.Buffer, err error, code int) {
	c.T.Helper()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		c.T.Fatalf("%s: %v", cmd.Args[1:], err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		c.T.Fatalf("%s ended with %d, want %d:\n%s", cmd.Args[1:], got, code, output)
	}
}

// Apply applies the configuration.
func (c *Workspace) Apply() {
	c.T.Helper()
	c.Run(0, "apply", "-no-color", "-auto-approve")
}

// PlanIs fails the test unless a plan has changes, or has none.
func (c *Workspace) PlanIs(changes bool) string {
	c.T.Helper()
	code := 0
	if changes {
		code = 2
	}
	return c.Run(code, "plan", "-no-color", "-detailed-exitcode", "-out=tfplan")
}

// attributes returns the attributes of the latch "test" in the JSON output of show, unchanged, or
// nil if the output does not have it.
func (c *Workspace) attributes(file ...string) map[string]json.RawMessage {
	c.T.Helper()
	type module struct {
		RootModule struct {
			Resources []struct {
				Address string
				Values  map[string]json.RawMessage
			}
		} `json:"root_module"`
	}
	var shown struct {
		Values        module
		PlannedValues module `json:"planned_values"`
	}
	cmd, output := c.Command(append([]string{"show", "-json"}, file...)...)
	cmd.Stderr = new(bytes.Buffer)
	c.Ended(cmd, output, cmd.Run(), 0)
	if err := json.Unmarshal(output.Bytes(), &shown); err != nil {
		c.T.Fatalf("show -json: %v\n%s", err, output)
	}
	for _, r := range append(shown.Values.RootModule.Resources, shown.PlannedValues.RootModule.Resources...) {
		if r.Address == LatchAddress {
			return r.Values
		}
	}
	return nil
}

// Shows fails the test unless the state or a plan file has exactly this latch. No customer means no
// latch.
func (c *Workspace) Shows(want Customer, file ...string) {
	c.T.Helper()
	got := c.attributes(file...)
	if want.ID == 0 {
		if got != nil {
			c.T.Errorf("state holds a latch: %s", got)
		}
		return
	}
	for name, id := range map[string]int64{
		"fusebill_id": want.ID, "hubspot_id": want.Contact, "hubspot_company_id": want.Company,
	} {
		text := "null"
		if id != 0 {
			text = strconv.Quote(formatID(id))
		}
		if string(got[name]) != text {
			c.T.Errorf("%s is %s, want %s", name, got[name], text)
		}
	}
}

// Prints fails the test unless an output contains these texts. It ignores line breaks and frames.
func Prints(t *testing.T, output string, texts ...string) {
	t.Helper()
	bare := strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)
	for _, text := range texts {
		if !regexp.MustCompile(loosely(text)).MatchString(bare) {
			t.Errorf("not printed: %s\n%s", text, output)
		}
	}
}

// Latches returns all latches of the state, both in resources and in the output "latches".
func (c *Workspace) Latches() LatchSet {
	c.T.Helper()
	var all LatchSet
	for customer, latch := range c.state().Outputs.Latches.Value {
		all = append(all, latch.of(customer))
	}
	for _, object := range c.Objects() {
		all = append(all, object.Latches...)
		if !object.isSet && object.Status != "" && !c.MayBeTainted {
			c.T.Errorf("%s is %s: %v", object.Address, object.Status, object.Latches)
		}
	}
	return all
}

// StateObject is an object of a state: a single latch or a latch set.
type StateObject struct {
	Address     string
	Deposed     string // the key of a deposed object; empty: the object is current
	Status      string // "tainted", or empty
	IsExclusive bool
	Latches     LatchSet

	isSet bool
}

// Objects returns the single latches and latch sets of the state.
func (c *Workspace) Objects() []StateObject {
	c.T.Helper()
	var all []StateObject
	for _, resource := range c.state().Resources {
		for _, instance := range resource.Instances {
			a := instance.Attributes
			object := StateObject{
				Address: resource.Type + "." + resource.Name, Deposed: instance.Deposed, Status: instance.Status,
				IsExclusive: a.Exclusive, isSet: resource.Type != LatchType, Latches: setInState(a.Contacts, a.Companies),
			}
			if !object.isSet {
				object.Latches = LatchSet{a.of(a.FusebillID)}
			}
			all = append(all, object)
		}
	}
	return all
}

// stateFile has the parts of a state file that tests read.
type stateFile struct {
	Outputs struct {
		Latches struct{ Value map[int64]stateLatch }
	}
	Resources []struct {
		Type, Name string
		Instances  []struct {
			Status, Deposed string
			Attributes      struct {
				stateLatch
				FusebillID int64            `json:"fusebill_id,string"`
				Contacts   map[int64]string `json:"hubspot_ids"`
				Companies  map[int64]string `json:"hubspot_company_ids"`
				Exclusive  bool
			}
		}
	}
}

// state reads the state file. A missing file is an empty state.
func (c *Workspace) state() (state stateFile) {
	c.T.Helper()
	text, err := os.ReadFile(filepath.Join(c.Dir, "terraform.tfstate"))
	if os.IsNotExist(err) {
		return state
	}
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		c.T.Fatalf("state: %v\n%s", err, text)
	}
	return state
}

// setInState is a latch set as a state file has it.
func setInState(contacts, companies map[int64]string) LatchSet {
	latches := make(map[int64]Customer)
	for id, contact := range contacts {
		latches[id] = Customer{ID: id, Contact: idOf(contact)}
	}
	for id, company := range companies {
		latches[id] = Customer{ID: id, Contact: latches[id].Contact, Company: idOf(company)}
	}
	return slices.Collect(maps.Values(latches))
}

// idOf returns the number in a string, or 0 where there is none.
func idOf(text string) int64 {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// stateLatch is a latch as a state file has it, where the IDs of a set are strings.
type stateLatch struct {
	Contact *json.Number `json:"hubspot_id"`
	Company *json.Number `json:"hubspot_company_id"`
}

func (l stateLatch) of(customer int64) Customer {
	id := func(number *json.Number) int64 {
		if number == nil {
			return 0
		}
		id, err := number.Int64()
		if err != nil {
			return -1
		}
		return id
	}
	return Customer{ID: customer, Contact: id(l.Contact), Company: id(l.Company)}
}

// Install makes init find the built provider, as if it came from the registry. Commands without
// init do not need it.
func (c *Workspace) Install() {
	c.T.Helper()
	mirror := c.T.TempDir()
	program := filepath.Join(mirror, c.CLI.mirrorPath())
	if err := os.MkdirAll(filepath.Dir(program), 0o750); err != nil {
		c.T.Fatal(err)
	}
	if err := os.Symlink(BuiltProvider(c.T), program); err != nil {
		c.T.Fatal(err)
	}
	c.Write("cli.tfrc", mirrorSettings(mirror))
}

// Remove removes a file of the workspace.
func (c *Workspace) Remove(name string) {
	c.T.Helper()
	if err := os.Remove(filepath.Join(c.Dir, name)); err != nil {
		c.T.Fatal(err)
	}
}

// StandIn makes the CLI run the built provider for these addresses of other providers.
func (c *Workspace) StandIn(addresses ...string) {
	c.T.Helper()
	folders := map[string]string{}
	for _, address := range addresses {
		dir := c.T.TempDir()
		if err := os.Symlink(BuiltProvider(c.T), filepath.Join(dir, "terraform-provider-"+path.Base(address))); err != nil {
			c.T.Fatal(err)
		}
		_, source, _ := strings.Cut(address, "/") // The host is the registry of the CLI.
		folders[source] = dir
	}
	c.override(folders)
}

// SkipBelow skips a test of a feature that CLIs below a version do not have. The version is the
// same for Terraform and OpenTofu.
func (c *Workspace) SkipBelow(major, minor int, feature string) {
	c.T.Helper()
	var gotMajor, gotMinor int
	if _, err := fmt.Sscanf(c.CLI.Version, "%d.%d", &gotMajor, &gotMinor); err != nil {
		c.T.Fatal(err)
	}
	if gotMajor < major || gotMajor == major && gotMinor < minor {
		c.T.Skipf("This test is about %s, which %s %s does not have.", feature, c.CLI.Product, c.CLI.Version)
	}
}

// SkipWithoutTerraform14 skips a test of a feature that no version of OpenTofu has, such as queries
// and actions.
func (c *Workspace) SkipWithoutTerraform14(feature string) {
	c.T.Helper()
	if c.CLI.IsOpenTofu() {
		c.T.Skipf("This test is about %s, which OpenTofu does not have.", feature)
	}
	c.SkipBelow(1, 14, feature)
}

// SkipWithoutRemoved skips a test of removed blocks with destroy = false.
func (c *Workspace) SkipWithoutRemoved() {
	c.T.Helper()
	c.skipBelowMinor(7, 10, "removed blocks with destroy = false")
}

// SkipWithoutMoves skips a test of moves between types of resources.
func (c *Workspace) SkipWithoutMoves() {
	c.T.Helper()
	c.skipBelowMinor(8, 10, "moves between types of resources")
}

// SkipWithoutMocks skips a test of mocks of providers.
func (c *Workspace) SkipWithoutMocks() {
	c.T.Helper()
	c.skipBelowMinor(7, 8, "mocks of providers")
}

func (c *Workspace) skipBelowMinor(terraform, openTofu int, feature string) {
	c.T.Helper()
	if c.CLI.IsOpenTofu() {
		terraform = openTofu
	}
	c.SkipBelow(1, terraform, feature)
}

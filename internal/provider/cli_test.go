package provider

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The CLI at work with the provider that was built, as a process of its own: for what plugin-testing can't show. The
// promises tested here: the key is in no log, state, plan or output; IDs beyond 2^53 keep every digit in what the CLI
// writes; warnings are shown; an interrupted run leaves state that is right.

// envCLI names the CLI to test with, as for plugin-testing.
const envCLI = "TF_ACC_TERRAFORM_PATH"

// cli is a working directory for the CLI, whose provider block names an account. The key is in the environment alone.
type cli struct {
	t    *testing.T
	path string
	dir  string
	env  []string

	printed []*bytes.Buffer // by each command
	withKey []string        // files that are meant to hold the key
}

// newCLI makes a working directory with the built provider for an account.
func newCLI(t *testing.T, a account) *cli {
	t.Helper()
	if os.Getenv(resource.EnvTfAcc) == "" {
		t.Skipf("Acceptance tests skipped unless env '%s' set", resource.EnvTfAcc)
	}
	binary, err := builtProvider()
	if err != nil {
		t.Fatal(err)
	}
	c := &cli{t: t, path: findCLI(t), dir: t.TempDir()}
	// No init and no registry: the CLI takes the provider from where the override says.
	c.write("cli.tfrc", block("provider_installation", fmt.Sprintf(`dev_overrides {
    %q = %q
  }
  direct {}`, source, filepath.Dir(binary))))
	c.write("provider.tf", required+providerBlock(fmt.Sprintf("base_url = %q", a.url), "max_retries = 0")) // Waits between retries are as long here as for users.
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TF_") {
			c.env = append(c.env, variable)
		}
	}
	c.setenv("TF_CLI_CONFIG_FILE", filepath.Join(c.dir, "cli.tfrc"))
	c.setenv("CHECKPOINT_DISABLE", "1")
	c.setenv(envAPIKey, testKey)
	c.keepsKey(len(a.Customers()))
	return c
}

// findCLI returns the CLI that plugin-testing uses, or else OpenTofu.
func findCLI(t *testing.T) string {
	t.Helper()
	if path := os.Getenv(envCLI); path != "" {
		return path
	}
	for _, name := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Terraform CLI on PATH; install one or set " + envCLI)
	return ""
}

// builtProvider builds the provider once for all tests.
var builtProvider = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "terraform-provider-fusebill-")
	if err != nil {
		return "", err
	}
	builtProviderDir = dir
	binary := filepath.Join(dir, "terraform-provider-fusebill")
	if output, err := exec.Command("go", "build", "-o", binary, "../..").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the provider: %w\n%s", err, output)
	}
	return binary, nil
})

var builtProviderDir string

func removeBuiltProvider() error {
	if builtProviderDir == "" {
		return nil // No test needed it.
	}
	return os.RemoveAll(builtProviderDir)
}

// needsTerraform14 skips a test of queries or actions, which OpenTofu lacks, whatever its version.
func (c *cli) needsTerraform14(feature string) {
	c.t.Helper()
	if !strings.HasPrefix(c.run(0, "version"), "Terraform ") {
		c.t.Skipf("This test is about %s, which OpenTofu doesn't have.", feature)
	}
	c.skipBelow(1, 14, feature)
}

func (c *cli) setenv(name, value string) { c.env = append(c.env, name+"="+value) }

func (c *cli) write(name, text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// declare makes these blocks the configuration, besides the provider's.
func (c *cli) declare(blocks ...string) {
	c.t.Helper()
	config := strings.Join(blocks, "\n")
	if strings.Contains(config, "terraform_data") {
		c.skipBelow(1, 4, "values that terraform_data tells after apply only")
	}
	c.write("main.tf", config)
}

// command is a command of the CLI and where its output goes.
func (c *cli) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(c.t.Context(), c.path, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	output := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = output, output
	c.printed = append(c.printed, output)
	return cmd, output
}

// run runs a command of the CLI and returns what it prints. It fails the test unless the command ends with this code.
func (c *cli) run(code int, args ...string) string {
	c.t.Helper()
	cmd, output := c.command(args...)
	c.ended(cmd, output, cmd.Run(), code)
	return output.String()
}

func (c *cli) ended(cmd *exec.Cmd, output *bytes.Buffer, err error, code int) {
	c.t.Helper()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("%s: %v", cmd.Args[1:], err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		c.t.Fatalf("%s ended with %d, want %d:\n%s", cmd.Args[1:], got, code, output)
	}
}

func (c *cli) apply() {
	c.t.Helper()
	c.run(0, "apply", "-no-color", "-auto-approve")
}

// planIs fails the test unless a plan has changes, or has none.
func (c *cli) planIs(changes bool) string {
	c.t.Helper()
	code := 0
	if changes {
		code = 2
	}
	return c.run(code, "plan", "-no-color", "-detailed-exitcode", "-out=tfplan")
}

// attributes returns those of the latch "test" in the JSON that show prints, as they stand there; nil if it isn't there.
func (c *cli) attributes(file ...string) map[string]json.RawMessage {
	c.t.Helper()
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
	cmd, output := c.command(append([]string{"show", "-json"}, file...)...)
	cmd.Stderr = new(bytes.Buffer)
	c.ended(cmd, output, cmd.Run(), 0)
	if err := json.Unmarshal(output.Bytes(), &shown); err != nil {
		c.t.Fatalf("show -json: %v\n%s", err, output)
	}
	for _, r := range append(shown.Values.RootModule.Resources, shown.PlannedValues.RootModule.Resources...) {
		if r.Address == testLatch {
			return r.Values
		}
	}
	return nil
}

// shows fails the test unless state, or a plan file, holds this latch, digit for digit; no customer stands for no latch.
func (c *cli) shows(want held, file ...string) {
	c.t.Helper()
	got := c.attributes(file...)
	if want.customer == 0 {
		if got != nil {
			c.t.Errorf("state holds a latch: %s", got)
		}
		return
	}
	for name, id := range map[string]int64{
		"fusebill_id": want.customer, "hubspot_id": want.contact, "hubspot_company_id": want.company,
	} {
		text := "null"
		if id != 0 {
			text = fmt.Sprint(id)
		}
		if string(got[name]) != text {
			c.t.Errorf("%s is %s, want %s", name, got[name], text)
		}
	}
}

// prints fails the test unless an output holds these texts, however the CLI breaks their lines and frames them.
func prints(t *testing.T, output string, texts ...string) {
	t.Helper()
	bare := strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)
	for _, text := range texts {
		if !regexp.MustCompile(loosely(text)).MatchString(bare) {
			t.Errorf("not printed: %s\n%s", text, output)
		}
	}
}

func TestAccCLI_idsKeepEveryDigit(t *testing.T) {
	t.Parallel()
	latch := held{9007199254740995, 9007199254740993, 4294967297} // 2^53+3, 2^53+1 and 2^32+1: a float or 32 bits would lose them
	a := accountWith(t, held{latch.customer, 0, 0})
	c := newCLI(t, a)
	c.declare(latch.block())

	prints(t, c.planIs(true), "hubspot_id = 9007199254740993", "hubspot_company_id = 4294967297")
	c.shows(latch, "tfplan")
	c.run(0, "apply", "-no-color", "tfplan")
	a.holds(t, latch)
	c.shows(latch)
	c.planIs(false)
	c.shows(latch, "tfplan")

	c.run(0, "state", "rm", testLatch)
	c.shows(held{})
	c.run(0, "import", "-no-color", testLatch, fmt.Sprint(latch.customer))
	c.shows(latch)
	c.planIs(false)

	prints(t, c.run(0, "destroy", "-no-color", "-auto-approve"), "hubspot_id = 9007199254740993 -> null")
	c.shows(held{})
	a.holds(t, held{latch.customer, 0, 0})
	a.wrote(t, latch, held{latch.customer, 0, 0})
}

// What somebody else has latched since isn't ours to remove.
func TestAccCLI_destroyLeavesNewLatchWithAWarning(t *testing.T) {
	t.Parallel()
	ours := held{11, 101, 202}
	for name, test := range map[string]struct {
		anew   held
		left   held
		writes []held
	}{
		"both anew":    {held{11, 999, 888}, held{11, 999, 888}, nil},
		"contact anew": {held{11, 999, 202}, held{11, 999, 0}, []held{{11, 999, 0}}}, // the company is released
		"company anew": {held{11, 0, 888}, held{11, 0, 888}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := accountWith(t, held{11, 0, 0})
			c := newCLI(t, a)
			c.declare(ours.block())
			c.apply()
			c.run(0, "plan", "-destroy", "-out=tfplan")
			a.SetLatch(11, test.anew.contact, test.anew.company)
			a.ResetCalls()
			prints(t, c.run(0, "apply", "-no-color", "tfplan"),
				"Warning: Another HubSpot latch was left in place",
				"Customer 11 was latched to contact 101 and company 202 by this resource, and is latched to "+
					test.left.latch().String()+" now. That isn't this resource's to remove, and was left as it is.",
				"1 destroyed")
			a.holds(t, test.left)
			a.wrote(t, test.writes...)
			c.shows(held{})
		})
	}
}

func TestAccCLI_deletedCustomerIsToldInAWarning(t *testing.T) {
	t.Parallel()
	a := accountWith(t, held{11, 0, 0})
	c := newCLI(t, a)
	c.declare(held{11, 101, 0}.block())
	c.apply()
	a.DeleteCustomer(11)
	prints(t, c.planIs(true), "Warning: Fusebill customer is gone",
		"Customer 11 doesn't exist any more (GET customers/11: 404 Not Found: Customer with id 11 was not found), and so its HubSpot latch leaves the state.",
		"check that the API key and base_url are those of its account", "remove its latch from the configuration",
		"will be created")
}

// Validation runs where no key is at hand, such as in an editor.
func TestAccCLI_validateNeedsNoKey(t *testing.T) {
	t.Parallel()
	a := accountWith(t)
	c := newCLI(t, a)
	c.setenv(envAPIKey, "")
	c.declare(held{11, 101, 0}.block())
	prints(t, c.run(0, "validate", "-no-color"), "The configuration is valid")
	for _, setting := range []string{"", `api_key = ""`} {
		c.write("provider.tf", required+providerBlock(setting))
		prints(t, c.run(1, "plan", "-no-color"), "Error: Missing API key", cmp.Or(setting, `provider "fusebill" {`),
			"Set the environment variable FUSEBILL_API_KEY, or api_key")
	}
	if n := a.Count(); n > 0 {
		t.Errorf("%d calls were made: %v", n, a.Calls())
	}
}

// Ctrl-C comes while the write is on its way. The provider then reads once what became of it, and state says that.
func TestAccCLI_interruptedRun(t *testing.T) {
	t.Parallel()
	declared := held{11, 101, 202}
	for name, test := range map[string]struct {
		hold  fusebillsim.FaultKind // holds the write until the provider gives it up
		state held
		print []string
	}{
		"the write was made": {fusebillsim.FaultLatencyAfter, declared, nil},
		"the write was not made": {fusebillsim.FaultLatencyBefore, held{}, []string{
			"Error: HubSpot latch was not changed",
			"Could not create the HubSpot latch of customer 11 (contact 101 and company 202): POST HubSpot/latchCustomer: " +
				"context canceled; read afterwards, customer 11 is latched to nothing.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := accountWith(t, held{11, 0, 0})
			c := newCLI(t, a)
			c.declare(declared.block())
			cmd, output := c.command("apply", "-no-color", "-auto-approve")
			started := make(chan struct{})
			a.Inject(fusebillsim.Fault{Route: fusebillsim.RouteLatch, OnRequest: func(*http.Request) {
				<-started
				go func() { // The call goes on meanwhile.
					a.awaits(t, test.state)
					c.interrupt(cmd)
				}()
			}})
			a.Inject(fusebillsim.Fault{Kind: test.hold, Route: fusebillsim.RouteLatch, Latency: forever})
			err := cmd.Start()
			close(started)
			if err == nil {
				err = cmd.Wait()
			}
			c.ended(cmd, output, err, 1) // The CLI's own word that it was interrupted.
			prints(t, output.String(), append(test.print, "Interrupt received")...)
			c.shows(test.state)
			a.holds(t, held{11, test.state.contact, test.state.company})

			a.ResetCalls()
			c.apply()
			c.shows(declared)
			a.holds(t, declared)
			if test.state == declared {
				a.wrote(t)
			} else {
				a.wrote(t, declared)
			}
		})
	}
}

// awaits returns once a customer is latched so, at once where none is to be.
func (a account) awaits(t *testing.T, h held) {
	t.Helper()
	for h != (held{}) && t.Context().Err() == nil {
		if c, _ := a.Customer(h.customer); c.HubSpotID == h.contact && c.HubSpotCompanyID == h.company {
			return
		}
		runtime.Gosched()
	}
}

// Everything that a run writes is gathered here, at the highest log level, through success, drift and errors.
func TestAccCLI_keyIsNowhere(t *testing.T) {
	t.Parallel()
	a := accountWith(t, held{11, 0, 0}, held{22, 0, 0})
	a.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{404: true} })
	c := newCLI(t, a)
	c.setenv("TF_LOG", "TRACE")
	c.setenv("TF_LOG_PATH", filepath.Join(c.dir, "trace.log"))

	var printed strings.Builder
	do := func(code int, args ...string) { printed.WriteString(c.run(code, args...)) }
	c.declare(held{11, 101, 202}.block(), block(`output "latch"`, "value = "+testLatch))
	do(0, "plan", "-out=created.tfplan")
	do(0, "show", "-json", "created.tfplan")
	do(0, "apply", "created.tfplan")
	do(0, "output", "-json")
	a.SetLatch(11, 999, 0)
	do(2, "plan", "-detailed-exitcode", "-out=drifted.tfplan")
	a.faults(fusebillsim.FaultDropAfter, fusebillsim.RouteLatch, 1)
	do(0, "apply", "drifted.tfplan")
	do(0, "show", "-json")
	do(0, "import", "-config="+c.dir, "-state=imported.tfstate", testLatch, "11")
	c.declare(held{11, 404, 0}.block())
	do(1, "apply", "-auto-approve") // an unknown contact
	for _, kind := range []fusebillsim.FaultKind{
		fusebillsim.FaultUnauthorized, fusebillsim.FaultDropBefore, fusebillsim.FaultHTML502, fusebillsim.FaultHTMLBody,
		fusebillsim.FaultRedirectHost, fusebillsim.FaultRateLimitDay,
	} {
		mend := a.faults(kind, "", -1)
		do(1, "plan")
		mend()
	}
	do(0, "destroy", "-auto-approve")

	for _, r := range a.Requests() {
		if !r.HasKey {
			t.Errorf("a call without the key: %s %s", r.Method, r.Path)
		}
	}
	written := map[string]string{"what the CLI printed": printed.String()}
	maps.Copy(written, filesBelow(t, c.dir))
	// The search is worth something only where there was something to find.
	for _, name := range []string{"trace.log", "created.tfplan/tfplan", "terraform.tfstate", "imported.tfstate", "terraform.tfstate.backup"} {
		if written[name] == "" {
			t.Errorf("nothing was written to %s", name)
		}
	}
	for _, text := range []string{"POST", "/v1/HubSpot/latchCustomer", "the API answered", "the bodies of a call", "the call failed"} {
		if !strings.Contains(written["trace.log"], text) {
			t.Errorf("the log lacks the calls: there is no %q in it", text)
		}
	}
	keepsKey(t, written)
}

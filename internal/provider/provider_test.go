package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// This file is what the acceptance tests share: a simulated account, configurations for it, and what is checked in each
// step. cli_test.go runs the CLI with the built provider, protocol_test.go speaks to the provider without a CLI.

const (
	// forever is a latency that no test waits for: it ends with the call.
	forever = time.Hour
	// testKey is the API key of every simulated account.
	testKey = "c2VjcmV0LW9mLXRoZS1hY2NvdW50"
	// testLatch is the address of the latch in most configurations.
	testLatch = "fusebill_hubspot_latch.test"
)

func TestMain(m *testing.M) {
	// The settings of whoever runs the tests must not reach them: a real key would open a real account. The key of tests comes
	// from here, so that configurations hold none.
	if err := errors.Join(os.Unsetenv(envBaseURL), os.Setenv(envAPIKey, testKey)); err != nil {
		panic(err)
	}
	forgetLogs, err := traceTests()
	if err != nil {
		panic(err)
	}
	// plugin-testing puts it where it adds what a configuration requires, and import steps have to say it themselves.
	if err := os.Setenv(resource.EnvTfAccProviderNamespace, path.Dir(source)); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := errors.Join(removeBuiltProvider(), forgetLogs()); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// account is a simulated account of one test, served on loopback.
type account struct {
	*fusebillsim.Simulator
	url string
}

// newAccount serves an account with these customers, and fails the test if a call goes where the API has nothing.
func newAccount(t *testing.T, customers ...fusebillsim.Customer) account {
	t.Helper()
	sim := fusebillsim.New(fusebillsim.Config{APIKey: testKey, LimitMinute: 1 << 30, LimitDay: 1 << 30})
	sim.AddCustomers(customers...)
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		server.Close()
		if n := sim.Count(fusebillsim.RouteUnknown); n > 0 {
			t.Errorf("%d calls of routes that the API doesn't have", n)
		}
	})
	return account{Simulator: sim, url: server.URL + "/v1"}
}

// accountWith is newAccount with customers of which only the latches matter.
func accountWith(t *testing.T, holds ...held) account {
	t.Helper()
	var customers []fusebillsim.Customer
	for _, h := range holds {
		customers = append(customers, fusebillsim.Customer{ID: h.customer, HubSpotID: h.contact, HubSpotCompanyID: h.company})
	}
	return newAccount(t, customers...)
}

// source is how users name the provider: its address without the registry, which each CLI has its own of.
var source = strings.TrimPrefix(Address, "registry.terraform.io/")

// required names the provider as users do.
var required = block("terraform", fmt.Sprintf(`required_providers {
    fusebill = {
      source = %q
    }
  }`, source))

// provider is the provider's configuration for the account, with further settings.
func (a account) provider(settings ...string) string {
	return required + providerBlock(append([]string{fmt.Sprintf("base_url = %q", a.url)}, settings...)...)
}

// with puts the provider's configuration before other blocks.
func (a account) with(blocks ...string) string {
	return a.provider() + strings.Join(blocks, "")
}

// config is with for a configuration in one piece.
func (a account) config(format string, args ...any) string {
	return a.with(fmt.Sprintf(format, args...))
}

func providerBlock(settings ...string) string {
	return block(`provider "fusebill"`, settings...)
}

// latchBlock declares the latch "test" by its arguments.
func latchBlock(arguments ...string) string {
	return block(`resource "fusebill_hubspot_latch" "test"`, arguments...)
}

func block(header string, lines ...string) string {
	return header + " {\n  " + strings.Join(lines, "\n  ") + "\n}\n"
}

// held is the latch of one customer; 0 is no contact or no company. Tests use it for what is declared, planned, in
// state, in the account, and written: on each of these ways an ID could get lost.
type held struct {
	customer, contact, company int64
}

func (h held) latch() fusebill.Latch {
	return fusebill.Latch{HubSpotID: h.contact, HubSpotCompanyID: h.company}
}

// block declares the latch "test", with further arguments or blocks inside.
func (h held) block(more ...string) string {
	lines := []string{fmt.Sprintf("fusebill_id = %d", h.customer)}
	if h.contact != 0 {
		lines = append(lines, fmt.Sprintf("hubspot_id = %d", h.contact))
	}
	if h.company != 0 {
		lines = append(lines, fmt.Sprintf("hubspot_company_id = %d", h.company))
	}
	return latchBlock(append(lines, more...)...)
}

// inState checks the latch "test" in state, and that state holds nothing else: Terraform rewrites all of it after every
// instance.
func (h held) inState() []statecheck.StateCheck {
	id := func(id int64) knownvalue.Check {
		if id == 0 {
			return knownvalue.Null()
		}
		return knownvalue.Int64Exact(id)
	}
	return []statecheck.StateCheck{
		statecheck.ExpectKnownValue(testLatch, tfjsonpath.New("fusebill_id"), id(h.customer)),
		statecheck.ExpectKnownValue(testLatch, tfjsonpath.New("hubspot_id"), id(h.contact)),
		statecheck.ExpectKnownValue(testLatch, tfjsonpath.New("hubspot_company_id"), id(h.company)),
	}
}

// holds fails the test unless the account has exactly these latches for these customers.
func (a account) holds(t *testing.T, want ...held) {
	t.Helper()
	for _, w := range want {
		a.latched(t, w.customer, w.contact, w.company)
	}
}

// latched fails the test unless the account has exactly this latch for a customer; 0 is none.
func (a account) latched(t *testing.T, customerID, hubSpotID, hubSpotCompanyID int64) {
	t.Helper()
	c, ok := a.Customer(customerID)
	if !ok {
		t.Errorf("customer %d doesn't exist", customerID)
		return
	}
	want := held{customerID, hubSpotID, hubSpotCompanyID}
	if got := (held{c.ID, c.HubSpotID, c.HubSpotCompanyID}); got != want {
		t.Errorf("customer %d is latched to %s, want %s", customerID, got.latch(), want.latch())
	}
}

// wrote fails the test unless these were the latch calls since the last reset, in this order, to the letter.
func (a account) wrote(t *testing.T, want ...held) {
	t.Helper()
	orNull := func(id int64) string {
		if id == 0 {
			return "null"
		}
		return fmt.Sprint(id)
	}
	var got, wanted []string
	for _, r := range a.Requests() {
		if r.Route == fusebillsim.RouteLatch || r.Route == fusebillsim.RouteUnlatch {
			got = append(got, r.Body)
		}
	}
	for _, w := range want {
		wanted = append(wanted, fmt.Sprintf(`{"fusebillId":%d,"hubSpotId":%s,"hubSpotCompanyId":%s}`,
			w.customer, orNull(w.contact), orNull(w.company)))
	}
	if diff := gocmp.Diff(wanted, got); diff != "" {
		t.Errorf("latch calls (- want, + got):\n%s", diff)
	}
}

// step applies a configuration of the latch "test" and says what must come of it. plugin-testing itself then plans once
// more without and once with a refresh, and fails if either plan isn't empty.
type step struct {
	prepare func() // what happens before the plan, such as a change behind Terraform's back
	config  string // default: provider and after

	// The plan, as it is shown before anybody approves it. before is empty for a create.
	action        plancheck.ResourceActionType
	before, after held

	sneak  func() // what happens between plan and apply
	writes []held // the latch calls that are made; those for which a fault is answered included
}

// step makes a step of plugin-testing.
func (a account) step(t *testing.T, s step) resource.TestStep {
	t.Helper()
	checks := plans(s.action, s.before, s.after)
	if s.sneak != nil {
		checks = append(checks, checkPlan(func(plancheck.CheckPlanRequest) error { s.sneak(); return nil }))
	}
	return resource.TestStep{
		PreConfig: func() {
			if s.prepare != nil {
				s.prepare()
			}
			a.ResetCalls()
		},
		Config:            cmp.Or(s.config, a.with(s.after.block())),
		ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: checks},
		ConfigStateChecks: s.after.inState(),
		PostApplyFunc: func() {
			a.wrote(t, s.writes...)
			a.holds(t, s.after)
		},
	}
}

// creates is the step that most tests begin with.
func (a account) creates(t *testing.T, h held) resource.TestStep {
	t.Helper()
	return a.step(t, step{action: plancheck.ResourceActionCreate, after: h, writes: []held{h}})
}

// plans checks that a plan does this to the latch "test": no other action, no other value before it, and none after.
func plans(action plancheck.ResourceActionType, before, after held) []plancheck.PlanCheck {
	return []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(testLatch, action),
		checkPlan(func(req plancheck.CheckPlanRequest) error {
			for _, rc := range req.Plan.ResourceChanges {
				if rc.Address != testLatch {
					continue
				}
				if got := heldIn(rc.Change.Before); got != before {
					return fmt.Errorf("the plan starts from %v, want %v", got, before)
				}
				if got := heldIn(rc.Change.After); got != after {
					return fmt.Errorf("the plan ends with %v, want %v", got, after)
				}
			}
			return nil
		}),
	}
}

// heldIn reads a latch in the JSON form of a plan. A value that isn't an exact integer there is -1.
func heldIn(object any) held {
	attributes, _ := object.(map[string]any)
	id := func(name string) int64 {
		switch value := attributes[name].(type) {
		case nil:
			return 0
		case json.Number:
			if id, err := value.Int64(); err == nil {
				return id
			}
		}
		return -1
	}
	return held{id("fusebill_id"), id("hubspot_id"), id("hubspot_company_id")}
}

// checkPlan is a plan check made of a function.
type checkPlan func(plancheck.CheckPlanRequest) error

func (f checkPlan) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	resp.Error = f(req)
}

// providers serves the provider in this process, with waits that tests can afford: between retries, and for a holder to
// give up what another customer claims.
var providers = map[string]func() (tfprotov6.ProviderServer, error){
	"fusebill": serve(&fusebillProvider{
		version:       "test",
		clientOptions: []fusebill.Option{fusebill.WithRetryWait(time.Millisecond, 10*time.Millisecond)},
		keeperOptions: []latch.Option{latch.WithStallTimeout(10 * time.Millisecond)},
	}),
}

// patient serves it with the real wait for a holder, for tests in which the holder does give up, however busy the machine.
var patient = map[string]func() (tfprotov6.ProviderServer, error){"fusebill": serve(&fusebillProvider{version: "test"})}

// serve serves a provider as the plugin does.
func serve(p *fusebillProvider) func() (tfprotov6.ProviderServer, error) {
	return func() (tfprotov6.ProviderServer, error) { return newServer(p)(), nil }
}

// triesOfACall is how often a call is made whose every try fails.
const triesOfACall = 1 + fusebill.DefaultMaxRetries

// run runs the steps with the real CLI, beside other tests.
func run(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	accept(t, resource.TestCase{ProtoV6ProviderFactories: providers, Steps: steps})
}

// needs is run for what only newer CLIs have. An older one skips the test, and plugin-testing says which version is missing.
func needs(t *testing.T, feature string, check tfversion.TerraformVersionCheck, steps ...resource.TestStep) {
	t.Helper()
	t.Logf("This test is about %s, which not every CLI has.", feature)
	accept(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{check},
		ProtoV6ProviderFactories: providers,
		Steps:                    steps,
	})
}

// refused is a step whose plan or apply ends with an error.
func refused(config string, diagnosis *regexp.Regexp) resource.TestStep {
	return resource.TestStep{Config: config, ExpectError: diagnosis}
}

// diagnosis matches an error as the CLI prints it: its summary, the line of the configuration that it points at (of the
// attribute at fault, or the block's first line; "" where there is none), and parts of its text in their order. The CLI
// breaks lines where it likes, so white space counts for nothing.
func diagnosis(summary, line string, parts ...string) *regexp.Regexp {
	pattern := "Error: " + loosely(summary) + `\s+`
	if line != "" {
		pattern += `with [^\n]+\n\s+on [^\n]+ line \d+,[^\n]+\n\s+\d+:\s+` + loosely(line)
	}
	for _, part := range parts {
		pattern += ".*?" + loosely(part)
	}
	return regexp.MustCompile("(?s)" + pattern)
}

// loosely matches a text however its white space is set.
func loosely(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}
	return strings.Join(words, `\s+`)
}

// times is n times the same write.
func times(n int, h held) []held { return slices.Repeat([]held{h}, n) }

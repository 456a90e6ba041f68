package acctest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// Run runs steps with the real CLI, in parallel with other tests.
func Run(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	RunCase(t, resource.TestCase{ProtoV6ProviderFactories: providers, Steps: steps})
}

// Needs is Run for a feature that older CLIs lack. With an older CLI it skips the test, and
// plugin-testing reports the required version.
func Needs(t *testing.T, feature string, check tfversion.TerraformVersionCheck, steps ...resource.TestStep) {
	t.Helper()
	t.Logf("This test is about %s, which not every CLI has.", feature)
	RunCase(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{check},
		ProtoV6ProviderFactories: providers,
		Steps:                    steps,
	})
}

// providers serves the provider in this process, with short waits between retries and for holders.
var providers = map[string]func() (tfprotov6.ProviderServer, error){
	"fusebill": Serve([]fusebill.Option{fusebill.WithRetryWait(time.Millisecond, 10*time.Millisecond)},
		[]latch.Option{latch.WithStallTimeout(10 * time.Millisecond)}),
}

// Patient serves the provider with the real stall timeout, for tests in which the holder releases
// its claim, so they also pass on a busy machine.
var Patient = map[string]func() (tfprotov6.ProviderServer, error){"fusebill": Serve(nil, nil)}

// Serve serves a provider with these options, as the plugin does.
func Serve(client []fusebill.Option, changes []latch.Option) func() (tfprotov6.ProviderServer, error) {
	return func() (tfprotov6.ProviderServer, error) { return factory("test", client, changes)(), nil }
}

// Step applies a configuration of the latch "test", and has the expected results. Afterwards,
// plugin-testing plans once without and once with a refresh, and fails unless both plans are empty.
type Step struct {
	Prepare func() // runs before the plan, such as for a change outside Terraform
	Config  string // default: provider and After

	// The plan. Before is empty for a create.
	Action        plancheck.ResourceActionType
	Before, After Customer

	Sneak  func()     // runs between plan and apply
	Writes []Customer // the latch calls, including those that fail
}

// Plans checks that a plan has exactly this action for the latch "test", with exactly these values
// before and after it.
func Plans(action plancheck.ResourceActionType, before, after Customer) []plancheck.PlanCheck {
	return []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(LatchAddress, action),
		CheckPlan(func(req plancheck.CheckPlanRequest) error {
			for _, rc := range req.Plan.ResourceChanges {
				if rc.Address != LatchAddress {
					continue
				}
				if got := customerIn(rc.Change.Before); got != before {
					return fmt.Errorf("the plan starts from %v, want %v", got, before)
				}
				if got := customerIn(rc.Change.After); got != after {
					return fmt.Errorf("the plan ends with %v, want %v", got, after)
				}
			}
			return nil
		}),
	}
}

// CheckPlan is a function that is a plan check.
type CheckPlan func(plancheck.CheckPlanRequest) error

// CheckPlan implements [plancheck.PlanCheck].
func (f CheckPlan) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	resp.Error = f(req)
}

// TriesOfACall is the number of tries of a call that keeps failing.
const TriesOfACall = 1 + fusebill.DefaultMaxRetries

// Refused returns a step whose plan or apply ends with an error.
func Refused(config string, diagnosis *regexp.Regexp) resource.TestStep {
	return resource.TestStep{Config: config, ExpectError: diagnosis}
}

// Diagnosis matches an error as the CLI prints it: its summary, the line of the configuration that
// it points at (of the attribute at fault, or the block's first line; "" where there is none), and
// parts of its text in their order. It ignores white space, because the CLI wraps lines.
func Diagnosis(summary, line string, parts ...string) *regexp.Regexp {
	var pattern strings.Builder
	pattern.WriteString("(?s)Error: " + loosely(summary) + `\s+`)
	if line != "" {
		pattern.WriteString(`with [^\n]+\n\s+on [^\n]+ line \d+,[^\n]+\n\s+\d+:\s+` + loosely(line))
	}
	for _, part := range parts {
		pattern.WriteString(".*?" + loosely(part))
	}
	return regexp.MustCompile(pattern.String())
}

// loosely returns a pattern that matches a text with any white space.
func loosely(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}
	return strings.Join(words, `\s+`)
}

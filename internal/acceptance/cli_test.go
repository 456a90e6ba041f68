package acceptance

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// These tests run the CLI with the built provider in a process of its own, and test what
// plugin-testing cannot show. They promise: the key is in no log, state, plan or output; IDs beyond
// 2^53 keep every digit in what the CLI writes; warnings are shown; an interrupted run leaves a
// right state.

func TestAccCLI_idsKeepEveryDigit(t *testing.T) {
	t.Parallel()
	// 2^53+3, 2^53+1 and 2^32+1: a float or 32 bits would lose digits.
	latch := acctest.Customer{ID: 9007199254740995, Contact: 9007199254740993, Company: 4294967297}
	a := acctest.AccountWith(t, acctest.Customer{ID: latch.ID})
	c := acctest.NewWorkspace(t, a)
	c.Declare(latch.Block())

	acctest.Prints(t, c.PlanIs(true), `hubspot_id = "9007199254740993"`, `hubspot_company_id = "4294967297"`)
	c.Shows(latch, "tfplan")
	c.Run(0, "apply", "-no-color", "tfplan")
	a.Holds(t, latch)
	c.Shows(latch)
	c.PlanIs(false)
	c.Shows(latch, "tfplan")

	c.Run(0, "state", "rm", acctest.LatchAddress)
	c.Shows(acctest.Customer{})
	c.Run(0, "import", "-no-color", acctest.LatchAddress, fmt.Sprint(latch.ID))
	c.Shows(latch)
	c.PlanIs(false)

	acctest.Prints(t, c.Run(0, "destroy", "-no-color", "-auto-approve"), `hubspot_id = "9007199254740993" -> null`)
	c.Shows(acctest.Customer{})
	a.Holds(t, acctest.Customer{ID: latch.ID})
	a.Wrote(t, latch, acctest.Customer{ID: latch.ID})
}

// TestAccCLI_destroyLeavesNewLatchWithAWarning latches the customer elsewhere between plan and
// destroy. The destroy leaves the new latch.
func TestAccCLI_destroyLeavesNewLatchWithAWarning(t *testing.T) {
	t.Parallel()
	ours := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	for name, test := range map[string]struct {
		current acctest.Customer // since the plan
		left    acctest.Customer
		writes  []acctest.Customer
	}{
		"other contact and company": {
			current: acctest.Customer{ID: 11, Contact: 999, Company: 888},
			left:    acctest.Customer{ID: 11, Contact: 999, Company: 888},
		},
		"other contact": { // The company is released.
			current: acctest.Customer{ID: 11, Contact: 999, Company: 202},
			left:    acctest.Customer{ID: 11, Contact: 999},
			writes:  []acctest.Customer{{ID: 11, Contact: 999}},
		},
		"other company": {
			current: acctest.Customer{ID: 11, Company: 888},
			left:    acctest.Customer{ID: 11, Company: 888},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			c := acctest.NewWorkspace(t, a)
			c.Declare(ours.Block())
			c.Apply()
			c.Run(0, "plan", "-destroy", "-out=tfplan")
			a.SetLatch(11, test.current.Contact, test.current.Company)
			a.ResetCalls()
			acctest.Prints(t, c.Run(0, "apply", "-no-color", "tfplan"),
				"Warning: Another HubSpot latch was left in place",
				"Customer 11 was latched to contact 101 and company 202 by this resource, and is latched to "+
					test.left.Latch().String()+" now. The resource did not make that latch, so the latch stays as it is.",
				"1 destroyed")
			a.Holds(t, test.left)
			a.Wrote(t, test.writes...)
			c.Shows(acctest.Customer{})
		})
	}
}

func TestAccCLI_deletedCustomerIsAWarning(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	c := acctest.NewWorkspace(t, a)
	c.Declare(acctest.Customer{ID: 11, Contact: 101}.Block())
	c.Apply()
	a.DeleteCustomer(11)
	acctest.Prints(t, c.PlanIs(true), "Warning: Fusebill customer is gone",
		"Customer 11 no longer exists in the account that the API key opens at "+a.URL+
			", so its HubSpot latch leaves the state.",
		"check that the API key and base_url are those of its account", "remove its latch from the configuration",
		"will be created")
}

// TestAccCLI_validateNeedsNoKey validates without a key, as an editor does.
func TestAccCLI_validateNeedsNoKey(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t)
	c := acctest.NewWorkspace(t, a)
	c.Setenv(acctest.EnvAPIKey, "")
	c.Declare(acctest.Customer{ID: 11, Contact: 101}.Block())
	acctest.Prints(t, c.Run(0, "validate", "-no-color"), "The configuration is valid")
	for _, setting := range []string{"", `api_key = ""`} {
		c.Write("provider.tf", acctest.Required+acctest.ProviderBlock(setting))
		acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Error: Missing API key", cmp.Or(setting, `provider "fusebill" {`),
			"Set the environment variable FUSEBILL_API_KEY, or api_key")
	}
	if n := a.Count(); n > 0 {
		t.Errorf("%d calls were made: %v", n, a.Calls())
	}
}

// TestAccCLI_interruptedRun sends Ctrl-C while the write is in flight. The provider then reads the
// customer once, and the state has what it has read.
func TestAccCLI_interruptedRun(t *testing.T) {
	t.Parallel()
	declared := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	for name, test := range map[string]struct {
		hold  fusebillsim.FaultKind // holds the write until the provider cancels it
		state acctest.Customer
		print []string
	}{
		"the write was made": {fusebillsim.FaultLatencyAfter, declared, nil},
		"the write was not made": {fusebillsim.FaultLatencyBefore, acctest.Customer{}, []string{
			"Error: Outcome of the latch call is unknown",
			"Could not create the HubSpot latch of customer 11 to contact 101 and company 202: POST HubSpot/latchCustomer: " +
				"context canceled (the outcome is unknown); afterwards customer 11 was latched to nothing, but Fusebill " +
				"may still latch the customer to contact 101 and company 202.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			c := acctest.NewWorkspace(t, a)
			c.Declare(declared.Block())
			cmd, output := c.Command("apply", "-no-color", "-auto-approve")
			started := make(chan struct{})
			a.Inject(fusebillsim.Fault{Route: fusebillsim.RouteLatch, OnRequest: func(*http.Request) {
				<-started
				go func() { // The call continues meanwhile.
					a.Awaits(t, test.state)
					c.Interrupt(cmd)
				}()
			}})
			a.Inject(fusebillsim.Fault{Kind: test.hold, Route: fusebillsim.RouteLatch, Latency: acctest.Forever})
			err := cmd.Start()
			close(started)
			if err == nil {
				err = cmd.Wait()
			}
			c.Ended(cmd, output, err, 1) // The CLI's exit code of an interrupted run.
			acctest.Prints(t, output.String(), append(test.print, "Interrupt received")...)
			c.Shows(test.state)
			a.Holds(t, acctest.Customer{ID: 11, Contact: test.state.Contact, Company: test.state.Company})

			a.ResetCalls()
			c.Apply()
			c.Shows(declared)
			a.Holds(t, declared)
			if test.state == declared {
				a.Wrote(t)
			} else {
				a.Wrote(t, declared)
			}
		})
	}
}

// TestAccCLI_keyIsNowhere searches everything that runs write at the highest log level, with
// success, drift and errors.
func TestAccCLI_keyIsNowhere(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	a.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{404: true} })
	c := acctest.NewWorkspace(t, a)
	c.Setenv("TF_LOG", "TRACE")
	c.Setenv("TF_LOG_PATH", filepath.Join(c.Dir, "trace.log"))
	c.Setenv(acctest.EnvWithoutPluginTLS, "") // The CLI and the provider talk as they do for users.

	var printed strings.Builder
	do := func(code int, args ...string) { printed.WriteString(c.Run(code, args...)) }
	c.Declare(acctest.Customer{ID: 11, Contact: 101, Company: 202}.Block(),
		acctest.Block(`output "latch"`, "value = "+acctest.LatchAddress))
	do(0, "plan", "-out=created.tfplan")
	do(0, "show", "-json", "created.tfplan")
	do(0, "apply", "created.tfplan")
	do(0, "output", "-json")
	a.SetLatch(11, 999, 0)
	do(2, "plan", "-detailed-exitcode", "-out=drifted.tfplan")
	a.Faults(fusebillsim.FaultDropAfter, fusebillsim.RouteLatch, 1)
	do(0, "apply", "drifted.tfplan")
	do(0, "show", "-json")
	do(0, "import", "-config="+c.Dir, "-state=imported.tfstate", acctest.LatchAddress, "11")
	c.Declare(acctest.Customer{ID: 11, Contact: 404}.Block())
	do(1, "apply", "-auto-approve") // an unknown contact
	for _, kind := range []fusebillsim.FaultKind{
		fusebillsim.FaultUnauthorized, fusebillsim.FaultDropBefore, fusebillsim.FaultHTML502, fusebillsim.FaultHTMLBody,
		fusebillsim.FaultRedirectHost, fusebillsim.FaultRateLimitDay,
	} {
		mend := a.Faults(kind, "", -1)
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
	maps.Copy(written, acctest.FilesBelow(t, c.Dir))
	// A search of empty files would prove nothing.
	for _, name := range []string{
		"trace.log", "created.tfplan/tfplan", "terraform.tfstate", "imported.tfstate", "terraform.tfstate.backup",
	} {
		if written[name] == "" {
			t.Errorf("nothing was written to %s", name)
		}
	}
	for _, text := range []string{
		"POST", "/v1/HubSpot/latchCustomer", "the API answered", "the bodies of a call", "the call failed",
	} {
		if !strings.Contains(written["trace.log"], text) {
			t.Errorf("the log lacks the calls: there is no %q in it", text)
		}
	}
	acctest.KeepsKey(t, written)
}

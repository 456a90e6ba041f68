package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

const isOfAnother = "Error: State belongs to another Fusebill account"

// keeps fails the test unless the state still has these latches and the account was not written to.
func keeps(t *testing.T, c *acctest.Workspace, a acctest.Account, want int, most int) {
	t.Helper()
	if got := c.Latches(); len(got) != want {
		t.Errorf("the state has %v, want %d latches", got, want)
	}
	if n := a.Writes(); n > 0 {
		t.Errorf("%d writes", n)
	}
	if n := a.Count(); n > most {
		t.Errorf("%d calls, want at most %d: %v", n, most, a.Calls())
	}
}

// A run in another account stops with an error, removes nothing from the state and writes nothing.
func TestAccAccount_otherAccountStopsTheRun(t *testing.T) {
	t.Parallel()
	latches := acctest.NumberedSet(3, 100)
	unlatched := latches.Unlatched()
	single := func(h acctest.Customer) string {
		return strings.Replace(h.Block(), `"test"`, fmt.Sprintf(`"c%d"`, h.ID), 1)
	}
	config := single(latches[0]) + single(latches[1]) + latches[2:].Block()
	for name, other := range map[string]struct {
		customers []acctest.Customer
		path      string
		error     string
		calls     int
	}{
		"other customers":          {acctest.NumberedSet(9, 100)[5:], "/v1", isOfAnother, 8},
		"same IDs, unlatched":      {unlatched, "/v1", isOfAnother, 8},
		"path without the version": {latches, "", "Error: Base URL does not lead to the Fusebill API", 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live := acctest.AccountOfYear(t, 2020, unlatched...)
			c := acctest.NewWorkspace(t, live)
			c.UseAccount(live.URL)
			c.Declare(config)
			c.Apply()

			wrong := acctest.AccountOfYear(t, 2021, other.customers...)
			c.UseAccount(strings.TrimSuffix(wrong.URL, "/v1") + other.path)
			for _, command := range [][]string{
				{"plan", "-refresh-only"}, {"destroy", "-auto-approve"}, {"destroy", "-auto-approve", "-refresh=false"},
			} {
				wrong.ResetCalls()
				acctest.Prints(t, c.Run(1, append(command, "-no-color")...), other.error)
				keeps(t, c, wrong, 3, other.calls)
			}
			live.Holds(t, latches...)

			c.UseAccount(live.URL)
			c.Run(0, "destroy", "-auto-approve")
			live.Holds(t, unlatched...)
			keeps(t, c, wrong, 0, other.calls)
		})
	}
}

// A plan that was saved with the environment of one account is refused with that of another one.
func TestAccAccount_savedPlanOfAnotherAccount(t *testing.T) {
	t.Parallel()
	for name, command := range map[string][]string{"update": {"plan"}, "destroy": {"plan", "-destroy"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			latches := acctest.NumberedSet(2, 100)
			live, sandbox := acctest.AccountOfYear(t, 2020, latches.Unlatched()...), acctest.AccountOfYear(t, 2021, latches...)
			c := acctest.NewWorkspace(t, live)
			c.UseAccount(live.URL)
			c.Declare(latches[:1].Block(), latches[1].Block())
			c.Apply()
			c.Declare(latches[:1].Renumbered(200).Block(), latches[1:].Renumbered(300)[0].Block())
			c.Run(0, append(command, "-out=tfplan")...)
			c.UseAccount(sandbox.URL)
			acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), isOfAnother)
			keeps(t, c, sandbox, 2, 4)
			sandbox.Holds(t, latches...)
		})
	}
}

// A resource that gets the provider configuration of another account is refused.
func TestAccAccount_providerAliasOfAnotherAccount(t *testing.T) {
	t.Parallel()
	latches := acctest.NumberedSet(2, 100)
	live := acctest.AccountOfYear(t, 2020, latches.Unlatched()...)
	sandbox := acctest.AccountOfYear(t, 2021, latches.Unlatched()...)
	c := acctest.NewWorkspace(t, live)
	c.Write("sandbox.tf", acctest.ProviderBlock(`alias = "sandbox"`, fmt.Sprintf("base_url = %q", sandbox.URL)))
	c.Declare(latches[:1].Block(), latches[1].Block())
	c.Apply()
	c.Declare(latches[:1].Block("provider = fusebill.sandbox"), latches[1].Block())
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "-auto-approve"), isOfAnother, "terraform state rm")
	keeps(t, c, sandbox, 2, 4)
}

// If the account has none of the customers of a large configuration, a run looks up only a few.
func TestAccAccount_fewCallsForManyLatches(t *testing.T) {
	t.Parallel()
	latches, few := acctest.NumberedSet(400, 1000), acctest.NumberedSet(60, 1000)
	for name, test := range map[string]struct {
		config         string
		latches, calls int
	}{
		"latch set": {latches.Block(), 400, 15},
		"single latches": {fmt.Sprintf("resource %q \"test\" {\n  for_each = %s\n  fusebill_id = each.key\n"+
			"  hubspot_id = each.value.hubspot_id\n}\n", acctest.LatchType, few.Expression()), 60, 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live, wrong := acctest.AccountOfYear(t, 2020, latches...), acctest.AccountOfYear(t, 2021, acctest.Customer{ID: 7777})
			c := acctest.NewWorkspace(t, live)
			c.UseAccount(live.URL)
			c.Declare(test.config)
			c.Apply()
			c.UseAccount(wrong.URL)
			acctest.Prints(t, c.Run(1, "plan", "-no-color"), isOfAnother)
			keeps(t, c, wrong, test.latches, test.calls)
		})
	}
}

// A state may have no fingerprint, for example after a move from another provider. A run then stops
// if it finds none of its customers, after a few lookups.
func TestAccount_withoutFingerprint(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		account []acctest.Customer
		isOther bool
		calls   int
	}{
		"none exists":         {[]acctest.Customer{{ID: 7777}}, true, 30},
		"one exists":          {[]acctest.Customer{{ID: 1, Contact: 101}}, false, 100},
		"one that is deleted": {acctest.NumberedSet(39, 100), false, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.NewConfiguredProtocol(t, acctest.SimulatorWith(test.account...))
			failed := 0
			for _, h := range acctest.NumberedSet(40, 100) {
				read, err := p.Server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
					TypeName: acctest.LatchType, CurrentState: p.State(h),
				})
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range read.Diagnostics {
					if d.Severity == tfprotov6.DiagnosticSeverityError {
						failed++
						p.Holds(read.NewState, h)
					}
				}
			}
			if test.isOther != (failed == 40) || !test.isOther && failed > 0 {
				t.Errorf("%d of 40 reads failed", failed)
			}
			if n := p.Simulator.Count(); n > test.calls {
				t.Errorf("%d calls, want at most %d", n, test.calls)
			}
		})
	}
}

// A proxy variable that cannot be parsed stops the run, and its value is not shown.
func TestProxyVariable_isNotShown(t *testing.T) {
	for _, value := range []string{"http://me:hush%zz@proxy.example.com:8080", "http://me:hush#x@proxy.example.com"} {
		t.Setenv("HTTPS_PROXY", value)
		config := providerModel{APIKey: types.StringValue(acctest.APIKey)}
		_, diags := config.newClient("test", nil)
		if len(diags) != 1 || diags[0].Summary() != "Invalid proxy variable" ||
			!strings.Contains(diags[0].Detail(), "HTTPS_PROXY") || strings.Contains(diags[0].Detail(), "hush") {
			t.Errorf("got %v", diags)
		}
	}
}

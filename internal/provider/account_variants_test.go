package provider

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// appliedPair is a workspace in which two single latches are applied to an account of 2020.
func appliedPair(t *testing.T) (c *acctest.Workspace, live acctest.Account, latches acctest.LatchSet) {
	t.Helper()
	latches = acctest.NumberedSet(2, 100)
	live = acctest.AccountOfYear(t, 2020, latches.Unlatched()...)
	c = acctest.NewWorkspace(t, live)
	c.UseAccount(live.URL)
	c.Declare(pair(latches))
	c.Apply()
	return c, live, latches
}

// pair declares two latches as single ones.
func pair(latches acctest.LatchSet) string {
	return latches[0].Block() + strings.Replace(latches[1].Block(), `"test"`, `"second"`, 1)
}

// Two provider configurations of two accounts work side by side, even with the same customers.
func TestAccAccount_twoAccountsInOneConfiguration(t *testing.T) {
	t.Parallel()
	latches := acctest.NumberedSet(2, 100)
	live := acctest.AccountOfYear(t, 2020, latches.Unlatched()...)
	sandbox := acctest.AccountOfYear(t, 2021, latches.Unlatched()...)
	c := acctest.NewWorkspace(t, live)
	alias := func(a acctest.Account) {
		c.Write("sandbox.tf", acctest.ProviderBlock(`alias = "sandbox"`, fmt.Sprintf("base_url = %q", a.URL)))
	}
	alias(sandbox)
	declare := func(s acctest.LatchSet) { c.Declare(s.Block(), s.BlockOf("copy", "provider = fusebill.sandbox")) }
	declare(latches)
	c.Apply()
	c.PlanIs(false)
	declare(latches.Renumbered(200))
	c.Apply()
	live.Holds(t, latches.Renumbered(200)...)
	sandbox.Holds(t, latches.Renumbered(200)...)

	alias(live) // Both use one account now.
	live.ResetCalls()
	acctest.Prints(t, c.Run(1, "destroy", "-no-color", "-auto-approve"), isOfAnother)
	keeps(t, c, live, 4, 12)
	alias(sandbox)
	c.Run(0, "destroy", "-auto-approve")
	live.Holds(t, latches.Unlatched()...)
	sandbox.Holds(t, latches.Unlatched()...)
}

// A key that opens another account of the same service is recognized like another URL, and a second
// URL of the same account is none of another account.
func TestAccAccount_keyAndURL(t *testing.T) {
	t.Parallel()
	c, live, latches := appliedPair(t)
	other := fusebillsim.New(fusebillsim.Config{APIKey: otherKey, LimitMinute: 1 << 30, LimitDay: 1 << 30})
	other.AddCustomers(fusebillsim.Customer{ID: 1}, fusebillsim.Customer{ID: 2, HubSpotID: 102})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Basic "+otherKey {
			other.ServeHTTP(w, r)
			return
		}
		live.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)

	c.UseAccount(server.URL + "/v1")
	c.PlanIs(false)
	c.Declare(pair(latches.Renumbered(200)))
	c.PlanIs(true)
	c.Setenv(acctest.EnvAPIKey, otherKey)
	acctest.Prints(t, c.Run(1, "apply", "-no-color", "tfplan"), isOfAnother)
	if n := other.Writes(); n > 0 {
		t.Errorf("%d writes with the other key", n)
	}
	c.Setenv(acctest.EnvAPIKey, acctest.APIKey)
	c.Run(0, "apply", "tfplan")
	live.Holds(t, latches.Renumbered(200)...)
}

// otherKey is the API key of another account of the same service.
var otherKey = base64.StdEncoding.EncodeToString([]byte("0:another account of the same service, for tests only"))

// An account of which only one customer is left is still recognized, and the others are gone.
func TestAccAccount_allCustomersDeletedButOne(t *testing.T) {
	t.Parallel()
	c, live, latches := appliedPair(t)
	live.DeleteCustomer(1)
	output := c.Run(0, "apply", "-no-color", "-auto-approve", "-refresh-only")
	acctest.Prints(t, output, "Warning: Fusebill customer is gone")
	if got := c.Latches(); len(got) != 1 || got[0] != latches[1] {
		t.Errorf("the state has %v, want %v", got, latches[1:])
	}
}

// Without a refresh, the plan itself makes sure of the account.
func TestAccAccount_withoutRefresh(t *testing.T) {
	t.Parallel()
	c, live, latches := appliedPair(t)
	other := acctest.AccountOfYear(t, 2021, latches...)
	c.Declare(pair(latches.Renumbered(200)))
	c.UseAccount(other.URL)
	for _, command := range [][]string{{"plan"}, {"apply", "-auto-approve"}} {
		acctest.Prints(t, c.Run(1, append(command, "-no-color", "-refresh=false")...), isOfAnother)
		keeps(t, c, other, 2, 4)
	}
	live.Holds(t, latches...)
}

// The fingerprint of the account stays with a resource that is untainted or moved to another
// address by a command.
func TestAccAccount_commandsThatEditTheState(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		commands [][]string
		config   func(acctest.LatchSet) string
	}{
		"untaint": {[][]string{{"taint", acctest.LatchAddress}, {"untaint", acctest.LatchAddress}}, pair},
		"state mv": {
			[][]string{{"state", "mv", acctest.LatchAddress, "fusebill_hubspot_latch.moved"}},
			func(s acctest.LatchSet) string { return strings.Replace(pair(s), `"test"`, `"moved"`, 1) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, live, latches := appliedPair(t)
			for _, command := range test.commands {
				c.Run(0, command...)
			}
			c.Declare(test.config(latches))
			live.ResetCalls()
			c.PlanIs(false)
			other := acctest.AccountOfYear(t, 2021, latches...)
			c.UseAccount(other.URL)
			acctest.Prints(t, c.Run(1, "destroy", "-no-color", "-auto-approve"), isOfAnother)
			keeps(t, c, other, 2, 8)
			live.Holds(t, latches...)
			if n := live.Writes(); n > 0 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

// An import from another account cannot be recognized at once. The next plan with the right account
// does, where the latches differ, and removes nothing.
func TestAccAccount_importFromAnotherAccount(t *testing.T) {
	t.Parallel()
	c, live, latches := appliedPair(t)
	other := acctest.AccountOfYear(t, 2021, latches.Renumbered(500).With(acctest.Customer{ID: 3, Contact: 503})...)
	third := acctest.Customer{ID: 3, Contact: 503}
	live.AddCustomers(fusebillsim.Customer{ID: 3})
	c.Declare(pair(latches), strings.Replace(third.Block(), `"test"`, `"third"`, 1))
	c.UseAccount(other.URL)
	c.Run(0, "import", "fusebill_hubspot_latch.third", "3")
	for _, url := range []string{live.URL, other.URL} {
		c.UseAccount(url)
		acctest.Prints(t, c.Run(1, "plan", "-no-color"), isOfAnother)
	}
	keeps(t, c, other, 3, 20)
	live.Holds(t, latches...)
}

// Terraform may plan the create of a new latch before it reads any other. The account is recognized
// in this order, too.
func TestAccount_createIsPlannedBeforeReads(t *testing.T) {
	t.Parallel()
	old := acctest.Customer{ID: 1, Contact: 101}
	private := recordedBy(t, acctest.AccountOfYear(t, 2020, old).Simulator, old)
	other := acctest.AccountOfYear(t, 2021, old, acctest.Customer{ID: 2}).Simulator
	p := acctest.NewConfiguredProtocol(t, other)
	none, created := p.State(acctest.Customer{}), p.State(acctest.Customer{ID: 2, Contact: 102})
	planned, err := p.Server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: acctest.LatchType, PriorState: none, ProposedNewState: created, Config: created,
	})
	p.Succeeded(planned.Diagnostics, err)
	read, err := p.Server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: acctest.LatchType, CurrentState: p.State(old), Private: private,
	})
	p.Failed(read.Diagnostics, err, strings.TrimPrefix(isOfAnother, "Error: "))
}

// recordedBy is the private data of a latch that was read in an account, after its fingerprint was
// known.
func recordedBy(t *testing.T, sim *fusebillsim.Simulator, h acctest.Customer) []byte {
	t.Helper()
	p := acctest.NewConfiguredProtocol(t, sim)
	created := p.Apply(p.Plan(p.State(acctest.Customer{}), p.State(h)))
	p.Succeeded(created.Diagnostics, nil)
	return created.Private
}

package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: a query lists the customers that are latched and fit its arguments,
// each once, by identity and display name, with the resource only when asked for; it makes no more
// calls than its limit takes; a list that breaks off says so in its last result; what Terraform
// generates from it takes over a whole account without a write, and the plan after it is empty.

// listItem is a result of a query.
type listItem struct {
	customer int64
	name     string
	resource bool
}

// lists returns all results of a query, whose resources have to be what the account holds, and the
// diagnostics of the last.
func lists(p *acctest.Protocol, l acctest.Listing) (results []listItem, diags []*tfprotov6.Diagnostic) {
	p.T.Helper()
	p.List(p.T.Context(), l, func(result tfprotov6.ListResourceResult) bool {
		if len(diags) > 0 {
			p.T.Error("a result comes after one with diagnostics")
		}
		if diags = result.Diagnostics; result.Identity == nil {
			return true
		}
		customer := customerIn(p, result.Identity)
		results = append(results, listItem{customer, result.DisplayName, result.Resource != nil})
		if result.Resource != nil {
			c, _ := p.Simulator.Customer(customer)
			p.Holds(result.Resource, acctest.Customer{ID: customer, Contact: c.HubSpotID, Company: c.HubSpotCompanyID})
		}
		return true
	})
	return results, diags
}

func customerIn(p *acctest.Protocol, identity *tfprotov6.ResourceIdentityData) int64 {
	p.T.Helper()
	value, err := identity.IdentityData.Unmarshal(p.IdentityType)
	if err != nil {
		p.T.Fatal(err)
	}
	var attributes map[string]tftypes.Value
	if err := value.As(&attributes); err != nil {
		p.T.Fatal(err)
	}
	var text string
	if err := attributes["fusebill_id"].As(&text); err != nil {
		p.T.Fatal(err)
	}
	customer, ok := parseID(text)
	if !ok {
		p.T.Errorf("an identity has %q", text)
	}
	return customer
}

// texts is a list of texts as an argument.
func texts(values ...string) tftypes.Value {
	var elements []tftypes.Value
	for _, value := range values {
		elements = append(elements, tftypes.NewValue(tftypes.String, value))
	}
	return tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, elements)
}

func TestListHubSpotLatch(t *testing.T) {
	t.Parallel()
	text := func(value string) tftypes.Value { return tftypes.NewValue(tftypes.String, value) }
	day := func(day int) time.Time { return time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC) }
	const large = 9007199254740993
	sim := fusebillsim.New(fusebillsim.Config{APIKey: acctest.APIKey})
	sim.AddCustomers(
		fusebillsim.Customer{ID: 11, HubSpotID: 101, CompanyName: "Acme", FirstName: "Ann", LastName: "Lee", Reference: "C-11", Modified: day(1)},
		fusebillsim.Customer{ID: 22, Reference: "C-22", Modified: day(2)}, // not latched
		fusebillsim.Customer{ID: 33, HubSpotCompanyID: 203, FirstName: "Bo", Status: "Hold", PrimaryEmail: "bo@example.com", Modified: day(3)},
		fusebillsim.Customer{ID: 44, HubSpotID: 104, HubSpotCompanyID: 204, Reference: "C-44", Status: "Suspended", Modified: day(4)},
		fusebillsim.Customer{ID: large, HubSpotID: large + 2, Modified: day(5)},
	)
	acme, bo, bare := listItem{11, "Acme (C-11)", false}, listItem{33, "Bo", false}, listItem{44, "C-44", false}
	nameless := listItem{large, "9007199254740993", false}
	for name, test := range map[string]struct {
		listing acctest.Listing
		want    []listItem
	}{
		"all":               {acctest.Listing{}, []listItem{acme, bo, bare, nameless}},
		"limit":             {acctest.Listing{Limit: 2}, []listItem{acme, bo}},
		"limit beyond them": {acctest.Listing{Limit: 5}, []listItem{acme, bo, bare, nameless}},
		"resource": {
			acctest.Listing{IncludeResource: true}, []listItem{{11, acme.name, true}, {33, bo.name, true}, {44, bare.name, true}, {large, nameless.name, true}},
		},
		"statuses":          {acctest.Listing{Filter: map[string]tftypes.Value{"statuses": texts("Hold", "Suspended")}}, []listItem{bo, bare}},
		"reference":         {acctest.Listing{Filter: map[string]tftypes.Value{"reference": text("C-44")}}, []listItem{bare}},
		"not latched":       {acctest.Listing{Filter: map[string]tftypes.Value{"reference": text("C-22")}}, nil},
		"no pattern":        {acctest.Listing{Filter: map[string]tftypes.Value{"reference": text("C-*")}}, nil},
		"company name":      {acctest.Listing{Filter: map[string]tftypes.Value{"company_name": text("Acme")}}, []listItem{acme}},
		"primary email":     {acctest.Listing{Filter: map[string]tftypes.Value{"primary_email": text("bo@example.com")}}, []listItem{bo}},
		"modified since":    {acctest.Listing{Filter: map[string]tftypes.Value{"modified_since": text("2026-01-04T12:00:00Z")}}, []listItem{bare, nameless}},
		"two, of which one": {acctest.Listing{Filter: map[string]tftypes.Value{"statuses": texts("Hold"), "reference": text("C-11")}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.NewConfiguredProtocol(t, sim)
			got, diags := lists(p, test.listing)
			if name == "limit" { // There are more.
				p.Failed(diags, nil, "List of HubSpot latches is cut off", "ends after 2 latches", "limit = 20")
				diags = nil
			}
			p.Succeeded(diags, nil)
			if diff := gocmp.Diff(test.want, got, gocmp.AllowUnexported(listItem{})); diff != "" {
				t.Errorf("results (- want, + got):\n%s", diff)
			}
		})
	}
}

func TestListHubSpotLatch_refusesWrongFilters(t *testing.T) {
	t.Parallel()
	sim := acctest.SimulatorWith(acctest.Customer{ID: 11, Contact: 101})
	p := acctest.NewConfiguredProtocol(t, sim)
	results, diags := lists(p, acctest.Listing{Filter: map[string]tftypes.Value{"statuses": texts("Active", "active")}})
	p.Failed(diags, nil, "Invalid filter", `"active" is no status of a customer`)
	if len(results) > 0 || sim.Count() > 0 {
		t.Errorf("%d results, %d calls", len(results), sim.Count())
	}
}

// manyLatched is an account of n customers, all latched but for every tenth, that serves pages of
// 100.
func manyLatched(n int64) *fusebillsim.Simulator {
	sim := fusebillsim.New(fusebillsim.Config{APIKey: acctest.APIKey, Behavior: fusebillsim.Behavior{MaxPageSize: 100}})
	for id := range n {
		c := fusebillsim.Customer{ID: id + 1}
		if id%10 != 0 {
			c.HubSpotID = id + 1_000_001
		}
		sim.AddCustomers(c)
	}
	return sim
}

// Each result comes before the next page is asked for, and none is asked for beyond the limit.
func TestListHubSpotLatch_calls(t *testing.T) {
	t.Parallel()
	sim := manyLatched(300)
	for name, test := range map[string]struct {
		limit          int64
		results, calls int
	}{
		"within a page": {10, 10, 1}, "a page": {90, 90, 1}, "one more": {91, 91, 2}, "all": {270, 270, 3}, "more": {999, 270, 3}, "none": {0, 270, 3},
	} {
		p := acctest.NewConfiguredProtocol(t, sim)
		sim.ResetCalls()
		results, diags := lists(p, acctest.Listing{Limit: test.limit})
		p.Succeeded(diags, nil)
		if len(results) != test.results || sim.Count() != test.calls {
			t.Errorf("%s: %d results by %d calls, want %d by %d", name, len(results), sim.Count(), test.results, test.calls)
		}
	}
	p := acctest.NewConfiguredProtocol(t, sim)
	sim.ResetCalls()
	p.List(t.Context(), acctest.Listing{}, func(tfprotov6.ListResourceResult) bool {
		if n := sim.Count(); n != 1 {
			t.Errorf("the first result comes after %d calls", n)
		}
		return false
	})
	if n := sim.Count(); n != 1 {
		t.Errorf("%d calls for one result", n)
	}
}

// Where customers are deleted while pages are read, others move to pages that were read already or
// come twice. Terraform would generate two resources for the latter.
func TestListHubSpotLatch_noneTwice(t *testing.T) {
	t.Parallel()
	sim := manyLatched(200)
	sim.Inject(fusebillsim.Fault{Route: fusebillsim.RouteCustomers, After: 1, OnRequest: func(*http.Request) {
		// The list goes by the time when customers were made, so this one shifts the others.
		sim.AddCustomers(fusebillsim.Customer{ID: 5000, Created: time.Unix(1, 0)})
	}})
	p := acctest.NewConfiguredProtocol(t, sim)
	results, diags := lists(p, acctest.Listing{})
	p.Succeeded(diags, nil)
	seen := map[int64]bool{}
	for _, result := range results {
		if seen[result.customer] {
			t.Errorf("customer %d comes twice", result.customer)
		}
		seen[result.customer] = true
	}
	if len(results) != 180 {
		t.Errorf("%d results, want 180", len(results))
	}
}

// A list that breaks off mustn't pass for the whole one.
func TestListHubSpotLatch_breaksOff(t *testing.T) {
	t.Parallel()
	sim := manyLatched(300)
	sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomers, After: 1, Times: -1})
	p := acctest.NewConfiguredProtocol(t, sim)
	results, diags := lists(p, acctest.Listing{})
	p.Failed(diags, nil, "Fusebill returned a server error", "Could not list the HubSpot latches: GET customers: 500")
	if len(results) != 90 {
		t.Errorf("%d results come before the error, want 90", len(results))
	}
}

func TestListHubSpotLatch_stopEndsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := manyLatched(300)
		p := acctest.NewConfiguredProtocol(t, sim)
		sim.Inject(fusebillsim.Fault{Route: fusebillsim.RouteCustomers, After: 1, OnRequest: func(r *http.Request) {
			p.Stop()
			<-r.Context().Done()
		}})
		start := time.Now()
		results, diags := lists(p, acctest.Listing{})
		p.Failed(diags, nil, "Interrupted", "Could not list the HubSpot latches")
		if took := time.Since(start); took > 2*time.Second || len(results) != 90 {
			t.Errorf("ended after %s and %d results", took, len(results))
		}
	})
}

// Where settings of the provider aren't known yet and Terraform could put changes off, a query
// can't be.
func TestListHubSpotLatch_unknownSettings(t *testing.T) {
	t.Parallel()
	p := acctest.NewProtocol(t, acctest.SimulatorWith())
	resp, err := p.Server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
		Config:             p.Value(p.ProviderType, map[string]tftypes.Value{"api_key": tftypes.NewValue(tftypes.String, tftypes.UnknownValue)}),
		ClientCapabilities: &tfprotov6.ConfigureProviderClientCapabilities{DeferralAllowed: true},
	})
	p.Succeeded(resp.Diagnostics, err)
	_, diags := lists(p, acctest.Listing{})
	p.Failed(diags, nil, "Provider is not configured yet")
}

func TestDisplayName(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]fusebill.Customer{
		"Acme Ltd (C 1)": {ID: 11, CompanyName: " Acme\n Ltd", FirstName: "Ann", Reference: "C\t1 "},
		"Acme":           {ID: 11, CompanyName: "Acme"},
		"Ann Lee (C-11)": {ID: 11, FirstName: "Ann", LastName: "Lee", Reference: "C-11"},
		"Lee":            {ID: 11, LastName: "Lee"},
		"C-11":           {ID: 11, Reference: "C-11"},
		"11":             {ID: 11},
	} {
		if got := displayName(c); got != want {
			t.Errorf("%+v: got %q, want %q", c, got, want)
		}
	}
}

// queryOf is a query for the latches of an account.
func queryOf(lines ...string) string {
	return acctest.Block(`list "fusebill_hubspot_latch" "all"`, append([]string{"provider = fusebill"}, lines...)...)
}

// From an account that was latched by hand to code, in three commands: 15 calls for 1,000 latches
// at most.
func TestAccCLI_queryTakesOverAnAccount(t *testing.T) {
	t.Parallel()
	const latches, maxCalls = 1000, 15
	var holds []acctest.Customer
	for n := range int64(latches) {
		h := acctest.Customer{ID: 2554529 + n, Contact: 101 + n, Company: 9007199254740993 + n}
		switch n % 3 {
		case 1:
			h.Contact = 0
		case 2:
			h.Company = 0
		}
		holds = append(holds, h)
	}
	a := acctest.AccountWith(t, append(holds, acctest.Customer{ID: 11})...)
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutTerraform14("terraform query")
	c.Write("all.tfquery.hcl", queryOf("limit = 10000"))

	calls := 0
	count := func(what string) {
		t.Logf("%s: %d calls", what, a.Count())
		calls += a.Count()
		a.ResetCalls()
	}
	acctest.Prints(t, c.Run(0, "query", "-no-color", "-generate-config-out=generated.tf"), "fusebill_id=2554529 2554529")
	count("query")
	acctest.Prints(t, c.PlanIs(true), fmt.Sprintf("Plan: %d to import, 0 to add, 0 to change, 0 to destroy.", latches))
	count("plan")
	c.Run(0, "apply", "-no-color", "tfplan")
	count("apply")
	c.PlanIs(false)
	count("empty plan")
	if calls > maxCalls {
		t.Errorf("%d calls, want %d at most", calls, maxCalls)
	}
	a.Holds(t, holds...)
	if state := c.Run(0, "state", "list"); strings.Count(state, "fusebill_hubspot_latch.") != latches {
		t.Errorf("state holds %d latches, want %d", strings.Count(state, "fusebill_hubspot_latch."), latches)
	}
}

// The CLI shows what a list that breaks off says, and fails.
func TestAccCLI_queryThatBreaksOff(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 22, Contact: 102})
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutTerraform14("terraform query")
	c.Write("all.tfquery.hcl", queryOf("config {\n    statuses = [\"Active\"]\n  }"))
	a.Configure(func(b *fusebillsim.Behavior) { b.MaxPageSize = 1 })
	a.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomers, After: 1, Times: -1})
	acctest.Prints(t, c.Run(1, "query", "-no-color"), "Error: Fusebill returned a server error", "Could not list the HubSpot latches")
	c.Write("all.tfquery.hcl", queryOf("config {\n    statuses = [\"active\"]\n  }"))
	acctest.Prints(t, c.Run(1, "query", "-no-color"), "Error: Invalid filter", `"active" is no status of a customer`)
}

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

// The tests in this file list latches in a query. They check that:
//
//   - a query lists each latched customer that matches its arguments once, with identity and
//     display name, and with the resource only if Terraform asks for it;
//   - it makes no more calls than its limit needs;
//   - if a call fails, the last result is an error;
//   - the configuration that Terraform generates from a query imports a whole account without a
//     write, and the plan after it is empty.

// listItem is a result of a query.
type listItem struct {
	customer int64
	name     string
	resource bool
}

// lists returns all results of a query, and the diagnostics of the last one. It fails the test if a
// resource differs from the latch of the account.
func lists(p *acctest.Protocol, l acctest.Listing) (results []listItem, diags []*tfprotov6.Diagnostic) {
	p.T.Helper()
	p.List(p.T.Context(), l, func(result tfprotov6.ListResourceResult) bool {
		if len(diags) > 0 {
			p.T.Error("a result follows one with diagnostics")
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

// customerIn returns the customer of an identity.
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
		p.T.Errorf("the identity has %q, want an ID", text)
	}
	return customer
}

// listOfStrings returns a list of strings as an argument.
func listOfStrings(values ...string) tftypes.Value {
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
		fusebillsim.Customer{ID: 11, HubSpotID: 101, CompanyName: "Acme", FirstName: "Ann", LastName: "Lee",
			Reference: "C-11", Modified: day(1)},
		fusebillsim.Customer{ID: 22, Reference: "C-22", Modified: day(2)}, // not latched
		fusebillsim.Customer{ID: 33, HubSpotCompanyID: 203, FirstName: "Bo", Status: "Hold",
			PrimaryEmail: "bo@example.com", Modified: day(3)},
		fusebillsim.Customer{ID: 44, HubSpotID: 104, HubSpotCompanyID: 204, Reference: "C-44", Status: "Suspended",
			Modified: day(4)},
		fusebillsim.Customer{ID: large, HubSpotID: large + 2, Modified: day(5)},
	)
	filter := func(name string, value tftypes.Value) acctest.Listing {
		return acctest.Listing{Filter: map[string]tftypes.Value{name: value}}
	}
	acme, bo, noName := listItem{11, "Acme (C-11)", false}, listItem{33, "Bo", false}, listItem{44, "C-44", false}
	onlyID := listItem{large, "9007199254740993", false}
	for name, test := range map[string]struct {
		listing acctest.Listing
		want    []listItem
	}{
		"all":         {acctest.Listing{}, []listItem{acme, bo, noName, onlyID}},
		"limit":       {acctest.Listing{Limit: 2}, []listItem{acme, bo}},
		"large limit": {acctest.Listing{Limit: 5}, []listItem{acme, bo, noName, onlyID}},
		"resource": {acctest.Listing{IncludeResource: true}, []listItem{
			{11, acme.name, true}, {33, bo.name, true}, {44, noName.name, true}, {large, onlyID.name, true},
		}},
		"statuses":       {filter("statuses", listOfStrings("Hold", "Suspended")), []listItem{bo, noName}},
		"reference":      {filter("reference", text("C-44")), []listItem{noName}},
		"not latched":    {filter("reference", text("C-22")), nil},
		"no wildcard":    {filter("reference", text("C-*")), nil},
		"company name":   {filter("company_name", text("Acme")), []listItem{acme}},
		"primary email":  {filter("primary_email", text("bo@example.com")), []listItem{bo}},
		"modified since": {filter("modified_since", text("2026-01-04T12:00:00Z")), []listItem{noName, onlyID}},
		"no customer matches both": {acctest.Listing{Filter: map[string]tftypes.Value{
			"statuses": listOfStrings("Hold"), "reference": text("C-11"),
		}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.NewConfiguredProtocol(t, sim)
			got, diags := lists(p, test.listing)
			if name == "limit" { // The account has more latches.
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

func TestListHubSpotLatch_refusesInvalidFilters(t *testing.T) {
	t.Parallel()
	sim := acctest.SimulatorWith(acctest.Customer{ID: 11, Contact: 101})
	p := acctest.NewConfiguredProtocol(t, sim)
	results, diags := lists(p, acctest.Listing{Filter: map[string]tftypes.Value{
		"statuses": listOfStrings("Active", "active"),
	}})
	p.Failed(diags, nil, "Invalid filter", `"active" is no status of a customer`)
	if len(results) > 0 || sim.Count() > 0 {
		t.Errorf("%d results and %d calls, want none", len(results), sim.Count())
	}
}

// manyLatched returns an account of n customers with pages of 100. Nine of ten customers are
// latched.
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

// A query returns the results of a page before it reads the next one, and reads no page that its
// limit does not need.
func TestListHubSpotLatch_calls(t *testing.T) {
	t.Parallel()
	sim := manyLatched(300)
	for name, test := range map[string]struct {
		limit          int64
		results, calls int
	}{
		"part of a page": {10, 10, 1}, "one page": {90, 90, 1}, "one result of the next page": {91, 91, 2},
		"all": {270, 270, 3}, "more than all": {999, 270, 3}, "no limit": {0, 270, 3},
	} {
		p := acctest.NewConfiguredProtocol(t, sim)
		sim.ResetCalls()
		results, diags := lists(p, acctest.Listing{Limit: test.limit})
		p.Succeeded(diags, nil)
		if len(results) != test.results || sim.Count() != test.calls {
			t.Errorf("%s: %d results with %d calls, want %d with %d",
				name, len(results), sim.Count(), test.results, test.calls)
		}
	}
	p := acctest.NewConfiguredProtocol(t, sim)
	sim.ResetCalls()
	p.List(t.Context(), acctest.Listing{}, func(tfprotov6.ListResourceResult) bool {
		if n := sim.Count(); n != 1 {
			t.Errorf("the first result comes after %d calls, want 1", n)
		}
		return false
	})
	if n := sim.Count(); n != 1 {
		t.Errorf("%d calls for one result, want 1", n)
	}
}

// If the list changes between two calls, a customer may be on two pages. Terraform would generate
// two resources for it.
func TestListHubSpotLatch_listsEachCustomerOnce(t *testing.T) {
	t.Parallel()
	sim := manyLatched(200)
	sim.Inject(fusebillsim.Fault{Route: fusebillsim.RouteCustomers, After: 1, OnRequest: func(*http.Request) {
		// The list is sorted by creation time, so this old customer moves all others.
		sim.AddCustomers(fusebillsim.Customer{ID: 5000, Created: time.Unix(1, 0)})
	}})
	p := acctest.NewConfiguredProtocol(t, sim)
	results, diags := lists(p, acctest.Listing{})
	p.Succeeded(diags, nil)
	seen := map[int64]bool{}
	for _, result := range results {
		if seen[result.customer] {
			t.Errorf("customer %d is listed twice", result.customer)
		}
		seen[result.customer] = true
	}
	if len(results) != 180 {
		t.Errorf("%d results, want 180", len(results))
	}
}

// If a call fails, the last result is an error. Otherwise the list would look complete.
func TestListHubSpotLatch_failedCallIsLastResult(t *testing.T) {
	t.Parallel()
	sim := manyLatched(300)
	sim.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomers, After: 1, Times: -1,
	})
	p := acctest.NewConfiguredProtocol(t, sim)
	results, diags := lists(p, acctest.Listing{})
	p.Failed(diags, nil, "Fusebill returned a server error", "Could not list the HubSpot latches: GET customers: 500")
	if len(results) != 90 {
		t.Errorf("%d results before the error, want 90", len(results))
	}
}

func TestListHubSpotLatch_stopEndsQuery(t *testing.T) {
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
			t.Errorf("the query ended after %s with %d results, want at most 2s and 90", took, len(results))
		}
	})
}

// If settings of the provider are unknown, Terraform can defer changes, but not a query.
func TestListHubSpotLatch_unknownSettings(t *testing.T) {
	t.Parallel()
	p := acctest.NewProtocol(t, acctest.SimulatorWith())
	resp, err := p.Server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
		Config: p.Value(p.ProviderType, map[string]tftypes.Value{
			"api_key": tftypes.NewValue(tftypes.String, tftypes.UnknownValue),
		}),
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

// queryOf returns a query for the latches of the account, with these lines in its block.
func queryOf(lines ...string) string {
	return acctest.Block(`list "fusebill_hubspot_latch" "all"`, append([]string{"provider = fusebill"}, lines...)...)
}

// Three commands import an account whose latches were made without Terraform. For 1,000 latches,
// they make at most 15 calls.
func TestAccCLI_queryImportsAccount(t *testing.T) {
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
		t.Errorf("%d calls, want at most %d", calls, maxCalls)
	}
	a.Holds(t, holds...)
	if state := c.Run(0, "state", "list"); strings.Count(state, "fusebill_hubspot_latch.") != latches {
		t.Errorf("the state has %d latches, want %d", strings.Count(state, "fusebill_hubspot_latch."), latches)
	}
}

// If a call of a query fails, the CLI shows the error and fails.
func TestAccCLI_queryWithFailedCall(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 22, Contact: 102})
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutTerraform14("terraform query")
	c.Write("all.tfquery.hcl", queryOf("config {\n    statuses = [\"Active\"]\n  }"))
	a.Configure(func(b *fusebillsim.Behavior) { b.MaxPageSize = 1 })
	a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomers, After: 1, Times: -1,
	})
	acctest.Prints(t, c.Run(1, "query", "-no-color"), "Error: Fusebill returned a server error",
		"Could not list the HubSpot latches")
	c.Write("all.tfquery.hcl", queryOf("config {\n    statuses = [\"active\"]\n  }"))
	acctest.Prints(t, c.Run(1, "query", "-no-color"), "Error: Invalid filter", `"active" is no status of a customer`)
}

package acctest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Account is a simulated account of one test, served on loopback.
type Account struct {
	*fusebillsim.Simulator
	URL string
}

// NewAccount serves an account with these customers. It fails the test if a call has a path that
// the API does not have.
func NewAccount(t *testing.T, customers ...fusebillsim.Customer) Account {
	t.Helper()
	sim := fusebillsim.New(fusebillsim.Config{APIKey: APIKey, LimitMinute: 1 << 30, LimitDay: 1 << 30})
	sim.AddCustomers(customers...)
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		server.Close()
		if n := sim.Count(fusebillsim.RouteUnknown); n > 0 {
			t.Errorf("%d calls of routes that the API does not have", n)
		}
	})
	return Account{Simulator: sim, URL: server.URL + "/v1"}
}

// AccountWith is NewAccount for tests that use only the latches of customers.
func AccountWith(t *testing.T, customers ...Customer) Account {
	t.Helper()
	return NewAccount(t, simulated(customers)...)
}

// AccountOfYear is AccountWith with customers that were created in a year. Two accounts with the
// same customers differ in that alone. It permits calls of routes that the API does not have.
func AccountOfYear(t *testing.T, year int, customers ...Customer) Account {
	t.Helper()
	sim := fusebillsim.New(fusebillsim.Config{APIKey: APIKey, LimitMinute: 1 << 30, LimitDay: 1 << 30})
	for _, c := range simulated(customers) {
		c.Created = time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(c.ID) * time.Minute)
		sim.AddCustomers(c)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return Account{Simulator: sim, URL: server.URL + "/v1"}
}

// SimulatorWith is a simulated account that is not served, for a [Protocol].
func SimulatorWith(customers ...Customer) *fusebillsim.Simulator {
	sim := fusebillsim.New(fusebillsim.Config{APIKey: APIKey})
	sim.AddCustomers(simulated(customers)...)
	return sim
}

func simulated(customers []Customer) []fusebillsim.Customer {
	all := make([]fusebillsim.Customer, len(customers))
	for i, c := range customers {
		all[i] = fusebillsim.Customer{ID: c.ID, HubSpotID: c.Contact, HubSpotCompanyID: c.Company}
	}
	return all
}

const (
	// Forever is a latency that ends only with the call.
	Forever = time.Hour
	// APIKey is the API key of every simulated account.
	APIKey = "MDp1OGp6UGRlMElneExkNkduY2ZCQWVwZkpCZDBLaDhvT09MOGRLTHpkb2NKMmlzQWpJaEt0SjBSbGdMS09teGdK"
	// LatchAddress is the address of the latch in most configurations.
	LatchAddress = "fusebill_hubspot_latch.test"
)

// NobodyURL is an address at which no server listens. The port of a closed server is none, because
// another test may get it.
const NobodyURL = "http://127.0.0.1:1"

// Provider returns the provider's configuration for the account, with further settings.
func (a Account) Provider(settings ...string) string {
	return Required + ProviderBlock(append([]string{fmt.Sprintf("base_url = %q", a.URL)}, settings...)...)
}

// With puts the provider's configuration before other blocks.
func (a Account) With(blocks ...string) string {
	return a.Provider() + strings.Join(blocks, "")
}

// Config is With for one string.
func (a Account) Config(format string, args ...any) string {
	return a.With(fmt.Sprintf(format, args...))
}

// Step makes a step of plugin-testing.
func (a Account) Step(t *testing.T, s Step) resource.TestStep {
	t.Helper()
	checks := Plans(s.Action, s.Before, s.After)
	if s.Sneak != nil {
		checks = append(checks, CheckPlan(func(plancheck.CheckPlanRequest) error { s.Sneak(); return nil }))
	}
	return resource.TestStep{
		PreConfig: func() {
			if s.Prepare != nil {
				s.Prepare()
			}
			a.ResetCalls()
		},
		Config:            cmp.Or(s.Config, a.With(s.After.Block())),
		ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: checks},
		ConfigStateChecks: s.After.InState(),
		PostApplyFunc: func() {
			a.Wrote(t, s.Writes...)
			a.Holds(t, s.After)
		},
	}
}

// Creates returns a step that creates a latch.
func (a Account) Creates(t *testing.T, h Customer) resource.TestStep {
	t.Helper()
	return a.Step(t, Step{Action: plancheck.ResourceActionCreate, After: h, Writes: []Customer{h}})
}

// Holds fails the test unless the account has exactly these latches for these customers.
func (a Account) Holds(t *testing.T, want ...Customer) {
	t.Helper()
	for _, w := range want {
		a.Latched(t, w.ID, w.Contact, w.Company)
	}
}

// Latched fails the test unless the account has exactly this latch for a customer; 0 is none.
func (a Account) Latched(t *testing.T, customerID, hubSpotID, hubSpotCompanyID int64) {
	t.Helper()
	c, ok := a.Customer(customerID)
	if !ok {
		t.Errorf("customer %d does not exist", customerID)
		return
	}
	want := Customer{ID: customerID, Contact: hubSpotID, Company: hubSpotCompanyID}
	if got := (Customer{ID: c.ID, Contact: c.HubSpotID, Company: c.HubSpotCompanyID}); got != want {
		t.Errorf("customer %d is latched to %s, want %s", customerID, got.Latch(), want.Latch())
	}
}

// Awaits waits until a customer has this latch. It returns at once for no customer.
func (a Account) Awaits(t *testing.T, h Customer) {
	t.Helper()
	for h != (Customer{}) && t.Context().Err() == nil {
		if c, _ := a.Customer(h.ID); c.HubSpotID == h.Contact && c.HubSpotCompanyID == h.Company {
			return
		}
		runtime.Gosched()
	}
}

// Wrote fails the test unless exactly these latch calls were made since the last reset, in this
// order.
func (a Account) Wrote(t *testing.T, want ...Customer) {
	t.Helper()
	a.wrote(t, func([]string) {}, want)
}

// WroteSet fails the test unless exactly these latch calls were made since the last reset, in any
// order.
func (a Account) WroteSet(t *testing.T, want ...Customer) {
	t.Helper()
	a.wrote(t, slices.Sort[[]string], want)
}

func (a Account) wrote(t *testing.T, order func([]string), want []Customer) {
	t.Helper()
	var got, wanted []string
	for _, r := range a.Requests() {
		if r.Route == fusebillsim.RouteLatch || r.Route == fusebillsim.RouteUnlatch {
			got = append(got, r.Body)
		}
	}
	for _, w := range want {
		wanted = append(wanted, fmt.Sprintf(`{"fusebillId":%d,"hubSpotId":%s,"hubSpotCompanyId":%s}`, w.ID, OrNull(w.Contact), OrNull(w.Company)))
	}
	order(got)
	order(wanted)
	if diff := gocmp.Diff(wanted, got); diff != "" {
		t.Errorf("latch calls (- want, + got):\n%s", diff)
	}
}

// CustomerOf returns the customer of a latch call.
func CustomerOf(t *testing.T, r *http.Request) int64 {
	t.Helper()
	var body struct {
		FusebillID int64 `json:"fusebillId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		t.Error(err)
	}
	return body.FusebillID
}

// Faults injects a fault into the calls of a route, until the returned function is called.
func (a Account) Faults(kind fusebillsim.FaultKind, route fusebillsim.Route, times int) (remove func()) {
	return a.Inject(fusebillsim.Fault{Kind: kind, Route: route, Times: times})
}

// ReadRoutes and WriteRoutes are routes for [Stick].
var (
	ReadRoutes  = []fusebillsim.Route{fusebillsim.RouteCustomer, fusebillsim.RouteCustomers}
	WriteRoutes = []fusebillsim.Route{fusebillsim.RouteLatch}
)

// Stick makes all calls of these routes hang until the client cancels them. They change nothing.
func Stick(sim *fusebillsim.Simulator, routes ...fusebillsim.Route) {
	for _, route := range routes {
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Route: route, Latency: Forever, Times: -1})
	}
}

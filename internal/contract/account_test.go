package contract

import (
	"net/http"
	"os"
	"strconv"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Settings of a run over a real account.
const (
	envKey           = "FUSEBILL_CONTRACT_API_KEY" // Nothing is called without it.
	envBaseURL       = "FUSEBILL_CONTRACT_BASE_URL"
	envCustomer      = "FUSEBILL_CONTRACT_CUSTOMER"
	envOther         = "FUSEBILL_CONTRACT_OTHER_CUSTOMER"
	envContact       = "FUSEBILL_CONTRACT_CONTACT"
	envMergedContact = "FUSEBILL_CONTRACT_MERGED_CONTACT"
	envUpdate        = "FUSEBILL_CONTRACT_UPDATE"
	envUseUpMinute   = "FUSEBILL_CONTRACT_USE_UP_MINUTE"
)

const (
	// noCustomer and noContact are IDs that no account has.
	noCustomer = 2147483646
	noContact  = 9007199254740881
	// sampleSize is the number of customers that the tests look at.
	sampleSize = 100
)

// account is a real or a simulated account, and what was found out about it.
type account struct {
	baseURL string
	key     string

	customer      int64 // The tests may change its latch; 0: they write nothing.
	other         int64 // another one, which claims what the first one holds
	contact       int64 // The customer is latched to it where it has no latch of its own.
	mergedContact int64 // a contact that was merged into another one
	update        bool  // The customer may be written by PUT customers.
	spend         int   // The calls that may be spent to see a 429; 0: none.

	pacer    *pacer
	client   *fusebill.Client
	findings *findings
}

// simulated returns a simulated account on which everything is tried.
func simulated(t *testing.T, change func(*fusebillsim.Behavior)) *account {
	t.Helper()
	const merged, mergedInto, limit = 301, 310, 400
	sim := fusebillsim.New(fusebillsim.Config{LimitMinute: limit, DiscardRequests: true})
	ids := sim.AddSampleCustomers(30)
	sim.SetLatch(ids[0], 101, 201)
	sim.Configure(func(b *fusebillsim.Behavior) {
		b.UnknownContacts = map[int64]bool{noContact: true}
		change(b)
	})
	sim.MergeContacts(mergedInto, merged)
	a := &account{
		baseURL: "https://fusebill.test/v1", key: fusebillsim.DefaultAPIKey,
		customer: ids[0], other: ids[1], mergedContact: merged, update: true, spend: limit,
	}
	a.open(t, sim.Transport())
	t.Cleanup(func() {
		for i, want := range []latch{{101, 201}, {}} {
			if c, _ := sim.Customer(ids[i]); (latch{c.HubSpotID, c.HubSpotCompanyID}) != want {
				t.Errorf("the latch of customer %d is not restored: %d, %d", c.ID, c.HubSpotID, c.HubSpotCompanyID)
			}
		}
	})
	return a
}

// fromEnvironment returns the account that the environment names, and skips the test without one.
func fromEnvironment(t *testing.T) *account {
	t.Helper()
	if os.Getenv(envKey) == "" {
		t.Skipf("No account is called: %s is not set.", envKey)
	}
	key, err := fusebill.ParseAPIKey(os.Getenv(envKey))
	if err != nil {
		t.Fatal(err)
	}
	base := fusebill.DefaultBaseURL
	if given := os.Getenv(envBaseURL); given != "" {
		base = given
	}
	parsed, err := fusebill.ParseBaseURL(base)
	if err != nil {
		t.Fatal(err)
	}
	a := &account{
		baseURL: parsed.String(), key: key,
		customer: idIn(t, envCustomer), other: idIn(t, envOther),
		contact: idIn(t, envContact), mergedContact: idIn(t, envMergedContact),
		update: os.Getenv(envUpdate) != "",
	}
	if os.Getenv(envUseUpMinute) != "" {
		a.spend = 100 // more than a sandbox has
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // Nothing here replaces it.
	transport.DisableCompression = true                          // The tests look at what the service sends.
	t.Cleanup(transport.CloseIdleConnections)
	a.open(t, transport)
	return a
}

// idIn reads an ID from the environment, or 0 where it is not set.
func idIn(t *testing.T, name string) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		t.Fatalf("%s is not an ID", name)
	}
	return id
}

func (a *account) open(t *testing.T, transport http.RoundTripper) {
	t.Helper()
	a.findings = newFindings()
	a.pacer = &pacer{base: transport}
	client, err := fusebill.NewClient(a.key, fusebill.WithBaseURL(a.baseURL), fusebill.WithTransport(a.pacer),
		fusebill.WithRequestTimeout(maxWait),
		fusebill.WithUserAgent("terraform-provider-fusebill contract"))
	if err != nil {
		t.Fatal(err)
	}
	a.client = client
}

package contract

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// What the tests run over, and how they call it.

// Settings of a run over a real account.
const (
	envKey      = "FUSEBILL_CONTRACT_API_KEY" // nothing is called without it
	envBaseURL  = "FUSEBILL_CONTRACT_BASE_URL"
	envCustomer = "FUSEBILL_CONTRACT_CUSTOMER"       // whose latch may be changed; it's put back
	envOther    = "FUSEBILL_CONTRACT_OTHER_CUSTOMER" // another one, for what happens when both claim a contact
	envContact  = "FUSEBILL_CONTRACT_CONTACT"        // a contact that nobody holds, where the customer has no latch to try with
)

const (
	// noCustomer and noContact are IDs that no account has.
	noCustomer = 2147483646
	noContact  = 9007199254740881
	// sampleSize is how many customers are looked at.
	sampleSize = 100
)

// target is an account, and what is found out of it.
type target struct {
	name     string
	baseURL  string
	key      string
	customer int64 // whose latch may be changed; 0: nobody's
	other    int64
	contact  int64 // to try with, where the customer has none

	pace     *pace
	client   *fusebill.Client
	findings map[string]string
}

// simulated is the simulator, as it is by default.
func simulated(t *testing.T) *target {
	t.Helper()
	const key = "Y29udHJhY3Qtb2YtdGhlLXNpbXVsYXRvcg=="
	sim := fusebillsim.New(fusebillsim.Config{APIKey: key})
	sim.AddSampleCustomers(30)
	ids := sim.Customers()
	sim.SetLatch(ids[0].ID, 101, 201)
	sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{noContact: true} })
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return &target{name: "simulator", baseURL: server.URL + "/v1", key: key, customer: ids[0].ID, other: ids[1].ID}
}

// accountOf is the account that the environment names. Without one the test is skipped.
func accountOf(t *testing.T) *target {
	t.Helper()
	key := os.Getenv(envKey)
	if key == "" {
		t.Skipf("No account is called: %s isn't set.", envKey)
	}
	key, err := fusebill.ParseAPIKey(key)
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
	return &target{
		name: "account", baseURL: parsed.String(), key: key,
		customer: idIn(t, envCustomer), other: idIn(t, envOther), contact: idIn(t, envContact),
	}
}

// idIn reads an ID from the environment; 0 where it isn't set.
func idIn(t *testing.T, name string) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		t.Fatalf("%s isn't an ID", name)
	}
	return id
}

// open makes what calls the target.
func (g *target) open(t *testing.T) {
	t.Helper()
	g.findings = map[string]string{}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // Nothing here replaces it.
	transport.DisableCompression = true                          // What comes over the wire is looked at.
	t.Cleanup(transport.CloseIdleConnections)
	g.pace = &pace{base: transport}
	client, err := fusebill.NewClient(g.key, fusebill.WithBaseURL(g.baseURL), fusebill.WithTransport(g.pace),
		fusebill.WithRequestTimeout(3*time.Minute), // It has to outlast a wait for the next minute.
		fusebill.WithUserAgent("terraform-provider-fusebill contract"))
	if err != nil {
		t.Fatal(err)
	}
	g.client = client
}

// pace counts calls, and lets a minute go by where the account has no call left in it.
type pace struct {
	base  http.RoundTripper
	calls atomic.Int64
	until atomic.Pointer[time.Time]
}

func (p *pace) RoundTrip(req *http.Request) (*http.Response, error) {
	if until := p.until.Swap(nil); until != nil {
		select {
		case <-time.After(time.Until(*until)):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	p.calls.Add(1)
	resp, err := p.base.RoundTrip(req)
	if err == nil && resp.Header.Get("X-Rate-Limit-Remaining-Minute") == "0" {
		until := time.Now().Add(time.Minute)
		p.until.Store(&until)
	}
	return resp, err
}

// found keeps what is found of that which isn't known.
func (g *target) found(what, value string, args ...any) {
	g.findings[what] = fmt.Sprintf(value, args...)
}

// tell prints what was found, beside what the simulator does.
func (g *target) tell(t *testing.T, simulator map[string]string) {
	t.Helper()
	t.Logf("%s: %d calls were made", g.name, g.pace.calls.Load())
	for _, what := range slices.Sorted(maps.Keys(g.findings)) {
		switch value, simulated := g.findings[what], simulator[what]; simulated {
		case value, "":
			t.Logf("found: %s: %s", what, value)
		default:
			t.Logf("found: %s: %s (the simulator differs: %s)", what, value, simulated)
		}
	}
}

// reply is an answer as it came over the wire.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// get makes a call by itself, with a key and headers of its own choice.
func (g *target) get(t *testing.T, key, path string, query url.Values, header ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.baseURL+path+"?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Basic "+key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := g.pace.RoundTrip(req) // No redirect is followed.
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, body}
}

// list reads a page of customers, as JSON.
func (g *target) list(t *testing.T, query url.Values) (reply, []map[string]json.RawMessage) {
	t.Helper()
	r := g.get(t, g.key, "/customers", query)
	return r, r.customers(t)
}

func (r reply) customers(t *testing.T) []map[string]json.RawMessage {
	t.Helper()
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(r.body, &list); err != nil || r.status != http.StatusOK {
		t.Fatalf("status %d, and no list: %v", r.status, err)
	}
	return list
}

// unpacked is the reply without its compression.
func (r reply) unpacked(t *testing.T) reply {
	t.Helper()
	if r.header.Get("Content-Encoding") != "gzip" {
		return r
	}
	reader, err := gzip.NewReader(bytes.NewReader(r.body))
	if err == nil {
		r.body, err = io.ReadAll(reader)
	}
	if err != nil {
		t.Fatalf("it says gzip and isn't: %v", err)
	}
	return r
}

// isError fails the test unless a reply has a status and the form of an error.
func (r reply) isError(t *testing.T, status int) (words []string) {
	t.Helper()
	var object struct {
		ErrorID        *int `json:"ErrorId"`
		HTTPStatusCode int  `json:"HttpStatusCode"`
		Errors         []struct{ Key, Value string }
	}
	err := json.Unmarshal(r.body, &object)
	if r.status != status || err != nil || object.ErrorID == nil || object.HTTPStatusCode != status || len(object.Errors) == 0 {
		t.Errorf("status %d, want %d; the body isn't {ErrorId, HttpStatusCode, Errors: [{Key, Value}]}: %.200q", r.status, status, r.body)
	}
	for _, e := range object.Errors {
		words = append(words, e.Key+": "+e.Value)
	}
	return words
}

// pattern is the form of a text: its digits are 9s.
func pattern(text string) string { return digit.ReplaceAllString(text, "9") }

// shape is its form without the numbers' lengths.
func shape(text string) string { return number.ReplaceAllString(text, "N") }

var (
	digit  = regexp.MustCompile(`[0-9]`)
	number = regexp.MustCompile(`[0-9]+`)
)

// idOf reads a customer's ID, as a number or as a text.
func idOf(t *testing.T, customer map[string]json.RawMessage) int64 {
	t.Helper()
	id, err := strconv.ParseInt(strings.Trim(string(customer["id"]), `"`), 10, 64)
	if err != nil {
		t.Fatalf("a customer without an id that is an integer: %s", customer["id"])
	}
	return id
}

// latchOf reads a customer's latch by the client.
func (g *target) latchOf(t *testing.T, customer int64) fusebill.Latch {
	t.Helper()
	c, err := g.client.Customer(t.Context(), customer)
	if err != nil {
		t.Fatal(err)
	}
	return *c.Latch
}

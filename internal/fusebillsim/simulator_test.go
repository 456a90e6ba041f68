package fusebillsim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testKey = "dGVzdA=="

func newTest(t *testing.T, c Config) *Simulator {
	t.Helper()
	c.APIKey = testKey
	return New(c)
}

// reply is an answer as a test looks at it.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) customer(t *testing.T) map[string]any {
	t.Helper()
	return decode[map[string]any](t, r.body)
}

// ids returns the IDs of a list, in order.
func (r reply) ids(t *testing.T) []int64 {
	t.Helper()
	var ids []int64
	for _, c := range decode[[]struct{ ID int64 }](t, r.body) {
		ids = append(ids, c.ID)
	}
	return ids
}

// errorText returns the text of an error body, and fails unless the body is
// what API.md shows.
func (r reply) errorText(t *testing.T) string {
	t.Helper()
	e := decode[errorBody](t, r.body)
	if len(e.Errors) != 1 {
		t.Fatalf("error body %s: want one error", r.body)
	}
	want := errorBody{HTTPStatusCode: r.status, Errors: []errorDetail{{"Api Error", e.Errors[0].Value}}}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Fatalf("error body (-want +got):\n%s", diff)
	}
	return e.Errors[0].Value
}

// decode keeps numbers as they are written.
func decode[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	return v
}

func newRequest(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://fusebill.test/v1/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Basic "+testKey)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// send fails the test if there is no whole answer.
func send(t *testing.T, s *Simulator, r *http.Request) reply {
	t.Helper()
	a, err := trySend(s.Transport(), r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return a
}

func trySend(via http.RoundTripper, r *http.Request) (reply, error) {
	resp, err := via.RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body)}, err
}

func get(t *testing.T, s *Simulator, path string) reply {
	t.Helper()
	return send(t, s, newRequest(t, http.MethodGet, path, ""))
}

func post(t *testing.T, s *Simulator, path, body string) reply {
	t.Helper()
	return send(t, s, newRequest(t, http.MethodPost, path, body))
}

// A client that loses the base path, or takes a path to be case-sensitive,
// shows here.
func TestRoutes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method, path string
		want         Route
		id           string
	}{
		{"POST", "/v1/HubSpot/latchCustomer", RouteLatch, ""},
		{"POST", "/V1/hubspot/LATCHCUSTOMER", RouteLatch, ""},
		{"POST", "/v1/HubSpot/UnlatchCustomer/7", RouteUnlatch, "7"},
		{"POST", "/v1/hubSpot/unlatchcustomer/7", RouteUnlatch, "7"},
		{"GET", "/v1/customers/7", RouteCustomer, "7"},
		{"GET", "/v1/Customers/7", RouteCustomer, "7"},
		{"GET", "/v1/customers", RouteCustomers, ""},
		{"GET", "/customers", RouteUnknown, ""},
		{"GET", "/v1", RouteUnknown, ""},
		{"GET", "/v10/customers", RouteUnknown, ""},
		{"GET", "/v1//customers", RouteUnknown, ""},
		{"GET", "/v1/customers/", RouteCustomers, ""},
		{"PUT", "/v1/customers", RouteUpdate, ""},
		{"POST", "/v1/HubSpot/latchCustomer/", RouteLatch, ""},
		{"POST", "/v1/HubSpot/UnlatchCustomer/7/", RouteUnlatch, "7"},
		{"GET", "/v1/customers/7/", RouteCustomer, "7"},
		{"GET", "/v1/customers//", RouteUnknown, ""},
		{"GET", "/v1/customers/7/notes", RouteUnknown, ""},
		{"PUT", "/v1/customers/7", RouteUnknown, ""},
		{"GET", "/v1/HubSpot/latchCustomer", RouteUnknown, ""},
		{"GET", "/v1/HubSpot/UnlatchCustomer/7", RouteUnknown, ""},
		{"POST", "/v1/HubSpot/UnlatchCustomer", RouteUnknown, ""},
	}
	for _, test := range tests {
		route, id := routeOf(httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil))
		if route != test.want || id != test.id {
			t.Errorf("%s %s: %q, %q; want %q, %q", test.method, test.path, route, id, test.want, test.id)
		}
	}
}

// The routing of the service's framework comes before the check of the key, and has its own body.
func TestUnknownRoute(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	for _, path := range []string{"/v1/invoices?a=b", "/v2/customers", "/"} {
		r := newRequest(t, http.MethodGet, "", "")
		r.URL, _ = url.Parse("https://fusebill.test" + path)
		r.Header.Del("Authorization")
		got := send(t, s, r)
		want := map[string]string{"Message": "No HTTP resource was found that matches the request URI 'https://fusebill.test" + path + "'."}
		if diff := cmp.Diff(want, decode[map[string]string](t, got.body)); got.status != 404 || diff != "" {
			t.Errorf("%s: status %d (-want +got):\n%s", path, got.status, diff)
		}
	}
	if n := s.Count(RouteUnknown); n != 3 {
		t.Errorf("counted %d times", n)
	}
}

func TestMissingCustomerAsMessage(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Behavior: Behavior{NotFoundAsMessage: true}})
	for _, got := range []reply{
		get(t, s, "customers/8"), post(t, s, latchPath, `{"fusebillId":8}`), post(t, s, "HubSpot/UnlatchCustomer/8", ""),
		put(t, s, `{"id":8}`),
	} {
		want := map[string]string{"Message": "Customer with id 8 was not found."}
		if diff := cmp.Diff(want, decode[map[string]string](t, got.body)); got.status != 404 || diff != "" {
			t.Errorf("status %d (-want +got):\n%s", got.status, diff)
		}
	}
}

func TestCustomer(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 7})
	for path, want := range map[string]int{
		"customers/7":                   200,
		"customers/8":                   404,
		"customers/0":                   404,
		"customers/9223372036854775808": 400,
		"customers/seven":               400,
	} {
		got := get(t, s, path)
		if got.status != want {
			t.Errorf("%s: status %d, want %d", path, got.status, want)
		}
		if got.status != 200 {
			got.errorText(t)
		}
	}
}

func put(t *testing.T, s *Simulator, body string) reply {
	t.Helper()
	return send(t, s, newRequest(t, http.MethodPut, "customers", body))
}

func TestMaxURLLength(t *testing.T) {
	t.Parallel()
	path := "customers?query=id:1,2"
	s := newTest(t, Config{Behavior: Behavior{MaxURLLength: len("/v1/" + path)}})
	if got := get(t, s, path); got.status != 200 {
		t.Errorf("at the bound: status %d", got.status)
	}
	if got := get(t, s, path+"3"); got.status != 414 {
		t.Errorf("above the bound: status %d", got.status)
	}
}

// The switches must not change under a request because a caller goes on using
// a map that it handed over.
func TestConfigureTakesCopies(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 7})
	contacts := map[int64]bool{}
	s.Configure(func(b *Behavior) { b.UnknownContacts = contacts })
	contacts[101] = true
	if got := post(t, s, "HubSpot/latchCustomer", `{"fusebillId":7,"hubSpotId":101}`); got.status != 200 {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	s.Configure(func(b *Behavior) { b.UnknownContacts[102] = true })
	if got := post(t, s, "HubSpot/latchCustomer", `{"fusebillId":7,"hubSpotId":102}`); got.status != 400 {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

// panicOf returns what f panics with, or "".
func panicOf(f func()) (message string) {
	defer func() {
		if v := recover(); v != nil {
			message, _ = v.(string)
		}
	}()
	f()
	return ""
}

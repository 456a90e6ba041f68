package fusebillsim

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// keys returns the paths of all keys of a JSON object, sorted.
func keys(object map[string]any) []string {
	var all []string
	for key, value := range object {
		all = append(all, key)
		if inner, ok := value.(map[string]any); ok {
			for _, k := range keys(inner) {
				all = append(all, key+"."+k)
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestCustomerHasTheKeysOfTheVendorsExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/latch-customer-response.json")
	if err != nil {
		t.Fatal(err)
	}
	example := decode[map[string]any](t, string(text))
	for name, c := range map[string]Customer{
		"sample": sampleCustomer(firstSampleID),
		"empty":  {ID: 1},
	} {
		got := decode[map[string]any](t, string(encodeCustomer(&c, withoutNewerKeys)))
		if diff := cmp.Diff(keys(example), keys(got)); diff != "" {
			t.Errorf("%s: keys (-example +got):\n%s", name, diff)
		}
	}
}

// The newer keys come on top of those of the example, and nothing else changes but an empty title.
func TestNewerKeys(t *testing.T) {
	t.Parallel()
	c := Customer{ID: 7, Status: "Draft", Created: time.Date(2020, 4, 28, 14, 12, 0, 100, time.UTC)}
	older := decode[map[string]any](t, string(encodeCustomer(&c, withoutNewerKeys)))
	newer := decode[map[string]any](t, string(encodeCustomer(&c, 0)))
	for key, value := range newer {
		if old, ok := older[key]; ok && cmp.Equal(old, value) {
			delete(newer, key)
		}
	}
	want := map[string]any{
		"canChangeCurrency": true, "netsuiteSynchStatus": "Disabled", "isParent": false,
		"createdTimestamp": "2020-04-28T14:12:00.0000001Z", "title": "",
	}
	if diff := cmp.Diff(want, newer); diff != "" || older["title"] != nil {
		t.Errorf("title %v (-want +got):\n%s", older["title"], diff)
	}
	absolute := decode[map[string]any](t, string(encodeCustomer(&c, absoluteURIs)))
	if got := absolute["uri"]; got != "https://secure.fusebill.com/v1/customers/7" {
		t.Errorf("absolute uri: %v", got)
	}
}

func TestEncodeFormats(t *testing.T) {
	t.Parallel()
	c := Customer{ID: 9007199254740993, HubSpotID: 9223372036854775807, QuickBooksID: 3}
	tests := map[string]struct {
		format format
		want   map[string]any // nil value: null
	}{
		"numbers": {0, map[string]any{
			"id": json.Number("9007199254740993"), "hubSpotId": json.Number("9223372036854775807"),
			"hubSpotCompanyId": nil, "quickBooksId": json.Number("3"),
		}},
		"strings": {idsAsStrings, map[string]any{
			"id": "9007199254740993", "hubSpotId": "9223372036854775807", "hubSpotCompanyId": nil, "quickBooksId": "3",
		}},
		"without HubSpot keys": {withoutHubSpotKeys, map[string]any{
			"id": json.Number("9007199254740993"), "quickBooksId": json.Number("3"),
		}},
		"both": {idsAsStrings | withoutHubSpotKeys, map[string]any{"id": "9007199254740993", "quickBooksId": "3"}},
	}
	for name, test := range tests {
		got := decode[map[string]any](t, string(encodeCustomer(&c, test.format)))
		maps.DeleteFunc(got, func(key string, _ any) bool {
			return !slices.Contains([]string{"id", "hubSpotId", "hubSpotCompanyId", "quickBooksId"}, key)
		})
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEncodeTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 4, 28, 16, 12, 0, 30_125_500, time.FixedZone("", 2*60*60))
	got := string(encodeCustomer(&Customer{ID: 1, Modified: at}, 0)) // seven decimals and a Z
	if want := `"modifiedTimestamp":"2020-04-28T14:12:00.0301255Z"`; !strings.Contains(got, want) {
		t.Errorf("%s\nlacks %s", got, want)
	}
}

// A stored encoding must not outlive a change, nor be served in another format.
func TestStoredEncodings(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	behaviors := []Behavior{
		{}, {IDsAsStrings: true}, {ListOmitsHubSpotKeys: true}, {OmitNewerKeys: true}, {AbsoluteURIs: true},
	}
	for contact := range int64(3) {
		s.SetLatch(1, contact, 0)
		for _, b := range behaviors {
			s.Configure(func(to *Behavior) { *to = b })
			now, _ := s.Customer(1)
			if got := get(t, s, "customers/1"); got.body != string(encodeCustomer(&now, formatFor(&b, false))) {
				t.Errorf("contact %d, %+v: single %s", contact, b, got.body)
			}
			if got := get(t, s, "customers"); got.body != "["+string(encodeCustomer(&now, formatFor(&b, true)))+"]" {
				t.Errorf("contact %d, %+v: list %s", contact, b, got.body)
			}
		}
	}
	r, _ := s.store.get(1)
	if a, b := r.encode(0), r.encode(0); &a[0] != &b[0] || !bytes.Equal(a, b) {
		t.Error("encoded again for each answer")
	}
}

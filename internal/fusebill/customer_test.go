package fusebill

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func TestCustomerDecoding(t *testing.T) {
	t.Parallel()
	latched := Customer{ID: 5, Latch: &Latch{HubSpotID: 101, HubSpotCompanyID: 202}}
	tests := map[string]struct {
		json string
		want Customer // ID 0: it cannot be read
	}{
		"numbers":         {`{"id":5,"hubSpotId":101,"hubSpotCompanyId":202}`, latched},
		"numeric strings": {`{"id":"5","hubSpotId":"101","hubSpotCompanyId":" 202 "}`, latched},
		"upper case":      {`{"ID":5,"HUBSPOTID":101,"HUBSPOTCOMPANYID":202}`, latched},
		"lower case":      {`{"id":5,"hubspotid":101,"hubspotcompanyid":202}`, latched},
		"unknown keys":    {`{"x":{"id":9},"id":5,"hubSpotId":101,"hubSpotCompanyId":202,"hubSpot":[1]}`, latched},
		"nulls":           {`{"id":5,"hubSpotId":null,"hubSpotCompanyId":null}`, Customer{ID: 5, Latch: &Latch{}}},
		"one null": {`{"id":5,"hubSpotId":101,"hubSpotCompanyId":null}`,
			Customer{ID: 5, Latch: &Latch{HubSpotID: 101}}},
		"zero is none": {`{"id":5,"hubSpotId":0,"hubSpotCompanyId":202}`,
			Customer{ID: 5, Latch: &Latch{HubSpotCompanyID: 202}}},
		"both absent":          {`{"id":5}`, Customer{ID: 5}},
		"contact absent":       {`{"id":5,"hubSpotCompanyId":202}`, Customer{ID: 5}},
		"company absent":       {`{"id":5,"hubSpotId":101}`, Customer{ID: 5}},
		"absent beside a null": {`{"id":5,"hubSpotId":null}`, Customer{ID: 5}},
		"beyond a float": {
			`{"id":9007199254740993,"hubSpotId":"9007199254740993","hubSpotCompanyId":9223372036854775807}`,
			Customer{ID: 9007199254740993,
				Latch: &Latch{HubSpotID: 9007199254740993, HubSpotCompanyID: 9223372036854775807}},
		},
		"texts": {
			`{"id":5,"reference":"1337","firstName":"John","lastName":null,"companyName":"Bikes",` +
				`"primaryEmail":"a@b","status":"Active"}`,
			Customer{ID: 5, Reference: "1337", FirstName: "John", CompanyName: "Bikes", PrimaryEmail: "a@b",
				Status: "Active"},
		},
		"missing ID":       {json: `{"hubSpotId":101,"hubSpotCompanyId":202}`},
		"null ID":          {json: `{"id":null}`},
		"zero ID":          {json: `{"id":0}`},
		"zero in a string": {json: `{"id":"0"}`},
		"negative ID":      {json: `{"id":-5}`},
		"negative zero":    {json: `{"id":-0}`},
		"signed string":    {json: `{"id":"+5"}`},
		"float ID":         {json: `{"id":5.0}`},
		"exponent ID":      {json: `{"id":5e3}`},
		"huge ID":          {json: `{"id":9223372036854775808}`},
		"hexadecimal ID":   {json: `{"id":"0x5"}`},
		"grouped ID":       {json: `{"id":"1_000"}`},
		"empty ID":         {json: `{"id":""}`},
		"boolean ID":       {json: `{"id":true}`},
		"object ID":        {json: `{"id":{"value":5}}`},
		"list ID":          {json: `{"id":[5]}`},
		"null":             {json: `null`},
		"list":             {json: `[]`},
		"text":             {json: `"5"`},

		// A field that cannot be read concerns nothing but that field.
		"negative contact": {`{"id":5,"hubSpotId":-1,"hubSpotCompanyId":2}`, Customer{ID: 5}},
		"float company":    {`{"id":5,"hubSpotId":1,"hubSpotCompanyId":2.5}`, Customer{ID: 5}},
		"huge contact":     {`{"id":5,"hubSpotId":99999999999999999999,"hubSpotCompanyId":2}`, Customer{ID: 5}},
		"text contact":     {`{"id":5,"hubSpotId":"none","hubSpotCompanyId":2}`, Customer{ID: 5}},
		"object contact":   {`{"id":5,"hubSpotId":{"value":101},"hubSpotCompanyId":2}`, Customer{ID: 5}},
		"scalars as texts": {
			`{"id":5,"reference":1337,"firstName":true,"lastName":-1.50e3,"companyName":false,` +
				`"primaryEmail":9007199254740993,"status":1}`,
			Customer{ID: 5, Reference: "1337", FirstName: "true", LastName: "-1.50e3", CompanyName: "false",
				PrimaryEmail: "9007199254740993", Status: "1"},
		},
		"no texts": {
			`{"id":5,"reference":null,"firstName":{"a":1},"lastName":[],"companyName":{},"primaryEmail":[[]],` +
				`"status":null,"modifiedTimestamp":{}}`,
			Customer{ID: 5},
		},
		"escapes": {`{"\u0069d":5,"r\u0065ference":"a\"\\\/\n\ud83d\ude00"}`,
			Customer{ID: 5, Reference: "a\"\\/\n😀"}},
		"invalid UTF-8": {"{\"id\":5,\"reference\":\"caf\xe9\"}", Customer{ID: 5, Reference: "caf\ufffd"}},
		"keys that repeat": {`{"id":4,"ID":"5","hubSpotId":"none","hubSpotId":101,"hubSpotCompanyId":1,` +
			`"HubSpotCompanyID":202}`, latched},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := []Customer{{ID: 4}, test.want, {ID: 6}}
			if test.want.ID == 0 {
				want = []Customer{{ID: 4}, {ID: 6}} // An entry that cannot be read concerns no other entry.
			}
			got, unreadable, err := decodeCustomers([]byte(` [ {"id":4}, `+test.json+`, {"id":6} ] `), noMask)
			if diff := cmp.Diff(want, got); err != nil || len(got)+unreadable != 3 || diff != "" {
				t.Errorf("%d unreadable, error %v: %s", unreadable, err, diff)
			}
			var unmarshaled Customer
			err = json.Unmarshal([]byte(test.json), &unmarshaled)
			if diff := cmp.Diff(test.want, unmarshaled); (err == nil) != (test.want.ID != 0) || diff != "" {
				t.Errorf("unmarshaled: error %v, %s", err, diff)
			}
			single, err := decodeCustomer([]byte(test.json), noMask)
			if (err == nil) != (test.want.Latch != nil) {
				t.Errorf("on its own: error %v", err)
			}
			if diff := cmp.Diff(test.want, single); err == nil && diff != "" {
				t.Errorf("on its own: %s", diff)
			}
		})
	}
}

// exampleCustomer is the response on the vendor's page of the latch call.
const exampleCustomer = `{
   "firstName":"John",
   "middleName":null,
   "lastName":"Doe",
   "companyName":"Stolen Bikes",
   "suffix":null,
   "primaryEmail":"john@example.com",
   "primaryPhone":"613-555-5555",
   "secondaryEmail":"doe@example.com",
   "secondaryPhone":null,
   "title":"Mr",
   "reference":"1337",
   "status":"Active",
   "customerAccountStatus":"Good",
   "currency":"USD",
   "customerReference":{
      "reference1":null,
      "reference2":null,
      "reference3":null,
      "salesTrackingCodes":[

      ],
      "id":172677,
      "uri":"/172677"
   },
   "customerAcquisition":{
      "adContent":null,
      "campaign":null,
      "keyword":null,
      "landingPage":null,
      "medium":null,
      "source":null,
      "id":172677,
      "uri":"/customers/172677"
   },
   "monthlyRecurringRevenue":25.9800,
   "netMonthlyRecurringRevenue":25.9800,
   "salesforceId":"0014100000JJ3wt",
   "salesforceAccountType":null,
   "salesforceSynchStatus":"Enabled",
   "netsuiteId":null,
   "netsuiteCustomerType":"",
    "portalUserName": null,
    "parentId": null,
    "quickBooksLatchType": null,
    "quickBooksId": null,
    "quickBooksSyncToken": null,
    "hubSpotId": 101,
    "hubSpotCompanyId": 202,
    "modifiedTimestamp": "2020-04-28T14:12:00.0301255Z",
    "id": 2554529,
    "uri": "/customers/2554529"
}`

func TestExampleOfThePage(t *testing.T) {
	t.Parallel()
	got, err := decodeCustomer([]byte(exampleCustomer), noMask)
	if err != nil {
		t.Fatal(err)
	}
	want := Customer{
		ID: 2554529, Reference: "1337", FirstName: "John", LastName: "Doe", CompanyName: "Stolen Bikes",
		PrimaryEmail: "john@example.com", Status: "Active",
		Modified: time.Date(2020, 4, 28, 14, 12, 0, 30_125_500, time.UTC),
		Latch:    &Latch{HubSpotID: 101, HubSpotCompanyID: 202},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCustomer(t *testing.T) {
	t.Parallel()
	for name, behavior := range map[string]fusebillsim.Behavior{
		"numbers":            {},
		"strings":            {IDsAsStrings: true},
		"lists lack latches": {ListOmitsHubSpotKeys: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newSimClient(t, newSim(simConfig{Behavior: behavior}))
			got, err := client.Customer(t.Context(), 1)
			want := Customer{ID: 1, FirstName: "Ada", Reference: "C-1", Status: "Active",
				Latch: &Latch{HubSpotID: 101, HubSpotCompanyID: 201}}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Customer{}, "Created", "Modified")); err != nil || diff != "" {
				t.Errorf("error %v, %s", err, diff)
			}
			_, err = client.Customer(t.Context(), 99)
			if !IsNotFound(err) || !strings.Contains(err.Error(),
				`GET customers/99: 404 Not Found: "Customer with id 99 was not found."`) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCustomerTimes(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		`"2026-01-31T12:00:00Z"`:      noon,
		`"2026-01-31T12:00:00.00"`:    noon, // All times are UTC (the API reference).
		`"2026-01-31T13:00:00+01:00"`: noon,
		`"31.1.2026"`:                 {},
		`null`:                        {},
		`5`:                           {},
	} {
		got, _, err := decodeCustomers([]byte(`[{"id":1,"ModifiedTimestamp":`+text+`,"createdTimestamp":`+text+`}]`), noMask)
		if err != nil || !got[0].Modified.Equal(want) || !got[0].Created.Equal(want) {
			t.Errorf("%s: got %+v, error %v", text, got[0], err)
		}
	}
}

// The answer to a single read must be about that customer, and contain its latch.
func TestCustomerChecksTheAnswer(t *testing.T) {
	t.Parallel()
	for body, words := range map[string]string{
		`{"id":8,"hubSpotId":1,"hubSpotCompanyId":2}`:      "it is about customer 8, not 7",
		`{"id":7,"hubSpotId":1}`:                           "the customer has no hubSpotCompanyId",
		`{"id":7,"hubSpotCompanyId":1}`:                    "the customer has no hubSpotId",
		`{"id":7}`:                                         "the customer has no hubSpotId",
		`{"id":7,"hubSpotId":"none","hubSpotCompanyId":2}`: `hubSpotId is not an ID: "none"`,
		`null`:       "the customer is null",
		`[]`:         "the customer is a list",
		`{}`:         "the customer has no id",
		`{"id":0}`:   "the customer has no id",
		`{"id":7.5}`: "id is not an ID: 7.5",
	} {
		client := newTestClient(t, answering(200, body))
		_, err := client.Customer(t.Context(), 7)
		var malformed *MalformedAnswerError
		if !errors.As(err, &malformed) || isOutcomeUnknown(err) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v", body, err)
		}
		_, err = client.Unlatch(t.Context(), 7)
		if !errors.As(err, &malformed) || !isOutcomeUnknown(err) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v for a write", body, err)
		}
	}
}

// The decoder agrees with encoding/json on what is JSON, on the customers of a list, and on their
// IDs to the digit.
func FuzzCustomerDecoding(f *testing.F) {
	for _, seed := range []string{
		exampleCustomer, `{"id":"9007199254740993","HubSpotID":null,"hubspotcompanyid":9223372036854775807}`,
		`{"id":1}`, `null`,
		`{"id":1,"id":"2","hubSpotId":3}`, `{"id":1,"hub\u0053potId":"007","hubSpotCompanyId":0}`, `{"ıd":1}`,
		`{"id":-0}`, `{"id":1e2}`,
		`{"id":1,"hubſpotId":1,"hubSpotCompanyId":2}`, `{"id":1,"reference":"\ud800"}`,
		"{\"id\":1,\"reference\":\"\xff\"}", `{"id":1,}`,
		`{"id":1},{"id":2},5,[],null`, `{"id":1}]`, `{"id":1},`, `{"id":1,"firstName":` + strings.Repeat(`[`, 50) +
			strings.Repeat(`]`, 50) + `}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, entries []byte) {
		list := slices.Concat([]byte("["), entries, []byte("]"))
		var reference []json.RawMessage
		referenceErr := json.Unmarshal(list, &reference)
		customers, unreadable, err := decodeCustomers(list, noMask)
		if (err != nil) != (referenceErr != nil) {
			t.Fatalf("error %v, not %v", err, referenceErr)
		}
		if err != nil {
			if customers != nil || !isCutOff(err) {
				t.Errorf("got %v, error %v", customers, err)
			}
			return
		}
		if len(customers)+unreadable != len(reference) {
			t.Fatalf("%d customers and %d unreadable ones of %d", len(customers), unreadable, len(reference))
		}
		for _, entry := range reference {
			values := lastValues(t, entry)
			id, isID := digitsOf(values["id"])
			if !isID || id.Sign() == 0 {
				continue
			}
			if len(customers) == 0 || id.Cmp(big.NewInt(customers[0].ID)) != 0 {
				t.Fatalf("%s: not among %v", entry, customers)
			}
			customer := customers[0]
			customers = customers[1:]
			contact, hasContact := digitsOf(values["hubspotid"])
			company, hasCompany := digitsOf(values["hubspotcompanyid"])
			switch {
			case (customer.Latch != nil) != (hasContact && hasCompany):
				t.Errorf("%s: latch %v", entry, customer.Latch)
			case customer.Latch != nil && (contact.Cmp(big.NewInt(customer.Latch.HubSpotID)) != 0 ||
				company.Cmp(big.NewInt(customer.Latch.HubSpotCompanyID)) != 0):
				t.Errorf("%s: latch %v", entry, customer.Latch)
			}
			var wantText string
			if text := values["reference"]; json.Unmarshal([]byte(text), &wantText) == nil &&
				customer.Reference != wantText {
				t.Errorf("%s: reference %q, not %q", entry, customer.Reference, wantText)
			}
			requireSingle(t, entry, customer)
		}
		if len(customers) > 0 {
			t.Errorf("customers %v are not in the list", customers)
		}
	})
}

// requireSingle fails unless an entry is the same customer on its own.
func requireSingle(t *testing.T, entry json.RawMessage, want Customer) {
	t.Helper()
	got, err := decodeCustomer(entry, noMask)
	if (err == nil) != (want.Latch != nil) || err != nil && isCutOff(err) {
		t.Errorf("%s: error %v", entry, err)
	}
	if diff := cmp.Diff(want, got); err == nil && diff != "" {
		t.Errorf("%s: %s", entry, diff)
	}
}

// lastValues reads an object's keys in lower case, with the last value of each, by a decoder that
// does not know Customer.
func lastValues(t *testing.T, data []byte) map[string]string {
	t.Helper()
	values := make(map[string]string)
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return values
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"id", "hubspotid", "hubspotcompanyid", "reference"} {
			if text, ok := key.(string); ok && len(text) == len(name) && strings.EqualFold(text, name) {
				values[name] = string(value)
			}
		}
	}
	return values
}

// digitsOf returns the ID that a JSON value has, as a number or as a string, and 0 for null.
func digitsOf(value string) (*big.Int, bool) {
	if value == "null" {
		return new(big.Int), true
	}
	var text string
	if json.Unmarshal([]byte(value), &text) != nil {
		text = value
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return nil, false
	}
	id, ok := new(big.Int).SetString(text, 10)
	return id, ok && id.IsInt64()
}

func TestCustomerName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", maxName)
	for want, customer := range map[string]Customer{
		"customer 1": {ID: 1, FirstName: "Ada", LastName: "Lovelace",
			PrimaryEmail: "ada@example.com"},
		"customer 2554530 (Brown Coffee)": {ID: 2554530, CompanyName: "Brown Coffee", Reference: "C-1",
			FirstName: "Ada"},
		"customer 2 (C-1)":          {ID: 2, CompanyName: " \t", Reference: "C-1"},
		"customer 3 (a b c)":        {ID: 3, CompanyName: " a\r\nb\u202e\x1b c "},
		"customer 4 (" + long + ")": {ID: 4, CompanyName: long},
		"customer 5 (" + strings.Repeat("é", maxName-1) + "…)": {ID: 5, CompanyName: long + "é"},
	} {
		got := fmt.Sprint(customer)
		if got != want || fmt.Sprintf("%+v", &customer) != want || !strings.Contains(got, customer.Name()) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

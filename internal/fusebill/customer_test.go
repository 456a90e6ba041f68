package fusebill

import (
	"encoding/json"
	"errors"
	"math/big"
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
		want Customer // ID 0: an error
	}{
		"numbers":              {`{"id":5,"hubSpotId":101,"hubSpotCompanyId":202}`, latched},
		"numeric strings":      {`{"id":"5","hubSpotId":"101","hubSpotCompanyId":" 202 "}`, latched},
		"upper case":           {`{"ID":5,"HUBSPOTID":101,"HUBSPOTCOMPANYID":202}`, latched},
		"lower case":           {`{"id":5,"hubspotid":101,"hubspotcompanyid":202}`, latched},
		"unknown keys":         {`{"x":{"id":9},"id":5,"hubSpotId":101,"hubSpotCompanyId":202,"hubSpot":[1]}`, latched},
		"nulls":                {`{"id":5,"hubSpotId":null,"hubSpotCompanyId":null}`, Customer{ID: 5, Latch: &Latch{}}},
		"one null":             {`{"id":5,"hubSpotId":101,"hubSpotCompanyId":null}`, Customer{ID: 5, Latch: &Latch{HubSpotID: 101}}},
		"zero is none":         {`{"id":5,"hubSpotId":0,"hubSpotCompanyId":202}`, Customer{ID: 5, Latch: &Latch{HubSpotCompanyID: 202}}},
		"both absent":          {`{"id":5}`, Customer{ID: 5}},
		"contact absent":       {`{"id":5,"hubSpotCompanyId":202}`, Customer{ID: 5}},
		"company absent":       {`{"id":5,"hubSpotId":101}`, Customer{ID: 5}},
		"absent beside a null": {`{"id":5,"hubSpotId":null}`, Customer{ID: 5}},
		"beyond a float": {
			`{"id":9007199254740993,"hubSpotId":"9007199254740993","hubSpotCompanyId":9223372036854775807}`,
			Customer{ID: 9007199254740993, Latch: &Latch{HubSpotID: 9007199254740993, HubSpotCompanyID: 9223372036854775807}},
		},
		"texts": {
			`{"id":5,"reference":"1337","firstName":"John","lastName":null,"companyName":"Bikes","primaryEmail":"a@b","status":"Active"}`,
			Customer{ID: 5, Reference: "1337", FirstName: "John", CompanyName: "Bikes", PrimaryEmail: "a@b", Status: "Active"},
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
		"negative contact": {json: `{"id":5,"hubSpotId":-1,"hubSpotCompanyId":2}`},
		"float company":    {json: `{"id":5,"hubSpotId":1,"hubSpotCompanyId":2.5}`},
		"huge contact":     {json: `{"id":5,"hubSpotId":99999999999999999999,"hubSpotCompanyId":2}`},
		"text contact":     {json: `{"id":5,"hubSpotId":"none","hubSpotCompanyId":2}`},
		"null":             {json: `null`},
		"list":             {json: `[]`},
		"text":             {json: `"5"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got Customer
			err := json.Unmarshal([]byte(test.json), &got)
			if (err != nil) != (test.want.ID == 0) {
				t.Fatalf("got %+v, error %v", got, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
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
	var got Customer
	if err := json.Unmarshal([]byte(exampleCustomer), &got); err != nil {
		t.Fatal(err)
	}
	want := Customer{
		ID: 2554529, Reference: "1337", FirstName: "John", LastName: "Doe", CompanyName: "Stolen Bikes",
		PrimaryEmail: "john@example.com", Status: "Active", Modified: time.Date(2020, 4, 28, 14, 12, 0, 30_125_500, time.UTC),
		Latch: &Latch{HubSpotID: 101, HubSpotCompanyID: 202},
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
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Customer{}, "Modified")); err != nil || diff != "" {
				t.Errorf("error %v, %s", err, diff)
			}
			_, err = client.Customer(t.Context(), 99)
			if !IsNotFound(err) || !strings.Contains(err.Error(), "GET customers/99: 404 Not Found: Customer with id 99 was not found.") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCustomerModified(t *testing.T) {
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
		var got Customer
		if err := json.Unmarshal([]byte(`{"id":1,"ModifiedTimestamp":`+text+`}`), &got); err != nil || !got.Modified.Equal(want) {
			t.Errorf("%s: got %v, error %v", text, got.Modified, err)
		}
	}
}

// A customer by itself must be the one that was asked for, and say what it is latched to.
func TestCustomerChecksTheAnswer(t *testing.T) {
	t.Parallel()
	for body, words := range map[string]string{
		`{"id":8,"hubSpotId":1,"hubSpotCompanyId":2}`: "the answer is about customer 8, not 7",
		`{"id":7,"hubSpotId":1}`:                      "the answer for customer 7 lacks hubSpotId or hubSpotCompanyId",
		`{"id":7}`:                                    "lacks hubSpotId or hubSpotCompanyId",
		`null`:                                        "a customer without an ID",
		`[]`:                                          "cannot unmarshal array",
		`{"id":7.5}`:                                  "not an ID: 7.5",
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

func FuzzCustomerDecoding(f *testing.F) {
	for _, seed := range []string{
		exampleCustomer, `{"id":"9007199254740993","HubSpotID":null,"hubspotcompanyid":9223372036854775807}`, `{"id":1}`, `null`,
		`{"id":1,"id":"2","hubSpotId":3}`, `{"id":1,"hub\u0053potId":"007","hubSpotCompanyId":0}`, `{"ıd":1}`, `{"id":-0}`, `{"id":1e2}`,
		`{"id":1,"hubſpotId":1,"hubSpotCompanyId":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var customer Customer
		if err := json.Unmarshal(data, &customer); err != nil {
			if customer != (Customer{}) {
				t.Errorf("both an error (%v) and a customer: %+v", err, customer)
			}
			return
		}
		// Decoded IDs are the digits given.
		last := lastValues(t, data)
		requireDigits(t, last["id"], customer.ID)
		contact, hasContact := last["hubspotid"]
		company, hasCompany := last["hubspotcompanyid"]
		if hasLatch := customer.Latch != nil; hasLatch != (hasContact && hasCompany) {
			t.Fatalf("latch %v with keys %v, %v", customer.Latch, hasContact, hasCompany)
		}
		if customer.Latch != nil {
			requireDigits(t, contact, customer.Latch.HubSpotID)
			requireDigits(t, company, customer.Latch.HubSpotCompanyID)
		}
	})
}

// lastValues reads an object's keys in lower case, with the last value of each, by a decoder that doesn't know Customer.
func lastValues(t *testing.T, data []byte) map[string]string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	values := make(map[string]string)
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
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
		for _, name := range []string{"id", "hubspotid", "hubspotcompanyid"} {
			if text, ok := key.(string); ok && strings.EqualFold(text, name) {
				values[name] = string(value)
			}
		}
	}
	return values
}

// requireDigits fails unless a JSON value, as a number or as a string, is the ID; null stands for 0.
func requireDigits(t *testing.T, value string, id int64) {
	t.Helper()
	var text string
	if json.Unmarshal([]byte(value), &text) != nil {
		text = value
	}
	if value == "null" {
		text = "0"
	}
	want, ok := new(big.Int).SetString(strings.TrimSpace(text), 10)
	if !ok || want.Cmp(big.NewInt(id)) != 0 || id < 0 {
		t.Errorf("ID %d from %s", id, value)
	}
}

package fusebillsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const latchPath = "HubSpot/latchCustomer"

// holder is a customer and the latch that it is expected to have.
type holder struct{ id, contact, company int64 }

func checkLatches(t *testing.T, s *Simulator, want ...holder) {
	t.Helper()
	var got []holder
	for _, c := range s.Customers() {
		got = append(got, holder{c.ID, c.HubSpotID, c.HubSpotCompanyID})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(holder{})); diff != "" {
		t.Errorf("latches (-want +got):\n%s", diff)
	}
}

func TestLatch(t *testing.T) {
	t.Parallel()
	const payload = "{\n    \"fusebillid\": 1,\n    \"hubSpotId\": 101,\n    \"hubSpotCompanyId\": 202\n}"
	tests := map[string]struct {
		body   string
		status int
		want   holder // customer 1, which starts with contact 11 and company 12
	}{
		"both":                        {`{"fusebillId":1,"hubSpotId":101,"hubSpotCompanyId":202}`, 200, holder{1, 101, 202}},
		"the vendor's curl example":   {`{fusebillId:1,hubSpotId:101,hubSpotCompanyId:202}`, 200, holder{1, 101, 202}},
		"the vendor's C# example":     {`{fusebillId:1,hubSpotId:101,hubSpotCompanyId: 202}`, 200, holder{1, 101, 202}},
		"the vendor's Python example": {`{"fusebillId": 1, "hubSpotId": 101, "hubSpotCompanyId": 202}`, 200, holder{1, 101, 202}},
		"the vendor's bare example":   {payload, 200, holder{1, 101, 202}},
		"numeric strings":             {`{"fusebillId":"1","hubSpotId":"101","hubSpotCompanyId":"202"}`, 200, holder{1, 101, 202}},
		"above 2^53":                  {`{"fusebillId":1,"hubSpotId":9007199254740993,"hubSpotCompanyId":9223372036854775807}`, 200, holder{1, 9007199254740993, 9223372036854775807}},
		"null removes":                {`{"fusebillId":1,"hubSpotId":null,"hubSpotCompanyId":202}`, 200, holder{1, 0, 202}},
		"left out removes":            {`{"fusebillId":1,"hubSpotId":101}`, 200, holder{1, 101, 0}},
		"neither removes both":        {`{"fusebillId":1}`, 200, holder{1, 0, 0}},
		"as it was":                   {`{"fusebillId":1,"hubSpotId":11,"hubSpotCompanyId":12}`, 200, holder{1, 11, 12}},
		"no customer":                 {`{"hubSpotId":101}`, 400, holder{1, 11, 12}},
		"unknown customer":            {`{"fusebillId":3,"hubSpotId":101}`, 404, holder{1, 11, 12}},
		"zero":                        {`{"fusebillId":1,"hubSpotId":0}`, 400, holder{1, 11, 12}},
		"negative":                    {`{"fusebillId":1,"hubSpotCompanyId":-202}`, 400, holder{1, 11, 12}},
		"above int64":                 {`{"fusebillId":1,"hubSpotId":9223372036854775808}`, 400, holder{1, 11, 12}},
		"contact held":                {`{"fusebillId":1,"hubSpotId":21,"hubSpotCompanyId":12}`, 409, holder{1, 11, 12}},
		"company held":                {`{"fusebillId":1,"hubSpotId":11,"hubSpotCompanyId":22}`, 409, holder{1, 11, 12}},
		"contact is no company":       {`{"fusebillId":1,"hubSpotId":22,"hubSpotCompanyId":21}`, 200, holder{1, 22, 21}},
		"unknown to HubSpot":          {`{"fusebillId":1,"hubSpotId":404}`, 400, holder{1, 11, 12}},
		"company unknown to HubSpot":  {`{"fusebillId":1,"hubSpotCompanyId":405}`, 400, holder{1, 11, 12}},
		"not JSON":                    {`fusebillId=1&hubSpotId=101`, 400, holder{1, 11, 12}},
		"too large":                   {`{"fusebillId":1,"x":"` + strings.Repeat("x", maxBody) + `"}`, 413, holder{1, 11, 12}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTest(t, Config{Behavior: Behavior{
				UnknownContacts:  map[int64]bool{404: true},
				UnknownCompanies: map[int64]bool{405: true},
			}})
			s.AddCustomers(
				Customer{ID: 1, HubSpotID: 11, HubSpotCompanyID: 12},
				Customer{ID: 2, HubSpotID: 21, HubSpotCompanyID: 22},
			)
			got := post(t, s, latchPath, test.body)
			if got.status != test.status {
				t.Errorf("status %d, want %d: %s", got.status, test.status, got.body)
			}
			if got.status != 200 {
				got.errorText(t)
			}
			checkLatches(t, s, test.want, holder{2, 21, 22})
		})
	}
}

// The answer has to tell what is stored, digit by digit.
func TestLatchAnswer(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 9007199254740993})
	got := post(t, s, latchPath, `{"fusebillId":9007199254740993,"hubSpotId":9223372036854775807}`).customer(t)
	for key, want := range map[string]any{
		"id":               json.Number("9007199254740993"),
		"hubSpotId":        json.Number("9223372036854775807"),
		"hubSpotCompanyId": nil,
	} {
		if got[key] != want {
			t.Errorf("%s: %v, want %v", key, got[key], want)
		}
	}
}

func TestHubSpotErrorIsTheVendors(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Behavior: Behavior{UnknownContacts: map[int64]bool{101: true}}})
	s.AddCustomers(Customer{ID: 1})
	got := post(t, s, latchPath, `{"fusebillId":1,"hubSpotId":101}`)
	const want = `{"ErrorId":0,"HttpStatusCode":400,"Errors":[{"Key":"Api Error","Value":"The was an error getting the contact from HubSpot: resource not found"}]}`
	if got.status != 400 || got.body != want {
		t.Errorf("status %d, body\n%s\nwant\n%s", got.status, got.body, want)
	}
}

func TestLatchContentType(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	for contentType, want := range map[string]int{
		"application/json":                  200,
		"application/json; charset=utf-8":   200,
		"":                                  415,
		"text/plain":                        415,
		"application/x-www-form-urlencoded": 415,
	} {
		r := newRequest(t, http.MethodPost, latchPath, `{"fusebillId":1}`)
		r.Header.Set("Content-Type", contentType)
		if got := send(t, s, r); got.status != want {
			t.Errorf("%q: status %d, want %d", contentType, got.status, want)
		}
	}
}

func TestConflictModes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mode   ConflictMode
		status int
		want   []holder
	}{
		"409":   {ConflictStatus409, 409, []holder{{1, 11, 12}, {2, 21, 22}, {3, 31, 32}}},
		"400":   {ConflictStatus400, 400, []holder{{1, 11, 12}, {2, 21, 22}, {3, 31, 32}}},
		"moves": {ConflictMoves, 200, []holder{{1, 21, 32}, {2, 0, 22}, {3, 31, 0}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTest(t, Config{Behavior: Behavior{Conflict: test.mode}})
			s.AddCustomers(
				Customer{ID: 1, HubSpotID: 11, HubSpotCompanyID: 12},
				Customer{ID: 2, HubSpotID: 21, HubSpotCompanyID: 22},
				Customer{ID: 3, HubSpotID: 31, HubSpotCompanyID: 32})
			got := post(t, s, latchPath, `{"fusebillId":1,"hubSpotId":21,"hubSpotCompanyId":32}`)
			if got.status != test.status {
				t.Errorf("status %d, want %d: %s", got.status, test.status, got.body)
			}
			checkLatches(t, s, test.want...)
		})
	}
}

func TestUnlatch(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1, HubSpotID: 11, HubSpotCompanyID: 12}, Customer{ID: 2, HubSpotID: 21})
	for range 2 { // it is idempotent
		got := post(t, s, "HubSpot/UnlatchCustomer/1", "")
		if c := got.customer(t); got.status != 200 || c["hubSpotId"] != nil || c["hubSpotCompanyId"] != nil {
			t.Errorf("status %d: %s", got.status, got.body)
		}
		checkLatches(t, s, holder{1, 0, 0}, holder{2, 21, 0})
	}
	if got := post(t, s, "HubSpot/UnlatchCustomer/3", ""); got.status != 404 {
		t.Errorf("unknown customer: status %d", got.status)
	}
	if got := post(t, s, "HubSpot/UnlatchCustomer/x", ""); got.status != 400 {
		t.Errorf("no ID: status %d", got.status)
	}
	// An ID that was released is free.
	if got := post(t, s, latchPath, `{"fusebillId":2,"hubSpotId":11,"hubSpotCompanyId":12}`); got.status != 200 {
		t.Errorf("claim of what is free: status %d", got.status)
	}
}

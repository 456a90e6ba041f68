package fusebill

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func TestCustomersPages(t *testing.T) {
	t.Parallel()
	for name, behavior := range map[string]fusebillsim.Behavior{
		"with headers":     {},
		"without headers":  {OmitPageHeaders: true},
		"smaller pages":    {MaxPageSize: 3},
		"IDs as strings":   {IDsAsStrings: true},
		"without HubSpot":  {ListOmitsHubSpotKeys: true},
		"pages that fit":   {MaxPageSize: 5},
		"pages one by one": {MaxPageSize: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := newSim(simConfig{Behavior: behavior})
			sim.AddSampleCustomers(7)
			client := newSimClient(t, sim)
			var ids []int64
			for number := 0; ; number++ {
				page, err := client.Customers(t.Context(), CustomersRequest{PageNumber: number, PageSize: 5})
				if err != nil {
					t.Fatal(err)
				}
				for _, customer := range page.Customers {
					ids = append(ids, customer.ID)
					if (customer.Latch == nil) != behavior.ListOmitsHubSpotKeys {
						t.Errorf("customer %d: latch %v", customer.ID, customer.Latch)
					}
				}
				wantSize := 10
				if behavior.OmitPageHeaders {
					wantSize = -1
				}
				if page.AccountSize != wantSize {
					t.Errorf("account size %d, not %d", page.AccountSize, wantSize)
				}
				if page.Last {
					break
				}
			}
			// Oldest first: the samples are from 2020, the customers of newSim of today.
			want := []int64{2500000, 2500001, 2500002, 2500003, 2500004, 2500005, 2500006, 1, 2, 3}
			if diff := cmp.Diff(want, ids); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCustomersByID(t *testing.T) {
	t.Parallel()
	client := newSimClient(t, newSim(simConfig{}))
	page, err := client.Customers(t.Context(), CustomersRequest{IDs: []int64{3, 99, 1}})
	want := CustomersPage{Last: true, AccountSize: 3, Customers: []Customer{
		{ID: 1, FirstName: "Ada", Reference: "C-1", Status: "Active",
			Latch: &Latch{HubSpotID: 101, HubSpotCompanyID: 201}},
		{ID: 3, CompanyName: "Stolen Bikes", Status: "Draft", Latch: &Latch{}},
	}}
	if diff := cmp.Diff(want, page, cmpopts.IgnoreFields(Customer{}, "Created", "Modified")); err != nil || diff != "" {
		t.Errorf("error %v, %s", err, diff)
	}
}

func TestCustomersRefusesWhatIsNoList(t *testing.T) {
	t.Parallel()
	for body, words := range map[string]string{
		`null`:             "the list is null",
		`{}`:               "the list is an object",
		`{"id":1}`:         "the list is an object",
		`"none"`:           "the list is a single value",
		`[{"id":1}`:        "the JSON ends too early",
		`[{"id":1},]`:      "invalid character ','",
		`[{"id":1}] []`:    "more than one JSON value",
		``:                 "the JSON ends too early",
		`<html>`:           "invalid character '<'",
		"[{\"id\":1}]\x00": "invalid character '\\x00'",
	} {
		client := newTestClient(t, WithMaxRetries(0), answering(200, body))
		page, err := client.Customers(t.Context(), CustomersRequest{})
		var malformed *MalformedAnswerError
		if !errors.As(err, &malformed) || !strings.HasPrefix(err.Error(), "GET customers: ") ||
			!strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v", body, err)
		}
		if page.Customers != nil || page.Last {
			t.Errorf("%s: got a page beside the error: %+v", body, page)
		}
	}
}

// One odd entry of a page concerns one customer.
func TestCustomersReportsOddEntries(t *testing.T) {
	t.Parallel()
	client := newTestClient(t, answering(200, `[{"id":1,"hubSpotId":1,"hubSpotCompanyId":null}, null, {"id":2},
		{"id":3,"hubSpotId":{"value":1},"hubSpotCompanyId":2,"companyName":["x"]}, {}, {"id":"x"}, 5, [{"id":9}]]`))
	page, err := client.Customers(t.Context(), CustomersRequest{PageSize: 8})
	want := CustomersPage{
		Customers:  []Customer{{ID: 1, Latch: &Latch{HubSpotID: 1}}, {ID: 2}, {ID: 3}},
		Unreadable: 5, AccountSize: -1,
	}
	if diff := cmp.Diff(want, page); err != nil || diff != "" {
		t.Errorf("error %v, %s", err, diff)
	}
}

func TestIsLastPage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		next, pageSize string
		got, size      int
		want           bool
	}{
		{"", "", 1000, 1000, false},
		{"", "", 999, 1000, true},
		{"", "", 0, 1000, true},
		{"1", "", 999, 1000, false}, // The service gives smaller pages.
		{"-1", "", 1000, 1000, true},
		{"1", "", 0, 1000, true}, // Or else the reading would never end.
		{"", "0", 0, 1000, true},
		{"", "500", 500, 1000, false},
		{"", "500", 499, 1000, true},
		{"", "5000", 1000, 1000, false},
		{"next", "many", 1000, 1000, false},
		{"next", "many", 3, 1000, true},
		{"0", "", 3, 1000, true}, // No page follows on itself: a header without sense.
	}
	for _, test := range tests {
		header := http.Header{"X-Nextpage": {test.next}, "X-Pagesize": {test.pageSize}}
		if got := isLastPage(header, test.got, test.size); got != test.want {
			t.Errorf("%+v: got %v", test, got)
		}
	}
}

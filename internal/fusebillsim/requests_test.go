package fusebillsim

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The requests of the vendor's own pages and of two public clients, by method, path and body. They
// work in production, so they have to work here.
func TestPublicRequests(t *testing.T) {
	t.Parallel()
	day := func(year int, month time.Month) time.Time { return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC) }
	customers := []Customer{
		{
			ID: 123, FirstName: "Jessica", LastName: "Smithson", PrimaryPhone: "5556780987",
			MonthlyRevenueCents: 5000, Created: day(2018, 1), Modified: day(2019, 12),
		}, {
			ID: 456, FirstName: "Jessica", Reference: "R", PrimaryPhone: "4555671234", Status: "Draft",
			MonthlyRevenueCents: 18001, Created: day(2018, 12), Modified: day(2018, 12),
		}, {
			ID: 789, PrimaryPhone: "2504741555", Status: "Hold", QuickBooksID: 9, Title: "Mr",
			Created: day(2019, 1), Modified: day(2020, 1),
		},
	}
	all := []int64{123, 456, 789}
	const list = "customers?pageSize=100&pageNumber=0&query="
	const revenue = "monthlyRecurringRevenue:50.00|180.00"
	const first = "customers?pageSize=1&pageNumber=0&query="
	const copied = "customers?pageSize=1000&pageNumber=0&sortOrder=Ascending&sortExpression=createdTimestamp&query="
	const payload = "{\n    \"fusebillid\": 123,\n    \"hubSpotId\": 101,\n    \"hubSpotCompanyId\": 202\n}"
	tests := map[string]struct {
		method, path, body string
		want               []int64 // IDs of the customers in the answer
	}{
		// https://developer.staxbill.com/reference/list-customers
		"list": {"GET", "customers/?query=status:Active&pageSize=100&pageNumber=0", "", []int64{123}},
		// https://developer.staxbill.com/reference/string-filtering
		"one field":      {"GET", first + "firstName:Jessica", "", []int64{123}},
		"two fields":     {"GET", first + "firstName:Jessica;lastName:Smithson", "", []int64{123}},
		"empty":          {"GET", list + "reference:[empty]", "", []int64{123, 789}},
		"prefix":         {"GET", list + "primaryPhone:555*", "", []int64{123}},
		"part":           {"GET", list + "primaryPhone:*555*", "", all},
		"set of words":   {"GET", list + "status:Active,Draft", "", []int64{123, 456}},
		"set of IDs":     {"GET", list + "id:123,456,789", "", all},
		"QuickBooks IDs": {"GET", list + "quickBooksId:8,9", "", []int64{789}},
		"title":          {"GET", list + "title:Mr", "", []int64{789}},
		// https://developer.staxbill.com/reference/date-filtering
		"created in 2018":      {"GET", list + "createdTimestamp:2018-01-01|2019-01-01", "", []int64{123, 456}},
		"modified since":       {"GET", list + "modifiedTimestamp:2018-01-01|", "", all},
		"created before":       {"GET", list + "createdTimestamp:|2019-01-01", "", []int64{123, 456}},
		"with times":           {"GET", list + "createdTimestamp:2018-12-01T00:00:00|2019-01-02", "", []int64{456, 789}},
		"range of revenue":     {"GET", list + revenue, "", []int64{123}},
		"revenue up to":        {"GET", list + "monthlyRecurringRevenue:|180.00", "", []int64{123, 789}},
		"revenue from":         {"GET", list + "monthlyRecurringRevenue:50.00|", "", []int64{123, 456}},
		"revenue and modified": {"GET", list + revenue + ";modifiedTimestamp:|2020-01-01", "", []int64{123}},
		// https://developer.staxbill.com/reference/latch-customer-1 and unlatch-customer-1
		"latch, cURL":    {"POST", "HubSpot/latchCustomer", `{fusebillId:123,hubSpotId:101,hubSpotCompanyId:202}`, []int64{123}},
		"latch, C#":      {"POST", "HubSpot/latchCustomer", `{fusebillId:123,hubSpotId:101,hubSpotCompanyId: 202}`, []int64{123}},
		"latch, Python":  {"POST", "HubSpot/latchCustomer", `{"fusebillId": 123, "hubSpotId": 101, "hubSpotCompanyId": 202}`, []int64{123}},
		"latch, payload": {"POST", "HubSpot/latchCustomer", payload, []int64{123}},
		"unlatch":        {"POST", "HubSpot/UnlatchCustomer/123", "", []int64{123}},
		// A client that copies an account, page by page (github.com/danteblink/tap-fusebill).
		"copy, first page": {"GET", copied + "createdTimestamp:|", "", all},
		"copy, bookmark":   {"GET", copied + "createdTimestamp:2018-12-01T00:00:00Z|", "", []int64{456, 789}},
		// A client for Node (github.com/claygorman/fusebill-node-sdk).
		"Node, list":   {"GET", "customers?pageSize=2&pageNumber=1&query=id:123,456,789", "", []int64{789}},
		"Node, read":   {"GET", "customers/456", "", []int64{456}},
		"Node, update": {"PUT", "customers", `{"id":456,"firstName":"Jess","reference":"R-2"}`, []int64{456}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTest(t, Config{})
			s.AddCustomers(customers...)
			got := send(t, s, newRequest(t, test.method, test.path, test.body))
			if got.status != http.StatusOK {
				t.Fatalf("status %d: %s", got.status, got.body)
			}
			if got.body[0] == '{' {
				got.body = "[" + got.body + "]"
			}
			if diff := cmp.Diff(test.want, got.ids(t)); diff != "" {
				t.Errorf("customers (-want +got):\n%s", diff)
			}
		})
	}
}

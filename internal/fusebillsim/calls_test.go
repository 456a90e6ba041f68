package fusebillsim

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCalls(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	if s.Count() != 0 || s.Requests() != nil {
		t.Errorf("at first: %d, %v", s.Count(), s.Requests())
	}
	s.Inject(Fault{Kind: FaultDropBefore, Route: RouteLatch})
	_, _ = trySend(s.Transport(), newRequest(t, http.MethodPost, latchPath, latchBody)) // the fault's error
	post(t, s, latchPath, latchBody)
	post(t, s, "HubSpot/UnlatchCustomer/1", "")
	get(t, s, "customers/1")
	get(t, s, "nowhere")

	want := map[Route]int{RouteLatch: 2, RouteUnlatch: 1, RouteCustomer: 1, RouteUnknown: 1}
	if diff := cmp.Diff(want, s.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if s.Count() != 5 || s.Count(RouteCustomer, RouteCustomers) != 1 || s.Writes() != 3 {
		t.Errorf("Count %d, reads %d, Writes %d", s.Count(), s.Count(RouteCustomer, RouteCustomers), s.Writes())
	}
	s.ResetCalls()
	if s.Count() != 0 || s.Requests() != nil || len(s.Calls()) != 0 {
		t.Errorf("after the reset: %d, %v", s.Count(), s.Requests())
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{})
		s.Inject(Fault{Kind: FaultDropAfter})
		_, _ = trySend(s.Transport(), newRequest(t, http.MethodGet, "Customers/7", "")) // the fault's error
		time.Sleep(time.Second)
		post(t, s, latchPath, latchBody)
		want := []Request{
			{
				Time: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Route: RouteCustomer, Method: "GET",
				Scheme: "https", Host: "fusebill.test", Path: "/v1/Customers/7", HasKey: true,
			},
			{
				Time: time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC), Route: RouteLatch, Method: "POST",
				Scheme: "https", Host: "fusebill.test", Path: "/v1/" + latchPath, Body: latchBody, HasKey: true, Status: 404,
			},
		}
		if diff := cmp.Diff(want, s.Requests(), cmpopts.IgnoreUnexported(Request{})); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

func TestRequestNamesCustomers(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	get(t, s, "customers?query=status:Active;id:3,1,3&pageSize=5")
	get(t, s, "customers?query=id:1|3")
	get(t, s, "customers/7")
	get(t, s, "customers/x")
	post(t, s, "HubSpot/UnlatchCustomer/8", "")
	post(t, s, latchPath, `{fusebillId:9}`)
	post(t, s, latchPath, `{}`)
	want := [][]int64{{1, 3}, nil, {7}, nil, {8}, {9}, nil}
	var got [][]int64
	for _, r := range s.Requests() {
		got = append(got, r.CustomerIDs())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("customers (-want +got):\n%s", diff)
	}
	if query := s.Requests()[0].Query(); query.Get("query") != "status:Active;id:3,1,3" || query.Get("pageSize") != "5" {
		t.Errorf("query %v", query)
	}
}

func TestDiscardRequests(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{DiscardRequests: true})
	get(t, s, "customers")
	if s.Requests() != nil || s.Count() != 1 {
		t.Errorf("%v, %d", s.Requests(), s.Count())
	}
}

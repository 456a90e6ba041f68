package fusebillsim

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const latchBody = `{"fusebillId":1,"hubSpotId":101,"hubSpotCompanyId":202}`

// Each kind has to show as described, make the change or leave it, and count
// toward the limits or not; a test of a client that relies on the wrong one of
// these would prove nothing.
func TestFaultKinds(t *testing.T) {
	t.Parallel()
	tests := map[FaultKind]struct {
		status  int  // 0: The connection is dropped.
		changed bool // The latch was made.
		counted bool // toward the rate limits
		html    bool
	}{
		FaultNone:              {200, true, true, false},
		FaultStatus500Before:   {500, false, true, false},
		FaultStatus500After:    {500, true, true, false},
		FaultDropBefore:        {0, false, true, false},
		FaultDropAfter:         {0, true, true, false},
		FaultLatencyBefore:     {200, true, true, false},
		FaultLatencyAfter:      {200, true, true, false},
		FaultSlowDrip:          {200, true, true, false},
		FaultTruncatedBody:     {0, true, true, false},
		FaultTruncatedJSON:     {200, true, true, false},
		FaultEmptyBody:         {200, true, true, false},
		FaultNotJSON:           {200, true, true, false},
		FaultWrongContentType:  {200, true, true, false},
		FaultHTMLBody:          {200, true, true, true},
		FaultHTML502:           {502, true, true, true},
		FaultDifferentAnswer:   {200, true, true, false},
		FaultStaleList:         {200, true, true, false},
		FaultMissingRows:       {200, true, true, false},
		FaultRateLimitMinute:   {429, false, false, false},
		FaultRateLimitDay:      {429, false, false, false},
		FaultUnauthorized:      {401, false, false, false},
		FaultRedirectHost:      {307, false, false, true},
		FaultRedirectPlainHTTP: {307, false, false, true},
		FaultMalformedKey:      {400, false, false, false},
		FaultNullBody:          {200, true, true, false},
		FaultNoContent:         {204, true, true, false},
		FaultUnlatchedRows:     {200, true, true, false},
		FaultRowsWithoutKeys:   {200, true, true, false},
		FaultMalformedRows:     {200, true, true, false},
	}
	for kind := range faultKinds {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			test, ok := tests[kind]
			if !ok {
				t.Fatal("not in the table")
			}
			s := newTest(t, Config{})
			s.AddCustomers(Customer{ID: 1})
			s.Inject(Fault{Kind: kind})
			got, err := trySend(s.Transport(), newRequest(t, http.MethodPost, latchPath, latchBody))
			switch {
			case test.status == 0 && !errors.Is(err, io.ErrUnexpectedEOF):
				t.Errorf("%+v, %v; want a dropped connection", got, err)
			case test.status != 0 && (err != nil || got.status != test.status):
				t.Errorf("status %d, %v; want %d", got.status, err, test.status)
			}
			if test.status != 0 {
				if html := strings.HasPrefix(got.header.Get("Content-Type"), "text/html"); html != test.html {
					t.Errorf("Content-Type %q", got.header.Get("Content-Type"))
				}
				// A proxy knows nothing of rate limits.
				if rated := got.header.Get("X-Rate-Limit-Limit-Day") != ""; rated == test.html {
					t.Errorf("rate headers: %v", rated)
				}
			}
			if c, _ := s.Customer(1); (c.HubSpotID == 101) != test.changed {
				t.Errorf("latch made: %v, want %v", c.HubSpotID == 101, test.changed)
			}
			if counted := s.limiter.peek(time.Now()).day.remaining < 180_000; counted != test.counted {
				t.Errorf("counted: %v, want %v", counted, test.counted)
			}
			if s.Writes() != 1 || s.RateLimited() != 0 {
				t.Errorf("%d writes, %d rate limited", s.Writes(), s.RateLimited())
			}
			if got := post(t, s, latchPath, latchBody); got.status != 200 {
				t.Errorf("the next call: status %d: %s", got.status, got.body)
			}
		})
	}
}

func TestSpoiledBodies(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	whole := get(t, s, "customers/1").body
	for kind, want := range map[FaultKind]string{
		FaultTruncatedJSON:    whole[:len(whole)/2],
		FaultEmptyBody:        "",
		FaultNullBody:         "null",
		FaultNoContent:        "",
		FaultNotJSON:          "The service is being updated.",
		FaultWrongContentType: whole,
	} {
		s.Inject(Fault{Kind: kind})
		if got := get(t, s, "customers/1"); got.body != want {
			t.Errorf("%v: body %q, want %q", kind, got.body, want)
		}
	}
	s.Inject(Fault{Kind: FaultNoContent})
	if got := get(t, s, "customers/1").header.Values("Content-Length"); got != nil {
		t.Errorf("a 204 with Content-Length %q", got)
	}
	s.Inject(Fault{Kind: FaultWrongContentType})
	if got := get(t, s, "customers/1").header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	// A fault of one answer must not reach the stored encoding.
	if got := get(t, s, "customers/1").body; got != whole {
		t.Errorf("afterwards: %q", got)
	}
}

func TestTruncatedBody(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	whole := get(t, s, "customers/1").body
	s.Inject(Fault{Kind: FaultTruncatedBody})
	resp, err := s.Transport().RoundTrip(newRequest(t, http.MethodGet, "customers/1", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != whole[:len(whole)/2] ||
		resp.ContentLength != int64(len(whole)) {
		t.Errorf("%d of %d bytes, announced %d, %v", len(body), len(whole), resp.ContentLength, err)
	}
}

func TestDifferentAnswer(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1})
	s.Inject(Fault{Kind: FaultDifferentAnswer, Times: -1})
	for _, body := range []string{latchBody, `{"fusebillId":1}`} {
		answer := post(t, s, latchPath, body).customer(t)
		stored := get(t, s, "customers/1").customer(t)
		for _, key := range []string{"hubSpotId", "hubSpotCompanyId"} {
			if answer[key] == stored[key] {
				t.Errorf("%s: %s %v is what is stored", body, key, answer[key])
			}
		}
	}
}

func TestInjectedRateLimits(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Behavior: Behavior{RetryAfter: true}})
	for kind, window := range map[FaultKind]string{FaultRateLimitMinute: "Minute", FaultRateLimitDay: "Day"} {
		s.Inject(Fault{Kind: kind})
		got := get(t, s, "customers")
		text := got.errorText(t)
		if !strings.Contains(text, "per "+strings.ToLower(window)) || rateHeaders(got.header, window)[1] != "0" ||
			got.header.Get("Retry-After") == "" {
			t.Errorf("%v: %q, headers %v", kind, text, got.header)
		}
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	for kind, want := range map[FaultKind]string{
		FaultRedirectHost:      "https://redirected.fusebill.invalid/v1/customers?query=id:1;status:Active",
		FaultRedirectPlainHTTP: "http://fusebill.test/v1/customers?query=id:1;status:Active",
	} {
		s.Inject(Fault{Kind: kind})
		if got := get(t, s, "customers?query=id:1;status:Active").header.Get("Location"); got != want {
			t.Errorf("%v: %s", kind, got)
		}
	}
}

func TestStaleList(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1, HubSpotID: 11}, Customer{ID: 2})
	remove := s.Inject(Fault{Kind: FaultStaleList, Times: -1})
	s.SetLatch(1, 12, 0)
	s.DeleteCustomer(2)
	s.AddCustomers(Customer{ID: 3})

	latches := func() map[string]string {
		all := make(map[string]string)
		for _, c := range decode[[]map[string]any](t, get(t, s, "customers").body) {
			all[string(mustMarshal(c["id"]))] = string(mustMarshal(c["hubSpotId"]))
		}
		return all
	}
	if diff := cmp.Diff(map[string]string{"1": "11", "2": "null"}, latches()); diff != "" {
		t.Errorf("stale list (-want +got):\n%s", diff)
	}
	if c := get(t, s, "customers/1").customer(t); string(mustMarshal(c["hubSpotId"])) != "12" {
		t.Errorf("single read: %v", c["hubSpotId"])
	}
	remove()
	if diff := cmp.Diff(map[string]string{"1": "12", "3": "null"}, latches()); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
}

// A list may lag for some customers only: they are as they were, or seem to have no latch.
func TestSpoiledRows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault Fault
		want  []string // ID and contact of customers 1 to 3; customer 2 is chosen, and was latched to 21 before
	}{
		"stale":        {Fault{Kind: FaultStaleList, IDs: []int64{2, 4}}, []string{"1 12", "2 21", "3 13"}},
		"unlatched":    {Fault{Kind: FaultUnlatchedRows, IDs: []int64{2}}, []string{"1 12", "2 null", "3 13"}},
		"without keys": {Fault{Kind: FaultRowsWithoutKeys, IDs: []int64{2}}, []string{"1 12", "2 absent", "3 13"}},
		"malformed":    {Fault{Kind: FaultMalformedRows, IDs: []int64{2}}, []string{"1 12", `{"value":2} 22`, "3 13"}},
		"every second": {Fault{Kind: FaultUnlatchedRows, Every: 2}, []string{"1 12", "2 null", "3 13"}},
		"all stale":    {Fault{Kind: FaultStaleList}, []string{"1 11", "2 21"}},
	}
	for name, test := range tests {
		s := newTest(t, Config{})
		s.AddCustomers(Customer{ID: 1, HubSpotID: 11}, Customer{ID: 2, HubSpotID: 21})
		s.Inject(test.fault)
		s.SetLatch(1, 12, 0)
		s.SetLatch(2, 22, 0)
		s.AddCustomers(Customer{ID: 3, HubSpotID: 13})
		var got []string
		for _, c := range decode[[]map[string]any](t, get(t, s, "customers").body) {
			contact := "absent"
			if value, ok := c["hubSpotId"]; ok {
				contact = string(mustMarshal(value))
			}
			got = append(got, string(mustMarshal(c["id"]))+" "+contact)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := get(t, s, "customers/2").customer(t); string(mustMarshal(got["hubSpotId"])) != "22" {
			t.Errorf("%s: a single read has %v", name, got["hubSpotId"])
		}
		if got := get(t, s, "customers?query=id:2"); !strings.Contains(got.body, `"hubSpotId":22`) {
			t.Errorf("%s: the next list is %s", name, got.body)
		}
	}
}

func TestMissingRows(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	for id := range int64(12) {
		s.AddCustomers(Customer{ID: id + 1})
	}
	tests := map[string]struct {
		fault Fault
		path  string
		want  []int64
	}{
		"named":            {Fault{IDs: []int64{2, 3}}, "customers?pageSize=3", []int64{1, 4, 5}},
		"named, in a set":  {Fault{IDs: []int64{2}}, "customers?query=id:1,2", []int64{1}},
		"every fourth":     {Fault{Every: 4}, "customers", []int64{1, 2, 3, 5, 6, 7, 9, 10, 11}},
		"every tenth":      {Fault{}, "customers", []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12}},
		"on the next page": {Fault{Every: 4}, "customers?pageSize=4&pageNumber=1", []int64{6, 7, 9, 10}},
	}
	for name, test := range tests {
		test.fault.Kind = FaultMissingRows
		s.Inject(test.fault)
		if diff := cmp.Diff(test.want, get(t, s, test.path).ids(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := get(t, s, "customers").ids(t); len(got) != 12 {
		t.Errorf("afterwards %v", got)
	}
}

// A write that is cancelled while it waits was made or not, depending on where
// the wait is.
func TestLatencyAndCancellation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		behavior Behavior
		fault    FaultKind
		changed  bool
	}{
		"before":   {Behavior{}, FaultLatencyBefore, false},
		"after":    {Behavior{}, FaultLatencyAfter, true},
		"behavior": {Behavior{Latency: time.Second}, FaultNone, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTest(t, Config{Behavior: test.behavior})
				s.AddCustomers(Customer{ID: 1})
				s.Inject(Fault{Kind: test.fault, Latency: time.Second, Times: -1})
				client := &http.Client{Transport: s.Transport(), Timeout: 999 * time.Millisecond}
				start := time.Now()
				resp, err := client.Do(newRequest(t, http.MethodPost, latchPath, latchBody))
				if err == nil {
					resp.Body.Close()
					t.Fatal("no timeout")
				}
				if took := time.Since(start); took != 999*time.Millisecond {
					t.Errorf("ended after %v", took)
				}
				if c, _ := s.Customer(1); (c.HubSpotID == 101) != test.changed {
					t.Errorf("latch made: %v, want %v", c.HubSpotID == 101, test.changed)
				}
				post(t, s, latchPath, latchBody)
				if took := time.Since(start); took != 1999*time.Millisecond {
					t.Errorf("the patient call ended after %v", took)
				}
			})
		})
	}
}

func TestSlowDrip(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTest(t, Config{})
		s.AddCustomers(Customer{ID: 1})
		whole := get(t, s, "customers/1").body
		pieces := (len(whole) + dripSize - 1) / dripSize
		s.Inject(Fault{Kind: FaultSlowDrip, Latency: time.Second, Times: -1})
		start := time.Now()
		if got := get(t, s, "customers/1"); got.body != whole || time.Since(start) != time.Duration(pieces)*time.Second {
			t.Errorf("%d bytes in %v", len(got.body), time.Since(start))
		}
		// A client that bounds the wait for headers only would hang here.
		client := &http.Client{Transport: s.Transport(), Timeout: 1500 * time.Millisecond}
		resp, err := client.Do(newRequest(t, http.MethodGet, "customers/1", ""))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err == nil || len(body) != dripSize {
			t.Errorf("%d bytes, %v; want one piece and an error", len(body), err)
		}
	})
}

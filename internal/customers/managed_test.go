package customers

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// wantManaged fails unless Managed returns these customers as gone and as unlatched, and every
// other one of the IDs with its contact.
func wantManaged(t *testing.T, r *Reader, ids, gone, unlatched []int64) {
	t.Helper()
	current, gotGone, err := r.Managed(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(gotGone, gone) {
		t.Errorf("customers %v are gone, want %v", gotGone, gone)
	}
	for _, id := range ids {
		latch, exists := current[id]
		want := pair(id+100, 0)
		if slices.Contains(unlatched, id) {
			want = pair(0, 0)
		}
		if isGone := slices.Contains(gone, id); exists == isGone || !isGone && latch != want {
			t.Errorf("customer %d: exists %t, is latched to %s, want %s", id, exists, latch, want)
		}
	}
}

func TestManaged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(50)
		sim.DeleteCustomer(7)
		sim.SetLatch(8, 0, 0)
		r := newTestReader(t, sim)
		wantManaged(t, r, ids(50), []int64{7}, []int64{8})
		wantCalls(t, sim, 2, 2) // A batch; 7 and 8 individually; the control list.
		wantManaged(t, r, ids(50), []int64{7}, []int64{8})
		if lists := sim.Count(fusebillsim.RouteCustomers); lists > 1 { // A page, and no other control list.
			t.Errorf("%d lists", lists)
		}
	})
}

// A plan without changes makes no call beside those of Customers.
func TestManaged_withoutChanges(t *testing.T) {
	for n, lists := range map[int64]int{50: 1, 3000: 3} {
		t.Run(strconv.FormatInt(n, 10), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newAccount(int(n))
				wantManaged(t, newTestReader(t, sim), ids(n), nil, nil)
				wantCalls(t, sim, 0, lists)
			})
		})
	}
}

// A wrong base URL, where lists are answered with 404 as well, does not pass for absence.
func TestManaged_wrongBaseURL(t *testing.T) {
	for form, body := range map[string]string{
		"Errors":  `{"Errors":[{"Key":"Api Error","Value":"Not found."}]}`,
		"Message": `{"Message":"No HTTP resource was found that matches the request URI."}`,
	} {
		t.Run(form, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newAccount(30)
				calls := 0
				r := NewReader(newTestClient(t, sim, fusebill.WithMaxRetries(0), fusebill.WithTransport(
					roundTripper(func(req *http.Request) (*http.Response, error) {
						calls++
						return answerWith(req, http.StatusNotFound, body), nil
					}))))
				for _, some := range [][]int64{{1}, ids(5)} {
					current, gone, err := r.Managed(t.Context(), some)
					if err == nil || fusebill.IsNotFound(err) || len(current)+len(gone) > 0 {
						t.Errorf("%d current, %d gone, error %v", len(current), len(gone), err)
					}
				}
				// Customer 1 and the control list; then a page, batches of 5 and 2, and 5
				// customers.
				if calls != 1+1+1+2+5 {
					t.Errorf("%d calls", calls)
				}
			})
		})
	}
}

// The control call is tried again after a fault, and not after a refusal.
func TestManaged_faultOfTheControlCall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(3)
		sim.DeleteCustomer(2)
		r := newTestReader(t, sim)
		heal := sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: isPage, Times: -1})
		if _, gone, err := r.Managed(t.Context(), []int64{2}); err == nil || len(gone) > 0 {
			t.Errorf("%v are gone, error %v", gone, err)
		}
		heal()
		wantManaged(t, r, []int64{2}, []int64{2}, nil)
	})
}

// Lists that lag behind do not remove latches from the state. Ten samples settle it for all others
// where they agree.
func TestManaged_laggingLists(t *testing.T) {
	for _, test := range []struct {
		name          string
		n             int64
		shown, really []int64 // unlatched
		singles       int
	}{
		{"one, wrongly", 50, []int64{3}, nil, 1},
		{"one, rightly", 50, []int64{3}, []int64{3}, 1},
		{"ten, of which one wrongly", 50, ids(10), ids(9), 10},
		{"all, rightly", 50, ids(50), ids(50), samples},
		{"all, wrongly", 50, ids(50), nil, 50},
		{
			"all, one of the samples wrongly", 50, ids(50),
			slices.DeleteFunc(ids(50), func(id int64) bool { return id == 6 }), 50,
		},
		{"all, of many", 1000, ids(1000), ids(1000), samples},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newAccount(int(test.n))
				for _, id := range test.really {
					sim.SetLatch(id, 0, 0)
				}
				r := newTestReader(t, sim)
				sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultUnlatchedRows, Times: -1, IDs: test.shown})
				wantManaged(t, r, ids(test.n), nil, test.really)
				wantCalls(t, sim, test.singles, 1)
			})
		})
	}
}

// Single latches ask one after another. After ten that agree, lists count for the others, too.
func TestManaged_laggingListsOneByOne(t *testing.T) {
	for name, really := range map[string][]int64{"rightly": ids(100), "wrongly": nil} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newAccount(100)
				for _, id := range really {
					sim.SetLatch(id, 0, 0)
				}
				r := newTestReader(t, sim)
				sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultUnlatchedRows, Times: -1, IDs: ids(100)})
				readAll(t, ids(100), 10, func(_ context.Context, id int64) (fusebill.Customer, error) {
					wantManaged(t, r, []int64{id}, nil, really)
					return fusebill.Customer{}, nil
				})
				singles := sim.Count(fusebillsim.RouteCustomer)
				if want := 1 + 2*samples; really != nil && singles > want || really == nil && singles != 100 {
					t.Errorf("%d single reads", singles)
				}
			})
		})
	}
}

// The proof is as fresh as any other answer for a plan.
func TestManaged_proofAges(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(20)
		r := newTestReader(t, sim)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultUnlatchedRows, Times: -1, IDs: []int64{3}})
		wantManaged(t, r, ids(20), nil, nil)
		time.Sleep(MaxAge + time.Second)
		sim.SetLatch(3, 0, 0)
		wantManaged(t, r, ids(20), nil, []int64{3})
	})
}

// Everything that can be cancelled is.
func TestManaged_cancelled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(30)
		sim.DeleteCustomer(3)
		sim.SetLatch(4, 0, 0)
		r := newTestReader(t, sim)
		for calls := range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), latency/2+time.Duration(calls)*latency)
			if _, _, err := r.Managed(ctx, ids(30)); err == nil && calls < 2 {
				t.Error("it was not cancelled after", calls, "calls")
			}
			cancel()
		}
	})
}

func TestFingerprint(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(0)
		start := time.Date(2020, 1, 1, 12, 0, 0, 1000, time.UTC)
		for id := int64(30); id > 0; id-- { // The oldest have the greatest IDs.
			created := start.Add(-time.Duration(id) * time.Hour)
			sim.AddCustomers(fusebillsim.Customer{ID: id, HubSpotID: id + 100, Created: created})
		}
		r := newTestReader(t, sim)
		first, err := r.Fingerprint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := ids(30)[20:]; !slices.Equal(sorted(first), want) || !first[30].Equal(start.Add(-30*time.Hour)) {
			t.Errorf("got %v", first)
		}
		for range 3 {
			if _, err := r.Fingerprint(t.Context()); err != nil {
				t.Error(err)
			}
		}
		wantCalls(t, sim, 0, 1)
		for id := int64(22); id <= 30; id++ {
			sim.DeleteCustomer(id)
		}
		second, err := newTestReader(t, sim).Fingerprint(t.Context())
		if err != nil || !second.Matches(first) || !first.Matches(second) {
			t.Errorf("%v does not match %v, error %v", second, first, err)
		}
	})
}

func TestFingerprintMatches(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2020, 1, n, 0, 0, 0, 0, time.UTC) }
	for name, test := range map[string]struct {
		a, b Fingerprint
		want bool
	}{
		"same":                      {Fingerprint{1: day(1), 2: day(2)}, Fingerprint{1: day(1), 2: day(2)}, true},
		"one shared":                {Fingerprint{1: day(1), 2: day(2)}, Fingerprint{2: day(2), 3: day(3)}, true},
		"other zone":                {Fingerprint{1: day(1)}, Fingerprint{1: day(1).In(time.FixedZone("", 3600))}, true},
		"same IDs, created earlier": {Fingerprint{1: day(1), 2: day(2)}, Fingerprint{1: day(2), 2: day(3)}, false},
		"time unknown":              {Fingerprint{1: day(1)}, Fingerprint{1: {}}, true},
		"other IDs":                 {Fingerprint{1: day(1)}, Fingerprint{2: day(1)}, false},
		"empty":                     {Fingerprint{}, Fingerprint{1: day(1)}, false},
		"both empty":                {nil, Fingerprint{}, false},
	} {
		if test.a.Matches(test.b) != test.want || test.b.Matches(test.a) != test.want {
			t.Errorf("%s: %v and %v match, or do not", name, test.a, test.b)
		}
	}
}

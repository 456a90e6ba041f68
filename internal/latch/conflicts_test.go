package latch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A refusal is the error of a change once the run stalls, where the coordinator does not read the
// account and so does not know the holder.
func TestConflicts_failAfterStallWhenHolderIsUnknown(t *testing.T) {
	for mode, status := range map[fusebillsim.ConflictMode]int{
		fusebillsim.ConflictStatus409: http.StatusConflict, fusebillsim.ConflictStatus400: http.StatusBadRequest,
	} {
		runInBubble(t, fmt.Sprint(status), func(t *testing.T) {
			r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}}, unreadable)
			r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = mode })
			begin := time.Now()
			err := r.createNow(context.Background(), 1, pair(101, 0), false)
			if refusal := errorAs[*fusebill.APIError](t, err); refusal.StatusCode != status {
				t.Errorf("got %v", err)
			}
			wantTook(t, begin, DefaultStallTimeout, DefaultStallTimeout+200*time.Millisecond)
			r.wantWrites(1)
		})
	}
}

// A change whose holder is unknown waits while other changes go on, without further writes, and
// succeeds once a change of the holder has released the claim.
func TestConflicts_waitForUnknownHolder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		account := latches{1: {}, 2: pair(101, 0)}
		r := newTrial(t, account, unreadable)
		operations := []operation{r.create(1, pair(101, 0))}
		for id := int64(10); id < 40; id++ {
			r.sim.AddCustomers(fusebillsim.Customer{ID: id})
			operations = append(operations, r.create(id, pair(1000+id, 0)))
		}
		r.gap = 300 * time.Millisecond
		r.runOK(append(operations, r.update(2, pair(101, 0), pair(102, 0)))...)
		r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0)})
		if most := len(operations) + 3; r.sim.Writes() > most {
			t.Errorf("%d writes, want at most %d", r.sim.Writes(), most)
		}
	})
}

// A contact that does not exist in HubSpot is refused with a 400, which may also be a conflict. The
// coordinator does not read the account again for each of them, and does not wait.
func TestConflicts_rejectedContactsCostNoRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: {}, 3: {}, 4: {}, 5: {}})
		r.sim.Configure(func(b *fusebillsim.Behavior) {
			b.UnknownContacts = map[int64]bool{901: true, 902: true, 903: true, 904: true, 905: true}
		})
		begin := time.Now()
		for i, id := range ids(5) {
			wantError[*fusebill.APIError](t, r.createNow(context.Background(), id, pair(900+int64(i)+1, 0), false))
		}
		wantTook(t, begin, 0, 15*callTime)
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 1 {
			t.Errorf("%d list calls, want 1", lists)
		}
		r.wantWrites(5)
	})
}

// After a conflict that the account as it was read does not explain, the coordinator reads it
// again. Then it reports the holder or takes the claim from it.
func TestConflicts_findNewHolder(t *testing.T) {
	runInBubble(t, "refused", func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: {}, 3: {}})
		r.runOK(r.update(3, pair(0, 0), pair(103, 0)))
		r.sim.SetLatch(2, 101, 0)
		time.Sleep(time.Second)
		held := errorAs[*HeldError](t, r.createNow(context.Background(), 1, pair(101, 0), false))
		if held.Held[0].Holder != 2 {
			t.Errorf("got %+v", held)
		}
	})
	runInBubble(t, "taken", func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: {}, 3: {}})
		r.runOK(r.update(3, pair(0, 0), pair(103, 0)))
		r.sim.SetLatch(2, 101, 202)
		time.Sleep(time.Second)
		r.runOK(r.take(1, pair(0, 0), pair(101, 0)))
		r.wantAccount(latches{1: pair(101, 0), 2: pair(0, 202)})
	})
}

// The refusal is the error where no list shows the holder.
func TestConflicts_reportRefusalWhenNoListShowsHolder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: {}})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStaleList, Times: -1})
		r.sim.SetLatch(2, 101, 0)
		wantError[*fusebill.APIError](t, r.createNow(context.Background(), 1, pair(101, 0), true))
		r.wantWrites(1)
	})
}

// A change tries again at once where the holder has released the claim before the refusal arrives.
func TestConflicts_retryAfterReleaseDuringRefusal(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0)}, unreadable)
		r.gap = 30 * time.Millisecond
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyAfter, Latency: 200 * time.Millisecond, Match: writes(1),
		})
		begin := time.Now()
		r.runOK(r.create(1, pair(101, 0)), r.delete(2, pair(101, 0)))
		wantTook(t, begin, 0, time.Second)
		r.wantWrites(3)
	})
}

// A change that was refused with a 400 waits for the stall timeout at most, even while other
// changes go on: the 400 may have another reason than a conflict.
func TestConflicts_status400EndsAfterStallTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: {}}, unreadable)
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{901: true} })
		r.sim.Inject(slowWrite(2, 40*time.Second))
		go r.run(r.create(2, pair(102, 0)))
		begin := time.Now()
		wantError[*fusebill.APIError](t, r.createNow(context.Background(), 1, pair(901, 0), false))
		wantTook(t, begin, DefaultStallTimeout, DefaultStallTimeout+200*time.Millisecond)
		time.Sleep(time.Minute)
	})
}

// cancelledCustomerTransport answers each write with a 409 that is not about a claim.
type cancelledCustomerTransport struct{ base http.RoundTripper }

func (t cancelledCustomerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		return t.base.RoundTrip(req)
	}
	body := `{"ErrorId":0,"HttpStatusCode":409,"Errors":[{"Key":"Api Error","Value":"The customer is cancelled."}]}`
	return &http.Response{
		StatusCode: http.StatusConflict, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req,
	}, nil
}

// A refusal for another rule does not make the coordinator read the account again for each write.
func TestConflicts_ofAnotherRuleCostNoRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const pages = 5
		r := newTrial(t, nil)
		ids := r.sim.AddSampleCustomers(pages * 1000)
		client, err := fusebill.NewClient("key", fusebill.WithTransport(cancelledCustomerTransport{r.sim.Transport()}))
		if err != nil {
			t.Fatal(err)
		}
		declared := make(latches)
		for _, id := range ids[:200] {
			declared[id] = pair(id, 0)
		}
		results, err := newCoordinator(client).Apply(t.Context(), changesBetween(nil, declared), ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, result := range results {
			wantError[*fusebill.APIError](t, result.Err)
		}
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists > 2*pages+2 {
			t.Errorf("%d list calls", lists)
		}
	})
}

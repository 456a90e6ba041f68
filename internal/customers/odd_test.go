package customers

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// oddEntries are the ways in which a list may fail to show a customer's latch.
var oddEntries = map[string]fusebillsim.FaultKind{
	"without keys":  fusebillsim.FaultRowsWithoutKeys,
	"not decodable": fusebillsim.FaultMalformedRows,
}

// One odd entry of 3,000 concerns one customer, which is read individually.
func TestOddEntry(t *testing.T) {
	for name, kind := range oddEntries {
		for _, id := range []int64{2, 1500, 3000} {
			t.Run(name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					sim := newAccount(3000)
					sim.Inject(fusebillsim.Fault{Kind: kind, Times: -1, IDs: []int64{id}})
					r := newTestReader(t, sim)
					found, err := r.Customers(t.Context(), ids(3000), MaxAge)
					if err != nil || len(found) != 3000 || LatchOf(found[id]) != pair(id+100, 0) {
						t.Errorf("%d customers, error %v", len(found), err)
					}
					wantCalls(t, sim, 1, 3)

					r = newTestReader(t, sim)
					readAll(t, ids(3000), 10, r.Customer)
					if calls := sim.Count(); calls > 2*3+3+1 {
						t.Errorf("%d calls for single latches", calls)
					}
				})
			})
		}
	}
}

// One odd entry does not keep the Reader from knowing who holds what.
func TestOddEntry_ofAHolder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(3000)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultRowsWithoutKeys, Times: -1, IDs: []int64{7, 2007}})
		r := newTestReader(t, sim)
		for range 3 {
			if err := r.ReadAccount(t.Context(), MaxAge, 3); err != nil {
				t.Fatal(err)
			}
			wantHolders(t, r, 107, 7)
			wantHolders(t, r, 2107, 2007)
		}
		wantCalls(t, sim, 2, 3)
		latched, err := r.Latched(t.Context(), MaxAge, 3)
		if err != nil || len(latched) != 3000 || latched[7] != pair(107, 0) {
			t.Errorf("%d are latched, error %v", len(latched), err)
		}
		wantCalls(t, sim, 0, 0)
	})
}

// A customer whose entry cannot be decoded, nor its own answer, does not block the others.
func TestOddEntry_neverDecodable(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(50)
		garble := func(resp *http.Response) {
			body, _ := io.ReadAll(resp.Body)
			text := strings.ReplaceAll(string(body), `"hubSpotId":107`, `"hubSpotId":[]`)
			resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), -1
		}
		isAny := func(*http.Request) bool { return true }
		r := newTestReader(t, sim, fusebill.WithTransport(changed(sim, isAny, garble)))
		for range 3 {
			if err := r.ReadAccount(t.Context(), MaxAge, 5); err != nil {
				t.Error(err)
			}
		}
		wantHolders(t, r, 108, 8)
		wantHolders(t, r, 107)
		wantCalls(t, sim, 1, 1)
		if _, err := r.Find(t.Context(), fusebill.Filter{}); err == nil {
			t.Error("customer 7 is missing without an error")
		}
		if got := readOne(t, r, 7); got.err == nil {
			t.Errorf("got %s", got.latch)
		}
	})
}

// The account counts as unread where no entry can be decoded.
func TestOddEntry_all(t *testing.T) {
	for name, kind := range oddEntries {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sim := newAccount(50)
				sim.Inject(fusebillsim.Fault{Kind: kind, Times: -1, Every: 1})
				r := newTestReader(t, sim)
				for range 2 {
					if err := r.ReadAccount(t.Context(), MaxAge, 5); !errors.Is(err, ErrAccountUnread) {
						t.Errorf("got %v", err)
					}
				}
				wantCalls(t, sim, 0, 1)
				customers, err := r.Find(t.Context(), fusebill.Filter{})
				if kind == fusebillsim.FaultRowsWithoutKeys && (err != nil || len(customers) != 50) {
					t.Errorf("%d customers, error %v", len(customers), err)
				}
			})
		})
	}
}

// Reading odd entries is bounded like reading pages.
func TestOddEntry_many(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(200)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultRowsWithoutKeys, Times: -1, Every: 2})
		r := newTestReader(t, sim)
		if err := r.ReadAccount(t.Context(), MaxAge, 99); !errors.Is(err, ErrAccountUnread) {
			t.Errorf("got %v", err)
		}
		wantCalls(t, sim, 0, 1)
		if err := r.ReadAccount(t.Context(), MaxAge, 100); err != nil {
			t.Error(err)
		}
		wantCalls(t, sim, 100, 0)
	})
}

// An entry that becomes complete is believed again.
func TestOddEntry_heals(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(50)
		heal := sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultRowsWithoutKeys, Times: -1, IDs: []int64{7}})
		r := newTestReader(t, sim)
		read := func(singles int) {
			t.Helper()
			if err := r.ReadAccount(t.Context(), MaxAge, 3); err != nil {
				t.Error(err)
			}
			wantContact(t, readOne(t, r, 7), 107)
			wantCalls(t, sim, singles, 1)
			time.Sleep(MaxAge + time.Second)
		}
		read(1)
		read(1)
		heal()
		read(0)
	})
}

// An entry of a customer that was not asked for is not kept: it may be of another account or time.
func TestMismatchedEntryIsNotKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim, fusebill.WithTransport(changed(sim, isBatch, func(resp *http.Response) {
			body, _ := io.ReadAll(resp.Body)
			text := strings.Replace(string(body), `[`, `[{"id":15,"hubSpotId":999,"hubSpotCompanyId":null},`, 1)
			resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), -1
		}))))
		readTen(t, r)
		wantHolders(t, r, 999)
		wantContact(t, readOne(t, r, 15), 115)
		for i, answers := range beginReads(t.Context(), r, 16, 17, 18) { // Batches still serve.
			wantContact(t, <-answers, int64(i+116))
		}
		if sizes := batchSizes(sim); !slices.Equal(sizes, []int{9, 3}) {
			t.Errorf("batches of %v", sizes)
		}
	})
}

// The answer to a write is kept for the customer that was written, if it is about that one.
func TestMismatchedWriteIsNotKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(3)
		r := newTestReader(t, sim)
		latch := pair(999, 0)
		for _, answer := range []fusebill.Customer{{ID: 2, Latch: &latch}, {ID: 1}} {
			r.BeginWrite(1)
			r.EndWrite(1, &answer)
		}
		wantHolders(t, r, 999)
		wantContact(t, readOne(t, r, 1), 101)
		wantContact(t, readOne(t, r, 2), 102)
	})
}

// While pages are read side by side a contact moves, and two customers seem to hold it. Both may,
// until each was read again.
func TestSeveralHolders(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(20, func(b *fusebillsim.Behavior) { b.MaxPageSize = 10 })
		sim.SetLatch(1, 999, 0)
		r := newTestReader(t, sim)
		sim.Inject(fusebillsim.Fault{After: 1, OnRequest: func(*http.Request) { sim.SetLatch(15, 999, 0) }})
		if err := r.ReadAccount(t.Context(), 0, 5); err != nil {
			t.Fatal(err)
		}
		wantHolders(t, r, 999, 1, 15)
		sim.SetLatch(1, 999, 0)
		readNow := func(id int64) {
			if _, err := r.CustomerNow(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
		readNow(15)
		wantHolders(t, r, 999, 1)
		sim.SetLatch(15, 999, 0)
		readNow(15)
		wantHolders(t, r, 999, 15) // Customer 1 was seen with it before, and only one can hold it.
		holder, err := r.FindHolder(t.Context(), contact(999))
		if err != nil || holder.ID != 15 {
			t.Errorf("customer %d, error %v", holder.ID, err)
		}
	})
}

// A write that was answered shows that nobody else held the claim then. Answers about others
// during the write may be newer.
func TestSeveralHolders_afterAWrite(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(5, func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
		r := newTestReader(t, sim)
		if err := r.ReadAccount(t.Context(), 0, 5); err != nil {
			t.Fatal(err)
		}
		write(t, r, 5, pair(101, 0)) // The service takes it from customer 1.
		wantHolders(t, r, 101, 5)
		sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyAfter, Route: fusebillsim.RouteLatch, Latency: time.Second,
		})
		go func() {
			time.Sleep(latency * 2)
			sim.SetLatch(3, 102, 0)
			_, _ = r.CustomerNow(t.Context(), 3)
		}()
		write(t, r, 4, pair(102, 0))
		wantHolders(t, r, 102, 3, 4)
	})
}

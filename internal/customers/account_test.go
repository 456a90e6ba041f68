package customers

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// TestGapInTheAccount reads customers individually that no page shows.
func TestGapInTheAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := newTestReader(t, sim)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, Times: -1, IDs: []int64{3, 4}})
		sim.DeleteCustomer(4)
		account, gaps := beginAccount(t.Context(), r, 0), beginReads(t.Context(), r, 3, 4)
		if got := <-account; got.err != nil {
			t.Fatal(got.err)
		}
		wantContact(t, readOne(t, r, 2), 102)
		wantContact(t, <-gaps[0], 103)
		if got := <-gaps[1]; !fusebill.IsNotFound(got.err) {
			t.Errorf("got %+v for a customer that is gone", got)
		}
		wantCalls(t, sim, 2, 1)
	})
}

func TestAccountIsReadOnceWhileFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := newTestReader(t, sim)
		for range 3 {
			first, second := beginAccount(t.Context(), r, time.Minute), beginAccount(t.Context(), r, time.Minute)
			for _, got := range []answer{<-first, <-second} {
				if got.err != nil {
					t.Error(got.err)
				}
			}
		}
		wantCalls(t, sim, 0, 1)
		time.Sleep(time.Minute)
		<-beginAccount(t.Context(), r, time.Minute)
		wantCalls(t, sim, 0, 1)
	})
}

// An account whose lists do not tell latches is not read: nobody holding anything would be the
// wrong answer.
func TestAccountOfUselessListsIsUnread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20, func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true })
		r := newTestReader(t, sim)
		for range 3 {
			if err := r.ReadAccount(t.Context(), 0, 1000); !errors.Is(err, ErrAccountUnread) {
				t.Errorf("got %v", err)
			}
		}
		wantCalls(t, sim, 0, 1)
	})
}

// TestTooLargeAccount learns how large the account is while a call to read it waits. It is left
// unread.
func TestTooLargeAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := newTestReader(t, sim, fusebill.WithTransport(changed(sim, isList, func(resp *http.Response) {
			resp.Header.Set("X-MaxCount", "100000")
		})))
		readOne(t, r, 1)
		list := beginReads(t.Context(), r, 2)[0] // The answer shows the size.
		account := begin(func() (fusebill.Customer, error) { return fusebill.Customer{}, r.ReadAccount(t.Context(), 0, 99) })
		if got := <-account; !errors.Is(got.err, ErrAccountUnread) {
			t.Errorf("got %v", got.err)
		}
		wantContact(t, <-list, 102)
		wantCalls(t, sim, 1, 1)
	})
}

// TestFailingPages has pages that fail for a long time. The reads go on by batches, and the account
// is tried again now and then, ever more rarely.
func TestFailingPages(t *testing.T) {
	t.Parallel()
	t.Run("reads", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			const customers = 400
			sim := newAccount(customers)
			r := newTestReader(t, sim)
			heal := sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: isPage, Times: -1})
			for id := range int64(customers / 2) {
				wantContact(t, readOne(t, r, id+1), id+101)
			}
			calls := sim.Count()
			if tries := calls - customers/2; tries < 2 || tries > 10 {
				t.Errorf("the account was tried %d times in %d reads", tries, customers/2)
			}
			heal()
			for id := range int64(customers) {
				wantContact(t, readOne(t, r, id+1), id+101)
			}
			if calls := sim.Count() - calls; calls > customers/2-10 {
				t.Errorf("%d calls, as if the account was never tried again", calls)
			}
		})
	})
	t.Run("changes that want to know all holders", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(20)
			r := newTestReader(t, sim)
			heal := sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: isPage, Times: -1})
			if err := r.ReadAccount(t.Context(), time.Minute, 20); errors.Is(err, errAccountFailed) {
				t.Errorf("the first failure is said to be %v", err)
			}
			for range 100 {
				readOne(t, r, 1)
				var apiErr *fusebill.APIError
				err := r.ReadAccount(t.Context(), time.Minute, 20)
				if errors.Is(err, ErrAccountUnread) || !errors.As(err, &apiErr) {
					t.Errorf("%v does not say why", err)
				}
			}
			if tries := sim.Count(fusebillsim.RouteCustomers); tries > 60 {
				t.Errorf("the account was tried %d times", tries)
			}
			heal()
			err := ErrAccountUnread
			for tries := 0; err != nil && tries < 10; tries++ {
				err = r.ReadAccount(t.Context(), time.Minute, 20)
			}
			if err != nil {
				t.Errorf("after all is well: %v", err)
			}
		})
	})
}

// TestRevokedKey has the first page read and the second refused: its error goes to those who asked
// for the account, and what the first page brought is kept.
func TestRevokedKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20, func(b *fusebillsim.Behavior) { b.MaxPageSize = 10 })
		r := newTestReader(t, sim)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultUnauthorized, After: 1, Times: -1})
		var apiErr *fusebill.APIError
		err := r.ReadAccount(t.Context(), 0, 20)
		if !errors.As(err, &apiErr) || apiErr.StatusCode != http.StatusUnauthorized {
			t.Errorf("got %v", err)
		}
		wantContact(t, readOne(t, r, 10), 110)
		if got := readOne(t, r, 11); !errors.As(got.err, &apiErr) || apiErr.StatusCode != http.StatusUnauthorized {
			t.Errorf("got %v", got.err)
		}
		wantCalls(t, sim, 1, 2)
	})
}

// TestAccountThatGrows adds customers while pages are read: the reading goes on to the page that
// they are on.
func TestAccountThatGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20, func(b *fusebillsim.Behavior) { b.MaxPageSize = 10 })
		r := newTestReader(t, sim)
		sim.Inject(fusebillsim.Fault{OnAnswer: func(*http.Request) {
			for id := int64(21); id <= 45; id++ {
				sim.AddCustomers(fusebillsim.Customer{ID: id, HubSpotID: id + 100})
			}
		}})
		if err := r.ReadAccount(t.Context(), 0, 20); err != nil {
			t.Fatal(err)
		}
		for id := int64(1); id <= 45; id++ {
			wantContact(t, readOne(t, r, id), id+100)
		}
		wantCalls(t, sim, 0, 5)
	})
}

// TestWrongCount has a service that miscounts the account. No answer is wrong, and reading costs no
// more calls than single reads would.
func TestWrongCount(t *testing.T) {
	t.Parallel()
	for _, count := range []int{0, 1, 100_000} {
		t.Run(strconv.Itoa(count), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const customers = 300
				sim := newAccount(customers, func(b *fusebillsim.Behavior) { b.MaxPageSize = 100 })
				r := newTestReader(t, sim, fusebill.WithTransport(changed(sim, isList, func(resp *http.Response) {
					resp.Header.Set("X-MaxCount", strconv.Itoa(count))
				})))
				for id := range int64(customers) {
					wantContact(t, readOne(t, r, id+1), id+101)
				}
				if calls := sim.Count(); count < customers && calls > 2*3+3 || calls > customers {
					t.Errorf("%d calls", calls)
				}
			})
		})
	}
}

// An account that is said to have far more pages than it has is read to its last page and not
// beyond.
func TestNoPageAfterTheLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := newTestReader(t, sim, fusebill.WithTransport(changed(sim, isList, func(resp *http.Response) {
			resp.Header.Set("X-MaxCount", "900000")
		})))
		readOne(t, r, 1)
		readOne(t, r, 2) // The answer shows the size.
		if err := r.ReadAccount(t.Context(), 0, 1000); err != nil {
			t.Error(err)
		}
		if calls := sim.Count(); calls > 2+2*listsAtOnce { // Those that were under way by then.
			t.Errorf("%d calls", calls)
		}
		if err := r.ReadAccount(t.Context(), time.Minute, 1); err != nil {
			t.Errorf("what is known is not said: %v", err)
		}
	})
}

// An account of unknown size is read up to as many pages as are allowed.
func TestPagesOfAnUncountedAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(50, func(b *fusebillsim.Behavior) { b.MaxPageSize = 10 })
		r := newTestReader(t, sim, fusebill.WithTransport(changed(sim, isList, func(resp *http.Response) {
			resp.Header.Del("X-MaxCount")
		})))
		if err := r.ReadAccount(t.Context(), MaxAge, 3); !errors.Is(err, ErrAccountUnread) {
			t.Errorf("got %v", err)
		}
		wantCalls(t, sim, 0, 3)
		sim.SetLatch(1, 900, 0)
		if err := r.ReadAccount(t.Context(), MaxAge, 5); err != nil {
			t.Error(err)
		}
		wantCalls(t, sim, 0, 2) // It goes on where it ended …
		wantContact(t, readOne(t, r, 1), 101)
	})
}

// … unless what was read is too old by then.
func TestHalfReadAccountAges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(50, func(b *fusebillsim.Behavior) { b.MaxPageSize = 10 })
		r := newTestReader(t, sim, fusebill.WithTransport(changed(sim, isList, func(resp *http.Response) {
			resp.Header.Del("X-MaxCount")
		})))
		if err := r.ReadAccount(t.Context(), MaxAge, 3); !errors.Is(err, ErrAccountUnread) {
			t.Errorf("got %v", err)
		}
		sim.ResetCalls()
		time.Sleep(time.Minute)
		sim.SetLatch(1, 900, 0)
		if err := r.ReadAccount(t.Context(), time.Second, 5); err != nil {
			t.Error(err)
		}
		wantCalls(t, sim, 0, 5)
		wantContact(t, readOne(t, r, 1), 900)
	})
}

// TestUnderstatedAccount reads ten customers from the end of an account of 30 pages that is said to
// have one: that takes about twice as many calls as single reads, not 30.
func TestUnderstatedAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(300, func(b *fusebillsim.Behavior) { b.MaxPageSize = 10 })
		r := newTestReader(t, sim, fusebill.WithTransport(changed(sim, isList, func(resp *http.Response) {
			resp.Header.Set("X-MaxCount", "1")
		})))
		for id := int64(291); id <= 300; id++ {
			wantContact(t, readOne(t, r, id), id+100)
		}
		if calls := sim.Count(); calls > 2*10+3 {
			t.Errorf("%d calls", calls)
		}
	})
}

// A reading of the account that is cancelled does not count as a failure.
func TestCancelledReadingIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := newTestReader(t, sim)
		ctx, cancel := context.WithCancel(t.Context())
		account := beginAccount(ctx, r, 0)
		time.Sleep(latency / 2)
		cancel()
		<-account
		if err := r.ReadAccount(t.Context(), 0, 20); err != nil {
			t.Error(err)
		}
	})
}

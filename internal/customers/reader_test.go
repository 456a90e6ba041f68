package customers

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func TestReadsWhileACallIsUnderWayShareTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim))
		for i, answers := range beginReads(t.Context(), r, 1, 2, 3, 4, 5) {
			wantContact(t, <-answers, int64(i+101))
		}
		wantCalls(t, sim, 1, 1)
	})
}

func TestSameReadsInFlightAreOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(3)
		r := newTestReader(t, sim)
		for _, answers := range beginReads(t.Context(), r, 1, 1, 1, 1, 1) {
			wantContact(t, <-answers, 101)
		}
		wantCalls(t, sim, 1, 0)
	})
}

// A customer 0 must not pass for the whole account.
func TestReadOfAnImpossibleID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestReader(t, newAccount(3))
		if got := readOne(t, r, 0); !fusebill.IsNotFound(got.err) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fusebillsim.Fault{
		"single": {Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomer},
		"batch":  {Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newAccount(20)
				r := withoutPages(newTestReader(t, sim))
				sim.Inject(fault)
				failed := 0
				for _, answers := range beginReads(t.Context(), r, 1, 2, 3) {
					if (<-answers).err != nil {
						failed++
					}
				}
				if failed == 0 {
					t.Fatal("no read failed")
				}
				for i, answers := range beginReads(t.Context(), r, 1, 2, 3) {
					wantContact(t, <-answers, int64(i+101))
				}
			})
		})
	}
}

// TestCancelledCaller cancels the caller who came first: the others that share its call get
// their answer all the same.
func TestCancelledCaller(t *testing.T) {
	t.Parallel()
	t.Run("of a single read", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			ctx, cancel := context.WithCancel(t.Context())
			first, second := beginReads(ctx, r, 1)[0], beginReads(t.Context(), r, 1)[0]
			cancel()
			if got := <-first; !errors.Is(got.err, context.Canceled) {
				t.Errorf("got %+v", got)
			}
			wantContact(t, <-second, 101)
			wantCalls(t, sim, 1, 0)
		})
	})
	t.Run("of a batch", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(20)
			r := withoutPages(newTestReader(t, sim))
			ctx, cancel := context.WithCancel(t.Context())
			alone := beginReads(t.Context(), r, 1)[0]
			first, second := beginReads(ctx, r, 2)[0], beginReads(t.Context(), r, 3)[0]
			time.Sleep(latency / 2) // Their batch is under way.
			cancel()
			if got := <-first; !errors.Is(got.err, context.Canceled) {
				t.Errorf("got %+v", got)
			}
			wantContact(t, <-alone, 101)
			wantContact(t, <-second, 103)
			wantCalls(t, sim, 1, 1)
		})
	})
	t.Run("of the account", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			ctx, cancel := context.WithCancel(t.Context())
			first, second := beginAccount(ctx, r, 0), beginReads(t.Context(), r, 3)[0]
			time.Sleep(latency / 2)
			cancel()
			if got := <-first; !errors.Is(got.err, context.Canceled) {
				t.Errorf("got %+v", got)
			}
			wantContact(t, <-second, 103)
			wantCalls(t, sim, 0, 1)
		})
	})
}

// TestUnwantedCallEnds cancels all callers of a call while it hangs. It ends at once, and what
// others wait for goes on.
func TestUnwantedCallEnds(t *testing.T) {
	t.Parallel()
	hang := fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: 50 * time.Second}
	t.Run("single read", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			sim.Inject(hang)
			ctx, cancel := context.WithCancel(t.Context())
			start := time.Now()
			hanging := beginReads(ctx, r, 1)[0]
			cancel()
			<-hanging
			synctest.Wait()
			wantContact(t, readOne(t, r, 1), 101) // By a call of its own: the other one is over.
			if took := time.Since(start); took > 2*latency {
				t.Errorf("it took %s", took)
			}
		})
	})
	t.Run("batch", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(20)
			r := withoutPages(newTestReader(t, sim))
			readOne(t, r, 1)
			sim.Inject(hang)
			ctx, cancel := context.WithCancel(t.Context())
			hanging := beginReads(ctx, r, 2, 3)
			time.Sleep(lingerMost)
			next := beginReads(t.Context(), r, 4)[0]
			start := time.Now()
			cancel()
			for _, answers := range hanging {
				<-answers
			}
			got := <-next
			wantContact(t, got, 104)
			if took := got.at.Sub(start); took > lingerMost+2*latency {
				t.Errorf("the next read took %s", took)
			}
		})
	})
	t.Run("account", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			sim.Inject(hang)
			ctx, cancel := context.WithCancel(t.Context())
			hanging := beginAccount(ctx, r, 0)
			time.Sleep(lingerMost)
			cancel()
			next := beginAccount(t.Context(), r, 0) // Comes before the reading that nobody wants has ended.
			<-hanging
			if got := <-next; got.err != nil || time.Since(got.at) > lingerMost+2*latency {
				t.Errorf("the next reading failed with the other one's end: %+v", got)
			}
			wantContact(t, readOne(t, r, 3), 103)
			wantCalls(t, sim, 0, 2)
		})
	})
}

// TestUnwantedReadsAreNotMade cancels callers before their own call is made: none is made for
// them.
func TestUnwantedReadsAreNotMade(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare        func(*fusebillsim.Simulator)
		wait           time.Duration // until the callers of 2, 3 and 4 are cancelled
		singles, lists int
	}{
		// First there is a list of customer 6 alone.
		"queued": {func(*fusebillsim.Simulator) {}, 0, 1, 1},
		"of a batch that is refused": {func(sim *fusebillsim.Simulator) {
			sim.Configure(func(b *fusebillsim.Behavior) { b.MaxIDSet = 3 })
		}, latency + latency/2, 1, 2},
		"of a batch that leaves a gap": {func(sim *fusebillsim.Simulator) {
			sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, Times: -1, IDs: []int64{2, 3, 4}})
		}, latency + latency/2, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newAccount(20)
				r := withoutPages(newTestReader(t, sim))
				readOne(t, r, 1)
				test.prepare(sim)
				sim.ResetCalls()
				first := beginReads(t.Context(), r, 6)[0]
				ctx, cancel := context.WithCancel(t.Context())
				left, stayed := beginReads(ctx, r, 2, 3, 4), beginReads(t.Context(), r, 5)[0]
				time.Sleep(test.wait)
				cancel()
				for _, answers := range left {
					<-answers
				}
				wantContact(t, <-first, 106)
				wantContact(t, <-stayed, 105)
				time.Sleep(time.Second)
				wantCalls(t, sim, test.singles, test.lists)
			})
		})
	}
}

// TestReadDoesntJoinAnOlderOne lets a read that wants to know how things are now come while an
// answer of before is under way.
func TestReadDoesntJoinAnOlderOne(t *testing.T) {
	t.Parallel()
	t.Run("customer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim, fusebill.WithRequestTimeout(time.Hour))
			sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: MaxAgeBeforeWrite + time.Minute})
			old := beginReads(t.Context(), r, 1)[0]
			time.Sleep(MaxAgeBeforeWrite + time.Second)
			sim.SetLatch(1, 900, 0)
			now := begin(func() (fusebill.Customer, error) { return beforeWrite(t.Context(), r, 1) })
			wantContact(t, <-now, 900)
			wantContact(t, <-old, 101)
			wantContact(t, readOne(t, r, 1), 900)
		})
	})
	t.Run("account", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sim := newAccount(3)
			r := newTestReader(t, sim)
			sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: time.Second})
			old := beginAccount(t.Context(), r, MaxAge)
			time.Sleep(time.Second / 2)
			sim.SetLatch(1, 900, 0)
			again := beginAccount(t.Context(), r, 0)
			first, second := <-old, <-again
			if first.err != nil || second.err != nil {
				t.Error(first.err, second.err)
			}
			if !first.at.Before(second.at) {
				t.Error("the first waited for the second")
			}
			wantHolders(t, r, 900, 1)
			wantCalls(t, sim, 0, 2)
		})
	})
}

// A read that waits for a call takes the strictest age of its callers.
func TestQueuedReadIsAsStrictAsItsCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim))
		readOne(t, r, 1)
		sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyAfter, Route: fusebillsim.RouteCustomers, Latency: 5 * time.Second,
		})
		set := beginReads(t.Context(), r, 2, 3)
		time.Sleep(lingerMost)
		queued := beginReads(t.Context(), r, 4)[0]
		strict := begin(func() (fusebill.Customer, error) { return beforeWrite(t.Context(), r, 4) })
		r.mu.Lock()
		if age := time.Since(r.queue.open[4].accepted.notBefore); age > MaxAgeBeforeWrite {
			t.Errorf("an answer of %s ago would do", age)
		}
		r.mu.Unlock()
		for _, answers := range slices.Concat(set, []<-chan answer{queued, strict}) {
			if got := <-answers; got.err != nil {
				t.Error(got.err)
			}
		}
	})
}

// TestCustomerBeforeWrite_age reports the age of an answer from when it was asked for, also where it
// was known already.
func TestCustomerBeforeWrite_age(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newAccount(2)
		sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: 4 * time.Second})
		r := NewReader(newTestClient(t, sim))
		asked := time.Now()
		for range 2 {
			_, sendBefore, err := r.CustomerBeforeWrite(t.Context(), 1)
			if want := asked.Add(MaxAgeBeforeWrite); err != nil || !sendBefore.Equal(want) {
				t.Errorf("got %s, error %v, want %s", sendBefore, err, want)
			}
			time.Sleep(5 * time.Second)
		}
	})
}

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

// Reads that arrive while a call is under way share the next call.
func TestReader_sharesNextCall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim))
		for i, answers := range beginReads(t.Context(), r, 1, 2, 3, 4, 5) {
			wantContact(t, <-answers, int64(i+101))
		}
		wantCalls(t, sim, 1, 1)
	})
}

// Reads of one customer share the call that is under way.
func TestReader_sharesCallForSameCustomer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sim := newAccount(3)
		r := newTestReader(t, sim)
		for _, answers := range beginReads(t.Context(), r, 1, 1, 1, 1, 1) {
			wantContact(t, <-answers, 101)
		}
		wantCalls(t, sim, 1, 0)
	})
}

// The ID 0, which the Reader uses for the whole account, is no customer.
func TestReader_findsNoCustomer0(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestReader(t, newAccount(3))
		if got := readOne(t, r, 0); !fusebill.IsNotFound(got.err) {
			t.Errorf("got %+v", got)
		}
	})
}

// A read after a failed one makes a new call.
func TestReader_doesNotKeepErrors(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fusebillsim.Fault{
		"single": {Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomer},
		"batch":  {Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomers},
	} {
		runInBubble(t, name, func(t *testing.T) {
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
	}
}

// The cancel of the first caller of a call does not affect the others, which get their answer.
func TestReader_cancelAffectsOneCaller(t *testing.T) {
	t.Parallel()
	runInBubble(t, "of a single read", func(t *testing.T) {
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
	runInBubble(t, "of a batch", func(t *testing.T) {
		sim := newAccount(20)
		r := withoutPages(newTestReader(t, sim))
		ctx, cancel := context.WithCancel(t.Context())
		alone := beginReads(t.Context(), r, 1)[0]
		first, second := beginReads(ctx, r, 2)[0], beginReads(t.Context(), r, 3)[0]
		time.Sleep(latency / 2) // The batch of both is under way.
		cancel()
		if got := <-first; !errors.Is(got.err, context.Canceled) {
			t.Errorf("got %+v", got)
		}
		wantContact(t, <-alone, 101)
		wantContact(t, <-second, 103)
		wantCalls(t, sim, 1, 1)
	})
	runInBubble(t, "of the account", func(t *testing.T) {
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
}

// A call ends at once when all of its callers are cancelled, and the reads of others go on.
func TestReader_endsCallWithoutCallers(t *testing.T) {
	t.Parallel()
	hang := fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: 50 * time.Second}
	runInBubble(t, "single read", func(t *testing.T) {
		sim := newAccount(3)
		r := newTestReader(t, sim)
		sim.Inject(hang)
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		hanging := beginReads(ctx, r, 1)[0]
		cancel()
		<-hanging
		synctest.Wait()
		wantContact(t, readOne(t, r, 1), 101) // This is a new call: the other one has ended.
		if took := time.Since(start); took > 2*latency {
			t.Errorf("took %s, want at most %s", took, 2*latency)
		}
	})
	runInBubble(t, "batch", func(t *testing.T) {
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
			t.Errorf("the next read took %s, want at most %s", took, lingerMost+2*latency)
		}
	})
	runInBubble(t, "account", func(t *testing.T) {
		sim := newAccount(3)
		r := newTestReader(t, sim)
		sim.Inject(hang)
		ctx, cancel := context.WithCancel(t.Context())
		hanging := beginAccount(ctx, r, 0)
		time.Sleep(lingerMost)
		cancel()
		next := beginAccount(t.Context(), r, 0) // It begins before the first read has ended.
		<-hanging
		if got := <-next; got.err != nil || time.Since(got.at) > lingerMost+2*latency {
			t.Errorf("the second read did not succeed by its own call: %+v", got)
		}
		wantContact(t, readOne(t, r, 3), 103)
		wantCalls(t, sim, 0, 2)
	})
}

// The Reader makes no call for callers that are cancelled before it.
func TestReader_makesNoCallForCancelledCallers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare        func(*fusebillsim.Simulator)
		wait           time.Duration // until the callers of 2, 3 and 4 are cancelled
		singles, lists int
	}{
		// The first list is that of customer 6 only.
		"queued": {func(*fusebillsim.Simulator) {}, 0, 1, 1},
		"of a batch that is refused": {func(sim *fusebillsim.Simulator) {
			sim.Configure(func(b *fusebillsim.Behavior) { b.MaxIDSet = 3 })
		}, latency + latency/2, 1, 2},
		"of a batch that leaves a gap": {func(sim *fusebillsim.Simulator) {
			sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, Times: -1, IDs: []int64{2, 3, 4}})
		}, latency + latency/2, 0, 2},
	} {
		runInBubble(t, name, func(t *testing.T) {
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
	}
}

// A read does not share a call under way whose answer would be too old for it.
func TestReader_doesNotShareOlderCall(t *testing.T) {
	t.Parallel()
	runInBubble(t, "customer", func(t *testing.T) {
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
	runInBubble(t, "account", func(t *testing.T) {
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
			t.Error("the first read waited for the second one")
		}
		wantHolders(t, r, 900, 1)
		wantCalls(t, sim, 0, 2)
	})
}

// The answer to a queued read must be as new as its strictest caller needs.
func TestReader_queuedReadHasStrictestAge(t *testing.T) {
	inBubble(t, func(t *testing.T) {
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
			t.Errorf("the queued read accepts an answer of %s ago", age)
		}
		r.mu.Unlock()
		for _, answers := range slices.Concat(set, []<-chan answer{queued, strict}) {
			if got := <-answers; got.err != nil {
				t.Error(got.err)
			}
		}
	})
}

// The age of an answer counts from its request, even where a later call returns the same answer.
func TestCustomerBeforeWrite_countsAgeFromRequest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
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

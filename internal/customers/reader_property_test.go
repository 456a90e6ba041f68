package customers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

var (
	propertySeed, _ = strconv.ParseUint(os.Getenv("TEST_SEED"), 10, 64) // of the first run; 0: a random one
	propertyRuns, _ = strconv.Atoi(cmp.Or(os.Getenv("TEST_RUNS"), "60"))
)

// TestReaderProperty compares the reader with the history of the account itself, over random
// accounts, services, faults and interleavings. It checks that:
//
//   - An answer was true of that customer at a moment after the read began, less the age that the
//     read allows, and before it ended. If the service's lists are stale, it may be from any
//     time before.
//   - It is never older than this process's own last write of the customer that had finished when
//     the read began; where that write failed, never older than its end. Stale lists do not
//     change that.
//   - Not found means that the customer is gone: not that a list lacks it, nor that a list was
//     answered with 404.
//   - There is no error without a fault, and never the cancellation of another caller.
//   - Once the account is read whole, the holder of each claim is among its known holders.
//   - A managed customer is unlatched only where its own read showed that, and gone only where
//     the account answered a list.
//   - When all callers have gone, no call, read or goroutine is left.
//
// To repeat a run: TEST_SEED=… TEST_RUNS=1 go test -run TestReaderProperty (the scheduler still has
// its say).
func TestReaderProperty(t *testing.T) {
	t.Parallel()
	first := propertySeed
	if first == 0 {
		first = rand.Uint64()
	}
	for i := range propertyRuns {
		seed := first + uint64(i)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed)
				w.run()
				w.requireIdle()
			})
		})
	}
}

// run lets workers do what they like, side by side.
func (w *world) run() {
	var workers sync.WaitGroup
	operations := 20 + w.random.IntN(400)
	parallelism := oneOf(w.random, 1, 2, 10, 50)
	for range parallelism {
		random := rand.New(rand.NewPCG(w.random.Uint64(), 2))
		workers.Go(func() {
			for range operations/parallelism + 1 {
				w.step(random)
			}
		})
	}
	workers.Wait()
	w.t.Logf("%d answers checked", w.observed)
}

// step is one thing that a worker, or somebody else, does.
func (w *world) step(r *rand.Rand) {
	id := oneOf(r, w.ids...)
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	if chance(r, 10) {
		stop := time.AfterFunc(time.Duration(r.IntN(40))*time.Millisecond, cancel)
		defer stop.Stop()
	}
	switch n := r.IntN(100); {
	case n < 34:
		w.read(ctx, id, MaxAge, w.reader.Customer)
	case n < 42:
		w.readMany(ctx, r)
	case n < 50:
		w.readManaged(ctx, r)
	case n < 62:
		w.read(ctx, id, MaxAgeBeforeWrite, func(ctx context.Context, id int64) (fusebill.Customer, error) {
			return beforeWrite(ctx, w.reader, id)
		})
	case n < 66:
		w.read(ctx, id, 0, w.reader.CustomerNow)
	case n < 70:
		w.readAccount(ctx, oneOf(r, 0, time.Minute, MaxAge), oneOf(r, 1, 5, math.MaxInt))
	case n < 82:
		w.write(ctx, r, id)
	case n < 88:
		w.changeBehindItsBack(r, id)
	case n < 99:
		time.Sleep(time.Duration(r.IntN(50)) * time.Millisecond)
	default:
		time.Sleep(time.Duration(r.IntN(11*60)) * time.Second)
	}
}

// read reads a customer and checks the answer.
func (w *world) read(
	ctx context.Context, id int64, age time.Duration, read func(context.Context, int64) (fusebill.Customer, error),
) {
	bounds, oldest := w.begin(age)
	least := bounds[id]
	if age == 0 { // It does not ask a list.
		oldest = time.Now()
	}

	customer, err := read(ctx, id)

	w.mu.Lock()
	defer w.mu.Unlock()
	w.observeAll()
	w.observed++
	switch {
	case fusebill.IsNotFound(err):
		w.checkGone(id)
	case err != nil:
		w.checkError(ctx, err)
	case customer.ID != id || customer.Latch == nil:
		w.t.Errorf("read customer %d, got %+v", id, customer)
	case w.unlatched && age > 0 && customer.Latch.IsZero() && !least.isWritten():
		// The lists say so.
	default:
		w.checkLatch(id, *customer.Latch, oldest, least)
	}
}

// someIDs returns some of the customers, each once.
func (w *world) someIDs(r *rand.Rand) []int64 {
	var some []int64
	for _, i := range r.Perm(len(w.ids))[:1+r.IntN(len(w.ids))] {
		some = append(some, w.ids[i])
	}
	return some
}

// begin notes what reads that begin now may not go back behind.
func (w *world) begin(age time.Duration) (least map[int64]bound, oldest time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.staleLists {
		oldest = time.Now().Add(-age)
	}
	return maps.Clone(w.bounds), oldest
}

// readMany reads many customers and checks the answers.
func (w *world) readMany(ctx context.Context, r *rand.Rand) {
	some, age := w.someIDs(r), oneOf(r, 0, MaxAgeBeforeWrite, MaxAge)
	least, oldest := w.begin(age)

	found, err := w.reader.Customers(ctx, some, age)

	w.mu.Lock()
	defer w.mu.Unlock()
	w.observeAll()
	if err != nil {
		w.checkError(ctx, err)
		return
	}
	for _, id := range some {
		w.observed++
		customer, exists := found[id]
		switch {
		case !exists:
			w.checkGone(id)
		case w.unlatched && customer.Latch.IsZero() && !least[id].isWritten(): // The lists say so.
		default:
			w.checkLatch(id, *customer.Latch, oldest, least[id])
		}
	}
}

// readManaged reads many managed customers and checks the answers.
func (w *world) readManaged(ctx context.Context, r *rand.Rand) {
	some := w.someIDs(r)
	least, oldest := w.begin(MaxAge)

	current, gone, err := w.reader.Managed(ctx, some)

	w.mu.Lock()
	defer w.mu.Unlock()
	w.observeAll()
	switch {
	case fusebill.IsNotFound(err):
		w.t.Errorf("%v passes for a customer that is gone", err)
	case err != nil:
		w.checkError(ctx, err)
	case len(current)+len(gone) != len(some):
		w.t.Errorf("%d current and %d gone of %d customers", len(current), len(gone), len(some))
	}
	for _, id := range gone {
		w.checkGone(id)
	}
	for id, latch := range current {
		w.observed++
		w.checkLatch(id, latch, oldest, least[id])
	}
}

// checkGone fails the test where a customer that is said to be gone exists.
func (w *world) checkGone(id int64) {
	if last := w.history[id][len(w.history[id])-1]; last.exists {
		w.t.Errorf("customer %d is said to be gone, and exists: %+v", id, last)
	}
}

// checkLatch looks for a version that an answer may have shown.
func (w *world) checkLatch(id int64, got fusebill.Latch, oldest time.Time, least bound) {
	for i, v := range w.history[id] {
		if v.exists && v.latch == got && i >= least.version && !v.until.Before(least.time) && !v.until.Before(oldest) {
			return
		}
	}
	w.t.Errorf("%v: customer %d is said to be latched to %s, "+
		"which was not so since %v, nor since its last own write %+v:\n%+v",
		time.Now(), id, got, oldest, least, w.history[id])
}

func (w *world) checkError(ctx context.Context, err error) {
	canceled := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if canceled && ctx.Err() == nil {
		w.t.Errorf("a caller that still waits got %v", err)
	}
	if !canceled && !w.faulty {
		w.t.Errorf("without a fault: %v", err)
	}
}

// readAccount reads the account and checks that all holders are known then.
func (w *world) readAccount(ctx context.Context, age time.Duration, maxPages int) {
	oldest := time.Now().Add(-age)

	err := w.reader.ReadAccount(ctx, age, maxPages)

	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, ErrAccountUnread), errors.Is(err, errAccountFailed):
	case fusebill.IsNotFound(err):
		w.t.Errorf("reading the account: %v, which passes for a customer that is gone", err)
	case err != nil:
		w.checkError(ctx, err)
	case w.listsOmitLatches():
		w.t.Error("the account is said to be read whole, although lists do not tell latches")
	case w.complete && (!w.odd || !w.faulty): // With both an odd entry may be unreadable.
		w.checkHolders(oldest)
	}
}

// listsOmitLatches reports whether lists show enough customers without latches to be useless. The
// Reader reads a few odd entries individually.
func (w *world) listsOmitLatches() (omit bool) {
	w.sim.Configure(func(b *fusebillsim.Behavior) { omit = b.ListOmitsHubSpotKeys && !b.OmitPageHeaders })
	return omit && len(w.sim.Customers()) > 6
}

// checkHolders checks who holds what, for customers that have not changed meanwhile.
func (w *world) checkHolders(oldest time.Time) {
	for _, id := range slices.Sorted(maps.Keys(w.history)) {
		last := w.history[id][len(w.history[id])-1]
		if !last.exists || w.bounds[id].written || !last.from.Before(oldest) && len(w.history[id]) > 1 {
			continue
		}
		for _, claim := range last.latch.Claims() {
			if holders := w.reader.Holders(claim); !slices.Contains(holders, id) {
				w.t.Errorf("the account was read whole, and customers %v are said to hold what %d does: %s", holders, id, claim)
			}
		}
	}
}

// write writes a customer's latch as a change does.
func (w *world) write(ctx context.Context, r *rand.Rand, id int64) {
	w.writes[id] <- struct{}{}
	defer func() { <-w.writes[id] }()
	w.mu.Lock()
	latch := w.randomLatch(r)
	w.bounds[id] = bound{version: w.bounds[id].version, time: w.bounds[id].time, written: true}
	w.mu.Unlock()
	begun := time.Now()

	w.reader.BeginWrite(id)
	customer, err := w.client.Latch(ctx, id, latch)
	if err != nil {
		w.reader.EndWrite(id, nil)
	} else {
		w.reader.EndWrite(id, &customer)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	w.observeAll()
	least := w.bounds[id]
	if err != nil {
		least.time = time.Now()
	} else {
		least.version = w.written(id, latch, begun)
	}
	w.bounds[id] = least
}

// written finds the version that an own write made, and makes its answer count as of its end.
func (w *world) written(id int64, latch fusebill.Latch, begun time.Time) int {
	versions := w.history[id]
	i := slices.IndexFunc(versions, func(v version) bool { return v.exists && v.latch == latch && !v.until.Before(begun) })
	if i < 0 { // Somebody else has changed it at the same moment, and nobody saw it.
		i = len(versions) - 1
		versions = slices.Insert(versions, i, version{exists: true, latch: latch, from: time.Now(), until: time.Now()})
	}
	if versions[i].until.Before(time.Now()) {
		versions[i].until = time.Now()
	}
	w.history[id] = versions
	return i
}

// changeBehindItsBack is what another user of the account does.
func (w *world) changeBehindItsBack(r *rand.Rand, id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observeAll()
	if _, exists := w.sim.Customer(id); !exists {
		return
	}
	if chance(r, 8) {
		w.complete = false // Rows move up while pages are read, and the list misses one.
		w.sim.DeleteCustomer(id)
	} else {
		latch := w.randomLatch(r)
		w.sim.SetLatch(id, latch.HubSpotID, latch.HubSpotCompanyID)
	}
	w.observeAll()
}

// observeAll takes down what has changed. w.mu is held.
func (w *world) observeAll() {
	now := time.Now()
	for id, versions := range w.history {
		last := &versions[len(versions)-1]
		customer, exists := w.sim.Customer(id)
		latch := fusebill.Latch{HubSpotID: customer.HubSpotID, HubSpotCompanyID: customer.HubSpotCompanyID}
		if last.exists != exists || last.latch != latch {
			last.until = now
			w.history[id] = append(versions, version{exists: exists, latch: latch, from: now, until: forever})
		}
	}
}

// requireIdle checks that nothing is left once all callers have gone. Goroutines that hang would
// end the bubble.
func (w *world) requireIdle() {
	time.Sleep(lingerMost)
	synctest.Wait()
	r := w.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	if q := &r.queue; q.isServed || q.callers != 0 || len(q.waiting) != 0 || len(q.singles) != 0 || q.running != 0 ||
		len(q.open) != 0 || q.stop != nil {
		w.t.Errorf("something is left: %+v", r)
	}
}

package customers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
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

// TestReaderProperty compares the reader with the history of the account itself, over random accounts, services, faults
// and interleavings. What it holds the reader to:
//
//   - An answer was true of that customer at a moment after the read began, less the age that the read allows, and before
//     it ended. Where the service's lists are stale, it may be from any time before.
//   - It is never older than this process's own last write of the customer that had finished when the read began; where
//     that write failed, never older than its end. Stale lists don't change that.
//   - Not found means that the customer is gone: not that a list lacks it, nor that a list was answered with 404.
//   - There is no error without a fault, and never the cancellation of another caller.
//   - Once the account is read whole, the holder of each claim is among its known holders.
//   - A managed customer is unlatched only where its own read showed that, and gone only where the
//     account answered a list.
//   - When all callers have gone, no call, read or goroutine is left.
//
// To repeat a run: TEST_SEED=… TEST_RUNS=1 go test -run TestReaderProperty (the scheduler still has its say).
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

// world is one run: an account, a service, its faults, and what became of each customer.
type world struct {
	t      *testing.T
	random *rand.Rand // for setting up; each worker has its own
	sim    *fusebillsim.Simulator
	client *fusebill.Client
	reader *Reader
	ids    []int64                 // that are asked for, some of them of nobody
	writes map[int64]chan struct{} // held by the one who writes a customer, as by the broker

	staleLists bool // lists may show any state before
	unlatched  bool // lists show every customer unlatched
	odd        bool // lists may show customers without their latches
	faulty     bool // calls may fail
	complete   bool // lists have every customer with its latch

	mu       sync.Mutex
	history  map[int64][]version
	bounds   map[int64]bound
	lastID   int64 // of a contact
	observed int   // answers that were checked
}

// version is a state of a customer, and when it held.
type version struct {
	exists      bool
	latch       fusebill.Latch
	from, until time.Time
}

// bound is what a read that begins now may not go back behind.
type bound struct {
	version int       // of the last own write
	time    time.Time // of the end of the last own write that failed
	written bool
}

// isWritten reports whether a write has ended: lists do not count any more.
func (b bound) isWritten() bool { return b.version > 0 || !b.time.IsZero() }

var forever = time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), complete: true,
		writes: make(map[int64]chan struct{}), history: make(map[int64][]version), bounds: make(map[int64]bound),
	}
	w.sim = fusebillsim.New(fusebillsim.Config{
		APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true, Behavior: w.randomBehavior(),
	})
	w.fillAccount()
	transport := w.randomTransport()
	w.injectFaults(seed)
	w.client = newTestClient(t, w.sim, fusebill.WithTransport(transport), fusebill.WithMaxRetries(w.random.IntN(3)))
	w.reader = NewReader(w.client)
	return w
}

// chance is true in one of n cases.
func chance(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

// oneOf chooses among values.
func oneOf[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

func (w *world) randomBehavior() fusebillsim.Behavior {
	b := fusebillsim.Behavior{
		ListOmitsHubSpotKeys: chance(w.random, 8),
		IgnoreFilters:        chance(w.random, 6),
		IDsAsStrings:         chance(w.random, 3),
		OmitPageHeaders:      chance(w.random, 3),
		MaxPageSize:          oneOf(w.random, 0, 0, 1, 7, 20),
		MaxURLLength:         oneOf(w.random, 0, 0, 100, 120, 150),
		MaxIDSet:             oneOf(w.random, 0, 0, 1, 3, 10),
		Latency:              oneOf(w.random, 0, time.Millisecond, 20*time.Millisecond),
	}
	if b.ListOmitsHubSpotKeys || b.OmitPageHeaders && b.MaxPageSize > 0 {
		w.complete = false // In the second case nothing tells that more pages follow.
	}
	return b
}

// fillAccount adds customers, some unlatched, and leaves some IDs to nobody.
func (w *world) fillAccount() {
	start := time.Now()
	for id := int64(1); id <= int64(1+w.random.IntN(60)); id++ {
		w.ids = append(w.ids, id)
		w.writes[id] = make(chan struct{}, 1)
		if chance(w.random, 10) {
			w.history[id] = []version{{from: start, until: forever}}
			continue
		}
		latch := w.randomLatch(w.random)
		w.sim.AddCustomers(fusebillsim.Customer{ID: id, HubSpotID: latch.HubSpotID, HubSpotCompanyID: latch.HubSpotCompanyID})
		w.history[id] = []version{{exists: true, latch: latch, from: start, until: forever}}
	}
}

// randomLatch is one that nobody has had before, or none. w.mu is held, or nobody else there yet.
func (w *world) randomLatch(r *rand.Rand) fusebill.Latch {
	w.lastID++
	return oneOf(r, fusebill.Latch{}, fusebill.Latch{HubSpotID: w.lastID}, fusebill.Latch{HubSpotCompanyID: w.lastID},
		fusebill.Latch{HubSpotID: w.lastID, HubSpotCompanyID: w.lastID})
}

// randomTransport leads to the simulator, through what it has no switch for: lists that are answered with 404, and counts
// of the account that are missing or wrong.
func (w *world) randomTransport() http.RoundTripper {
	count := oneOf(w.random, "", "", "absent", "0", "1000000", "many")
	notFound := chance(w.random, 5)
	var calls int
	if notFound {
		w.faulty = true
	}
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := w.sim.Transport().RoundTrip(req)
		if err != nil || !isList(req) {
			return resp, err
		}
		w.mu.Lock()
		calls++
		turn := calls
		w.mu.Unlock()
		if notFound && turn%3 == 0 {
			return w.notFound(req)
		}
		if count == "absent" {
			resp.Header.Del("X-MaxCount")
		} else if count != "" && resp.Header.Get("X-MaxCount") != "" {
			resp.Header.Set("X-MaxCount", count)
		}
		return resp, nil
	})
}

// notFound gives the answer for a customer that doesn't exist.
func (w *world) notFound(req *http.Request) (*http.Response, error) {
	other := req.Clone(req.Context())
	other.URL.Path, other.URL.RawQuery = "/v1/customers/999999999", ""
	return w.sim.Transport().RoundTrip(other)
}

func (w *world) injectFaults(seed uint64) {
	// The first, so that no other keeps it from running: it sees each own write where it takes effect.
	w.sim.Inject(fusebillsim.Fault{Route: fusebillsim.RouteLatch, Times: -1, OnAnswer: func(*http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.observeAll()
	}})
	if chance(w.random, 4) {
		w.staleLists, w.complete = true, false
		w.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStaleList, Times: -1})
	}
	if chance(w.random, 8) {
		w.unlatched, w.complete = true, false
		w.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultUnlatchedRows, Times: -1, Every: 1})
	}
	if chance(w.random, 4) {
		w.odd = true
		w.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultRowsWithoutKeys, Times: -1, Every: 1 + w.random.IntN(10)})
	}
	if chance(w.random, 8) {
		w.complete = false
		w.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMalformedRows, Times: -1, Every: 1 + w.random.IntN(10)})
	}
	if chance(w.random, 4) {
		w.complete = false
		w.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, Times: -1, Every: 2 + w.random.IntN(10)})
	}
	w.sim.InjectChaos(fusebillsim.Chaos{
		Probability: oneOf(w.random, 0, 0.1, 0.5), Seed: seed, Latency: oneOf(w.random, time.Millisecond, 30*time.Millisecond),
		Kinds: []fusebillsim.FaultKind{fusebillsim.FaultLatencyBefore, fusebillsim.FaultLatencyAfter, fusebillsim.FaultSlowDrip},
	})
	if probability := oneOf(w.random, 0, 0, 0.02, 0.2, 0.5); probability > 0 {
		w.faulty = true
		w.sim.InjectChaos(fusebillsim.Chaos{Probability: probability, Seed: seed, Kinds: []fusebillsim.FaultKind{
			fusebillsim.FaultStatus500Before, fusebillsim.FaultStatus500After, fusebillsim.FaultDropBefore,
			fusebillsim.FaultDropAfter, fusebillsim.FaultTruncatedBody, fusebillsim.FaultTruncatedJSON,
			fusebillsim.FaultEmptyBody, fusebillsim.FaultNotJSON, fusebillsim.FaultWrongContentType,
			fusebillsim.FaultHTMLBody, fusebillsim.FaultHTML502, fusebillsim.FaultRateLimitMinute,
			fusebillsim.FaultUnauthorized,
		}})
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
		w.read(ctx, id, MaxAgeBeforeWrite, w.reader.CustomerBeforeWrite)
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
	w.t.Errorf("%v: customer %d is said to be latched to %s, which was not so since %v, nor since its last own write %+v:\n%+v",
		time.Now(), id, got, oldest, least, w.history[id])
}

func (w *world) checkError(ctx context.Context, err error) {
	canceled := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if canceled && ctx.Err() == nil {
		w.t.Errorf("a caller who hasn't given up got %v", err)
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
	case w.complete && !(w.odd && w.faulty): // In the second case an odd entry may be unreadable.
		w.checkHolders(oldest)
	}
}

// listsOmitLatches reports whether lists show enough customers without latches to be useless. The
// Reader reads a few odd entries individually.
func (w *world) listsOmitLatches() (omit bool) {
	w.sim.Configure(func(b *fusebillsim.Behavior) { omit = b.ListOmitsHubSpotKeys && !b.OmitPageHeaders })
	return omit && len(w.sim.Customers()) > 6
}

// checkHolders checks who holds what, for customers that haven't changed meanwhile.
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

// write writes a customer's latch as a keeper does.
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
	if i < 0 { // Somebody else has changed it at the same moment, so that nobody saw it.
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

// requireIdle checks that nothing is left once all callers have gone. Goroutines that hang would end the bubble.
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

package customers

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// world is one run: an account, a service, its faults, and what became of each customer.
type world struct {
	t      *testing.T
	random *rand.Rand // for setting up; each worker has its own
	sim    *fusebillsim.Simulator
	client *fusebill.Client
	reader *Reader
	ids    []int64                 // that are asked for, some of them of nobody
	writes map[int64]chan struct{} // held by the worker that writes a customer

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
		w.complete = false // In the second case nothing shows that more pages follow.
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

// randomTransport leads to the simulator, through what it has no switch for: lists that are
// answered with 404, and counts of the account that are missing or wrong.
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

// notFound gives the answer for a customer that does not exist.
func (w *world) notFound(req *http.Request) (*http.Response, error) {
	other := req.Clone(req.Context())
	other.URL.Path, other.URL.RawQuery = "/v1/customers/999999999", ""
	return w.sim.Transport().RoundTrip(other)
}

func (w *world) injectFaults(seed uint64) {
	// It comes first, so no other keeps it from running: it sees each own write where it takes
	// effect.
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
		Probability: oneOf(w.random, 0, 0.1, 0.5), Seed: seed,
		Latency: oneOf(w.random, time.Millisecond, 30*time.Millisecond),
		Kinds: []fusebillsim.FaultKind{
			fusebillsim.FaultLatencyBefore, fusebillsim.FaultLatencyAfter, fusebillsim.FaultSlowDrip,
		},
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

package fusebillsim

import (
	"cmp"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Config has the settings of a new [Simulator]. All of them have defaults.
type Config struct {
	// APIKey is the key that requests have to carry, as in "Authorization: Basic <APIKey>". The
	// default is [DefaultAPIKey].
	APIKey string

	// LimitMinute and LimitDay are the calls allowed per window. The defaults
	// are those of a live account, 1,000 and 180,000.
	LimitMinute, LimitDay int

	// Minute is the length of a minute window, which benchmarks shorten. The
	// default is [time.Minute]. A day window is always 24 hours.
	Minute time.Duration

	// DiscardRequests turns off the record of requests that [Simulator.Requests] returns. The
	// counters always work.
	DiscardRequests bool

	// Behavior holds the switches to start with; see [Simulator.Configure].
	Behavior Behavior
}

// Simulator is the simulated service. All of its methods may be called
// concurrently. [New] makes one.
type Simulator struct {
	apiKey string

	store      store
	limiter    limiter
	injections injections
	calls      calls
	pending    pending
	gzip       gzipPool

	sampling    sync.Mutex // held while sample customers are added
	configuring sync.Mutex // held while behavior is replaced
	behavior    atomic.Pointer[Behavior]
}

// New returns a simulator without customers.
func New(c Config) *Simulator {
	s := &Simulator{
		apiKey: cmp.Or(c.APIKey, DefaultAPIKey),
	}
	s.store.init()
	s.limiter.minute = window{limit: cmp.Or(c.LimitMinute, 1000), length: cmp.Or(c.Minute, time.Minute)}
	s.limiter.day = window{limit: cmp.Or(c.LimitDay, 180_000), length: 24 * time.Hour}
	s.calls.init(!c.DiscardRequests)
	s.behavior.Store(c.Behavior.clone())
	return s
}

// Configure lets change alter the switches; requests that arrive from then on
// see the result. change must not keep its argument, nor call Configure.
func (s *Simulator) Configure(change func(*Behavior)) {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	next := s.behavior.Load().clone()
	change(next)
	s.behavior.Store(next.clone()) // The caller may change its maps later.
}

// ServeHTTP answers r. If the connection is to be dropped, by a fault or because the request's
// context has ended, it panics with [http.ErrAbortHandler], at which a [http.Server] drops it.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := s.respond(r.WithContext(r.Context()))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	a.write(w, r)
}

package fusebillsim

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is a failure of the calls that it matches. Several faults may match one call. Then each of
// them has its effect, as far as possible.
type Fault struct {
	Kind FaultKind

	// Route limits the fault to one route. Empty means every route to which the kind applies.
	Route Route
	// Match, if set, limits the fault further. It may read the request's body.
	Match func(*http.Request) bool

	// After is the number of matching calls before the first one with the fault.
	After int
	// Times is the number of calls with the fault. 0 means one, a negative number all.
	Times int

	// Latency is the wait of FaultLatencyBefore, FaultLatencyAfter and FaultSlowDrip.
	Latency time.Duration

	// IDs and Every choose the customers of a fault that changes entries of lists. Without either,
	// the fault changes every tenth entry. FaultStaleList uses only IDs, and without them all
	// customers.
	IDs   []int64
	Every int

	// OnRequest, if set, runs before a matching call is handled, and OnAnswer before its answer is
	// sent. A test can change the account in them as another user would. They run in the goroutine
	// of the call and may use every method of the simulator except Settle. A hook that blocks
	// delays only its own call.
	OnRequest, OnAnswer func(*http.Request)
}

// Inject makes a fault happen to matching calls that arrive from now on, until remove is called.
func (s *Simulator) Inject(f Fault) (remove func()) {
	in := &injection{fault: f}
	in.fault.IDs = slices.Clone(f.IDs)
	if f.Kind == FaultStaleList {
		in.snapshot = s.store.snapshot()
	}
	return s.injections.add(in)
}

// injection is an injected fault.
type injection struct {
	fault    Fault
	dice     *dice // chooses the kind; nil: the kind of the fault
	snapshot table // for FaultStaleList
	matched  atomic.Int64
}

// meets reports whether the fault happens to a call. It counts the call if the fault matches it.
func (in *injection) meets(c *call) (activeFault, bool) {
	f := activeFault{Fault: &in.fault, kind: in.fault.Kind, snapshot: in.snapshot}
	if in.fault.Route != "" && in.fault.Route != c.route || !f.kind.concerns(c.route) {
		return f, false
	}
	if in.fault.Match != nil && !in.fault.Match(c.rewind()) {
		return f, false
	}
	if in.dice != nil {
		f.kind = in.dice.roll()
		happens := f.kind != FaultNone && f.kind.concerns(c.route)
		if happens && in.dice.onFault != nil {
			in.dice.onFault(f.kind)
		}
		return f, happens
	}
	turn := in.matched.Add(1) - int64(in.fault.After)
	return f, turn >= 1 && (in.fault.Times < 0 || turn <= int64(max(1, in.fault.Times)))
}

// injections are the injected faults.
type injections struct {
	mu  sync.Mutex
	all []*injection // replaced, never changed
}

func (is *injections) add(in *injection) (remove func()) {
	is.mu.Lock()
	defer is.mu.Unlock()
	is.all = append(slices.Clone(is.all), in)
	return func() {
		is.mu.Lock()
		defer is.mu.Unlock()
		is.all = slices.DeleteFunc(slices.Clone(is.all), func(other *injection) bool { return other == in })
	}
}

// due returns the faults that happen to a call, in the order of injection.
func (is *injections) due(c *call) []activeFault {
	is.mu.Lock()
	all := is.all
	is.mu.Unlock()
	var due []activeFault
	for _, in := range all {
		if f, ok := in.meets(c); ok {
			due = append(due, f)
		}
	}
	return due
}

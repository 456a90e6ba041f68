package fusebillsim

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Chaos is a source of random faults.
type Chaos struct {
	// Probability is the probability of a fault in a call, between 0 and 1.
	Probability float64
	// Seed determines which of the calls, in the order of their arrival, meet
	// a fault, and which one.
	Seed uint64
	// Kinds are the kinds to choose from, each equally likely. A kind that does not apply to the
	// route of a call has no effect.
	Kinds []FaultKind
	// Route narrows the faults to one route. Empty means every route.
	Route Route
	// Latency is as in [Fault].
	Latency time.Duration
	// OnFault, if set, is called before each fault, in the goroutine of the faulty call.
	OnFault func(FaultKind)
}

// InjectChaos makes faults happen at random to calls that arrive from now on,
// until remove is called. It panics if c names no kinds.
func (s *Simulator) InjectChaos(c Chaos) (remove func()) {
	if len(c.Kinds) == 0 {
		panic("fusebillsim: InjectChaos: no kinds")
	}
	in := &injection{
		fault: Fault{Route: c.Route, Times: -1, Latency: c.Latency},
		dice: &dice{
			rand: rand.New(rand.NewPCG(c.Seed, c.Seed)), probability: c.Probability,
			kinds: slices.Clone(c.Kinds), onFault: c.OnFault,
		},
	}
	if slices.Contains(c.Kinds, FaultStaleList) {
		in.snapshot = s.store.snapshot()
	}
	return s.injections.add(in)
}

// dice chooses faults at random.
type dice struct {
	mu          sync.Mutex
	rand        *rand.Rand
	probability float64
	kinds       []FaultKind
	onFault     func(FaultKind)
}

func (d *dice) roll() FaultKind {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rand.Float64() >= d.probability {
		return FaultNone
	}
	return d.kinds[d.rand.IntN(len(d.kinds))]
}

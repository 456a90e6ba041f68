package latch

import (
	"context"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Coordinator changes latches for all resources of one provider process. It is safe for concurrent
// use.
type Coordinator struct {
	client       *fusebill.Client
	reader       *customers.Reader
	graph        *graph
	maxPages     int // of the account that are read to know who holds what
	stallTimeout time.Duration
	conflicts    conflicts
}

// DefaultMaxPages is how many pages of 1,000 customers are read to know who holds what.
const DefaultMaxPages = 20

// Option sets one property of a [Coordinator].
type Option func(*Coordinator)

// WithMaxPages sets how many pages an account may have for the coordinator to read it whole, to
// know who holds what before it writes. In a larger account only the service's own refusal decides.
// Default: [DefaultMaxPages].
func WithMaxPages(n int) Option {
	return func(c *Coordinator) { c.maxPages = n }
}

// WithStallTimeout sets what a zero StallTimeout of [ApplyOptions] means. Default:
// [DefaultStallTimeout].
func WithStallTimeout(d time.Duration) Option {
	return func(c *Coordinator) { c.stallTimeout = d }
}

// New makes a coordinator that reads through reader and writes through client.
func New(client *fusebill.Client, reader *customers.Reader, options ...Option) *Coordinator {
	c := &Coordinator{
		client: client, reader: reader, graph: newGraph(reader.Holders),
		maxPages: DefaultMaxPages, stallTimeout: DefaultStallTimeout,
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// Change brings one customer from its prior to its declared latch.
type Change struct {
	CustomerID int64
	Prior      fusebill.Latch // in the state; zero: nothing, a create
	Declared   fusebill.Latch // zero: Prior is released
	// Strict makes a release fail with a [ChangedError] where the customer holds anything but Prior.
	// Otherwise the release leaves, without an error, what somebody else has latched since.
	Strict bool
}

// Result is the outcome of one change.
type Result struct {
	Latch fusebill.Latch // of the customer now: the last that the API answered or showed
	Kept  bool           // of a release: another resource of this run declares the customer, so nothing was released
	Err   error
}

// ApplyOptions are the settings of one [Coordinator.Apply].
type ApplyOptions struct {
	// Reassociate allows the changes to take claims from holders that no change of this run is about,
	// and to replace other latches of their customers.
	Reassociate bool
	// StallTimeout is how long a change waits for a claim while nothing else goes on; zero: the
	// coordinator's.
	StallTimeout time.Duration
	// AwaitOthers is how long the changes wait at most before the first of them begins, until no other
	// change goes on. The destroy of a set waits so for the create of a set that has the same
	// customers.
	AwaitOthers time.Duration
	// Progress is called from one goroutine. It may be nil.
	Progress func(done, total int)
}

// Apply makes changes, each as soon as nobody else holds what it claims. One that fails does not
// stop the others. It returns the outcome of each change that was begun, and an error that explains
// why the others were not begun, if any: their customers cannot be read, or ctx has ended.
func (c *Coordinator) Apply(ctx context.Context, changes []Change, options ApplyOptions) (map[int64]Result, error) {
	if options.AwaitOthers > 0 {
		c.graph.awaitOthers(ctx, options.AwaitOthers)
	}
	r := newRun(ctx, c, options)
	for _, declared := range changes {
		r.changes = append(r.changes, &change{Change: declared, run: r})
	}
	return r.apply()
}

// Unlatch removes a customer's latch without a resource, and returns what it was. A customer that
// is not latched is left as it is. Expected, where it is not zero, is the only latch that is
// removed; any other is an [OtherLatchError]. Unlatch calls tell before the write, with what is
// going to be removed.
func (c *Coordinator) Unlatch(
	ctx context.Context, customerID int64, expected fusebill.Latch, tell func(current fusebill.Latch),
) (released fusebill.Latch, err error) {
	r := newRun(ctx, c, ApplyOptions{})
	order := &unlatchOrder{expected: expected, tell: tell}
	r.changes = []*change{{Change: Change{CustomerID: customerID}, run: r, unlatch: order}}
	results, err := r.apply()
	if result, isBegun := results[customerID]; isBegun {
		err = result.Err
	}
	if err != nil {
		return fusebill.Latch{}, err
	}
	return order.removed, nil
}

func (g *graph) refuseUnlatchLocked(c *change) error {
	isDeclared := c.customer.isKept
	for _, next := range c.customer.queue {
		isDeclared = isDeclared || !next.isRelease()
	}
	expected := c.unlatch.expected
	switch {
	case isDeclared:
		return &UnlatchConflictError{CustomerID: c.CustomerID}
	case !expected.IsZero() && !c.current.IsZero() && c.current != expected:
		return &OtherLatchError{CustomerID: c.CustomerID, Expected: expected, Current: c.current}
	default:
		return nil
	}
}

// awaitOthers waits, at most so long, until no change under way goes on and none begins for a
// moment.
func (g *graph) awaitOthers(ctx context.Context, most time.Duration) {
	const moment = 50 * time.Millisecond
	deadline := time.Now().Add(most)
	for quiet := 0; quiet < 5 && time.Now().Before(deadline); quiet++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(moment):
		}
		g.mu.Lock()
		if g.busy > 0 {
			quiet = 0
		}
		g.mu.Unlock()
	}
}

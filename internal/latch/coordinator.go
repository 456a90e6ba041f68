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
	maxPages     int // the number of pages up to which the account is read, to know the holders of claims
	stallTimeout time.Duration
	conflicts    conflicts
}

// DefaultMaxPages is the default of [WithMaxPages], in pages of 1,000 customers.
const DefaultMaxPages = 20

// Option sets one property of a [Coordinator].
type Option func(*Coordinator)

// WithMaxPages sets the number of pages up to which the coordinator reads the whole account before
// a write, to know the holders of claims. In a larger account only a refusal of the service shows a
// conflict. Default: [DefaultMaxPages].
func WithMaxPages(n int) Option {
	return func(c *Coordinator) { c.maxPages = n }
}

// WithStallTimeout sets the stall timeout of runs whose [ApplyOptions] have none. Default:
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
	Prior      fusebill.Latch // the latch in the state; zero: none, so the change is a create
	Declared   fusebill.Latch // the latch in the configuration; zero: none, so Prior is released
	// Strict makes a release fail with a [ChangedError] where the current latch differs from Prior.
	// Otherwise the release keeps, without an error, what somebody else has latched since.
	Strict bool
}

// Result is the outcome of one change.
type Result struct {
	Latch fusebill.Latch // the current latch, by the last answer of the API
	Kept  bool           // a release kept the latch, because another resource of this run declares it
	Err   error
}

// ApplyOptions are the settings of one [Coordinator.Apply].
type ApplyOptions struct {
	// Reassociate allows the changes to take claims from customers for which no change of this process
	// declares them, and to replace other latches of their own customers.
	Reassociate bool
	// StallTimeout is how long a change waits for a claim during a stall; zero: the stall timeout
	// of the coordinator.
	StallTimeout time.Duration
	// AwaitOthers is the maximum time for which the run waits, before its first change begins,
	// until no other change is busy. The destroy of a renamed set waits in this way for the create
	// of the set with the new name.
	AwaitOthers time.Duration
	// Progress is called after each change that has ended, from the goroutine of Apply. It may be
	// nil.
	Progress func(done, total int)
}

// Apply makes each change as soon as its claims are free. A failed change does not stop the others.
// Apply returns the result of each change that it has begun. It returns an error where it has not
// begun all of them, because their customers cannot be read or because ctx has ended.
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

// Unlatch removes a customer's latch for an action, without a resource, and returns the removed
// latch. It does nothing where the customer has no latch. If expected is not zero and the
// customer has another latch, it returns an [OtherLatchError]. It calls tell before the write, with
// the latch that it is about to remove.
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

// refuseUnlatchLocked returns the error of an unlatch that must not be made, or nil.
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

// awaitOthers waits, at most for a duration, until no change has been busy for about 200 ms.
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

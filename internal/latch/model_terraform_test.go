package latch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// operation is one call of Terraform: a create, an update, a destroy, or another provider's work.
type operation struct {
	name     string
	resource *resource
	after    []string // operations that have to succeed first
	changes  []latch.Change
	destroys bool
	takes    time.Duration // of another provider's work

	// The outcome.
	begun        bool
	began, ended time.Duration
	stopped      time.Duration // when it was cancelled; 0: never
	results      map[int64]latch.Result
	err          error
}

func (o *operation) hasFailed() bool {
	for _, result := range o.results {
		if result.Err != nil {
			return true
		}
	}
	return o.err != nil
}

// operations returns what Terraform has to do for resources.
func operations(resources []*resource) []*operation {
	var all []*operation
	for _, r := range resources {
		destroy := &operation{name: "destroy " + r.name, resource: r, destroys: true}
		destroy.changes = changes(r.prior, nil, r.strict)
		create := &operation{name: "create " + r.name, resource: r, changes: changes(nil, r.declared, false)}
		update := &operation{name: "update " + r.name, resource: r, changes: changes(r.prior, r.declared, r.strict)}
		slow := &operation{name: "slow " + r.name, resource: r, takes: r.slow}
		var own []*operation
		switch {
		case r.replaced() && r.createFirst:
			own = []*operation{create, destroy}
			destroy.after = []string{create.name}
		case r.replaced():
			own = []*operation{destroy, create}
			create.after = []string{destroy.name}
		case len(r.declared) == 0:
			own = []*operation{destroy}
		case len(r.prior) == 0:
			own = []*operation{create}
		default:
			own = []*operation{update}
		}
		if r.slow > 0 && len(r.declared) > 0 {
			own = append([]*operation{slow}, own...)
			create.after, update.after = append(create.after, slow.name), append(update.after, slow.name)
		}
		all = append(all, own...)
	}
	return order(slices.DeleteFunc(all, func(o *operation) bool { return len(o.changes) == 0 && o.takes == 0 }))
}

// order adds what follows from dependencies between resources. Creates and updates go along them,
// destroys against them. A resource that the configuration no longer has is destroyed last, after
// everything that depended on it has been changed.
func order(all []*operation) []*operation {
	for _, o := range all {
		on := o.resource.dependsOn
		for _, other := range all {
			switch {
			case other.resource.name != on || on == "":
			case !o.destroys && !other.destroys:
				o.after = append(o.after, other.name)
			case o.destroys && other.destroys, !o.destroys && len(other.resource.declared) == 0:
				other.after = append(other.after, o.name)
			}
		}
	}
	return all
}

// changes returns the changes between two sets of rows, ordered by customer.
func changes(prior, declared rows, strict bool) []latch.Change {
	all := maps.Clone(prior)
	if all == nil {
		all = rows{}
	}
	maps.Copy(all, declared)
	var changes []latch.Change
	for _, id := range ids(all) {
		if prior[id] != declared[id] {
			changes = append(changes, latch.Change{
				CustomerID: id, Prior: prior[id], Declared: declared[id], Strict: strict && declared[id].IsZero(),
			})
		}
	}
	return changes
}

// run is one apply of a scenario by one provider process.
type run struct {
	*scenario
	service     *service
	reader      *customers.Reader
	coordinator *latch.Coordinator
	operations  []*operation
	applyBegan  time.Duration
}

// newRun begins a provider process.
func newRun(t *testing.T, s *scenario) *run {
	t.Helper()
	r := &run{scenario: s, service: newService(s), operations: operations(s.resources)}
	client, err := fusebill.NewClient("key", fusebill.WithTransport(r.service))
	if err != nil {
		t.Fatal(err)
	}
	var options []latch.Option
	if s.neverReads {
		options = append(options, latch.WithMaxPages(0))
	}
	r.reader = customers.NewReader(client)
	r.coordinator = latch.New(client, r.reader, options...)
	return r
}

// tooLong is the time after which a run counts as hung. Waits without progress are bounded by the
// explicit timeouts of all operations, and faults by the retries of a call. A limit adds the
// minutes for a dozen calls of each change.
func (r *run) tooLong() time.Duration {
	long := time.Hour
	if r.limit > 0 {
		for _, o := range r.operations {
			long += time.Duration(12*len(o.changes)) * time.Minute / time.Duration(r.limit)
		}
	}
	return long
}

var errHung = errors.New("the model: the operation hangs")

// apply makes the operations as Terraform does, and waits until nothing happens any more.
func (r *run) apply() {
	if r.readEarlier > 0 {
		for _, id := range ids(r.account) {
			_, _ = r.reader.Customer(context.Background(), id)
		}
		time.Sleep(r.readEarlier - r.service.now())
	}
	r.applyBegan = r.service.now()
	ctx, end := context.WithCancelCause(context.Background())
	defer end(nil)
	defer time.AfterFunc(r.tooLong(), func() { end(errHung) }).Stop()
	defer time.AfterFunc(2*r.tooLong(), func() {
		panic("an operation does not even end when it is cancelled\n" + r.String() + r.service.events())
	}).Stop()
	if r.interruptAt > 0 {
		time.AfterFunc(r.interruptAt, func() {
			r.service.interrupt()
			end(context.Canceled)
		})
	}
	r.terraform(ctx)
	time.Sleep(3 * time.Minute) // Late writes, and those of others.
	synctest.Wait()
}

// terraform makes the operations: so many at once, each after those it depends on, and none after
// an interrupt. One of which a dependency failed is skipped.
func (r *run) terraform(ctx context.Context) {
	waiting, running := slices.Clone(r.operations), 0
	ended := make(chan *operation, len(waiting))
	succeeded := make(map[string]bool)
	isPlanned := make(map[string]bool)
	for _, o := range waiting {
		isPlanned[o.name] = true
	}
	isReady := func(o *operation) bool {
		return !slices.ContainsFunc(o.after, func(name string) bool { return isPlanned[name] && !succeeded[name] })
	}
	for {
		next := slices.IndexFunc(waiting, isReady)
		if ctx.Err() == nil && next >= 0 && running < r.parallelism {
			o := waiting[next]
			waiting = slices.Delete(waiting, next, next+1)
			running++
			o.begun, o.began = true, r.service.now()
			go func() {
				r.perform(ctx, o)
				ended <- o
			}()
			time.Sleep(max(r.gap, time.Microsecond)) // At one moment, goroutines run in any order.
			continue
		}
		if running == 0 {
			return
		}
		o := <-ended
		running--
		succeeded[o.name] = !o.hasFailed()
	}
}

// perform makes one operation.
func (r *run) perform(ctx context.Context, o *operation) {
	r.service.note("%s begins", o.name)
	if o.resource.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, o.resource.timeout)
		defer cancel()
		ctx = limited
	}
	defer context.AfterFunc(ctx, func() { o.stopped = r.service.now() })()
	if o.takes > 0 {
		select {
		case <-time.After(o.takes):
		case <-ctx.Done():
			o.err = ctx.Err()
		}
	} else {
		options := latch.ApplyOptions{Reassociate: o.resource.reassociate, StallTimeout: o.resource.stall}
		if o.resource.set && o.destroys {
			options.AwaitOthers = 5 * time.Second
		}
		o.results, o.err = r.coordinator.Apply(ctx, o.changes, options)
	}
	o.ended = r.service.now()
	r.service.note("%s ends: %s", o.name, o.outcome())
}

func (o *operation) outcome() string {
	text := ""
	for _, id := range slices.Sorted(maps.Keys(o.results)) {
		result := o.results[id]
		text += fmt.Sprintf("%d holds %s", id, result.Latch)
		if result.Kept {
			text += " (kept)"
		}
		if result.Err != nil {
			text += fmt.Sprintf(" [%v]", result.Err)
		}
		text += "; "
	}
	if o.err != nil {
		text += fmt.Sprintf("[%v]", o.err)
	}
	return text
}

// next returns the scenario of the apply that follows: the state that this one left, refreshed, and
// the same configuration, with nothing that disturbs.
func (r *run) next() *scenario {
	s := r.clone()
	s.account = r.service.current()
	s.outside, s.faults, s.limit, s.interruptAt, s.readEarlier, s.gap = nil, 0, 0, 0, 0, time.Millisecond
	s.injected = nil
	s.resources = nil
	for _, res := range r.resources {
		old, created := r.stateOf(res)
		after := res.clone()
		after.slow, after.timeout = 0, 0
		switch {
		case !res.replaced():
			after.prior = old
		case len(created) > 0: // The rest of the old object is a deposed one.
			after.prior, after.tainted = created, false
			deposed := &resource{name: res.name + " (deposed)", set: res.set, prior: old, dependsOn: res.dependsOn}
			s.resources = append(s.resources, deposed)
		default:
			after.prior = old
		}
		s.resources = append(s.resources, after)
	}
	for _, res := range s.resources {
		s.refresh(res)
	}
	s.resources = slices.DeleteFunc(s.resources, func(r *resource) bool { return len(r.prior)+len(r.declared) == 0 })
	s.parallelism = 2*len(s.resources) + 1
	return s
}

// stateOf returns the rows of a resource's object that was in the state, and of one that the run
// has created in its place.
func (r *run) stateOf(res *resource) (old, created rows) {
	old, created = maps.Clone(res.prior), rows{}
	if old == nil {
		old = rows{}
	}
	for _, o := range r.operations {
		if o.resource != res {
			continue
		}
		state := old
		if res.replaced() && !o.destroys {
			state = created
		}
		for _, change := range o.changes {
			id := change.CustomerID
			result, begun := o.results[id]
			switch {
			case !begun || result.Err != nil && (change.Prior.IsZero() || result.Latch.IsZero()):
			case result.Err == nil && change.Declared.IsZero():
				delete(state, id)
			default:
				state[id] = result.Latch
			}
		}
	}
	return old, created
}

// refresh reads the rows of a resource. A row whose customer another resource declares, and has as
// declared, is not released either: the plan has told the provider that both are about one latch.
func (s *scenario) refresh(res *resource) {
	for id := range res.prior {
		current := s.account[id]
		res.prior[id] = current
		isKept := slices.ContainsFunc(s.resources, func(other *resource) bool {
			return other != res && other.declared[id] == current && !other.prior[id].IsZero()
		})
		if current.IsZero() || isKept && res.declared[id].IsZero() {
			delete(res.prior, id)
		}
	}
}

// changeOf returns the operation's change of a customer.
func (o *operation) changeOf(customer int64) latch.Change {
	i := slices.IndexFunc(o.changes, func(c latch.Change) bool { return c.CustomerID == customer })
	return o.changes[i]
}

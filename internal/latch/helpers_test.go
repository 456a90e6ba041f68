package latch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// callTime is how long each simulated call takes. With 0, everything in a test would happen at the
// same time.
const callTime = 20 * time.Millisecond

// latches are latches by customer ID.
type latches = map[int64]fusebill.Latch

// pair returns the latch to a contact and a company; 0 stands for none.
func pair(contact, company int64) fusebill.Latch {
	return fusebill.Latch{HubSpotID: contact, HubSpotCompanyID: company}
}

// unreadable is the option of a coordinator that does not read the account.
var unreadable = WithMaxPages(0)

// inBubble runs a test in parallel with others, in a bubble of package synctest with its own clock.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// runInBubble runs a subtest as inBubble does.
func runInBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { inBubble(t, test) })
}

// trial is one provider process on a simulated account.
type trial struct {
	t           *testing.T
	sim         *fusebillsim.Simulator
	coordinator *Coordinator
	// gap is the time between the beginnings of two operations. With a millisecond, all of them begin
	// before the first has read its customer.
	gap time.Duration
}

// newTrial makes a simulated account with these latches. Call it in a bubble.
func newTrial(t *testing.T, account latches, options ...Option) *trial {
	t.Helper()
	sim := fusebillsim.New(fusebillsim.Config{
		APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, Behavior: fusebillsim.Behavior{Latency: callTime},
	})
	for id, l := range account {
		sim.AddCustomers(fusebillsim.Customer{ID: id, HubSpotID: l.HubSpotID, HubSpotCompanyID: l.HubSpotCompanyID})
	}
	return &trial{t: t, sim: sim, coordinator: newCoordinator(newTestClient(t, sim), options...), gap: time.Millisecond}
}

// newTestClient returns a client that reaches a simulator without a socket and waits at most 10 ms
// between retries.
func newTestClient(t testing.TB, sim *fusebillsim.Simulator) *fusebill.Client {
	t.Helper()
	client, err := fusebill.NewClient("key",
		fusebill.WithTransport(sim.Transport()),
		fusebill.WithRetryWait(time.Millisecond, 10*time.Millisecond),
	)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newCoordinator returns a coordinator with its own reader, as a new provider process has.
func newCoordinator(client *fusebill.Client, options ...Option) *Coordinator {
	return New(client, customers.NewReader(client), options...)
}

// operation is what Terraform does with one object.
type operation func(context.Context) error

// create, update and delete are the operations of a single latch.
func (r *trial) create(id int64, declared fusebill.Latch) operation {
	return func(ctx context.Context) error { return r.createNow(ctx, id, declared, false) }
}

func (r *trial) update(id int64, planned, declared fusebill.Latch) operation {
	return func(ctx context.Context) error { return r.updateNow(ctx, id, planned, declared, false) }
}

// take is update with allow_reassociation.
func (r *trial) take(id int64, planned, declared fusebill.Latch) operation {
	return func(ctx context.Context) error { return r.updateNow(ctx, id, planned, declared, true) }
}

func (r *trial) delete(id int64, held fusebill.Latch) operation {
	return func(ctx context.Context) error {
		_, err := r.deleteNow(ctx, id, held)
		return err
	}
}

// set is the operation of a latch set. Its error joins those of all changes.
func (r *trial) set(prior, declared latches, options ApplyOptions) operation {
	return func(ctx context.Context) error {
		results, err := r.coordinator.Apply(ctx, changesBetween(prior, declared), options)
		for _, result := range results {
			err = errors.Join(err, result.Err)
		}
		return err
	}
}

// createNow, updateNow and deleteNow run the operations of a single latch at once.
func (r *trial) createNow(ctx context.Context, id int64, declared fusebill.Latch, reassociate bool) error {
	_, err := r.applyOne(ctx, Change{CustomerID: id, Declared: declared}, reassociate)
	return err
}

func (r *trial) updateNow(ctx context.Context, id int64, prior, declared fusebill.Latch, reassociate bool) error {
	_, err := r.applyOne(ctx, Change{CustomerID: id, Prior: prior, Declared: declared}, reassociate)
	return err
}

func (r *trial) deleteNow(ctx context.Context, id int64, held fusebill.Latch) (left fusebill.Latch, err error) {
	result, err := r.applyOne(ctx, Change{CustomerID: id, Prior: held}, false)
	return result.Latch, err
}

// applyOne applies one change, as a single latch does.
func (r *trial) applyOne(ctx context.Context, c Change, reassociate bool) (Result, error) {
	results, err := r.coordinator.Apply(ctx, []Change{c}, ApplyOptions{Reassociate: reassociate})
	result := results[c.CustomerID]
	if err == nil {
		err = result.Err
	}
	return result, err
}

// runAt starts operations one after another, at most as many at the same time as Terraform's
// parallelism, and returns their errors.
func (r *trial) runAt(ctx context.Context, parallelism int, operations ...operation) []error {
	errs := make([]error, len(operations))
	slots := make(chan struct{}, parallelism)
	var running sync.WaitGroup
	for i, operation := range operations {
		slots <- struct{}{}
		running.Go(func() {
			errs[i] = operation(ctx)
			<-slots
		})
		time.Sleep(r.gap)
	}
	running.Wait()
	return errs
}

// run runs operations with Terraform's default parallelism.
func (r *trial) run(operations ...operation) []error {
	return r.runAt(context.Background(), 10, operations...)
}

// runOK runs operations as run does, and fails the test if one of them fails.
func (r *trial) runOK(operations ...operation) {
	r.t.Helper()
	for i, err := range r.run(operations...) {
		if err != nil {
			r.t.Errorf("operation %d: %v", i, err)
		}
	}
}

// readAccount reads the account, so the coordinator knows who holds what.
func (r *trial) readAccount() {
	r.t.Helper()
	if err := r.coordinator.knowHolders(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// latchOpenCustomerAfter waits, and then latches the customer that is unlatched at that time to a
// contact, as somebody else would. The result is 0 until then, and the customer's ID afterwards.
func (r *trial) latchOpenCustomerAfter(wait time.Duration, contact int64) *atomic.Int64 {
	found := new(atomic.Int64)
	time.AfterFunc(wait, func() {
		for _, c := range r.sim.Customers() {
			if c.HubSpotID == 0 {
				found.Store(c.ID)
			}
		}
		r.sim.SetLatch(found.Load(), contact, 0)
	})
	return found
}

// slowWrite delays the next write of a customer before the service handles it.
func slowWrite(id int64, wait time.Duration) fusebillsim.Fault {
	return fusebillsim.Fault{
		Kind: fusebillsim.FaultLatencyBefore, Latency: wait, Route: fusebillsim.RouteLatch, Match: writes(id),
	}
}

// writes matches the latch calls of these customers, and all latch calls where none is given.
func writes(customers ...int64) func(*http.Request) bool {
	return func(req *http.Request) bool {
		var body struct{ FusebillID int64 }
		_ = json.NewDecoder(req.Body).Decode(&body)
		return req.Method == http.MethodPost && (len(customers) == 0 || slices.Contains(customers, body.FusebillID))
	}
}

// reads matches the calls that read one customer individually.
func reads(id int64) func(*http.Request) bool {
	return func(req *http.Request) bool { return req.URL.Path == fmt.Sprintf("/v1/customers/%d", id) }
}

// isPage matches list calls that read a page of the account, not a batch of customers.
func isPage(req *http.Request) bool { return isList(req) && !req.URL.Query().Has("query") }

// isList matches list calls.
func isList(req *http.Request) bool { return req.URL.Path == "/v1/customers" }

// customerOf returns the customer of a latch call.
func customerOf(t *testing.T, req *http.Request) int64 {
	t.Helper()
	var body struct {
		FusebillID int64 `json:"fusebillId"`
	}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		t.Error(err)
	}
	return body.FusebillID
}

// wantAccount fails the test where one of these customers has another latch.
func (r *trial) wantAccount(want latches) {
	r.t.Helper()
	got := make(latches)
	for _, customer := range r.sim.Customers() {
		if _, ok := want[customer.ID]; ok {
			got[customer.ID] = pair(customer.HubSpotID, customer.HubSpotCompanyID)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("the account differs (-want +got):\n%s", diff)
	}
}

// wantWrites fails the test unless the service received exactly so many latch calls.
func (r *trial) wantWrites(want int) {
	r.t.Helper()
	if got := r.sim.Writes(); got != want {
		r.t.Errorf("%d writes, want %d", got, want)
	}
}

// wantNothingLost fails the test where an operation without an error has not brought the declared
// latch, or where the customer of a failed operation has neither its prior latch nor the one that a
// [NotRestoredError] reports.
func (r *trial) wantNothingLost(m moves, errs []error) {
	r.t.Helper()
	for i, id := range sorted(m.prior) {
		customer, _ := r.sim.Customer(id)
		got := pair(customer.HubSpotID, customer.HubSpotCompanyID)
		lost := (*NotRestoredError)(nil)
		switch {
		case errs[i] == nil && got != m.declared[id]:
			r.t.Errorf("customer %d: no error, but latched to %s, want %s", id, got, m.declared[id])
		case errors.As(errs[i], &lost) && got != lost.Current:
			r.t.Errorf("customer %d is latched to %s, unlike its error: %v", id, got, errs[i])
		case errs[i] != nil && lost == nil && got != m.prior[id]:
			r.t.Errorf("customer %d has lost %s and is latched to %s: %v", id, m.prior[id], got, errs[i])
		}
	}
}

// wantTook fails the test unless the time that has passed is within these bounds.
func wantTook(t *testing.T, since time.Time, least, most time.Duration) {
	t.Helper()
	if took := time.Since(since); took < least || took > most {
		t.Errorf("took %s, want %s to %s", took, least, most)
	}
}

// times returns n times a duration.
func times(n int, d time.Duration) time.Duration { return d * time.Duration(n) }

// wantError fails the test unless an error has the type E.
func wantError[E error](t *testing.T, err error) {
	t.Helper()
	_ = errorAs[E](t, err)
}

// errorAs returns an error as the type E, and fails the test where it has another type.
func errorAs[E error](t *testing.T, err error) E {
	t.Helper()
	var want E
	if !errors.As(err, &want) {
		t.Fatalf("got error %v, want a %T", err, want)
	}
	return want
}

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// reportsLoss reports whether an error explains that a customer may have lost its prior latch.
func reportsLoss(err error) bool {
	var (
		lost       *NotRestoredError
		unknown    *fusebill.OutcomeUnknownError
		unexpected *UnexpectedAnswerError
	)
	return errors.As(err, &lost) || errors.As(err, &unknown) || errors.As(err, &unexpected)
}

// ids returns 1 to n.
func ids(n int64) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i) + 1
	}
	return all
}

// sorted returns the keys of a map in order.
func sorted[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }

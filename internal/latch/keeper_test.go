package latch

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// callTime is how long a simulated call takes. Not 0, or else all of a test would happen at one time.
const callTime = 20 * time.Millisecond

type latches = map[int64]fusebill.Latch

// pair makes a latch of a contact and a company, 0 for none.
func pair(contact, company int64) fusebill.Latch {
	return fusebill.Latch{HubSpotID: contact, HubSpotCompanyID: company}
}

// trial is one run of the provider on a simulated account.
type trial struct {
	t      *testing.T
	sim    *fusebillsim.Simulator
	keeper *Coordinator
	// gap lies between the beginnings of two operations. Within one of a millisecond all begin before any has read.
	gap time.Duration
}

// newRun makes an account with these latches. It is to be called in a bubble.
func newTrial(t *testing.T, account latches, options ...Option) *trial {
	t.Helper()
	sim := fusebillsim.New(fusebillsim.Config{
		APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, Behavior: fusebillsim.Behavior{Latency: callTime},
	})
	for id, l := range account {
		sim.AddCustomers(fusebillsim.Customer{ID: id, HubSpotID: l.HubSpotID, HubSpotCompanyID: l.HubSpotCompanyID})
	}
	return &trial{t: t, sim: sim, keeper: newCoordinator(newTestClient(t, sim), options...), gap: time.Millisecond}
}

type operation func(context.Context) error

func (r *trial) create(id int64, declared fusebill.Latch) operation {
	return func(ctx context.Context) error { return r.createNow(ctx, id, declared, false) }
}

func (r *trial) update(id int64, planned, declared fusebill.Latch) operation {
	return func(ctx context.Context) error { return r.updateNow(ctx, id, planned, declared, false) }
}

func (r *trial) take(id int64, planned, declared fusebill.Latch) operation {
	return func(ctx context.Context) error { return r.updateNow(ctx, id, planned, declared, true) }
}

func (r *trial) delete(id int64, held fusebill.Latch) operation {
	return func(ctx context.Context) error {
		_, err := r.deleteNow(ctx, id, held)
		return err
	}
}

// at runs operations side by side, as many at once as Terraform would, and returns their errors.
func (r *trial) at(ctx context.Context, parallelism int, operations ...operation) []error {
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

// ok runs operations side by side that are to succeed.
func (r *trial) ok(operations ...operation) {
	r.t.Helper()
	for i, err := range r.at(context.Background(), 10, operations...) {
		if err != nil {
			r.t.Errorf("operation %d: %v", i, err)
		}
	}
}

// wantAccount fails where customers aren't latched so.
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

// wantWrites fails where the number of latch calls is another.
func (r *trial) wantWrites(want int) {
	r.t.Helper()
	if got := r.sim.Writes(); got != want {
		r.t.Errorf("%d writes, want %d", got, want)
	}
}

// wantTook fails where more or less time has passed.
func wantTook(t *testing.T, since time.Time, least, most time.Duration) {
	t.Helper()
	if took := time.Since(since); took < least || took > most {
		t.Errorf("took %s, want %s to %s", took, least, most)
	}
}

func times(n int, d time.Duration) time.Duration { return d * time.Duration(n) }

// wantError fails where an error isn't of a type.
func wantError[E error](t *testing.T, err error) {
	t.Helper()
	_ = errorAs[E](t, err)
}

// errorAs is wantError that returns the error as that.
func errorAs[E error](t *testing.T, err error) E {
	t.Helper()
	var want E
	if !errors.As(err, &want) {
		t.Fatalf("got error %v, want a %T", err, want)
	}
	return want
}

// inBubble runs a test with a clock of its own.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// A customer that isn't latched is, by one write, and that is what later reads see without another call.
func TestCreate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 0)})
		r.ok(r.create(1, pair(101, 201)))
		r.wantWrites(1)
		r.wantAccount(latches{1: pair(101, 201), 2: pair(102, 0)})
		calls := r.sim.Count()
		if c, err := r.keeper.reader.Customer(context.Background(), 1); err != nil || *c.Latch != pair(101, 201) || r.sim.Count() != calls {
			t.Errorf("read %v with %d more calls, error %v", c.Latch, r.sim.Count()-calls, err)
		}
	})
}

// What is as declared already is taken over without a write, and what is so in part is completed.
func TestCreateTakesOverWhatIsDeclared(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201), 2: pair(0, 202)})
		r.ok(r.create(1, pair(101, 201)))
		r.wantWrites(0)
		r.ok(r.create(2, pair(102, 202)))
		r.wantWrites(1)
		r.wantAccount(latches{1: pair(101, 201), 2: pair(102, 202)})
	})
}

func TestCreateRefusesAnotherLatch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201)})
		for _, declared := range []fusebill.Latch{pair(102, 201), pair(101, 0), pair(0, 202)} {
			err := r.createNow(context.Background(), 1, declared, false)
			if refused := errorAs[*AlreadyLatchedError](t, err); refused.Current != pair(101, 201) || refused.CustomerID != 1 {
				t.Errorf("got %+v", refused)
			}
		}
		r.wantWrites(0)
		if err := r.createNow(context.Background(), 1, pair(102, 0), true); err != nil {
			t.Errorf("with reassociation: %v", err)
		}
		r.wantAccount(latches{1: pair(102, 0)})
	})
}

func TestCreateOnNoCustomer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		if err := r.createNow(context.Background(), 9, pair(101, 0), false); !fusebill.IsNotFound(err) {
			t.Errorf("got error %v", err)
		}
		r.wantWrites(0)
	})
}

// An update refuses what somebody else has made of the customer since the plan, and nothing less.
func TestUpdate(t *testing.T) {
	for name, test := range map[string]struct {
		current fusebill.Latch
		refused bool
		writes  int
	}{
		"as planned":          {pair(101, 201), false, 1},
		"partly released":     {pair(0, 201), false, 1},
		"released":            {pair(0, 0), false, 1},
		"as declared already": {pair(102, 201), false, 0},
		"latched anew":        {pair(103, 201), true, 0},
		"latched further":     {pair(101, 203), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: test.current})
				err := r.updateNow(context.Background(), 1, pair(101, 201), pair(102, 201), true)
				if test.refused {
					if changed := errorAs[*ChangedError](t, err); changed.Current != test.current || changed.Planned != pair(101, 201) {
						t.Errorf("got %+v", changed)
					}
				} else if err != nil {
					t.Error(err)
				}
				r.wantWrites(test.writes)
			})
		})
	}
}

// What only lets go of something needs no word on who holds what: one read, one write.
func TestUpdateThatClaimsNothingReadsNoAccount(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201)})
		r.ok(r.update(1, pair(101, 201), pair(101, 0)))
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 0 || r.sim.Count() != 2 {
			t.Errorf("%d lists of %d calls", lists, r.sim.Count())
		}
	})
}

// A delete removes what the resource holds, and says what it left.
func TestDelete(t *testing.T) {
	held := pair(101, 201)
	for name, test := range map[string]struct {
		current, left fusebill.Latch
		writes        int
	}{
		"as held":               {held, pair(0, 0), 1},
		"released by hand":      {pair(0, 0), pair(0, 0), 0},
		"partly released":       {pair(0, 201), pair(0, 0), 1},
		"latched anew":          {pair(102, 202), pair(102, 202), 0},
		"partly latched anew":   {pair(101, 202), pair(0, 202), 1},
		"one gone, one anew":    {pair(102, 0), pair(102, 0), 0},
		"anew, and one of ours": {pair(102, 201), pair(102, 0), 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: test.current})
				left, err := r.deleteNow(context.Background(), 1, held)
				if err != nil || left != test.left {
					t.Errorf("left %s, error %v; want %s", left, err, test.left)
				}
				r.wantWrites(test.writes)
				r.wantAccount(latches{1: test.left})
			})
		})
	}
}

func TestDeleteOfACustomerThatIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		if left, err := r.deleteNow(context.Background(), 9, pair(101, 0)); err != nil || !left.IsZero() {
			t.Errorf("left %s, error %v", left, err)
		}
		r.wantWrites(0)
	})
}

// A rename without a moved block is a create and a delete of one customer, in any order: it stays latched.
func TestRename(t *testing.T) {
	for name, createsFirst := range map[string]bool{"create first": true, "delete first": false} {
		for when, gap := range map[string]time.Duration{"at once": time.Millisecond, "one after another": time.Second} {
			t.Run(name+" "+when, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					r := newTrial(t, latches{1: pair(101, 201)})
					r.gap = gap
					operations := []operation{r.create(1, pair(101, 201)), r.delete(1, pair(101, 201))}
					writes := 0
					if !createsFirst {
						slices.Reverse(operations)
					}
					if !createsFirst && gap == time.Second {
						writes = 2
					}
					r.ok(operations...)
					r.wantWrites(writes)
					r.wantAccount(latches{1: pair(101, 201)})
				})
			})
		}
	}
}

// A delete says that it left everything, so that the user is told.
func TestRenameTellsWhatIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201)})
		r.ok(r.create(1, pair(101, 201)))
		if left, err := r.deleteNow(context.Background(), 1, pair(101, 201)); err != nil || left != pair(101, 201) {
			t.Errorf("left %s, error %v", left, err)
		}
	})
}

// Where the create of a rename fails, the delete that follows leaves what was to be taken over: nothing else holds it.
func TestRenameWhoseCreateFails(t *testing.T) {
	for name, test := range map[string]struct {
		declared fusebill.Latch
		fault    fusebillsim.Fault
	}{
		"the account can't be read":  {pair(101, 0), fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomers, Times: 5}},
		"what it adds can't be held": {pair(101, 202), fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteLatch, Times: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: pair(101, 0)})
				r.sim.Inject(test.fault)
				if err := r.createNow(context.Background(), 1, test.declared, false); err == nil {
					t.Error("the create has succeeded")
				}
				r.ok(r.delete(1, pair(101, 0)))
				r.wantAccount(latches{1: pair(101, 0)})
			})
		})
	}
}

// A create that is refused declares nothing that a delete should keep.
func TestRenameWhoseCreateIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0)})
		wantError[*AlreadyLatchedError](t, r.createNow(context.Background(), 1, pair(102, 0), false))
		r.ok(r.delete(1, pair(101, 0)))
		r.wantAccount(latches{1: {}})
	})
}

// A replacement deletes and creates on two customers, in either order: what moves is waited for where it can be.
func TestReplacement(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: {}})
		r.ok(func(ctx context.Context) error {
			return errors.Join(r.delete(1, pair(101, 0))(ctx), r.create(2, pair(101, 0))(ctx))
		})
		r.wantAccount(latches{1: {}, 2: pair(101, 0)})
	})
}

// Where the account can't be read for a fault, nothing is written: a service that moves what is claimed without a refusal
// would take it from its holder. Where it can't be read for good, the service decides.
func TestCreateWithoutKnowingHolders(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 0)})
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
		remove := r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomers, Times: -1})
		wantError[*fusebill.APIError](t, r.createNow(context.Background(), 1, pair(102, 0), false))
		r.wantWrites(0)
		remove()
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultRedirectHost, Route: fusebillsim.RouteCustomers, Times: -1})
		if err := r.createNow(context.Background(), 1, pair(101, 0), false); err == nil {
			t.Error("a redirect is no refusal of the service's own")
		}
		r.wantWrites(0)
	})
	t.Run("refused", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			r := newTrial(t, latches{1: {}})
			r.sim.Configure(func(b *fusebillsim.Behavior) { b.MaxURLLength = 30 })
			r.ok(r.create(1, pair(101, 0)))
			r.wantAccount(latches{1: pair(101, 0)})
		})
	})
}

// ids returns 1 to n.
func ids(n int64) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i) + 1
	}
	return all
}

// sorted returns a map's keys in order.
func sorted[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }

// permutation is n customers that exchange their contacts, and their companies, at random.
func permutation(n int64, seed uint64) moves {
	dice := rand.New(rand.NewPCG(seed, 0))
	m := moves{prior: make(latches), declared: make(latches)}
	contacts, companies := dice.Perm(int(n)), dice.Perm(int(n))
	for i := range n {
		m.prior[i+1] = pair(1000+i, 2000+i)
		m.declared[i+1] = pair(1000+int64(contacts[i]), 2000+int64(companies[i]))
	}
	return m
}

// writes matches the latch calls of customers, any where none is given.
func writes(customers ...int64) func(*http.Request) bool {
	return func(req *http.Request) bool {
		var body struct{ FusebillID int64 }
		_ = json.NewDecoder(req.Body).Decode(&body)
		return req.Method == http.MethodPost && (len(customers) == 0 || slices.Contains(customers, body.FusebillID))
	}
}

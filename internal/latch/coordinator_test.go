package latch

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A create of an unlatched customer makes one write, and later reads show the latch without another
// call.
func TestCreate_writesOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 0)})
		r.runOK(r.create(1, pair(101, 201)))
		r.wantWrites(1)
		r.wantAccount(latches{1: pair(101, 201), 2: pair(102, 0)})
		calls := r.sim.Count()
		c, err := r.coordinator.reader.Customer(context.Background(), 1)
		if err != nil || *c.Latch != pair(101, 201) || r.sim.Count() != calls {
			t.Errorf("a later read returned %v with %d more calls and the error %v", c.Latch, r.sim.Count()-calls, err)
		}
	})
}

// A create makes no write where the customer has the declared latch, and one write where a part of
// it is missing.
func TestCreate_adoptsDeclaredLatch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201), 2: pair(0, 202)})
		r.runOK(r.create(1, pair(101, 201)))
		r.wantWrites(0)
		r.runOK(r.create(2, pair(102, 202)))
		r.wantWrites(1)
		r.wantAccount(latches{1: pair(101, 201), 2: pair(102, 202)})
	})
}

func TestCreate_refusesAnotherLatch(t *testing.T) {
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

func TestCreate_failsWithoutCustomer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		if err := r.createNow(context.Background(), 9, pair(101, 0), false); !fusebill.IsNotFound(err) {
			t.Errorf("got error %v", err)
		}
		r.wantWrites(0)
	})
}

// A create writes nothing where the account cannot be read because of a fault: a service that moves
// claims without a refusal would take the claim from its holder. If the account is too large to
// read or the service refuses lists for good, the service's answer to the write decides.
func TestCreate_writesNothingWithoutAccount(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 0)})
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
		remove := r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomers, Times: -1,
		})
		wantError[*fusebill.APIError](t, r.createNow(context.Background(), 1, pair(102, 0), false))
		r.wantWrites(0)
		remove()
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultRedirectHost, Route: fusebillsim.RouteCustomers, Times: -1,
		})
		if err := r.createNow(context.Background(), 1, pair(101, 0), false); err == nil {
			t.Error("a redirect to another host counts as a refusal of the service")
		}
		r.wantWrites(0)
	})
	runInBubble(t, "lists are refused", func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.MaxURLLength = 30 })
		r.runOK(r.create(1, pair(101, 0)))
		r.wantAccount(latches{1: pair(101, 0)})
	})
}

// An update refuses another latch than the planned one, and accepts the parts of the planned and of
// the declared latch.
func TestUpdate_refusesChangesFromOutside(t *testing.T) {
	for name, test := range map[string]struct {
		current fusebill.Latch
		refused bool
		writes  int
	}{
		"as planned":      {pair(101, 201), false, 1},
		"partly released": {pair(0, 201), false, 1},
		"released":        {pair(0, 0), false, 1},
		"as declared":     {pair(102, 201), false, 0},
		"another contact": {pair(103, 201), true, 0},
		"another company": {pair(101, 203), true, 0},
	} {
		runInBubble(t, name, func(t *testing.T) {
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
	}
}

// An update that only releases does not read the account: it makes one read and one write.
func TestUpdate_readsNoAccountToRelease(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201)})
		r.runOK(r.update(1, pair(101, 201), pair(101, 0)))
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 0 || r.sim.Count() != 2 {
			t.Errorf("%d list calls and %d calls in total, want 0 and 2", lists, r.sim.Count())
		}
	})
}

// A delete removes the IDs that the resource has latched, and returns what remains of the
// customer's latch.
func TestDelete_keepsLatchesFromOutside(t *testing.T) {
	held := pair(101, 201)
	for name, test := range map[string]struct {
		current, left fusebill.Latch
		writes        int
	}{
		"as latched":                     {held, pair(0, 0), 1},
		"released from outside":          {pair(0, 0), pair(0, 0), 0},
		"partly released":                {pair(0, 201), pair(0, 0), 1},
		"another latch":                  {pair(102, 202), pair(102, 202), 0},
		"another company":                {pair(101, 202), pair(0, 202), 1},
		"another contact and no company": {pair(102, 0), pair(102, 0), 0},
		"another contact":                {pair(102, 201), pair(102, 0), 1},
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: test.current})
			left, err := r.deleteNow(context.Background(), 1, held)
			if err != nil || left != test.left {
				t.Errorf("the customer keeps %s, want %s; error %v", left, test.left, err)
			}
			r.wantWrites(test.writes)
			r.wantAccount(latches{1: test.left})
		})
	}
}

func TestDelete_succeedsWithoutCustomer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		if left, err := r.deleteNow(context.Background(), 9, pair(101, 0)); err != nil || !left.IsZero() {
			t.Errorf("the customer keeps %s, error %v", left, err)
		}
		r.wantWrites(0)
	})
}

// A delete reports that it keeps the latch because another resource of the run declares it.
func TestDelete_reportsKeptLatch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
		r.runOK(r.create(1, pair(101, 0)))
		for id, want := range map[int64]Result{1: {Latch: pair(101, 0), Kept: true}, 2: {}} {
			got, err := r.applyOne(context.Background(), Change{CustomerID: id, Prior: pair(100+id, 0)}, false)
			if err != nil || got != want {
				t.Errorf("customer %d: got %+v and error %v, want %+v", id, got, err, want)
			}
		}
	})
}

// A strict release fails where the customer has another latch than the planned one.
func TestDelete_strictRefusesAnotherLatch(t *testing.T) {
	for current, isRefused := range map[fusebill.Latch]bool{
		pair(101, 0): false, pair(0, 0): false, pair(101, 201): true, pair(102, 0): true,
	} {
		runInBubble(t, current.String(), func(t *testing.T) {
			r := newTrial(t, latches{1: current})
			result, err := r.applyOne(context.Background(), Change{CustomerID: 1, Prior: pair(101, 0), Strict: true}, false)
			if !isRefused {
				wantNil(t, err)
				r.wantAccount(latches{1: {}})
				return
			}
			wantError[*ChangedError](t, err)
			if r.wantWrites(0); result.Latch != current {
				t.Errorf("the result has %s", result.Latch)
			}
		})
	}
}

// A rename without a moved block is a create and a delete of one customer. The customer stays
// latched in either order.
func TestRename_keepsLatch(t *testing.T) {
	for name, createsFirst := range map[string]bool{"create first": true, "delete first": false} {
		for when, gap := range map[string]time.Duration{"together": time.Millisecond, "one by one": time.Second} {
			runInBubble(t, name+" "+when, func(t *testing.T) {
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
				r.runOK(operations...)
				r.wantWrites(writes)
				r.wantAccount(latches{1: pair(101, 201)})
			})
		}
	}
}

// The delete of a rename returns the latch that it keeps, so the provider can report it.
func TestRename_returnsKeptLatch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201)})
		r.runOK(r.create(1, pair(101, 201)))
		if left, err := r.deleteNow(context.Background(), 1, pair(101, 201)); err != nil || left != pair(101, 201) {
			t.Errorf("the customer keeps %s, error %v", left, err)
		}
	})
}

// The delete of a rename keeps the latch where the create has failed: the user wants it, and the
// next apply adopts it.
func TestRename_keepsLatchAfterFailedCreate(t *testing.T) {
	for name, test := range map[string]struct {
		declared fusebill.Latch
		route    fusebillsim.Route
	}{
		"the account cannot be read":    {pair(101, 0), fusebillsim.RouteCustomers},
		"the company cannot be latched": {pair(101, 202), fusebillsim.RouteLatch},
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: pair(101, 0)})
			r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Route: test.route, Times: 5})
			if err := r.createNow(context.Background(), 1, test.declared, false); err == nil {
				t.Error("the create has succeeded")
			}
			r.runOK(r.delete(1, pair(101, 0)))
			r.wantAccount(latches{1: pair(101, 0)})
		})
	}
}

// A delete removes the latch where a create of the same customer was refused because it declares
// another one.
func TestRename_removesLatchAfterRefusedCreate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0)})
		wantError[*AlreadyLatchedError](t, r.createNow(context.Background(), 1, pair(102, 0), false))
		r.runOK(r.delete(1, pair(101, 0)))
		r.wantAccount(latches{1: {}})
	})
}

// A replacement with another customer moves the contact from the old customer to the new one.
func TestReplacement_movesContact(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 0), 2: {}})
		r.runOK(func(ctx context.Context) error {
			return errors.Join(r.delete(1, pair(101, 0))(ctx), r.create(2, pair(101, 0))(ctx))
		})
		r.wantAccount(latches{1: {}, 2: pair(101, 0)})
	})
}

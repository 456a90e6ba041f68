package latch

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// A change fails after the stall timeout where no change of the run is about the holder. The error
// names each holder, and nothing is written.
func TestClaims_failWhenHolderIsUnmanaged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201), 3: pair(0, 203), 4: {}})
		begin := time.Now()
		errs := r.run(r.create(1, pair(101, 203)), r.create(4, pair(0, 201)))
		held := errorAs[*HeldError](t, errs[0])
		want := []Holding{
			{fusebill.Claim{Kind: fusebill.Contact, ID: 101}, 2}, {fusebill.Claim{Kind: fusebill.Company, ID: 203}, 3},
		}
		if held.CustomerID != 1 || held.Reason != HolderUnchanged || !slices.Equal(held.Held, want) {
			t.Errorf("got %+v", held)
		}
		if text := "contact 101 is latched to customer 2, and company 203 is latched to customer 3"; held.Error() != text {
			t.Errorf("got %q, want %q", held, text)
		}
		wantError[*HeldError](t, errs[1])
		// The changes end one after the other, because Terraform may begin another operation in place
		// of the first one. The second change waits only for that.
		wantTook(t, begin, DefaultStallTimeout, DefaultStallTimeout+afterStall+200*time.Millisecond)
		r.wantWrites(0)
	})
}

// A change goes on after somebody else has released its claim, without a notice to the provider.
func TestClaims_noticeReleaseFromOutside(t *testing.T) {
	for name, release := range map[string]func(*trial){
		"unlatched":                  func(r *trial) { r.sim.SetLatch(2, 0, 0) },
		"latched to another contact": func(r *trial) { r.sim.SetLatch(2, 109, 0) },
		"deleted":                    func(r *trial) { r.sim.DeleteCustomer(2) },
	} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: {}, 2: pair(101, 0)})
			time.AfterFunc(time.Second, func() { release(r) })
			r.runOK(r.create(1, pair(101, 0)))
			r.wantWrites(1)
		})
	}
}

// Nor does a change fail that waits for a change which waits for such a holder.
func TestClaims_noticeReleaseFromOutsideInChain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: pair(102, 0)})
		time.AfterFunc(time.Second, func() { r.sim.SetLatch(3, 0, 0) })
		r.runOK(r.create(1, pair(101, 0)), r.update(2, pair(101, 0), pair(102, 0)))
		r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0), 3: {}})
	})
}

// A change fails at once where this run has declared its claim for the holder.
func TestClaims_failAtOnceWhenHolderWasDeclared(t *testing.T) {
	for name, reassociate := range map[string]bool{"refused": false, "even with reassociation": true} {
		runInBubble(t, name, func(t *testing.T) {
			r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}})
			r.runOK(r.update(2, pair(101, 0), pair(101, 202)))
			begin := time.Now()
			held := errorAs[*HeldError](t, r.createNow(context.Background(), 1, pair(101, 0), reassociate))
			if held.Reason != HolderKeeps {
				t.Errorf("got %+v", held)
			}
			wantTook(t, begin, 0, 3*callTime)
			r.wantWrites(1)
		})
	}
}

// A change fails at once, too, while the write that declares its claim for the holder is under way.
func TestClaims_failAtOnceWhileHolderIsDeclared(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0)})
		r.sim.Inject(slowWrite(2, time.Minute))
		begin := time.Now()
		go r.run(r.update(2, pair(101, 0), pair(101, 202)))
		time.Sleep(time.Second)
		wantError[*HeldError](t, r.createNow(context.Background(), 1, pair(101, 0), false))
		wantTook(t, begin, time.Second, time.Second+3*callTime)
		time.Sleep(2 * time.Minute)
	})
}

// Changes that wait for a holder fail as soon as its change has failed, and restore what they have
// released. If another customer has that by then, the error reports the loss.
func TestClaims_failWhenChangeOfHolderFails(t *testing.T) {
	for _, order := range [][3]int{{1, 2, 0}, {0, 1, 2}, {2, 0, 1}} {
		runInBubble(t, fmt.Sprint(order), func(t *testing.T) {
			m := ring(3)
			m.declared[3] = pair(m.declared[3].HubSpotID, 999) // does not exist in HubSpot
			r := newTrial(t, m.prior)
			r.gap = 2 * callTime // The last one closes the ring and releases first.
			r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
			begin := time.Now()
			operations, errs := m.updates(r), make([]error, 3)
			for i, err := range r.run(operations[order[0]], operations[order[1]], operations[order[2]]) {
				errs[order[i]] = err
			}
			wantTook(t, begin, 0, 13*callTime)
			r.wantNothingLost(m, errs)
		})
	}
}

// A change waits for another change of the run that removes the latch of its customer, as it waits
// for the holder of a contact.
func TestClaims_includeCustomers(t *testing.T) {
	for _, gap := range []time.Duration{time.Millisecond, 3 * callTime, time.Second} {
		runInBubble(t, gap.String(), func(t *testing.T) {
			r := newTrial(t, latches{1: pair(101, 0), 2: pair(102, 0)})
			r.gap = gap
			// Two resources exchange their customers.
			r.runOK(r.create(2, pair(101, 0)), r.create(1, pair(102, 0)), r.delete(1, pair(101, 0)), r.delete(2, pair(102, 0)))
			r.wantAccount(latches{1: pair(102, 0), 2: pair(101, 0)})
			r.wantWrites(4)
		})
	}
}

// A set goes on with its other changes while more of them wait than it has workers.
func TestClaims_waitsOccupyNoWorker(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		account := unlatched(200)
		for id := int64(1001); id <= 1100; id++ {
			account[id] = pair(id, 0)
		}
		r := newTrial(t, account)
		declared := numbered(100, 1000) // Each waits for the customer of a resource that comes later.
		for id := int64(101); id <= 200; id++ {
			declared[id] = pair(id, 0)
		}
		r.gap = 2 * time.Second
		released := make(latches)
		for id := int64(1001); id <= 1100; id++ {
			released[id] = account[id]
		}
		begin := time.Now()
		r.runOK(r.set(nil, declared, ApplyOptions{}), func(ctx context.Context) error {
			r.wantWrites(100)
			return r.set(released, nil, ApplyOptions{})(ctx)
		})
		wantTook(t, begin, 2*time.Second, 10*time.Second)
		r.wantAccount(declared)
	})
}

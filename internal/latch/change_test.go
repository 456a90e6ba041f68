package latch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// unreadable keeps the keeper from reading the account.
var unreadable = WithMaxPages(0)

// With reassociation what another customer holds is taken from it, and it keeps its other ID.
func TestReassociation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(100, 0), 2: pair(101, 201), 3: pair(103, 203)})
		begin := time.Now()
		r.ok(r.take(1, pair(100, 0), pair(101, 203)))
		wantTook(t, begin, 0, 6*callTime)
		r.wantWrites(3)
		r.wantAccount(latches{1: pair(101, 203), 2: pair(0, 201), 3: pair(103, 0)})
	})
}

// Both IDs of one holder are taken by one write.
func TestReassociationOfBoth(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		r.ok(r.take(1, pair(0, 0), pair(101, 201)))
		r.wantWrites(2)
		r.wantAccount(latches{1: pair(101, 201), 2: {}})
	})
}

// What is known of a holder may be old: it is read before it is written.
func TestReassociationFromAHolderThatHasChanged(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*trial)
		want   latches
	}{
		"other ID changed": {func(r *trial) { r.sim.SetLatch(2, 101, 209) }, latches{1: pair(101, 0), 2: pair(0, 209)}},
		"let go":           {func(r *trial) { r.sim.SetLatch(2, 0, 201) }, latches{1: pair(101, 0), 2: pair(0, 201)}},
		"gone":             {func(r *trial) { r.sim.DeleteCustomer(2) }, latches{1: pair(101, 0)}},
		"another holder":   {func(r *trial) { r.sim.SetLatch(3, 101, 203) }, latches{1: pair(101, 0), 2: pair(0, 201), 3: pair(0, 203)}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: {}, 2: pair(101, 201), 3: {}})
				if err := r.keeper.knowHolders(context.Background()); err != nil {
					t.Fatal(err)
				}
				test.change(r)
				time.Sleep(time.Second)
				r.ok(r.take(1, pair(0, 0), pair(101, 0)))
				r.wantAccount(test.want)
			})
		})
	}
}

// If the customer can't get what was taken for it, the holder gets it back.
func TestReassociationThatFailsIsUndone(t *testing.T) {
	prior := latches{1: pair(100, 0), 2: pair(101, 201), 3: pair(0, 203)}
	for name, fault := range map[string]fusebillsim.Fault{
		"on the second holder": {Kind: fusebillsim.FaultStatus500Before, Match: writes(3), Times: 5},
		"on its own write":     {Kind: fusebillsim.FaultStatus500Before, Match: writes(1), Times: 5},
		"on the second's read": {Kind: fusebillsim.FaultStatus500Before, Match: reads(3), Times: 5},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, prior)
				if err := r.keeper.knowHolders(context.Background()); err != nil {
					t.Fatal(err)
				}
				r.sim.Inject(fault)
				if err := r.updateNow(context.Background(), 1, pair(100, 0), pair(101, 203), true); err == nil {
					t.Error("it has succeeded")
				}
				r.wantAccount(prior)
			})
		})
	}
}

// A release whose outcome can't be found out counts as done, and is put back.
func TestReassociationWithAnUnknownOutcomeIsUndone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		if err := r.keeper.knowHolders(context.Background()); err != nil {
			t.Fatal(err)
		}
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500After, Match: writes(2), Times: 5})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: reads(2), After: 1, Times: 5})
		if err := r.updateNow(context.Background(), 1, pair(0, 0), pair(101, 0), true); err == nil {
			t.Error("it has succeeded")
		}
		r.wantAccount(latches{1: {}, 2: pair(101, 201)})
	})
}

// The holder's own operation may come before, meanwhile or later: it waits, and finds what is left.
func TestReassociationAndTheHoldersOperation(t *testing.T) {
	for _, gap := range []time.Duration{time.Millisecond, 50 * time.Millisecond, 70 * time.Millisecond, 90 * time.Millisecond, time.Second} {
		for _, first := range []string{"taker", "holder"} {
			t.Run(fmt.Sprint(first, " first, ", gap), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
					r.gap = gap
					operations := []operation{r.take(1, pair(0, 0), pair(101, 0)), r.update(2, pair(101, 201), pair(102, 201))}
					if first == "holder" {
						operations[0], operations[1] = operations[1], operations[0]
					}
					r.ok(operations...)
					r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 201)})
				})
			})
		}
	}
}

// Whatever a service does with a claim of what another holds, moves settle, and so they do where
// the account can't be read and only the service's refusal tells.
func TestMovesInEveryConflictMode(t *testing.T) {
	for name, m := range movesByName {
		for mode, conflict := range conflictModes {
			for _, options := range [][]Option{nil, {unreadable}} {
				for _, gap := range []time.Duration{time.Millisecond, 3 * callTime / 2, time.Second} {
					t.Run(fmt.Sprint(name, " ", mode, " unreadable=", len(options) > 0, " ", gap), func(t *testing.T) {
						inBubble(t, func(t *testing.T) {
							if conflict == fusebillsim.ConflictStatus400 && len(options) > 0 && gap == time.Second && len(m.prior) > 5 {
								t.Skip("A 400 may mean anything, and isn't waited on for longer than the stall timeout.")
							}
							r := newTrial(t, m.prior, options...)
							r.gap = gap
							r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = conflict })
							r.ok(m.updates(r)...)
							r.wantAccount(m.declared)
						})
					})
				}
			}
		}
	}
}

var conflictModes = map[string]fusebillsim.ConflictMode{
	"409": fusebillsim.ConflictStatus409, "400": fusebillsim.ConflictStatus400, "moves": fusebillsim.ConflictMoves,
}

// A refusal by a holder nobody knows is the answer once nothing goes on any more.
func TestUnknownHolderOfAnUnreadableAccount(t *testing.T) {
	for mode, status := range map[fusebillsim.ConflictMode]int{
		fusebillsim.ConflictStatus409: http.StatusConflict, fusebillsim.ConflictStatus400: http.StatusBadRequest,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: {}, 2: pair(101, 0), 3: {}}, unreadable)
				r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = mode })
				begin := time.Now()
				err := r.createNow(context.Background(), 1, pair(101, 0), false)
				if refusal := errorAs[*fusebill.APIError](t, err); refusal.StatusCode != status {
					t.Errorf("got %v", err)
				}
				wantTook(t, begin, DefaultStallTimeout, DefaultStallTimeout+200*time.Millisecond)
				r.wantWrites(1)
			})
		})
	}
}

// While other things go on, such a claim isn't written again and again, and doesn't fail before its
// holder comes.
func TestUnknownHolderThatComesLate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		account := latches{1: {}, 2: pair(101, 0)}
		r := newTrial(t, account, unreadable)
		operations := []operation{r.create(1, pair(101, 0))}
		for id := int64(10); id < 40; id++ {
			r.sim.AddCustomers(fusebillsim.Customer{ID: id})
			operations = append(operations, r.create(id, pair(1000+id, 0)))
		}
		r.gap = 300 * time.Millisecond
		r.ok(append(operations, r.update(2, pair(101, 0), pair(102, 0)))...)
		r.wantAccount(latches{1: pair(101, 0), 2: pair(102, 0)})
		if most := len(operations) + 3; r.sim.Writes() > most {
			t.Errorf("%d writes, want %d at most", r.sim.Writes(), most)
		}
	})
}

// A contact that HubSpot doesn't have is refused with a 400, which may have been a conflict. That
// costs no reading of the account each time, and no wait.
func TestUnknownContactsCostNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: {}, 3: {}, 4: {}, 5: {}})
		r.sim.Configure(func(b *fusebillsim.Behavior) {
			b.UnknownContacts = map[int64]bool{901: true, 902: true, 903: true, 904: true, 905: true}
		})
		begin := time.Now()
		for i, id := range ids(5) {
			wantError[*fusebill.APIError](t, r.createNow(context.Background(), id, pair(900+int64(i)+1, 0), false))
		}
		wantTook(t, begin, 0, 15*callTime)
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 1 {
			t.Errorf("%d lists", lists)
		}
		r.wantWrites(5)
	})
}

// A conflict that the account didn't show is looked up, and then waited for or taken from its
// holder.
func TestConflictThatTheAccountDidNotShow(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			r := newTrial(t, latches{1: {}, 2: {}, 3: {}})
			r.ok(r.update(3, pair(0, 0), pair(103, 0)))
			r.sim.SetLatch(2, 101, 0)
			time.Sleep(time.Second)
			held := errorAs[*HeldError](t, r.createNow(context.Background(), 1, pair(101, 0), false))
			if held.Held[0].Holder != 2 {
				t.Errorf("got %+v", held)
			}
		})
	})
	t.Run("taken", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			r := newTrial(t, latches{1: {}, 2: {}, 3: {}})
			r.ok(r.update(3, pair(0, 0), pair(103, 0)))
			r.sim.SetLatch(2, 101, 202)
			time.Sleep(time.Second)
			r.ok(r.take(1, pair(0, 0), pair(101, 0)))
			r.wantAccount(latches{1: pair(101, 0), 2: pair(0, 202)})
		})
	})
}

// A conflict with a holder that no list shows is the service's word alone.
func TestConflictThatNoListShows(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: {}})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStaleList, Times: -1})
		r.sim.SetLatch(2, 101, 0)
		wantError[*fusebill.APIError](t, r.createNow(context.Background(), 1, pair(101, 0), true))
		r.wantWrites(1)
	})
}

// Where somebody else gets what was taken from a holder, the holder's loss is told, and no more is
// taken from anybody.
func TestTakenBySomebodyElseOnTheWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0)})
		r.sim.Inject(fusebillsim.Fault{Match: writes(1), Times: -1, OnRequest: func(*http.Request) { r.sim.SetLatch(3, 101, 0) }})
		r.sim.AddCustomers(fusebillsim.Customer{ID: 3})
		lost := errorAs[*NotRestoredError](t, r.createNow(context.Background(), 1, pair(101, 0), true))
		if lost.CustomerID != 2 || !lost.Current.IsZero() {
			t.Errorf("got %+v", lost)
		}
		r.wantAccount(latches{1: {}, 2: {}, 3: pair(101, 0)})
	})
}

// A lost response isn't a lost write, on no write of a ring.
func TestLostResponsesInARing(t *testing.T) {
	m := ring(3)
	for _, kind := range []fusebillsim.FaultKind{
		fusebillsim.FaultDropAfter, fusebillsim.FaultStatus500After, fusebillsim.FaultDropBefore, fusebillsim.FaultStatus500Before,
	} {
		for _, times := range []int{1, 5} {
			for write := range 4 {
				t.Run(fmt.Sprintf("%s %d times from write %d", kind, times, write), func(t *testing.T) {
					inBubble(t, func(t *testing.T) {
						r := newTrial(t, m.prior)
						r.sim.Inject(fusebillsim.Fault{Kind: kind, Match: writes(), After: write, Times: times})
						errs := r.at(context.Background(), 10, m.updates(r)...)
						done := kind == fusebillsim.FaultDropAfter || kind == fusebillsim.FaultStatus500After || times == 1
						if err := errors.Join(errs...); done {
							if err != nil {
								t.Error(err)
							}
							r.wantAccount(m.declared)
							return
						}
						r.wantNothingLost(m, errs)
					})
				})
			}
		}
	}
}

// What was given up is put back even where the responses to that are lost.
func TestLostResponsesWhilePuttingBack(t *testing.T) {
	for _, kind := range []fusebillsim.FaultKind{fusebillsim.FaultDropAfter, fusebillsim.FaultStatus500After, fusebillsim.FaultDropBefore} {
		t.Run(kind.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
				r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
				times := 5
				if kind == fusebillsim.FaultDropBefore {
					times = 4
				}
				r.sim.Inject(fusebillsim.Fault{Kind: kind, Match: writes(2), After: 1, Times: times})
				if err := r.updateNow(context.Background(), 1, pair(0, 0), pair(101, 999), true); err == nil {
					t.Error("it has succeeded")
				}
				r.wantAccount(latches{1: {}, 2: pair(101, 201)})
			})
		})
	}
}

// What can't be put back is told, with the reasons for both.
func TestNotPutBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(2), After: 1, Times: 5})
		err := r.updateNow(context.Background(), 1, pair(0, 0), pair(101, 999), true)
		lost := errorAs[*NotRestoredError](t, err)
		if lost.CustomerID != 2 || lost.Prior != pair(101, 201) || lost.Current != pair(0, 201) {
			t.Errorf("got %+v", lost)
		}
		r.wantAccount(latches{1: {}, 2: pair(0, 201)})
		r.ok(r.update(1, pair(0, 0), pair(101, 0))) // It is free.
	})
}

// An answer that shows another latch than was asked for is an error with both.
func TestUnexpectedAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDifferentAnswer})
		err := r.createNow(context.Background(), 1, pair(100, 200), false)
		if got := errorAs[*UnexpectedAnswerError](t, err); got.Requested != pair(100, 200) || got.Answered != pair(101, 201) {
			t.Errorf("got %+v", got)
		}
	})
}

// A write that may have been done is read back. What it turns out to be is the result.
func TestUnknownOutcome(t *testing.T) {
	for name, test := range map[string]struct {
		kind fusebillsim.FaultKind
		want func(*testing.T, error)
	}{
		"done":     {fusebillsim.FaultStatus500After, func(t *testing.T, err error) { t.Helper(); wantNil(t, err) }},
		"not done": {fusebillsim.FaultStatus500Before, func(t *testing.T, err error) { t.Helper(); wantError[*UnconfirmedError](t, err) }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: {}})
				r.sim.Inject(fusebillsim.Fault{Kind: test.kind, Match: writes(1), Times: 5})
				test.want(t, r.createNow(context.Background(), 1, pair(101, 0), false))
			})
		})
	}
	t.Run("unreadable", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			r := newTrial(t, latches{1: {}})
			r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500After, Match: writes(1), Times: 5})
			r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Route: fusebillsim.RouteCustomer, Times: 5})
			wantError[*fusebill.OutcomeUnknownError](t, r.createNow(context.Background(), 1, pair(101, 0), false))
		})
	})
}

// Ctrl-C at any moment of a ring ends every operation soon, and no latch is lost: a ring that has
// begun is gone through with, any other wait ends at once.
func TestCancelInARing(t *testing.T) {
	for _, n := range []int64{2, 3, 8} {
		for at := time.Duration(0); at < 14*callTime; at += 7 * time.Millisecond {
			for _, slow := range []string{"answer", "request", "answer, without the last"} {
				t.Run(fmt.Sprint(n, " after ", at, ", slow ", slow), func(t *testing.T) {
					inBubble(t, func(t *testing.T) {
						m := ring(n)
						r := newTrial(t, m.prior)
						switch slow {
						case "request": // What is cancelled on its way isn't done.
							r.sim.Configure(func(b *fusebillsim.Behavior) { b.Latency = 0 })
							r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: callTime, Times: -1})
						case "answer, without the last":
							delete(m.prior, n)
						}
						ctx, cancel := context.WithCancel(context.Background())
						var cancelled atomic.Int64
						time.AfterFunc(at, func() { cancelled.Store(time.Now().UnixNano()); cancel() })
						errs := r.at(ctx, 10, m.updates(r)...)
						if then := cancelled.Load(); then != 0 {
							wantTook(t, time.Unix(0, then), 0, time.Second)
						}
						cancel()
						r.wantNothingLost(m, errs)
						for _, err := range errs {
							if lost := (*NotRestoredError)(nil); errors.As(err, &lost) {
								t.Errorf("lost: %v", err)
							}
						}
					})
				})
			}
		}
	}
}

// Ctrl-C while something that was given up is put back doesn't keep it from that.
func TestCancelWhilePuttingBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
		ctx, cancel := context.WithCancel(context.Background())
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: time.Second, Match: writes(2), After: 1,
			OnRequest: func(*http.Request) { cancel() },
		})
		if err := r.updateNow(ctx, 1, pair(0, 0), pair(101, 999), true); err == nil {
			t.Error("it has succeeded")
		}
		r.wantAccount(latches{1: {}, 2: pair(101, 201)})
	})
}

// A put-back that the service doesn't answer ends some time.
func TestPuttingBackIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 201)})
		ctx, cancel := context.WithCancel(context.Background())
		r.sim.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultLatencyBefore, Latency: time.Hour, Match: writes(1), OnRequest: func(*http.Request) {},
		})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyBefore, Latency: time.Hour, Match: writes(2), After: 1, Times: -1})
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		err := r.updateNow(ctx, 1, pair(0, 0), pair(101, 0), true)
		wantError[*NotRestoredError](t, err)
		wantTook(t, begin, time.Second, time.Second+10*time.Second)
	})
}

// In a service that moves what is claimed without a refusal, what a failed ring can't put back
// isn't taken from whoever has got it by then.
func TestPuttingBackTakesFromNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := ring(3)
		r := newTrial(t, m.prior)
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
		// The first to give up fails on its last write, when another has got what it gave up.
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(), After: 3, Times: 5})
		errs := r.at(context.Background(), 10, m.updates(r)...)
		r.wantNothingLost(m, errs)
	})
}

// wantNothingLost fails where an operation without an error hasn't made what was declared, or where
// the customer of one that failed holds neither what it held nor what an error says.
func (r *trial) wantNothingLost(m moves, errs []error) {
	r.t.Helper()
	for i, id := range sorted(m.prior) {
		customer, _ := r.sim.Customer(id)
		got := pair(customer.HubSpotID, customer.HubSpotCompanyID)
		lost := (*NotRestoredError)(nil)
		switch {
		case errs[i] == nil && got != m.declared[id]:
			r.t.Errorf("customer %d: no error, and latched to %s, not to %s", id, got, m.declared[id])
		case errors.As(errs[i], &lost) && got != lost.Current:
			r.t.Errorf("customer %d is latched to %s, and the error is %v", id, got, errs[i])
		case errs[i] != nil && lost == nil && got != m.prior[id]:
			r.t.Errorf("customer %d: lost %s, is latched to %s, with the error %v", id, m.prior[id], got, errs[i])
		}
	}
}

// reads matches the reads of a customer by itself.
func reads(id int64) func(*http.Request) bool {
	return func(req *http.Request) bool { return req.URL.Path == fmt.Sprintf("/v1/customers/%d", id) }
}

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// A holder that lets go while the refusal that it caused is on its way is noticed at once.
func TestHolderThatLetsGoDuringTheRefusal(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 0)}, unreadable)
		r.gap = 30 * time.Millisecond
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultLatencyAfter, Latency: 200 * time.Millisecond, Match: writes(1)})
		begin := time.Now()
		r.ok(r.create(1, pair(101, 0)), r.delete(2, pair(101, 0)))
		wantTook(t, begin, 0, time.Second)
		r.wantWrites(3)
	})
}

// Where a ring's last write fails, its first ID is somebody else's by then. Going through with it
// is what loses nothing.
func TestRingWhoseLastWriteFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := ring(3)
		r := newTrial(t, m.prior)
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(), After: 3, Times: 5})
		r.ok(m.updates(r)...)
		r.wantAccount(m.declared)
	})
}

// A ring is not entered in vain: a change whose contact is in a ring, and whose company is held by
// a customer that nobody changes, releases nothing.
func TestRingIsNotEnteredInVain(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTrial(t, latches{1: pair(101, 201), 2: pair(102, 0), 3: pair(0, 202)})
				operations := []operation{r.update(2, pair(102, 0), pair(101, 0)), r.update(1, pair(101, 201), pair(102, 202))}
				for _, err := range r.at(context.Background(), 10, operations[order[0]], operations[order[1]]) {
					wantError[*HeldError](t, err)
				}
				r.wantWrites(0)
			})
		})
	}
}

// A 400 that may be a conflict isn't waited on for long, whatever else goes on.
func TestUnknownReasonOfARefusalIsNotWaitedOnForLong(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: {}}, unreadable)
		r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{901: true} })
		r.sim.Inject(slowWrite(2, 40*time.Second))
		go r.at(context.Background(), 10, r.create(2, pair(102, 0)))
		begin := time.Now()
		wantError[*fusebill.APIError](t, r.createNow(context.Background(), 1, pair(901, 0), false))
		wantTook(t, begin, DefaultStallTimeout, DefaultStallTimeout+200*time.Millisecond)
		time.Sleep(time.Minute)
	})
}

// An answer that denies what a later read shows is an error, and what was made stays: the state
// gets what was shown last.
func TestReassociationThatIsDenied(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		prior := latches{1: pair(100, 200), 2: pair(101, 201)} // The answer shows what customer 1 held before.
		r := newTrial(t, prior)
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDifferentAnswer, Match: writes(1)})
		wantError[*UnexpectedAnswerError](t, r.updateNow(context.Background(), 1, prior[1], pair(101, 201), true))
		r.wantAccount(latches{1: pair(101, 201), 2: {}})
	})
}

// What is put back doesn't wait for who has been refused, and waits for something else now.
func TestPuttingBackWhatAnotherWasRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(101, 301), 3: pair(0, 302), 5: pair(0, 201)}, unreadable)
		r.gap = 2 * callTime
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, IDs: []int64{5}, Times: -1})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(2), After: 1, Times: 10})
		errs := r.at(context.Background(), 10, r.create(1, pair(101, 201)), r.update(3, pair(0, 302), pair(0, 301)),
			func(ctx context.Context) error {
				defer wantTook(t, time.Now(), 0, time.Second)
				return r.update(2, pair(101, 301), pair(102, 302))(ctx)
			})
		if errs[0] == nil {
			t.Error("what two others hold was latched")
		}
		wantError[*NotRestoredError](t, errs[2])
		r.wantAccount(latches{1: {}, 2: pair(101, 0), 3: pair(0, 301), 5: pair(0, 201)})
	})
}

// What another is about to get may be free again in a moment: that is waited for before it counts
// as gone.
func TestPuttingBackWhatAnotherFailsToTake(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m := moves{
			prior:    latches{1: pair(101, 0), 2: pair(102, 0), 3: pair(103, 0)},
			declared: latches{1: pair(103, 0), 2: pair(101, 0), 3: pair(102, 0)},
		}
		r := newTrial(t, m.prior)
		r.gap = 2 * callTime
		r.sim.Inject(slowWrite(2, 5*time.Second))
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Match: writes(2), Times: 5})
		errs := r.at(context.Background(), 10, r.update(2, m.prior[2], m.declared[2]), func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			return r.update(3, m.prior[3], m.declared[3])(ctx)
		}, r.update(1, m.prior[1], m.declared[1])) // which closes the ring, and gives up
		for _, err := range errs {
			if err == nil {
				t.Error("an operation has succeeded")
			}
		}
		r.wantAccount(m.prior)
	})
}

// What is refused for another reason isn't taken from its holder time and again.
func TestReassociationThatIsRefusedTakesOnce(t *testing.T) {
	for name, options := range map[string][]Option{"readable": nil, "unreadable": {unreadable}} {
		for reason, declared := range map[string]fusebill.Latch{"unknown": pair(101, 999), "held by nobody knows whom": pair(101, 203)} {
			t.Run(name+" "+reason, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					prior := latches{1: {}, 2: pair(101, 201), 3: pair(0, 203)}
					r := newTrial(t, prior, options...)
					r.sim.Configure(func(b *fusebillsim.Behavior) { b.UnknownCompanies = map[int64]bool{999: true} })
					r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, IDs: []int64{3}, Times: -1})
					if _, err := r.keeper.reader.Customer(context.Background(), 2); err != nil {
						t.Fatal(err)
					}
					wantError[*fusebill.APIError](t, r.createNow(context.Background(), 1, declared, true))
					r.wantWrites(3)
					r.wantAccount(prior)
				})
			})
		}
	}
}

package latch

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// A set and single latches that change at the same time bring their declared latches in any order:
// single latches of the customers of the set, and of others.
func TestApplySet_settlesBesideSingleLatches(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]bool{"the set first": true, "the set last": false} {
		runInBubble(t, name, func(t *testing.T) {
			account := numbered(40, 100)
			account[41], account[42] = pair(141, 0), pair(0, 0)
			r := newTrial(t, account)
			// The set releases contacts 140 and 101, and claims 141. It adopts the latches of customers 1
			// to 20, whose single latches are destroyed.
			prior, declared := make(latches), make(latches)
			for id := range int64(20) {
				declared[id+1] = account[id+1]
				prior[id+21], declared[id+21] = account[id+21], account[id+21]
			}
			declared[1] = pair(101, 201)
			declared[40] = pair(141, 0)
			set := func(ctx context.Context) error {
				results, err := r.coordinator.Apply(ctx, changesBetween(prior, declared), ApplyOptions{})
				r.wantResults(results, nil)
				return err
			}
			operations := []operation{r.update(41, account[41], pair(140, 0))}
			for id := range int64(20) {
				operations = append(operations, r.delete(id+1, account[id+1]))
			}
			if first {
				operations = slices.Insert(operations, 0, operation(set))
			} else {
				operations = append(operations, set)
			}
			r.runOK(operations...)
			declared[41] = pair(140, 0)
			r.wantAccount(declared)
		})
	}
}

// A set that is renamed without a moved block is destroyed and created at the same time. Its
// latches exist afterwards.
func TestApplySet_keepsLatchesWhenRenamed(t *testing.T) {
	t.Parallel()
	for _, gap := range []time.Duration{0, time.Millisecond, callTime, 3 * callTime, time.Second} {
		for name, createFirst := range map[string]bool{"created first": true, "destroyed first": false} {
			runInBubble(t, fmt.Sprintf("%s, %s apart", name, gap), func(t *testing.T) {
				const n = 300
				held, declared := numbered(n, 100), numbered(n, 100)
				declared[5] = pair(105, 205)
				r := newTrial(t, held)
				r.gap = gap
				operations := []operation{
					func(ctx context.Context) error {
						_, err := r.coordinator.Apply(ctx, changesBetween(held, nil), ApplyOptions{})
						return err
					},
					func(ctx context.Context) error {
						results, err := r.coordinator.Apply(ctx, changesBetween(nil, declared), ApplyOptions{})
						r.wantResults(results, nil)
						return err
					},
				}
				if createFirst {
					slices.Reverse(operations)
				}
				r.runOK(operations...)
				r.wantAccount(declared)
			})
		}
	}
}

// The destroy of a renamed set waits for the create, so the rename takes no write, in either order.
func TestApplySet_renamesWithoutWrites(t *testing.T) {
	for _, isDestroyedFirst := range []bool{true, false} {
		for _, gap := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond} {
			runInBubble(t, fmt.Sprint(gap, " destroyed first=", isDestroyedFirst), func(t *testing.T) {
				held := numbered(200, 100)
				r := newTrial(t, held)
				r.gap = gap
				operations := []operation{
					r.set(held, nil, ApplyOptions{AwaitOthers: 5 * time.Second}), r.set(nil, held, ApplyOptions{}),
				}
				if !isDestroyedFirst {
					slices.Reverse(operations)
				}
				r.runOK(operations...)
				r.wantAccount(held)
				r.wantWrites(0)
			})
		}
	}
}

// Two sets exchange all latches, in opposite orders. More changes of each set wait for the other
// set than a set has workers.
func TestApplySet_exchangesLatchesWithAnotherSet(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const n = 100
		account := numbered(2*n, 1000)
		r := newTrial(t, account)
		set := func(from, to int64) operation {
			return func(ctx context.Context) error {
				prior, declared := make(latches), make(latches)
				for id := from; id < to; id++ {
					prior[id], declared[id] = account[id], account[2*n+1-id]
				}
				results, err := r.coordinator.Apply(ctx, changesBetween(prior, declared), ApplyOptions{})
				r.wantResults(results, nil)
				return err
			}
		}
		start := time.Now()
		r.runOK(set(1, n+1), set(n+1, 2*n+1))
		wantTook(t, start, 0, 20*time.Second)
		want := make(latches)
		for id := range account {
			want[id] = account[2*n+1-id]
		}
		r.wantAccount(want)
	})
}

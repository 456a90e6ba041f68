package provider

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// progressEvery is the time between two records of the progress of a long apply.
const progressEvery = 10 * time.Second

// largeSet is the number of rows above which a read of a set first looks up a few customers, so a
// read with the key of another account ends after a few calls.
const largeSet = 200

// readLatches returns the latches of those of the customers that are latched, and the customers
// that no longer exist.
func (r *hubSpotLatchesResource) readLatches(
	ctx context.Context, customerIDs []int64,
) (latches map[int64]fusebill.Latch, gone []int64, err error) {
	latches, gone, err = r.data.reader.Managed(ctx, customerIDs)
	maps.DeleteFunc(latches, func(_ int64, l fusebill.Latch) bool { return l.IsZero() })
	return latches, gone, err
}

// latched returns all latches of the account.
func (r *hubSpotLatchesResource) latched(ctx context.Context) (map[int64]fusebill.Latch, error) {
	return r.data.reader.Latched(ctx, customers.MaxAge, math.MaxInt)
}

// applyChanges makes changes. It returns the outcome of each change that was begun, and an error
// that explains why the others were not begun.
func (r *hubSpotLatchesResource) applyChanges(
	ctx context.Context, changes []latch.Change, options latch.ApplyOptions,
) (map[int64]latch.Result, error) {
	options.Progress = progressLog(ctx)
	return r.data.apply(ctx, changes, options)
}

// changesOf returns the changes from the prior to the declared rows, in the order of the customers.
// It leaves out rows with values that are not known yet. The prior latch of a new row is the one in
// known, if there is one.
func changesOf(prior, declared setRows, known map[int64]fusebill.Latch) []latch.Change {
	var changes []latch.Change
	for id, want := range declared.latches {
		have, isListed := prior.latches[id]
		if !isListed {
			have = known[id]
		}
		if have != want && !declared.mayBePartly(id) {
			changes = append(changes, latch.Change{CustomerID: id, Prior: have, Declared: want})
		}
	}
	for _, id := range prior.missingFrom(declared) {
		changes = append(changes, latch.Change{CustomerID: id, Prior: prior.latches[id]})
	}
	sortChanges(changes)
	return changes
}

func sortChanges(changes []latch.Change) {
	slices.SortFunc(changes, func(a, b latch.Change) int { return cmp.Compare(a.CustomerID, b.CustomerID) })
}

// rowIntents returns the intents of a plan, one for each customer. A row that stays as it is takes
// no part in the apply, even if other rows of the set change.
func (p setPlan) rowIntents() []latch.Intent {
	intents := make([]latch.Intent, 0, len(p.declared.latches)+len(p.size.removed))
	for _, id := range p.declared.customers() {
		intent := latch.Intent{
			CustomerID: id, Kind: latch.Declare, Prior: p.prior.latches[id], Declared: p.declared.latches[id],
		}
		if intent.Prior == intent.Declared && !p.declared.mayBePartly(id) {
			intent.Kind = latch.Keep
		}
		intents = append(intents, intent)
	}
	for _, id := range p.size.removed {
		intents = append(intents, latch.Intent{CustomerID: id, Kind: latch.RemoveRow, Prior: p.prior.latches[id]})
	}
	return intents
}

// destroyIntents returns the intents of the destroy of a set.
func destroyIntents(prior setRows) []latch.Intent {
	var intents []latch.Intent
	for _, id := range prior.customers() {
		intents = append(intents, latch.Intent{CustomerID: id, Kind: latch.Destroy, Prior: prior.latches[id]})
	}
	return intents
}

// progressLog returns a function that logs the progress of a long apply, and an estimate of the
// time that it still takes.
func progressLog(ctx context.Context) func(done, total int) {
	start := time.Now()
	last := start
	return func(done, total int) {
		now := time.Now()
		if now.Sub(last) < progressEvery && done < total {
			return
		}
		last = now
		left := now.Sub(start) / time.Duration(done) * time.Duration(total-done)
		tflog.Info(ctx, "applying HubSpot latches", map[string]any{"done": done, "total": total,
			"time_left": left.Round(time.Second).String()})
	}
}

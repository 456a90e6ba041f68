package provider

import (
	"context"
	"maps"
	"math"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// progressEvery is how often a long apply logs how far it is.
const progressEvery = 10 * time.Second

// readLatches returns the latches of those customers that are latched.
func (r *hubSpotLatchesResource) readLatches(ctx context.Context, customerIDs []int64) (map[int64]fusebill.Latch,
	error) {
	latches, _, err := r.data.reader.Managed(ctx, customerIDs)
	maps.DeleteFunc(latches, func(_ int64, l fusebill.Latch) bool { return l.IsZero() })
	return latches, err
}

// latched returns all latches of the account.
func (r *hubSpotLatchesResource) latched(ctx context.Context) (map[int64]fusebill.Latch, error) {
	return r.data.reader.Latched(ctx, customers.MaxAge, math.MaxInt)
}

// largeSet is from how many rows on it is worth a call to learn whether the account has any of the
// customers before the set is read.
const largeSet = 200

// applyChanges makes changes. It returns the outcome of each change that was begun, and an error
// that explains why the others were not.
func (r *hubSpotLatchesResource) applyChanges(
	ctx context.Context, changes []latch.Change, options latch.ApplyOptions,
) (map[int64]latch.Result, error) {
	options.Progress = progressLog(ctx)
	return r.data.apply(ctx, changes, options)
}

// rowIntents returns what a plan intends for each customer. A row that stays as it is takes no part
// in the apply, even if other rows of the set change.
func (p setPlan) rowIntents() []latch.Intent {
	intents := make([]latch.Intent, 0, len(p.declared.latches)+len(p.size.removed))
	for _, id := range p.declared.customers() {
		intent := latch.Intent{CustomerID: id, Kind: latch.Declare, Prior: p.prior.latches[id], Declared: p.declared.latches[id]}
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

// destroyIntents returns what the destroy of a set intends.
func destroyIntents(prior setRows) []latch.Intent {
	var intents []latch.Intent
	for _, id := range prior.customers() {
		intents = append(intents, latch.Intent{CustomerID: id, Kind: latch.Destroy, Prior: prior.latches[id]})
	}
	return intents
}

// progressLog logs how far a long apply is, and how long the rest takes at the same pace.
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

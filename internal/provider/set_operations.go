package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// progressEvery is how often a long apply logs how far it is.
const progressEvery = 10 * time.Second

// readLatches returns the latches of those customers that are latched.
func (r *hubSpotLatchesResource) readLatches(ctx context.Context, customerIDs []int64) (map[int64]fusebill.Latch,
	error) {
	return r.data.latches().ReadSet(ctx, customerIDs)
}

// latched returns all latches of the account.
func (r *hubSpotLatchesResource) latched(ctx context.Context) (map[int64]fusebill.Latch, error) {
	return r.data.latches().Latched(ctx)
}

// existing reports of each of these customers whether it exists. It reads what checks of their
// changes need.
func (r *hubSpotLatchesResource) existing(ctx context.Context, changes []latch.Change) (map[int64]bool, error) {
	return r.data.latches().ReadBeforePlan(ctx, changes)
}

const (
	// sampleSize is how many customers of a set are looked up to learn whether the account has any.
	sampleSize = 10
	// largeSet is from how many rows on that is worth a call of its own before the set is read.
	largeSet = 200
)

// missingSample looks up some of these customers, and returns them if none exists. Each customer
// that a list does not have costs a call of its own, so with the key of another account, to look up
// all of a large set would take minutes.
func (r *hubSpotLatchesResource) missingSample(ctx context.Context, customerIDs []int64) ([]int64, error) {
	sample := customerIDs
	if n := len(customerIDs); n > sampleSize {
		sample = nil
		for i := range sampleSize {
			sample = append(sample, customerIDs[i*n/sampleSize])
		}
	}
	var changes []latch.Change
	for _, id := range sample {
		changes = append(changes, latch.Change{CustomerID: id}) // It claims nothing, so nothing else is read.
	}
	exists, err := r.existing(ctx, changes)
	if err != nil || len(exists) > 0 {
		return nil, err
	}
	return sample, nil
}

// checkChange returns the claims of a change that other customers hold and are not planned to
// release.
func (r *hubSpotLatchesResource) checkChange(ctx context.Context, change latch.Change, reassociate bool) ([]latch.Holding,
	error) {
	return r.data.latches().CheckPlan(ctx, change.CustomerID, change.Prior, change.Declared, reassociate)
}

// applyChanges makes changes. It returns the outcome of each change that was begun, and an error
// that explains why the others were not.
func (r *hubSpotLatchesResource) applyChanges(
	ctx context.Context, changes []latch.Change, options latch.ApplyOptions,
) (map[int64]latch.Result, error) {
	options.Progress = progressLog(ctx)
	return r.data.latches().Apply(ctx, changes, options)
}

// rowConflict is a row that another object of the configuration or the state contradicts.
type rowConflict struct {
	customerID int64
	declared   fusebill.Latch
	isUnlisted bool // the set does not list the customer, and is exclusive
	err        error
}

// noteIntents notes what a plan intends for each customer, and returns what contradicts the intents
// of other objects.
func (r *hubSpotLatchesResource) noteIntents(p setPlan) []rowConflict {
	var conflicts []rowConflict
	add := func(id int64, declared fusebill.Latch, isUnlisted bool, err error) {
		if err != nil {
			conflicts = append(conflicts, rowConflict{id, declared, isUnlisted, err})
		}
	}
	for _, id := range p.declared.customers() {
		declared := p.declared.latches[id]
		err := r.data.latches().Declare(p.owner, id, declared)
		if err == nil && declared == p.prior.latches[id] {
			err = r.data.latches().DeclareKept(p.owner, id)
		}
		add(id, declared, false, err)
	}
	for _, id := range p.size.removed {
		add(id, fusebill.Latch{}, false, r.data.latches().DeclareRemoved(p.owner, id))
	}
	if p.isExclusive {
		for _, id := range sortedKeys(p.others) {
			add(id, fusebill.Latch{}, true, r.data.latches().Declare(p.owner, id, fusebill.Latch{}))
		}
	}
	return conflicts
}

// noteDestroy is noteIntents for a set that is destroyed.
func (r *hubSpotLatchesResource) noteDestroy(owner string, customerIDs []int64) []rowConflict {
	var conflicts []rowConflict
	for _, id := range customerIDs {
		if err := r.data.latches().DeclareRemoved(owner, id); err != nil {
			conflicts = append(conflicts, rowConflict{customerID: id, err: err})
		}
	}
	return conflicts
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

package latch_test

import (
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// The invariants of this file bound the time and the writes of a run.

// nothingHangs checks that each operation ends without being cancelled by the model.
func (r *run) nothingHangs(violated report) {
	for _, o := range r.operations {
		if o.ended >= r.tooLong() {
			violated("%s did not end within %s", o.name, r.tooLong())
		}
	}
}

// cancelledOperationsEnd checks that an operation that is cancelled ends within two seconds where
// nothing is open that it may have to close, and otherwise within ten.
func (r *run) cancelledOperationsEnd(violated report) {
	const margin = 50 * time.Millisecond
	for _, o := range r.operations {
		if o.stopped == 0 || o.ended >= r.tooLong() {
			continue
		}
		within := 2 * time.Second
		if r.hasReleased(o.ended) {
			within = 10 * time.Second
		}
		if o.ended-o.stopped > within+margin {
			violated("%s was cancelled at %s and ended at %s, after more than %s", o.name, o.stopped, o.ended, within)
		}
	}
}

// hasReleased reports whether the run had sent a write that only prepares another one: of a latch
// that nobody declares for the customer, or for a customer that is taken from.
func (r *run) hasReleased(until time.Duration) bool {
	declared, takenFrom := make(map[int64][]fusebill.Latch), make(map[int64]bool)
	for _, o := range r.outcomes() {
		if !o.releases() {
			declared[o.CustomerID] = append(declared[o.CustomerID], o.Declared)
		}
		for _, id := range r.takesFrom(o) {
			takenFrom[id] = true
		}
	}
	return slices.ContainsFunc(r.service.requests, func(req *request) bool {
		return req.write && req.sent <= until &&
			(takenFrom[req.ids[0]] || !slices.Contains(declared[req.ids[0]], req.latch))
	})
}

// fewWrites checks that, without disturbances, each change writes its customer twice at most, and
// four times where a change of the run failed or was refused, and was undone. Each change that
// takes from the customer may write it once more, and restore it. If the account is not read,
// refusals do not count.
func (r *run) fewWrites(violated report) {
	if !r.isQuiet() || len(r.refuses) > 0 {
		return
	}
	each := 1
	if r.neverReads || slices.ContainsFunc(r.operations, (*operation).hasFailed) {
		each = 2
	}
	most, count := make(map[int64]int), make(map[int64]int)
	for _, o := range r.outcomes() {
		most[o.CustomerID] += 2 * each
		for _, holder := range r.takesFrom(o) {
			most[holder] += each
		}
	}
	for _, req := range r.service.requests {
		if isRefused := r.neverReads && req.status >= 400; req.write && !isRefused {
			count[req.ids[0]]++
		}
	}
	for id, n := range count {
		if n > most[id] {
			violated("customer %d was written %d times, more than %d", id, n, most[id])
		}
	}
}

// nothingIsReleasedInVain checks that, without disturbances and where the holders are known,
// nothing is written for a customer whose change fails and from which no other change takes.
func (r *run) nothingIsReleasedInVain(violated report) {
	if !r.isQuiet() || r.neverReads || len(r.refuses)+len(r.merged) > 0 {
		return
	}
	for _, o := range r.outcomes() {
		isWritten := slices.ContainsFunc(r.service.requests, func(req *request) bool {
			return req.write && req.ids[0] == o.CustomerID
		})
		isWrittenByOthers := r.hasOutcome(func(other outcome) bool {
			return other.CustomerID == o.CustomerID && other.operation != o.operation ||
				slices.Contains(r.takesFrom(other), o.CustomerID)
		})
		if !o.succeeded() && isWritten && !isWrittenByOthers {
			violated("%s wrote customer %d, and failed: %v", o.name, o.CustomerID, o.result.Err)
		}
	}
}

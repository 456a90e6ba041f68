package provider

import (
	"maps"
	"slices"
	"sync"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// setMemory passes data between the operations on the latch sets of one process, because Terraform
// does not pass it. It is safe for concurrent use.
type setMemory struct {
	mu         sync.Mutex
	incomplete []setRows                // sets that were read, and whose create has ended with errors
	left       map[int64]fusebill.Latch // latches that the destroy half of a replacement has left in place
}

func newSetMemory() *setMemory { return &setMemory{left: make(map[int64]fusebill.Latch)} }

// noteIncomplete records a set that was read and whose create has ended with errors. Terraform
// plans the replacement of such a tainted object without its state, but reads the object before, in
// the same process.
func (m *setMemory) noteIncomplete(rows setRows) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.incomplete = append(m.incomplete, rows)
}

// resumedBy returns the incomplete set that a create replaces. Terraform does not report which one
// it is, so resumedBy chooses the one that shares most customers with the create. If none is shared
// because the customers of the create are not known yet, it returns the only incomplete set, or
// none if there are several.
func (m *setMemory) resumedBy(declared setRows) (setRows, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	best, most := setRows{}, 0
	for _, rows := range m.incomplete {
		shared := 0
		for id := range rows.latches {
			if declared.lists(id) {
				shared++
			}
		}
		if shared > most {
			best, most = rows, shared
		}
	}
	if most == 0 && declared.unknown && len(m.incomplete) == 1 {
		return m.incomplete[0], true
	}
	return best, most > 0
}

// leave records latches that the destroy half of a replacement leaves in place for the create half.
func (m *setMemory) leave(latches map[int64]fusebill.Latch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(m.left, latches)
}

// leftTo returns the latches that were left in place for a create. They are its prior latches.
func (m *setMemory) leftTo(declared setRows) map[int64]fusebill.Latch {
	m.mu.Lock()
	defer m.mu.Unlock()
	left := make(map[int64]fusebill.Latch)
	for id := range declared.latches {
		if l, ok := m.left[id]; ok {
			left[id] = l
		}
	}
	return left
}

// sortedKeys returns the customers of a map, sorted by ID.
func sortedKeys[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }

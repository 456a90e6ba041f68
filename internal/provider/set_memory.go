package provider

import (
	"maps"
	"slices"
	"sync"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// setMemory is what operations on latch sets of one process know of each other, where Terraform
// hands nothing over. It is safe for concurrent use.
type setMemory struct {
	mu         sync.Mutex
	incomplete []setRows                // sets whose create ended with errors, as they were read
	left       map[int64]fusebill.Latch // latches that a replacement's destroy has left to its create
}

func newSetMemory() *setMemory { return &setMemory{left: make(map[int64]fusebill.Latch)} }

// noteIncomplete notes a set that was read. Terraform plans the replacement of a tainted object
// without its state, but reads it before, in the same process.
func (m *setMemory) noteIncomplete(rows setRows) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.incomplete = append(m.incomplete, rows)
}

// resumedBy returns the incomplete set that a create goes on with. Terraform does not say which
// one, so it is the one that shares most customers with it. A create whose customers are not known
// yet goes on with the only one there is.
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

// leave notes latches that the destroy half of a replacement leaves to the create half.
func (m *setMemory) leave(latches map[int64]fusebill.Latch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(m.left, latches)
}

// leftTo returns the latches that were left to a create. They are what it starts from.
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

// sortedKeys returns the customers of a map in order.
func sortedKeys[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }

package latch

import (
	"context"
	"slices"
)

// What the broker does for the changes of a set, of which it is told all at once.

// beginAll begins a change of each customer for which none is under way, and returns the others.
func (b *broker) beginAll(changes []SetChange) (begun []*member, busy []SetChange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range changes {
		if b.changes[c.CustomerID] != nil {
			busy = append(busy, c)
			continue
		}
		m := &member{SetChange: c, change: &change{customerID: c.CustomerID}}
		b.changes[c.CustomerID] = m.change
		begun = append(begun, m)
	}
	b.wakeAll()
	return begun, busy
}

// awaitFree waits until no change of these customers is under way.
func (b *broker) awaitFree(ctx context.Context, changes []SetChange) error {
	for {
		b.mu.Lock()
		changed := b.changed
		taken := slices.ContainsFunc(changes, func(c SetChange) bool { return b.changes[c.CustomerID] != nil })
		b.mu.Unlock()
		if !taken {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		}
	}
}

// setTurn notes whether it is a change's turn in its set. Until then it waits, as others for a claim.
func (b *broker) setTurn(c *change, turn bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.setWaiting(c, !turn)
}

// busy counts the changes that don't wait for a claim, and returns a channel that is closed when the number may be another.
func (b *broker) busy(changes map[*change]bool) (n int, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range changes {
		if !c.waiting {
			n++
		}
	}
	return n, b.changed
}

// givingUp says that a change gives up what others in its ring wait for.
func (b *broker) givingUp(c *change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.givesUp = true
	b.wakeAll()
}

package fusebillsim

import (
	"context"
	"sync"
	"time"
)

// Settle waits for a moment in which no call is under way and no late write is pending; see
// [Behavior.AbandonedWriteDelay]. A hook of a [Fault] must not call it, since the hook's own call
// is under way.
func (s *Simulator) Settle() {
	s.pending.wait()
}

// processLater handles a write after a delay, even if its client has gone, and drops the answer.
func (s *Simulator) processLater(c *call, delay time.Duration) {
	// The client may change its request once the call has ended.
	c.Request = c.Clone(context.WithoutCancel(c.Context()))
	s.pending.add()
	go func() {
		defer s.pending.done()
		time.Sleep(delay)
		_, _ = s.process(c) // Nobody is there to answer.
	}()
}

// pending counts the calls under way and the late writes. Its zero value is ready. It makes a
// channel for a waiter only, since calls of several synctest bubbles may share a simulator.
type pending struct {
	mu      sync.Mutex
	count   int
	waiters []chan struct{} // closed once the count is 0
}

func (p *pending) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
}

func (p *pending) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count--
	if p.count == 0 {
		for _, idle := range p.waiters {
			close(idle)
		}
		p.waiters = nil
	}
}

func (p *pending) wait() {
	p.mu.Lock()
	if p.count == 0 {
		p.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	p.waiters = append(p.waiters, idle)
	p.mu.Unlock()
	<-idle
}

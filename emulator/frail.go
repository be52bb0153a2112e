package emulator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// frail is a container that runs.
type frail struct {
	Container
	saboteur *Saboteur
	model    string
	own      int64 // its limit; 0 is none

	killed atomic.Bool   // by a fault
	exits  chan Exit     // receives once
	ended  chan struct{} // closed after exits has its value

	mu    sync.Mutex
	limit int64 // that it was squeezed to; 0 is its own
	gone  bool
}

func newFrail(s *Saboteur, started Container, spec ContainerSpec) *frail {
	c := &frail{
		Container: started, saboteur: s, model: spec.Model.ID(), own: spec.CPUMillis,
		exits: make(chan Exit, 1), ended: make(chan struct{}),
	}
	go c.blame()
	return c
}

// blame says of the container's exit whether a fault was to blame, so that nobody looks
// for another cause. It ends with the container, for which Remove waits.
func (c *frail) blame() {
	defer close(c.ended)
	exit := <-c.Container.Exited()
	if c.killed.Load() {
		exit.Fault = "kill"
	}
	c.exits <- exit
}

// Exited receives once, when the container has ended.
func (c *frail) Exited() <-chan Exit { return c.exits }

// Stop stops the container. As with any other, its exit is known then.
func (c *frail) Stop(ctx context.Context, grace time.Duration) error {
	err := c.Container.Stop(ctx, grace)
	if err == nil {
		<-c.ended
	}
	return err
}

// settle gives the container the limit that it is to have now.
func (c *frail) settle(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	want := c.saboteur.of(c.model).CPUMillis
	if c.own > 0 && want >= c.own {
		want = 0 // a squeeze gives nothing
	}
	target, can := c.Container.(Frail)
	switch {
	case c.gone || want == c.limit:
		return nil
	case !can:
		return fmt.Errorf("fault cpu: %w", errors.ErrUnsupported)
	}
	if err := target.Squeeze(ctx, want); err != nil {
		return fmt.Errorf("fault cpu: %w", err)
	}
	c.limit = want
	return nil
}

// Remove forgets the container, and removes it.
func (c *frail) Remove(ctx context.Context) error {
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	s := c.saboteur
	s.mu.Lock()
	if s.running[c.Address()] == c { // else the address is another one's by now
		delete(s.running, c.Address())
	}
	s.mu.Unlock()
	err := c.Container.Remove(ctx)
	<-c.ended // its exit is known by now
	return err
}

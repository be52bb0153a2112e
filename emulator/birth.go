package emulator

import (
	"context"
	"sync"
	"time"
)

// birth is when a pod's container became what. It is safe for concurrent use; a nil one
// is of a pod that nobody waits for.
type birth struct {
	mu                     sync.Mutex
	created, up, listening time.Time
}

// create is called between a container's creation and its start.
func (b *birth) create() {
	if b != nil {
		b.set(time.Now(), time.Time{}, time.Time{})
	}
}

func (b *birth) set(created, up, listening time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.created, b.up, b.listening = created, up, listening
}

// instants are in their order, none after the last one: where something was not seen it
// came with what followed.
func (b *birth) instants(last time.Time) (created, up, listening time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	earlier := func(at, next time.Time) time.Time {
		if at.IsZero() || at.After(next) {
			return next
		}
		return at
	}
	listening = earlier(b.listening, last)
	up = earlier(b.up, listening)
	return earlier(b.created, up), up, listening
}

const (
	// connectAgain is the pause between two looks at the port of a container in a cold
	// start: what is measured is not a probe's period.
	connectAgain   = 2 * time.Millisecond
	connectTimeout = time.Second
)

// born notes that a container's process is up, and watches for its port; the returned
// function ends that.
func (c *incarnation) born(ctx context.Context) (stop func()) {
	b := c.birth
	if b == nil {
		return func() {}
	}
	b.mu.Lock()
	b.up = c.begun
	b.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			if c.Prober.Probe(ctx, Check{Kind: CheckTCP, Timeout: connectTimeout}, c.container.Address()).OK {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.listening = time.Now()
				return
			}
			if !pause(ctx, connectAgain) {
				return
			}
		}
	})
	return func() {
		cancel()
		watching.Wait()
	}
}

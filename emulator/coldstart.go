package emulator

import (
	"context"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Wait is a request that found no replica, as the port tells it once it has ended.
type Wait struct {
	Arrived, Ended time.Time
	Answered       bool // by a replica
}

// bell is where the port calls for a model that has no replica. It is safe for
// concurrent use, and keeps what its supervisor has not heard yet.
type bell struct {
	rung chan struct{} // receives once for every time it was armed, if at all
	over chan struct{} // receives once the request that rang has ended

	mu     sync.Mutex
	armed  bool
	awaits bool
	since  time.Time // when it rang
	anyone bool      // who rang left without an answer
	wait   Wait
}

func newBell() *bell {
	return &bell{rung: make(chan struct{}, 1), over: make(chan struct{}, 1)}
}

// arm has the next request ring; what rang before is forgotten.
func (b *bell) arm() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed, b.awaits, b.anyone = true, false, false
	for _, c := range []chan struct{}{b.rung, b.over} {
		select {
		case <-c:
		default:
		}
	}
}

// ring is called for every request that is held.
func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.armed {
		b.armed, b.awaits, b.since = false, true, time.Now()
		b.rung <- struct{}{}
	}
}

// ended is called for every request that was held. One that was there when it rang is
// waited for; where it left, any that a replica has answered.
func (b *bell) ended(w Wait) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rang := !w.Arrived.After(b.since)
	switch {
	case !b.awaits || !rang && !b.anyone:
	case w.Answered:
		b.awaits, b.wait = false, w
		b.over <- struct{}{}
	default:
		b.anyone = true
	}
}

// heard returns when it rang.
func (b *bell) heard() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.since
}

// answered returns the request that was waited for.
func (b *bell) answered() Wait {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.wait
}

// Wanted says that a request for the model found no replica. It does not block.
func (e *Emulator) Wanted(model string) {
	if s := e.supervisor(model); s != nil {
		s.bell.ring()
	}
}

// Waited tells of a request that was held and has ended. It does not block.
func (e *Emulator) Waited(model string, w Wait) {
	if s := e.supervisor(model); s != nil {
		s.bell.ended(w)
	}
}

// coldStart is one that goes on.
type coldStart struct {
	begun  time.Time // the first request was held
	pod    *pod      // the first that was ready; nil until then
	routed time.Time
}

// missed rings where a request came before the bell was armed and found no replica all
// the same.
func (s *supervisor) missed() {
	if d := s.Demand(s.id); d.Concurrency > 0 || d.Rate > 0 {
		s.bell.ring()
	}
}

// wake starts a model that went to zero: the port holds a request. The activator reports
// its first one at once, as one at a time and one a second.
func (s *supervisor) wake() {
	now := time.Now()
	s.cold = &coldStart{begun: s.bell.heard()}
	s.scaler.begin(s)
	s.scaler.observe(now, Demand{Concurrency: 1, Rate: 1})
	s.decide(now)
	if s.wanted == 0 { // its bounds are the user's, so there is one at least
		s.scaleTo(1)
	}
}

// warm notes the first pod that takes requests after a wake.
func (s *supervisor) warm(ready *pod) {
	if s.cold != nil && s.cold.pod == nil {
		s.cold.pod, s.cold.routed = ready, time.Now()
	}
}

// thaw tells the cold start, which the first answer has ended.
func (s *supervisor) thaw() {
	c, w := s.cold, s.bell.answered()
	s.cold = nil
	if c == nil || c.pod == nil || c.pod.birth == nil || !w.Arrived.Before(c.routed) {
		return // it had not ended yet, or nobody waited for it
	}
	if w.Arrived.Before(c.begun) {
		c.begun = w.Arrived
	}
	created, up, listening := c.pod.birth.instants(c.routed)
	s.publish(event.ColdStart{
		Pod: c.pod.name, Restarts: c.pod.restarts,
		Create: created.Sub(c.begun), Process: up.Sub(created), Listening: listening.Sub(up),
		Ready: c.routed.Sub(listening), Answer: w.Ended.Sub(c.routed), Total: w.Ended.Sub(c.begun),
	})
}

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

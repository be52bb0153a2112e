package emulator

import (
	"sync"
	"time"
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

package emulator

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// gauge keeps what the container of a pod takes of the machine. It is safe for
// concurrent use.
type gauge struct {
	mu   sync.Mutex
	last event.Usage
	at   time.Time // of the last sample; zero where there is none
}

func (g *gauge) begin() { g.set(event.Usage{}, time.Time{}) }
func (g *gauge) end()   { g.begin() }

func (g *gauge) set(u event.Usage, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last, g.at = u, at
}

// atLeast says what the peak was, where it passed between two samples.
func (g *gauge) atLeast(peak int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last.MemoryPeak = max(g.last.MemoryPeak, peak)
}

// latest is the last sample of the container that runs now, and when it came. It is
// false where there is none: no container runs, or its use cannot be known.
func (g *gauge) latest() (u event.Usage, at time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last, g.at, !g.at.IsZero()
}

const (
	// usageStep and usageShare are what of a change is worth an event.
	usageStep  = 1 << 20 // bytes
	usageShare = 0.01    // of a core, or of the scheduling periods
	// usageAgain is when an unchanged sample is told all the same, so that a late
	// reader finds it among those that are kept.
	usageAgain = time.Minute
)

// measure keeps every sample of the container and publishes those that say something.
func (c *incarnation) measure(ctx context.Context) {
	var told event.Usage
	var toldAt time.Time
	var near pressure
	err := c.container.Usage(ctx, func(u event.Usage) {
		now := time.Now()
		before, _, _ := c.usage.latest()
		u.Pod, u.Replica, u.MemoryLimit = c.name, c.started.Replica, c.limit
		u.MemoryPeak = max(u.MemoryPeak, u.Memory, before.MemoryPeak)
		c.usage.set(u, now)
		for _, text := range near.of(u, c.spec.CPULimit, now) {
			c.warn(errors.New(c.id + " " + text))
		}
		if toldAt.IsZero() || differs(told, u) || now.Sub(toldAt) >= usageAgain {
			told, toldAt = u, now
			c.publish(u)
		}
	})
	if err != nil && ctx.Err() == nil {
		c.warn(errors.New("what " + c.id + " takes of the machine is not known any more: " + err.Error()))
	}
}

func differs(a, b event.Usage) bool {
	apart := func(a, b int64) bool { return a-b >= usageStep || b-a >= usageStep }
	return apart(a.Memory, b.Memory) || apart(a.MemoryPeak, b.MemoryPeak) || a.PIDs != b.PIDs ||
		math.Abs(a.CPU-b.CPU) >= usageShare || math.Abs(a.ThrottledShare-b.ThrottledShare) >= usageShare
}

// memory is the highest use that was seen, and the limit. A fast peak can pass between
// two samples; after an out-of-memory kill it was at least the limit.
func (c *incarnation) memory(oomKilled bool) (peak, limit int64) {
	last, _, _ := c.usage.latest()
	if oomKilled {
		return max(last.MemoryPeak, c.limit), c.limit
	}
	return last.MemoryPeak, c.limit
}

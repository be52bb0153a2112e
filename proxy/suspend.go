package proxy

import (
	"sync/atomic"
	"time"
)

// Suspend has a model's timeouts stand still, those of requests that run already too,
// until it is called with false: time in between does not count. An unknown model is
// ignored.
func (s *Server) Suspend(model string, on bool) {
	m := s.models[model]
	switch {
	case m == nil:
	case on:
		m.timeouts.halts.begin()
	default:
		m.timeouts.halts.end()
	}
}

// halts are the times at which a model's clocks stood still. They are safe for
// concurrent use, but for begin and end, which one goroutine calls at a time. A nil one
// never began.
type halts struct {
	zero time.Time
	now  atomic.Pointer[halt] // nil until the first
}

// halt is how it stands since the last begin or end.
type halt struct {
	past  time.Duration // what those took that are over
	since time.Duration // from zero to the one that goes on
	on    bool
}

func newHalts() *halts { return &halts{zero: time.Now()} }

func (h *halts) begin() {
	if past, on := h.total(); !on {
		h.now.Store(&halt{past: past, since: time.Since(h.zero), on: true})
	}
}

func (h *halts) end() {
	past, _ := h.total()
	h.now.Store(&halt{past: past})
}

// total is how long the clocks have stood still until now.
func (h *halts) total() (total time.Duration, on bool) {
	if h == nil {
		return 0, false
	}
	now := h.now.Load()
	switch {
	case now == nil:
		return 0, false
	case now.on:
		return now.past + time.Since(h.zero) - now.since, true
	}
	return now.past, false
}

// haltTick is the least time after which a clock that stands still is looked at again.
const haltTick = 100 * time.Millisecond

// grant is how much later than thought the clock is to be asked: what it stood still
// since it was asked last. 0 is no later.
func (c *clock) grant() time.Duration {
	total, halted := c.halts.total()
	more := total - c.granted
	c.granted = total
	if halted {
		return max(more, haltTick)
	}
	return more
}

// passed is the time since the clock began, without its halts; where idle is on.
func (c *clock) passed() time.Duration {
	total, _ := c.halts.total()
	return time.Since(c.began) - (total - c.stood)
}

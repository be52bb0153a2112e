package proxy

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// errTimeout is why a context ended whose clock has struck.
var errTimeout = errors.New("the revision's timeout has passed")

// clock is Knative's revision timeout of one request (1.13 and 1.15): it strikes
// only while nothing has been answered. The first byte, a 1xx too, stops it for
// good. An upgraded connection never counts as answered, so that it is cut.
type clock struct {
	state atomic.Int32
	timer *time.Timer
}

const (
	clockRuns int32 = iota
	clockStopped
	clockStruck
)

// start returns a context that ends when the clock strikes.
func (c *clock) start(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	c.timer = time.AfterFunc(timeout, func() {
		if c.state.CompareAndSwap(clockRuns, clockStruck) {
			cancel(errTimeout)
		}
	})
	return ctx, func() {
		c.timer.Stop()
		cancel(nil)
	}
}

// stop tells whether an answer may be written; it may not once the clock struck.
func (c *clock) stop() bool {
	if c.state.CompareAndSwap(clockRuns, clockStopped) {
		c.timer.Stop()
		return true
	}
	return !c.struck()
}

func (c *clock) struck() bool { return c.state.Load() == clockStruck }

package proxy

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// errTimeout is why a context ended whose clock has struck.
var errTimeout = errors.New("the revision's timeout has passed")

// errIdle is why an answer ended that had begun.
var errIdle = errors.New("the idle timeout has passed amid the answer")

// timeouts are those of a revision; start and idle are off where they are 0. While it
// is halted none of them passes; nil is never.
type timeouts struct {
	revision, start, idle time.Duration
	halts                 *halts
}

// first is the shortest, after which a clock that nothing has stopped strikes.
func (t timeouts) first() time.Duration {
	first := t.revision
	for _, d := range []time.Duration{t.start, t.idle} {
		if d > 0 {
			first = min(first, d)
		}
	}
	return first
}

// clock plays a revision's three timeouts over one request, as Knative 1.13 and
// 1.15 do: it strikes only while nothing has been answered. After the first byte,
// that of a 1xx too, only the idle timeout goes on, from write to write. An upgraded
// connection never counts as answered, so that the shortest of the three cuts it.
type clock struct {
	state atomic.Int32
	timer *time.Timer
	idle  time.Duration
	began time.Time    // where idle is on
	wrote atomic.Int64 // what had passed then

	halts   *halts
	stood   time.Duration // the total of its halts when it began
	granted time.Duration // that when due was asked last, whose alone it is
}

const (
	clockRuns    int32 = iota
	clockAnswers       // the answer has begun
	clockStruck        // nothing was answered in time
	clockLapsed        // the answer has begun, then nothing followed in time
	clockOver
)

// start returns a context that ends, with errTimeout as its cause, when the clock
// strikes or lapses. The returned function ends the clock.
func (c *clock) start(ctx context.Context, t timeouts) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	ring := func() {
		struck, again := c.due()
		switch {
		case struck:
			cancel(errTimeout)
		case again > 0:
			c.timer.Reset(again) // after over it rings once more, in vain
		}
	}
	first := c.set(t)
	c.timer = time.AfterFunc(t.revision+time.Hour, ring) // ring reads it: it must not ring before it is kept
	c.timer.Reset(first)
	return ctx, func() {
		c.over()
		c.timer.Stop()
		cancel(nil)
	}
}

// set begins the clock without a timer, for who keeps the time himself: due is to
// be asked when first has passed.
func (c *clock) set(t timeouts) (first time.Duration) {
	if c.idle = t.idle; c.idle > 0 {
		c.began = time.Now()
	}
	c.halts = t.halts
	c.stood, _ = c.halts.total()
	c.granted = c.stood
	return t.first()
}

// due tells whether the clock strikes or lapses now. Where not, it is to be asked
// again after that time; not at all where that is 0.
func (c *clock) due() (struck bool, again time.Duration) {
	if later := c.grant(); later > 0 {
		return false, later
	}
	if c.state.CompareAndSwap(clockRuns, clockStruck) {
		return true, 0
	}
	if c.idle == 0 || c.state.Load() != clockAnswers {
		return false, 0
	}
	if silent := c.passed() - time.Duration(c.wrote.Load()); silent < c.idle {
		return false, c.idle - silent
	}
	return c.state.CompareAndSwap(clockAnswers, clockLapsed), 0
}

// over ends the clock; what it had come to stays.
func (c *clock) over() {
	_ = c.state.CompareAndSwap(clockRuns, clockOver) || c.state.CompareAndSwap(clockAnswers, clockOver)
}

// stop is asked before every header of the answer, that of a 1xx too: it tells
// whether it may be written. It may not once the clock struck.
func (c *clock) stop() bool {
	c.touch()
	if c.state.CompareAndSwap(clockRuns, clockAnswers) && c.idle == 0 && c.timer != nil {
		c.timer.Stop()
	}
	return c.goesOn()
}

// touch is asked before every further part of the answer: it tells whether it may
// be written.
func (c *clock) touch() bool {
	if c.idle > 0 {
		c.wrote.Store(int64(c.passed()))
	}
	return c.goesOn()
}

func (c *clock) goesOn() bool { return !c.struck() && !c.lapsed() }

// struck tells whether the time was over before the answer began.
func (c *clock) struck() bool { return c.state.Load() == clockStruck }

// lapsed tells whether the idle timeout has passed amid the answer. What went out
// stands; the text of the timeout is appended and the answer ends as if that were
// its end, as in production.
func (c *clock) lapsed() bool { return c.state.Load() == clockLapsed }

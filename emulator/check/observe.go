package check

import (
	"context"
	"slices"
	"time"
)

// again is between two attempts of what is to come soon.
const again = 100 * time.Millisecond

// settles bounds the wait for a model that is ready but does not predict yet.
const settles = 10 * time.Second

// first asks for a prediction at once: who says ready must be.
func (o *observer) first(ctx context.Context) {
	if o.Request == nil {
		return
	}
	begun, exits := time.Now(), len(o.life.now().exits)
	o.First = &First{Answer: o.caller.predict(ctx, o.Request)}
	if o.First.Answer.Reply == Silence {
		if end := o.mourn(ctx, exits); end != "" {
			o.First.Answer.Error = "the request ended the container: " + end
			return
		}
	}
	if r := o.First.Answer.Reply; r != Fault && r != Silence && r != Absent {
		return
	}
	tick := time.NewTicker(again)
	defer tick.Stop()
	for ctx.Err() == nil && time.Since(begun) < settles && o.life.now().ready {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		later := o.caller.predict(ctx, o.Request)
		o.First.Later, o.First.After = &later, time.Since(begun)
		if later.Reply == Accepted || later.Reply == Refused {
			return
		}
	}
}

// answers tells whether the good request is answered well.
func (o *observer) answers() bool {
	last := o.First.last()
	return last != nil && last.Reply == Accepted
}

const (
	idleCalls  = 20                   // to know the latency
	idleLimit  = 4 * time.Second      // for two samples of the CPU time
	idlePeriod = 5 * time.Millisecond // between calls, once the latency is known
)

// idle asks for liveness again and again: the first calls tell what one takes, and two
// samples of the container what it costs. A host process has no samples.
func (o *observer) idle(ctx context.Context) {
	o.Idle = &Idle{}
	cost := costs{life: o.life, seen: o.life.now().samples}
	tick := time.NewTicker(idlePeriod)
	defer tick.Stop()
	var took []time.Duration
	for begun := time.Now(); ctx.Err() == nil; {
		a := o.caller.alive(ctx)
		if a.Reply != Accepted {
			return // liveness-endpoint tells it
		}
		took = append(took, a.Took)
		costKnown := cost.call() || o.OnHost
		if len(took) >= idleCalls && costKnown || time.Since(begun) > idleLimit {
			break
		}
		if len(took) < idleCalls {
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	took = took[:min(len(took), idleCalls)]
	slices.Sort(took)
	if o.Idle.Answers = len(took); len(took) > 0 {
		o.Idle.Median, o.Idle.CPU = took[len(took)/2], cost.each
	}
}

// costs counts calls between two samples of a container's CPU time.
type costs struct {
	life   *life
	seen   int // samples
	calls  int // since the first that counts
	before time.Duration
	began  bool
	each   time.Duration // of CPU time; 0 until it is known
}

// call takes a call in, and tells whether the cost of one is known.
func (c *costs) call() bool {
	c.calls++
	known := c.life.now()
	if known.samples == c.seen || c.each > 0 {
		return c.each > 0
	}
	c.seen = known.samples
	if !c.began {
		c.began, c.calls, c.before = true, 0, known.usage.CPUTime
		return false
	}
	c.each = (known.usage.CPUTime - c.before) / time.Duration(max(c.calls, 1))
	return c.each > 0
}

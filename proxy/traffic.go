package proxy

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// trafficEvery is how often traffic is told while it changes.
const trafficEvery = time.Second

// reporter tells how the models' traffic is, from their meters. While nothing
// changes it sleeps without a timer.
type reporter struct {
	publisher event.Publisher
	accounts  []*account
	asleep    atomic.Bool
	wake      chan struct{}
}

func newReporter(models []*model, publisher event.Publisher) *reporter {
	r := &reporter{publisher: publisher, wake: make(chan struct{}, 1)}
	for _, m := range models {
		r.accounts = append(r.accounts, &account{model: m})
	}
	r.asleep.Store(true)
	return r
}

// stir is called after every change; all but the first one a sleep cost one load.
func (r *reporter) stir() {
	if r.asleep.Load() && r.asleep.CompareAndSwap(true, false) {
		r.wake <- struct{}{}
	}
}

// run reports until ctx ends, and then a last time.
func (r *reporter) run(ctx context.Context) {
	for last := time.Now(); ; {
		select {
		case <-r.wake:
			last = r.watch(ctx)
		case <-ctx.Done():
			r.report(last)
			return
		}
	}
}

// watch reports until nothing changes, and returns when it did last.
func (r *reporter) watch(ctx context.Context) (last time.Time) {
	tick := time.NewTicker(trafficEvery)
	defer tick.Stop()
	for last = time.Now(); ; last = time.Now() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last
		}
		// Asleep first: a change that this report misses wakes it again.
		r.asleep.Store(true)
		if !r.report(last) {
			return time.Now()
		}
		if !r.asleep.CompareAndSwap(true, false) {
			<-r.wake
		}
	}
}

// report tells what has changed since the last report, and whether anything has.
func (r *reporter) report(last time.Time) (changed bool) {
	passed := max(time.Since(last), trafficEvery)
	for _, a := range r.accounts {
		if a.update(passed) {
			r.publisher.Publish(a.model.ID, 0, a.told)
			changed = true
		}
	}
	return changed
}

// account is what was told of a model.
type account struct {
	model *model
	took  counts
	told  event.Traffic
}

func percentiles(c *counts, total uint64) event.Percentiles {
	return event.Percentiles{P50: c.percentile(0.50, total), P95: c.percentile(0.95, total), P99: c.percentile(0.99, total)}
}

// update brings the account up to date; false where nothing is new.
func (a *account) update(passed time.Duration) bool {
	meter, load := &a.model.meter, a.model.load()
	t := a.told // percentiles stay until there are new ones
	t.InFlight, t.Queued, t.Held = load.Running, load.Waiting, load.Held
	t.Errors, t.Requests = meter.failed.Load(), meter.ended.Load()
	t.Rate = math.Round(10*float64(t.Requests-a.told.Requests)/passed.Seconds()) / 10
	if t.Requests != a.told.Requests {
		if added, total := meter.took.since(&a.took); total > 0 {
			t.Percentiles = percentiles(&added, total)
			t.Overall = percentiles(&a.took, a.took.total())
		}
	}
	changed := t != a.told
	a.told = t
	return changed
}

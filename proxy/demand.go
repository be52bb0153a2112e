package proxy

import (
	"sync"
	"time"
)

// Demand is what an autoscaler sees of a model's traffic: the requests at the
// activator and at queue-proxy, those that wait included, those of probes not.
type Demand struct {
	Concurrency float64 // average of requests at a time
	Rate        float64 // requests a second that arrived
}

// Demand returns the model's traffic since the last call, by whoever asks: one caller
// asks in turn. It is zero for an unknown model.
func (s *Server) Demand(model string) Demand {
	m := s.models[model]
	if m == nil {
		return Demand{}
	}
	return m.demand.take(time.Now())
}

// demand integrates a model's concurrency over time, as Knative's own statistics do.
type demand struct {
	mu      sync.Mutex
	present int
	changed time.Time     // present is as it is since then
	area    time.Duration // requests times how long they were there, since taken
	arrived int
	taken   time.Time
}

func newDemand(now time.Time) demand { return demand{changed: now, taken: now} }

func (d *demand) enter(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.integrate(now)
	d.present++
	d.arrived++
}

func (d *demand) leave(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.integrate(now)
	d.present--
}

// integrate is called with the lock held. A now that comes late counts for nothing.
func (d *demand) integrate(now time.Time) {
	if passed := now.Sub(d.changed); passed > 0 {
		d.area += time.Duration(d.present) * passed
		d.changed = now
	}
}

func (d *demand) take(now time.Time) Demand {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.integrate(now)
	passed := now.Sub(d.taken)
	if passed <= 0 {
		return Demand{Concurrency: float64(d.present)}
	}
	out := Demand{Concurrency: float64(d.area) / float64(passed), Rate: float64(d.arrived) / passed.Seconds()}
	d.area, d.arrived, d.taken = 0, 0, now
	return out
}

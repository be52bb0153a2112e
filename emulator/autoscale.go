package emulator

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/scale"
)

// Demand is what the port saw of a model's traffic since it was asked last.
type Demand struct {
	Concurrency float64 // average of requests at a time, those that wait included
	Rate        float64 // requests a second that arrived
}

// autoscaler is the one of a model: Knative's or Kubernetes', with what drives it. Its
// supervisor's goroutine owns it.
type autoscaler struct {
	kpa *scale.KPA
	hpa *scale.HPA // nil where kpa is not

	every  time.Duration
	ticker *time.Ticker // nil while nothing is to be decided
	ticks  int
	told   event.Scaled
}

// newAutoscaler returns nil where the model's replicas are a fixed number.
func (s *supervisor) newAutoscaler() (*autoscaler, error) {
	m, n := s.serving.model, max(s.TimeScale, 1)
	if !m.scales() || s.Demand == nil {
		return nil, nil
	}
	if m.ScalesByRequests() {
		settings := m.kpa().Faster(n)
		s.introduce("kpa", settings.Target(), n)
		return &autoscaler{kpa: scale.NewKPA(settings, time.Now()), every: scale.Faster(scale.Bucket, n)}, nil
	}
	settings, err := m.hpa()
	if err != nil {
		return nil, err
	}
	settings = settings.Faster(n)
	s.introduce("hpa", settings.Target, n)
	return &autoscaler{hpa: scale.NewHPA(settings), every: scale.Faster(scale.Sync, n)}, nil
}

func (s *supervisor) introduce(class string, target, n float64) {
	b := s.serving.model.bounds()
	s.publish(event.Autoscaler{
		Class: class, Metric: s.serving.model.Deployment.Policy().MetricsType,
		Target: target, Min: b.Min, Max: b.Max, TimeScale: n,
	})
}

// begin has the autoscaler look; what the port saw before is of no interest. It does
// nothing where it does already, or where there is none.
func (a *autoscaler) begin(s *supervisor) {
	if a == nil || a.ticker != nil {
		return
	}
	if a.kpa != nil {
		_ = s.Demand(s.id)
	}
	a.ticker, a.ticks = time.NewTicker(a.every), 0
}

// rest has it look no more.
func (a *autoscaler) rest() {
	if a != nil && a.ticker != nil {
		a.ticker.Stop()
		a.ticker = nil
	}
}

// due receives when it has to look; never while it rests.
func (a *autoscaler) due() <-chan time.Time {
	if a == nil || a.ticker == nil {
		return nil
	}
	return a.ticker.C
}

// look takes one observation, and decides where that is due.
func (s *supervisor) look() {
	now := time.Now()
	a := s.scaler
	if a.hpa != nil {
		if d, ok := a.hpa.Decide(now, s.usages()); ok {
			s.obey(d)
		}
		return
	}
	a.observe(now, s.Demand(s.id))
	a.ticks++
	if a.ticks%int(scale.Every/scale.Bucket) == 0 {
		s.decide(now)
	}
}

func (a *autoscaler) observe(now time.Time, d Demand) {
	value := d.Concurrency
	if a.kpa.Metric == scale.RPS {
		value = d.Rate
	}
	a.kpa.Observe(now, value)
}

func (s *supervisor) decide(now time.Time) {
	s.scaler.kpa.Keep(s.wanted)
	if d, ok := s.scaler.kpa.Decide(now, len(s.routed)); ok {
		s.obey(d)
	}
}

// usages are what the replicas that stay take of the machine.
func (s *supervisor) usages() []scale.Pod {
	resources, err := s.serving.model.Deployment.Resources()
	if err != nil {
		return nil
	}
	var pods []scale.Pod
	for _, p := range s.staying() {
		pod := scale.Pod{Started: p.began, Ready: p.state.address.IsValid(), Changed: p.changed}
		if u, at, ok := p.usage.latest(); ok {
			pod.Sampled = at
			pod.Usage = float64(u.Memory) / mebi
			if s.scaler.hpa.Metric == scale.CPU {
				pod.Usage = 100 * u.CPU / resources.Requests.CPU.AsApproximateFloat64()
			}
		}
		pods = append(pods, pod)
	}
	return pods
}

// obey tells a decision where it is news, and brings it about.
func (s *supervisor) obey(d scale.Decision) {
	if d.Desired > s.wanted && s.crashing() {
		d.Desired = s.wanted
		d.Why += "; no more are started while none of those there comes up"
	}
	f := event.Scaled{
		Metric: s.serving.model.Deployment.Policy().MetricsType, Observed: d.Observed, Window: d.Window, Target: d.Target,
		From: s.wanted, Desired: d.Desired, Ready: d.Ready, Panic: d.Panic, Why: d.Why,
	}
	if f != s.scaler.told {
		s.scaler.told = f
		s.publish(f)
	}
	s.scaleTo(d.Desired)
}

// crashing tells whether the model is down because its containers end. More of them
// would end as well.
func (s *supervisor) crashing() bool {
	if len(s.routed) > 0 {
		return false
	}
	for _, p := range s.staying() {
		if p.state.phase == event.PhaseBackOff {
			return true
		}
	}
	return false
}

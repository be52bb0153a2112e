package emulator

import "github.com/caraml-dev/merlin-local/emulator/scale"

// replicas tells how their number is decided on.
func (p *parity) replicas() {
	b := p.bounds()
	p.least(b)
	if !p.scales() {
		p.same("replicas", "%d, and no autoscaler has a choice", b.Max)
		return
	}
	p.same("replicas", "at most %d", b.Max)
	if p.Deployment.AutoscalingPolicy == nil {
		policy := p.Deployment.Policy()
		p.same("autoscaling", "no policy is given: %s with a target of %g, as Merlin's API sets it", policy.MetricsType, policy.TargetValue)
	}
	if p.ScalesByRequests() {
		p.knative()
	} else {
		p.kubernetes()
	}
	if p.TimeScale > 1 {
		p.near("autoscaling", "windows, grace, retention and delays pass %g times faster (--time-scale); a replica's start does not", p.TimeScale)
	}
}

// least tells of the minimum: Merlin's own is 0, which few want while they work.
func (p *parity) least(b scale.Bounds) {
	switch {
	case p.Replicas > 0:
		p.same("replicas", "at least %d", p.Replicas)
	case b.Min == 0:
		p.same("replicas", "at least none: scales to zero")
	case !p.ScalesByRequests():
		p.same("replicas", "at least 1: by CPU or memory nothing scales to zero")
	default:
		p.near("replicas", "at least 1 is kept; Merlin's default of 0 scales to zero (min_replica: 0 does it here)")
	}
}

func (p *parity) knative() {
	s := p.kpa()
	p.same("autoscaling", "Knative's arithmetic for %s: target %g a replica (%g %% of %g), windows of %s and %s, panic from %g times the ready replicas, evaluated every %s",
		s.Metric, s.Target(), 100*s.Utilization, s.Total, s.StableWindow, s.PanicWindow, s.PanicThreshold, scale.Every)
	p.near("autoscaling", "what comes in is counted at the one port, where production adds up samples of the replicas; with none ready and one in back-off none is added, where production adds more that end as well")
	if s.Min == 0 {
		p.near("autoscaling", "to zero after %s without a request and the retention of %s, which is the platform's to choose (Merlin's guide: 10 minutes; Knative's own default: 0)", s.StableWindow, s.Retention)
		p.near("cold start", "this machine's: no node is found, no image is pulled, no sidecar starts")
	}
}

func (p *parity) kubernetes() {
	p.same("autoscaling", "Kubernetes' arithmetic for %s: tolerance 10 %%, every %s, 5 minutes' stabilisation before fewer", p.Deployment.Policy().MetricsType, scale.Sync)
	if p.Containers {
		p.near("autoscaling", "the model's container alone is measured, not queue-proxy beside it")
		return
	}
	p.lacks("autoscaling", "a process's CPU and memory are not measured: nothing scales")
}

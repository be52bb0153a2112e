package emulator

import (
	"context"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// departure is a pod's on its way out: it gets no requests any more, and SIGTERM once
// those it has are answered. Until then it can be called off.
type departure struct {
	pod    *pod
	cancel context.CancelFunc
	off    chan struct{} // closed where it is called off
	final  bool          // the pod was told
}

// scaleTo makes so many replicas stay.
func (s *supervisor) scaleTo(replicas int) {
	s.wanted = replicas
	if replicas == 0 && len(s.staying()) > 0 {
		s.scaler.rest()
		s.bell.arm() // before the last one leaves: who comes from now on rings
	}
	for there := len(s.staying()); there < replicas; there++ {
		if !s.callBack() {
			s.addPod(s.serving)
		}
	}
	for there := s.staying(); len(there) > replicas; there = s.staying() {
		s.sendAway(first(there), "scaled down")
	}
	s.route()
	s.settle()
	if replicas == 0 {
		s.missed()
	}
}

// staying are the serving revision's pods that are not on their way out, in the order they were added.
func (s *supervisor) staying() []*pod {
	var all []*pod
	for _, p := range s.pods {
		if p.revision == s.serving && p.leaves == nil {
			all = append(all, p)
		}
	}
	return all
}

// first returns the pod that is missed least: one that is not ready, else the youngest.
func first(pods []*pod) *pod {
	leaves := pods[0]
	for _, p := range pods {
		if p.state.address.IsValid() && !leaves.state.address.IsValid() {
			continue
		}
		leaves = p
	}
	return leaves
}

// sendAway takes a pod out of the traffic, and lets it go once its requests are
// answered: as long as any request may take.
func (s *supervisor) sendAway(p *pod, why string) {
	ctx, cancel := s.unforced(p.model.timeout())
	d := &departure{pod: p, cancel: cancel, off: make(chan struct{})}
	p.leaves = d
	p.publish(event.PodChanged{Pod: p.name, Phase: event.PhaseStopping, Why: why, Restarts: p.again})
	address := p.state.address
	if !address.IsValid() { // no requests are on their way to it
		s.finish(d)
		return
	}
	s.route()
	s.leaving.Go(func() {
		_ = s.Router.Drain(ctx, s.id, address) // what outlives that is told and cut by the pod
		select {
		case s.drained <- d:
		case <-d.off:
		}
	})
}

// finish tells a pod to end, unless that was called off or done.
func (s *supervisor) finish(d *departure) {
	if d.pod.leaves != d || d.final {
		return
	}
	d.final = true
	d.stop()
	d.pod.cancel()
}

// stop ends the waiting for the pod's requests.
func (d *departure) stop() {
	close(d.off)
	d.cancel()
}

// callBack keeps a pod that was not told to end yet: the latest one.
func (s *supervisor) callBack() bool {
	for i := len(s.pods) - 1; i >= 0; i-- {
		if p := s.pods[i]; p.revision == s.serving && p.leaves != nil && !p.leaves.final {
			p.leaves.stop()
			p.leaves = nil
			s.publish(event.PodChanged{Pod: p.name, Phase: p.state.phase, Why: p.state.why, Restarts: p.again})
			return true
		}
	}
	return false
}

// letGo tells all pods to end, those on their way out too.
func (s *supervisor) letGo() {
	for _, p := range s.pods {
		if p.leaves != nil {
			s.finish(p.leaves)
		}
		p.cancel()
	}
	s.leaving.Wait()
}

// age notes since when the pod's container runs and its readiness is as it is.
func (p *pod) age(before podState) {
	now := time.Now()
	switch p.state.phase {
	case event.PhaseStarting, event.PhaseBackOff, event.PhaseStopped:
		p.began = time.Time{}
	default:
		if p.began.IsZero() {
			p.began, p.changed = now, now
		}
	}
	if p.state.address.IsValid() != before.address.IsValid() {
		p.changed = now
	}
}

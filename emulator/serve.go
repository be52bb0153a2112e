package emulator

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// serve keeps the model's pods running until ctx ends or the model fails. No pod runs
// when it returns.
func (s *supervisor) serve(ctx context.Context) error {
	deadline := s.newDeadline()
	defer deadline.timer.Stop()
	defer s.stopPods()
	if err := s.deploy(); err != nil {
		return err
	}
	defer s.scaler.rest()
	for {
		var err error
		select {
		case r := <-s.reports:
			err = s.heed(ctx, r)
		case <-s.scaler.due():
			s.look()
		case <-s.bell.rung:
			s.wake()
		case <-s.bell.over:
			s.thaw()
		case d := <-s.drained:
			s.finish(d)
		case e := <-s.edits:
			s.heedEdits(e)
			deadline.renew()
		case <-s.wishes.there:
			s.heedWish()
			deadline.renew()
		case m := <-s.made:
			s.prepared(m)
		case <-s.suspended.changed:
			s.heedSuspension(deadline)
		case <-s.next.late():
			s.overdue()
		case <-s.retries:
			s.retryPods()
		case slept := <-s.sleeps:
			deadline.move(slept)
		case <-deadline.timer.C:
			if !s.everUp && s.waitsFor() == "" && deadline.passed() {
				err = s.notReady()
			}
		case <-ctx.Done():
			return nil
		}
		if err != nil && ctx.Err() == nil {
			s.tell(err) // before the grace period, not after it
			return err
		}
	}
}

// deploy starts as many replicas as there are to be at first: one at least, whatever the
// minimum, as Knative's initial scale has it.
func (s *supervisor) deploy() (err error) {
	if s.scaler, err = s.newAutoscaler(); err != nil {
		return err
	}
	s.wanted = max(s.serving.model.bounds().Min, 1)
	for range s.wanted {
		s.addPod(s.serving)
	}
	return nil
}

func (s *supervisor) addPod(r *revision) {
	p := newPod(r)
	if s.cold != nil {
		p.birth = &birth{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	s.pods = append(s.pods, p)
	go p.run(ctx)
}

// stopPods takes all pods away and waits for their end.
func (s *supervisor) stopPods() {
	if slices.ContainsFunc(s.pods, func(p *pod) bool { return p.state.phase != event.PhaseBackOff }) {
		s.enter(event.PhaseStopping, "")
	}
	s.routed = nil
	if s.told == nil { // else requests are answered with why
		s.Router.Hold(s.id)
	}
	if s.next != nil {
		s.giveUp("the session ends")
	}
	s.letGo() // not before: a pod waits for the requests that are not routed any more
	for len(s.pods) > 0 {
		r := <-s.reports
		s.note(r)
		close(r.heeded)
	}
	s.makings.Wait()
}

// heed deals with a pod's change. Its error is why the model will not serve.
func (s *supervisor) heed(ctx context.Context, r report) (err error) {
	defer func() {
		if err != nil { // else it might start a container meanwhile
			r.pod.cancel()
		}
		close(r.heeded)
	}()
	before := r.pod.state.card
	s.note(r)
	if r.pod.revision != s.serving {
		s.heedOther(r)
		return nil
	}
	s.route()
	switch {
	case ctx.Err() != nil:
		return nil
	case r.state.err != nil && !s.everUp:
		return s.startFailed(r.state.err)
	case r.state.ended != nil && !s.everUp && s.FirstExitFails:
		return s.endedBeforeReady(*r.state.card)
	case r.pod.leaves != nil:
		if r.state.ended != nil { // it is not started again
			s.finish(r.pod.leaves)
		}
	case r.state.card != nil && r.state.card != before && len(s.routed) == 0:
		s.publish(*r.state.card)
	}
	s.settle()
	return nil
}

// heedOther deals with a pod of a revision that does not serve: not yet, or no more.
func (s *supervisor) heedOther(r report) {
	switch {
	case r.pod.leaves != nil:
		if r.state.ended != nil { // it is not started again
			s.finish(r.pod.leaves)
		}
	case s.next != nil && r.pod.revision == s.next.revision:
		s.heedNext(r)
	}
}

// note takes over what a pod tells of itself.
func (s *supervisor) note(r report) {
	p, before := r.pod, r.pod.state
	p.state, p.again = r.state, p.restarts
	p.age(before)
	if r.state.ended != nil {
		p.died = r.state.card
	}
	if r.state.phase == event.PhaseStopped {
		p.cancel()
		s.pods = slices.DeleteFunc(s.pods, func(other *pod) bool { return other == p })
		s.gone(p)
	}
	if before.phase == r.state.phase && before.why == r.state.why || p.leaves != nil && r.state.phase != event.PhaseStopped {
		return
	}
	f := event.PodChanged{Pod: p.name, Phase: r.state.phase, Why: r.state.why, Restarts: p.restarts}
	if !r.state.retryAt.IsZero() {
		f.RetryAt = &r.state.retryAt
	}
	p.publish(f)
}

// gone goes on where a pod's end was waited for.
func (s *supervisor) gone(p *pod) {
	s.forget(p.revision)
	if m := s.next; m != nil && m.received && m.started.IsZero() && len(s.podsOf(s.serving)) == 0 {
		s.launch(m)
	}
}

// route sends the model's requests to the pods that are ready.
func (s *supervisor) route() {
	var ready []netip.AddrPort
	for _, p := range s.staying() {
		if p.state.address.IsValid() {
			ready = append(ready, p.state.address)
			s.warm(p)
		}
	}
	if slices.Equal(ready, s.routed) {
		return
	}
	s.routed = ready
	if len(ready) == 0 {
		s.Router.Hold(s.id)
		return
	}
	s.everUp = true
	defer s.announce()
	s.Router.Route(s.id, s.serving.number, ready)
	s.scaler.begin(s)
}

// best ranks the phases of pods: the model is in the best one.
var best = []event.Phase{event.PhaseReady, event.PhaseWaiting, event.PhaseStarting, event.PhaseBackOff}

// settle tells the model's own phase.
func (s *supervisor) settle() {
	if s.wanted == 0 {
		s.enter(event.PhaseIdle, "scaled to zero: the next request starts it")
		return
	}
	for _, phase := range best {
		for _, p := range s.staying() {
			if p.state.phase == phase {
				s.enter(phase, p.state.why)
				return
			}
		}
	}
}

// retryPods starts the containers of pods that wait in back-off.
func (s *supervisor) retryPods() {
	for _, p := range s.pods {
		if p.state.phase == event.PhaseBackOff {
			select {
			case p.retry <- struct{}{}:
			default:
			}
		}
	}
}

// startFailed says that the runtime could not start a container.
func (s *supervisor) startFailed(err error) *Failure {
	var failure *Failure
	if errors.As(err, &failure) {
		return failure.because(event.CauseNotStarted)
	}
	const what = "cannot be started"
	if full := s.full(what, err); full != nil {
		return full
	}
	failure = &Failure{Model: s.id, What: what, Why: err.Error()}
	return failure.because(event.CauseNotStarted)
}

// endedBeforeReady makes a death the end of the deployment.
func (s *supervisor) endedBeforeReady(card event.Failed) error {
	card.What += " before it was ready"
	return s.failure(card)
}

// notReady says why the model was not ready in time: the last card of a pod, that of a
// death first.
func (s *supervisor) notReady() error {
	var last event.Failed
	for _, p := range s.pods {
		for _, card := range []*event.Failed{p.state.vague, p.state.card, p.died} {
			if card != nil {
				last = *card
			}
		}
		if p.died != nil {
			last.Why = last.What + ": " + last.Why
			break
		}
	}
	last.What = fmt.Sprintf("was not ready within the deployment timeout of %s", s.Deadline)
	return s.failure(last)
}

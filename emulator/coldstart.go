package emulator

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// coldStart is one that goes on.
type coldStart struct {
	begun  time.Time // the first request was held
	pod    *pod      // the first that was ready; nil until then
	routed time.Time
}

// missed rings where a request came before the bell was armed and found no replica all
// the same.
func (s *supervisor) missed() {
	if d := s.Demand(s.id); d.Concurrency > 0 || d.Rate > 0 {
		s.bell.ring()
	}
}

// wake starts a model that went to zero: the port holds a request. The activator reports
// its first one at once, as one at a time and one a second.
func (s *supervisor) wake() {
	now := time.Now()
	s.cold = &coldStart{begun: s.bell.heard()}
	s.scaler.begin(s)
	s.scaler.observe(now, Demand{Concurrency: 1, Rate: 1})
	s.decide(now)
	if s.wanted == 0 { // its bounds are the user's, so there is one at least
		s.scaleTo(1)
	}
	if len(s.routed) > 0 { // one that was on its way out is kept
		s.cold = nil
	}
}

// warm notes the first pod that takes requests after a wake.
func (s *supervisor) warm(ready *pod) {
	if s.cold != nil && s.cold.pod == nil {
		s.cold.pod, s.cold.routed = ready, time.Now()
	}
}

// thaw tells the cold start, which the first answer has ended.
func (s *supervisor) thaw() {
	c, w := s.cold, s.bell.answered()
	s.cold = nil
	if c == nil || c.pod == nil || c.pod.birth == nil || !w.Arrived.Before(c.routed) {
		return // it had not ended yet, or nobody waited for it
	}
	if w.Arrived.Before(c.begun) {
		c.begun = w.Arrived
	}
	created, up, listening := c.pod.birth.instants(c.routed)
	s.publish(event.ColdStart{
		Pod: c.pod.name, Restarts: c.pod.again,
		Create: created.Sub(c.begun), Process: up.Sub(created), Listening: listening.Sub(up),
		Ready: c.routed.Sub(listening), Answer: w.Ended.Sub(c.routed), Total: w.Ended.Sub(c.begun),
	})
}

package emulator

import (
	"sync/atomic"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// suspension is whether a debugger is attached to a model. What probes asks on, from
// goroutines of their own; the rest is the supervisor's.
type suspension struct {
	on      atomic.Bool
	changed chan struct{} // receives where on may differ from what was heeded

	heeded bool
	since  time.Time
	later  *wishes // what to reload once it is over
}

func newSuspension() *suspension {
	return &suspension{changed: make(chan struct{}, 1), later: newWishes()}
}

// Suspend tells that a debugger is attached to a model, or no more. Meanwhile failed
// probes do not count, the deployment timeout stands still, and edits wait. An unknown
// model is ignored.
func (e *Emulator) Suspend(model string, on bool) {
	s := e.supervisor(model)
	if s == nil {
		return
	}
	s.suspended.on.Store(on)
	select {
	case s.suspended.changed <- struct{}{}:
	default:
	}
}

// heedSuspension goes on where a debugger came or left.
func (s *supervisor) heedSuspension(d *deadline) {
	on := s.suspended.on.Load()
	if on == s.suspended.heeded {
		return
	}
	s.suspended.heeded = on
	s.publish(event.Attached{On: on})
	if on {
		s.suspended.since = s.now()
		s.postpone()
		return
	}
	d.move(s.now().Sub(s.suspended.since))
	if s.next != nil && s.next.limit != nil {
		s.next.limit.Reset(s.Deadline)
	}
	if w := s.suspended.later.take(); w.why != "" {
		s.wishes.add(w)
	}
}

// postpone gives up a reload whose containers do not run yet: the debugger is attached to
// the revision that it would end.
func (s *supervisor) postpone() {
	m := s.next
	if m == nil || m.received {
		return
	}
	s.giveUp("a debugger is attached")
	s.suspended.later.add(wish{tier: m.plan.Tier, why: m.plan.Why, file: m.plan.File})
}

// waitsFor is why edits do not reload now; empty where they do.
func (s *supervisor) waitsFor() string {
	if s.suspended.on.Load() {
		return "a debugger is attached"
	}
	return ""
}

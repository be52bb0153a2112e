package session

import "github.com/caraml-dev/merlin-local/emulator/event"

// environment notes what a revision's containers are given. The model's own is that of
// the revision that serves, and before one does, of the latest.
func (m *Model) environment(e event.Event, f event.Environment) {
	if m.Serving != nil && e.Revision > m.Serving.Number {
		m.next, m.nextOf = &f, e.Revision
		return
	}
	if m.Serving == nil || e.Revision == m.Serving.Number {
		m.Environment = &f
	}
}

// environmentServes takes over that of a revision that begins to serve.
func (m *Model) environmentServes(revision int) {
	if m.next != nil && m.nextOf == revision {
		m.Environment = m.next
		m.next = nil
	}
}

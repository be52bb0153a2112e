package session

import "github.com/caraml-dev/merlin-local/emulator/event"

// Debugger is a model's debugger, and whether somebody is attached to it.
type Debugger struct {
	event.Debugger
	Attached bool `json:"attached"`
}

func (m *Model) debugged(f event.Debugger) {
	if m.Debugger == nil {
		m.Debugger = &Debugger{}
	}
	m.Debugger.Debugger = f
}

func (m *Model) attached(f event.Attached) {
	if m.Debugger == nil {
		m.Debugger = &Debugger{}
	}
	m.Debugger.Attached = f.On
}

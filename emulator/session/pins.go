package session

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Pins is how the pinned requests do on a revision.
type Pins struct {
	Revision int       `json:"revision"`
	Since    time.Time `json:"since"`
	event.Pins
}

// pinned takes what the pins say. Where there are none any more, none is known.
func (m *Model) pinned(e event.Event, f event.Pins) {
	m.Pins = nil
	if len(f.Verdicts) > 0 || f.Error != "" {
		m.Pins = &Pins{Revision: e.Revision, Since: e.Time, Pins: f}
	}
}

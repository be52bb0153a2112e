package session

import (
	"slices"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// faulted notes which faults are on, and those that ever were.
func (m *Model) faulted(f event.Faults) {
	m.Faults = f.On
	for _, on := range f.On {
		if !slices.Contains(m.FaultsSeen, on.Spec) {
			m.FaultsSeen = append(m.FaultsSeen, on.Spec)
		}
	}
}

package session

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Scale is how a model's number of replicas is decided on.
type Scale struct {
	event.Autoscaler
	Wanted int    `json:"wanted"`
	Ready  int    `json:"ready"`
	Mode   string `json:"mode"` // of Knative's autoscaler: "stable" or "panic"
	// Decisions are the last ones that were told, and Changes the last ones of another
	// number of replicas; ColdStarts the last starts from zero. All the latest last.
	Decisions  []Decision  `json:"decisions"`
	Changes    []Decision  `json:"changes"`
	ColdStarts []ColdStart `json:"cold_starts"`
}

// Decision is an autoscaler's, and when.
type Decision struct {
	At time.Time `json:"at"`
	event.Scaled
}

// ColdStart is one, and when it ended.
type ColdStart struct {
	At time.Time `json:"at"`
	event.ColdStart
}

// The modes.
const (
	ModeStable = "stable"
	ModePanic  = "panic"
)

// keptScale is how many of each are kept.
const keptScale = 20

func (m *Model) autoscale(f event.Autoscaler) {
	m.Scale = &Scale{
		Autoscaler: f, Wanted: max(f.Min, 1), Mode: ModeStable,
		Decisions: []Decision{}, Changes: []Decision{}, ColdStarts: []ColdStart{},
	}
	m.countReady()
}

func (m *Model) scaled(e event.Event, f event.Scaled) {
	s := m.Scale
	if s == nil {
		return
	}
	d := Decision{e.Time, f}
	s.Wanted, s.Mode = f.Desired, ModeStable
	if f.Panic {
		s.Mode = ModePanic
	}
	s.Decisions = keep(s.Decisions, d)
	if f.From != f.Desired {
		s.Changes = keep(s.Changes, d)
	}
}

func (m *Model) coldStarted(e event.Event, f event.ColdStart) {
	if m.Scale != nil {
		m.Scale.ColdStarts = keep(m.Scale.ColdStarts, ColdStart{e.Time, f})
	}
}

// countReady counts the pods that take requests.
func (m *Model) countReady() {
	if m.Scale == nil {
		return
	}
	m.Scale.Ready = 0
	for _, p := range m.Pods {
		if p.Phase == event.PhaseReady && (m.Serving == nil || p.Revision == m.Serving.Number) {
			m.Scale.Ready++
		}
	}
}

// keep adds the latest and drops the oldest.
func keep[T any](all []T, latest T) []T {
	if len(all) == keptScale {
		all = all[1:]
	}
	return append(all[:len(all):len(all)], latest)
}

package session

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Revision is the local revision that answers requests.
type Revision struct {
	Number  int        `json:"number"`
	Image   string     `json:"image,omitempty"`   // id
	Sources string     `json:"sources,omitempty"` // identifies what it was made from
	Tier    event.Tier `json:"tier,omitempty"`
	Since   time.Time  `json:"since"`
}

// Stale says that the serving revision is behind the files on disk.
type Stale struct {
	Since time.Time `json:"since"` // the first edit that it does not have
	event.Edited
}

// Reload is one making of a new revision.
type Reload struct {
	Revision int             `json:"revision"`
	State    ReloadState     `json:"state"`
	Since    time.Time       `json:"since"`           // when it began
	Ended    *time.Time      `json:"ended,omitempty"` // nil while it runs
	Plan     event.Reloading `json:"plan"`

	Took      time.Duration      `json:"took_ns,omitempty"`
	Steps     []event.ReloadStep `json:"steps,omitempty"`
	Cancelled string             `json:"cancelled,omitempty"`
	Failure   *event.Failed      `json:"failure,omitempty"`
}

// ReloadState is how far a reload is.
type ReloadState string

// The states of a reload.
const (
	ReloadRuns      ReloadState = "running"
	ReloadServes    ReloadState = "serving"
	ReloadFailed    ReloadState = "failed"
	ReloadCancelled ReloadState = "cancelled"
)

// keptReloads is how many reloads a model remembers.
const keptReloads = 20

func (m *Model) edited(e event.Event, f event.Edited) {
	if f.Tier == event.TierNone {
		return
	}
	since := e.Time
	if m.Stale != nil {
		since = m.Stale.Since
	}
	m.Stale = &Stale{Since: since, Edited: f}
}

func (m *Model) reloading(e event.Event, f event.Reloading) {
	if m.Stale != nil {
		m.Stale.Waits = ""
	}
	m.Reloads = append(m.Reloads, &Reload{Revision: e.Revision, State: ReloadRuns, Since: e.Time, Plan: f})
	if extra := len(m.Reloads) - keptReloads; extra > 0 {
		m.Reloads = m.Reloads[extra:]
	}
}

// serving ends the reload of the revision that took over.
func (m *Model) serving(e event.Event, f event.Serving) {
	m.Serving = &Revision{Number: e.Revision, Image: f.Image, Sources: f.Sources, Tier: f.Tier, Since: e.Time}
	m.Stale = nil
	m.environmentServes(e.Revision)
	for _, p := range m.Pods {
		if p.Revision == e.Revision && p.StartedAt != nil {
			m.run(*p.StartedAt, p.started)
		}
	}
	m.countReady()
	if r := m.reload(e.Revision); r != nil {
		r.end(e, ReloadServes, f.Took, f.Steps)
	}
}

func (m *Model) reloadEnded(e event.Event, f event.ReloadEnded) {
	r := m.reload(e.Revision)
	switch {
	case r == nil:
	case f.Cancelled != "":
		r.end(e, ReloadCancelled, f.Took, f.Steps)
		r.Cancelled = f.Cancelled
	default:
		r.end(e, ReloadFailed, f.Took, f.Steps)
		r.Failure = f.Card
	}
}

func (m *Model) stuck(e event.Event, f event.ReloadStuck) {
	if r := m.reload(e.Revision); r != nil {
		r.Failure = &f.Card
	}
}

func (r *Reload) end(e event.Event, state ReloadState, took time.Duration, steps []event.ReloadStep) {
	at := e.Time
	r.State, r.Ended, r.Took, r.Steps, r.Failure = state, &at, took, steps, nil
}

func (m *Model) reload(revision int) *Reload {
	for _, r := range m.Reloads {
		if r.Revision == revision {
			return r
		}
	}
	return nil
}

// LastReload is the latest reload; nil where there was none.
func (m *Model) LastReload() *Reload {
	if len(m.Reloads) == 0 {
		return nil
	}
	return m.Reloads[len(m.Reloads)-1]
}

package session

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// History is what a view shows of the past. It is bounded by bytes, whatever the
// traffic; every Ring says how many there were besides what it keeps. A State has one
// only where somebody asked for it: Remember.
type History struct {
	// Requests, Logs and Happenings hold event.Served, event.Log, and all that is rare,
	// of all models in their order.
	Requests   Ring[event.Event]
	Logs       Ring[event.Event]
	Happenings Ring[event.Event]
	// Dropped counts the requests, lines and probes that came too fast for this reader.
	Dropped int
	// Tracks are the pasts of the models' own metrics.
	Tracks *Tracks

	models map[string]*Past
}

// Past is one model's past.
type Past struct {
	// Seconds has an entry for every second in which a number changed; between two of
	// them the numbers stayed as they were.
	Seconds Ring[Second]
	// Probes are the attempts on all pods.
	Probes Ring[Attempt]
	// Builds are the latest makings of an image and their steps, the latest last.
	Builds []*Build
}

// Second is how a model did in one second.
type Second struct {
	At time.Time // the second's begin
	event.Traffic
	Failed      uint64 // requests that ended as errors in it
	CPU         float64
	Memory      int64 // bytes
	MemoryLimit int64 // bytes; 0 where there is none
	Ready       int   // replicas
}

// Attempt is one attempt of a probe.
type Attempt struct {
	At       time.Time
	Revision int
	event.Probed
}

// Build is one way to an image: its steps in the order they began in.
type Build struct {
	Revision int
	Began    time.Time
	Steps    []BuildStep
}

// BuildStep is one step, as it was told last.
type BuildStep struct {
	Began time.Time
	event.Step
}

// The bounds of a History. Bytes are counted as what an item refers to and its own size.
const (
	mostRequests = 20_000
	requestBytes = 8 << 20
	mostLogs     = 10_000
	logBytes     = 16 << 20
	mostHappened = 2_000
	happenBytes  = 4 << 20
	mostSeconds  = 3600
	mostAttempts = 2_000
	attemptBytes = 1 << 20
	keptBuilds   = 10
	keptSteps    = 500

	eventBytes  = 96 // an event without its fact
	servedBytes = 240
	factBytes   = 300 // a fact of another kind, about
)

// Remember has the state keep a history of what is applied from now on.
func (s *State) Remember() {
	s.History = &History{
		Requests:   newRing[event.Event](mostRequests, requestBytes),
		Logs:       newRing[event.Event](mostLogs, logBytes),
		Happenings: newRing[event.Event](mostHappened, happenBytes),
		Tracks:     newTracks(mostSeries, seriesBytes),
		models:     map[string]*Past{},
	}
}

// Of returns a model's past; it is empty where nothing happened yet.
func (h *History) Of(model string) *Past {
	p := h.models[model]
	if p == nil {
		p = &Past{
			Seconds: newRing[Second](mostSeconds, mostSeconds<<10),
			Probes:  newRing[Attempt](mostAttempts, attemptBytes),
		}
		h.models[model] = p
	}
	return p
}

// add notes an event; m is the model concerned as it is after it, nil where none is.
func (h *History) add(e event.Event, m *Model) {
	switch f := e.Fact.(type) {
	case event.Served:
		h.Requests.add(e, servedBytes+eventBytes+len(f.Path)+len(f.Host)+len(f.Error)+len(f.Replica))
	case event.Log:
		h.Logs.add(e, eventBytes+len(f.Text)+len(f.Replica)+64)
	case event.Dropped:
		h.Dropped += f.Count
	case event.Probed:
		if m != nil {
			h.Of(m.ID).Probes.add(Attempt{e.Time, e.Revision, f}, factBytes+len(f.Body))
		}
	case event.Traffic, event.Usage:
		if m != nil {
			h.Of(m.ID).measure(e.Time, m)
		}
	case event.Step:
		if m != nil {
			h.Of(m.ID).step(e, f)
		}
		if f.State == event.StepFailed {
			h.Happenings.add(e, eventBytes+factBytes)
		}
	case event.Scraped:
		h.Tracks.add(e.Model, f)
	case event.PodChanged:
		if m != nil {
			h.Of(m.ID).measure(e.Time, m)
		}
		if f.Phase == event.PhaseStopped {
			h.Tracks.leave(sourceOf{e.Model, event.Scraped{Pod: f.Pod, Source: event.MetricsScraped}.Of()}, e.Time)
		}
		h.Happenings.add(e, eventBytes+factBytes)
	case event.Pins:
		h.Happenings.add(e, eventBytes+factBytes+len(f.Verdicts)*factBytes)
	case event.Session, event.Listening, event.Declared, event.Parity, event.Environment, event.Exchange:
	default:
		h.Happenings.add(e, eventBytes+factBytes)
	}
}

// measure notes the model's numbers in this second's entry.
func (p *Past) measure(at time.Time, m *Model) {
	now := Second{At: at.Truncate(time.Second)}
	last := p.Seconds.Last()
	if m.Traffic != nil {
		now.Traffic = *m.Traffic
		if last != nil && now.Errors >= last.Errors {
			now.Failed = now.Errors - last.Errors
		}
	}
	if m.Usage != nil {
		now.CPU, now.Memory, now.MemoryLimit = m.Usage.CPU, m.Usage.Memory, m.Usage.MemoryLimit
	}
	for _, pod := range m.Pods {
		if pod.Phase == event.PhaseReady {
			now.Ready++
		}
	}
	if last != nil && last.At.Equal(now.At) {
		now.Failed += last.Failed
		*last = now
		return
	}
	p.Seconds.add(now, 0)
}

// step brings the step of that id up to date, in the revision's build.
func (p *Past) step(e event.Event, f event.Step) {
	if len(p.Builds) == 0 || p.Builds[len(p.Builds)-1].Revision != e.Revision {
		p.Builds = append(p.Builds, &Build{Revision: e.Revision, Began: e.Time})
		if extra := len(p.Builds) - keptBuilds; extra > 0 {
			p.Builds = p.Builds[extra:]
		}
	}
	b := p.Builds[len(p.Builds)-1]
	for i := range b.Steps {
		if s := &b.Steps[i]; s.Stage == f.Stage && s.ID == f.ID {
			s.Step = f
			return
		}
	}
	if len(b.Steps) < keptSteps {
		b.Steps = append(b.Steps, BuildStep{e.Time, f})
	}
}

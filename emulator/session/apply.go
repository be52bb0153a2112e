package session

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Apply brings the state up to date with one event. Events come in their order.
func (s *State) Apply(e event.Event) {
	switch f := e.Fact.(type) {
	case event.Session:
		s.ID, s.Version, s.Dir, s.PID, s.Runtime, s.Engine = f.ID, f.Version, f.Dir, f.PID, f.Runtime, f.Engine
		s.Started = e.Time
		s.Models = []*Model{}
	case event.Listening:
		s.Address, s.Metrics = f.Address, f.Metrics
		s.address()
	case event.Declared:
		s.declare(e.Model, f)
	case event.Engine:
		s.EngineTrouble = f.Error
	case event.Capture:
		s.Capture = &f
	case event.Ended:
		s.Ended, s.Error = true, f.Error
	default:
		if m := s.byID(e.Model); m != nil {
			m.apply(e)
		}
	}
	if s.History != nil {
		s.History.add(e, s.byID(e.Model))
	}
}

func (s *State) byID(id string) *Model {
	for _, m := range s.Models {
		if m.ID == id {
			return m
		}
	}
	return nil
}

func (s *State) declare(id string, f event.Declared) {
	m := s.byID(id)
	if m == nil {
		m = &Model{ID: id, Phase: event.PhasePending, Pods: []*Pod{}}
		s.Models = append(s.Models, m)
	}
	m.Project, m.Name, m.Version, m.Revision = f.Project, f.Name, f.Version, f.Redeployment
	m.FullName, m.Protocol, m.Image, m.host = f.FullName, f.Protocol, f.Image, f.Host
	s.address()
}

// address says anew where each model answers.
func (s *State) address() {
	if s.Address == "" {
		return
	}
	for _, m := range s.Models {
		m.URLs = URLs{Base: "http://" + s.Address, Host: m.host}
		if m.Protocol == "UPI_V1" {
			m.URLs.GRPC = s.Address
		} else {
			m.URLs.Predict = m.URLs.Base + "/v1/models/" + m.FullName + ":predict"
		}
	}
}

func (m *Model) apply(e event.Event) {
	if e.Revision > 0 {
		m.LocalRevision = e.Revision
	}
	switch f := e.Fact.(type) {
	case event.PhaseChanged:
		m.enter(e, f)
	case event.Built:
		m.ImageID = f.Image
	case event.Started:
		m.start(e, f)
	case event.Parity:
		m.Parity = &f
	case event.Environment:
		m.environment(e, f)
	case event.Scraped:
		m.scraped(f)
	case event.Deploying:
		m.Deadline = &f.Deadline
	case event.PodChanged:
		m.changePod(e, f)
		m.countReady()
	case event.Autoscaler:
		m.autoscale(f)
	case event.Scaled:
		m.scaled(e, f)
	case event.ColdStart:
		m.coldStarted(e, f)
	case event.Probed:
		m.probed(f)
	case event.Exited:
		m.exit(f)
	case event.Usage:
		m.use(f)
	case event.OutOfMemory:
		m.oom(f)
	case event.Terminated:
		m.terminate(f)
	case event.Edited:
		m.edited(e, f)
	case event.SinceLastRun:
		m.SinceLastRun = &f
	case event.Reloading:
		m.reloading(e, f)
	case event.Serving:
		m.serving(e, f)
	case event.ReloadStuck:
		m.stuck(e, f)
	case event.ReloadEnded:
		m.reloadEnded(e, f)
	case event.Pins:
		m.pinned(e, f)
	case event.Debugger:
		m.debugged(f)
	case event.Attached:
		m.attached(f)
	case event.Faults:
		m.faulted(f)
	case event.Failed:
		m.Failure = &f
	case event.Traffic:
		m.Traffic = &f
	}
}

func (m *Model) enter(e event.Event, f event.PhaseChanged) {
	m.Phase, m.Why, m.Since = f.Phase, f.Why, e.Time
	if f.Phase == event.PhaseReady {
		at := e.Time
		m.ReadyAt, m.Failure, m.Deadline = &at, nil, nil
		return
	}
	m.ReadyAt = nil
	if f.Phase == event.PhaseIdle {
		m.StartedAt, m.ContainerID, m.Container, m.Replica = nil, "", "", ""
	}
}

func (m *Model) probed(f event.Probed) {
	if p := m.pod(f.Pod); p != nil {
		p.probed(f)
	}
	if f.Purpose == event.Readiness {
		m.LastProbe = &f
	}
}

func (m *Model) exit(f event.Exited) {
	m.LastExit = &f
	if p := m.pod(f.Pod); p != nil {
		p.LastExit, p.Usage = &f, nil
		p.oomBefore += f.OOMKills
		p.OOMKills = p.oomBefore
		m.sumUsage()
	}
}

// start notes a container. The model's own is one of the revision that serves.
func (m *Model) start(e event.Event, f event.Started) {
	if p := m.pod(f.Pod); p != nil {
		p.start(e, f)
	}
	if m.Serving == nil || e.Revision <= m.Serving.Number {
		m.run(e.Time, f)
	}
}

func (m *Model) run(at time.Time, f event.Started) {
	m.StartedAt = &at
	m.ContainerID, m.Container, m.Replica, m.Reach = f.Container, f.Name, f.Address, f.Reach
	m.CPULimit, m.MemoryLimit, m.EffectiveCPUs = f.CPULimit, f.MemoryLimit, f.EffectiveCPUs
	if f.Image != "" {
		m.ImageID = f.Image
	}
}

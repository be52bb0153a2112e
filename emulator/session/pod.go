package session

import (
	"slices"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Pod is one replica of a model, over all restarts of its container.
type Pod struct {
	Name        string        `json:"name"`
	Revision    int           `json:"revision"` // local
	Phase       event.Phase   `json:"phase"`
	Why         string        `json:"why,omitempty"`
	Since       time.Time     `json:"since"`
	Restarts    int           `json:"restarts"`
	RetryAt     *time.Time    `json:"retry_at,omitempty"` // in backoff: when it is started again
	ContainerID string        `json:"container_id,omitempty"`
	Container   string        `json:"container,omitempty"` // its name
	Address     string        `json:"address,omitempty"`
	StartedAt   *time.Time    `json:"started_at,omitempty"`
	ReadyAt     *time.Time    `json:"ready_at,omitempty"`
	Readiness   *event.Probed `json:"readiness,omitempty"` // the last attempt
	Liveness    *event.Probed `json:"liveness,omitempty"`  // the last attempt
	LastExit    *event.Exited `json:"last_exit,omitempty"`
	started     event.Started
	// OOMKills counts the processes that the kernel killed for memory, over all restarts.
	OOMKills int          `json:"oom_kills,omitempty"`
	Usage    *event.Usage `json:"usage,omitempty"` // the last sample, while a container runs

	oomBefore int // of the containers that have ended
}

// pod returns the pod of that name; nil where none has it.
func (m *Model) pod(name string) *Pod {
	for _, p := range m.Pods {
		if p.Name == name {
			return p
		}
	}
	return nil
}

func (m *Model) changePod(e event.Event, f event.PodChanged) {
	p := m.pod(f.Pod)
	switch {
	case f.Phase == event.PhaseStopped:
		m.Pods = slices.DeleteFunc(m.Pods, func(other *Pod) bool { return other == p })
		m.sumUsage()
		m.forgetMetrics(f.Pod)
		return
	case p == nil:
		p = &Pod{Name: f.Pod, Revision: e.Revision}
		m.Pods = append(m.Pods, p)
	}
	m.Restarts += max(f.Restarts-p.Restarts, 0)
	p.Phase, p.Why, p.Since, p.Restarts, p.RetryAt = f.Phase, f.Why, e.Time, f.Restarts, f.RetryAt
	p.ReadyAt = nil
	if f.Phase == event.PhaseReady {
		at := e.Time
		p.ReadyAt = &at
	}
}

func (p *Pod) start(e event.Event, f event.Started) {
	at := e.Time
	p.started = f
	p.StartedAt, p.Readiness, p.Liveness = &at, nil, nil
	p.ContainerID, p.Container, p.Address = f.Container, f.Name, f.Address
}

func (p *Pod) probed(f event.Probed) {
	if f.Purpose == event.Liveness {
		p.Liveness = &f
		return
	}
	p.Readiness = &f
}

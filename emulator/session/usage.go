package session

import (
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Usage is what all containers of a model take together, by the last sample of each.
type Usage struct {
	CPU       float64       `json:"cpu"` // cores
	Throttled time.Duration `json:"throttled_ns,omitempty"`
	Memory    int64         `json:"memory_bytes"`
	// MemoryPeak is the highest that Memory has been in this session.
	MemoryPeak  int64 `json:"memory_peak_bytes"`
	MemoryLimit int64 `json:"memory_limit_bytes,omitempty"` // 0 where there is none
	PIDs        int   `json:"pids"`
}

func (m *Model) use(f event.Usage) {
	if p := m.pod(f.Pod); p != nil {
		p.Usage = &f
		m.sumUsage()
	}
}

// sumUsage adds up what the containers take. It stays unknown until a sample came.
func (m *Model) sumUsage() {
	var sum Usage
	known := m.Usage != nil
	if known {
		sum.MemoryPeak = m.Usage.MemoryPeak
	}
	for _, p := range m.Pods {
		if u := p.Usage; u != nil {
			known = true
			sum.CPU += u.CPU
			sum.Throttled += u.Throttled
			sum.Memory += u.Memory
			sum.MemoryLimit += u.MemoryLimit
			sum.PIDs += u.PIDs
			sum.MemoryPeak = max(sum.MemoryPeak, u.MemoryPeak)
		}
	}
	if known {
		sum.MemoryPeak = max(sum.MemoryPeak, sum.Memory)
		m.Usage = &sum
	}
}

// oom counts kills that a container survived.
func (m *Model) oom(f event.OutOfMemory) {
	if p := m.pod(f.Pod); p != nil {
		p.OOMKills = p.oomBefore + f.Kills
	}
}

func (m *Model) terminate(f event.Terminated) {
	if f.Killed {
		m.Killed++
	}
	m.RequestsCut += f.Cut
}

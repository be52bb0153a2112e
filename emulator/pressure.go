package emulator

import (
	"fmt"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// pressure warns, now and then, where a container comes near its limits.
type pressure struct {
	memoryTold bool
	heldBack   int // samples in a row
	cpuTold    time.Time
}

const (
	// memoryNear is worth a warning; one below memoryFar again makes the next worth one.
	memoryNear, memoryFar = 0.9, 0.8
	// In so many samples in a row more than this share of the periods is throttled
	// where a warning is worth it, and the next one is not before cpuAgain.
	heldBackShare   = 0.25
	heldBackSamples = 5
	cpuAgain        = 10 * time.Minute
)

// of returns what a person should know of a sample; mostly nothing.
func (p *pressure) of(u event.Usage, cpuLimit string, now time.Time) []string {
	var warnings []string
	if text := p.memory(u); text != "" {
		warnings = append(warnings, text)
	}
	if text := p.cpu(u, cpuLimit, now); text != "" {
		warnings = append(warnings, text)
	}
	return warnings
}

func (p *pressure) memory(u event.Usage) string {
	if u.MemoryLimit == 0 {
		return ""
	}
	switch share := float64(u.Memory) / float64(u.MemoryLimit); {
	case share < memoryFar:
		p.memoryTold = false
	case share >= memoryNear && !p.memoryTold:
		p.memoryTold = true
		return fmt.Sprintf("takes %s of memory, %.0f %% of its limit of %s; above that it is OOMKilled: load less, or raise resource_request.memory_request",
			amount(u.Memory), 100*share, amount(u.MemoryLimit))
	}
	return ""
}

func (p *pressure) cpu(u event.Usage, limit string, now time.Time) string {
	if u.ThrottledShare <= heldBackShare {
		p.heldBack = 0
		return ""
	}
	if p.heldBack++; p.heldBack < heldBackSamples || !p.cpuTold.IsZero() && now.Sub(p.cpuTold) < cpuAgain {
		return ""
	}
	p.cpuTold = now
	return fmt.Sprintf("is held back by its CPU limit of %s in %.0f %% of the scheduling periods: requests take longer, as in production; raise resource_request.cpu_limit, or run fewer threads",
		limit, 100*u.ThrottledShare)
}

// amount is an amount of memory for people.
func amount(n int64) string {
	const unit = 1 << 20
	if n >= 10<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/unit)
}

package docker

import (
	"slices"
	"sync"
	"time"
)

// past are the builds of a session. It is safe for concurrent use.
type past struct {
	mu      sync.Mutex
	ended   []*pastBuild
	running []*time.Time // since when

	tidying sync.Mutex // guards the rest
	ledger  *ledger    // nil until it is known what earlier runs left
	told    bool       // that the cache cannot be tidied
}

// begin notes a build that goes on since now, until over is called with what it did.
func (p *past) begin(now time.Time) (over func(pastBuild)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	since := &now
	p.running = append(p.running, since)
	return func(b pastBuild) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.running = slices.DeleteFunc(p.running, func(other *time.Time) bool { return other == since })
		if !b.Done.IsZero() { // else it did nothing
			p.ended = append(p.ended, &b)
		}
	}
}

// take gives the builds that have ended since the last call, and since when the oldest
// goes on that has not; zero where none does.
func (p *past) take() (ended []*pastBuild, running time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ended, p.ended = p.ended, nil
	for _, since := range p.running {
		if running.IsZero() || since.Before(running) {
			running = *since
		}
	}
	return ended, running
}

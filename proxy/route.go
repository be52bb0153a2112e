package proxy

import (
	"container/list"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// model is a Model and where its requests go now: to replicas, to an error, or
// nowhere yet, in which case they are held.
type model struct {
	Model
	predictor string // host; what the container sees where it is Deployed
	timeouts  timeouts
	ready     question
	stopping  <-chan struct{}
	meter     meter
	held      atomic.Int64 // requests without a replica
	demand    demand
	wanted    func(id string)
	faults    atomic.Pointer[faults] // nil is none

	mu       sync.Mutex
	routed   []*replica
	failure  string
	replicas map[place]*replica // routed or busy
	changed  chan struct{}      // closed and renewed when the route changes
	line     list.List          // of chan spot: who waits where the activator counts
	next     int                // in routed, for its round robin
	quiet    chan struct{}      // closed when a drain may have ended; nil where nobody drains
}

func newModel(m Model, stopping <-chan struct{}) *model {
	if m.Timeout == 0 {
		m.Timeout = DefaultTimeout
	}
	return &model{
		Model:     m,
		predictor: predictorHost(m),
		timeouts:  timeouts{m.Timeout, m.ResponseStartTimeout, m.IdleTimeout, newHalts()},
		stopping:  stopping,
		demand:    newDemand(time.Now()),
		wanted:    func(string) {},
		replicas:  map[place]*replica{},
		changed:   make(chan struct{}),
	}
}

// route replaces the replicas; one that is still known goes on with its queue.
func (m *model) route(revision int, addresses []netip.AddrPort) {
	m.set("", revision, addresses)
}

// fail answers all requests with why.
func (m *model) fail(why string) {
	if why == "" {
		why = "it failed"
	}
	m.set(why, 0, nil)
}

func (m *model) set(failure string, revision int, addresses []netip.AddrPort) {
	m.mu.Lock()
	m.failure = failure
	for _, r := range m.routed {
		r.routed = false
	}
	m.routed = nil
	for _, address := range addresses {
		m.add(place{revision, address})
	}
	m.advance()
	forgotten := m.forgetIdle()
	close(m.changed)
	m.changed = make(chan struct{})
	m.wakeDrains()
	m.mu.Unlock()

	for _, r := range forgotten {
		r.wires.close()
	}
}

// add is called with the lock held.
func (m *model) add(p place) {
	r := m.replicas[p]
	if r == nil {
		r = newReplica(p, m.ContainerConcurrency)
		m.replicas[p] = r
	}
	if !r.routed {
		r.routed = true
		m.routed = append(m.routed, r)
	}
}

// forgetIdle is called with the lock held; what it returns can be closed.
func (m *model) forgetIdle() []*replica {
	var idle []*replica
	for _, r := range m.replicas {
		if !r.routed && r.requests == 0 {
			idle = append(idle, r)
		}
	}
	maps.DeleteFunc(m.replicas, func(_ place, r *replica) bool { return slices.Contains(idle, r) })
	return idle
}

// release ends what pick began.
func (m *model) release(r *replica) {
	m.mu.Lock()
	r.requests--
	m.advance()
	last := r.requests == 0
	forgotten := last && !r.routed
	if forgotten {
		delete(m.replicas, r.place)
	}
	if last {
		m.wakeDrains()
	}
	m.mu.Unlock()
	if forgotten {
		r.wires.close()
	}
}

// wakeDrains is called with the lock held.
func (m *model) wakeDrains() {
	if m.quiet != nil {
		close(m.quiet)
		m.quiet = nil
	}
}

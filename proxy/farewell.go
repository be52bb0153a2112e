package proxy

import (
	"context"
	"net/http"
	"net/netip"
)

// farewell watches how the requests end that a replica has when it is told to. It is
// guarded by model.mu.
type farewell struct {
	left int // requests that have not ended
	cut  int // those that did not end well
	over chan struct{}
}

// Farewell begins to watch the requests on a replica that is about to end. What it returns
// waits until all have ended, or ctx has, and tells how many of them the replica did
// not answer, or not to the end. Of an upgraded connection nobody can tell.
func (s *Server) Farewell(model string, address netip.AddrPort) (cut func(ctx context.Context) int) {
	m := s.models[model]
	if m == nil {
		return func(context.Context) int { return 0 }
	}
	p := m.farewell(address)
	return func(ctx context.Context) int {
		select {
		case <-p.over:
		case <-ctx.Done():
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		return p.cut + p.left
	}
}

func (m *model) farewell(address netip.AddrPort) *farewell {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &farewell{over: make(chan struct{})}
	for at, r := range m.replicas {
		if at.address == address {
			p.left += r.present
			r.farewell = p
		}
	}
	if p.left == 0 {
		close(p.over)
	}
	return p
}

// take begins a request. It is called with model.mu held.
func (r *replica) take() {
	r.requests++
	r.present++
}

// giveUp ends a request that no exchange carries.
func (m *model) giveUp(r *replica) {
	m.mu.Lock()
	r.present--
	m.mu.Unlock()
	m.release(r)
}

// depart takes the exchange off its replica, once how it ended is known.
func (x *exchange) depart() {
	r := x.replica
	if r == nil {
		return
	}
	x.model.mu.Lock()
	defer x.model.mu.Unlock()
	r.present--
	p := r.farewell
	if p == nil || p.left == 0 {
		return
	}
	if x.cut() {
		p.cut++
	}
	if p.left--; p.left == 0 {
		close(p.over)
	}
}

// cut tells whether the replica left the request without a whole answer. A client that
// left, or the port's own timeout, is another matter.
func (x *exchange) cut() bool {
	if x.failure == errGone || x.clock.struck() {
		return false
	}
	return x.broken || x.own != nil && x.own.status == http.StatusBadGateway
}

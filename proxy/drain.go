package proxy

import (
	"context"
	"net/netip"
	"slices"
)

// drain waits until no request is on a replica (of these, if any are given) that is not
// routed, or, once the port stops, on any. Else it returns how many there are, and the context's error.
func (m *model) drain(ctx context.Context, only ...netip.AddrPort) (busy int, err error) {
	for {
		stopping, all := m.stopping, false
		select {
		case <-stopping:
			stopping, all = nil, true
		default:
		}
		busy, quiet := m.busy(all, only)
		if busy == 0 {
			return 0, nil
		}
		select {
		case <-quiet:
		case <-stopping:
		case <-ctx.Done():
			return busy, ctx.Err()
		}
	}
}

// busy counts the requests to wait for, and returns what closes when that changes.
func (m *model) busy(all bool, only []netip.AddrPort) (requests int, quiet <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.replicas {
		if (all || !r.routed) && (len(only) == 0 || slices.Contains(only, r.address)) {
			requests += r.requests
		}
	}
	if m.quiet == nil {
		m.quiet = make(chan struct{})
	}
	return requests, m.quiet
}

package proxy

import "context"

// drain waits until no request is on a replica that is not routed, or, once the
// port stops, on any. Else it returns how many there are, and the context's error.
func (m *model) drain(ctx context.Context) (busy int, err error) {
	for {
		stopping, all := m.stopping, false
		select {
		case <-stopping:
			stopping, all = nil, true
		default:
		}
		busy, quiet := m.busy(all)
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
func (m *model) busy(all bool) (requests int, quiet <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.replicas {
		if all || !r.routed {
			requests += r.requests
		}
	}
	if m.quiet == nil {
		m.quiet = make(chan struct{})
	}
	return requests, m.quiet
}

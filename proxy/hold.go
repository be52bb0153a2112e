package proxy

import "context"

// pick returns the replica that a request goes to; release must follow. While
// there is none the request is held, as the activator holds it: until the model is
// routed or fails, the port stops, or ctx ends. It calls waits before it waits.
// Where the request gets no replica the refusal says why; it is nil where ctx
// ended.
func (m *model) pick(ctx context.Context, waits func()) (r *replica, refused *refusal, held bool) {
	if m.throttles() {
		return m.throttle(ctx, waits)
	}
	r, refused, changed := m.now()
	if changed == nil {
		return r, refused, false
	}
	m.held.Add(1)
	defer m.held.Add(-1)
	m.wanted(m.ID)
	waits()
	for changed != nil {
		select {
		case <-changed:
			r, refused, changed = m.now()
		case <-m.stopping:
			refused, changed = refuseStopping(), nil
		case <-ctx.Done():
			changed = nil
		}
	}
	return r, refused, true
}

// now returns where a request goes at this instant: to a replica, to a refusal, or,
// where it is held, the channel that closes when the route changes.
func (m *model) now() (*replica, *refusal, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.failure != "":
		return nil, refuseFailed(m.ID, m.failure), nil
	case len(m.routed) == 0:
		return nil, nil, m.changed
	}
	r := lightest(m.routed)
	r.take()
	return r, nil, nil
}

package proxy

import (
	"container/list"
	"context"
)

// activatorDepth is how many requests of one revision wait in the activator.
const activatorDepth = 10_000

// spot is where a request goes: to a replica, or to a refusal.
type spot struct {
	replica *replica
	refused *refusal
}

// throttles tells whether the activator counts the places on the replicas.
func (m *model) throttles() bool { return m.Deployed && m.ContainerConcurrency > 0 }

// throttle is pick where the activator counts: a request goes to a replica with a
// free place, or waits for one in the order of arrival, also while there is no
// replica at all. So none is left that would wait before a replica.
func (m *model) throttle(ctx context.Context, waits func()) (r *replica, refused *refusal, held bool) {
	s, place, held := m.lineUp()
	if place != nil {
		if held {
			m.wanted(m.ID)
		}
		waits()
		s = m.await(ctx, place)
	}
	return s.replica, s.refused, held
}

// lineUp returns a spot, or a place in the line of those who wait for one.
func (m *model) lineUp() (s spot, place *list.Element, held bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.spot(); ok {
		return s, nil, false
	}
	held = len(m.routed) == 0
	if m.line.Len() >= activatorDepth {
		return spot{refused: refuseQueueFull()}, nil, held
	}
	return spot{}, m.line.PushBack(make(chan spot, 1)), held
}

// spot returns where the next request goes now; false where it has to wait. It is
// called with the lock held.
func (m *model) spot() (s spot, ok bool) {
	if m.failure != "" {
		return spot{refused: refuseFailed(m.ID, m.failure)}, true
	}
	r := m.free()
	if r != nil {
		r.take()
	}
	return spot{replica: r}, r != nil
}

// await returns the spot that the turn brings; none where ctx ends. A port that
// stops still serves who waits for a place, and refuses who waits for a replica.
func (m *model) await(ctx context.Context, place *list.Element) spot {
	stopping := m.stopping
	for {
		select {
		case s := <-place.Value.(chan spot):
			return s
		case <-ctx.Done():
			if s := m.stepOut(place); s.replica != nil { // in the same instant
				m.giveUp(s.replica)
			}
			return spot{}
		case <-stopping:
			if stopping = nil; m.isRouted() {
				continue
			}
			if s := m.stepOut(place); s != (spot{}) {
				return s
			}
			return spot{refused: refuseStopping()}
		}
	}
}

// stepOut gives the place in the line up, and returns what its turn had brought.
func (m *model) stepOut(place *list.Element) (s spot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.line.Remove(place)
	select {
	case s = <-place.Value.(chan spot):
	default:
	}
	return s
}

func (m *model) isRouted() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.routed) > 0
}

// advance gives free places to those who wait longest, and a failure to all. It is
// called with the lock held whenever a place may have become free.
func (m *model) advance() {
	for first := m.line.Front(); first != nil; first = m.line.Front() {
		s, ok := m.spot()
		if !ok {
			return
		}
		m.line.Remove(first).(chan spot) <- s
	}
}

// roundRobinFrom is the concurrency from which the activator spreads requests; with
// a smaller one it fills the first replica before the next.
const roundRobinFrom = 4

// free returns a replica with a free place, nil where there is none. It is called
// with the lock held.
func (m *model) free() *replica {
	for i := range m.routed {
		at := i
		if m.ContainerConcurrency >= roundRobinFrom {
			at = (m.next + i) % len(m.routed)
		}
		if r := m.routed[at]; r.requests < m.ContainerConcurrency {
			m.next = at + 1
			return r
		}
	}
	return nil
}

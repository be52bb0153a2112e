package proxy

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// errQueueFull is why a request was not admitted.
var errQueueFull = errors.New("pending request queue full")

// queueDepth is how many requests may wait for each one that may run.
const queueDepth = 10

// queue is queue-proxy's breaker: as many requests run as the replica takes at a
// time, ten times as many wait, in their order of arrival. A nil queue admits all.
type queue struct {
	limit int

	mu      sync.Mutex
	running int
	waiting list.List // of chan struct{}: closed when the turn has come
}

// newQueue returns the queue of one replica; concurrency 0 is no limit.
func newQueue(concurrency int) *queue {
	if concurrency <= 0 {
		return nil
	}
	return &queue{limit: concurrency}
}

// enter returns nil when the request may run; leave must follow then. It calls
// waits once before it waits. Where ctx ends first it returns the context's cause.
func (q *queue) enter(ctx context.Context, waits func()) error {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	if q.running < q.limit {
		q.running++
		q.mu.Unlock()
		return nil
	}
	if q.waiting.Len() >= queueDepth*q.limit {
		q.mu.Unlock()
		return errQueueFull
	}
	turn := make(chan struct{})
	place := q.waiting.PushBack(turn)
	q.mu.Unlock()

	waits()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		q.forget(place, turn)
		return context.Cause(ctx)
	}
}

// forget takes a request away that waits no longer. Its turn may have come in the
// same instant: then it is the next one's.
func (q *queue) forget(place *list.Element, turn chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-turn:
		q.next()
	default:
		q.waiting.Remove(place)
	}
}

// leave ends what enter admitted.
func (q *queue) leave() {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next()
}

// next hands a place that became free to whoever waits longest. It is called with
// the lock held.
func (q *queue) next() {
	first := q.waiting.Front()
	if first == nil {
		q.running--
		return
	}
	close(q.waiting.Remove(first).(chan struct{}))
}

// length is how many wait.
func (q *queue) length() int {
	if q == nil {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting.Len()
}

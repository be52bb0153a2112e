package event

import (
	"context"
	"io"
	"sync"
	"time"
)

// Stream numbers facts and hands them to its subscribers. Its zero value is not
// ready: use NewStream. All methods are safe for concurrent use.
type Stream struct {
	mu      sync.Mutex
	seq     uint64
	closed  bool
	subs    map[*Subscription]struct{}
	history history
}

// backlog is how many lossy events wait for one slow reader before the next is
// dropped.
const backlog = 4096

// NewStream returns a stream without subscribers.
func NewStream() *Stream {
	return &Stream{
		subs:    map[*Subscription]struct{}{},
		history: history{recent: map[string]*ring{}, latest: map[string]*latest{}},
	}
}

// Publish stamps a fact and queues it for every subscriber. It never blocks; after
// Close it does nothing.
func (s *Stream) Publish(model string, revision int, f Fact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.seq++
	e := Event{Seq: s.seq, Time: time.Now().UTC(), Model: model, Revision: revision, Fact: f}
	s.history.add(e)
	for sub := range s.subs {
		sub.push(e)
	}
}

// History returns what is kept of the session so far, oldest first.
func (s *Stream) History() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.history.all()
}

// Replay returns a reader of what is kept of the session so far, and then of
// everything published from now on, without a gap between.
func (s *Stream) Replay() *Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subscribe()
	sub.pending = s.history.all()
	sub.signal()
	return sub
}

// Subscribe returns a reader of everything published from now on.
func (s *Stream) Subscribe() *Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subscribe()
}

func (s *Stream) subscribe() *Subscription {
	sub := &Subscription{stream: s, wake: make(chan struct{}, 1)}
	if s.closed {
		sub.ended = true
		return sub
	}
	s.subs[sub] = struct{}{}
	return sub
}

// Close ends the stream: subscribers get what is pending, then io.EOF.
func (s *Stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for sub := range s.subs {
		sub.end()
	}
	clear(s.subs)
}

// Subscription is one reader's place in a Stream. One goroutine reads it.
type Subscription struct {
	stream *Stream
	wake   chan struct{}

	// guarded by stream.mu
	pending []Event
	lossy   int
	dropped int
	ended   bool
}

// Next waits until something is pending and returns all of it, oldest first. Where
// lossy events were dropped, a Dropped stands last. After Stream.Close or Cancel it
// returns io.EOF once all is read; it returns the context's error when that ends.
func (s *Subscription) Next(ctx context.Context) ([]Event, error) {
	for {
		if events, ended := s.take(); len(events) > 0 {
			return events, nil
		} else if ended {
			return nil, io.EOF
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Cancel ends the subscription; what is pending can still be read.
func (s *Subscription) Cancel() {
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	delete(s.stream.subs, s)
	s.end()
}

func (s *Subscription) take() (events []Event, ended bool) {
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	events = s.pending
	if s.dropped > 0 {
		last := events[len(events)-1]
		events = append(events, Event{Seq: last.Seq, Time: last.Time, Fact: Dropped{Count: s.dropped}})
	}
	s.pending, s.lossy, s.dropped = nil, 0, 0
	return events, s.ended
}

// push and end are called with the stream's lock held.
func (s *Subscription) push(e Event) {
	if lossy(e.Fact) {
		if s.lossy >= backlog {
			s.dropped++
			return
		}
		s.lossy++
	}
	s.pending = append(s.pending, e)
	s.signal()
}

func (s *Subscription) end() {
	s.ended = true
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

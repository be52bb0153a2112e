package proxy

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// h2Stream is one request on a client's connection, and its answer. Until it has a
// replica the goroutine that asks for one owns the exchange, and the others only tell
// it why to give up; then all is under the connection's lock.
type h2Stream struct {
	c    *h2Conn
	id   uint32
	x    *exchange // nil where only net/http's own answers are given
	head bool      // of HEAD: its answer has no body

	up, down h2Flow
	upstream *h2Upstream // nil where the request is on none
	upID     uint32      // its stream there

	admitting bool // its exchange is not this lock's yet
	admitted  bool // the replica is to be given back
	passed    bool // its goroutine reads the connection no more
	begun     bool // the final header went to the client, or as good as
	withheld  *h2Answer
	gone      bool // the client wants nothing any more
	told      bool // the exchange has ended
	over      bool // off the connection
	due       time.Time

	cause atomic.Pointer[error] // why the context has ended
	done  chan struct{}         // closed then; made when somebody waits
}

// The stream is the context that its request waits with. Most wait for nothing, and
// need none.

// Deadline is unknown to who waits: the clock is the exchange's.
func (s *h2Stream) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Value has nothing.
func (s *h2Stream) Value(any) any { return nil }

// Err is why the request is to end, nil while it is not.
func (s *h2Stream) Err() error {
	if cause := s.cause.Load(); cause != nil {
		return *cause
	}
	return nil
}

// Done is closed when the request is to end.
func (s *h2Stream) Done() <-chan struct{} {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.Err() != nil {
			close(s.done)
		}
	}
	return s.done
}

var _ context.Context = (*h2Stream)(nil)

// cancel ends the context; the first cause stays.
func (s *h2Stream) cancel(cause error) {
	if s.cause.CompareAndSwap(nil, &cause) && s.done != nil {
		close(s.done)
	}
}

// carry takes a request through its exchange to a replica. It is called without the
// lock by the goroutine that reads the connection; where the request had to wait,
// another one reads when it returns, and it returns false.
func (s *h2Stream) carry(r *h2Request, ends bool) (reads bool) {
	refused := s.admit(r)
	c := s.c
	c.mu.Lock()
	s.admitting = false
	s.admitted = refused == nil
	if refused == nil && s.Err() != nil {
		refused = s.x.ended(s)
	}
	switch {
	case refused != nil:
		s.refused(refused)
	default:
		c.send(s, r, ends)
	}
	c.unlock()
	if s.passed {
		c.flush()
	}
	return !s.passed
}

func (s *h2Stream) admit(r *h2Request) *refusal {
	x := s.x
	if refused := x.find(); refused != nil {
		return refused
	}
	if isHealthCheck(r.agent) {
		s.wait() // the answer may take some time
	}
	if answered := x.probe(s, r); answered != nil {
		return answered
	}
	s.c.setClock(s)
	return x.admit(s, s.wait)
}

// wait has another goroutine read the connection.
func (s *h2Stream) wait() {
	if !s.passed {
		s.passed = true
		s.c.passOn()
	}
}

// refused ends the exchange with an answer that is not the container's.
func (s *h2Stream) refused(r *refusal) {
	s.x.refused(r)
	s.hangUp(http2.ErrCodeCancel)
	s.tell()
	if s.gone || s.c.over {
		s.leave()
		return
	}
	s.refuse(r)
}

// tell ends the exchange: it is told once the lock is free.
func (s *h2Stream) tell() {
	if s.x != nil && !s.told {
		s.told = true
		s.x.clock.over()
		s.c.ended = append(s.c.ended, h2Ended{s.x, s.admitted})
	}
}

// record gives the fields of a header or trailer to the recording, where there is one.
func (s *h2Stream) record(part event.Part, fields []hpack.HeaderField) {
	if s.x != nil && !s.told && s.x.recording != nil {
		s.c.lines = h2AppendLines(s.c.lines[:0], fields)
		s.x.record(part, s.c.lines)
	}
}

// ended is called when the whole answer has been sent.
func (s *h2Stream) ended() {
	s.tell()
	if !s.up.complete && s.up.from != nil {
		s.c.client.reset(s.id, http2.ErrCodeNo) // the rest of the request is of no use
	}
	s.hangUp(http2.ErrCodeCancel)
	s.leave()
}

// hangUp takes the stream off its upstream connection.
func (s *h2Stream) hangUp(code http2.ErrCode) {
	u := s.upstream
	if u == nil {
		return
	}
	s.upstream = nil
	if !s.up.sent || !s.down.complete {
		u.reset(s.upID, code)
	}
	s.down.release()
	s.up.close()
	u.drop(s.upID)
}

// leave takes the stream off the client's connection.
func (s *h2Stream) leave() {
	if s.over {
		return
	}
	s.over = true
	s.up.close()
	s.down.close()
	s.c.drop(s.id)
}

// fail ends a request that its container failed.
func (s *h2Stream) fail(err error) {
	if !s.begun {
		s.refused(refuseBadGateway(err))
		return
	}
	s.broken(err)
}

// broken breaks off an answer that had begun.
func (s *h2Stream) broken(err error) {
	s.x.failure, s.x.broken = err, true
	if !s.gone && !s.c.over {
		s.c.client.reset(s.id, http2.ErrCodeInternal)
	}
	s.hangUp(http2.ErrCodeCancel)
	s.tell()
	s.leave()
}

// abandon ends a request whose client is gone.
func (s *h2Stream) abandon(cause error) {
	s.gone = true
	s.cancel(cause)
	switch {
	case s.admitting:
	case s.told || s.x == nil:
		s.hangUp(http2.ErrCodeCancel)
		s.leave()
	case s.begun:
		s.broken(cause)
	default:
		s.refused(s.x.ended(s))
	}
}

// malformed ends a request that its client did not make as it should.
func (s *h2Stream) malformed(code http2.ErrCode) {
	s.c.client.reset(s.id, code)
	s.abandon(errGone)
}

// tick asks the clock, and tells when it is to be asked again.
func (s *h2Stream) tick(now time.Time) {
	if s.told || s.x == nil {
		s.due = time.Time{}
		return
	}
	over, again := s.x.clock.due()
	s.due = time.Time{}
	if !over {
		if again > 0 {
			s.due = now.Add(again)
		}
		return
	}
	s.cancel(errTimeout)
	switch {
	case s.x.clock.lapsed():
		s.lapse()
	case !s.admitting:
		s.refused(s.x.ended(s))
	}
}

// lapse ends an answer on which the idle timeout has passed: as if it were all, with
// the text appended. Where a length was announced the client sees that it was not.
func (s *h2Stream) lapse() {
	s.sniff(nil)
	s.x.failure = errIdle
	announced := s.down.declared >= 0
	text := []byte(refuseTimeout().body)
	s.x.answers(text)
	s.hangUp(http2.ErrCodeCancel)
	s.tell()
	s.down.complete = !announced
	s.down.add(text)
	if announced && !s.over {
		s.c.client.reset(s.id, http2.ErrCodeInternal)
		s.leave()
	}
}

// data takes a part of the request from the client.
func (s *h2Stream) data(f h2Frame, p []byte) {
	if s.up.complete {
		s.up.from.give(len(f.payload))
		s.malformed(http2.ErrCodeStreamClosed)
		return
	}
	if s.x != nil && !s.told {
		s.x.uploads(p)
	}
	switch s.up.receive(f, p) {
	case nil:
	case errH2Window:
		s.malformed(http2.ErrCodeFlowControl)
	default:
		s.malformed(http2.ErrCodeProtocol)
	}
}

// requestTrailer ends the request.
func (s *h2Stream) requestTrailer(b h2Block) {
	if s.up.complete {
		s.malformed(http2.ErrCodeStreamClosed)
		return
	}
	short := s.up.declared >= 0 && s.up.received < s.up.declared
	if !b.ends || b.tooLarge || short || !h2ValidTrailer(b) || !h2AskedTrailer(b) {
		s.malformed(http2.ErrCodeProtocol)
		return
	}
	s.record(event.RequestTrailer, b.fields)
	s.up.finish(append([]hpack.HeaderField{}, b.fields...))
}

// answerData takes a part of the answer from the container.
func (s *h2Stream) answerData(f h2Frame, p []byte) {
	if !s.begun || s.down.complete || (s.head && len(p) > 0) {
		s.down.from.give(len(f.payload))
		s.fail(errH2Unasked)
		return
	}
	if !s.x.clock.touch() {
		s.down.from.give(len(f.payload))
		return
	}
	if s.withheld != nil && (len(p) > 0 || f.ends()) {
		s.sniff(p)
	}
	if passes, broken := s.x.breakBody(p); broken != nil {
		s.x.answers(passes)
		s.down.from.give(len(f.payload) - len(passes))
		s.down.add(passes)
		s.fail(broken)
		return
	}
	s.x.answers(p)
	if err := s.down.receive(f, p); err != nil {
		s.fail(err)
	}
}

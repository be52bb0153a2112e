package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// h2Upstream is a connection of one client to one replica. It is made when the
// client's first request is for that replica; requests do not wait for it.
type h2Upstream struct {
	h2Wire
	replica  *replica
	streams  map[uint32]*h2Stream
	last     uint32 // the last stream that was begun
	away     bool   // it takes no stream any more
	idle     time.Time
	sniffing []*h2Stream // whose headers wait for the next frame
	why      error       // it ends for, where that is known
	hangUp   context.CancelFunc
	closed   bool
}

const (
	// h2AnswerMost is how large the header of an answer may be, as with net/http.
	h2AnswerMost = 10 << 20
	// h2StreamsAt0 is how many streams an upstream gets before it says how many it
	// takes.
	h2StreamsAt0 = 100
	// h2IdleTimeout is how long an upstream connection stays without a request, as
	// with the general engine.
	h2IdleTimeout = 90 * time.Second
	h2StreamLast  = 1<<31 - 3
)

// upstream returns a connection to the replica that takes one more stream. It is
// called with the lock held.
func (c *h2Conn) upstream(r *replica) *h2Upstream {
	for _, u := range c.upstreams {
		if u.replica == r && u.takes() {
			return u
		}
	}
	u := &h2Upstream{replica: r, streams: map[uint32]*h2Stream{}}
	u.init(c, nil, h2AnswerMost)
	u.most = h2StreamsAt0
	u.writing = true // until there is a connection
	u.lend()
	u.out = append(u.out, http2.ClientPreface...)
	u.settings(
		uint32(http2.SettingEnablePush), 0,
		uint32(http2.SettingInitialWindowSize), h2StreamWindow,
		uint32(http2.SettingMaxHeaderListSize), h2AnswerMost,
	)
	c.upstreams = append(c.upstreams, u)
	r.wires.h2.add(u)
	ctx, cancel := context.WithCancel(context.Background())
	u.hangUp = cancel
	c.engine.running.Go(func() { u.run(ctx) })
	return u
}

func (u *h2Upstream) takes() bool {
	return !u.away && !u.broken && uint32(len(u.streams)) < u.most && u.last < h2StreamLast
}

// enter begins a stream.
func (u *h2Upstream) enter(s *h2Stream) (id uint32) {
	if u.last == 0 {
		u.last = 1
	} else {
		u.last += 2
	}
	u.streams[u.last] = s
	return u.last
}

// drop forgets a stream.
func (u *h2Upstream) drop(id uint32) {
	delete(u.streams, id)
	if len(u.streams) > 0 {
		return
	}
	if u.away || u.last >= h2StreamLast || u.most == 0 {
		u.shut(nil)
		return
	}
	u.idle = time.Now()
	u.c.ringAt(u.idle.Add(h2IdleTimeout))
}

// tick ends a connection that has been idle long enough.
func (u *h2Upstream) tick(now time.Time) {
	if len(u.streams) > 0 || u.closed {
		return
	}
	if at := u.idle.Add(h2IdleTimeout); now.Before(at) {
		u.c.ringAt(at)
		return
	}
	u.retire()
}

// retire has no further stream begin here. It is called with the lock held.
func (u *h2Upstream) retire() {
	u.away = true
	if len(u.streams) == 0 {
		u.shut(nil)
	}
}

// shut ends the connection.
func (u *h2Upstream) shut(why error) {
	if u.closed {
		return
	}
	u.closed, u.away = true, true
	if u.why == nil {
		u.why = why
	}
	u.hangUp()
	u.breakOff()
}

// run connects, then relays what the replica sends until the connection ends.
func (u *h2Upstream) run(ctx context.Context) {
	err := u.connect(ctx)
	for err == nil {
		var f h2Frame
		if f, err = u.c.next(&u.h2Wire, u.settle); err == nil {
			err = u.handle(f)
		}
	}
	u.end(err)
}

func (u *h2Upstream) connect(ctx context.Context) error {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", u.replica.address.String())
	if err != nil {
		return err
	}
	u.c.mu.Lock()
	defer u.c.unlock()
	u.conn, u.h2Reader.conn = conn, conn
	if u.closed {
		_ = conn.Close()
		return net.ErrClosed
	}
	u.writing = false
	for _, s := range u.streams {
		s.x.sent()
	}
	return nil
}

// settle sends the headers whose body did not come with them, before the next frame
// is waited for.
func (u *h2Upstream) settle() (idle bool) {
	for _, s := range u.sniffing {
		if s.upstream == u {
			s.sniff(nil)
		}
	}
	u.sniffing = u.sniffing[:0]
	return len(u.streams) == 0
}

// handle takes a frame of the replica.
func (u *h2Upstream) handle(f h2Frame) error {
	var b h2Block
	var err error
	ok := false
	switch {
	case u.joining != 0:
		b, ok, err = u.join(f)
	case f.kind == http2.FrameHeaders:
		b, ok, err = u.begin(f)
	}
	u.c.mu.Lock()
	defer u.c.unlock()
	switch {
	case err != nil:
		return err
	case ok:
		return u.header(b)
	case f.kind == http2.FrameHeaders || u.joining != 0:
		return nil
	default:
		return u.control(f)
	}
}

func (u *h2Upstream) header(b h2Block) error {
	if b.stream > u.last || b.stream%2 == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	s := u.streams[b.stream]
	switch {
	case s == nil:
	case s.down.complete:
		s.fail(errH2Unasked)
	default:
		s.answer(b)
	}
	return nil
}

func (u *h2Upstream) control(f h2Frame) error {
	switch f.kind {
	case http2.FrameData:
		return u.data(f)
	case http2.FrameRSTStream:
		return u.resetByReplica(f)
	case http2.FramePing:
		return u.ping(f)
	case http2.FramePushPromise, http2.FrameContinuation:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	case http2.FrameGoAway:
		return u.goneAway(f)
	case http2.FrameWindowUpdate:
		return u.widen(f, u.last, func(id uint32) (*h2Flow, func(http2.ErrCode)) {
			if s := u.streams[id]; s != nil {
				return &s.up, func(code http2.ErrCode) { s.fail(http2.StreamError{StreamID: id, Code: code}) }
			}
			return nil, nil
		})
	case http2.FrameSettings:
		return u.configure(f, func(delta int64) bool {
			for _, s := range u.streams {
				if !s.up.widen(delta) {
					return false
				}
			}
			return true
		})
	}
	return nil
}

func (u *h2Upstream) data(f h2Frame) error {
	p, err := f.body()
	if err == nil {
		err = u.take(len(f.payload))
	}
	if err != nil {
		return err
	}
	s := u.streams[f.stream]
	switch {
	case s != nil:
		s.answerData(f, p)
	case f.stream == 0 || f.stream > u.last:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	default:
		u.give(len(f.payload))
	}
	return nil
}

// errH2Peer is what the replica's own reset is told with, as net/http tells it.
var errH2Peer = errors.New("received from peer")

func (u *h2Upstream) resetByReplica(f h2Frame) error {
	if len(f.payload) != 4 {
		return http2.ConnectionError(http2.ErrCodeFrameSize)
	}
	if f.stream > u.last || f.stream == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	s := u.streams[f.stream]
	if s == nil {
		return nil
	}
	if s.down.complete { // it only wants no more of the request
		s.up.close()
		return nil
	}
	code := http2.ErrCode(binary.BigEndian.Uint32(f.payload))
	s.fail(http2.StreamError{StreamID: f.stream, Code: code, Cause: errH2Peer})
	return nil
}

// goneAway takes a GOAWAY: the streams that the replica does not know any more fail,
// the others run to their end.
func (u *h2Upstream) goneAway(f h2Frame) error {
	if len(f.payload) < 8 {
		return http2.ConnectionError(http2.ErrCodeFrameSize)
	}
	last := binary.BigEndian.Uint32(f.payload) & h2WindowMax
	code := http2.ErrCode(binary.BigEndian.Uint32(f.payload[4:]))
	away := fmt.Errorf("http2: server sent GOAWAY and closed the connection; LastStreamID=%d, ErrCode=%v, debug=%q",
		last, code, f.payload[8:min(len(f.payload), 8+256)])
	if u.away = true; u.why == nil {
		u.why = away
	}
	for id, s := range maps.Clone(u.streams) {
		if id > last {
			s.fail(away)
		}
	}
	if len(u.streams) == 0 {
		u.shut(nil)
	}
	return nil
}

// end fails what still runs there.
func (u *h2Upstream) end(err error) {
	c := u.c
	c.mu.Lock()
	if u.why == nil {
		u.why = u.tells(err)
	}
	u.shut(nil)
	for _, s := range maps.Clone(u.streams) {
		s.fail(u.why)
	}
	c.upstreams = slices.DeleteFunc(c.upstreams, func(other *h2Upstream) bool { return other == u })
	c.unlock()
	u.shrink()
	u.replica.wires.h2.remove(u)
	c.flush()
}

// tells words an error as a queue-proxy's client would see it.
func (u *h2Upstream) tells(err error) error {
	switch {
	case errors.Is(err, http2.ErrFrameTooLarge):
		return fmt.Errorf("http2: failed reading the frame payload: %w, note that the frame header looked like an HTTP/1.1 header", err)
	case errors.Is(err, io.EOF) && !u.greeted:
		return io.ErrUnexpectedEOF
	}
	return err
}

// h2Lines are the HTTP/2 connections to one replica, of all clients.
type h2Lines struct {
	mu   sync.Mutex
	open map[*h2Upstream]struct{}
}

func (l *h2Lines) add(u *h2Upstream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[*h2Upstream]struct{}{}
	}
	l.open[u] = struct{}{}
}

func (l *h2Lines) remove(u *h2Upstream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, u)
}

// close ends those on which nothing runs.
func (l *h2Lines) close() {
	l.mu.Lock()
	open := slices.Collect(maps.Keys(l.open))
	l.mu.Unlock()
	for _, u := range open {
		u.c.mu.Lock()
		u.retire()
		u.c.unlock()
	}
}

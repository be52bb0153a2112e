package proxy

import (
	"net/http"

	"golang.org/x/net/http2"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// handle takes a frame; reads is false where somebody else reads the next one.
func (c *h2Conn) handle(f h2Frame) (reads bool, err error) {
	w := &c.client
	var b h2Block
	ok := false
	switch {
	case w.joining != 0:
		b, ok, err = w.join(f)
	case !w.greeted && (f.kind != http2.FrameSettings || f.flags.Has(http2.FlagSettingsAck)):
		return true, http2.ConnectionError(http2.ErrCodeProtocol)
	case f.kind == http2.FrameHeaders:
		b, ok, err = w.begin(f)
	default:
		c.mu.Lock()
		defer c.unlock()
		return true, c.control(f)
	}
	if !ok || err != nil {
		return true, err
	}
	return c.header(b)
}

// control takes a frame that is no header. It is called with the lock held.
func (c *h2Conn) control(f h2Frame) error {
	switch f.kind {
	case http2.FrameData:
		return c.data(f)
	case http2.FrameRSTStream:
		return c.resetByClient(f)
	case http2.FramePing:
		if f.flags.Has(http2.FlagPingAck) {
			c.parted(f)
		}
		return c.client.ping(f)
	case http2.FramePushPromise, http2.FrameContinuation:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	case http2.FrameWindowUpdate:
		return c.client.widen(f, c.highest(), func(id uint32) (*h2Flow, func(http2.ErrCode)) {
			if s := c.streams[id]; s != nil {
				return &s.down, s.malformed
			}
			return nil, nil
		})
	case http2.FrameSettings:
		return c.client.configure(f, func(delta int64) bool {
			for _, s := range c.streams {
				if !s.down.widen(delta) {
					return false
				}
			}
			return true
		})
	}
	return nil // PRIORITY, GOAWAY, and what nobody knows
}

// highest is the highest stream that the client may speak of. Once it was told the
// last one, it may have begun others before it heard of that.
func (c *h2Conn) highest() uint32 {
	if c.parting.final {
		return h2WindowMax
	}
	return c.last
}

func (c *h2Conn) data(f h2Frame) error {
	p, err := f.body()
	if err == nil {
		err = c.client.take(len(f.payload))
	}
	if err != nil {
		return err
	}
	s := c.streams[f.stream]
	switch {
	case s != nil:
		s.data(f, p)
		return c.bounded()
	case f.stream == 0 || f.stream > c.highest():
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	c.client.give(len(f.payload)) // the rest of what was reset
	return nil
}

func (c *h2Conn) resetByClient(f h2Frame) error {
	if len(f.payload) != 4 {
		return http2.ConnectionError(http2.ErrCodeFrameSize)
	}
	if f.stream == 0 || f.stream > c.highest() {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if s := c.streams[f.stream]; s != nil {
		s.abandon(errGone)
		return c.bounded()
	}
	return nil
}

// bounded ends a connection whose client resets, or has reset, one stream after
// another: each costs the container something.
func (c *h2Conn) bounded() error {
	if c.resets.empty() {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	return nil
}

// header takes a request, or the trailer of one.
func (c *h2Conn) header(b h2Block) (reads bool, err error) {
	c.mu.Lock()
	s := c.streams[b.stream]
	if s != nil {
		defer c.unlock()
		s.requestTrailer(b)
		return true, c.bounded()
	}
	if b.stream%2 == 0 {
		c.unlock()
		return true, http2.ConnectionError(http2.ErrCodeProtocol)
	}
	s, err = c.open(b)
	ok := s != nil && s.x != nil
	c.unlock()
	switch {
	case ok:
		return s.carry(c.request, b.ends), nil
	case err == nil:
		err = c.bounded()
	}
	return true, err
}

// open begins a stream. It is nil, or without an exchange, where all is said already.
func (c *h2Conn) open(b h2Block) (*h2Stream, error) {
	switch {
	case b.stream <= c.last: // behind a stream that was reset
		c.client.reset(b.stream, http2.ErrCodeStreamClosed)
		c.resets.take()
		return nil, c.bounded()
	case c.parting.final:
		return nil, nil // the client knows that it is not taken
	}
	c.last = b.stream
	r := c.request
	code := http2.ErrCodeProtocol
	wellFormed := r.parse(b.fields)
	if len(c.streams) >= h2StreamsMost {
		code = http2.ErrCodeRefusedStream
	} else if b.tooLarge || wellFormed {
		return c.add(r, b), nil
	}
	c.client.reset(b.stream, code)
	c.resets.take()
	return nil, c.bounded()
}

// add makes the stream of a request.
func (c *h2Conn) add(r *h2Request, b h2Block) *h2Stream {
	s := &h2Stream{c: c, id: b.stream, head: r.method == http.MethodHead}
	s.up = h2Flow{from: &c.client, in: b.stream, credit: h2StreamWindow, declared: r.length, complete: b.ends, sent: b.ends}
	s.down = h2Flow{to: &c.client, out: b.stream, window: c.client.initial, declared: -1, ended: s.ended}
	c.streams[s.id] = s
	switch {
	case b.tooLarge:
		s.refuse(&refusal{status: http.StatusRequestHeaderFieldsTooLarge, body: "<h1>HTTP Error 431</h1><p>Request Header Field(s) Too Large</p>"})
	case b.ends && r.length > 0:
		s.malformed(http2.ErrCodeProtocol)
	case r.refused != nil:
		s.refuse(r.refused)
	case r.method == http.MethodOptions && r.path == "*":
		s.refuse(&refusal{status: http.StatusOK})
	default:
		s.admitting = true
		s.x = c.engine.port.arrive(r.method, r.authority, r.escaped, "HTTP/2.0")
		if c.engine.port.logs() {
			s.x.logged = r.log(c.remote, b.ends)
		}
		if s.x.recording != nil {
			s.x.query = r.query
			c.lines = r.lines(c.lines[:0])
			s.x.record(event.RequestHeader, c.lines)
		}
	}
	return s
}

// send gives the request to its replica.
func (c *h2Conn) send(s *h2Stream, r *h2Request, ends bool) {
	u := c.upstream(s.x.replica)
	s.upstream, s.upID = u, u.enter(s)
	s.up.to, s.up.out, s.up.window = &u.h2Wire, s.upID, u.initial
	s.down.from, s.down.in, s.down.credit = &u.h2Wire, s.upID, h2StreamWindow
	r.forward(&u.h2Wire, s.x, c.hop, s.upID, ends)
	if u.conn != nil {
		s.x.sent()
	}
	if r.expects && !ends {
		// The container may wait for the body that the client does not send yet.
		(&h2Answer{status: http.StatusContinue, code: "100"}).write(&c.client, s.id, false)
	}
	s.up.pump()
}

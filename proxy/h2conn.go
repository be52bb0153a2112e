package proxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// h2Conn is a client's connection with all that belongs to it.
type h2Conn struct {
	engine *h2Engine
	remote string // the client, host:port
	hop    string // its host

	// Of whoever reads the client's connection.
	request *h2Request
	last    uint32 // the highest stream that the client began

	mu        sync.Mutex
	room      sync.Cond // something was written, or cannot be any more
	client    h2Wire
	upstreams []*h2Upstream
	streams   map[uint32]*h2Stream
	ended     []h2Ended // to be told
	resets    h2Bucket
	clocks    h2Clocks
	dated     h2Date
	parting   h2Parting
	over      bool // the client is gone
	lingers   bool // nothing more is read but its end
}

// h2Ended is an exchange that has ended, whose replica may be to be given back.
type h2Ended struct {
	x        *exchange
	admitted bool
}

const (
	h2StreamsMost = 250                              // at a time, as with net/http
	h2HeaderMost  = http.DefaultMaxHeaderBytes + 320 // as net/http counts
)

func newH2Conn(e *h2Engine, conn net.Conn) *h2Conn {
	c := &h2Conn{
		engine:  e,
		remote:  conn.RemoteAddr().String(),
		request: &h2Request{},
		streams: map[uint32]*h2Stream{},
	}
	c.hop, _, _ = net.SplitHostPort(c.remote)
	c.room.L = &c.mu
	c.client.init(c, conn, h2HeaderMost)
	c.client.hurried = true
	c.client.settings(
		uint32(http2.SettingMaxConcurrentStreams), h2StreamsMost,
		uint32(http2.SettingInitialWindowSize), h2StreamWindow,
		uint32(http2.SettingMaxHeaderListSize), h2HeaderMost,
	)
	return c
}

// unlock gives the lock back and tells what has ended meanwhile.
func (c *h2Conn) unlock() {
	ended := c.ended
	c.ended = nil
	c.mu.Unlock()
	for _, e := range ended {
		if e.admitted {
			e.x.release()
		}
		e.x.leave()
	}
}

// flush writes what is there for anybody. It is called without the lock.
func (c *h2Conn) flush() {
	var few [4]*h2Wire
	c.mu.Lock()
	wires := few[:0]
	for w := range c.wires {
		if len(w.out) > 0 && !w.writing {
			wires = append(wires, w)
		}
	}
	c.mu.Unlock()
	for _, w := range wires {
		w.flush()
	}
}

func (c *h2Conn) wires(yield func(*h2Wire) bool) {
	if !yield(&c.client) {
		return
	}
	for _, u := range c.upstreams {
		if !yield(&u.h2Wire) {
			return
		}
	}
}

// next returns the next frame of a wire. Before it waits for one it writes what is
// there; and it reads none while too much is left to be written.
func (c *h2Conn) next(w *h2Wire, prepare func() (idle bool)) (h2Frame, error) {
	for {
		f, ok, err := w.frame()
		if ok || err != nil {
			return f, err
		}
		c.mu.Lock()
		idle := prepare()
		c.unlock()
		c.flush()
		if err := w.await(); err != nil {
			return f, err
		}
		if err := w.fill(idle); err != nil {
			return f, err
		}
	}
}

// await waits for room, and gives a header that has begun only so much time.
func (w *h2Wire) await() error {
	c := w.c
	c.mu.Lock()
	defer c.unlock()
	for !w.broken && c.crowded(w) {
		c.room.Wait()
	}
	if c.lingers || w.broken || (w == &c.client && c.parting.speaks) {
		return net.ErrClosed
	}
	if w != &c.client {
		return nil
	}
	if hurry := !w.greeted || w.joining != 0 || w.partHeader(); hurry != w.hurried {
		w.hurried = hurry
		var until time.Time
		if hurry {
			until = time.Now().Add(headerTimeout)
		}
		return w.conn.SetReadDeadline(until)
	}
	return nil
}

// crowded tells whether what may be read of a wire has no room. Of the client's that
// is anybody's, of an upstream's its own and the client's.
func (c *h2Conn) crowded(reader *h2Wire) bool {
	if c.over {
		return false
	}
	for w := range c.wires {
		if (reader == &c.client || w == reader || w == &c.client) && w.queued() > h2OutMost {
			return true
		}
	}
	return false
}

// serve relays until the connection ends.
func (c *h2Conn) serve() {
	if err := c.greet(); err != nil {
		c.end(err)
		return
	}
	c.read()
}

// greet sends the settings and takes the client's preface, which is there already:
// it is how the client was told from others.
func (c *h2Conn) greet() error {
	_ = c.client.conn.SetReadDeadline(time.Now().Add(headerTimeout))
	c.client.flush()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.client.conn, preface); err != nil {
		return err
	}
	if string(preface) != http2.ClientPreface {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil
}

// read takes the client's frames, until the connection ends or another goroutine
// reads it.
func (c *h2Conn) read() {
	for {
		f, err := c.next(&c.client, func() bool { return len(c.streams) == 0 })
		reads := true
		if err == nil {
			reads, err = c.handle(f)
		}
		if err != nil {
			c.end(err)
			return
		}
		if !reads {
			return
		}
	}
}

// passOn has another goroutine read the client's connection. What the one before
// keeps is its own.
func (c *h2Conn) passOn() {
	c.request = &h2Request{}
	c.client.fields = nil
	c.engine.running.Go(c.read)
}

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
	if r.expects && !ends {
		// The container may wait for the body that the client does not send yet.
		(&h2Answer{status: http.StatusContinue, code: "100"}).write(&c.client, s.id, false)
	}
	s.up.pump()
}

// drop forgets a stream. It is called with the lock held.
func (c *h2Conn) drop(id uint32) {
	if s := c.streams[id]; s != nil && s.gone && !c.over {
		c.resets.take()
	}
	delete(c.streams, id)
	if len(c.streams) == 0 {
		c.lastEnded()
	}
}

// end ends the connection with all that runs on it.
func (c *h2Conn) end(err error) {
	cause := errGone
	if errors.Is(c.engine.cut(), errCut) {
		cause = errCut
	}
	var code http2.ConnectionError
	c.mu.Lock()
	switch wrong := errors.As(err, &code); {
	case wrong, errors.Is(err, http2.ErrFrameTooLarge):
		if !wrong {
			code = http2.ConnectionError(http2.ErrCodeFrameSize)
		}
		c.client.goAway(c.last, http2.ErrCode(code))
		c.parting.speaks = true
	}
	c.over = true
	for _, s := range c.streams {
		s.abandon(cause)
	}
	for _, u := range slices.Clone(c.upstreams) {
		u.shut(cause)
	}
	c.clocks.stop()
	c.parting.stop()
	speaks := c.parting.speaks
	c.lingers = true
	c.room.Broadcast()
	c.unlock()
	if speaks {
		c.linger()
	}
	c.mu.Lock()
	c.client.breakOff()
	c.unlock()
	c.client.shrink()
	c.engine.forget(c)
}

// h2Date is what the header of an answer has as its date, of a second.
type h2Date struct {
	second int64
	text   string
}

func (c *h2Conn) date(now time.Time) string {
	if second := now.Unix(); second != c.dated.second {
		c.dated = h2Date{second, strings.Clone(now.UTC().Format(http.TimeFormat))}
	}
	return c.dated.text
}

// h2Bucket lets a client reset many streams at once, and some every second.
type h2Bucket struct {
	taken int
	since time.Time
}

const (
	h2ResetsAtOnce = 1000
	h2ResetsEvery  = 10 * time.Millisecond // one is forgiven
)

func (b *h2Bucket) take() {
	now := time.Now()
	if forgiven := now.Sub(b.since) / h2ResetsEvery; forgiven > 0 {
		b.taken = max(0, b.taken-int(min(forgiven, h2ResetsAtOnce)))
		b.since = now
	}
	b.taken++
}

func (b *h2Bucket) empty() bool { return b.taken > h2ResetsAtOnce }

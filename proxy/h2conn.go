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
	lines     []byte // a header, for the capture
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

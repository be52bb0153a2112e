package proxy

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// h1Conn is a client's connection. One goroutine serves it; while a request takes
// longer, its watch reads what the client sends meanwhile.
type h1Conn struct {
	engine *h1Engine
	conn   net.Conn
	client string       // the address without its port
	state  atomic.Int32 // h1Resting, h1Busy or h1Ended
	armed  time.Time    // the deadline for reading; zero: there is none
	one    [1]byte      // what an idle connection waits with

	in       h1Input // from the client
	heard    h1Input // from the replica
	out      []byte  // to either
	request  h1Request
	answer   h1Answer
	body     h1Body
	upload   h1Body
	names    h1Names
	spare    *exchange // to be used again
	x        *exchange
	upstream *h1Upstream
	watch    *h1Watch // nil while a request is quick
	flow     h1Flow
	closing  bool // after this request
	posted   bool // the last request was a POST
}

// The states of a connection. One that rests is ended at once by a drain.
const (
	h1Resting int32 = iota
	h1Busy
	h1Ended
)

// h1Grace is about how long a connection keeps its buffers after its last request.
const h1Grace = 2 * time.Second

func newH1Conn(e *h1Engine, conn net.Conn) *h1Conn {
	client, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	c := &h1Conn{engine: e, conn: conn, client: client}
	c.in.src, c.heard.src = conn, h1Hearing{c}
	return c
}

// serve takes the requests of the connection one after the other.
func (c *h1Conn) serve() {
	for {
		verdict, err := c.next()
		if err != nil {
			return
		}
		switch verdict {
		case h1Done:
			c.lend()
			c.exchange()
			c.giveBack()
		case h1Lend:
			c.closing = !c.lendOut()
		default:
			c.handOver()
			return
		}
		if c.closing || !c.rest() {
			return
		}
	}
}

// next reads the header of a request, and says whose it is.
func (c *h1Conn) next() (h1Verdict, error) {
	if err := c.begin(); err != nil {
		return h1More, err
	}
	for begun := false; ; begun = true {
		c.skipLineEnds()
		if verdict := c.request.parse(c.in.buffered()); verdict != h1More {
			return verdict, c.work()
		}
		if !begun {
			c.arm(time.Now().Add(headerTimeout))
		}
		if err := c.in.more(); err != nil {
			return h1More, err
		}
	}
}

// skipLineEnds forgives what net/http forgives: up to four line ends behind a POST.
func (c *h1Conn) skipLineEnds() {
	for n := 0; c.posted && c.request.lines == 0 && n < 4 && len(c.in.buffered()) > 0; n++ {
		if b := c.in.buffered()[0]; b != '\r' && b != '\n' {
			break
		}
		c.in.r++
	}
}

// begin waits for the first byte of a request. A connection that has been idle for a
// while waits without a buffer.
func (c *h1Conn) begin() error {
	c.request.reset()
	if c.in.buf != nil {
		c.in.begin()
		if len(c.in.buffered()) > 0 {
			return nil
		}
		now := time.Now()
		if left := c.armed.Sub(now); left < h1Grace || left > 2*h1Grace {
			c.arm(now.Add(2 * h1Grace))
		}
		err := c.in.more()
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		c.forget()
	}
	c.arm(h1NoDeadline)
	n, err := c.conn.Read(c.one[:])
	if n == 0 {
		return err
	}
	c.in.buf = c.engine.buffers.get()
	c.in.base, c.in.r, c.in.w = 0, 0, copy(c.in.buf, c.one[:])
	return nil
}

// lend lends what an exchange needs besides the buffer that its header is in.
func (c *h1Conn) lend() {
	b := &c.engine.buffers
	c.heard.buf, c.out = b.get(), b.get()[:0]
}

func (c *h1Conn) giveBack() {
	b := &c.engine.buffers
	b.put(c.heard.buf)
	b.put(c.out)
	c.heard.buf, c.out = nil, nil
}

// forget frees what an idle connection does not need.
func (c *h1Conn) forget() {
	c.engine.buffers.put(c.in.buf)
	c.in.buf, c.spare, c.names = nil, nil, h1Names{}
	c.request.fields, c.answer.fields, c.upload.trailers, c.body.trailers = nil, nil, nil, nil
}

// arm sets the deadline for reading from the client, where it is another.
func (c *h1Conn) arm(at time.Time) {
	if c.armed != at {
		c.armed = at
		_ = c.conn.SetReadDeadline(at)
	}
}

// work tells a drain that a request runs.
func (c *h1Conn) work() error {
	if !c.state.CompareAndSwap(h1Resting, h1Busy) {
		return net.ErrClosed
	}
	return nil
}

// rest tells a drain that none runs; false where the connection is to end.
func (c *h1Conn) rest() bool {
	c.state.Store(h1Resting)
	return !c.engine.draining.Load()
}

// endIdle ends the connection unless a request runs.
func (c *h1Conn) endIdle() {
	if c.state.CompareAndSwap(h1Resting, h1Ended) {
		_ = c.conn.Close()
	}
}

// close ends the connection, unless it was handed over.
func (c *h1Conn) close() {
	if c.watch == nil { // else something broke, and it may still read
		c.giveBack()
		c.forget()
	}
	if c.conn != nil {
		_ = c.conn.Close()
	}
}

// h1Lingers is how long a client may take to read an answer that came before the end
// of its body, as with net/http: closed at once, the host would take it back.
const h1Lingers = 500 * time.Millisecond

// linger reads on and away until the client ends, for a moment.
func (c *h1Conn) linger() {
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.arm(time.Now().Add(h1Lingers))
	for {
		if _, err := c.conn.Read(c.heard.buf); err != nil {
			return
		}
	}
}

// h1Names keeps the strings of the last request: the next one's are mostly the same.
type h1Names struct{ method, host, path, agent string }

func h1Keep(kept *string, now []byte) string {
	if *kept != string(now) {
		*kept = string(now)
	}
	return *kept
}

// h1Context is the context of a connection's request: the engine's own while nothing
// waits, that of the watch from when something does.
type h1Context struct{ c *h1Conn }

func (x h1Context) now() context.Context {
	if w := x.c.watch; w != nil {
		return w.ctx
	}
	return x.c.engine.life
}

// Deadline is none.
func (x h1Context) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is that of the context of this instant.
func (x h1Context) Done() <-chan struct{} { return x.now().Done() }

// Err tells whether it has ended.
func (x h1Context) Err() error { return x.now().Err() }

// Value leads to its cause.
func (x h1Context) Value(key any) any { return x.now().Value(key) }

package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

// h1Flow is what is known of the request that runs.
type h1Flow struct {
	first    time.Duration // until the clock is due
	admitted bool          // and not released
	begun    bool          // the answer: the client may have got something
	sent     bool          // all of the request is with the replica
	heard    bool          // a byte of the answer was
	written  bool          // a byte of the request was
}

// exchange takes one request through its exchange.
func (c *h1Conn) exchange() {
	c.in.r += c.request.at
	c.in.keep()
	x := c.arrive()
	c.flow = h1Flow{}
	c.closing = c.request.close
	c.posted = string(c.request.method) == "POST"
	c.upload.set(&c.in, c.request.length)
	if refused := c.carry(x); refused != nil {
		x.refused(refused)
		c.refuse(refused)
	}
	quick := c.watch == nil
	if !quick {
		c.watch.end()
	}
	x.leave()
	c.closing = c.closing || !c.upload.whole // what is left would be taken for a request
	if c.x = nil; quick {
		c.spare = x
	}
}

func (c *h1Conn) arrive() *exchange {
	r := &c.request
	x := c.spare
	if c.spare = nil; x == nil {
		x = new(exchange)
	}
	method, host, path := h1Keep(&c.names.method, r.method), h1Keep(&c.names.host, r.host), h1Keep(&c.names.path, r.path)
	c.engine.port.begin(x, method, host, path, "HTTP/1.1")
	if c.engine.port.logs() {
		x.logged = c.logEntry()
	}
	c.x = x
	return x
}

func (c *h1Conn) logEntry() *logged {
	r := &c.request
	l := &logged{query: string(r.query), length: r.length, agent: string(r.agent), remote: c.conn.RemoteAddr().String()}
	referer, _ := h1First(r.fields, "Referer")
	l.referer = string(referer)
	for _, f := range r.fields {
		if string(f.name) == "X-B3-Traceid" {
			l.trace = append(l.trace, string(f.value))
		}
	}
	return l
}

// carry forwards the request and its answer, or says what is to be answered.
func (c *h1Conn) carry(x *exchange) *refusal {
	if refused := x.find(); refused != nil {
		return refused
	}
	ctx := h1Context{c}
	c.flow.first = x.clock.set(x.model.timeouts)
	if isHealthCheck(c.Get("User-Agent")) {
		c.attend() // its answer may take a while
	}
	if answered := x.probe(ctx, c); answered != nil {
		return answered
	}
	if x.clock.idle > 0 {
		c.attend()
	}
	if refused := x.admit(ctx, c.attend); refused != nil {
		return refused
	}
	c.flow.admitted = true
	defer c.release()
	defer c.drop()
	return c.forward(x)
}

// release gives the replica back, once.
func (c *h1Conn) release() {
	if c.flow.admitted {
		c.flow.admitted = false
		c.x.release()
	}
}

// forward sends the request to its replica and carries the answer back.
func (c *h1Conn) forward(x *exchange) *refusal {
	c.retarget(x)
	for {
		err := c.send(x)
		if err == nil {
			err = c.hearAnswer(x)
		}
		if err == nil {
			return c.relay(x)
		}
		again := c.upstream != nil && c.upstream.reused && !c.flow.heard && !c.flow.begun && c.repeatable(c.flow.written)
		c.drop()
		if refused := c.settle(x, err, again); refused != nil || !again {
			return refused
		}
	}
}

// settle tells what is answered where there is no answer to carry.
func (c *h1Conn) settle(x *exchange, err error, again bool) *refusal {
	ctx := h1Context{c}
	if w := c.watch; w != nil {
		if w.pause(); w.failed != nil {
			c.closing = true
			return refuseBadGateway(w.failed)
		}
	}
	switch {
	case ctx.Err() != nil || errors.Is(err, errH1Struck):
		return x.ended(ctx)
	case !again:
		return refuseBadGateway(err)
	}
	if c.watch != nil {
		c.watch.look()
	}
	return nil
}

// refuse answers with what the port has to say itself. As net/http does, it reads
// what is left of the request first.
func (c *h1Conn) refuse(r *refusal) {
	if c.watch != nil {
		c.watch.pause()
	}
	c.finishUpload()
	out := h1AppendStatus(c.out[:0], r.wire())
	for name, value := range r.header {
		out = h1Append(out, name, value)
	}
	out = h1AppendDate(out)
	head := string(c.request.method) == "HEAD"
	if !head || r.body != "" {
		out = h1AppendLength(out, int64(len(r.body)))
	}
	out = append(c.appendClose(out), "\r\n"...)
	if !head {
		out = append(out, r.body...)
	}
	c.out = out[:0]
	if _, err := c.conn.Write(out); err != nil {
		c.closing = true
	}
	if c.closing && !c.upload.whole {
		c.linger()
	}
}

// finishUpload reads what is left of the request's body and forgets it, unless that
// is too much: then the connection ends behind the answer.
func (c *h1Conn) finishUpload() {
	if !c.upload.whole {
		c.arm(h1NoDeadline)
	}
	for discarded := 0; !c.upload.whole && !c.closing; {
		piece, err := c.upload.next()
		switch discarded += len(piece); {
		case errors.Is(err, io.EOF):
			return
		case err != nil || discarded > h1DiscardLimit:
			c.closing = true
		}
	}
}

// appendClose says that the connection ends behind this answer, where it does.
func (c *h1Conn) appendClose(out []byte) []byte {
	if c.closing = c.closing || c.engine.draining.Load(); c.closing {
		return append(out, "Connection: close\r\n"...)
	}
	return out
}

func h1AppendStatus(out []byte, status int) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(out, ' ')
	return append(append(out, h1StatusText(status)...), "\r\n"...)
}

// errH1Replica is why a body was not sent to its end: the replica takes no more.
var errH1Replica = errors.New("the replica takes no more")

// send sends the request, with as much of its body as is there.
func (c *h1Conn) send(x *exchange) error {
	if err := c.connect(x); err != nil {
		return err
	}
	looks := c.watch != nil && !c.upload.whole
	if looks {
		c.watch.pause()
	}
	c.gatherUpload()
	c.out = c.appendUpload(c.write(c.out[:0], x), x)
	err := c.say(c.out)
	c.out = c.out[:0]
	switch {
	case err != nil && c.request.length == 0:
		return err
	case err != nil:
		return nil // a replica may have answered before it took no more
	case !c.upload.whole:
		c.attend()
		c.watch.pause()
		c.watch.send()
		return nil
	}
	if c.flow.sent = true; looks {
		c.watch.look()
	}
	return nil
}

// gatherUpload waits a moment for a short body that comes right behind its header.
func (c *h1Conn) gatherUpload() {
	n := c.request.length
	if c.watch != nil || n <= 0 || n <= int64(len(c.in.buffered())) || n > int64(len(c.in.buf)-c.in.base) {
		return
	}
	c.arm(time.Now().Add(h1Patience))
	for int64(len(c.in.buffered())) < n {
		if c.in.more() != nil {
			return // who reads on will see why
		}
	}
}

// appendUpload takes what of the body is there already.
func (c *h1Conn) appendUpload(out []byte, x *exchange) []byte {
	chunked := c.request.length == h1Chunked
	for len(out) < h1HeaderLimit && !c.upload.whole {
		piece, err := c.upload.ready()
		switch {
		case errors.Is(err, io.EOF) && chunked:
			return append(out, h1LastChunk...)
		case err != nil:
			return out // who reads on will see why
		case chunked:
			out = h1AppendChunk(out, piece)
		default:
			out = append(out, piece...)
		}
		x.in.Add(int64(len(piece)))
	}
	return out
}

const h1LastChunk = "0\r\n\r\n"

// connect finds a connection to the replica.
func (c *h1Conn) connect(x *exchange) error {
	pool := x.replica.wires.h1
	now := time.Now()
	u := pool.take(now)
	if u == nil {
		c.attend() // it may take a while
		dialer := net.Dialer{Timeout: dialTimeout}
		conn, err := dialer.DialContext(c.watch.ctx, "tcp", x.replica.name)
		if err != nil {
			return err
		}
		u = &h1Upstream{Conn: conn, quiet: newH1Quiet(conn)}
	}
	c.upstream = u
	c.flow.heard, c.flow.written = false, false
	c.heard.base, c.heard.r, c.heard.w = 0, 0, 0
	if c.watch != nil {
		c.watch.bind()
		return nil
	}
	patience := min(h1Patience, c.flow.first)
	if left := u.armed.Sub(now); left < patience || left > 3*patience {
		u.armed = now.Add(2 * patience)
		_ = u.SetDeadline(u.armed)
	}
	return nil
}

// say writes to the replica. A replica that does not take it makes the request one
// that is watched.
func (c *h1Conn) say(p []byte) error {
	for {
		n, err := c.upstream.Write(p)
		c.flow.written = c.flow.written || n > 0
		if err == nil || c.watch != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		p = p[n:]
		c.attend()
	}
}

// h1Hearing reads from the replica, in the same way.
type h1Hearing struct{ c *h1Conn }

// Read reads once.
func (h h1Hearing) Read(p []byte) (int, error) {
	c := h.c
	if err := c.flush(); err != nil {
		return 0, err
	}
	for {
		n, err := c.upstream.Read(p)
		c.flow.heard = c.flow.heard || n > 0
		if n > 0 || err == nil || c.watch != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		c.attend()
	}
}

// sendBody carries the request's body to its end. It runs beside the answer.
func (c *h1Conn) sendBody(u *h1Upstream, x *exchange) error {
	chunked := c.request.length == h1Chunked
	out := c.engine.buffers.get()[:0]
	defer func() { c.engine.buffers.put(out) }()
	for {
		piece, err := c.upload.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		out = out[:0]
		switch {
		case err != nil && chunked:
			out = append(out, h1LastChunk...)
		case chunked:
			out = h1AppendChunk(out, piece)
		default:
			out = append(out, piece...)
		}
		x.in.Add(int64(len(piece)))
		if _, err := u.Write(out); err != nil {
			return fmt.Errorf("%w: %w", errH1Replica, err)
		}
		if c.upload.whole && (err != nil || !chunked) {
			c.flow.sent = true
			return nil
		}
	}
}

func h1AppendChunk(out, piece []byte) []byte {
	out = append(strconv.AppendInt(out, int64(len(piece)), 16), "\r\n"...)
	return append(append(out, piece...), "\r\n"...)
}

// drop closes the connection to the replica, if there still is one.
func (c *h1Conn) drop() {
	if u := c.upstream; u != nil {
		c.upstream = nil
		if c.watch != nil {
			_ = c.watch.loose()
		}
		_ = u.Close()
	}
}

// yield gives the connection to the replica back behind a whole answer.
func (c *h1Conn) yield() {
	u := c.upstream
	keeps := c.flow.sent && !c.answer.close && len(c.heard.buffered()) == 0
	if c.watch != nil && !c.watch.loose() {
		keeps = false
	}
	if !keeps {
		c.drop()
		return
	}
	c.upstream = nil
	c.x.replica.wires.h1.put(u, time.Now())
}

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
	x.sent()
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
		x.uploads(piece)
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
		x.uploads(piece)
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

package proxy

import (
	"io"
	"net"
	"slices"
)

// handOver gives the connection to the general engine, for good, with what was read
// of it and not taken.
func (c *h1Conn) handOver() {
	c.arm(h1NoDeadline)
	h := &h1Handover{Conn: c.conn, ahead: slices.Clone(c.in.buffered())}
	given := false
	_ = c.engine.general.server.Serve(&h1Once{conn: h, lent: &given}) // ends with the one connection
	if given {
		c.conn = nil
	}
}

// h1Once is a listener of one connection.
type h1Once struct {
	conn net.Conn
	lent *bool // it was accepted: who did closes it
}

// Accept gives the connection, once.
func (o *h1Once) Accept() (net.Conn, error) {
	if *o.lent {
		return nil, io.EOF
	}
	*o.lent = true
	return o.conn, nil
}

// Close leaves the connection alone.
func (o *h1Once) Close() error { return nil }

// Addr is the port's.
func (o *h1Once) Addr() net.Addr { return o.conn.LocalAddr() }

// h1Handover is a connection of which something was read before.
type h1Handover struct {
	net.Conn
	ahead []byte
}

// Read gives what was read before first.
func (h *h1Handover) Read(p []byte) (int, error) {
	if len(h.ahead) > 0 {
		n := copy(p, h.ahead)
		h.ahead = h.ahead[n:]
		return n, nil
	}
	return h.Conn.Read(p)
}

// CloseWrite ends one direction.
func (h *h1Handover) CloseWrite() error { return h1CloseWrite(h.Conn) }

func h1CloseWrite(conn net.Conn) error {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}

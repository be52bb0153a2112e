package proxy

import (
	"io"
	"net"
	"slices"
)

// handOver gives the connection to the general engine, for good, with what was read
// of it and not taken.
func (c *h1Conn) handOver() {
	c.arm(noDeadline)
	h := &h1Handover{Conn: c.conn, ahead: slices.Clone(c.in.buffered())}
	_ = c.engine.general.server.Serve(h) // ends with the one connection that it accepts
	if h.taken {
		c.conn = nil
	}
}

// h1Handover is such a connection, and the listener that it comes from.
type h1Handover struct {
	net.Conn
	ahead []byte
	taken bool
}

// Accept gives the connection, once.
func (h *h1Handover) Accept() (net.Conn, error) {
	if h.taken {
		return nil, io.EOF
	}
	h.taken = true
	return h1Ahead{h}, nil
}

// Close is the listener's: the connection goes on.
func (h *h1Handover) Close() error { return nil }

// Addr is the port's.
func (h *h1Handover) Addr() net.Addr { return h.LocalAddr() }

// h1Ahead is the connection as net/http reads it.
type h1Ahead struct{ *h1Handover }

// Read gives what was read before first.
func (a h1Ahead) Read(p []byte) (int, error) {
	if len(a.ahead) > 0 {
		n := copy(p, a.ahead)
		a.ahead = a.ahead[n:]
		return n, nil
	}
	return a.Conn.Read(p)
}

// Close ends the connection.
func (a h1Ahead) Close() error { return a.Conn.Close() }

// CloseWrite ends one direction.
func (a h1Ahead) CloseWrite() error {
	if half, ok := a.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}

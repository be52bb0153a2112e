package proxy

import (
	"io"
	"net"
	"time"

	"github.com/soheilhy/cmux"
)

// speakTimeout is how long a new connection may stay silent, as long as its first
// header may take. A connection that has once spoken may be idle without end.
const speakTimeout = time.Minute

// parting is one listener as two: HTTP/2 by prior knowledge, and everything else.
type parting struct {
	mux          cmux.CMux
	http1, http2 net.Listener
}

func (d *door) part() parting {
	mux := cmux.New(d)
	mux.SetReadTimeout(speakTimeout)
	// HTTP/2 first: its matcher gives up at the first byte that is not of the
	// preface, and no matcher for HTTP/1 knows every method.
	http2 := mux.Match(cmux.HTTP2())
	http1 := mux.Match(spoke)
	return parting{mux: mux, http1: claims{http1}, http2: claims{http2}}
}

// spoke matches whoever has sent at least one byte, so that a silent connection
// ends at speakTimeout and starts no second wait in an engine.
func spoke(r io.Reader) bool {
	var first [1]byte
	n, _ := r.Read(first[:])
	return n > 0
}

// claims is an engine's listener: a connection taken from it is that engine's.
type claims struct{ net.Listener }

func (c claims) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	muxed := conn.(*cmux.MuxConn)
	g := muxed.Conn.(*guest)
	g.claim()
	return parted{MuxConn: muxed, guest: g}, nil
}

// parted reads through cmux, which holds the first bytes, and half-closes past it.
type parted struct {
	*cmux.MuxConn
	guest *guest
}

// CloseWrite half-closes the connection.
func (p parted) CloseWrite() error { return p.guest.CloseWrite() }

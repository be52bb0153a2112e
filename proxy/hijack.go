package proxy

import (
	"bufio"
	"net"
	"net/http"
)

// taken is a client's connection that net/http gave away. What the client sent
// behind its request is read first, and only that through the buffer: at the end
// of input net/http's reader would cancel the request, and with it what the other
// side still has to say.
type taken struct {
	net.Conn
	read *bufio.Reader
}

func takeOver(conn net.Conn, read *bufio.Reader) *taken {
	return &taken{Conn: conn, read: read}
}

func (t *taken) Read(p []byte) (int, error) {
	if n := t.read.Buffered(); n > 0 {
		return t.read.Read(p[:min(n, len(p))])
	}
	return t.Conn.Read(p)
}

// CloseWrite ends one direction.
func (t *taken) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return http.ErrNotSupported
}

// upgraded is such a connection after the 101 of a WebSocket or any other protocol.
type upgraded struct {
	*taken
	x *exchange
}

func (u upgraded) Read(p []byte) (int, error) {
	n, err := u.taken.Read(p)
	u.x.in.Add(int64(n))
	return n, err
}

func (u upgraded) Write(p []byte) (int, error) {
	n, err := u.taken.Write(p)
	u.x.out.Add(int64(n))
	return n, err
}

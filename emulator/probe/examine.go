package probe

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"time"
)

// Speech is which protocols a port answers the first bytes of.
type Speech struct{ HTTP1, HTTP2, TLS bool }

const (
	// preface is how a client begins HTTP/2, with an empty SETTINGS frame.
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	hello   = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: kube-probe/merlin-local\r\nConnection: close\r\n\r\n"
	// heard is how much of an answer is waited for: a frame's head, or a status.
	heard = 9
)

// Speech begins one exchange of HTTP/2 and, where that tells nothing, one of HTTP/1.1.
func (p Prober) Speech(ctx context.Context, address netip.AddrPort) Speech {
	var s Speech
	s.take(p.exchange(ctx, address, preface))
	if !s.HTTP1 && !s.TLS {
		s.take(p.exchange(ctx, address, hello))
	}
	return s
}

// take notes what an answer is.
func (s *Speech) take(answer []byte) {
	const settings = 4 // the type of the frame that a server begins with
	switch {
	case bytes.Contains(answer, []byte("HTTPS")): // in plain words, as Go and nginx say it
		s.TLS = true
	case bytes.HasPrefix(answer, []byte("HTTP/1.")):
		s.HTTP1 = true
	case bytes.HasPrefix(answer, []byte{0x15, 0x03}): // an alert
		s.TLS = true
	case len(answer) >= heard && answer[3] == settings && bytes.Equal(answer[5:heard], make([]byte, 4)):
		s.HTTP2 = true
	}
}

// exchange sends bytes and returns the first of what comes back.
func (p Prober) exchange(ctx context.Context, address netip.AddrPort, request string) []byte {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address.String())
	if err != nil {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // long ago
	defer stop()
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		return nil
	}
	answer := make([]byte, bodyBytes)
	n, _ := io.ReadAtLeast(conn, answer, heard)
	if bytes.HasPrefix(answer, []byte("HTTP/1.")) { // what follows may say that TLS is wanted
		more, _ := io.ReadFull(conn, answer[n:])
		n += more
	}
	return answer[:n]
}

// Status asks for a path and returns the status; 0 where there was none.
func (p Prober) Status(ctx context.Context, address netip.AddrPort, path string) int {
	return p.HTTP(ctx, address, path).Status
}

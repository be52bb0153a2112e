package proxy

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// h2Seeds are frames to begin with: those of a request and its answer, and broken ones.
func h2Seeds(f *testing.F) {
	var b frameBuffer
	peer := newH2Peer(f, &b)
	peer.ask(1, false, "POST", "/")
	_ = peer.WriteData(1, false, []byte("abc"))
	_ = peer.WriteWindowUpdate(1, 1)
	_ = peer.WritePing(false, [8]byte{})
	_ = peer.WriteDataPadded(1, true, []byte("abc"), make([]byte, 3))
	_ = peer.WriteRSTStream(1, http2.ErrCodeCancel)
	f.Add(b.bytes)
	b.bytes = nil
	peer.head(1, false, ":status", "200", "content-length", "3")
	_ = peer.WriteData(1, false, []byte("abc"))
	peer.head(1, true, "grpc-status", "0")
	_ = peer.WriteGoAway(1, http2.ErrCodeNo, []byte("bye"))
	f.Add(b.bytes)
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	for kind := range byte(11) {
		for _, flags := range []byte{0, 1, 4, 5, 8, 0x20, 0xff} {
			for _, stream := range []byte{0, 1, 2, 3} {
				f.Add([]byte{0, 0, 4, kind, flags, 0, 0, 0, stream, 0, 0, 0, 1, 0, 0, 0, kind, flags, 0, 0, 0, stream})
			}
		}
	}
}

// frameBuffer keeps what is written.
type frameBuffer struct {
	net.Conn
	bytes []byte
}

func (b *frameBuffer) Write(p []byte) (int, error) {
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}
func (*frameBuffer) SetDeadline(time.Time) error     { return nil }
func (*frameBuffer) Read([]byte) (int, error)        { return 0, io.EOF }
func (*frameBuffer) Close() error                    { return nil }
func (*frameBuffer) SetReadDeadline(time.Time) error { return nil }

// fuzzed is a port that runs as long as a fuzz target; it is stopped with it, and
// then nothing is left, or it would hang.
func fuzzed(f *testing.F, m Model, replica netip.AddrPort) (s *Server, address string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	s = New(Options{Models: []Model{m}, general: onGeneral})
	s.Route(m.ID, 1, []netip.AddrPort{replica})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	f.Cleanup(func() {
		stop()
		if err := hears(f, "the port ends", done); err != nil {
			f.Error(err)
		}
	})
	return s, ln.Addr().String()
}

// settled waits until nothing runs on the port.
func settled(t *testing.T, s *Server) {
	await(t, "nothing is left", func() bool { return s.Load("iris-1") == (Load{}) })
}

func FuzzFramesOfAnHTTP2Client(f *testing.F) {
	if onGeneral {
		f.Skip("net/http's own affair, which takes a second for each")
	}
	h2Seeds(f)
	s, address := fuzzed(f, iris(), serve(f, echo))
	f.Fuzz(func(t *testing.T, frames []byte) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		var reading sync.WaitGroup
		reading.Go(func() { _, _ = io.Copy(io.Discard, conn) })
		_, _ = conn.Write(append([]byte(http2.ClientPreface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"), frames...))
		_ = conn.(*net.TCPConn).CloseWrite()
		reading.Wait()
		_ = conn.Close()
		settled(t, s)
	})
}

func FuzzFramesOfAnHTTP2Container(f *testing.F) {
	if onGeneral {
		f.Skip("net/http's own affair, which takes a second for each")
	}
	h2Seeds(f)
	answers := make(chan []byte, 1)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	var serving sync.WaitGroup
	f.Cleanup(func() { _ = ln.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			select {
			case frames := <-answers:
				_, _ = io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
				newH2Peer(f, conn).request()
				_, _ = conn.Write(frames)
			default: // the second try of a request is answered with nothing
			}
			_ = conn.Close()
		}
	})
	s, address := fuzzed(f, iris(), netip.MustParseAddrPort(ln.Addr().String()))
	f.Fuzz(func(t *testing.T, frames []byte) {
		select {
		case <-answers:
		default:
		}
		answers <- append([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), frames...)
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, http2.ClientPreface)
		c := newH2Peer(t, conn)
		_ = c.WriteSettings()
		c.ask(1, true, "GET", "/")
		for got := (seen{}); ; {
			f, err := c.read()
			if err != nil || (f.Header().StreamID == 1 && got.take(f)) {
				break
			}
		}
		_ = conn.Close()
		settled(t, s)
	})
}

package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2Peer is one end of a connection whose frames a test writes and reads itself. It
// answers SETTINGS and PING, keeps the connection's window open, and does nothing else.
type h2Peer struct {
	*http2.Framer
	t       testing.TB
	conn    net.Conn
	block   bytes.Buffer
	encoder *hpack.Encoder
}

func newH2Peer(t testing.TB, conn net.Conn) *h2Peer {
	_ = conn.SetDeadline(time.Now().Add(patience))
	p := &h2Peer{Framer: http2.NewFramer(conn, bufio.NewReader(conn)), t: t, conn: conn}
	p.AllowIllegalWrites = true
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.MaxHeaderListSize = 16 << 20
	p.encoder = hpack.NewEncoder(&p.block)
	return p
}

// speak opens a connection of a client that has said what it must.
func (p *port) speak(settings ...http2.Setting) *h2Peer {
	p.t.Helper()
	conn := p.dial()
	send(p.t, conn, http2.ClientPreface)
	peer := newH2Peer(p.t, conn)
	if err := peer.WriteSettings(settings...); err != nil {
		p.t.Fatal(err)
	}
	return peer
}

// scripted is a container of HTTP/2 that does on each connection what the script
// says, then closes it.
func scripted(t testing.TB, script func(c *h2Peer)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
					return
				}
				peer := newH2Peer(t, conn)
				_ = peer.WriteSettings()
				script(peer)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return netip.MustParseAddrPort(ln.Addr().String())
}

// encode makes a header block of names and values.
func (p *h2Peer) encode(fields ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = p.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return slices.Clone(p.block.Bytes())
}

// head sends a header, in as many frames as it takes.
func (p *h2Peer) head(stream uint32, ends bool, fields ...string) {
	block := p.encode(fields...)
	first := block[:min(len(block), 16<<10)]
	rest := block[len(first):]
	_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: first, EndStream: ends, EndHeaders: len(rest) == 0})
	for len(rest) > 0 {
		part := rest[:min(len(rest), 16<<10)]
		rest = rest[len(part):]
		_ = p.WriteContinuation(stream, len(rest) == 0, part)
	}
}

// ask sends the header of a request.
func (p *h2Peer) ask(stream uint32, ends bool, method, path string, more ...string) {
	p.head(stream, ends, append([]string{":method", method, ":scheme", "http", ":authority", "iris-1.sample.localhost", ":path", path}, more...)...)
}

// read returns the next frame that is not the connection's own business.
func (p *h2Peer) read() (http2.Frame, error) {
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return nil, err
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = p.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				_ = p.WritePing(true, f.Data)
				continue
			}
			return f, nil
		case *http2.WindowUpdateFrame:
			if f.StreamID != 0 {
				return f, nil
			}
		case *http2.DataFrame:
			if n := f.Length; n > 0 { // of the connection's window, not the stream's
				_ = p.WriteWindowUpdate(0, n)
			}
			return f, nil
		default:
			return f, nil
		}
	}
}

// await reads until the frame is one that is looked for; false where the connection
// ends before.
func (p *h2Peer) await(wanted func(http2.Frame) bool) (http2.Frame, bool) {
	for {
		f, err := p.read()
		if err != nil {
			return nil, false
		}
		if wanted(f) {
			return f, true
		}
	}
}

// request waits for the next request of a container.
func (p *h2Peer) request() *http2.MetaHeadersFrame {
	f, _ := p.await(func(f http2.Frame) bool { _, ok := f.(*http2.MetaHeadersFrame); return ok })
	header, _ := f.(*http2.MetaHeadersFrame)
	return header
}

// wait reads until the connection ends.
func (p *h2Peer) wait() { _, _ = p.await(func(http2.Frame) bool { return false }) }

// seen is what a client got on one stream.
type seen struct {
	informed []string // 1xx
	status   string
	header   map[string]string
	body     string
	trailer  map[string]string
	reset    string // the code, where it was reset
	away     string // the code, where the connection ended
}

// answer reads the answer to a stream, and the stream's end.
func (p *h2Peer) answer(stream uint32) (got seen) {
	p.t.Helper()
	for {
		f, err := p.read()
		if err != nil {
			got.away += fmt.Sprint(" ", err)
			if !errors.Is(err, io.EOF) && got.away == "" {
				p.t.Errorf("after %+v: %v", got, err)
			}
			return got
		}
		if away, ok := f.(*http2.GoAwayFrame); ok {
			got.away = away.ErrCode.String()
			continue
		}
		if f.Header().StreamID != stream {
			continue
		}
		if got.take(f) {
			return got
		}
	}
}

func (s *seen) take(f http2.Frame) (ends bool) {
	switch f := f.(type) {
	case *http2.RSTStreamFrame:
		s.reset = f.ErrCode.String()
		return true
	case *http2.DataFrame:
		s.body += string(f.Data())
		return f.StreamEnded()
	case *http2.MetaHeadersFrame:
		fields := map[string]string{}
		for _, h := range f.RegularFields() {
			fields[h.Name] = strings.TrimPrefix(fields[h.Name]+"|"+h.Value, "|")
		}
		switch status := f.PseudoValue("status"); {
		case s.status != "":
			s.trailer = fields
		case strings.HasPrefix(status, "1"):
			s.informed = append(s.informed, status)
		default:
			s.status, s.header = status, fields
		}
		return f.StreamEnded()
	}
	return false
}

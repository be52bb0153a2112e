package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// witness is a container that notes each request and its body.
type witness struct {
	mu   sync.Mutex
	seen []string
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	got, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, fmt.Sprintf("%s %s %q", r.Method, r.URL.Path, got))
}

func (w *witness) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

func TestNoRequestIsSmuggledInAnother(t *testing.T) {
	var container witness
	p := front(t, iris(), container.ServeHTTP)
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
	for _, row := range []struct {
		fact    string
		request string
		status  int
		seen    []string
	}{
		{"length and chunks: the chunks count, and nothing behind them is a body", "POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, []string{`POST /a "x"`}},
		{"chunks shorter than the length hide no request", "POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled), 200, []string{fmt.Sprintf("POST /a %q", smuggled)}},
		{"two lengths", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n" + smuggled, 400, nil},
		{"a list of lengths", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 36\r\n\r\n" + smuggled, 400, nil},
		{"a length with a sign", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\n" + smuggled, 400, nil},
		{"a length in hexadecimal", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0x0\r\n\r\n" + smuggled, 400, nil},
		{"a length too great", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n" + smuggled, 400, nil},
		{"a space before the colon", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length : 36\r\n\r\n" + smuggled, 400, nil},
		{"an encoding that is not chunked", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n" + smuggled, 501, nil},
		{"an encoding beside chunked", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + smuggled, 501, nil},
		{"two encodings", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + smuggled, 501, nil},
		{"chunked behind a vertical tab", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \vchunked\r\n\r\n" + smuggled, 400, nil},
		{"two hosts", "GET /a HTTP/1.1\r\nHost: h\r\nHost: other\r\n\r\n", 400, nil},
		{"a bare CR in a value", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\rX-Evil: b\r\n\r\n", 400, nil},
		{"a NUL in a value", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n", 400, nil},
		{"a name that is no token", "GET /a HTTP/1.1\r\nHost: h\r\nX y: a\r\n\r\n", 400, nil},
		{"no name at all", "GET /a HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n", 400, nil},
		{"a space in the target", "GET /a /b HTTP/1.1\r\nHost: h\r\n\r\n", 400, nil},
		{"a version that is none", "GET /a HTTP/9.9\r\nHost: h\r\n\r\n", 505, nil},
	} {
		t.Run(row.fact, func(t *testing.T) {
			conn := p.dial()
			send(t, conn, row.request)
			got, _ := io.ReadAll(conn)
			if !bytes.HasPrefix(got, fmt.Appendf(nil, "HTTP/1.1 %d ", row.status)) || bytes.Count(got, []byte("HTTP/1.1 ")) != 1 {
				t.Errorf("got %q, want one %d", got, row.status)
			}
			if seen := container.take(); !slices.Equal(seen, row.seen) {
				t.Errorf("the container saw %q, want %q", seen, row.seen)
			}
		})
	}
}

func TestAFoldedHeaderReachesTheContainerAsOneLine(t *testing.T) {
	p := front(t, iris(), echo)
	got := p.ask("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n Transfer-Encoding: chunked\r\n\r\n")
	if !strings.Contains(got, "X: a Transfer-Encoding: chunked\r\n") {
		t.Errorf("got %q", got)
	}
}

func TestAContainerCannotInjectHeaders(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	p.Route("iris-1", 1, []netip.AddrPort{script(t, "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n")})
	if got := p.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n"); strings.Contains(got, "\rSet-Cookie") {
		t.Errorf("got %q", got)
	}
}

// pipes is a listener without a network, so that its time can be a bubble's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func TestWhoeverIsSlowWithItsHeaderIsCut(t *testing.T) {
	for _, row := range []struct {
		fact  string
		drips string // again and again
		most  time.Duration
	}{
		{"silent", "", speakTimeout},
		{"a header that never ends", "X: y\r\n", speakTimeout + headerTimeout},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := newPipes()
				s := New(Options{Models: []Model{iris()}})
				ctx, stop := context.WithCancel(t.Context())
				served := make(chan error, 1)
				go func() { served <- s.Serve(ctx, ln) }()
				ours, theirs := net.Pipe()
				ln.conns <- theirs
				began := time.Now()
				go func() { _, _ = io.Copy(io.Discard, ours) }()
				if row.drips != "" {
					_, _ = io.WriteString(ours, "GET / HTTP/1.1\r\nHost: h\r\n")
				}
				for {
					time.Sleep(5 * time.Second)
					if _, err := io.WriteString(ours, row.drips); err != nil {
						break
					}
					if row.drips == "" && time.Since(began) > row.most {
						_, err := ours.Write([]byte("x"))
						if err == nil {
							t.Error("it may still speak")
						}
						break
					}
				}
				if took := time.Since(began); took > row.most+5*time.Second {
					t.Errorf("cut after %s", took)
				}
				_ = ours.Close()
				stop()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// framed is an HTTP/2 client that may do as it likes.
func framed(t *testing.T, p *port) (*http2.Framer, net.Conn, func(path string, more ...string) []byte) {
	t.Helper()
	conn := p.dial()
	send(t, conn, http2.ClientPreface)
	f := http2.NewFramer(conn, bufio.NewReader(conn))
	f.AllowIllegalWrites = true
	if err := f.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	return f, conn, func(path string, more ...string) []byte {
		block.Reset()
		fields := append([]string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", path}, more...)
		for i := 0; i < len(fields); i += 2 {
			_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		return slices.Clone(block.Bytes())
	}
}

// endOf reads until the connection ends, and returns the error code of its GOAWAY.
func endOf(f *http2.Framer) (code http2.ErrCode, ended bool) {
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return code, !errors.Is(err, os.ErrDeadlineExceeded)
		}
		if away, ok := frame.(*http2.GoAwayFrame); ok {
			code = away.ErrCode
		}
	}
}

func TestRapidResetsAreBounded(t *testing.T) {
	var running, most atomic.Int64
	p := front(t, iris(), func(_ http.ResponseWriter, r *http.Request) {
		for n := running.Add(1); ; {
			if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		<-r.Context().Done()
		running.Add(-1)
	})
	f, conn, header := framed(t, p)
	go func() { // until the port has had enough
		defer func() { _ = conn.(*net.TCPConn).CloseWrite() }()
		for id := uint32(1); id < 20_000; id += 2 {
			if f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: header("/"), EndStream: true, EndHeaders: true}) != nil {
				return
			}
			if f.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
				return
			}
		}
	}()
	_, _ = endOf(f)
	await(t, "all ended", func() bool { return p.Load("iris-1") == (Load{}) && running.Load() == 0 })
	if n := most.Load(); n > 1000 {
		t.Errorf("%d ran at a time", n)
	}
	if got := p.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("then got %q", got)
	}
}

func TestAFloodOfContinuationsEndsTheConnection(t *testing.T) {
	var container witness
	p := front(t, iris(), container.ServeHTTP)
	f, _, header := framed(t, p)
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: header("/"), EndStream: true}); err != nil {
		t.Fatal(err)
	}
	go func() {
		for range 10_000 { // 160 MB, if it were taken
			if f.WriteContinuation(1, false, bytes.Repeat(header("/", "x", strings.Repeat("y", 100)), 16)) != nil {
				return
			}
		}
	}()
	_, ended := endOf(f)
	if !ended {
		t.Error("the connection goes on")
	}
	if seen := container.take(); len(seen) > 0 {
		t.Errorf("the container saw %q", seen)
	}
}

func TestHTTP2HeadersCannotInjectLines(t *testing.T) {
	var container witness
	p := front(t, iris(), container.ServeHTTP)
	for _, row := range []struct{ fact, name, value string }{
		{"CR LF in a value", "x", "a\r\nX-Evil: b"},
		{"LF in a value", "x", "a\nb"},
		{"a capital in a name", "X-Y", "a"},
		{"CR LF in a name", "x\r\ny", "a"},
		{"a header of the connection", "transfer-encoding", "chunked"},
		{"another", "connection", "x"},
		{"an unknown pseudo header", ":evil", "a"},
		{"two paths", ":path", "/b"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			f, _, header := framed(t, p)
			if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: header("/a", row.name, row.value), EndStream: true, EndHeaders: true}); err != nil {
				t.Fatal(err)
			}
			if refused := refusedStream(t, f); !refused {
				t.Error("it was answered")
			}
			if seen := container.take(); len(seen) > 0 {
				t.Errorf("the container saw %q", seen)
			}
		})
	}
}

// refusedStream tells whether stream 1 or the connection ended without an answer, or
// with 400.
func refusedStream(t *testing.T, f *http2.Framer) bool {
	t.Helper()
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		switch frame, err := f.ReadFrame(); frame := frame.(type) {
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return true
		case *http2.MetaHeadersFrame:
			return frame.PseudoValue("status") == "400"
		default:
			if err != nil {
				return true
			}
		}
	}
}

func TestAThousandRequestsAtATimeAreAnswered(t *testing.T) {
	m := iris()
	m.ContainerConcurrency = 4
	p := front(t, m, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	var statuses [600]atomic.Int64
	var asking sync.WaitGroup
	c := client(t, true)
	for range 1000 {
		asking.Go(func() {
			res, err := c.Post("http://"+p.address, "text/plain", strings.NewReader("x"))
			if err != nil {
				t.Error(err)
				return
			}
			_ = body(t, res)
			statuses[res.StatusCode].Add(1)
		})
	}
	asking.Wait()
	if ok, full := statuses[200].Load(), statuses[503].Load(); ok+full != 1000 || ok < 44 {
		t.Errorf("%d answered, %d refused", ok, full)
	}
	await(t, "nothing is left", func() bool { return p.Load("iris-1") == (Load{}) })
}

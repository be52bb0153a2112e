package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// patience bounds a test that would otherwise hang; no test waits for it to pass.
const patience = 30 * time.Second

// iris is the model of most tests.
func iris() Model {
	return Model{ID: "iris-1", Project: "sample", Name: "iris", Version: "1", FullName: "iris-1-r2"}
}

// port is a Server on a loopback port, and what it told.
type port struct {
	*Server
	t       testing.TB
	address string
	stop    context.CancelFunc
	stopped chan error
	served  chan fact
	notices chan event.Notice
}

type fact struct {
	model    string
	revision int
	event.Served
}

func (p *port) Publish(model string, revision int, f event.Fact) {
	switch f := f.(type) {
	case event.Served:
		select {
		case p.served <- fact{model, revision, f}:
		default:
		}
	case event.Notice:
		p.notices <- f
	}
}

// open serves the options' models until the test ends.
func open(t testing.TB, o Options) *port {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &port{
		t:       t,
		address: ln.Addr().String(),
		stopped: make(chan error, 1),
		served:  make(chan fact, 4096),
		notices: make(chan event.Notice, 16),
	}
	o.Publisher, o.general = p, onGeneral
	p.Server = New(o)
	ctx, cancel := context.WithCancel(t.Context())
	p.stop = cancel
	go func() { p.stopped <- p.Serve(ctx, ln) }()
	t.Cleanup(p.close)
	return p
}

// close stops the port and waits for it; a second call does nothing.
func (p *port) close() {
	p.t.Helper()
	p.stop()
	select {
	case err := <-p.stopped:
		if err != nil {
			p.t.Errorf("Serve: %v", err)
		}
		p.stopped <- nil
	case <-time.After(patience):
		p.t.Error("Serve did not return")
	}
}

// told returns what the port told of the next request.
func (p *port) told() fact {
	p.t.Helper()
	select {
	case f := <-p.served:
		return f
	case <-time.After(patience):
		p.t.Fatal("no event.Served")
		return fact{}
	}
}

// front opens a port with one model that is routed to the container.
func front(t testing.TB, m Model, container http.HandlerFunc) *port {
	t.Helper()
	p := open(t, Options{Models: []Model{m}})
	p.Route(m.ID, 1, []netip.AddrPort{serve(t, container)})
	return p
}

// serve is a container that speaks HTTP/1.1 and h2c.
func serve(t testing.TB, container http.HandlerFunc) netip.AddrPort {
	t.Helper()
	s := newContainer(container)
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

func newContainer(h http.HandlerFunc) *httptest.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = &protocols
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	return s
}

// script is a container that reads one request's header on every connection and
// answers with these very bytes, then closes.
func script(t testing.TB, answer string) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = ln.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, answer)
			}
			_ = conn.Close()
		}
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}

// dial opens a connection to the port.
func (p *port) dial() *net.TCPConn {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// raw sends the bytes on a connection of its own and returns all that comes until
// the port closes it.
func (p *port) raw(request string) string {
	p.t.Helper()
	conn := p.dial()
	send(p.t, conn, request)
	got, err := io.ReadAll(conn)
	if err != nil {
		p.t.Fatalf("after %q: %v", got, err)
	}
	return string(got)
}

func send(t testing.TB, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// client is an HTTP client of one protocol, with connections of its own.
func client(t testing.TB, http2 bool) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetUnencryptedHTTP2(http2)
	wire := &http.Transport{Protocols: &protocols, DisableCompression: true}
	t.Cleanup(wire.CloseIdleConnections)
	return &http.Client{
		Transport:     wire,
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get is one GET on a connection of its own; it returns status and body.
func (p *port) get(host, path string) (int, string) {
	p.t.Helper()
	res := parse(p.t, p.raw("GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"))
	return res.StatusCode, body(p.t, res)
}

func parse(t testing.TB, answer string) *http.Response {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
	if err != nil {
		t.Fatalf("%q: %v", answer, err)
	}
	return res
}

func body(t testing.TB, res *http.Response) string {
	t.Helper()
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// await returns once the condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !holds() {
		if ctx.Err() != nil {
			t.Fatalf("never: %s", what)
		}
		runtime.Gosched()
	}
}

// hears fails unless the channel gives something.
func hears[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("never: %s", what)
	}
	return v
}

// echo is a container that answers with the request line, headers in order, and
// body that it got.
func echo(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	b.WriteString(r.Method + " " + r.RequestURI + " " + r.Proto + "\nHost: " + r.Host + "\n")
	_ = r.Header.Write(&b)
	got, err := io.ReadAll(r.Body)
	if err != nil && !errors.Is(err, io.EOF) {
		b.WriteString(err.Error())
	}
	b.Write(got)
	_ = r.Trailer.Write(&b)
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write(b.Bytes())
}

package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func TestWhenThePortStopsRunningRequestsFinish(t *testing.T) {
	running, finish := make(chan struct{}), make(chan struct{})
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "half ")
		_ = http.NewResponseController(w).Flush()
		running <- struct{}{}
		<-finish
		_, _ = w.Write(got)
	})
	answers := make(chan string, 2)
	for _, http2 := range []bool{false, true} {
		go func() {
			res, err := client(t, http2).Post("http://"+p.address, "", strings.NewReader("whole"))
			if err != nil {
				t.Error(err)
				answers <- ""
				return
			}
			answers <- body(t, res)
		}()
		hears(t, "it runs", running)
	}
	p.stop()
	await(t, "new connections are refused", func() bool {
		conn, err := net.Dial("tcp", p.address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	close(finish)
	for range 2 {
		if got := hears(t, "an answer", answers); got != "half whole" {
			t.Errorf("got %q", got)
		}
	}
	p.close()
	if len(p.notices) > 0 {
		t.Errorf("told %v", <-p.notices)
	}
}

func TestDrainOfAStoppingPortWaitsForRoutedReplicas(t *testing.T) {
	running, finish := make(chan struct{}), make(chan struct{})
	p := front(t, iris(), func(http.ResponseWriter, *http.Request) {
		running <- struct{}{}
		<-finish
	})
	go statusOf(t, client(t, false), p.address)
	hears(t, "it runs", running)
	p.stop()
	<-p.stopping
	drained := make(chan error, 1)
	go func() { drained <- p.Drain(context.Background(), "iris-1") }()
	close(finish)
	if err := hears(t, "drained", drained); err != nil {
		t.Error(err)
	}
	if l := p.Load("iris-1"); l != (Load{}) {
		t.Errorf("still %+v", l)
	}
}

func TestWhatRunsLongerThanTheDrainMayTakeIsCut(t *testing.T) {
	running := make(chan struct{}, 3)
	p := open(t, Options{Models: []Model{iris()}, DrainTimeout: time.Millisecond})
	p.Route("iris-1", 1, []netip.AddrPort{serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			running <- struct{}{}
			wsEcho(w, r)
			return
		}
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		running <- struct{}{}
		<-r.Context().Done()
	})})
	ended := make(chan error, 2)
	for _, http2 := range []bool{false, true} {
		go func() {
			res, err := client(t, http2).Get("http://" + p.address)
			if err == nil {
				_, err = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
			ended <- err
		}()
		hears(t, "it runs", running)
	}
	ws := p.dial()
	send(t, ws, "GET / HTTP/1.1\r\nHost: "+p.address+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	hears(t, "it runs", running)
	p.close()
	for range 2 {
		if err := hears(t, "it is cut", ended); err == nil {
			t.Error("an answer that was cut ended well")
		}
	}
	if text := hears(t, "a notice", p.notices).Text; !strings.HasPrefix(text, "3 connections were cut") {
		t.Errorf("told %q", text)
	}
	for range 3 {
		if told := p.told(); told.Error != errCut.Error() && told.Status != 101 {
			t.Errorf("told %+v", told)
		}
	}
}

func TestNobodyWhoIsIdleOrSilentKeepsThePortFromStopping(t *testing.T) {
	for _, row := range []struct {
		fact string
		do   func(t *testing.T, p *port, conn net.Conn)
	}{
		{"silent", func(*testing.T, *port, net.Conn) {}},
		{"half of the HTTP/2 preface", func(t *testing.T, _ *port, conn net.Conn) { send(t, conn, http2.ClientPreface[:9]) }},
		{"idle after a request", func(t *testing.T, _ *port, conn net.Conn) {
			send(t, conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = body(t, res)
		}},
		{"idle HTTP/2", func(t *testing.T, _ *port, conn net.Conn) {
			send(t, conn, http2.ClientPreface)
			f := http2.NewFramer(conn, conn)
			_ = f.WriteSettings()
			if _, err := f.ReadFrame(); err != nil {
				t.Fatal(err)
			}
		}},
		{"upgraded to h2c", func(t *testing.T, _ *port, conn net.Conn) {
			send(t, conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAQAAQAA\r\n\r\n"+http2.ClientPreface)
			read := bufio.NewReader(conn)
			if _, err := http.ReadResponse(read, nil); err != nil {
				t.Fatal(err)
			}
			f := http2.NewFramer(conn, read)
			_ = f.WriteSettings()
			_ = streamBody(t, f, 1)
		}},
	} {
		t.Run(row.fact, func(t *testing.T) {
			// With a second connection the silent one is known to be accepted.
			p := front(t, iris(), echo)
			conn := p.dial()
			row.do(t, p, conn)
			_, _ = p.get("h", "/")
			p.close()
			if len(p.notices) > 0 {
				t.Errorf("it was cut: %v", <-p.notices)
			}
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
	}
}

func TestServeReturnsWhatItsListenerFailedWith(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	err = New(Options{Models: []Model{iris()}}).Serve(t.Context(), ln)
	if !errors.Is(err, net.ErrClosed) || !strings.HasPrefix(err.Error(), "accept on 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
}

// shortListener fails once as a host does that has no descriptor left.
type shortListener struct {
	net.Listener
	failed bool
}

func (l *shortListener) Accept() (net.Conn, error) {
	if !l.failed {
		l.failed = true
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestRunningOutOfDescriptorsIsSurvived(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor(&shortListener{Listener: ln})
	defer d.shut()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	accepted, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = accepted.Close()
}

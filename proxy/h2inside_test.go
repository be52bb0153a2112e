package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
)

// h2Inside is an engine of HTTP/2 with one client, of which a test sees more than
// clients do.
func h2Inside(t *testing.T, p *port, settings ...http2.Setting) (e *h2Engine, client *h2Peer, cut context.CancelCauseFunc) {
	t.Helper()
	if onGeneral {
		t.Skip("it looks into the other engine")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cut := context.WithCancelCause(context.Background())
	e = newH2(ctx, p.Server)
	var accepting sync.WaitGroup
	accepting.Go(func() { e.accept(ln) })
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = conn.Close(), ln.Close()
		cut(nil)
		accepting.Wait()
		e.wait()
	})
	send(t, conn, http2.ClientPreface)
	client = newH2Peer(t, conn)
	_ = client.WriteSettings(settings...)
	await(t, "it is accepted", func() bool { return len(e.open()) == 1 })
	return e, client, cut
}

func TestACutReachesAConnectionThatWaitsForRoom(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	ends := make(chan struct{})
	defer close(ends)
	p.Route("iris-1", 1, []netip.AddrPort{scripted(t, func(*h2Peer) { <-ends })}) // it reads nothing
	e, client, cut := h2Inside(t, p)
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		long := strings.Repeat("x", 100<<10)
		for id := uint32(1); id < 2*h2StreamsMost; id += 2 {
			client.ask(id, true, "GET", "/", "x-long", long)
		}
	})
	c := e.open()[0]
	await(t, "it waits for room", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.crowded(&c.client)
	})
	cut(errCut)
	ended := make(chan struct{})
	go func() { e.wait(); close(ended) }()
	hears(t, "it ends", ended)
	if told := p.told(); told.Error != errCut.Error() {
		t.Errorf("told %+v", told)
	}
}

func TestAStreamThatEndedWaitsForNoRoom(t *testing.T) {
	p := front(t, iris(), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100<<10)) })
	// The connection's window is for less than one answer, and is never opened.
	e, client, _ := h2Inside(t, p, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	c := e.open()[0]
	waits := func(n int) func() bool {
		return func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return len(c.client.parked) == n
		}
	}
	client.ask(1, true, "GET", "/")
	await(t, "the first waits", waits(1))
	for id := uint32(3); id < 21; id += 2 {
		client.ask(id, true, "GET", "/")
		await(t, "another waits", waits(2))
		_ = client.WriteRSTStream(id, http2.ErrCodeCancel)
		await(t, "that is forgotten", waits(1))
	}
}

func TestWhatComesBehindTheLastStreamOfADrainIsIgnored(t *testing.T) {
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	c := p.speak()
	c.ask(1, false, "POST", "/")
	await(t, "it runs", func() bool { return p.Load("iris-1").Running == 1 })
	p.stop()
	last := func(f http2.Frame) bool {
		away, ok := f.(*http2.GoAwayFrame)
		return ok && away.LastStreamID == 1
	}
	if _, ok := c.await(last); !ok {
		t.Fatal("no last stream was told")
	}
	c.ask(3, false, "POST", "/") // as one that was on its way
	_ = c.WriteData(3, false, []byte("late"))
	_ = c.WriteWindowUpdate(3, 10)
	_ = c.WriteRSTStream(3, http2.ErrCodeCancel)
	_ = c.WriteData(1, true, []byte("hello"))
	if got := c.answer(1); got.status != "200" || got.body != "hello" {
		t.Errorf("got %+v", got)
	}
	c.wait()
	_ = c.conn.Close()
	p.close()
	if len(p.notices) > 0 {
		t.Errorf("it was cut: %v", <-p.notices)
	}
}

func TestAConnectionThatTakesNoStreamIsNotKept(t *testing.T) {
	if onGeneral {
		t.Skip("net/http keeps it")
	}
	p := open(t, Options{Models: []Model{iris()}})
	gone := make(chan struct{}, 1)
	p.Route("iris-1", 1, []netip.AddrPort{scripted(t, func(c *h2Peer) {
		_ = c.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
		if f := c.request(); f != nil {
			c.head(f.StreamID, true, ":status", "204")
			c.wait()
			gone <- struct{}{}
		}
	})})
	c := p.speak()
	for id := uint32(1); id < 7; id += 2 {
		c.ask(id, true, "GET", "/")
		if got := c.answer(id); got.status != "204" {
			t.Fatalf("got %+v", got)
		}
		hears(t, "the connection ends", gone)
	}
}

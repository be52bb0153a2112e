package proxy

import (
	"context"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// h1Engine carries HTTP/1.1 with one goroutine a connection and, where a request is
// quick, no allocation of its own. It understands what nearly all requests are and
// nothing else. A request that asks for something rare is lent to the general engine,
// and the connection comes back; one whose very form is not plain, or that changes the
// protocol, takes the connection there for good, with every byte as the client sent
// it. So the odd, the malformed and the malicious are judged in one place, net/http.
type h1Engine struct {
	port    *Server
	life    context.Context // ends when what still runs is cut
	general *general
	buffers h1Buffers

	running  sync.WaitGroup // goroutines of connections
	draining atomic.Bool
	mu       sync.Mutex
	conns    map[*h1Conn]struct{}
	empty    chan struct{} // closed when draining and without connections
}

func newH1(ctx context.Context, port *Server) *h1Engine {
	general := newHTTP1(ctx, port)
	general.server.ConnState = h1LoanState
	return &h1Engine{
		port:    port,
		life:    ctx,
		general: general,
		conns:   map[*h1Conn]struct{}{},
		empty:   make(chan struct{}),
	}
}

func (e *h1Engine) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return // with ln, of which the parting tells why
		}
		c := newH1Conn(e, conn)
		e.enter(c)
		e.running.Go(func() { e.serve(c) })
	}
}

// serve keeps a mistake of this engine's from ending more than one connection, as
// net/http does with its own.
func (e *h1Engine) serve(c *h1Conn) {
	defer e.leave(c)
	defer c.close()
	defer func() {
		if v := recover(); v != nil {
			text := fmt.Sprintf("port: panic serving %s: %v\n%s", c.client, v, debug.Stack())
			e.port.publisher.Publish("", 0, event.Notice{Level: event.NoticeWarning, Text: text})
		}
	}()
	c.serve()
}

func (e *h1Engine) enter(c *h1Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conns[c] = struct{}{}
}

func (e *h1Engine) leave(c *h1Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
	e.tellEmpty()
}

// tellEmpty is called with the lock held.
func (e *h1Engine) tellEmpty() {
	if !e.draining.Load() || len(e.conns) > 0 {
		return
	}
	select {
	case <-e.empty:
	default:
		close(e.empty)
	}
}

func (e *h1Engine) drain(ctx context.Context) {
	e.general.server.SetKeepAlivesEnabled(false) // what is lent says so from now on
	e.mu.Lock()
	e.draining.Store(true)
	for c := range e.conns {
		c.endIdle()
	}
	e.tellEmpty()
	e.mu.Unlock()

	e.general.drain(ctx)
	select {
	case <-e.empty:
	case <-ctx.Done():
	}
}

func (e *h1Engine) wait() {
	e.running.Wait()
	e.general.wait()
}

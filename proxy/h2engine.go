package proxy

import (
	"context"
	"maps"
	"net"
	"slices"
	"sync"
)

// h2Engine carries HTTP/2 by relaying its frames: it gives every client connection
// upstream connections of its own, one to each replica that its requests go to,
// passes DATA on as it comes, and decodes headers only to route and to rewrite them.
//
// Unlike HTTP/1's it never hands anything to the general engine: HTTP/2 has one
// framing, all of which is understood here or answered with the error that the
// protocol has for it, and nothing that net/http's server offers is missing. It offers
// neither push nor extended CONNECT. Only what began as HTTP/1 and was upgraded to
// h2c is the general engine's.
//
// Everything of one client connection is under one lock, h2Conn.mu, which nobody
// holds while he reads, writes, waits or tells. So the two directions cannot wait
// for each other, and what is held for a slow side is bounded by the windows that
// were given to the other.
type h2Engine struct {
	port    *Server
	cut     func() error // why what runs has to end; nil while it has not
	uncut   func() bool  // has nobody wait for that any more
	running sync.WaitGroup
	buffers *h2Buffers

	mu       sync.Mutex
	conns    map[*h2Conn]struct{}
	draining bool
	empty    chan struct{} // closed when draining and without connections
}

// newH2 returns an engine whose requests end when ctx does.
func newH2(ctx context.Context, port *Server) *h2Engine {
	e := &h2Engine{
		port:    port,
		cut:     func() error { return context.Cause(ctx) },
		buffers: newH2Buffers(),
		conns:   map[*h2Conn]struct{}{},
		empty:   make(chan struct{}),
	}
	e.uncut = context.AfterFunc(ctx, e.breakOff)
	return e
}

// breakOff wakes the readers that wait for room, to see that their connections are cut.
func (e *h2Engine) breakOff() {
	for _, c := range e.open() {
		c.mu.Lock()
		c.client.breakOff()
		c.unlock()
	}
}

func (e *h2Engine) open() []*h2Conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Keys(e.conns))
}

func (e *h2Engine) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return // ends with ln, of which the parting tells why
		}
		c := newH2Conn(e, conn)
		e.mu.Lock()
		e.conns[c] = struct{}{}
		e.mu.Unlock()
		e.running.Go(c.serve)
	}
}

func (e *h2Engine) drain(ctx context.Context) {
	e.mu.Lock()
	e.draining = true
	e.tellEmpty()
	e.mu.Unlock()
	for _, c := range e.open() {
		c.drain()
	}
	select {
	case <-e.empty:
	case <-ctx.Done():
	}
}

func (e *h2Engine) wait() {
	e.running.Wait()
	e.uncut()
}

func (e *h2Engine) forget(c *h2Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, known := e.conns[c]; known {
		delete(e.conns, c)
		e.tellEmpty()
	}
}

// tellEmpty is called with the lock held.
func (e *h2Engine) tellEmpty() {
	if !e.draining || len(e.conns) > 0 {
		return
	}
	select {
	case <-e.empty:
	default:
		close(e.empty)
	}
}

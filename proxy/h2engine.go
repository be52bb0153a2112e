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
// Everything of one client connection is under one lock, h2Conn.mu, which nobody
// holds while he reads, writes, waits or tells. So the two directions cannot wait
// for each other, and what is held for a slow side is bounded by the windows that
// were given to the other.
type h2Engine struct {
	port    *Server
	cut     func() error // why what runs has to end; nil while it has not
	running sync.WaitGroup
	buffers *h2Buffers

	mu       sync.Mutex
	conns    map[*h2Conn]struct{}
	draining bool
	empty    chan struct{} // closed when draining and without connections
}

// newH2 returns an engine whose requests end when ctx does.
func newH2(ctx context.Context, port *Server) *h2Engine {
	return &h2Engine{
		port:    port,
		cut:     func() error { return context.Cause(ctx) },
		buffers: newH2Buffers(),
		conns:   map[*h2Conn]struct{}{},
		empty:   make(chan struct{}),
	}
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
	conns := slices.Collect(maps.Keys(e.conns))
	e.mu.Unlock()
	for _, c := range conns {
		c.drain()
	}
	select {
	case <-e.empty:
	case <-ctx.Done():
	}
}

func (e *h2Engine) wait() { e.running.Wait() }

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

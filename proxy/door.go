package proxy

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// door is the listener, and knows every connection that came through it until its
// owner closes it: cmux gives no way to end a connection that never spoke, and
// http.Server none to wait for one that was hijacked.
type door struct {
	net.Listener

	mu     sync.Mutex
	guests map[*guest]struct{}
	closed bool
	closes chan struct{} // closed by shut
	empty  chan struct{} // closed when closed and without guests
}

func newDoor(ln net.Listener) *door {
	return &door{
		Listener: ln,
		guests:   map[*guest]struct{}{},
		closes:   make(chan struct{}),
		empty:    make(chan struct{}),
	}
}

// guest is a connection. It counts until its owner closes it, even where the door
// has cut it: the owner may still be at work.
type guest struct {
	net.Conn
	door    *door
	claimed bool // an engine has it; guarded by door.mu
}

// acceptPause is what passes before the next try where the host has no descriptor
// left: cmux tries again at once, which is a busy loop.
const acceptPause = 50 * time.Millisecond

// Accept waits for the next connection.
func (d *door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err == nil {
			return d.enter(conn)
		}
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
			return nil, err
		}
		select {
		case <-time.After(acceptPause):
		case <-d.closes:
			return nil, net.ErrClosed
		}
	}
}

func (d *door) enter(conn net.Conn) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	g := &guest{Conn: conn, door: d}
	d.guests[g] = struct{}{}
	return g, nil
}

// Close ends the connection for its owner.
func (g *guest) Close() error {
	d := g.door
	d.mu.Lock()
	_, known := d.guests[g]
	delete(d.guests, g)
	if known {
		d.tellEmpty()
	}
	d.mu.Unlock()
	return g.Conn.Close()
}

// CloseWrite half-closes: an upgraded protocol may rely on it.
func (g *guest) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (g *guest) claim() {
	g.door.mu.Lock()
	defer g.door.mu.Unlock()
	g.claimed = true
}

// tellEmpty is called with the lock held.
func (d *door) tellEmpty() {
	if d.closed && len(d.guests) == 0 {
		close(d.empty)
	}
}

// shut lets nobody in any more and ends the connections that have not spoken yet.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.closed = true
	close(d.closes)
	_ = d.Listener.Close()
	for g := range d.guests {
		if !g.claimed {
			_ = g.Conn.Close()
		}
	}
	d.tellEmpty()
}

// left is how many connections their owners have not closed.
func (d *door) left() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.guests)
}

// cut breaks every connection under its owner.
func (d *door) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for g := range d.guests {
		_ = g.Conn.Close()
	}
}

// wait returns when every connection has been closed by its owner, after shut.
func (d *door) wait(ctx context.Context) error {
	select {
	case <-d.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

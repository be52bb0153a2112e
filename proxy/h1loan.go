package proxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// h1Loan is a connection that the general engine has for one request. It reads as if
// the client sent that request and then waited: what comes behind it stays here.
type h1Loan struct {
	net.Conn
	c    *h1Conn
	head []byte // of the request, not read yet
	left int64  // of its body
	lent bool   // to a server, which closes it
	done chan struct{}

	mu    sync.Mutex
	moved sync.Cond
	late  bool // the deadline for reading has passed
	idle  bool // the request was answered, and the client may send another
	over  bool // it was given back, or closed
}

// lendOut lends the connection for the request whose header is read; false where it
// does not come back.
func (c *h1Conn) lendOut() bool {
	head := c.in.buffered()[:c.request.at]
	l := &h1Loan{Conn: c.conn, c: c, head: slices.Clone(head), left: c.request.length, done: make(chan struct{})}
	l.moved.L = &l.mu
	c.in.r += len(head)
	c.posted = string(c.request.method) == "POST"
	c.arm(h1NoDeadline)
	_ = c.engine.general.server.Serve(&h1Once{conn: l, lent: &l.lent}) // ends with the one connection
	if !l.lent {
		return false
	}
	<-l.done
	c.armed = h1LongAgo // who had it may have left any
	c.arm(h1NoDeadline)
	return l.idle
}

// h1LoanState tells a loan that its request was answered.
func h1LoanState(conn net.Conn, state http.ConnState) {
	if l, ok := conn.(*h1Loan); ok && state == http.StateIdle {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.idle = !l.over
	}
}

// Read gives the request, then waits. net/http reads on behind it to see the client
// leave, and ends that by a deadline.
func (l *h1Loan) Read(p []byte) (int, error) {
	if l.isOver() {
		return 0, io.EOF
	}
	if len(l.head) > 0 {
		n := copy(p, l.head)
		l.head = l.head[n:]
		return n, nil
	}
	in := &l.c.in
	for l.left == 0 {
		if err := in.more(); err != nil {
			return 0, l.full(err)
		}
	}
	if len(in.buffered()) == 0 {
		if err := in.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.buffered()[:min(int64(len(in.buffered())), l.left)])
	in.r += n
	l.left -= int64(n)
	return n, nil
}

func (l *h1Loan) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.idle || l.over
}

// full waits where nothing more can be read ahead.
func (l *h1Loan) full(err error) error {
	if !errors.Is(err, errH1Full) {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.late && !l.over {
		l.moved.Wait()
	}
	return os.ErrDeadlineExceeded
}

// SetReadDeadline is how net/http stops its reading on.
func (l *h1Loan) SetReadDeadline(at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return net.ErrClosed
	}
	l.late = !at.IsZero() && time.Until(at) <= 0
	l.moved.Broadcast()
	return l.Conn.SetReadDeadline(at)
}

// Close gives the connection back where its request was answered and the client may
// send another; else it ends it.
func (l *h1Loan) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return nil
	}
	l.over = true
	l.moved.Broadcast()
	defer close(l.done)
	if l.idle {
		return nil
	}
	return l.Conn.Close()
}

// CloseWrite ends one direction.
func (l *h1Loan) CloseWrite() error { return h1CloseWrite(l.Conn) }

package proxy

import (
	"context"
	"errors"
	"math"
	"os"
	"time"
)

// h1Patience is how long a request is quick: its client and its clock are watched only
// after that. What a shorter one would tell nobody has the time to see.
const h1Patience = 10 * time.Millisecond

var (
	h1NoDeadline = time.Time{}
	h1LongAgo    = time.Unix(1, 0) // as a deadline it interrupts
)

// h1Watch is what a request has that takes longer: a context that ends when its client
// leaves, its clock strikes or the port is cut, and a goroutine that reads what the
// client sends. Of one request at most one is made.
type h1Watch struct {
	c      *h1Conn
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	reads  chan struct{} // closed when the goroutine has ended; nil where none runs
	unbind func() bool   // from the connection to the replica
	sends  bool          // that goroutine writes to the replica
	failed error         // of the request's body; read it after the goroutine's end
}

// attend begins to watch. Only the first call counts.
func (c *h1Conn) attend() {
	if c.watch != nil {
		return
	}
	w := &h1Watch{c: c}
	w.ctx, w.cancel = context.WithCancelCause(c.engine.life)
	x := c.x
	w.timer = time.AfterFunc(math.MaxInt64, func() { w.ring(x) }) // ring reads it
	w.timer.Reset(max(c.flow.first-time.Since(x.arrived), 0))
	c.watch = w
	w.bind()
	w.look()
}

func (w *h1Watch) ring(x *exchange) {
	switch struck, again := x.clock.due(); {
	case struck:
		w.cancel(errTimeout)
	case again > 0:
		w.timer.Reset(again)
	}
}

// bind has the connection to the replica end with the context.
func (w *h1Watch) bind() {
	u := w.c.upstream
	if u == nil {
		return
	}
	u.armed = h1NoDeadline
	_ = u.SetDeadline(h1NoDeadline)
	w.unbind = context.AfterFunc(w.ctx, func() { _ = u.SetDeadline(h1LongAgo) })
}

// loose ends what bind began; false where the connection was cut or may yet be.
func (w *h1Watch) loose() bool {
	unbind := w.unbind
	w.unbind = nil
	return unbind == nil || unbind()
}

// look begins to read ahead what the client sends, which is how one is seen to leave.
func (w *h1Watch) look() { w.read(w.readAhead) }

func (w *h1Watch) read(reading func()) {
	w.c.arm(h1NoDeadline)
	done := make(chan struct{})
	w.reads = done
	go func() {
		defer close(done)
		reading()
	}()
}

// readAhead reads until the client leaves, it is stopped, or it has read as much as
// the connection keeps.
func (w *h1Watch) readAhead() {
	in := &w.c.in
	for {
		err := in.more()
		switch {
		case err == nil:
		case errors.Is(err, errH1Full), errors.Is(err, os.ErrDeadlineExceeded):
			return
		default:
			w.cancel(nil)
			return
		}
	}
}

// pause ends the goroutine and waits for it. A body that it was sending is broken off.
func (w *h1Watch) pause() {
	if w.reads == nil {
		return
	}
	w.c.arm(h1LongAgo)
	u := w.c.upstream
	sends := w.sends && u != nil
	if sends {
		_ = u.SetWriteDeadline(h1LongAgo)
	}
	<-w.reads
	w.reads, w.sends = nil, false
	w.c.arm(h1NoDeadline)
	if !sends {
		return
	}
	_ = u.SetWriteDeadline(h1NoDeadline)
	if w.ctx.Err() != nil { // it may have cut the connection in between
		_ = u.SetDeadline(h1LongAgo)
	}
}

// send has the goroutine carry the request's body to the replica, and look on behind
// its end.
func (w *h1Watch) send() {
	c, u, x := w.c, w.c.upstream, w.c.x
	w.sends = true
	w.read(func() {
		switch err := c.sendBody(u, x); {
		case err == nil:
			w.readAhead()
		case errors.Is(err, os.ErrDeadlineExceeded): // it was paused
		case errors.Is(err, errH1Replica):
			w.readAhead() // the answer tells more
		case h1IsMalformed(err):
			w.failed = err
			w.cancel(err)
		default:
			w.cancel(nil) // the client left
		}
	})
}

// end ends all of it. The exchange is not to be used again: its clock may ring yet.
func (w *h1Watch) end() {
	w.pause()
	w.timer.Stop()
	_ = w.loose()
	w.cancel(nil)
	w.c.watch = nil
}

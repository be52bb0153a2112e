package proxy

import (
	"encoding/binary"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2Wire is one HTTP/2 connection as an end of the relay: the client's, or one to a
// replica. What is received belongs to the one goroutine that reads it; everything
// else is under the lock of the client's connection.
type h2Wire struct {
	c *h2Conn
	h2Reader
	h2Blocks
	greeted bool // the peer's SETTINGS have come
	hurried bool // reading has a deadline

	encoder  *hpack.Encoder
	out      []byte  // not written yet
	rest     []byte  // being written
	lentOut  *[]byte // where out and rest go back to
	lentRest *[]byte
	writing  bool // somebody writes, or will as soon as there is a connection
	broken   bool // nothing can be written any more
	patient  time.Time

	window  int64  // what may be sent on all streams
	initial int64  // the peer's window of a new stream
	credit  int64  // what the peer may still send
	owed    int    // taken from it, and to be given back
	most    uint32 // streams that the peer takes at a time
	parked  []*h2Flow
}

const (
	// h2ConnWindow bounds what is held for all streams of a connection whose other
	// side is slow; h2StreamWindow does for one of them, so that a few that stall do
	// not stall the rest.
	h2ConnWindow   = 4 << 20
	h2StreamWindow = 256 << 10

	h2OutFull = 256 << 10 // no DATA is added beyond
	h2OutMost = 1 << 20   // nothing is read beyond that would add something
)

func (w *h2Wire) init(c *h2Conn, conn net.Conn, headerMost int) {
	w.c = c
	w.conn, w.buffers = conn, c.engine.buffers
	w.buf = w.small[:]
	w.h2Blocks.init(headerMost)
	w.encoder = hpack.NewEncoder(h2Appender{w})
	w.window, w.initial, w.credit = h2WindowAt0, h2WindowAt0, h2ConnWindow
}

// h2Buffers lends what connections read into and write from.
type h2Buffers struct{ reading, writing sync.Pool }

const (
	h2WriteSmall = 16 << 10
	// h2WriteKeep is the largest buffer that is kept for another use.
	h2WriteKeep = h2OutFull + h2FrameMost + h2HeaderLen
)

func newH2Buffers() *h2Buffers {
	return &h2Buffers{
		reading: sync.Pool{New: func() any { return new([h2ReadLarge]byte) }},
		writing: sync.Pool{New: func() any { b := make([]byte, 0, h2WriteSmall); return &b }},
	}
}

// append appends a frame; there is nobody left for it where the wire is broken.
func (w *h2Wire) append(kind http2.FrameType, flags http2.Flags, stream uint32, payload []byte) {
	if w.broken {
		return
	}
	w.lend()
	w.out = append(h2Append(w.out, len(payload), kind, flags, stream), payload...)
}

func (w *h2Wire) lend() {
	if w.lentOut == nil {
		w.lentOut = w.buffers.writing.Get().(*[]byte)
		w.out = (*w.lentOut)[:0]
	}
}

func (w *h2Wire) append32(kind http2.FrameType, stream, value uint32) {
	w.append(kind, 0, stream, binary.BigEndian.AppendUint32(make([]byte, 0, 4), value))
}

func (w *h2Wire) reset(stream uint32, code http2.ErrCode) {
	w.append32(http2.FrameRSTStream, stream, uint32(code))
}

func (w *h2Wire) goAway(last uint32, code http2.ErrCode) {
	w.append(http2.FrameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), uint32(code)))
}

func (w *h2Wire) settings(pairs ...uint32) {
	var p []byte
	for i := 0; i < len(pairs); i += 2 {
		p = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(p, uint16(pairs[i])), pairs[i+1])
	}
	w.append(http2.FrameSettings, 0, 0, p)
	w.append32(http2.FrameWindowUpdate, 0, h2ConnWindow-h2WindowAt0)
}

func (w *h2Wire) queued() int { return len(w.out) + len(w.rest) }

// take accounts for what the peer sent on any stream.
func (w *h2Wire) take(n int) error {
	if w.credit -= int64(n); w.credit < 0 {
		return http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	return nil
}

// give gives it back once it has gone on, or nobody wants it.
func (w *h2Wire) give(n int) {
	if w.owed += n; w.owed >= h2ConnWindow/4 {
		w.append32(http2.FrameWindowUpdate, 0, uint32(w.owed))
		w.credit += int64(w.owed)
		w.owed = 0
	}
}

// resume lets the flows go on that had no room on this wire.
func (w *h2Wire) resume() {
	parked := w.parked
	w.parked = nil
	for _, f := range parked {
		f.parked = false
		f.pump()
	}
}

// h2Patience is how long whoever has something to write writes it himself. Then it
// is left to a goroutine, so that a peer that takes nothing delays nobody else.
const h2Patience = 20 * time.Millisecond

// flush writes what is there, unless somebody does already. It is called without
// the lock.
func (w *h2Wire) flush() {
	w.c.mu.Lock()
	defer w.c.unlock()
	if w.writing || len(w.out) == 0 {
		return
	}
	w.writing = true
	if !w.writeAll(true) {
		w.c.engine.running.Go(w.writeOn)
	}
}

// writeOn writes what could not be written at once.
func (w *h2Wire) writeOn() {
	w.c.mu.Lock()
	defer w.c.unlock()
	w.limitWrites()
	w.writeAll(false)
}

// limitWrites takes the deadline off, or sets the last one of a connection that
// ends. It is called with the lock held.
func (w *h2Wire) limitWrites() {
	w.patient = time.Time{}
	if w.c.lingers {
		w.patient = time.Now().Add(h2Linger)
	}
	_ = w.conn.SetWriteDeadline(w.patient)
}

// writeAll writes until nothing is left. It is called with the lock held, which it
// gives up meanwhile. Where it loses patience it returns false: then somebody else
// has to go on with it.
func (w *h2Wire) writeAll(patiently bool) (done bool) {
	for !w.broken && (len(w.rest) > 0 || len(w.out) > 0) {
		if len(w.rest) == 0 {
			w.lentRest, w.lentOut = w.lentOut, nil
			*w.lentRest = w.out
			w.rest, w.out = w.out, nil
		}
		if patiently {
			w.renewPatience()
		}
		rest := w.rest
		w.c.mu.Unlock()
		n, err := w.conn.Write(rest)
		w.c.mu.Lock()
		if w.rest = rest[n:]; err != nil && patiently && isTimeoutError(err) && !w.broken {
			return false
		}
		w.wrote(err)
	}
	w.writing = false
	w.c.room.Broadcast()
	return true
}

func (w *h2Wire) wrote(err error) {
	w.rest = nil
	if cap(*w.lentRest) <= h2WriteKeep {
		w.buffers.writing.Put(w.lentRest)
	}
	w.lentRest = nil
	if err != nil {
		w.breakOff()
	}
	if len(w.parked) > 0 {
		w.resume()
	}
	w.c.room.Broadcast()
}

// breakOff ends a wire on which nothing can be written: its reader will notice.
func (w *h2Wire) breakOff() {
	w.broken = true
	w.out, w.lentOut = nil, nil
	if w.conn != nil {
		_ = w.conn.Close()
	}
	w.c.room.Broadcast()
}

// renewPatience sets a new deadline only where half of the last one has passed.
func (w *h2Wire) renewPatience() {
	if now := time.Now(); w.patient.Sub(now) < h2Patience/2 {
		w.patient = now.Add(h2Patience)
		_ = w.conn.SetWriteDeadline(w.patient)
	}
}

func isTimeoutError(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

package proxy

import (
	"errors"
	"slices"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2Flow is one direction of a stream: the request's body, or the answer's. What
// cannot go on is kept, and only when it has gone on may the sender send more. All
// of it is under the lock of the client's connection.
type h2Flow struct {
	from, to   *h2Wire // to is nil while nobody is there to send it to
	in, out    uint32  // the stream's ids there
	ended      func()  // called when everything has been sent, or nil
	credit     int64   // what the sender may still send
	owed       int     // taken from it, and to be given back
	window     int64   // what may be sent
	declared   int64   // content-length; -1 where there is none
	received   int64
	queue      []byte
	trailer    []hpack.HeaderField
	hasTrailer bool
	complete   bool // everything has been received
	sent       bool // and sent
	closed     bool // the rest is of no interest
	parked     bool // at to, until there is room
}

var (
	errH2Length  = errors.New("the body is not as long as its content-length says")
	errH2Window  = errors.New("more was sent than the flow-control window allows")
	errH2Trailer = errors.New("a trailer that does not end the stream")
	errH2Unasked = errors.New("DATA where there may be none")
)

// receive takes a DATA frame. An error is the sender's.
func (f *h2Flow) receive(frame h2Frame, p []byte) error {
	whole := len(frame.payload)
	if f.credit -= int64(whole); f.credit < 0 {
		f.from.give(whole)
		return errH2Window
	}
	if f.closed {
		f.from.give(whole)
		return nil
	}
	f.consumed(whole - len(p))
	f.received += int64(len(p))
	if f.declared >= 0 && (f.received > f.declared || (frame.ends() && f.received < f.declared)) {
		f.from.give(len(p))
		return errH2Length
	}
	f.complete = frame.ends()
	f.add(p)
	return nil
}

// add sends a part of the body, or keeps it until it can be sent.
func (f *h2Flow) add(p []byte) {
	if f.to != nil && len(f.queue) == 0 && !f.parked {
		if n := f.fits(len(p)); n > 0 && n == len(p) {
			f.send(p)
			p = nil
		}
	}
	f.queue = append(f.queue, p...)
	f.pump()
}

// finish ends the body, with a trailer or without.
func (f *h2Flow) finish(trailer []hpack.HeaderField) {
	f.complete = true
	f.trailer, f.hasTrailer = trailer, trailer != nil
	f.pump()
}

// fits returns how much of n bytes can be sent now.
func (f *h2Flow) fits(n int) int {
	if f.to.queued() >= h2OutFull {
		return 0
	}
	return int(max(0, min(int64(n), h2FrameMost, f.window, f.to.window)))
}

// send sends a part of the body, with the stream's end where that is the rest.
func (f *h2Flow) send(p []byte) {
	flags := http2.Flags(0)
	if f.complete && !f.hasTrailer && len(p) >= len(f.queue) {
		flags = http2.FlagDataEndStream
		f.sent = true
	}
	f.to.append(http2.FrameData, flags, f.out, p)
	f.window -= int64(len(p))
	f.to.window -= int64(len(p))
	f.consumed(len(p))
	f.tellEnd()
}

// pump sends what can be sent now.
func (f *h2Flow) pump() {
	if f.to == nil || f.sent || f.closed {
		return
	}
	at := 0
	for at < len(f.queue) {
		n := f.fits(len(f.queue) - at)
		if n == 0 {
			break
		}
		rest := f.queue[at:]
		f.queue, at = rest, 0
		f.send(rest[:n])
		if f.sent || f.closed {
			f.queue = nil
			return
		}
		f.queue = rest[n:]
	}
	if len(f.queue) > 0 {
		f.park()
		return
	}
	f.queue = nil
	f.end()
}

// park waits for room on the wire, unless it is the stream's own window that is
// closed: then its WINDOW_UPDATE wakes the flow.
func (f *h2Flow) park() {
	if !f.parked && f.window > 0 {
		f.parked = true
		f.to.parked = append(f.to.parked, f)
	}
}

// end sends the stream's end behind everything else.
func (f *h2Flow) end() {
	if !f.complete || f.sent {
		return
	}
	f.sent = true
	if !f.hasTrailer {
		f.to.append(http2.FrameData, http2.FlagDataEndStream, f.out, nil)
	} else if at, ok := f.to.beginBlock(); ok {
		for _, field := range f.trailer {
			f.to.field(field)
		}
		f.to.endBlock(at, f.out, true)
	}
	f.tellEnd()
}

func (f *h2Flow) tellEnd() {
	if f.sent && f.ended != nil {
		f.ended()
	}
}

// consumed gives back what has gone on.
func (f *h2Flow) consumed(n int) {
	if f.from == nil || n == 0 {
		return
	}
	f.from.give(n)
	if f.owed += n; f.owed >= h2StreamWindow/2 && !f.complete {
		f.from.append32(http2.FrameWindowUpdate, f.in, uint32(f.owed))
		f.credit += int64(f.owed)
		f.owed = 0
	}
}

// close drops what is kept: nobody will take it.
func (f *h2Flow) close() {
	if f.closed {
		return
	}
	f.closed = true
	if f.parked { // a wire without room may stay so for long
		f.parked = false
		f.to.parked = slices.DeleteFunc(f.to.parked, func(other *h2Flow) bool { return other == f })
	}
	if f.from != nil {
		f.from.give(len(f.queue))
	}
	f.queue, f.trailer = nil, nil
}

// widen opens the window; it is false where it gets wider than a window may be.
func (f *h2Flow) widen(by int64) bool {
	if f.window += by; f.window > h2WindowMax {
		return false
	}
	if by > 0 {
		f.pump()
	}
	return true
}

// release parts from the sender: what is kept is the receiver's alone.
func (f *h2Flow) release() {
	if f.from != nil {
		f.from.give(len(f.queue))
		f.from = nil
	}
}

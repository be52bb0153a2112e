package proxy

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// h1BufferedAnswer is how much of an answer of known length is kept back before any
// of it is sent, header included, as net/http does.
const h1BufferedAnswer = 4 << 10

// relay carries the answer back, whose header is there. It returns a refusal where
// the client is to get another.
func (c *h1Conn) relay(x *exchange) *refusal {
	a := &c.answer
	x.heard()
	if !x.clock.stop() {
		return x.ended(h1Context{c})
	}
	if a.status < 100 {
		x.failure = fmt.Errorf("the container answered with status %d", a.status)
		c.abort(x)
		return nil
	}
	c.awaitUpload()
	x.fact.Status = a.status
	c.recordAnswer(x)
	c.flow.begun = true
	c.setBody()
	var err error
	switch {
	case c.body.whole:
		c.out = c.appendHeader(c.out[:0], nil)
		err = c.finish(x)
	case a.length >= 0 && !c.flushes():
		err = c.relaySized(x)
	default:
		err = c.relayFlushed(x)
	}
	if x.recording != nil && len(c.body.trailers) > 0 {
		x.record(event.AnswerTrailer, h1AppendFields(nil, c.body.trailers))
	}
	if x.fact.GRPCStatus = c.grpcStatus(); err != nil {
		c.breakOff(x, err)
	}
	return nil
}

// recordAnswer records the header as the replica sent it.
func (c *h1Conn) recordAnswer(x *exchange) {
	switch {
	case x.recording == nil:
	case c.answer.odd != nil:
		x.record(event.AnswerHeader, appendLines(nil, c.answer.odd.res.Header))
	default:
		x.record(event.AnswerHeader, h1Lines(c.heard.buf[c.heard.r-c.answer.size:c.heard.r]))
	}
}

// awaitUpload reads the rest of a request whose answer comes before its end, since
// net/http answers in no other order; then it watches the client as before.
func (c *h1Conn) awaitUpload() {
	w := c.watch
	sends := w != nil && w.sends
	if !sends && c.upload.whole {
		return
	}
	if w != nil {
		w.pause()
		defer w.look()
	}
	c.finishUpload()
}

// setBody finds out how the body is told from what follows it.
func (c *h1Conn) setBody() {
	a, b := &c.answer, &c.body
	length := a.length
	switch {
	case a.chunked:
		length = h1Chunked
	case length < 0:
		length = 0
	}
	b.set(&c.heard, length)
	switch {
	case c.bodiless():
		b.framing, b.whole = h1None, true
		// A body that may not be there would be taken for the next answer.
		a.close = a.close || (!h1HasBody(a.status) && (a.chunked || (a.status != http.StatusNotModified && a.length > 0)))
	case a.odd != nil:
		b.framing, b.whole, b.res = h1Decoded, false, a.odd.res.Body
	case a.length < 0 && !a.chunked:
		b.framing, b.whole, a.close = h1UntilClose, false, true
	}
}

// bodiless tells whether the answer has no body, whatever its header says of one.
func (c *h1Conn) bodiless() bool {
	return string(c.request.method) == "HEAD" || !h1HasBody(c.answer.status)
}

// flushes tells whether every part of the answer is sent at once though its length
// is known.
func (c *h1Conn) flushes() bool {
	kind, _ := h1First(c.answer.fields, "Content-Type")
	if len(kind) < len("text/event-stream") || kind[0]|0x20 != 't' {
		return false
	}
	base, _, _ := mime.ParseMediaType(string(kind))
	return base == "text/event-stream"
}

// relaySized carries a body of known length. Its beginning is kept back until there is
// enough of it, or all.
func (c *h1Conn) relaySized(x *exchange) error {
	first, err := c.gather(min(c.answer.length, int64(max(512, h1BufferedAnswer-c.answer.size))))
	if err == nil && c.body.whole {
		first, err = x.breakBody(first)
	}
	if err != nil && !x.clock.lapsed() {
		return err // nothing was sent
	}
	c.out = c.appendHeader(c.out[:0], first)
	for {
		c.out = append(c.out, first...)
		x.answers(first)
		if err != nil {
			return err
		}
		if c.body.whole {
			return c.finish(x)
		}
		if err := c.flush(); err != nil {
			return err
		}
		first, err = c.body.next()
		if errors.Is(err, io.EOF) {
			return c.finish(x)
		}
		if err == nil {
			first, err = x.breakBody(first)
		}
	}
}

// gather reads that much of the body.
func (c *h1Conn) gather(n int64) ([]byte, error) {
	b := &c.body
	if b.framing == h1Decoded {
		got, err := io.ReadAtLeast(b.res, c.heard.buf, int(n))
		if int64(got) == c.answer.length {
			b.whole = true
		}
		return c.heard.buf[:got], err
	}
	for int64(len(c.heard.buffered())) < n {
		if err := c.heard.more(); err != nil {
			piece, _ := b.ready()
			return piece, b.ended(err)
		}
	}
	return b.next()
}

// relayFlushed carries a body and sends everything at once that is there. Before the
// replica is read from, h1Hearing flushes.
func (c *h1Conn) relayFlushed(x *exchange) error {
	chunked := c.answer.length < 0
	piece, err := c.body.ready()
	c.out = c.appendHeader(c.out[:0], piece)
	for {
		if passes, broken := x.breakBody(piece); broken != nil {
			return c.passLast(x, passes, broken)
		}
		switch {
		case errors.Is(err, io.EOF):
			if chunked {
				c.out = c.appendEnd(c.out)
			}
			return c.finish(x)
		case err != nil && !errors.Is(err, errH1Dry):
			_ = c.flush()
			return err
		case len(piece) > 0 && chunked:
			c.out = h1AppendChunk(c.out, piece)
		default:
			c.out = append(c.out, piece...)
		}
		x.answers(piece)
		if len(c.out) >= h1HeaderLimit || c.body.framing == h1Decoded {
			if err := c.flush(); err != nil {
				return err
			}
		}
		piece, err = c.body.next()
	}
}

// passLast passes a piece on behind which the answer breaks off.
func (c *h1Conn) passLast(x *exchange, piece []byte, broken error) error {
	if c.answer.length < 0 && len(piece) > 0 {
		c.out = h1AppendChunk(c.out, piece)
	} else {
		c.out = append(c.out, piece...)
	}
	x.answers(piece)
	_ = c.flush()
	return broken
}

// errH1Client is why an answer was not carried on: the client takes no more.
var errH1Client = errors.New("the client takes no more")

// flush sends what waits for it.
func (c *h1Conn) flush() error {
	if len(c.out) == 0 || !c.flow.begun {
		return nil
	}
	if !c.x.clock.touch() {
		return errTimeout
	}
	_, err := c.conn.Write(c.out)
	if c.out = c.out[:0]; err != nil {
		return errH1Client
	}
	return nil
}

// finish sends the last of an answer. The replica is free before the client has it, as
// nobody could tell the difference but who asks again at once.
func (c *h1Conn) finish(x *exchange) error {
	if !x.clock.touch() {
		return errTimeout
	}
	c.yield()
	c.release()
	return c.flush()
}

// breakOff ends an answer that has begun. What the clock ended looks well.
func (c *h1Conn) breakOff(x *exchange, err error) {
	x.failure = err
	ctx := h1Context{c}
	switch {
	case x.clock.lapsed():
		x.failure = errIdle
		c.lapse(x)
		return
	case ctx.Err() != nil:
		x.failure = gone(ctx)
	case errors.Is(err, errH1Client):
		x.failure = errGone
	}
	c.abort(x)
}

// abort ends the connection so that the client sees no end of the answer.
func (c *h1Conn) abort(x *exchange) {
	x.broken, c.closing = true, true
	c.out = c.out[:0]
}

// lapse ends an answer on which the idle timeout has passed: the text is appended and
// all looks well, as in production. Where a length was announced that is not reached
// with it, the connection ends.
func (c *h1Conn) lapse(x *exchange) {
	text := refuseTimeout().body
	switch {
	case c.bodiless():
		text = ""
	case c.answer.length < 0:
		c.out = append(h1AppendChunk(c.out, []byte(text)), h1LastChunk...)
	case x.out.Load()+int64(len(text)) <= c.answer.length:
		c.out = append(c.out, text...)
		c.closing = c.closing || x.out.Load()+int64(len(text)) < c.answer.length
	default:
		c.closing = true
		text = ""
	}
	x.answers([]byte(text))
	if _, err := c.conn.Write(c.out); err != nil {
		c.closing = true
	}
	c.out = c.out[:0]
}

package proxy

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// h1BufferedAnswer is how much of an answer of known length is kept back before any
// of it is sent, header included, as net/http does.
const h1BufferedAnswer = 4 << 10

// relay carries the answer back, whose header is there. It returns a refusal where
// the client is to get another.
func (c *h1Conn) relay(x *exchange) *refusal {
	a := &c.answer
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
	if x.fact.GRPCStatus = c.grpcStatus(); err != nil {
		c.breakOff(x, err)
	}
	return nil
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
	case string(c.request.method) == "HEAD" || !h1HasBody(a.status):
		b.framing, b.whole = h1None, true
	case a.odd != nil:
		b.framing, b.whole, b.res = h1Decoded, false, a.odd.res.Body
	case a.length < 0 && !a.chunked:
		b.framing, b.whole, a.close = h1UntilClose, false, true
	}
}

func h1HasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
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
	if err != nil && !x.clock.lapsed() {
		return err // nothing was sent
	}
	c.out = c.appendHeader(c.out[:0], first)
	for {
		c.out = append(c.out, first...)
		x.out.Add(int64(len(first)))
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
		x.out.Add(int64(len(piece)))
		if len(c.out) >= h1HeaderLimit || c.body.framing == h1Decoded {
			if err := c.flush(); err != nil {
				return err
			}
		}
		piece, err = c.body.next()
	}
}

// appendEnd appends the end of a chunked body, with its trailers.
func (c *h1Conn) appendEnd(out []byte) []byte {
	if odd := c.answer.odd; odd != nil {
		for name, values := range odd.res.Trailer {
			for _, value := range values {
				c.body.trailers = append(c.body.trailers, h1Field{[]byte(name), h1OneLine(value)})
			}
		}
	}
	h1Sort(c.body.trailers)
	out = append(out, "0\r\n"...)
	for _, f := range c.body.trailers {
		out = f.append(out)
	}
	return append(out, "\r\n"...)
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
	case c.answer.length < 0:
		c.out = append(h1AppendChunk(c.out, []byte(text)), h1LastChunk...)
	case x.out.Load()+int64(len(text)) <= c.answer.length:
		c.out = append(c.out, text...)
		c.closing = c.closing || x.out.Load()+int64(len(text)) < c.answer.length
	default:
		c.closing = true
		text = ""
	}
	x.out.Add(int64(len(text)))
	if _, err := c.conn.Write(c.out); err != nil {
		c.closing = true
	}
	c.out = c.out[:0]
}

// relayInformation passes a 1xx on. A 100 is nobody's here: a request that expects one
// is the general engine's.
func (c *h1Conn) relayInformation(x *exchange) error {
	if !x.clock.stop() {
		return errH1Struck
	}
	if c.answer.status == http.StatusContinue {
		return nil
	}
	out := h1AppendStatus(c.out[:0], c.answer.status)
	h1Sort(c.answer.fields)
	for _, f := range c.answer.fields {
		if string(f.name) != "Content-Length" {
			out = f.append(out)
		}
	}
	out = append(out, "\r\n"...)
	c.out = out[:0]
	_, err := c.conn.Write(out)
	return err
}

// appendHeader appends the header as net/http writes it; first is what of the body is
// there.
func (c *h1Conn) appendHeader(out, first []byte) []byte {
	a := &c.answer
	out = h1AppendStatus(out, a.status)
	h1Sort(a.fields)
	has := h1AnswerHas{}
	bodiless := !h1HasBody(a.status)
	for _, f := range a.fields {
		if bodiless && has.suppresses(f.name, a.status) {
			continue
		}
		has.note(f.name)
		out = f.append(out)
	}
	if !has.date {
		out = h1AppendDate(out)
	}
	if !has.kind && !has.coding && len(first) > 0 {
		out = h1Append(out, "Content-Type", http.DetectContentType(first))
	}
	out = c.appendClose(out)
	if a.length < 0 && !bodiless && string(c.request.method) != "HEAD" {
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	return append(out, "\r\n"...)
}

// h1AnswerHas is what an answer's header need not be given.
type h1AnswerHas struct{ date, kind, coding bool }

func (h *h1AnswerHas) note(name []byte) {
	switch string(name) {
	case "Date":
		h.date = true
	case "Content-Type":
		h.kind = true
	case "Content-Encoding":
		h.coding = true
	}
}

// suppresses tells what an answer that can have no body does not speak of.
func (h *h1AnswerHas) suppresses(name []byte, status int) bool {
	return string(name) == "Content-Length" || (status == http.StatusNotModified && string(name) == "Content-Type")
}

func h1AppendDate(out []byte) []byte {
	out = append(out, "Date: "...)
	return append(time.Now().UTC().AppendFormat(out, http.TimeFormat), "\r\n"...)
}

// h1StatusText is net/http's.
func h1StatusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "status code " + strconv.Itoa(status)
}

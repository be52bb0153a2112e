package proxy

import (
	"errors"
	"io"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// h1Flow is what is known of the request that runs.
type h1Flow struct {
	first    time.Duration // until the clock is due
	admitted bool          // and not released
	begun    bool          // the answer: the client may have got something
	sent     bool          // all of the request is with the replica
	heard    bool          // a byte of the answer was
	written  bool          // a byte of the request was
}

// exchange takes one request through its exchange.
func (c *h1Conn) exchange() {
	c.in.r += c.request.at
	c.in.keep()
	x := c.arrive()
	c.flow = h1Flow{}
	c.closing = c.request.close
	c.posted = string(c.request.method) == "POST"
	c.upload.set(&c.in, c.request.length)
	if refused := c.carry(x); refused != nil {
		x.refused(refused)
		c.refuse(refused)
	}
	quick := c.watch == nil
	if !quick {
		c.watch.end()
	}
	if x.recording != nil && len(c.upload.trailers) > 0 {
		x.record(event.RequestTrailer, h1AppendFields(nil, c.upload.trailers))
	}
	x.leave()
	if c.x = nil; quick {
		c.spare = x
	}
	if !c.upload.whole { // what is left would be taken for a request
		c.closing = true
		c.linger()
	}
}

func (c *h1Conn) arrive() *exchange {
	r := &c.request
	x := c.spare
	if c.spare = nil; x == nil {
		x = new(exchange)
	}
	method, host, path := h1Keep(&c.names.method, r.method), h1Keep(&c.names.host, r.host), h1Keep(&c.names.path, r.path)
	c.engine.port.begin(x, method, host, path, "HTTP/1.1")
	if c.engine.port.logs() {
		x.logged = c.logEntry()
	}
	if x.recording != nil {
		x.query = string(r.query)
		x.record(event.RequestHeader, h1Lines(c.in.buf[c.in.r-r.at:c.in.r]))
	}
	c.x = x
	return x
}

func (c *h1Conn) logEntry() *logged {
	r := &c.request
	l := &logged{query: string(r.query), length: r.length, agent: string(r.agent), remote: c.conn.RemoteAddr().String()}
	referer, _ := h1First(r.fields, "Referer")
	l.referer = string(referer)
	for _, f := range r.fields {
		if string(f.name) == "X-B3-Traceid" {
			l.trace = append(l.trace, string(f.value))
		}
	}
	return l
}

// carry forwards the request and its answer, or says what is to be answered.
func (c *h1Conn) carry(x *exchange) *refusal {
	if refused := x.find(); refused != nil {
		return refused
	}
	ctx := h1Context{c}
	c.flow.first = x.clock.set(x.model.timeouts)
	if isHealthCheck(c.Get("User-Agent")) {
		c.attend() // its answer may take a while
	}
	if answered := x.probe(ctx, c); answered != nil {
		return answered
	}
	if x.clock.idle > 0 {
		c.attend()
	}
	if refused := x.admit(ctx, c.attend); refused != nil {
		return refused
	}
	c.flow.admitted = true
	defer c.release()
	defer c.drop()
	return c.forward(x)
}

// release gives the replica back, once.
func (c *h1Conn) release() {
	if c.flow.admitted {
		c.flow.admitted = false
		c.x.release()
	}
}

// forward sends the request to its replica and carries the answer back.
func (c *h1Conn) forward(x *exchange) *refusal {
	c.retarget(x)
	for {
		err := c.send(x)
		if err == nil {
			err = c.hearAnswer(x)
		}
		if err == nil {
			return c.relay(x)
		}
		again := c.upstream != nil && c.upstream.reused && !c.flow.heard && !c.flow.begun && c.repeatable(c.flow.written)
		c.drop()
		if refused := c.settle(x, err, again); refused != nil || !again {
			return refused
		}
	}
}

// settle tells what is answered where there is no answer to carry.
func (c *h1Conn) settle(x *exchange, err error, again bool) *refusal {
	ctx := h1Context{c}
	if w := c.watch; w != nil {
		if w.pause(); w.failed != nil {
			c.closing = true
			return refuseBadGateway(w.failed)
		}
	}
	switch {
	case ctx.Err() != nil || errors.Is(err, errH1Struck):
		return x.ended(ctx)
	case !again:
		return refuseBadGateway(err)
	}
	if c.watch != nil {
		c.watch.look()
	}
	return nil
}

// refuse answers with what the port has to say itself. As net/http does, it reads
// what is left of the request first.
func (c *h1Conn) refuse(r *refusal) {
	if c.watch != nil {
		c.watch.pause()
	}
	c.finishUpload()
	out := h1AppendStatus(c.out[:0], r.wire())
	for name, value := range r.header {
		out = h1Append(out, name, value)
	}
	out = h1AppendDate(out)
	head := string(c.request.method) == "HEAD"
	if !head || r.body != "" {
		out = h1AppendLength(out, int64(len(r.body)))
	}
	out = append(c.appendClose(out), "\r\n"...)
	if !head {
		out = append(out, r.body...)
	}
	c.out = out[:0]
	if _, err := c.conn.Write(out); err != nil {
		c.closing = true
	}
}

// finishUpload reads what is left of the request's body and forgets it, unless that
// is too much: then the connection ends behind the answer.
func (c *h1Conn) finishUpload() {
	if !c.upload.whole {
		c.arm(h1NoDeadline)
	}
	for discarded := 0; !c.upload.whole && !c.closing; {
		piece, err := c.upload.next()
		c.x.record(event.RequestBody, piece) // who got no answer may want to send it again
		switch discarded += len(piece); {
		case errors.Is(err, io.EOF):
			return
		case err != nil || discarded > h1DiscardLimit:
			c.closing = true
		}
	}
}

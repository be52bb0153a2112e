package proxy

import (
	"net/http"
	"strconv"
	"time"
)

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

func h1HasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

func h1AppendStatus(out []byte, status int) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(out, ' ')
	return append(append(out, h1StatusText(status)...), "\r\n"...)
}

// appendClose says that the connection ends behind this answer, where it does.
func (c *h1Conn) appendClose(out []byte) []byte {
	if c.closing = c.closing || c.engine.draining.Load(); c.closing {
		return append(out, "Connection: close\r\n"...)
	}
	return out
}

package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
)

// h1Answer is the header of an answer.
type h1Answer struct {
	status  int
	fields  []h1Field // what goes on to the client
	length  int64     // of the body; -1 where it is not known
	chunked bool
	close   bool // the connection to the replica ends behind it
	size    int  // of the header

	lengths, lines, at int
	odd                *h1OddAnswer // net/http reads it
}

// errH1Struck is why an answer was not begun: the clock had struck.
var errH1Struck = errors.New("the clock has struck")

func (a *h1Answer) reset() { *a = h1Answer{fields: a.fields[:0], length: -1, odd: a.odd} }

// hearAnswer reads the header of the final answer. It passes those before it on.
func (c *h1Conn) hearAnswer(x *exchange) error {
	a := &c.answer
	a.odd = nil
	for {
		a.reset()
		if err := c.hearHeader(); err != nil {
			return err
		}
		switch {
		case a.status == http.StatusSwitchingProtocols:
			return c.refuseSwitch()
		case a.status < 100 || a.status >= 200:
			return nil
		}
		if err := c.relayInformation(x); err != nil {
			return err
		}
	}
}

// hearHeader reads one header.
func (c *h1Conn) hearHeader() error {
	a := &c.answer
	if a.odd != nil {
		return a.odd.read(c)
	}
	for {
		switch a.parse(c.heard.buffered()) {
		case h1Done:
			c.heard.r += a.at
			c.heard.keep()
			a.size = a.at
			return nil
		case h1Odd:
			return c.hearOdd()
		}
		if err := c.heard.more(); err != nil {
			if len(c.heard.buffered()) == 0 {
				return err
			}
			return c.hearOdd() // net/http says what is wrong with it
		}
	}
}

// parse goes on with the header that buf begins with, as strictly as that of a request.
func (a *h1Answer) parse(buf []byte) h1Verdict {
	for {
		n := bytes.IndexByte(buf[a.at:], '\n')
		if n < 0 {
			if len(buf) >= h1HeaderLimit {
				return h1Odd
			}
			return h1More
		}
		line := buf[a.at : a.at+n]
		if n == 0 || line[n-1] != '\r' || a.at+n+1 > h1HeaderLimit {
			return h1Odd
		}
		line = line[:n-1]
		a.at += n + 1
		a.lines++
		switch {
		case a.lines == 1:
			if !a.begin(line) {
				return h1Odd
			}
		case len(line) == 0:
			return h1Done
		default:
			if f, ok := h1ParseField(line); !ok || !a.take(f) {
				return h1Odd
			}
		}
	}
}

// begin reads the status line.
func (a *h1Answer) begin(line []byte) bool {
	const version = "HTTP/1.1 "
	if len(line) < len(version)+3 || string(line[:len(version)]) != version {
		return false
	}
	status, ok := h1Digits(line[len(version) : len(version)+3])
	a.status = int(status)
	rest := line[len(version)+3:]
	return ok && (len(rest) == 0 || rest[0] == ' ')
}

func (a *h1Answer) take(f h1Field) bool {
	switch string(f.name) {
	case "Content-Length":
		a.lengths++
		n, ok := h1Digits(f.value)
		a.length = n
		a.fields = append(a.fields, f)
		return ok && a.lengths == 1
	case "Transfer-Encoding":
		a.lengths++
		a.chunked = true
		return h1Equal(f.value, "chunked") && a.lengths == 1
	case "Connection":
		a.close = a.close || h1Equal(f.value, "close")
		return h1Equal(f.value, "close") || h1Equal(f.value, "keep-alive")
	case "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate", "Te":
	case "Upgrade", "Trailer", "Pragma":
		return false
	default:
		a.fields = append(a.fields, f)
	}
	return true
}

// h1ConnectionOnly are the names that end with a connection.
var h1ConnectionOnly = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// h1OddAnswer is an answer that net/http reads, since it is not like nearly all are.
type h1OddAnswer struct {
	read1  *bufio.Reader
	most   io.LimitedReader
	res    *http.Response
	method string
}

// h1AnswerHeaderLimit is how much header Go's transport takes.
const h1AnswerHeaderLimit = 10 << 20

func (c *h1Conn) hearOdd() error {
	odd := &h1OddAnswer{method: string(c.request.method)}
	ahead := bytes.NewReader(slices.Clone(c.heard.buffered()))
	c.heard.base, c.heard.r, c.heard.w = 0, 0, 0
	odd.most.R = io.MultiReader(ahead, h1Hearing{c})
	odd.read1 = bufio.NewReader(&odd.most)
	c.answer.odd = odd
	return odd.read(c)
}

// read reads one header.
func (o *h1OddAnswer) read(c *h1Conn) (err error) {
	o.most.N = h1AnswerHeaderLimit
	o.res, err = http.ReadResponse(o.read1, &http.Request{Method: o.method})
	if err != nil {
		if o.most.N <= 0 {
			err = fmt.Errorf("net/http: server response headers exceeded %d bytes; aborted", h1AnswerHeaderLimit)
		}
		return fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", err)
	}
	o.most.N = math.MaxInt64
	a := &c.answer
	a.reset()
	a.status, a.length, a.close = o.res.StatusCode, o.res.ContentLength, true
	a.fields = o.fields(a.fields)
	return nil
}

// fields are those that go on, of what net/http read.
func (o *h1OddAnswer) fields(fields []h1Field) []h1Field {
	h := o.res.Header.Clone()
	for name := range o.res.Header {
		if namedByConnection(o.res.Header, name) {
			h.Del(name)
		}
	}
	for _, name := range h1ConnectionOnly {
		h.Del(name)
	}
	for name, values := range h {
		for _, value := range values {
			if h1All([]byte(name), h1Token) {
				fields = append(fields, h1Field{[]byte(name), h1OneLine(value)})
			}
		}
	}
	if len(o.res.Trailer) > 0 {
		fields = append(fields, h1Field{[]byte("Trailer"), h1List(o.res.Trailer)})
	}
	return fields
}

// h1List lists the names of trailers that are to come.
func h1List(h http.Header) (names []byte) {
	for name := range h {
		if names != nil {
			names = append(names, ", "...)
		}
		names = append(names, name...)
	}
	return names
}

// h1OneLine is a value as net/http writes it.
func h1OneLine(value string) []byte {
	line := []byte(value)
	for i, b := range line {
		if b == '\r' || b == '\n' {
			line[i] = ' '
		}
	}
	return h1Trim(line)
}

// refuseSwitch is for a container that switches protocols though nobody asked.
func (c *h1Conn) refuseSwitch() error {
	to := ""
	if odd := c.answer.odd; odd != nil && namedByConnection(odd.res.Header, "Upgrade") {
		to = odd.res.Header.Get("Upgrade")
	}
	return fmt.Errorf("backend tried to switch protocol %q when %q was requested", to, "")
}

// grpcStatus is the status that a gRPC server sent, in its header or its trailers.
func (c *h1Conn) grpcStatus() *int {
	text, ok := h1First(c.answer.fields, "Grpc-Status")
	if !ok {
		text, ok = h1First(c.body.trailers, "Grpc-Status")
	}
	status, err := strconv.Atoi(string(text))
	if !ok || err != nil {
		return nil
	}
	return &status
}

package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
)

// h1ConnectionOnly are the names that end with a connection.
var h1ConnectionOnly = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// h1OddAnswer is an answer that net/http reads, since it is not like nearly all are.
type h1OddAnswer struct {
	from   *bufio.Reader
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
	odd.from = bufio.NewReader(&odd.most)
	c.answer.odd = odd
	return odd.read(c)
}

// read reads one header.
func (o *h1OddAnswer) read(c *h1Conn) (err error) {
	o.most.N = h1AnswerHeaderLimit
	o.res, err = http.ReadResponse(o.from, &http.Request{Method: o.method})
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

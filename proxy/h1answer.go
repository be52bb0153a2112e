package proxy

import (
	"errors"
	"fmt"
	"net/http"
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
		c.heard.begin() // else many of them leave no room for what follows
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
		line, verdict := h1Line(buf, a.at)
		if verdict != h1Done {
			return verdict
		}
		a.at += len(line) + 2
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
	if !ok {
		return nil
	}
	status, err := strconv.Atoi(string(text))
	if err != nil {
		return nil
	}
	return &status
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// caller makes one request, or takes one event, and returns how long it took.
// One goroutine calls it.
type caller func() (time.Duration, error)

// opener opens a workload's callers on connections of their own; done closes them.
// No call outlives the context's deadline by much.
type opener func(ctx context.Context, s *subject) (callers []caller, done func(), err error)

// httpHost is a version endpoint, which merlin-local's proxy finds by name.
const httpHost = "iris-1.bench.localhost"

// predictRequest is a 200-byte body and what stands before it.
var predictRequest = []byte(requestHead("POST", "/v1/models/iris-1:predict", int64(len(predictBody))) + predictBody)

var predictBody = `{"instances":[` + strings.Repeat(`[5.1,3.5,1.4,0.2],`, 9) + `[5.1,3.5,1.4,0.2]     ]}`

// predictKBRequest has a body of 1 KB.
var predictKBRequest = []byte(requestHead("POST", "/v1/models/iris-1:predict", 1<<10) + predictBody + strings.Repeat(" ", 1<<10-len(predictBody)))

func requestHead(method, path string, body int64) string {
	head := method + " " + path + " HTTP/1.1\r\nHost: " + httpHost + "\r\nUser-Agent: bench\r\nAccept: */*\r\n"
	if body > 0 {
		head += "Content-Type: application/json\r\nContent-Length: " + strconv.FormatInt(body, 10) + "\r\n"
	}
	return head + "\r\n"
}

// wire is a client's HTTP/1.1 connection, with no more than a load needs.
type wire struct {
	net.Conn
	r *bufio.Reader
}

func dial(ctx context.Context, address string) (*wire, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	return newWire(conn), nil
}

func newWire(conn net.Conn) *wire {
	return &wire{Conn: conn, r: bufio.NewReaderSize(conn, 16<<10)}
}

// openHTTP predicts, one request at a time a connection.
func openHTTP(connections int) opener {
	return openWires(connections, (*wire).predict)
}

// openWires opens connections that each make the same call.
func openWires(connections int, call func(*wire) (time.Duration, error)) opener {
	return func(ctx context.Context, s *subject) ([]caller, func(), error) {
		var wires []*wire
		done := func() {
			for _, w := range wires {
				_ = w.Close()
			}
		}
		var callers []caller
		for range connections {
			w, err := dial(ctx, s.http)
			if err != nil {
				done()
				return nil, nil, err
			}
			wires = append(wires, w)
			callers = append(callers, func() (time.Duration, error) { return call(w) })
		}
		return callers, done, nil
	}
}

func (w *wire) predict() (time.Duration, error) { return w.predictWith(predictRequest) }

func (w *wire) predictKB() (time.Duration, error) { return w.predictWith(predictKBRequest) }

func (w *wire) predictWith(request []byte) (time.Duration, error) {
	began := time.Now()
	if _, err := w.Write(request); err != nil {
		return 0, err
	}
	err := w.discard(int64(len(prediction)))
	return time.Since(began), err
}

// exchange uploads so many bytes, and then downloads as many. It is two requests,
// because what is built on net/http's server may cut a response that comes at the
// very end of a large request.
func (w *wire) exchange(size int64) (time.Duration, error) {
	began := time.Now()
	if _, err := io.WriteString(w.Conn, requestHead("POST", largePath+"?bytes=0", size)); err != nil {
		return 0, err
	}
	for left := size; left > 0; {
		n, err := w.Write(zeroes[:min(left, int64(len(zeroes)))])
		if err != nil {
			return 0, err
		}
		left -= int64(n)
	}
	if err := w.discard(0); err != nil {
		return 0, err
	}
	path := largePath + "?bytes=" + strconv.FormatInt(size, 10)
	if _, err := io.WriteString(w.Conn, requestHead("GET", path, 0)); err != nil {
		return 0, err
	}
	err := w.discard(size)
	return time.Since(began), err
}

// discard reads a response, whose body is to have a size.
func (w *wire) discard(size int64) error {
	h, err := w.head()
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, h.body(w.r))
	if err == nil && n != size {
		err = fmt.Errorf("a body of %d bytes, not %d", n, size)
	}
	return err
}

var zeroes = make([]byte, 64<<10)

// openEvents takes events of one stream; each takes from its writing to its reading.
func openEvents(ctx context.Context, s *subject) ([]caller, func(), error) {
	w, err := dial(ctx, s.http)
	if err != nil {
		return nil, nil, err
	}
	done := func() { _ = w.Close() }
	if _, err := io.WriteString(w.Conn, requestHead("GET", eventsPath, 0)); err != nil {
		done()
		return nil, nil, err
	}
	h, err := w.head()
	if err != nil {
		done()
		return nil, nil, err
	}
	stream := bufio.NewReader(h.body(w.r))
	return []caller{func() (time.Duration, error) { return nextEvent(stream) }}, done, nil
}

func nextEvent(stream *bufio.Reader) (time.Duration, error) {
	for {
		line, err := stream.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		stamp, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			continue
		}
		now := time.Now().UnixNano()
		written, err := strconv.ParseInt(string(bytes.TrimSpace(stamp)), 10, 64)
		return time.Duration(now - written), err
	}
}

// head is what of a response's head is needed to read its body.
type head struct {
	length  int64 // -1 where it does not say
	chunked bool
}

func (h head) body(r *bufio.Reader) io.Reader {
	switch {
	case h.chunked:
		return &chunks{r: r, body: httputil.NewChunkedReader(r)}
	case h.length >= 0:
		return io.LimitReader(r, h.length)
	default:
		return r
	}
}

// chunks reads the empty line after the last chunk too, so that the next response
// starts where it should.
type chunks struct {
	r    *bufio.Reader
	body io.Reader
}

func (c *chunks) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	if errors.Is(err, io.EOF) && c.r != nil {
		_, bad := c.r.ReadSlice('\n')
		c.r = nil
		if bad != nil {
			return n, bad
		}
	}
	return n, err
}

var (
	statusOK         = []byte("HTTP/1.1 200")
	contentLength    = []byte("Content-Length")
	transferEncoding = []byte("Transfer-Encoding")
	chunkedCoding    = []byte("chunked")
)

// head reads the head of a response, which is to be a 200.
func (w *wire) head() (head, error) {
	h := head{length: -1}
	line, err := w.r.ReadSlice('\n')
	if err != nil {
		return h, err
	}
	if !bytes.HasPrefix(line, statusOK) {
		return h, fmt.Errorf("answered %q", bytes.TrimSpace(line))
	}
	for {
		line, err := w.r.ReadSlice('\n')
		if err != nil {
			return h, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return h, nil
		}
		if err := h.field(line); err != nil {
			return h, err
		}
	}
}

func (h *head) field(line []byte) (err error) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	switch {
	case len(name) == len(contentLength) && bytes.EqualFold(name, contentLength):
		h.length, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
	case len(name) == len(transferEncoding) && bytes.EqualFold(name, transferEncoding):
		h.chunked = bytes.EqualFold(bytes.TrimSpace(value), chunkedCoding)
	}
	return err
}

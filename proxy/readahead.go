package proxy

import (
	"io"
	"net/http"
	"sync"
)

// readAhead is a request's body that is read while the request waits. net/http
// sees that an HTTP/1 client has left only once the body is read, and a request
// that nobody waits for must not stay in a queue. What is read ahead is bounded:
// behind a larger body a leaving client is noticed when its turn has come.
type readAhead struct {
	io.ReadCloser
	useful bool

	mu      sync.Mutex
	more    sync.Cond
	ahead   []byte
	err     error // after ahead
	reading bool  // a goroutine reads
	enough  bool  // it shall not read on
}

const readAheadLimit = 64 << 10

// newReadAhead returns the body of r. HTTP/2 tells by itself that a client has
// left; and with Expect the first read would send the 100 that is the container's
// to send.
func newReadAhead(r *http.Request) *readAhead {
	b := &readAhead{ReadCloser: r.Body}
	b.useful = r.ProtoMajor == 1 && r.ContentLength != 0 && r.Header.Get("Expect") == ""
	b.more.L = &b.mu
	return b
}

// begin starts to read; end must follow. Only the first call counts.
func (b *readAhead) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.useful {
		b.useful, b.reading = false, true
		go b.fill()
	}
}

// fill is the only reader until it clears reading.
func (b *readAhead) fill() {
	chunk := make([]byte, 4<<10)
	for more := true; more; {
		n, err := b.ReadCloser.Read(chunk)
		b.mu.Lock()
		b.ahead = append(b.ahead, chunk[:n]...)
		b.err = err
		more = err == nil && !b.enough && len(b.ahead) < readAheadLimit
		b.reading = more
		b.more.Broadcast()
		b.mu.Unlock()
	}
}

// Read gives what was read ahead, then the rest.
func (b *readAhead) Read(p []byte) (int, error) {
	b.mu.Lock()
	b.enough = true
	for b.reading && len(b.ahead) == 0 {
		b.more.Wait()
	}
	n := copy(p, b.ahead)
	b.ahead = b.ahead[n:]
	err := b.err
	left := len(b.ahead)
	b.mu.Unlock()

	switch {
	case left > 0 || (n > 0 && err == nil):
		return n, nil
	case err != nil:
		return n, err
	default:
		return b.ReadCloser.Read(p)
	}
}

// end waits until nothing reads ahead any more.
func (b *readAhead) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enough = true
	for b.reading {
		b.more.Wait()
	}
}

package proxy

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// answer is the replica's answer on its way to the client: it asks the clock
// before the first byte, and notes what the exchange tells later.
type answer struct {
	http.ResponseWriter
	x         *exchange
	begun     bool  // a final status went out, or the connection was taken over
	unwritten error // why the client could not be written to
}

// Unwrap lets http.ResponseController find what answer does not change.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader begins the answer unless the clock has struck.
func (a *answer) WriteHeader(status int) {
	if !a.x.clock.stop() {
		return
	}
	if status < http.StatusContinue {
		a.x.failure = fmt.Errorf("the container answered with status %d", status)
		panic(http.ErrAbortHandler) // net/http would panic with more noise
	}
	if status == http.StatusContinue {
		return // net/http sends it itself, once, when the container asks for the body
	}
	if status >= http.StatusOK {
		a.begun = true
		a.x.fact.Status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write passes a part of the body on.
func (a *answer) Write(p []byte) (int, error) {
	if !a.begun || !a.x.clock.touch() {
		return 0, errTimeout
	}
	return a.write(p)
}

func (a *answer) write(p []byte) (int, error) {
	n, err := a.ResponseWriter.Write(p)
	a.x.answers(p[:n])
	if err != nil {
		a.unwritten = err
	}
	return n, err
}

// lapse ends an answer on which the idle timeout has passed: the text is appended
// and all looks well, as in production. Where a length was announced that is not
// reached with it, net/http breaks the connection.
func (a *answer) lapse() { _, _ = a.write([]byte(refuseTimeout().body)) }

// FlushError sends what is buffered; nothing where nothing has begun, since that
// would begin it.
func (a *answer) FlushError() error {
	if !a.begun {
		return nil
	}
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Hijack hands the connection over to an upgraded protocol. The clock goes on.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	a.begun = true
	a.x.fact.Status = http.StatusSwitchingProtocols
	return upgraded{takeOver(conn, rw.Reader), a.x}, rw, nil
}

// grpcStatus is the status that a gRPC server sent, in trailers or in the header.
func (a *answer) grpcStatus() *int {
	h := a.Header()
	text := h.Get("Grpc-Status")
	if text == "" {
		text = h.Get(http.TrailerPrefix + "Grpc-Status")
	}
	status, err := strconv.Atoi(text)
	if err != nil {
		return nil
	}
	return &status
}

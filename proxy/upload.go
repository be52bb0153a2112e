package proxy

import (
	"errors"
	"io"
	"net/http"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// upload is a request's body on its way to the container.
//
// net/http's server closes the body as soon as an answer begins, while its client
// may still be looking for the body's end. It takes the error for the client's and
// breaks the connection, and the answer with it: on a quick answer to a long body,
// one time in a hundred. So an end once seen stays the end, and whoever reads on
// after the close waits until the exchange is over.
type upload struct {
	io.ReadCloser
	x       *exchange
	trailer http.Header // filled at the body's end
	over    <-chan struct{}
	ended   bool // one goroutine reads at a time
}

func (u *upload) Read(p []byte) (int, error) {
	if u.ended {
		return 0, io.EOF
	}
	n, err := u.ReadCloser.Read(p)
	u.x.in.Add(int64(n))
	u.x.recordLate(event.RequestBody, p[:n])
	if u.ended = errors.Is(err, io.EOF); u.ended && len(u.trailer) > 0 {
		u.x.recordLate(event.RequestTrailer, appendLines(nil, u.trailer))
	}
	if errors.Is(err, http.ErrBodyReadAfterClose) {
		<-u.over
	}
	return n, err
}

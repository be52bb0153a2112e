package proxy

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// forward carries the request to its replica, once, and the answer back. It
// returns a refusal where the client has got nothing yet.
func (g *general) forward(a *answer, r *http.Request, x *exchange) (refused *refusal) {
	defer func() {
		// net/http's way to break off an answer. What the clock broke off has an
		// end nevertheless.
		v := recover()
		if v == nil {
			return
		}
		x.blame(a, r)
		switch {
		case v == http.ErrAbortHandler && x.clock.struck() && !a.begun:
			refused = x.ended(r.Context())
		case v == http.ErrAbortHandler && x.clock.lapsed():
			a.lapse()
		default:
			x.broken = true
			panic(v)
		}
	}()
	var failure error
	relay := httputil.ReverseProxy{
		Transport:      x.replica.wires.speak(r.ProtoMajor),
		Rewrite:        x.rewrite,
		ModifyResponse: x.watch,
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { failure = err },
		ErrorLog:       log.New(io.Discard, "", 0), // the exchange keeps the errors
		BufferPool:     g.buffers,
	}
	relay.ServeHTTP(a, r)
	return x.settle(a, r, failure)
}

// settle tells how forwarding ended; failure is why there was no answer to carry.
func (x *exchange) settle(a *answer, r *http.Request, failure error) *refusal {
	switch {
	case a.begun:
		if x.clock.struck() { // an upgraded connection was cut
			failure = errTimeout
		}
		if failure != nil {
			x.failure = failure
		}
	case r.Context().Err() != nil:
		return x.ended(r.Context())
	case failure != nil:
		return refuseBadGateway(failure)
	}
	return nil
}

// blame finds out why an answer broke off.
func (x *exchange) blame(a *answer, r *http.Request) {
	switch {
	case x.clock.struck():
		x.failure = errTimeout
	case x.clock.lapsed():
		x.failure = errIdle
	case r.Context().Err() != nil:
		x.failure = gone(r.Context())
	case a.unwritten != nil:
		x.failure = errGone
	}
}

// rewrite makes the request that the container sees. ReverseProxy has removed
// the hop-by-hop headers, and adds neither User-Agent nor Accept-Encoding.
func (x *exchange) rewrite(pr *httputil.ProxyRequest) {
	out := pr.Out
	out.URL.Scheme = "http"
	out.URL.Host = x.replica.address.String()
	out.URL.RawQuery = pr.In.URL.RawQuery // as it came: ReverseProxy re-encodes some
	if x.path != x.fact.Path {
		setPath(out.URL, x.path)
	}
	out.Trailer = pr.In.Trailer // the map itself: it is filled at the body's end
	forwardHeaders(pr, x)
}

// setPath sets a path that is encoded already.
func setPath(u *url.URL, encoded string) {
	if plain, err := url.PathUnescape(encoded); err == nil {
		u.Path, u.RawPath = plain, encoded
	}
}

// watch keeps the error where a container breaks off its answer.
func (x *exchange) watch(res *http.Response) error {
	x.heard()
	if x.recording != nil {
		x.record(event.AnswerHeader, appendLines(nil, res.Header))
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		res.Body = watched{res.Body, x, res}
	}
	return nil
}

type watched struct {
	io.ReadCloser
	x   *exchange
	res *http.Response
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if passes, broken := w.x.breakBody(p[:n]); broken != nil {
		n, err = len(passes), broken
	}
	switch {
	case errors.Is(err, io.EOF):
		if w.x.recording != nil && len(w.res.Trailer) > 0 {
			w.x.record(event.AnswerTrailer, appendLines(nil, w.res.Trailer))
		}
	case err != nil:
		w.x.failure = err
	}
	return n, err
}

// buffers lends what bodies are copied through.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { return new([bufferSize]byte) }}}
}

func (b *buffers) Get() []byte    { return b.pool.Get().(*[bufferSize]byte)[:] }
func (b *buffers) Put(buf []byte) { b.pool.Put((*[bufferSize]byte)(buf)) }

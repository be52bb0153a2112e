package proxy

import (
	"net"
	"net/http"
	"time"
)

// wires are the connections to one replica: the general engine's, and those of the
// engines that make their own. No two replicas share them: an address that comes back
// may be another container's.
type wires struct {
	http1, http2 *http.Transport
	h1           *h1Pool
	h2           *h2Lines
}

// dialTimeout bounds the connect to a replica that answers nothing at all.
// Queue-proxy's retried dials add up to as much.
const dialTimeout = 20 * time.Second

// idleWires is how many idle connections queue-proxy keeps without a concurrency limit.
const idleWires = 1000

func newWires(concurrency int) wires {
	if concurrency <= 0 {
		concurrency = idleWires
	}
	var http1, http2 http.Protocols
	http1.SetHTTP1(true)
	http2.SetUnencryptedHTTP2(true)
	return wires{
		http1: newWire(&http1, concurrency),
		http2: newWire(&http2, concurrency),
		h1:    newH1Pool(concurrency),
		h2:    &h2Lines{},
	}
}

// newWire speaks one protocol only, never through the host's own proxy settings.
func newWire(protocols *http.Protocols, idle int) *http.Transport {
	return &http.Transport{
		Protocols:             protocols,
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   idle,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// speak returns what carries a client's protocol: there is no fallback either way.
func (w wires) speak(major int) http.RoundTripper {
	if major >= 2 {
		return w.http2
	}
	return w.http1
}

func (w wires) close() {
	w.http1.CloseIdleConnections()
	w.http2.CloseIdleConnections()
	w.h1.close()
	w.h2.close()
}

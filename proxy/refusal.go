package proxy

import (
	"fmt"
	"net/http"
)

// refusal is an answer that the port gives itself.
type refusal struct {
	status  int // as it is told
	sent    int // as it is sent, where that is another
	body    string
	nosniff bool   // as net/http's own errors have it
	why     string // for the event

	networkHash string // of a probe, which it gets back

	models         bool   // it passes for the container's
	grpc, grpcText string // status and message of gRPC; empty where it is no gRPC
}

// statusGone is how an access log says that the client left before the answer.
const statusGone = 499

// The exact bodies, ends of line and headers are queue-proxy's and the activator's.

func refuseTimeout() *refusal {
	return &refusal{status: http.StatusGatewayTimeout, body: "request timeout", why: "request timeout"}
}

func refuseHeldTimeout() *refusal {
	return &refusal{status: http.StatusGatewayTimeout, body: "activator request timeout", why: "activator request timeout"}
}

func refuseQueueFull() *refusal {
	return plain(http.StatusServiceUnavailable, "pending request queue full")
}

func refuseBadGateway(err error) *refusal {
	return plain(http.StatusBadGateway, err.Error())
}

// These have no counterpart in production, where a model that fails keeps its
// clients waiting.

func refuseFailed(id, why string) *refusal {
	return plain(http.StatusServiceUnavailable, fmt.Sprintf("model %s does not serve: %s", id, why))
}

func refuseStopping() *refusal {
	return plain(http.StatusServiceUnavailable, "merlin-local is stopping")
}

// refuseGone is for a client that left while the container had its request. One
// that has closed its sending side only can still read it.
func refuseGone(why error) *refusal {
	return &refusal{status: statusGone, sent: http.StatusBadGateway, body: "context canceled\n", nosniff: true, why: why.Error()}
}

// refuseWaiterGone is for a client that left before the container had its request.
func refuseWaiterGone(why error) *refusal {
	return &refusal{status: statusGone, sent: http.StatusInternalServerError, why: why.Error()}
}

// wire is the status that the client gets.
func (r *refusal) wire() int {
	if r.sent != 0 {
		return r.sent
	}
	return r.status
}

func plain(status int, text string) *refusal {
	return &refusal{status: status, body: text + "\n", nosniff: true, why: text}
}

// header yields what the answer has besides Date and Content-Length.
func (r *refusal) header(yield func(name, value string) bool) {
	if r.grpc != "" {
		_ = yield("Content-Type", "application/grpc") && yield("Grpc-Status", r.grpc) && yield("Grpc-Message", r.grpcText)
		return
	}
	_ = (r.body == "" || yield("Content-Type", "text/plain; charset=utf-8")) &&
		(!r.nosniff || yield("X-Content-Type-Options", "nosniff")) &&
		(r.networkHash == "" || yield("K-Network-Hash", r.networkHash))
}

// write answers; what a replica had put into the header is gone then.
func (r *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	clear(h)
	for name, value := range r.header {
		h.Set(name, value)
	}
	w.WriteHeader(r.wire())
	_, _ = w.Write([]byte(r.body)) // a client that left reads nothing
}

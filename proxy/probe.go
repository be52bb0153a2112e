package proxy

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// header gives a request header's first value by its canonical name; empty where
// there is none.
type header interface{ Get(name string) string }

// Ready asks a replica whether it is ready. ctx bounds it.
type Ready func(ctx context.Context, model string, replica netip.AddrPort) bool

// Knative's probe of a container that gives none itself: it asks again and again,
// for so long, until the container is ready.
const (
	readyEvery = 50 * time.Millisecond
	readyOnce  = 100 * time.Millisecond
	readyAtAll = 10 * time.Second
)

// probe answers what the platform asks queue-proxy itself, on any path; nil where
// the request is for the container. Probes wait in no queue, know no timeout, and
// are neither counted nor told.
func (x *exchange) probe(ctx context.Context, h header) *refusal {
	network, kubelet := h.Get("K-Network-Probe"), h.Get("K-Kubelet-Probe")
	x.unqueued = kubelet != ""
	x.uncounted = x.unqueued || network != ""
	health := isHealthCheck(h.Get("User-Agent"))
	if !health && network != "probe" {
		return nil
	}
	x.untold, x.uncounted = true, true
	switch {
	case x.server.isStopping():
		return plain(http.StatusServiceUnavailable, "shutting down")
	case health:
		return x.health(ctx, network)
	default:
		return echoHash(h.Get("K-Network-Hash"))
	}
}

// isHealthCheck tells kubelet, activator and autoscaler by their User-Agent.
func isHealthCheck(agent string) bool {
	for _, prefix := range [...]string{"kube-probe/", "Knative-Activator-Probe", "Knative-Autoscaling-Probe"} {
		if strings.HasPrefix(agent, prefix) {
			return true
		}
	}
	return false
}

func (x *exchange) health(ctx context.Context, network string) *refusal {
	switch {
	case network != "queue":
		return plain(http.StatusBadRequest, "unexpected probe header value: "+network)
	case x.model.ready.shared(ctx, func() bool { return x.model.poll(ctx, x.server.ready) }):
		return &refusal{status: http.StatusOK, body: "queue"}
	default:
		return &refusal{status: http.StatusServiceUnavailable}
	}
}

// echoHash answers whoever wants to know that its route has come to be.
func echoHash(hash string) *refusal {
	if hash == "" {
		return plain(http.StatusBadRequest, `a probe request must contain a non-empty "K-Network-Hash" header`)
	}
	return &refusal{status: http.StatusOK, networkHash: hash}
}

// poll asks a routed replica until it is ready, whether or not the first who
// wanted to know still does.
func (m *model) poll(ctx context.Context, ready Ready) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyAtAll)
	defer cancel()
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	for {
		if m.ask(ctx, ready) {
			return true
		}
		select {
		case <-tick.C:
		case <-m.stopping:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (m *model) ask(ctx context.Context, ready Ready) bool {
	m.mu.Lock()
	var replica *replica
	if len(m.routed) > 0 {
		replica = m.routed[0]
	}
	m.mu.Unlock()
	if replica == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, readyOnce)
	defer cancel()
	return ready(ctx, m.ID, replica.address)
}

// connects is the probe of a model that gives none.
func connects(ctx context.Context, _ string, replica netip.AddrPort) bool {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", replica.String())
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// question is asked by one at a time; who comes meanwhile gets the same answer.
type question struct {
	mu    sync.Mutex
	asked *asked // nil where nobody asks
}

type asked struct {
	done chan struct{}
	yes  bool
}

// shared returns what ask returns to it or to whoever asks already, and false
// where ctx ends before.
func (q *question) shared(ctx context.Context, ask func() bool) bool {
	q.mu.Lock()
	current := q.asked
	if current == nil {
		q.asked = &asked{done: make(chan struct{})}
		current = q.asked
		q.mu.Unlock()
		defer q.answered(current)
		current.yes = ask()
		return current.yes
	}
	q.mu.Unlock()
	select {
	case <-current.done:
		return current.yes
	case <-ctx.Done():
		return false
	}
}

func (q *question) answered(current *asked) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked = nil
	close(current.done)
}

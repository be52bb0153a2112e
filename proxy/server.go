// Package proxy is the one port of a session: what stands before a custom model
// in production, played on one listener.
//
// It tells HTTP/1.x from HTTP/2, finds the model by host as Merlin's routes do,
// lets requests wait while the model is not ready as Knative's activator does,
// and admits, times out and forwards them as queue-proxy does. HTTP/1.x reaches
// the container as HTTP/1.1 and HTTP/2 as h2c, with no fallback either way.
//
// By default that is queue-proxy and Merlin's routes: Host as sent, one hop in
// X-Forwarded-For, no K-Proxy-Request. With Model.Deployed it is the whole chain of
// a cluster with few ready replicas: Host is the predictor's cluster-local name, the
// version endpoint's predict path overwrites a Content-Type with application/json,
// the activator adds its hop, K-Proxy-Request and its own timeout text, counts the
// places on all replicas (concurrency times replicas, 10,000 more wait), and picks:
// without a limit the less busy of two at random, up to 3 a replica the first with a
// free place, above that in turn. Its answers to probes are not played, nor is
// Envoy: path normalisation (/../ and \), 60 KiB of headers, x-request-id,
// x-envoy-*, server: istio-envoy, X-Forwarded-Proto and its own hop, its own answer
// to Expect, retries of a 503, and HTTP/2 to UPI containers whatever the client speaks.
//
// Known differences from Knative 1.13 and 1.15, where those are mistakes: every 1xx
// passes and leaves the status after it alone; an answer that has begun ends also
// where a response-start timeout passes meanwhile.
// Known differences that come with the engines: over HTTP/2, request trailers that were
// not declared pass, Expect is answered once the request is admitted, a flood of
// resets ends the connection, a 431 is text/plain instead of text/html, and a request
// without a body that its container refuses before it begins (REFUSED_STREAM, or GOAWAY)
// is 502 instead of tried again; over HTTP/1.1, that a client left is noticed after at most
// some 20 ms.
//
// What may happen to a request is decided in one place (exchange, model, queue,
// clock); an engine only carries bytes. There is one for HTTP/1.1 (h1), which lends what is
// odd to the general one (net/http), a request at a time or for good; one for HTTP/2 (h2),
// a relay of frames that understands all that its clients may send, so that it never
// needs the general one; and h2c by Upgrade is the general one's. All methods of Server are safe for
// concurrent use. A request that has picked a replica finishes there, whatever is
// routed meanwhile. Nothing is published while a lock is held.
package proxy

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// DefaultTimeout is Knative's revision timeout where none is given.
const DefaultTimeout = 300 * time.Second

// DefaultDrainTimeout is how long running requests may take after a stop.
const DefaultDrainTimeout = 10 * time.Second

// Options say what is behind the port.
type Options struct {
	Models []Model
	// Domains stand after "{endpoint}.{project}." in hosts, besides "localhost".
	Domains []string
	// DrainTimeout bounds how long running requests may take after Serve's
	// context has ended; then they are cut. 0 is DefaultDrainTimeout.
	DrainTimeout time.Duration
	// Ready answers the platform's readiness probes that come through the port; nil
	// is a TCP connect, as Knative has it where a model gives no probe.
	Ready Ready
	// Wanted is called for every request that finds no replica of its model, before it
	// is held, and Waited once such a request has ended. They must not block; nil is
	// nobody.
	Wanted func(model string)
	Waited func(model string, w Wait)
	// AccessLog gets a line for every request that a queue-proxy would log, in the
	// form of Knative's default template; nil is none. Every line is one Write, and
	// several come at once.
	AccessLog io.Writer
	// Kill is called when a fault is to kill the replica under a request, before that is
	// sent; it may take until ctx ends, and strike is called once the replica has the
	// request, or will never have it: strike must not block. nil kills nothing.
	Kill func(ctx context.Context, model string, replica netip.AddrPort) (strike func())
	// Draw gives numbers from 0 up to 1 that decide which requests a fault hits; it is
	// called from several goroutines. nil is chance.
	Draw func() float64
	// Capture keeps every exchange that is told, with headers and bodies; nil is nobody.
	Capture Capture
	// Publisher takes an event.Served for every request, and an event.Traffic for
	// every model a second while anything changes; nil is nobody.
	Publisher event.Publisher

	// general has the engine that understands everything carry all requests.
	general bool
}

// Model is one model version, as routing and admission see it.
type Model struct {
	ID                     string // as in Route, Hold, Fail and Drain
	Project, Name, Version string
	FullName               string // "{name}-{version}[-r{revision}]"
	// UPI models are routed by host alone; no path is rewritten.
	UPI bool
	// Timeout is Knative's revision timeout; 0 is DefaultTimeout.
	Timeout time.Duration
	// ResponseStartTimeout is how long an answer may take to begin, and IdleTimeout
	// how long nothing may be written to the client; 0 is no limit.
	ResponseStartTimeout, IdleTimeout time.Duration
	// ContainerConcurrency is how many requests a replica runs at a time, with ten
	// times as many waiting; 0 is no limit.
	ContainerConcurrency int
	// Deployed plays the whole chain before the container; see the package's
	// comment.
	Deployed bool
	// Weight is this version's share of the model endpoint's traffic. Where all
	// versions of a model have 0, they share equally.
	Weight int
}

// Wait is a request that was held, from its arrival to its end, as its event.Served
// tells it.
type Wait struct {
	Arrived, Ended time.Time
	Answered       bool // by a replica
}

// Server is the port. New makes it, Serve runs it.
type Server struct {
	models       map[string]*model
	all          []*model // in the order given
	hosts        directory
	drainTimeout time.Duration
	publisher    event.Publisher
	reporter     *reporter
	accessLog    io.Writer
	capture      Capture
	ready        Ready
	waited       func(model string, w Wait)
	kill         func(ctx context.Context, model string, replica netip.AddrPort) (strike func())
	draw         func() float64
	told         atomic.Uint64 // requests, as event.Served numbers them
	stopping     chan struct{} // closed when Serve's context has ended
	stop         func()
	general      bool
}

// New returns a port whose models are all held until they are routed.
func New(o Options) *Server {
	s := &Server{
		models:       make(map[string]*model, len(o.Models)),
		drainTimeout: o.DrainTimeout,
		publisher:    o.Publisher,
		accessLog:    o.AccessLog,
		capture:      o.Capture,
		ready:        o.Ready,
		waited:       o.Waited,
		kill:         o.Kill,
		draw:         o.Draw,
		stopping:     make(chan struct{}),
		general:      o.general,
	}
	s.stop = sync.OnceFunc(func() { close(s.stopping) })
	if s.drainTimeout == 0 {
		s.drainTimeout = DefaultDrainTimeout
	}
	if s.publisher == nil {
		s.publisher = nobody{}
	}
	if s.ready == nil {
		s.ready = connects
	}
	if s.waited == nil {
		s.waited = func(string, Wait) {}
	}
	if s.kill == nil {
		s.kill = spareAll
	}
	if s.draw == nil {
		s.draw = rand.Float64
	}
	for _, m := range o.Models {
		held := newModel(m, s.stopping)
		if o.Wanted != nil {
			held.wanted = o.Wanted
		}
		s.models[m.ID] = held
		s.all = append(s.all, held)
	}
	s.hosts = newDirectory(s.all, o.Domains)
	s.reporter = newReporter(s.all, s.publisher)
	return s
}

// Route sends the model's requests to these replicas, and frees those held.
// Replicas that are not among them get no further request. No replicas at all is
// Hold. An unknown model is ignored here, in Hold and in Fail.
func (s *Server) Route(model string, revision int, replicas []netip.AddrPort) {
	if m := s.models[model]; m != nil {
		m.route(revision, replicas)
	}
}

// Hold keeps the model's requests waiting for the next Route, as they do from the
// start, at most for the model's timeout.
func (s *Server) Hold(model string) { s.Route(model, 0, nil) }

// Fail answers the model's requests, those held too, with 503 and why, until the
// next Route or Hold.
func (s *Server) Fail(model, why string) {
	if m := s.models[model]; m != nil {
		m.fail(why)
	}
}

// Drain waits until no request runs, or waits for its turn, on a replica of the
// model that is not routed: after a Route the replicas that it replaced, after
// Hold or Fail all of them. Once Serve's context has ended it waits for the routed
// ones too. Held requests are on no replica. Where addresses are given, only requests
// there count. It returns the context's error, with how many requests still run, where
// ctx ends first.
func (s *Server) Drain(ctx context.Context, model string, replicas ...netip.AddrPort) error {
	m := s.models[model]
	if m == nil {
		return nil
	}
	if busy, err := m.drain(ctx, replicas...); err != nil {
		return fmt.Errorf("drain %s: %d requests still run: %w", model, busy, err)
	}
	return nil
}

// Serve answers on ln until ctx ends or ln fails, and closes ln. When ctx ends it
// refuses new connections, answers held requests with 503, ends idle connections
// and lets running requests finish for at most Options.DrainTimeout; then it cuts
// what is left, says so with an event.Notice, and returns nil. Nothing that it
// started is left. Serve is called once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	base, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	reporting, quiet := context.WithCancel(base)
	defer quiet()
	d := newDoor(ln)
	p := d.part()
	http1, http2 := s.engines(base)

	var accepting, telling sync.WaitGroup
	telling.Go(func() { s.reporter.run(reporting) })
	failed := make(chan error, 1)
	accepting.Go(func() { http1.accept(p.http1) })
	accepting.Go(func() { http2.accept(p.http2) })
	accepting.Go(func() { failed <- p.mux.Serve() })

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("accept on %s: %w", ln.Addr(), err)
	}
	s.stop()
	d.shut()
	accepting.Wait()
	s.leave(context.WithoutCancel(ctx), cut, d, http1, http2)
	quiet()
	telling.Wait()
	return err
}

// engines returns what carries HTTP/1.x and HTTP/2; what they run ends with ctx.
func (s *Server) engines(ctx context.Context) (http1, http2 engine) {
	if s.general {
		return newHTTP1(ctx, s), newHTTP2(ctx, s)
	}
	return newH1(ctx, s), newH2(ctx, s)
}

func (s *Server) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

type nobody struct{}

func (nobody) Publish(string, int, event.Fact) {}

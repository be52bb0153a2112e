package proxy

import (
	"context"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// general is the engine that understands everything: net/http on both sides. There
// is one for HTTP/1.x and one for HTTP/2.
type general struct {
	port    *Server
	server  *http.Server
	buffers *buffers

	mu      sync.Mutex
	running int
	ended   sync.Cond // running became 0
}

// headerTimeout is how long a request's header may take, as with queue-proxy.
const headerTimeout = time.Minute

func newHTTP1(ctx context.Context, port *Server) *general {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	g := newGeneral(ctx, port, &protocols)
	g.server.Handler = newUpgrade(g.server, g)
	return g
}

func newHTTP2(ctx context.Context, port *Server) *general {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return newGeneral(ctx, port, &protocols)
}

// newGeneral returns an engine whose requests end when ctx does.
func newGeneral(ctx context.Context, port *Server, protocols *http.Protocols) *general {
	g := &general{port: port, buffers: newBuffers()}
	g.ended.L = &g.mu
	g.server = &http.Server{
		Handler:           g,
		Protocols:         protocols,
		ReadHeaderTimeout: headerTimeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(complaints{port.publisher}, "", 0),
	}
	return g
}

func (g *general) accept(ln net.Listener) {
	_ = g.server.Serve(ln) // ends with ln, of which the parting tells why
}

func (g *general) drain(ctx context.Context) {
	_ = g.server.Shutdown(ctx) // the door knows who is left
}

func (g *general) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.running > 0 {
		g.ended.Wait()
	}
}

func (g *general) count(change int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running += change; g.running == 0 {
		g.ended.Broadcast()
	}
}

// ServeHTTP takes one request through its exchange.
func (g *general) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.count(1)
	defer g.count(-1)
	x := g.port.arrive(r.Method, r.Host, r.URL.EscapedPath(), r.Proto)
	defer x.leave()
	if g.port.logs() {
		x.logged = logEntry(r)
	}
	if x.recording != nil {
		x.query = query(r)
		x.record(event.RequestHeader, appendLines(h1Append(nil, "Host", r.Host), r.Header))
	}
	a := &answer{ResponseWriter: w, x: x}
	if refused := g.carry(a, r, x); refused != nil {
		x.refused(refused)
		refused.write(w)
		return
	}
	x.fact.GRPCStatus = a.grpcStatus()
}

func logEntry(r *http.Request) *logged {
	return &logged{
		query: query(r), length: r.ContentLength, agent: r.UserAgent(), referer: r.Referer(),
		remote: r.RemoteAddr, trace: r.Header["X-B3-Traceid"],
	}
}

// query is a request's query with its question mark.
func query(r *http.Request) string {
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return "?" + r.URL.RawQuery
	}
	return ""
}

// carry forwards the request and its answer, or says what is to be answered.
func (g *general) carry(a *answer, r *http.Request, x *exchange) *refusal {
	if refused := x.find(); refused != nil {
		return refused
	}
	if answered := x.probe(r.Context(), r.Header); answered != nil {
		return answered
	}
	ctx, cancel := x.clock.start(r.Context(), x.model.timeouts)
	defer cancel()
	body := newReadAhead(r)
	defer body.end()
	if refused := x.admit(ctx, body.begin); refused != nil {
		return refused
	}
	defer x.release()
	r = r.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { x.sent() }}))
	r.Body = &upload{ReadCloser: body, x: x, trailer: r.Trailer, over: ctx.Done()}
	return g.forward(a, r, x)
}

// complaints takes what net/http would write to standard error: its own bugs and
// ours, which nobody would see beneath a screen.
type complaints struct{ publisher event.Publisher }

func (c complaints) Write(line []byte) (int, error) {
	text := "port: " + strings.TrimSpace(string(line))
	c.publisher.Publish("", 0, event.Notice{Level: event.NoticeWarning, Text: text})
	return len(line), nil
}

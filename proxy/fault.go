package proxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Faults are what the port does to a model's requests because somebody asked for it. A
// share is of the model's requests, from 0, which is off, to 1, which is all. A request
// may be hit by several: it is late first, then its container is killed, or its
// connection is broken, or it is answered with an error.
type Faults struct {
	// Latency is added by the container's side, before the request reaches it: drawn
	// evenly between From and To.
	Latency struct {
		From, To time.Duration
		Share    float64
	}
	// Errors are answers with Status, 500 to 599, as if the container gave them. A UPI
	// model's are the gRPC status that this maps to.
	Errors struct {
		Status int
		Share  float64
	}
	// Drop breaks the connection to the container before its answer, DropBody amid the
	// answer's body. An answer without a body is not broken.
	Drop, DropBody float64
	// Kill has Options.Kill kill the container while it has the request. Once is for the
	// next request alone.
	Kill struct {
		Share float64
		Once  bool
	}
}

// faults are Faults in force.
type faults struct {
	Faults
	draw func() float64
	kill func(ctx context.Context, model string, replica netip.AddrPort) (strike func())
	used atomic.Bool // the kill that comes once
}

// Fault does that to the model's requests from now on; the zero Faults ends it. Those that
// are past their admission are not touched. An unknown model is ignored.
func (s *Server) Fault(model string, f Faults) {
	m := s.models[model]
	switch {
	case m == nil:
	case f == Faults{}:
		m.faults.Store(nil)
	default:
		next := &faults{Faults: f, draw: s.draw, kill: s.kill}
		if last := m.faults.Load(); last != nil && last.Kill.Once {
			next.used.Store(last.used.Load()) // another fault changes before the kill is known to be over
		}
		m.faults.Store(next)
	}
}

// hits draws whether a request is among the share.
func (f *faults) hits(share float64) bool {
	return share > 0 && (share >= 1 || f.draw() < share)
}

// doomed tells whether the container is killed under this request.
func (f *faults) doomed() bool {
	if f.Kill.Once {
		return f.used.CompareAndSwap(false, true)
	}
	return f.hits(f.Kill.Share)
}

// suffer does to an admitted request what is asked for. It returns what the port
// answers where the request is not forwarded. The platform's own probes are spared.
func (x *exchange) suffer(ctx context.Context, waits func()) *refusal {
	f := x.model.faults.Load()
	if f == nil || x.unqueued {
		return nil
	}
	if x.started.IsZero() {
		x.started = time.Now()
	}
	if l := f.Latency; f.hits(l.Share) {
		if refused := x.late(ctx, waits, between(l.From, l.To, f.draw)); refused != nil {
			return refused
		}
	}
	switch {
	case f.doomed():
		waits()
		x.struck("kill")
		x.strike = f.kill(ctx, x.model.ID, x.replica.address)
	case f.hits(f.Drop):
		x.struck("drop")
		return refuseBadGateway(x.lost())
	case f.hits(f.Errors.Share):
		x.struck("errors " + strconv.Itoa(f.Errors.Status))
		x.sent()
		x.heard()
		return x.refuseAsModel(f.Errors.Status)
	case f.hits(f.DropBody):
		x.breaks = true
	}
	return nil
}

// between draws a time of the range.
func between(from, to time.Duration, draw func() float64) time.Duration {
	if to <= from {
		return from
	}
	return from + time.Duration(draw()*float64(to-from))
}

// late waits as a slow container would have it, at most until the clock strikes or the
// client leaves.
func (x *exchange) late(ctx context.Context, waits func(), by time.Duration) *refusal {
	waits()
	x.struck("latency " + by.Round(time.Millisecond).String())
	timer := time.NewTimer(by)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return x.ended(ctx)
	}
}

// struck notes a fault that the request was hit by.
func (x *exchange) struck(what string) {
	if x.fact.Fault != "" {
		what = x.fact.Fault + ", " + what
	}
	x.fact.Fault = what
}

// lost is the error of a container that ended the connection before it answered.
func (x *exchange) lost() error {
	if x.fact.Proto == "HTTP/2.0" {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// breakBody is asked with the first piece of an answer's body that is about to be passed
// on: where the body is to break, it gives the part that still passes, and the error of
// a container that ended the connection there.
func (x *exchange) breakBody(piece []byte) ([]byte, error) {
	if !x.breaks || len(piece) == 0 {
		return piece, nil
	}
	x.breaks = false
	x.struck("drop body")
	return piece[:len(piece)/2], io.ErrUnexpectedEOF
}

// strikeNow lets the container be killed that has the request now.
func (x *exchange) strikeNow() {
	if strike := x.strike; strike != nil {
		x.strike = nil
		strike()
	}
}

// refuseAsModel is an answer as if the container had given it.
func (x *exchange) refuseAsModel(status int) *refusal {
	text := fmt.Sprintf("fault: %d as if from the model", status)
	if !x.model.UPI || x.fact.Proto != "HTTP/2.0" {
		r := plain(status, text)
		r.models, r.why = true, ""
		return r
	}
	code := grpcOf(status)
	x.fact.GRPCStatus = &code
	return &refusal{status: http.StatusOK, models: true, grpc: strconv.Itoa(code), grpcText: strings.ReplaceAll(text, "%", "%25")}
}

// grpcOf is the status of gRPC that says what an HTTP status says.
func grpcOf(status int) int {
	const internal, unimplemented, unavailable, deadlineExceeded = 13, 12, 14, 4
	switch status {
	case http.StatusNotImplemented:
		return unimplemented
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return unavailable
	case http.StatusGatewayTimeout:
		return deadlineExceeded
	default:
		return internal
	}
}

// spareAll is the kill of who has nothing to kill.
func spareAll(context.Context, string, netip.AddrPort) func() { return func() {} }

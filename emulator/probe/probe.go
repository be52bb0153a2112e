// Package probe asks a model whether it is ready, once, over HTTP, gRPC or TCP. A
// Prober keeps no connection between attempts, as the kubelet does not, and is safe
// for concurrent use.
package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"
)

// Result is the outcome of one attempt.
type Result struct {
	Kind    string // "http", "grpc" or "tcp"
	Target  string
	OK      bool
	Status  int    // HTTP's
	Outcome string // for people: "200 OK", "connection refused"
	Body    string // its first bytes, where the outcome is bad
}

// Prober makes attempts that take at most Timeout each.
type Prober struct{ Timeout time.Duration }

// bodyBytes is how much of a bad answer is kept: enough for a sentence.
const bodyBytes = 256

// HTTP asks for a path and wants a 200, as the contract of a custom model says; the
// kubelet itself would take every status from 200 to 399.
func (p Prober) HTTP(ctx context.Context, address netip.AddrPort, path string) Result {
	r := Result{Kind: "http", Target: "GET " + path}
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address.String()+path, nil)
	if err != nil {
		r.Outcome = err.Error()
		return r
	}
	request.Header.Set("User-Agent", "kube-probe/merlin-local")
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: dialQuietly}
	response, err := transport.RoundTrip(request)
	if err != nil {
		r.Outcome = plain(ctx, err, p.Timeout)
		return r
	}
	defer response.Body.Close()
	r.Status, r.Outcome, r.OK = response.StatusCode, response.Status, response.StatusCode == http.StatusOK
	if !r.OK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, bodyBytes))
		r.Body = strings.TrimSpace(strings.ToValidUTF8(string(body), "\uFFFD"))
	}
	return r
}

// TCP wants the port to take a connection: Knative's default.
func (p Prober) TCP(ctx context.Context, address netip.AddrPort) Result {
	r := Result{Kind: "tcp", Target: "TCP connect"}
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address.String())
	if err != nil {
		r.Outcome = plain(ctx, err, p.Timeout)
		return r
	}
	_ = conn.Close()
	r.OK, r.Outcome = true, "connected"
	return r
}

// plain says what went wrong without the addresses, which are ours and change.
func plain(ctx context.Context, err error, timeout time.Duration) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, io.EOF):
		return "connection closed without an answer"
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded): // the dialer's may strike first
		return "no answer within " + timeout.String()
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Err.Error()
	}
	return err.Error()
}

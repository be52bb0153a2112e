// Package scrape reads what a model tells of itself in Prometheus' forms: it asks a
// replica's /metrics once, as production's Prometheus does, and turns what any program
// exposes or pushes into plain data, and back. Everything is bounded: what is too much is
// left out, and said.
//
// A Scraper keeps nothing between attempts, no connection either, and is safe for
// concurrent use.
package scrape

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Path is where a model serves its metrics: on its one port, over HTTP/1.1, whatever its
// protocol. The guide to custom models says so, also for UPI_V1, whose gRPC server shares
// that port.
const Path = "/metrics"

// Scraper makes attempts that take at most Timeout each.
type Scraper struct{ Timeout time.Duration }

// accept prefers the text form; it takes OpenMetrics from who has nothing else.
const accept = "text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1"

// mostHops bounds redirects, as from /metrics to /metrics/.
const mostHops = 3

// Scrape asks a replica once. What went wrong is in the sample's Error.
func (s Scraper) Scrape(ctx context.Context, address netip.AddrPort) event.Scraped {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	sample := event.Scraped{Source: event.MetricsScraped, At: time.Now().UTC()}
	page, header, err := get(ctx, address)
	sample.Took = time.Since(sample.At)
	sample.Bytes = int64(len(page))
	if err != nil {
		sample.Error = "GET " + Path + ": " + s.plain(ctx, err)
		return sample
	}
	parsed, err := Parse(page, header)
	if err != nil {
		sample.Error = "GET " + Path + ": " + err.Error()
		return sample
	}
	sample.Families, sample.Series, sample.Cut = parsed.Families, parsed.Series, parsed.Cut
	return sample
}

// get fetches the page, or the first MostBytes of it and one more. It speaks for itself
// instead of having net/http's client do it, which would log what a gRPC server says
// before it is asked.
func get(ctx context.Context, address netip.AddrPort) ([]byte, http.Header, error) {
	where := &url.URL{Scheme: "http", Host: address.String(), Path: Path}
	for range mostHops {
		page, response, err := ask(ctx, where)
		if err != nil {
			return nil, nil, err
		}
		if next := redirect(where, response); next != nil {
			where = next
			continue
		}
		if response.StatusCode != http.StatusOK {
			return nil, nil, statusError(response.Status)
		}
		return page, response.Header, nil
	}
	return nil, nil, fmt.Errorf("it redirects more than %d times", mostHops)
}

// redirect is where an answer sends the client on the same port; nil where it does not.
func redirect(from *url.URL, response *http.Response) *url.URL {
	if response.StatusCode < 300 || response.StatusCode > 399 {
		return nil
	}
	to, err := from.Parse(response.Header.Get("Location"))
	if err != nil || response.Header.Get("Location") == "" || to.Host != from.Host || to.Scheme != from.Scheme {
		return nil
	}
	return to
}

func ask(ctx context.Context, where *url.URL) ([]byte, *http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("User-Agent", "Prometheus/merlin-local")
	request.Close = true
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", where.Host)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := request.Write(conn); err != nil {
		return nil, nil, err
	}
	response, err := http.ReadResponse(bufio.NewReader(&head{conn, mostHeader}), request)
	if err != nil {
		return nil, nil, noAnswer(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(io.LimitReader(response.Body, MostBytes+1))
	if err != nil {
		return nil, nil, err
	}
	return page, response, nil
}

// mostHeader bounds all that is read: the page, and an answer's header before it.
const mostHeader = MostBytes + 1<<20

// head ends a connection after so many bytes: a header has no bound of its own.
type head struct {
	net.Conn
	left int64
}

func (h *head) Read(p []byte) (int, error) {
	if h.left <= 0 {
		return 0, io.EOF
	}
	n, err := h.Conn.Read(p[:min(int64(len(p)), h.left)])
	h.left -= int64(n)
	return n, err
}

// noAnswerError is an answer that is no HTTP.
type noAnswerError struct{ error }

func (e noAnswerError) Unwrap() error { return e.error }

func noAnswer(err error) error {
	var operation *net.OpError
	if errors.As(err, &operation) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return noAnswerError{err}
}

// statusError is an answer other than 200.
type statusError string

func (e statusError) Error() string { return string(e) }

// plain says what went wrong without the addresses, and what to do where that is plain.
func (s Scraper) plain(ctx context.Context, err error) string {
	var status statusError
	var odd noAnswerError
	switch {
	case errors.As(err, &status) && (strings.HasPrefix(string(status), "404") || strings.HasPrefix(string(status), "405") || strings.HasPrefix(string(status), "501")):
		return string(status) + ": serve Prometheus metrics there, or have the model push them (metrics.push)"
	case errors.As(err, &status):
		return string(status)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer within " + s.Timeout.String()
	case errors.As(err, &odd), errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF):
		return "the port does not speak HTTP/1.1: a UPI_V1 model serves " + Path + " on the same port as gRPC (with cmux in Go), or pushes its metrics (metrics.push)"
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Err.Error()
	}
	return err.Error()
}

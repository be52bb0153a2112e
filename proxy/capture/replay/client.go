package replay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// idleConnection is how long a connection is kept for the next request: less than servers
// keep theirs, so that a request does not meet one that is being closed.
const idleConnection = 2 * time.Second

// Client sends captured requests to one server over connections that it keeps.
type Client struct {
	base         *url.URL
	http1, http2 *http.Transport
}

// NewClient makes a client for the server at base, http or https, whose path goes in
// front of those of the requests. It keeps as many idle connections as that.
func NewClient(base *url.URL, idle int) *Client {
	c := &Client{base: base, http1: transport(idle), http2: transport(idle)}
	c.http1.Protocols.SetHTTP1(true)
	if base.Scheme == "https" {
		c.http2.Protocols.SetHTTP2(true)
	} else {
		c.http2.Protocols.SetUnencryptedHTTP2(true)
	}
	return c
}

func transport(idle int) *http.Transport {
	return &http.Transport{
		Protocols:          new(http.Protocols),
		DisableCompression: true, // the client of then asked for what it asked for
		MaxIdleConns:       idle, MaxIdleConnsPerHost: idle,
		DisableKeepAlives: idle == 0,
		IdleConnTimeout:   idleConnection,
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// Close closes the connections that are idle; those in use close with their request.
func (c *Client) Close() {
	c.http1.CloseIdleConnections()
	c.http2.CloseIdleConnections()
}

// Send sends a request again and reads the answer to its end. What it returns has the
// request, with the ID that it had, and the new answer with its times. A redirect is an
// answer, and so is any status. It is an error where there was no whole answer: an
// Unsendable where nothing was sent; else the exchange has what there was of one, and the
// error's text as its Error.
func (c *Client) Send(ctx context.Context, x event.Exchange) (event.Exchange, error) {
	var times times
	r, err := request(httptrace.WithClientTrace(ctx, times.trace()), c.base, &x)
	if err != nil {
		return event.Exchange{}, err
	}
	is := asSent(x)
	times.begin = time.Now()
	is.Arrived = times.begin.UTC()
	err = c.exchange(r, &is)
	is.Took = time.Since(times.begin)
	is.Sent, is.FirstByte = time.Duration(times.sent.Load()), time.Duration(times.first.Load())
	if err != nil {
		is.Error = err.Error()
	}
	return is, err
}

// asSent is the exchange of which only the request is known.
func asSent(x event.Exchange) event.Exchange {
	is := event.Exchange{Query: x.Query, Model: x.Model, Request: x.Request}
	is.ID, is.Method, is.Host, is.Path, is.Proto = x.ID, x.Method, x.Host, x.Path, x.Proto
	is.BytesIn = int64(len(x.Request.Body))
	return is
}

func (c *Client) exchange(r *http.Request, is *event.Exchange) error {
	transport := c.http1
	if overHTTP2(is) {
		transport = c.http2
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return answer(response, is)
}

// times are when the parts of one request passed, since its begin. The transport may
// still tell of them when the request is over.
type times struct {
	begin       time.Time
	sent, first atomic.Int64
}

func (t *times) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { t.sent.Store(int64(time.Since(t.begin))) },
		GotFirstResponseByte: func() { t.first.Store(int64(time.Since(t.begin))) },
	}
}

// Send sends one captured request again through the port at that address, as Client.Send
// does, over a connection of its own.
func Send(ctx context.Context, address string, x event.Exchange) (event.Exchange, error) {
	if address == "" {
		return event.Exchange{}, fmt.Errorf("send %s: %w", named(&x), errors.New("the session has no address yet"))
	}
	c := NewClient(&url.URL{Scheme: "http", Host: address}, 0)
	defer c.Close()
	is, err := c.Send(ctx, x)
	if err != nil {
		return is, fmt.Errorf("send %s: %w", named(&x), err)
	}
	return is, nil
}

// named tells a captured request by its number; one that was never captured has none.
func named(x *event.Exchange) string {
	if x.ID == 0 {
		return "the request"
	}
	return fmt.Sprintf("request %d again", x.ID)
}

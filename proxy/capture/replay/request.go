package replay

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture"
)

// hopHeaders belong to a connection, or to a body as it was framed: the new request has
// its own.
var hopHeaders = []string{"host", "content-length", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "trailer", "upgrade", "http2-settings"}

// Unsendable says why a captured request cannot be sent again.
type Unsendable struct {
	Kind string // one of a few
	Text string // the kind with what there is to say of this request
}

func (u Unsendable) Error() string { return u.Text }

// Sendable returns an Unsendable where what was captured of a request is not enough to
// send it.
func Sendable(x *event.Exchange) error {
	switch {
	case int64(len(x.Request.Body)) < x.Request.Size || x.Request.Size < 0:
		return Unsendable{"cut body", "its body cannot be had: " + x.Request.Cut}
	case x.Method == http.MethodConnect || x.Status == http.StatusSwitchingProtocols:
		return Unsendable{"upgraded", "its connection became another protocol's, of which nothing is captured"}
	case strings.ContainsFunc(x.Path+x.Query, unwritable):
		return Unsendable{"no path of HTTP", "its path or query has a space or a control character, which HTTP cannot write"}
	}
	return nil
}

func unwritable(r rune) bool { return r <= ' ' || r == 0x7f }

// masked tells whether the capture hid something of a request, which therefore goes
// without it: a header, or with stars in the place of a part of its query or body.
func masked(x *event.Exchange) bool {
	hidden := func(f event.Field) bool { return f.Value == capture.Hidden }
	return x.Request.Cut != "" || strings.Contains(x.Query, capture.Hidden) ||
		slices.ContainsFunc(x.Request.Header, hidden) || slices.ContainsFunc(x.Request.Trailer, hidden)
}

// overHTTP2 tells whether a request goes over HTTP/2.
func overHTTP2(x *event.Exchange) bool {
	return strings.HasPrefix(x.Proto, "HTTP/2") || x.Proto == "" && x.Request.IsGRPC()
}

// request makes the request for the server at base, whose path goes in front.
func request(ctx context.Context, base *url.URL, x *event.Exchange) (*http.Request, error) {
	if err := Sendable(x); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, x.Method, base.Scheme+"://"+base.Host, bytes.NewReader(x.Request.Body))
	if err != nil {
		return nil, err
	}
	request.URL = address(base, x)
	request.Host = x.Host
	request.Header = headers(&x.Request)
	trailers(request, &x.Request)
	if len(x.Request.Body) == 0 {
		request.Body, request.ContentLength = http.NoBody, 0
	}
	if overHTTP2(x) || chunked(&x.Request) {
		request.ContentLength = -1 // an HTTP/2 client such as gRPC's tells no length either
		if len(x.Request.Body) == 0 && !overHTTP2(x) {
			request.Body = io.NopCloser(strings.NewReader(""))
		}
	}
	return request, nil
}

// address is where the request goes. Its path goes as it was encoded, and not as net/url
// would encode it.
func address(base *url.URL, x *event.Exchange) *url.URL {
	u := &url.URL{Scheme: base.Scheme, Host: base.Host, RawQuery: strings.TrimPrefix(x.Query, "?"), ForceQuery: x.Query == "?"}
	path := strings.TrimSuffix(base.EscapedPath(), "/") + x.Path
	if !strings.HasPrefix(path, "//") {
		u.Opaque = path
		return u
	}
	// Such a path would be taken for a host; url.URL keeps the encoding where it is one.
	if plain, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = plain, path
	} else {
		u.Path = path
	}
	return u
}

// headers are those that the client sent, but for what is the connection's or hidden.
func headers(m *event.Message) http.Header {
	all := http.Header{"User-Agent": {""}} // none, where the client sent none
	for _, f := range m.Header {
		name := http.CanonicalHeaderKey(f.Name)
		switch {
		case strings.HasPrefix(f.Name, ":") || f.Value == capture.Hidden || slices.Contains(hopHeaders, strings.ToLower(f.Name)):
		case name == "User-Agent":
			all[name] = []string{f.Value}
		default:
			all[name] = append(all[name], f.Value)
		}
	}
	return all
}

func chunked(m *event.Message) bool {
	return slices.ContainsFunc(m.Header, func(f event.Field) bool {
		return strings.EqualFold(f.Name, "transfer-encoding") && strings.Contains(strings.ToLower(f.Value), "chunked")
	})
}

// trailers puts the client's trailers behind the body again.
func trailers(request *http.Request, m *event.Message) {
	for _, f := range m.Trailer {
		if f.Value == capture.Hidden {
			continue
		}
		if request.Trailer == nil {
			request.Trailer = http.Header{}
		}
		request.Trailer.Add(f.Name, f.Value)
	}
}

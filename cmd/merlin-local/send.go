package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// hiddenValue stands where the rules of the capture hid a value.
const hiddenValue = "***"

// hopHeaders belong to a connection, or to a body as it was framed: the new request has
// its own.
var hopHeaders = []string{"host", "content-length", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "trailer", "upgrade", "http2-settings"}

// send sends a captured request again through the port at the address, over HTTP/1.1 or
// HTTP/2 without TLS as its client did, and reads the answer to its end. What the capture
// hides is left out. It is an error only where there was no answer.
func send(ctx context.Context, address string, x event.Exchange) error {
	request, err := resend(ctx, address, x)
	if err != nil {
		return fmt.Errorf("send %s: %w", named(x), err)
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true, Protocols: new(http.Protocols)}
	if x.Proto == "HTTP/2.0" {
		transport.Protocols.SetUnencryptedHTTP2(true)
	} else {
		transport.Protocols.SetHTTP1(true)
	}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request) // a redirect is an answer
	if err != nil {
		return fmt.Errorf("send %s: %w", named(x), err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("send %s: its answer was broken off: %w", named(x), err)
	}
	return nil
}

// named tells a captured request by its number, and the repo's own, which has none.
func named(x event.Exchange) string {
	if x.ID == 0 {
		return exampleName
	}
	return fmt.Sprintf("request %d again", x.ID)
}

// resend makes the request.
func resend(ctx context.Context, address string, x event.Exchange) (*http.Request, error) {
	switch {
	case int64(len(x.Request.Body)) < x.Request.Size:
		return nil, fmt.Errorf("its body cannot be had: %s", x.Request.Cut)
	case x.Method == http.MethodConnect || x.Status == http.StatusSwitchingProtocols:
		return nil, errors.New("its connection became another protocol's, of which nothing is captured")
	case address == "":
		return nil, errors.New("the session has no address yet")
	}
	request, err := http.NewRequestWithContext(ctx, x.Method, "http://"+address, bytes.NewReader(x.Request.Body))
	if err != nil {
		return nil, err
	}
	// The path goes as it was encoded, and not as net/url would encode it.
	request.URL = &url.URL{Scheme: "http", Host: address, Opaque: x.Path, RawQuery: strings.TrimPrefix(x.Query, "?"), ForceQuery: x.Query == "?"}
	request.Host = x.Host
	request.Header = http.Header{"User-Agent": {""}} // none, where the client sent none
	for _, f := range x.Request.Header {
		name := http.CanonicalHeaderKey(f.Name)
		switch {
		case strings.HasPrefix(f.Name, ":") || f.Value == hiddenValue || slices.Contains(hopHeaders, strings.ToLower(f.Name)):
		case name == "User-Agent":
			request.Header[name] = []string{f.Value}
		default:
			request.Header[name] = append(request.Header[name], f.Value)
		}
	}
	trailers(request, &x.Request)
	if len(x.Request.Body) == 0 {
		request.Body, request.ContentLength = http.NoBody, 0
	}
	if x.Proto == "HTTP/2.0" || chunked(&x.Request) {
		request.ContentLength = -1 // an HTTP/2 client such as gRPC's tells no length either
		if len(x.Request.Body) == 0 && x.Proto != "HTTP/2.0" {
			request.Body = io.NopCloser(strings.NewReader(""))
		}
	}
	return request, nil
}

func chunked(m *event.Message) bool {
	return slices.ContainsFunc(m.Header, func(f event.Field) bool {
		return strings.EqualFold(f.Name, "transfer-encoding") && strings.Contains(strings.ToLower(f.Value), "chunked")
	})
}

// trailers puts the client's trailers behind the body again.
func trailers(request *http.Request, m *event.Message) {
	for _, f := range m.Trailer {
		if f.Value == hiddenValue {
			continue
		}
		if request.Trailer == nil {
			request.Trailer = http.Header{}
		}
		request.Trailer.Add(f.Name, f.Value)
	}
}

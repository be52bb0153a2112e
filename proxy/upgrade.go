package proxy

//lint:file-ignore SA1019 net/http serves h2c by prior knowledge only; nothing else takes over an upgraded request

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"strings"

	"golang.org/x/net/http2"
)

// upgrade answers "Upgrade: h2c", as queue-proxy does: 101, then HTTP/2 whose
// first stream is the request itself. net/http speaks h2c by prior knowledge only.
type upgrade struct {
	server  *http.Server
	http2   *http2.Server
	handler http.Handler
}

// upgradeBody is the largest body that an upgrade may carry: all of it must be
// read before the 101. With a larger one the request stays HTTP/1.1, as it may.
const upgradeBody = 1 << 20

func newUpgrade(server *http.Server, handler http.Handler) http.Handler {
	u := upgrade{server: server, http2: &http2.Server{}, handler: handler}
	// So that a drain of server ends these connections too.
	if err := http2.ConfigureServer(server, u.http2); err != nil {
		return handler
	}
	return u
}

func (u upgrade) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "h2c") {
		u.handler.ServeHTTP(w, r)
		return
	}
	settings, asked := http2Settings(r)
	// Between this port and its client only: the container never sees it.
	r.Header.Del("Upgrade")
	r.Header.Del("Http2-Settings")
	if !asked || !u.serve(w, r, settings) {
		u.handler.ServeHTTP(w, r)
	}
}

// http2Settings returns the client's first settings, and whether the request asks
// for h2c and can be carried over.
func http2Settings(r *http.Request) (settings []byte, asked bool) {
	values := r.Header["Http2-Settings"]
	if len(values) != 1 || !namedByConnection(r.Header, "Upgrade") || !namedByConnection(r.Header, "HTTP2-Settings") {
		return nil, false
	}
	if r.ContentLength < 0 || r.ContentLength > upgradeBody || r.Header.Get("Expect") != "" {
		return nil, false
	}
	settings, err := base64.RawURLEncoding.DecodeString(values[0])
	return settings, err == nil
}

// serve switches the connection and serves it until it ends. It returns false
// where the request is still to be answered.
func (u upgrade) serve(w http.ResponseWriter, r *http.Request, settings []byte) bool {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return true // the client left in the middle of it
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
	if rw.Flush() != nil {
		return true
	}
	u.http2.ServeConn(takeOver(conn, rw.Reader), &http2.ServeConnOpts{
		Context:        r.Context(),
		BaseConfig:     u.server,
		Handler:        u.handler,
		UpgradeRequest: r,
		Settings:       settings,
	})
	return true
}

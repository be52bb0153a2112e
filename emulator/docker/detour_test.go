package docker_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/docker"
)

// forwarder is a TCP port that leads to the Engine, until the test ends.
func forwarder(t *testing.T, host string) string {
	t.Helper()
	u, err := url.Parse(host)
	check(t, err)
	if u.Scheme != "unix" {
		t.Skip("SKIPPED: the Engine is not behind a Unix socket: ", host)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	var open sync.WaitGroup
	open.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { splice(near, u.Path) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); open.Wait() })
	return listener.Addr().String()
}

// splice copies both ways until both have ended. An ending passes on, since a build
// session ends by half.
func splice(near net.Conn, socket string) {
	defer near.Close()
	far, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer far.Close()
	var copying sync.WaitGroup
	copying.Go(func() { _, _ = io.Copy(far, near); _ = far.(*net.UnixConn).CloseWrite() })
	copying.Go(func() { _, _ = io.Copy(near, far); _ = near.(*net.TCPConn).CloseWrite() })
	copying.Wait()
}

// refusing is the lab's session on the same Engine behind a Unix socket that answers
// some requests itself.
func refusing(t *testing.T, l *lab, answer func(r *http.Request, body string) (status int, text string)) *lab {
	t.Helper()
	engine, err := url.Parse(l.api.DaemonHost())
	check(t, err)
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", engine.Path)
	}}
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1, ErrorLog: quiet(),
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := ""
		if r.Header.Get("Content-Type") == "application/json" {
			content, _ := io.ReadAll(r.Body)
			body = string(content)
			r.Body = io.NopCloser(strings.NewReader(body))
		}
		if status, text := answer(r, body); status != 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	socket := shortDir(t) + "/docker.sock"
	server.Listener, err = net.Listen("unix", socket)
	check(t, err)
	server.Start()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); transport.CloseIdleConnections() })
	return newLab(t, at("unix://"+socket), reach(docker.ReachPublished))
}

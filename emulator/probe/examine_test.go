package probe_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/caraml-dev/merlin-local/emulator/probe"
)

// serveRaw answers each connection with what it is given.
func serveRaw(t *testing.T, answer func(net.Conn)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			answer(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return netip.MustParseAddrPort(listener.Addr().String())
}

// bytesOf answers with bytes, and reads what it was asked.
func bytesOf(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		_, _ = c.Read(make([]byte, 1<<10)) // else the close resets the connection
	}
}

func TestThePortsSpeechIsHeard(t *testing.T) {
	hello := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	both := httptest.NewUnstartedServer(hello)
	both.Config.Protocols = &http.Protocols{}
	both.Config.Protocols.SetHTTP1(true)
	both.Config.Protocols.SetUnencryptedHTTP2(true)
	both.Start()
	defer both.Close()
	secure := httptest.NewUnstartedServer(hello)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	at := func(s *httptest.Server) netip.AddrPort { return netip.MustParseAddrPort(s.Listener.Addr().String()) }
	for name, c := range map[string]struct {
		address netip.AddrPort
		want    probe.Speech
	}{
		"HTTP/1.1":   {serveHTTP(t, hello), probe.Speech{HTTP1: true}},
		"gRPC":       {serveGRPC(t, func(*grpc.Server) {}), probe.Speech{HTTP2: true}},
		"both":       {at(both), probe.Speech{HTTP1: true, HTTP2: true}},
		"TLS":        {at(secure), probe.Speech{TLS: true}},
		"an alert":   {serveRaw(t, bytesOf("\x15\x03\x01\x00\x02\x02\x46\x00\x00")), probe.Speech{TLS: true}},
		"garbage":    {serveRaw(t, bytesOf("what is it that you want?")), probe.Speech{}},
		"one letter": {serveRaw(t, bytesOf("x")), probe.Speech{}},
		"nothing":    {serveRaw(t, func(net.Conn) {}), probe.Speech{}},
		"nobody":     {closedPort(t), probe.Speech{}},
	} {
		if got := prober.Speech(t.Context(), c.address); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestASilentPortIsNotListenedToForEver(t *testing.T) {
	release := make(chan struct{})
	address := serveHTTP(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	if got := (probe.Prober{Timeout: time.Millisecond}).Speech(t.Context(), address); got.HTTP2 || got.TLS {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := prober.Speech(ctx, address); got != (probe.Speech{}) {
		t.Errorf("%+v", got)
	}
}

func TestTheStatusOfAnyPathIsTold(t *testing.T) {
	address := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	nobody := closedPort(t)
	for _, c := range []struct {
		address netip.AddrPort
		path    string
		want    int
	}{{address, "/healthz", 200}, {address, "/", 418}, {nobody, "/", 0}} {
		if got := prober.Status(t.Context(), c.address, c.path); got != c.want {
			t.Errorf("%s: status is %d, want %d", c.path, got, c.want)
		}
	}
}

package probe_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/caraml-dev/merlin-local/emulator/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var prober = probe.Prober{Timeout: 10 * time.Second}

func serveHTTP(t *testing.T, handler http.HandlerFunc) netip.AddrPort {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return netip.MustParseAddrPort(server.Listener.Addr().String())
}

func TestOnlyA200IsReady(t *testing.T) {
	for status, want := range map[int]bool{200: true, 201: false, 302: false, 404: false, 503: false} {
		address := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1/models/iris-1" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "loading "+strings.Repeat("x", 5000))
		})
		r := prober.HTTP(t.Context(), address, "/v1/models/iris-1")
		if r.OK != want || r.Status != status {
			t.Errorf("%d: %+v", status, r)
		}
		if !r.OK && (len(r.Body) > 256 || !strings.HasPrefix(r.Body, "loading")) {
			t.Errorf("%d: body is %q", status, r.Body)
		}
	}
}

func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return netip.MustParseAddrPort(listener.Addr().String())
}

func TestAClosedPortIsConnectionRefused(t *testing.T) {
	address := closedPort(t)
	results := []probe.Result{
		prober.HTTP(t.Context(), address, "/"), prober.TCP(t.Context(), address), prober.GRPC(t.Context(), address),
	}
	for _, r := range results {
		if r.OK || r.Outcome != "connection refused" {
			t.Errorf("%+v", r)
		}
	}
}

func TestASilentServerIsToldByTheTimeout(t *testing.T) {
	release := make(chan struct{})
	address := serveHTTP(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	r := probe.Prober{Timeout: time.Millisecond}.HTTP(t.Context(), address, "/")
	if r.OK || r.Outcome != "no answer within 1ms" {
		t.Errorf("%+v", r)
	}
}

func TestAnEndedContextEndsTheAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if r := prober.HTTP(ctx, address, "/"); r.OK {
		t.Errorf("%+v", r)
	}
}

func serveGRPC(t *testing.T, register func(*grpc.Server)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	register(server)
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); <-done })
	return netip.MustParseAddrPort(listener.Addr().String())
}

func TestGRPCHealthDecides(t *testing.T) {
	service := health.NewServer()
	address := serveGRPC(t, func(s *grpc.Server) { grpc_health_v1.RegisterHealthServer(s, service) })
	for status, want := range map[grpc_health_v1.HealthCheckResponse_ServingStatus]bool{
		grpc_health_v1.HealthCheckResponse_NOT_SERVING: false,
		grpc_health_v1.HealthCheckResponse_SERVING:     true,
	} {
		service.SetServingStatus("", status)
		if r := prober.GRPC(t.Context(), address); r.OK != want || r.Outcome != status.String() {
			t.Errorf("%s: %+v", status, r)
		}
	}
}

func TestAGRPCServerWithoutHealthIsReadyOnceItAnswers(t *testing.T) {
	address := serveGRPC(t, func(*grpc.Server) {})
	if r := prober.GRPC(t.Context(), address); !r.OK || r.Kind != "tcp" {
		t.Errorf("%+v", r)
	}
}

func TestAnHTTP1ServerIsNoGRPCServer(t *testing.T) {
	address := serveHTTP(t, func(http.ResponseWriter, *http.Request) {})
	if r := prober.GRPC(t.Context(), address); r.OK || r.Outcome == "" {
		t.Errorf("%+v", r)
	}
}

package replay

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// hangUp takes connections, reads a little, and says this before it hangs up.
func hangUp(t *testing.T, says string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1))
			_, _ = io.WriteString(conn, says)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-served })
	return "http://" + listener.Addr().String()
}

func TestAFailureIsCalledByItsKind(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	stop := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer silent.Close()
	defer close(stop)
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for _, row := range []struct{ name, base, proto, want string }{
		{"nobody listens", gone.URL, "HTTP/1.1", Refused},
		{"nobody listens, over HTTP/2", gone.URL, "HTTP/2.0", Refused},
		{"no answer", silent.URL, "HTTP/1.1", TimedOut},
		{"it hangs up", hangUp(t, ""), "HTTP/1.1", BrokenOff},
		{"it hangs up, over HTTP/2", hangUp(t, ""), "HTTP/2.0", BrokenOff},
		{"it hangs up in the header", hangUp(t, "HTTP/1.1 200 OK\r\nX-A: b\r\n"), "HTTP/1.1", BrokenOff},
		{"it hangs up in the body", hangUp(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), "HTTP/1.1", BrokenOff},
		{"it is no HTTP", hangUp(t, "SSH-2.0-x\r\n\r\n"), "HTTP/1.1", Malformed},
		{"no certificate that is trusted", secure.URL, "HTTP/1.1", TLS},
		{"no such host", "http://nowhere.invalid", "HTTP/1.1", NoSuchHost},
	} {
		base, err := url.Parse(row.base)
		if err != nil {
			t.Fatal(err)
		}
		c := NewClient(base, 1)
		ctx, cancel := t.Context(), context.CancelFunc(func() {})
		if row.want == TimedOut {
			ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
		}
		_, err = c.Send(ctx, event.Exchange{Served: event.Served{Method: "GET", Path: "/", Proto: row.proto}})
		cancel()
		c.Close()
		if err == nil || failure(err) != row.want {
			t.Errorf("%s: %v is called %q, not %q", row.name, err, failure(err), row.want)
		}
	}
}

// unsure is a UPI server that refuses every second call.
type unsure struct {
	upiv1.UnimplementedUniversalPredictionServiceServer
	calls chan int
}

func (u unsure) PredictValues(context.Context, *upiv1.PredictValuesRequest) (*upiv1.PredictValuesResponse, error) {
	n := <-u.calls
	u.calls <- n + 1
	if n%2 == 1 {
		return nil, status.Error(codes.Internal, "no weights")
	}
	return &upiv1.PredictValuesResponse{}, nil
}

func TestManyCallsOfGRPCShareConnectionsAndAreCountedByStatus(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	calls := make(chan int, 1)
	calls <- 0
	server := grpc.NewServer()
	upiv1.RegisterUniversalPredictionServiceServer(server, unsure{calls: calls})
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	defer func() { server.Stop(); <-serving }()
	c := NewClient(&url.URL{Scheme: "http", Host: listener.Addr().String()}, 8)
	defer c.Close()
	all := many(100)
	for i := range all {
		body := event.GRPCFrame(nil)
		all[i].Method, all[i].Path, all[i].Proto = "POST", "/caraml.upi.v1.UniversalPredictionService/PredictValues", "HTTP/2.0"
		all[i].Request = event.Message{Header: []event.Field{{Name: "Content-Type", Value: "application/grpc"}, {Name: "Te", Value: "trailers"}}, Body: body, Size: int64(len(body))}
	}
	summary, err := Run(t.Context(), Options{Requests: of(all, nil), Send: c.Send, Concurrency: 8})
	if err != nil || summary.Answered != 100 || summary.GRPCStatuses[0] != 50 || summary.GRPCStatuses[int(codes.Internal)] != 50 || summary.Errors != 50 {
		t.Errorf("%v, %+v", err, summary)
	}
}

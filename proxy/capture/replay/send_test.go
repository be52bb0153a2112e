package replay

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// rawServer takes one request and returns its bytes up to the body's end.
func rawServer(t *testing.T, end string) (address string, got <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	all := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		var text strings.Builder
		for buf := make([]byte, 1024); !strings.HasSuffix(text.String(), end); {
			n, err := conn.Read(buf)
			text.Write(buf[:n])
			if err != nil {
				break
			}
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno")
		all <- text.String()
	}()
	return listener.Addr().String(), all
}

func TestARequestIsSentAgainAsItsClientSentIt(t *testing.T) {
	x := event.Exchange{
		Served: event.Served{ID: 7, Method: "POST", Path: "/v1/models/iris%2D1:predict/../x", Host: "iris-1.sample.models.localhost", Proto: "HTTP/1.1", Status: 200},
		Query:  "?a=1;b={}",
		Request: event.Message{
			Header: []event.Field{
				{Name: "Host", Value: "iris-1.sample.models.localhost"},
				{Name: "X-Twice", Value: "1"},
				{Name: "x-twice", Value: "2"},
				{Name: "Accept-Encoding", Value: "br"},
				{Name: "Authorization", Value: "***"},
				{Name: "Connection", Value: "close"},
				{Name: "Content-Length", Value: "3"},
			},
			Body: []byte("abc"), Size: 3,
		},
	}
	address, got := rawServer(t, "abc")
	is, err := Send(t.Context(), address, x)
	if err != nil { // a 503 is an answer
		t.Fatal(err)
	}
	if is.ID != 7 || is.Status != 503 || string(is.Answer.Body) != "no" || is.Answer.Size != 2 || is.Answer.Cut != "" || is.Took < is.FirstByte || is.FirstByte == 0 {
		t.Errorf("the answer is %+v", is)
	}
	text := <-got
	for _, want := range []string{"POST /v1/models/iris%2D1:predict/../x?a=1;b={} HTTP/1.1\r\n", "\r\nHost: iris-1.sample.models.localhost\r\n", "\r\nX-Twice: 1\r\nX-Twice: 2\r\n", "\r\nContent-Length: 3\r\n", "\r\nAccept-Encoding: br\r\n", "\r\n\r\nabc"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q has no %q", text, want)
		}
	}
	for _, not := range []string{"User-Agent", "Authorization", "gzip"} {
		if strings.Contains(text, not) {
			t.Errorf("%q has %q, which the client did not send or the capture hides", text, not)
		}
	}
	x.Request.Header = append(x.Request.Header, event.Field{Name: "Transfer-Encoding", Value: "chunked"})
	address, got = rawServer(t, "0\r\n\r\n")
	if _, err := Send(t.Context(), address, x); err != nil {
		t.Fatal(err)
	}
	if text := <-got; !strings.Contains(text, "Transfer-Encoding: chunked") || strings.Contains(text, "Content-Length") {
		t.Errorf("a body in chunks is sent as %q", text)
	}
}

// upiServer notes what it is asked.
type upiServer struct {
	upiv1.UnimplementedUniversalPredictionServiceServer
	asked chan string
}

func (s upiServer) PredictValues(ctx context.Context, r *upiv1.PredictValuesRequest) (*upiv1.PredictValuesResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	_, limited := ctx.Deadline()
	country := strings.Join(md.Get("x-country"), ",")
	if !limited {
		country += " without a timeout"
	}
	s.asked <- r.GetTargetName() + " of " + strings.Join(md.Get(":authority"), ",") + " from " + country
	return &upiv1.PredictValuesResponse{}, nil
}

func TestARequestOfGRPCIsSentAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, asked := grpc.NewServer(), make(chan string, 1)
	upiv1.RegisterUniversalPredictionServiceServer(server, upiServer{asked: asked})
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	defer func() { server.Stop(); <-serving }()
	data, err := proto.Marshal(&upiv1.PredictValuesRequest{TargetName: "eta"})
	if err != nil {
		t.Fatal(err)
	}
	body := event.GRPCFrame(data)
	x := event.Exchange{
		Served: event.Served{ID: 7, Method: "POST", Path: "/caraml.upi.v1.UniversalPredictionService/PredictValues", Host: "eta-1.sample.localhost", Proto: "HTTP/2.0", Status: 200},
		Request: event.Message{
			Header: []event.Field{{Name: "host", Value: "eta-1.sample.localhost"}, {Name: "content-type", Value: "application/grpc"}, {Name: "te", Value: "trailers"}, {Name: "grpc-timeout", Value: "9S"}, {Name: "x-country", Value: "id"}},
			Body:   body, Size: int64(len(body)),
		},
	}
	is, err := Send(t.Context(), listener.Addr().String(), x)
	if err != nil {
		t.Fatal(err)
	}
	if is.GRPCStatus == nil || *is.GRPCStatus != 0 || string(is.Answer.Body) != string(event.GRPCFrame(nil)) || !is.Answer.IsGRPC() || len(is.Answer.Trailer) == 0 {
		t.Errorf("the answer is %+v", is)
	}
	if got := <-asked; got != "eta of eta-1.sample.localhost from id" {
		t.Errorf("the server was asked for %s", got)
	}
}

func TestWhatCannotBeSentAgainSaysWhy(t *testing.T) {
	whole := event.Exchange{Served: event.Served{ID: 7, Method: "GET", Path: "/", Proto: "HTTP/1.1"}}
	cut := whole
	cut.Request = event.Message{Size: 9, Cut: "none of its 9 bytes are kept: the disk did not keep up"}
	upgraded := whole
	upgraded.Status = http.StatusSwitchingProtocols
	gone := httptest.NewServer(nil)
	gone.Close()
	for want, c := range map[string]struct {
		address string
		x       event.Exchange
	}{
		"none of its 9 bytes are kept":   {"127.0.0.1:1", cut},
		"became another protocol's":      {"127.0.0.1:1", upgraded},
		"the session has no address yet": {"", whole},
		"send request 7 again: dial tcp": {strings.TrimPrefix(gone.URL, "http://"), whole},
	} {
		if _, err := Send(t.Context(), c.address, c.x); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestAnAnswerThatBreaksOffIsKeptAsFarAsItCame(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9")
		_, _ = io.WriteString(w, "half")
	}))
	defer server.Close()
	x := event.Exchange{Served: event.Served{ID: 3, Method: "GET", Path: "/", Proto: "HTTP/1.1"}}
	is, err := Send(t.Context(), server.Listener.Addr().String(), x)
	if err == nil || !strings.Contains(err.Error(), "send request 3 again: its answer was broken off") || is.Status != 200 || string(is.Answer.Body) != "half" || is.Answer.Cut == "" || is.Error == "" {
		t.Errorf("%v, %+v", err, is)
	}
}

func TestAPathThatBeginsWithTwoSlashesIsSentAsItIs(t *testing.T) {
	for _, path := range []string{"//x/%2e", "/a//b", "*"} {
		address, got := rawServer(t, "\r\n\r\n")
		x := event.Exchange{Served: event.Served{Method: "OPTIONS", Path: path, Host: "h", Proto: "HTTP/1.1"}}
		if _, err := Send(t.Context(), address, x); err != nil {
			t.Fatal(err)
		}
		if text := <-got; !strings.HasPrefix(text, "OPTIONS "+path+" HTTP/1.1\r\n") {
			t.Errorf("%s is sent as %q", path, text)
		}
	}
}

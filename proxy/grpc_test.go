package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	upi "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"github.com/soheilhy/cmux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	calls "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
)

// eta is a UPI model.
func eta() Model {
	return Model{ID: "eta-1", Project: "sample", Name: "eta", Version: "1", FullName: "eta-1-r1", UPI: true}
}

// predictor answers UPI calls, and calls of all four kinds.
type predictor struct {
	upi.UnimplementedUniversalPredictionServiceServer
	calls.UnimplementedTestServiceServer
}

func (predictor) PredictValues(ctx context.Context, r *upi.PredictValuesRequest) (*upi.PredictValuesResponse, error) {
	if r.TargetName == "" {
		return nil, status.Error(codes.InvalidArgument, "no target")
	}
	in, _ := metadata.FromIncomingContext(ctx)
	_ = grpc.SetHeader(ctx, metadata.Pairs("x-echo", strings.Join(in.Get("x-ask"), ",")))
	_ = grpc.SetTrailer(ctx, metadata.Pairs("x-authority", strings.Join(in.Get(":authority"), ",")))
	return &upi.PredictValuesResponse{TargetName: r.TargetName}, nil
}

func (predictor) StreamingOutputCall(r *calls.StreamingOutputCallRequest, s grpc.ServerStreamingServer[calls.StreamingOutputCallResponse]) error {
	for _, p := range r.ResponseParameters {
		if err := s.Send(&calls.StreamingOutputCallResponse{Payload: &calls.Payload{Body: make([]byte, p.Size)}}); err != nil {
			return err
		}
	}
	return nil
}

func (predictor) StreamingInputCall(s grpc.ClientStreamingServer[calls.StreamingInputCallRequest, calls.StreamingInputCallResponse]) error {
	total := 0
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return s.SendAndClose(&calls.StreamingInputCallResponse{AggregatedPayloadSize: int32(total)})
		}
		if err != nil {
			return err
		}
		total += len(r.GetPayload().GetBody())
	}
}

func (predictor) FullDuplexCall(s grpc.BidiStreamingServer[calls.StreamingOutputCallRequest, calls.StreamingOutputCallResponse]) error {
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			s.SetTrailer(metadata.Pairs("x-end", "yes"))
			return status.Error(codes.DataLoss, "the end")
		}
		if err != nil {
			return err
		}
		if err := s.Send(&calls.StreamingOutputCallResponse{Payload: r.Payload}); err != nil {
			return err
		}
	}
}

// serveUPI is a UPI container: gRPC and GET /metrics on one port.
func serveUPI(t *testing.T) netip.AddrPort {
	t.Helper()
	at, _ := startUPI(t)
	return at
}

// startUPI is serveUPI for who stops it before the test ends.
func startUPI(t *testing.T) (at netip.AddrPort, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := cmux.New(ln)
	rpc, plain := mux.Match(cmux.HTTP2()), mux.Match(cmux.Any())
	s := grpc.NewServer()
	upi.RegisterUniversalPredictionServiceServer(s, predictor{})
	calls.RegisterTestServiceServer(s, predictor{})
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	reflection.Register(s)
	metrics := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "predictions_total 1 "+r.Proto)
	})}
	go func() { _ = s.Serve(rpc) }()
	go func() { _ = metrics.Serve(plain) }()
	go func() { _ = mux.Serve() }()
	stop = func() {
		s.Stop()
		_ = metrics.Close()
		_ = ln.Close()
	}
	t.Cleanup(stop)
	return netip.MustParseAddrPort(ln.Addr().String()), stop
}

// connect is an unmodified gRPC client of the port.
func connect(t *testing.T, p *port, o ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	o = append(o, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(p.address, o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func upiPort(t *testing.T) *port {
	p := open(t, Options{Models: []Model{eta()}})
	p.Route("eta-1", 1, []netip.AddrPort{serveUPI(t)})
	return p
}

func TestAUPIModelAnswersGRPCAndMetricsOnOnePort(t *testing.T) {
	p := upiPort(t)
	ctx, _ := contextWithCancel(t)
	conn := connect(t, p)

	var header, trailer metadata.MD
	ctx = metadata.AppendToOutgoingContext(ctx, "x-ask", "a")
	got, err := upi.NewUniversalPredictionServiceClient(conn).PredictValues(ctx, &upi.PredictValuesRequest{TargetName: "eta"}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil || got.TargetName != "eta" {
		t.Fatalf("got %v, %v", got, err)
	}
	if header.Get("x-echo")[0] != "a" || trailer.Get("x-authority")[0] != p.address {
		t.Errorf("header %v, trailer %v", header, trailer)
	}
	told := p.told()
	if told.GRPCStatus == nil || *told.GRPCStatus != 0 || told.Status != 200 || told.Proto != "HTTP/2.0" || told.Method != "POST" ||
		told.Path != "/caraml.upi.v1.UniversalPredictionService/PredictValues" || told.BytesIn == 0 || told.BytesOut == 0 {
		t.Errorf("told %+v", told)
	}
	if h, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}); err != nil || h.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", h, err)
	}
	if status, got := p.get("h", "/metrics"); status != 200 || got != "predictions_total 1 HTTP/1.1" {
		t.Errorf("metrics: %d %q", status, got)
	}
}

func TestReflectionPasses(t *testing.T) {
	ctx, _ := contextWithCancel(t)
	s, err := grpc_reflection_v1.NewServerReflectionClient(connect(t, upiPort(t))).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Recv()
	if err != nil || !strings.Contains(got.String(), "caraml.upi.v1.UniversalPredictionService") {
		t.Errorf("got %v, %v", got, err)
	}
	_ = s.CloseSend()
}

func TestAllKindsOfStreamsPass(t *testing.T) {
	p := upiPort(t)
	ctx, _ := contextWithCancel(t)
	c := calls.NewTestServiceClient(connect(t, p))
	payload := &calls.Payload{Body: make([]byte, 100_000)}

	t.Run("server streaming", func(t *testing.T) {
		s, err := c.StreamingOutputCall(ctx, &calls.StreamingOutputCallRequest{ResponseParameters: []*calls.ResponseParameters{{Size: 1}, {Size: 200_000}, {Size: 3}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{1, 200_000, 3} {
			if got, err := s.Recv(); err != nil || len(got.GetPayload().GetBody()) != want {
				t.Fatalf("got %v", err)
			}
		}
		if _, err := s.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("client streaming", func(t *testing.T) {
		s, err := c.StreamingInputCall(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if err := s.Send(&calls.StreamingInputCallRequest{Payload: payload}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.CloseAndRecv(); err != nil || got.AggregatedPayloadSize != 2_000_000 {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("both ways at once, with status and trailers", func(t *testing.T) {
		s, err := c.FullDuplexCall(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if err := s.Send(&calls.StreamingOutputCallRequest{Payload: payload}); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Recv(); err != nil || len(got.GetPayload().GetBody()) != 100_000 {
				t.Fatalf("got %v", err)
			}
		}
		_ = s.CloseSend()
		if _, err := s.Recv(); status.Code(err) != codes.DataLoss || status.Convert(err).Message() != "the end" {
			t.Errorf("got %v", err)
		}
		if got := s.Trailer().Get("x-end"); len(got) != 1 || got[0] != "yes" {
			t.Errorf("trailer %v", s.Trailer())
		}
	})
}

func TestWhatAGRPCClientGets(t *testing.T) {
	predict := func(t *testing.T, p *port, target string) error {
		ctx, _ := contextWithCancel(t)
		_, err := upi.NewUniversalPredictionServiceClient(connect(t, p)).PredictValues(ctx, &upi.PredictValuesRequest{TargetName: target})
		return err
	}
	for _, row := range []struct {
		fact  string
		route func(t *testing.T, p *port)
		code  codes.Code
		says  string
		told  int // told, as gRPC status; -1 none
	}{
		{"the service's own error, in trailers only", func(t *testing.T, p *port) { p.Route("eta-1", 1, []netip.AddrPort{serveUPI(t)}) }, codes.InvalidArgument, "no target", 3},
		{"a container that is gone", func(_ *testing.T, p *port) {
			p.Route("eta-1", 1, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")})
		}, codes.Unavailable, "502", -1},
		{"a model that failed", func(_ *testing.T, p *port) { p.Fail("eta-1", "it exited") }, codes.Unavailable, "503", -1},
		{"a container without gRPC", func(t *testing.T, p *port) {
			p.Route("eta-1", 1, []netip.AddrPort{script(t, "HTTP/1.1 200 OK\r\n\r\n")})
		}, codes.Unavailable, "502", -1},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := open(t, Options{Models: []Model{eta()}})
			row.route(t, p)
			if err := predict(t, p, ""); status.Code(err) != row.code || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v, want %v with %q", err, row.code, row.says)
			}
			told := p.told()
			if (told.GRPCStatus == nil) != (row.told < 0) || (told.GRPCStatus != nil && *told.GRPCStatus != row.told) {
				t.Errorf("told %+v, gRPC status %v", told, told.GRPCStatus)
			}
		})
	}
}

func TestGRPCIsRoutedByAuthority(t *testing.T) {
	p := open(t, Options{Models: append(session(), Model{ID: "eta-2", Project: "sample", Name: "eta", Version: "2", FullName: "eta-2-r1", UPI: true, Weight: 1})})
	at := serveUPI(t)
	p.Route("eta-1", 1, []netip.AddrPort{at})
	p.Route("eta-2", 1, []netip.AddrPort{at})
	for _, row := range []struct{ authority, model string }{
		{"eta-1.sample.localhost", "eta-1"},
		{"eta-2-r1.sample.localhost:8080", "eta-2"},
		{"eta.sample.localhost", "eta-2"},
	} {
		ctx, _ := contextWithCancel(t)
		c := upi.NewUniversalPredictionServiceClient(connect(t, p, grpc.WithAuthority(row.authority)))
		if _, err := c.PredictValues(ctx, &upi.PredictValuesRequest{TargetName: "x"}); err != nil {
			t.Fatal(err)
		}
		if told := p.told(); told.model != row.model || told.Host != row.authority {
			t.Errorf("%s: told %+v", row.authority, told)
		}
	}
	ctx, _ := contextWithCancel(t)
	c := upi.NewUniversalPredictionServiceClient(connect(t, p, grpc.WithAuthority("nobody")))
	if _, err := c.PredictValues(ctx, &upi.PredictValuesRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("unknown authority: got %v", err)
	}
}

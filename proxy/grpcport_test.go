package proxy

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	upi "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc/codes"
	calls "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

func predictETA(ctx context.Context, c upi.UniversalPredictionServiceClient) error {
	_, err := c.PredictValues(ctx, &upi.PredictValuesRequest{TargetName: "eta"})
	return err
}

// What the port does to a call that has to wait, as a gRPC client gets it.
func TestAGRPCCallWaitsAsAnyRequestDoes(t *testing.T) {
	for _, row := range []struct {
		fact string
		set  func(*Model)
		end  func(t *testing.T, p *port, leave func()) // once it is held
		code codes.Code
		says string
		told int // HTTP status
	}{
		{"it is served once the model is", nil, func(t *testing.T, p *port, _ func()) {
			p.Route("eta-1", 1, []netip.AddrPort{serveUPI(t)})
		}, codes.OK, "", 200},
		{"the activator's time is up", func(m *Model) { m.Timeout = 20 * time.Millisecond }, func(*testing.T, *port, func()) {}, codes.Unavailable, "504", 504},
		{"the model fails", nil, func(_ *testing.T, p *port, _ func()) { p.Fail("eta-1", "it exited") }, codes.Unavailable, "503", 503},
		{"the port stops", nil, func(_ *testing.T, p *port, _ func()) { p.stop() }, codes.Unavailable, "503", 503},
		{"the client leaves", nil, func(_ *testing.T, _ *port, leave func()) { leave() }, codes.Canceled, "", 499},
	} {
		t.Run(row.fact, func(t *testing.T) {
			m := eta()
			if row.set != nil {
				row.set(&m)
			}
			wanted := make(chan string, 1)
			p := open(t, Options{Models: []Model{m}, Wanted: func(model string) { wanted <- model }})
			ctx, leave := contextWithCancel(t)
			c := upi.NewUniversalPredictionServiceClient(connect(t, p))
			got := make(chan error, 1)
			go func() { got <- predictETA(ctx, c) }()
			hears(t, "it is wanted", wanted)
			row.end(t, p, leave)
			if err := hears(t, "an end", got); status.Code(err) != row.code || (err != nil && !strings.Contains(err.Error(), row.says)) {
				t.Errorf("got %v, want %v with %q", err, row.code, row.says)
			}
			if told := p.told(); told.Status != row.told || told.Held == 0 {
				t.Errorf("told %+v", told)
			}
			await(t, "nothing is left", func() bool { return p.Load("eta-1") == Load{} })
		})
	}
}

func TestAGRPCCallBeyondTheQueueIsUnavailable(t *testing.T) {
	m := eta()
	m.ContainerConcurrency = 1
	p := open(t, Options{Models: []Model{m}})
	p.Route("eta-1", 1, []netip.AddrPort{serveUPI(t)})
	ctx, _ := contextWithCancel(t)
	conn := connect(t, p)
	running, err := calls.NewTestServiceClient(conn).FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "it runs", func() bool { return p.Load("eta-1").Running == 1 })

	c := upi.NewUniversalPredictionServiceClient(conn)
	waiting, leave := context.WithCancel(ctx)
	ended := make(chan error, 2*queueDepth)
	for n := range queueDepth {
		ctx := ctx
		if n == 0 {
			ctx = waiting
		}
		go func() { ended <- predictETA(ctx, c) }()
		await(t, "it waits", func() bool { return p.Load("eta-1").Waiting == n+1 })
	}
	if err := predictETA(ctx, c); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "503") {
		t.Errorf("got %v", err)
	}
	leave()
	if err := hears(t, "one leaves", ended); status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
	await(t, "its place is free", func() bool { return p.Load("eta-1").Waiting == queueDepth-1 })
	_ = running.CloseSend()
	for range queueDepth - 1 {
		if err := hears(t, "one is served", ended); err != nil {
			t.Error(err)
		}
	}
}

// pingPong sends a message on a stream and gets it back.
func pingPong(t *testing.T, s calls.TestService_FullDuplexCallClient) {
	t.Helper()
	if err := s.Send(&calls.StreamingOutputCallRequest{Payload: &calls.Payload{Body: []byte("ping")}}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Recv(); err != nil || string(got.GetPayload().GetBody()) != "ping" {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestOpenGRPCStreamsOutliveASwitchOfRevisions(t *testing.T) {
	p := open(t, Options{Models: []Model{eta()}})
	at, stopOld := startUPI(t)
	p.Route("eta-1", 1, []netip.AddrPort{at})
	ctx, _ := contextWithCancel(t)
	conn := connect(t, p)

	var done atomic.Bool
	var answered atomic.Int64
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for c := upi.NewUniversalPredictionServiceClient(conn); !done.Load(); answered.Add(1) {
				if err := predictETA(ctx, c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	defer callers.Wait()
	defer done.Store(true)

	for revision := 2; revision < 8; revision++ {
		old, err := calls.NewTestServiceClient(conn).FullDuplexCall(ctx)
		if err != nil {
			t.Fatal(err)
		}
		pingPong(t, old)
		at, stop := startUPI(t)
		p.Route("eta-1", revision, []netip.AddrPort{at})
		before := answered.Load()
		await(t, "the new revision serves", func() bool { return answered.Load() > before+20 || t.Failed() })
		pingPong(t, old)
		_ = old.CloseSend()
		if _, err := old.Recv(); status.Code(err) != codes.DataLoss || old.Trailer().Get("x-end")[0] != "yes" {
			t.Fatalf("got %v", err)
		}
		if err := p.Drain(ctx, "eta-1"); err != nil {
			t.Fatal(err)
		}
		stopOld()
		stopOld = stop
	}
}

func TestAnOpenGRPCStreamFinishesInADrain(t *testing.T) {
	p := upiPort(t)
	ctx, _ := contextWithCancel(t)
	s, err := calls.NewTestServiceClient(connect(t, p)).FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	pingPong(t, s)
	p.stop()
	<-p.stopping
	pingPong(t, s)
	_ = s.CloseSend()
	if _, err := s.Recv(); status.Code(err) != codes.DataLoss {
		t.Errorf("got %v", err)
	}
	p.close()
	if len(p.notices) > 0 {
		t.Errorf("it was cut: %v", <-p.notices)
	}
}

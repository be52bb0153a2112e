package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/soheilhy/cmux"
	"google.golang.org/grpc"
)

const (
	// drainTime is how long requests under way may take once the platform says stop.
	drainTime = 8 * time.Second
	// helloTime is how long a client may stay silent after it has connected: until
	// it speaks, nobody knows to whom it wants to.
	helloTime = 2 * time.Second
)

// serve answers gRPC and, for the metrics, HTTP/1.1 on ln until ctx ends: a custom
// model has one port. Requests that are under way may finish.
func (s *server) serve(ctx context.Context, ln net.Listener) error {
	mux := cmux.New(ln)
	mux.SetReadTimeout(helloTime)
	// The order matters: gRPC always begins as HTTP/2, and matching HTTP/1 by its
	// methods would refuse those that cmux does not know.
	grpcLn := mux.Match(cmux.HTTP2())
	httpLn := mux.Match(cmux.Any())

	grpcServer := s.grpcServer()
	httpServer := &http.Server{Handler: s.metrics.handler(), ReadHeaderTimeout: helloTime}
	ended := make(chan error, 3)
	go func() { ended <- grpcServer.Serve(grpcLn) }()
	go func() { ended <- httpServer.Serve(httpLn) }()
	go func() { ended <- mux.Serve() }()

	var failure error
	running := 3
	select {
	case err := <-ended:
		failure = fmt.Errorf("serve: %w", err)
		running--
	case <-ctx.Done():
		slog.Info("draining")
	}
	s.health.Shutdown()
	if err := drain(grpcServer, httpServer); err != nil {
		return errors.Join(failure, err) // what still runs ends with the process
	}
	for range running {
		<-ended // closing one part ends the port, and with it the others
	}
	return failure
}

// drain closes the port and waits for what is under way, but not for ever.
func drain(grpcServer *grpc.Server, httpServer *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	drained := make(chan struct{})
	go func() {
		grpcServer.GracefulStop()
		close(drained)
	}()
	select {
	case <-drained:
		// The port is one: GracefulStop may have closed it already.
		if err := httpServer.Shutdown(ctx); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("requests were still running after %v", drainTime)
	}
}

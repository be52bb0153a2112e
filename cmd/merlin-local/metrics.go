package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// scrapeTimeout is Prometheus' own default for a scrape.
const scrapeTimeout = 10 * time.Second

// serveMetrics answers GET /metrics on ln, and nothing else, until ctx ends.
func serveMetrics(ctx context.Context, ln net.Listener, metrics http.Handler) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	if err := serveUntil(ctx, ln, &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}); err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

// serveUntil answers on ln until ctx ends, which cuts what is under way, or ln fails.
func serveUntil(ctx context.Context, ln net.Listener, server *http.Server) error {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = server.Close()
	})
	err := server.Serve(ln)
	if stop() {
		return err
	}
	<-closed
	return nil
}

package main

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// metrics are named for what the model does, never for CARAML_MODEL_FULL_NAME: a
// metric's name must not hold a "-", and a dashboard would lose it with the next
// version.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	minutes  prometheus.Histogram
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eta_requests_total", Help: "gRPC requests by method and status code.",
		}, []string{"method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "eta_request_duration_seconds", Help: "Time taken by gRPC requests.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 10),
		}, []string{"method"}),
		minutes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "eta_predicted_minutes", Help: "Predicted minutes of each trip.",
			Buckets: prometheus.LinearBuckets(5, 5, 12),
		}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.minutes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe is an interceptor: grpc-go calls it for every unary request.
func (m *metrics) observe(ctx context.Context, in any, call *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	start := time.Now()
	out, err := handle(ctx, in)
	m.duration.WithLabelValues(call.FullMethod).Observe(time.Since(start).Seconds())
	m.requests.WithLabelValues(call.FullMethod, status.Code(err).String()).Inc()
	return out, err
}

// handler is all that is served over HTTP/1.1.
func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

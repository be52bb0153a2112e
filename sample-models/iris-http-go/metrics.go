package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are named for what the model does, never for CARAML_MODEL_FULL_NAME: a
// metric's name must not hold a "-", and a dashboard would lose it with the next
// version.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	species  *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "iris_requests_total", Help: "Predict requests by status code.",
		}, []string{"code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "iris_request_duration_seconds", Help: "Time taken by predict requests.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 10),
		}, nil),
		species: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "iris_predictions_total", Help: "Flowers by predicted species.",
		}, []string{"species"}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.species,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(h http.Handler) http.Handler {
	return promhttp.InstrumentHandlerCounter(m.requests, promhttp.InstrumentHandlerDuration(m.duration, h))
}

func (m *metrics) predicted(species string) { m.species.WithLabelValues(species).Inc() }

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

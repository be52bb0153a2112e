package proxy

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics serves queue-proxy's metrics of all models in Prometheus form: names,
// labels and buckets of Knative 1.13 and 1.15. What has no queue-proxy in
// production is in none: requests that no replica took, and probes. All replicas of
// a model are one pod, and route_tag is that of a cluster without routes by tag.
func (s *Server) Metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newMetrics(s.all))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// metrics shows the models' meters. What it shows is made when it is asked for.
type metrics struct {
	models                    []*model
	requests, latencies       *prometheus.Desc
	appRequests, appLatencies *prometheus.Desc
	queueDepth                *prometheus.Desc
}

func newMetrics(models []*model) *metrics {
	labels := []string{
		"namespace_name", "service_name", "configuration_name", "revision_name", "pod_name", "container_name",
		"response_code", "response_code_class",
	}
	describe := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc("revision_"+name, help, append(labels[:len(labels):len(labels)], more...), nil)
	}
	return &metrics{
		models:       models,
		requests:     describe("request_count", "Requests that reached queue-proxy.", "route_tag"),
		latencies:    describe("request_latencies", "Milliseconds from queue-proxy to the end of the answer.", "route_tag"),
		appRequests:  describe("app_request_count", "Requests that reached the container."),
		appLatencies: describe("app_request_latencies", "Milliseconds from the container to the end of the answer."),
		queueDepth:   describe("queue_depth", "Requests that run or wait, where concurrency is limited."),
	}
}

// Describe names what Collect gives.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.requests, m.latencies, m.appRequests, m.appLatencies, m.queueDepth} {
		out <- d
	}
}

// Collect gives everything that was counted.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	for _, model := range m.models {
		who := identity(model.Model)
		model.meter.requests.each(func(status int, t *tally) {
			labels := append(statusLabels(who, status), "DISABLED")
			t.collect(out, m.requests, m.latencies, labels)
		})
		model.meter.app.each(func(status int, t *tally) {
			t.collect(out, m.appRequests, m.appLatencies, statusLabels(who, status))
		})
		if model.ContainerConcurrency > 0 {
			load := model.load()
			depth := float64(load.Running + load.Waiting)
			out <- prometheus.MustNewConstMetric(m.queueDepth, prometheus.GaugeValue, depth, append(who, "", "")...)
		}
	}
}

// identity is the pod as a cluster would name it.
func identity(m Model) []string {
	service := m.FullName + "-predictor"
	revision := service + "-00001"
	return []string{m.Project, service, service, revision, revision + "-deployment-local", "queue-proxy"}
}

func statusLabels(who []string, status int) []string {
	class := strconv.Itoa(status/100) + "xx"
	return append(who[:len(who):len(who)], strconv.Itoa(status), class)
}

func (t *tally) collect(out chan<- prometheus.Metric, count, latency *prometheus.Desc, labels []string) {
	buckets := make(map[float64]uint64, len(latencyBounds))
	total := uint64(0)
	for i, bound := range latencyBounds {
		total += t.buckets[i].Load()
		buckets[float64(bound)] = total
	}
	total += t.buckets[len(latencyBounds)].Load()
	out <- prometheus.MustNewConstMetric(count, prometheus.CounterValue, float64(total), labels...)
	out <- prometheus.MustNewConstHistogram(latency, total, float64(t.sum.Load()), buckets, labels...)
}

package scrape_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/soheilhy/cmux"
	"google.golang.org/grpc"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/scrape"
)

// patience is longer than any answer here takes.
const patience = 20 * time.Second

func serve(t *testing.T, handler http.HandlerFunc) netip.AddrPort {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return netip.MustParseAddrPort(server.Listener.Addr().String())
}

func ask(t *testing.T, address netip.AddrPort) event.Scraped {
	t.Helper()
	return scrape.Scraper{Timeout: patience}.Scrape(t.Context(), address)
}

// registry has a metric of each type.
func registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total", Help: `All "requests"\of the model.`}, []string{"route"})
	requests.WithLabelValues(`/a"b\c`).Add(3)
	requests.WithLabelValues("two\nlines, } and {").Inc()
	temperature := prometheus.NewGauge(prometheus.GaugeOpts{Name: "temperature_celsius"})
	temperature.Set(-1.5)
	latency := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "latency_seconds", Buckets: []float64{0.1, 1}})
	latency.(prometheus.ExemplarObserver).ObserveWithExemplar(0.05, prometheus.Labels{"trace": "a } b"})
	latency.Observe(7)
	sizes := prometheus.NewSummary(prometheus.SummaryOpts{Name: "size_bytes", Objectives: map[float64]float64{0.5: 0.01}})
	sizes.Observe(10)
	r.MustRegister(requests, temperature, latency, sizes)
	return r
}

// text gives families in the text form, to compare and to read.
func text(t *testing.T, families []event.Family) string {
	t.Helper()
	var out strings.Builder
	if err := scrape.Write(&out, families); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const page = `# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 1
latency_seconds_bucket{le="1"} 1
latency_seconds_bucket{le="+Inf"} 2
latency_seconds_sum 7.05
latency_seconds_count 2
# HELP requests_total All "requests"\\of the model.
# TYPE requests_total counter
requests_total{route="/a\"b\\c"} 3
requests_total{route="two\nlines, } and {"} 1
# TYPE size_bytes summary
size_bytes{quantile="0.5"} 10
size_bytes_sum 10
size_bytes_count 1
# TYPE temperature_celsius gauge
temperature_celsius -1.5
`

func TestEveryTypeIsReadInEveryForm(t *testing.T) {
	for _, form := range []string{"text/plain", "application/openmetrics-text;version=1.0.0", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"} {
		t.Run(form, func(t *testing.T) {
			model := promhttp.HandlerFor(registry(), promhttp.HandlerOpts{EnableOpenMetrics: true, EnableOpenMetricsTextCreatedSamples: true})
			var asked *http.Request
			s := ask(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked = r.Clone(context.Background())
				r.Header.Set("Accept", form) // a program that has its own mind
				model.ServeHTTP(w, r)
			}))
			if s.Error != "" || s.Cut != "" || s.Series != 5+2+3+1 || s.Source != event.MetricsScraped || s.At.IsZero() || s.Bytes == 0 {
				t.Errorf("the sample is %+v", s)
			}
			if got := text(t, s.Families); got != page {
				t.Errorf("read were\n%s\nwant\n%s", got, page)
			}
			if asked.Method != http.MethodGet || asked.URL.Path != "/metrics" || !strings.HasPrefix(asked.Header.Get("Accept"), "text/plain") {
				t.Errorf("asked was %s %s for %q", asked.Method, asked.URL, asked.Header.Get("Accept"))
			}
		})
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	parsed, err := scrape.Parse([]byte(page), http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	if got := text(t, parsed.Families); got != page {
		t.Errorf("it became\n%s", got)
	}
}

func TestARedirectOnTheSamePortIsFollowed(t *testing.T) {
	s := ask(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" { // as FastAPI does for a mounted app
			http.Redirect(w, r, "/metrics/", http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprintln(w, "up 1")
	}))
	if s.Error != "" || s.Series != 1 {
		t.Errorf("the sample is %+v", s)
	}
}

func TestWhatIsNoPageOfMetricsSaysWhy(t *testing.T) {
	other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") })
	for want, handler := range map[string]http.HandlerFunc{
		"GET /metrics: 404 Not Found: serve Prometheus metrics there, or have the model push them (metrics.push)": http.NotFound,
		"GET /metrics: 500 Internal Server Error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"GET /metrics: 302 Found": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+other.String()+"/metrics", http.StatusFound)
		},
		"GET /metrics: it redirects more than 3 times":                func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/metrics", http.StatusFound) },
		"GET /metrics: its Content-Type is text/html, which is none":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"GET /metrics: it is no text of metrics: text format parsing": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a 1\nb one\n") },
		"GET /metrics: its Content-Type is application/json, which is": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "{}")
		},
		"GET /metrics: it is no delimited protobuf: its last message": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/vnd.google.protobuf;encoding=delimited")
			_, _ = w.Write([]byte{0xff, 0xff, 0xff, 0xff, 0x07, 1}) // claims 2 GiB
		},
	} {
		if s := ask(t, serve(t, handler)); !strings.HasPrefix(s.Error, want) || s.Families != nil {
			t.Errorf("it says %q, want %q", s.Error, want)
		}
	}
}

func TestNobodyAtThePortIsRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := netip.MustParseAddrPort(listener.Addr().String())
	_ = listener.Close()
	if s := ask(t, address); s.Error != "GET /metrics: connection refused" {
		t.Errorf("it says %q", s.Error)
	}
}

func TestAModelThatDoesNotAnswerIsNotWaitedForLong(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := scrape.Scraper{Timeout: 50 * time.Millisecond}.Scrape(t.Context(), netip.MustParseAddrPort(listener.Addr().String()))
	if s.Error != "GET /metrics: no answer within 50ms" {
		t.Errorf("it says %q", s.Error)
	}
}

// A gRPC server speaks first: nothing may be logged of that, and the reason must help.
func TestAGRPCPortSaysThatItServesNoMetrics(t *testing.T) {
	logged := &strings.Builder{}
	log.SetOutput(logged)
	defer log.SetOutput(io.Discard)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	for range 20 {
		s := ask(t, netip.MustParseAddrPort(listener.Addr().String()))
		if !strings.Contains(s.Error, "does not speak HTTP/1.1") || !strings.Contains(s.Error, "cmux") {
			t.Errorf("it says %q", s.Error)
		}
	}
	if logged.Len() > 0 {
		t.Errorf("logged is %s", logged)
	}
}

func TestAUPIModelServesMetricsOnItsOnePort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := cmux.New(listener)
	grpcPort := mux.MatchWithWriters(cmux.HTTP2MatchHeaderFieldSendSettings("content-type", "application/grpc"))
	httpPort := mux.Match(cmux.HTTP1Fast())
	grpcServer, httpServer := grpc.NewServer(), &http.Server{Handler: promhttp.HandlerFor(registry(), promhttp.HandlerOpts{})}
	go func() { _ = grpcServer.Serve(grpcPort) }()
	go func() { _ = httpServer.Serve(httpPort) }()
	go func() { _ = mux.Serve() }()
	defer grpcServer.Stop()
	defer httpServer.Close()
	defer mux.Close()
	if s := ask(t, netip.MustParseAddrPort(listener.Addr().String())); s.Error != "" || text(t, s.Families) != page {
		t.Errorf("the sample is %+v", s)
	}
}

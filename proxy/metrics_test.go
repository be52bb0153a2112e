package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// countsIn gives the lines that tell how many.
func countsIn(metrics string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(metrics, "\n"), func(line string) bool {
		return strings.HasPrefix(line, "#") || strings.Contains(line, "_bucket{")
	}), "\n")
}

// scrape returns the lines of what Prometheus reads.
func scrape(t *testing.T, p *port) string {
	t.Helper()
	w := httptest.NewRecorder()
	p.Metrics().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

const irisPod = `configuration_name="iris-1-r2-predictor",container_name="queue-proxy",namespace_name="sample",pod_name="iris-1-r2-predictor-00001-deployment-local",`

// series is a line's name and labels.
func series(name, code, more string) string {
	class := code
	if code != "" {
		class = code[:1] + "xx"
	}
	return "revision_" + name + "{" + irisPod + `response_code="` + code + `",response_code_class="` + class + `",revision_name="iris-1-r2-predictor-00001",` + more
}

const (
	tagged   = `route_tag="DISABLED",service_name="iris-1-r2-predictor"} `
	untagged = `service_name="iris-1-r2-predictor"} `
)

func TestMetricsAreThoseOfQueueProxy(t *testing.T) {
	p := front(t, iris(), echo)
	p.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	p.told()
	got := scrape(t, p)
	for _, want := range []string{
		"# TYPE revision_request_count counter\n",
		"# TYPE revision_request_latencies histogram\n",
		"# TYPE revision_app_request_count counter\n",
		"# TYPE revision_app_request_latencies histogram\n",
		series("request_count", "200", tagged) + "1\n",
		series("app_request_count", "200", untagged) + "1\n",
		series("request_latencies_count", "200", tagged) + "1\n",
		series("app_request_latencies_count", "200", untagged) + "1\n",
		`service_name="iris-1-r2-predictor",le="100000"} 1`,
		`service_name="iris-1-r2-predictor",le="+Inf"} 1`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "revision_request_latencies_bucket{"); n != 27 {
		t.Errorf("%d buckets", n)
	}
	if strings.Contains(got, "revision_queue_depth{") {
		t.Error("a queue depth without a limit")
	}
}

func TestMetricsCountWhatQueueProxyCounts(t *testing.T) {
	limited := func(m *Model) { m.ContainerConcurrency = 1 }
	for _, row := range []struct {
		fact    string
		set     func(*Model)
		do      func(t *testing.T, p *port)
		request string // its status; empty: it counts none
		app     string
	}{
		{"the container's status", nil, func(_ *testing.T, p *port) { p.ask("GET /418 HTTP/1.1\r\nHost: h\r\n\r\n") }, "418", "418"},
		{"a container that is not there", nil, func(_ *testing.T, p *port) {
			p.Route("iris-1", 1, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")})
			p.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		}, "502", "502"},
		{"the port's own 504, which is the end of its wire to the inner recorder", func(m *Model) { m.Timeout = 20 * time.Millisecond }, func(_ *testing.T, p *port) {
			p.ask("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
		}, "504", "502"},
		{"an idle answer, which broke off for the inner recorder", func(m *Model) { m.IdleTimeout = 300 * time.Millisecond }, func(_ *testing.T, p *port) {
			p.ask("GET /begin HTTP/1.1\r\nHost: h\r\n\r\n")
		}, "200", "500"},
		{"an answer that breaks off", nil, func(_ *testing.T, p *port) { p.ask("GET /break HTTP/1.1\r\nHost: h\r\n\r\n") }, "500", "500"},
		{"a client that leaves", nil, func(t *testing.T, p *port) {
			conn := p.dial()
			send(t, conn, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
			await(t, "it runs", func() bool { return p.Load("iris-1").Running == 1 })
			_ = conn.Close()
		}, "502", "502"},
		{"an upgrade", nil, func(t *testing.T, p *port) {
			ctx, _ := contextWithCancel(t)
			conn, _, err := websocket.Dial(ctx, "ws://"+p.address+"/ws", &websocket.DialOptions{HTTPClient: client(t, false)})
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close(websocket.StatusNormalClosure, "")
		}, "200", "200"},
		{"a probe does not count", nil, func(_ *testing.T, p *port) {
			p.ask("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: kube-probe/1\r\nK-Network-Probe: queue\r\n\r\n")
			p.ask("GET / HTTP/1.1\r\nHost: h\r\nK-Network-Probe: queue\r\n\r\n")
			p.ask("GET / HTTP/1.1\r\nHost: h\r\nK-Kubelet-Probe: 1\r\n\r\n")
			p.told()
		}, "", ""},
		{"what no replica took does not count", func(m *Model) { m.Timeout = 20 * time.Millisecond }, func(_ *testing.T, p *port) {
			p.Hold("iris-1")
			p.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		}, "", ""},
		{"a full queue is no matter of the container's", limited, func(t *testing.T, p *port) {
			for range 1 + queueDepth { // they leave when the test ends
				send(t, p.dial(), "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
			}
			await(t, "the queue is full", func() bool { return p.Load("iris-1").Waiting == queueDepth })
			p.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			if got := scrape(t, p); !strings.Contains(got, series("queue_depth", "", untagged)+"11\n") {
				t.Errorf("no depth of 11 in:\n%s", countsIn(got))
			}
		}, "503", ""},
	} {
		t.Run(row.fact, func(t *testing.T) {
			m := iris()
			if row.set != nil {
				row.set(&m)
			}
			p := front(t, m, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/418":
					w.WriteHeader(http.StatusTeapot)
				case "/wait":
					<-r.Context().Done()
				case "/ws":
					wsEcho(w, r)
				case "/begin":
					_, _ = io.WriteString(w, "a")
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
				case "/break":
					_, _ = io.WriteString(w, "a")
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
			})
			row.do(t, p)
			p.told()
			got := scrape(t, p)
			check := func(name, status, more string) {
				t.Helper()
				if status == "" && strings.Contains(got, "revision_"+name+"{") {
					t.Errorf("%s in:\n%s", name, countsIn(got))
				}
				if status != "" && !strings.Contains(got, series(name, status, more)+"1\n") {
					t.Errorf("no %s of %s in:\n%s", name, status, countsIn(got))
				}
			}
			check("request_count", row.request, tagged)
			check("app_request_count", row.app, untagged)
		})
	}
}

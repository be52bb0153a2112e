package proxy

import (
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func TestTheAccessLogHasKnativesFormOverHTTP2(t *testing.T) {
	var log journal
	m := iris()
	p := open(t, Options{Models: []Model{m}, AccessLog: &log})
	at := serve(t, echo)
	p.Route("iris-1", 1, []netip.AddrPort{at})
	c := p.speak()
	stream := uint32(1)
	for _, row := range []struct {
		fact string
		ask  func(id uint32)
		want string
	}{
		{
			"a request, with its query and the path that the container got",
			func(id uint32) {
				c.ask(id, false, "POST", "/v1/models/iris-1:predict?a=1", "user-agent", "me/2", "referer", "r", "x-b3-traceid", "463ac", "content-length", "2")
				_ = c.WriteData(id, true, []byte("ab"))
			},
			`{"httpRequest": {"requestMethod": "POST", "requestUrl": "/v1/models/iris-1-r2:predict\?a\\u003D1", "requestSize": "2", "status": 200, "responseSize": "\d+", "userAgent": "me/2", "remoteIp": "127.0.0.1:\d+", "serverIp": "127.0.0.1", "referer": "r", "latency": "[\d.e-]+s", "protocol": "HTTP/2.0"}, "traceId": "\[463ac\]"}` + "\n",
		},
		{
			"no length is -1", func(id uint32) {
				c.ask(id, false, "POST", "/")
				_ = c.WriteData(id, true, []byte("ab"))
			},
			`{"httpRequest": {"requestMethod": "POST", "requestUrl": "/", "requestSize": "-1", "status": 200, .*"traceId": "\[\]"}` + "\n",
		},
		{"no body is 0", func(id uint32) { c.ask(id, true, "GET", "/") }, `.*"requestSize": "0", "status": 200.*` + "\n"},
		{"what a client would smuggle into the line is escaped", func(id uint32) { c.ask(id, true, "GET", "/", "user-agent", "\"},\\x") }, `.* "userAgent": "\\"},\\\\x", .*` + "\n"},
		{"a probe is not logged", func(id uint32) { c.ask(id, true, "GET", "/", "k-network-probe", "queue") }, ``},
		{"an answer of the port's own has a size too", func(id uint32) {
			p.Route("iris-1", 1, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")})
			c.ask(id, true, "GET", "/")
		}, `.*"status": 502, "responseSize": "\d\d".*` + "\n"},
		{"what no replica took is not logged", func(id uint32) { p.Fail("iris-1", "no"); c.ask(id, true, "GET", "/") }, ``},
	} {
		t.Run(row.fact, func(t *testing.T) {
			row.ask(stream)
			_ = c.answer(stream)
			stream += 2
			p.told()
			if got := log.take(); !regexp.MustCompile("^" + row.want + "$").MatchString(got) {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

func TestMetricsCountHTTP2AsQueueProxyCounts(t *testing.T) {
	get := func(path string, more ...string) func(*testing.T, *port) {
		return func(_ *testing.T, p *port) {
			c := p.speak()
			c.ask(1, true, "GET", path, more...)
			_ = c.answer(1)
		}
	}
	for _, row := range []struct {
		fact    string
		set     func(*Model)
		do      func(t *testing.T, p *port)
		request string // its status; empty: it counts none
		app     string
	}{
		{"the container's status", nil, get("/418"), "418", "418"},
		{"a gRPC call that failed is 200", nil, get("/grpc"), "200", "200"},
		{"a container that is not there", nil, func(t *testing.T, p *port) {
			p.Route("iris-1", 1, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")})
			get("/")(t, p)
		}, "502", "502"},
		{"the port's own 504", func(m *Model) { m.Timeout = 20 * time.Millisecond }, get("/wait"), "504", "502"},
		{"an idle answer", func(m *Model) { m.IdleTimeout = 300 * time.Millisecond }, get("/begin"), "200", "500"},
		{"an answer that breaks off", nil, get("/break"), "500", "500"},
		{"a client that resets", nil, func(t *testing.T, p *port) {
			c := p.speak()
			c.ask(1, true, "GET", "/wait")
			await(t, "it runs", func() bool { return p.Load("iris-1").Running == 1 })
			_ = c.WriteRSTStream(1, http2.ErrCodeCancel)
		}, "502", "502"},
		{"a probe does not count", nil, func(_ *testing.T, p *port) {
			get("/", "user-agent", "kube-probe/1", "k-network-probe", "queue")(t, p)
			get("/", "k-network-probe", "queue")(t, p)
			p.told()
			get("/", "k-kubelet-probe", "1")(t, p)
		}, "", ""},
		{"what no replica took does not count", func(m *Model) { m.Timeout = 20 * time.Millisecond }, func(t *testing.T, p *port) {
			p.Hold("iris-1")
			get("/")(t, p)
		}, "", ""},
		{"a full queue is no matter of the container's", func(m *Model) { m.ContainerConcurrency = 1 }, func(t *testing.T, p *port) {
			c := p.speak()
			for id := uint32(1); id <= 2*queueDepth+1; id += 2 { // they leave when the test ends
				c.ask(id, true, "GET", "/wait")
			}
			await(t, "the queue is full", func() bool { return p.Load("iris-1").Waiting == queueDepth })
			c.ask(101, true, "GET", "/")
			_ = c.answer(101)
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
				case "/grpc":
					w.Header().Set("Grpc-Status", "13")
				case "/wait":
					<-r.Context().Done()
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

func TestExpectOverHTTP2IsAnsweredOnceARequestHasItsReplica(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	c := p.speak()
	expecting := []string{"expect", "100-continue", "content-length", "5"}
	p.Fail("iris-1", "no")
	c.ask(1, false, "POST", "/", expecting...)
	if got := c.answer(1); got.status != "503" || len(got.informed) > 0 {
		t.Errorf("got %+v", got)
	}
	p.Route("iris-1", 1, []netip.AddrPort{serve(t, echo)})
	c.ask(3, false, "POST", "/", expecting...)
	got := seen{}
	if _, ok := c.await(func(f http2.Frame) bool { got.take(f); return len(got.informed) > 0 || got.status != "" }); !ok || got.status != "" || got.informed[0] != "100" {
		t.Fatalf("got %+v", got)
	}
	_ = c.WriteData(3, true, []byte("hello"))
	if got := c.answer(3); got.status != "200" || !strings.HasSuffix(got.body, "hello") || len(got.informed) > 0 {
		t.Errorf("got %+v", got)
	}
}

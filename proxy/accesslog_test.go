package proxy

import (
	"bytes"
	"net/netip"
	"regexp"
	"sync"
	"testing"
)

// journal is an access log that can be read.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(p)
}

func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer j.lines.Reset()
	return j.lines.String()
}

func TestTheAccessLogHasKnativesForm(t *testing.T) {
	var log journal
	m := iris()
	m.ContainerConcurrency = 1
	p := open(t, Options{Models: []Model{m}, AccessLog: &log})
	at := serve(t, echo)
	p.Route("iris-1", 1, []netip.AddrPort{at})
	for _, row := range []struct{ fact, request, want string }{
		{
			"a request, with its query and the path that the container got",
			"POST /v1/models/iris-1:predict?a=1 HTTP/1.1\r\nHost: h\r\nUser-Agent: me/1\r\nReferer: r\r\nX-B3-Traceid: 463ac\r\nContent-Length: 2\r\n\r\nab",
			`{"httpRequest": {"requestMethod": "POST", "requestUrl": "/v1/models/iris-1-r2:predict\?a\\u003D1", "requestSize": "2", "status": 200, "responseSize": "\d+", "userAgent": "me/1", "remoteIp": "127.0.0.1:\d+", "serverIp": "127.0.0.1", "referer": "r", "latency": "[\d.e-]+s", "protocol": "HTTP/1.1"}, "traceId": "\[463ac\]"}`,
		},
		{
			"nothing that it was not given; no length is -1",
			"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			`{"httpRequest": {"requestMethod": "POST", "requestUrl": "/", "requestSize": "-1", "status": 200, "responseSize": "\d+", "userAgent": "", "remoteIp": "127.0.0.1:\d+", "serverIp": "127.0.0.1", "referer": "", "latency": "[\d.e-]+s", "protocol": "HTTP/1.1"}, "traceId": "\[\]"}`,
		},
		{
			"what a client would smuggle into the line is escaped",
			"GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: \"},\\x\r\n\r\n",
			`{"httpRequest": {"requestMethod": "GET", "requestUrl": "/", .* "userAgent": "\\"},\\\\x", .*}`,
		},
		{"a probe is not logged", "GET / HTTP/1.1\r\nHost: h\r\nK-Network-Probe: queue\r\n\r\n", ``},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p.ask(row.request)
			p.told()
			want := row.want
			if want != "" {
				want += "\n"
			}
			if got := log.take(); !regexp.MustCompile("^" + want + "$").MatchString(got) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	t.Run("an answer of the port's own has a size too", func(t *testing.T) {
		p.Route("iris-1", 1, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")})
		p.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		p.told()
		if got := log.take(); !regexp.MustCompile(`"status": 502, "responseSize": "\d\d"`).MatchString(got) {
			t.Errorf("got %s", got)
		}
	})
	t.Run("what no replica took is not logged", func(t *testing.T) {
		p.Fail("iris-1", "no")
		p.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		p.told()
		if got := log.take(); got != "" {
			t.Errorf("got %s", got)
		}
	})
}

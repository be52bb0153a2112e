package proxy

import (
	"fmt"
	"text/template"
	"time"
)

// logged is what only the access log tells of a request.
type logged struct {
	query   string // with its question mark
	length  int64  // Content-Length; -1 where it is not known
	agent   string
	referer string
	remote  string   // the client, host:port
	trace   []string // X-B3-Traceid
}

// logs tells whether an engine is to set exchange.logged.
func (s *Server) logs() bool { return s.accessLog != nil }

// accessLine is Knative's default template, line end included.
const accessLine = `{"httpRequest": {"requestMethod": "%s", "requestUrl": "%s", "requestSize": "%d", "status": %d, ` +
	`"responseSize": "%d", "userAgent": "%s", "remoteIp": "%s", "serverIp": "%s", "referer": "%s", ` +
	`"latency": "%vs", "protocol": "%s"}, "traceId": "%s"}` + "\n"

// log writes the exchange's line, where queue-proxy would write one: of requests
// that came to it and are no probe.
func (x *exchange) log(ended time.Time) {
	l := x.logged
	if l == nil || x.uncounted || x.reached.IsZero() {
		return
	}
	status, size := x.recorded()
	js := template.JSEscapeString
	line := fmt.Appendf(nil, accessLine,
		x.fact.Method, js(x.path+l.query), l.length, status,
		size, js(l.agent), js(l.remote), x.replica.address.Addr(), js(l.referer),
		ended.Sub(x.reached).Seconds(), x.fact.Proto, fmt.Sprint(l.trace))
	_, _ = x.server.accessLog.Write(line) // a log that cannot be written is no reason to fail a request
}

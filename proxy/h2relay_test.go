package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

func TestTheContainerSeesOfHTTP2WhatQueueProxyLetsThrough(t *testing.T) {
	plain, deployed := iris(), iris()
	deployed.Deployed = true
	for _, row := range []struct {
		fact         string
		model        Model
		method, path string
		fields       []string
		has, hasNot  []string
	}{
		{"path and query go byte for byte", plain, "GET", "//a/../%2F;p/%41?x=1;y=%zz&&%00", nil, []string{"GET //a/../%2F;p/%41?x=1;y=%zz&&%00 HTTP/2.0"}, nil},
		{"a question mark alone stays", plain, "GET", "/a?", nil, []string{"GET /a? HTTP/2.0"}, nil},
		{"a path that is no valid encoding is encoded as a whole", plain, "GET", "/ü('x')<>", nil, []string{"GET /%C3%BC%28%27x%27%29%3C%3E HTTP/2.0"}, nil},
		{"the predict path is rewritten, with its query", plain, "POST", "/v1/models/iris-1:predict?a=b", nil, []string{"POST /v1/models/iris-1-r2:predict?a=b HTTP/2.0", "Content-Length: 0"}, nil},
		{"K-Original-Host becomes Host", plain, "GET", "/", []string{"k-original-host", "iris.example"}, []string{"Host: iris.example"}, []string{"K-Original-Host: iris.example"}},
		{"an odd method passes", plain, "BREW", "/pot", nil, []string{"BREW /pot HTTP/2.0"}, nil},
		{"what is of a hop is removed", plain, "GET", "/", []string{"proxy-authorization", "a", "proxy-authenticate", "b", "x-yours", "c"}, []string{"X-Yours: c"}, []string{"Proxy-Authorization: a", "Proxy-Authenticate: b"}},
		{"te: trailers passes", plain, "GET", "/", []string{"te", "trailers"}, []string{"Te: trailers"}, nil},
		{"Knative's routing headers end here, its other ones pass", plain, "GET", "/", []string{"knative-serving-revision", "r", "knative-serving-namespace", "n", "knative-serving-tag", "t", "k-proxy-request", "activator"}, []string{"Knative-Serving-Tag: t", "K-Proxy-Request: activator"}, []string{"Knative-Serving-Revision: r", "Knative-Serving-Namespace: n"}},
		{"the client is one hop, and nothing else is added", plain, "GET", "/", nil, []string{"Host: iris-1.sample.localhost", "X-Forwarded-For: 127.0.0.1"}, []string{"User-Agent: Go-http-client/2.0", "Accept-Encoding: gzip", "Forwarded: for=127.0.0.1"}},
		{"the hops before it are one line", plain, "GET", "/", []string{"x-forwarded-for", "1.2.3.4, ::1", "x-forwarded-for", "5.6.7.8", "x-forwarded-proto", "https", "x-forwarded-host", "front"}, []string{"X-Forwarded-For: 1.2.3.4, ::1, 5.6.7.8, 127.0.0.1", `Forwarded: for=1.2.3.4;host=front;proto=https, for="[::1]"`, "X-Forwarded-Proto: https", "X-Forwarded-Host: front"}, nil},
		{"a Forwarded that came is kept", plain, "GET", "/", []string{"forwarded", "for=9.9.9.9"}, []string{"Forwarded: for=9.9.9.9"}, nil},
		{"repeated fields stay apart", plain, "GET", "/", []string{"x-a", "1", "x-a", "2"}, []string{"X-A: 1", "X-A: 2"}, nil},
		{"cookies that were parted are one", plain, "GET", "/", []string{"cookie", "a=1", "cookie", "b=2"}, []string{"Cookie: a=1; b=2"}, nil},
		{"a header of many frames", plain, "GET", "/", []string{"x-long", strings.Repeat("y", 50_000)}, []string{"X-Long: " + strings.Repeat("y", 50_000)}, nil},
		{"the whole chain: Host, K-Proxy-Request, two hops", deployed, "GET", "/", []string{"k-proxy-request", "me"}, []string{"Host: iris-1-r2-predictor.sample.svc.cluster.local", "K-Proxy-Request: activator", "X-Forwarded-For: 127.0.0.1, 127.0.0.1", "Forwarded: for=127.0.0.1"}, []string{"K-Proxy-Request: me"}},
		{"the whole chain: the predict path overwrites a Content-Type", deployed, "POST", "/v1/models/iris-1:predict", []string{"content-type", "text/csv"}, []string{"Content-Type: application/json"}, []string{"Content-Type: text/csv"}},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := front(t, row.model, echo)
			c := p.speak()
			c.ask(1, true, row.method, row.path, row.fields...)
			answer := c.answer(1)
			got := strings.Split(strings.ReplaceAll(answer.body, "\r", ""), "\n")
			for _, line := range row.has {
				if !slices.Contains(got, line) {
					t.Errorf("no line %.200q in:\n%.2000s", line, strings.Join(got, "\n"))
				}
			}
			for _, line := range row.hasNot {
				if slices.Contains(got, line) {
					t.Errorf("line %q in:\n%s", line, strings.Join(got, "\n"))
				}
			}
		})
	}
}

func TestTheClientSeesOverHTTP2WhatTheContainerAnswered(t *testing.T) {
	for _, row := range []struct {
		fact   string
		method string
		answer func(c *h2Peer, stream uint32)
		want   seen // header and trailer: these at least; empty: not there
	}{
		{"a trailers-only answer gets a date and a length", "POST", func(c *h2Peer, id uint32) {
			c.head(id, true, ":status", "200", "content-type", "application/grpc", "grpc-status", "5")
		}, seen{status: "200", header: map[string]string{"grpc-status": "5", "content-length": "0", "content-type": "application/grpc"}}},
		{"a date that came is kept", "GET", func(c *h2Peer, id uint32) { c.head(id, true, ":status", "404", "date", "then") }, seen{status: "404", header: map[string]string{"date": "then"}}},
		{"headers of a hop are removed, others pass", "GET", func(c *h2Peer, id uint32) {
			c.head(id, true, ":status", "200", "connection", "x", "keep-alive", "3", "x-a", "1", "x-a", "2", "server", "mine")
		}, seen{status: "200", header: map[string]string{"x-a": "1|2", "server": "mine", "connection": "", "keep-alive": ""}}},
		{"a status with a sign", "GET", func(c *h2Peer, id uint32) { c.head(id, true, ":status", "+204") }, seen{status: "204"}},
		{"an unknown status", "GET", func(c *h2Peer, id uint32) { c.head(id, true, ":status", "599") }, seen{status: "599"}},
		{"HEAD keeps the length", "HEAD", func(c *h2Peer, id uint32) { c.head(id, true, ":status", "200", "content-length", "7") }, seen{status: "200", header: map[string]string{"content-length": "7"}}},
		{"204 has no length", "GET", func(c *h2Peer, id uint32) { c.head(id, true, ":status", "204") }, seen{status: "204", header: map[string]string{"content-length": ""}}},
		{"every 1xx passes", "GET", func(c *h2Peer, id uint32) {
			c.head(id, false, ":status", "103", "link", "</a>")
			c.head(id, false, ":status", "102")
			c.head(id, true, ":status", "404")
		}, seen{informed: []string{"103", "102"}, status: "404"}},
		{"a missing Content-Type is filled in from the body", "GET", func(c *h2Peer, id uint32) {
			c.head(id, false, ":status", "200", "content-length", "6")
			_ = c.WriteData(id, true, []byte("<html>"))
		}, seen{status: "200", header: map[string]string{"content-type": "text/html; charset=utf-8"}, body: "<html>"}},
		{"not where it is encoded", "GET", func(c *h2Peer, id uint32) {
			c.head(id, false, ":status", "200", "content-length", "3", "content-encoding", "gzip")
			_ = c.WriteData(id, true, []byte("\x1f\x8b\x08"))
		}, seen{status: "200", header: map[string]string{"content-type": ""}, body: "\x1f\x8b\x08"}},
		{"body and trailers", "GET", func(c *h2Peer, id uint32) {
			c.head(id, false, ":status", "200", "content-type", "a/b")
			_ = c.WriteData(id, false, []byte("abc"))
			c.head(id, true, "x-sum", "42")
		}, seen{status: "200", body: "abc", trailer: map[string]string{"x-sum": "42"}}},
		{"padding is the connection's", "GET", func(c *h2Peer, id uint32) {
			c.head(id, false, ":status", "200", "content-type", "a/b")
			_ = c.WriteDataPadded(id, true, []byte("abc"), make([]byte, 200))
		}, seen{status: "200", body: "abc"}},
		{"a header of many frames", "GET", func(c *h2Peer, id uint32) {
			c.head(id, true, ":status", "200", "x-long", strings.Repeat("y", 50_000))
		}, seen{status: "200", header: map[string]string{"x-long": strings.Repeat("y", 50_000)}}},
		{"a complete answer to a request that goes on ends it", "POST", func(c *h2Peer, id uint32) {
			c.head(id, true, ":status", "403", "content-length", "0")
			_ = c.WriteRSTStream(id, http2.ErrCodeNo)
		}, seen{status: "403"}},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := open(t, Options{Models: []Model{iris()}})
			p.Route("iris-1", 1, []netip.AddrPort{scripted(t, func(c *h2Peer) {
				if f := c.request(); f != nil {
					row.answer(c, f.StreamID)
					c.wait()
				}
			})})
			c := p.speak()
			c.ask(1, row.method != "POST", row.method, "/")
			got := c.answer(1)
			if got.status != row.want.status || got.body != row.want.body || !slices.Equal(got.informed, row.want.informed) || got.reset != "" {
				t.Errorf("got %.500v, want %.500v", got, row.want)
			}
			if row.want.header["date"] == "" && got.header["date"] == "" {
				t.Error("no date")
			}
			hasFields(t, got.header, row.want.header)
			hasFields(t, got.trailer, row.want.trailer)
			if told := p.told(); fmt.Sprint(told.Status) != row.want.status || told.Error != "" {
				t.Errorf("told %+v", told)
			}
		})
	}
}

func hasFields(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %.200q, want %.200q", name, got[name], value)
		}
	}
}

func TestWhatIsNoHTTP2RequestReachesNoContainer(t *testing.T) {
	var container witness
	p := front(t, iris(), container.ServeHTTP)
	get := []string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/"}
	for _, row := range []struct {
		fact   string
		fields []string
		want   string // a status, or the code of a reset
	}{
		{"OPTIONS * is answered as net/http does", []string{":method", "OPTIONS", ":scheme", "http", ":authority", "h", ":path", "*"}, "200"},
		{"more than 1 MiB of header", append(get, slices.Repeat([]string{"x", strings.Repeat("x", 1000)}, 1100)...), "431"},
		{"a header of the connection", append(get, "upgrade", "x"), "400"},
		{"te: gzip", append(get, "te", "gzip"), "400"},
		{"no method", []string{":scheme", "http", ":authority", "h", ":path", "/"}, "PROTOCOL_ERROR"},
		{"no path", []string{":method", "GET", ":scheme", "http", ":authority", "h"}, "PROTOCOL_ERROR"},
		{"a path without its slash", []string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", "a"}, "PROTOCOL_ERROR"},
		{"an invalid escape in the path", []string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/%zz"}, "PROTOCOL_ERROR"},
		{"an unknown scheme", []string{":method", "GET", ":scheme", "ftp", ":authority", "h", ":path", "/"}, "PROTOCOL_ERROR"},
		{"a user in the authority", []string{":method", "GET", ":scheme", "http", ":authority", "a@h", ":path", "/"}, "PROTOCOL_ERROR"},
		{"CONNECT with a path", []string{":method", "CONNECT", ":authority", "h", ":path", "/"}, "PROTOCOL_ERROR"},
		{"an extended CONNECT", []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "h", ":path", "/"}, "PROTOCOL_ERROR"},
		{"a status in a request", append(get, ":status", "200"), "PROTOCOL_ERROR"},
		{"a pseudo header behind others", []string{":method", "GET", ":scheme", "http", "x", "y", ":authority", "h", ":path", "/"}, "PROTOCOL_ERROR"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			c := p.speak()
			c.head(1, true, row.fields...)
			if got := c.answer(1); got.status+got.reset != row.want {
				t.Errorf("got %+v, want %s", got, row.want)
			}
			if seen := container.take(); len(seen) > 0 {
				t.Errorf("the container saw %q", seen)
			}
		})
	}
	if len(p.served) > 0 {
		t.Errorf("told %+v", p.told())
	}
}

func TestTwoModelsAndRevisionsAreReachedOnOneConnection(t *testing.T) {
	p := open(t, Options{Models: session()})
	name := func(name string) netip.AddrPort {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	}
	p.Route("iris-1", 1, []netip.AddrPort{name("iris")})
	p.Route("churn-7", 1, []netip.AddrPort{name("churn")})
	c := p.speak()
	ask := func(stream uint32, host, want string) {
		t.Helper()
		c.head(stream, true, ":method", "GET", ":scheme", "http", ":authority", host, ":path", "/")
		if got := c.answer(stream); got.body != want {
			t.Errorf("%s: got %+v, want %s", host, got, want)
		}
	}
	ask(1, "iris-1.sample.localhost", "iris")
	ask(3, "churn-7.other.localhost", "churn")
	ask(5, "iris-1.sample.localhost", "iris")
	p.Route("iris-1", 2, []netip.AddrPort{name("iris again")})
	ask(7, "iris-1.sample.localhost", "iris again")
	ask(9, "churn-7.other.localhost", "churn")
}

func TestARevisionThatIsReplacedServesItsStreamsAndNoOther(t *testing.T) {
	gone := make(chan struct{})
	p := open(t, Options{Models: []Model{iris()}})
	finish := make(chan struct{})
	p.Route("iris-1", 1, []netip.AddrPort{scripted(t, func(c *h2Peer) {
		f := c.request()
		if f == nil {
			return
		}
		c.head(f.StreamID, false, ":status", "200", "content-type", "a/b")
		<-finish
		_ = c.WriteData(f.StreamID, true, []byte("old"))
		if c.request() == nil { // until the port closes it
			close(gone)
		}
	})})
	c := p.speak()
	c.ask(1, true, "GET", "/")
	if _, ok := c.await(func(f http2.Frame) bool { _, ok := f.(*http2.MetaHeadersFrame); return ok }); !ok {
		t.Fatal("no answer")
	}
	p.Route("iris-1", 2, []netip.AddrPort{serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "new") })})
	c.ask(3, true, "GET", "/")
	if got := c.answer(3); got.body != "new" {
		t.Errorf("got %+v", got)
	}
	close(finish)
	if got := c.answer(1); got.body != "old" {
		t.Errorf("got %+v", got)
	}
	hears(t, "the connection to the forgotten replica ends", gone)
}

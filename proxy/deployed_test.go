package proxy

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhereTheWholeChainIsPlayedTheContainerSeesAllOfIt(t *testing.T) {
	deployed := session()
	for i := range deployed {
		deployed[i].Deployed = true
	}
	p := open(t, Options{Models: deployed})
	at := serve(t, echo)
	for _, m := range deployed {
		p.Route(m.ID, 1, []netip.AddrPort{at})
	}
	const predict = "POST /v1/models/iris-1:predict HTTP/1.1"
	for _, row := range []struct {
		fact    string
		request string
		has     []string
		hasNot  []string
	}{
		{
			"Host, K-Proxy-Request, two hops, and Forwarded of the first",
			request("GET / HTTP/1.1", "Host: iris-1.sample.localhost:8080"),
			[]string{"Host: iris-1-r2-predictor.sample.svc.cluster.local", "K-Proxy-Request: activator", "X-Forwarded-For: 127.0.0.1, 127.0.0.1", "Forwarded: for=127.0.0.1"},
			[]string{"K-Original-Host: iris-1.sample.localhost:8080", "X-Forwarded-Proto: http"},
		},
		{
			"the hops of an earlier proxy stand first",
			request("GET / HTTP/1.1", "Host: iris-1.sample.localhost", "X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https"),
			[]string{"X-Forwarded-For: 9.9.9.9, 127.0.0.1, 127.0.0.1", "Forwarded: for=9.9.9.9;proto=https, for=127.0.0.1"},
			nil,
		},
		{
			"by the revision's own host too",
			request("GET / HTTP/1.1", "Host: iris-1-r2.sample.localhost"),
			[]string{"Host: iris-1-r2-predictor.sample.svc.cluster.local"},
			nil,
		},
		{
			"K-Original-Host is not overwritten by the activator",
			request("GET / HTTP/1.1", "Host: iris-1.sample.localhost", "K-Original-Host: mine"),
			[]string{"Host: mine"},
			nil,
		},
		{
			"the version endpoint's predict path overwrites a Content-Type",
			request(predict, "Host: iris-1.sample.localhost", "Content-Type: text/csv", "Content-Length: 1") + "x",
			[]string{"POST /v1/models/iris-1-r2:predict HTTP/1.1", "Content-Type: application/json"},
			[]string{"Content-Type: text/csv"},
		},
		{
			"and adds none",
			request(predict, "Host: iris-1.sample.localhost", "Content-Length: 1") + "x",
			nil,
			[]string{"Content-Type: application/json"},
		},
		{
			"on no other path",
			request("POST /v1/models/iris-1-r2:predict HTTP/1.1", "Host: iris-1.sample.localhost", "Content-Type: text/csv"),
			[]string{"Content-Type: text/csv"},
			nil,
		},
		{
			"on no other endpoint",
			request(predict, "Host: iris-1-r2.sample.localhost", "Content-Type: text/csv"),
			[]string{"Content-Type: text/csv"},
			nil,
		},
		{
			"not for UPI",
			request("POST /v1/models/eta-1:predict HTTP/1.1", "Host: eta-1.sample.localhost", "Content-Type: application/grpc"),
			[]string{"Content-Type: application/grpc", "Host: eta-1-r1-predictor.sample.svc.cluster.local"},
			nil,
		},
	} {
		t.Run(row.fact, func(t *testing.T) {
			got := strings.Split(strings.ReplaceAll(body(t, parse(t, p.raw(row.request))), "\r", ""), "\n")
			for _, line := range row.has {
				if !slices.Contains(got, line) {
					t.Errorf("no line %q in:\n%s", line, strings.Join(got, "\n"))
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

func TestWhereTheWholeChainIsPlayedTheActivatorsClockStrikesFirst(t *testing.T) {
	m := iris()
	m.Deployed, m.Timeout = true, 20*time.Millisecond
	p := front(t, m, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	res, err := client(t, false).Get("http://" + p.address)
	if err != nil {
		t.Fatal(err)
	}
	isTimeout(t, res, "activator request timeout")
}

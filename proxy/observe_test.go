package proxy

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestEveryRequestIsToldOnce(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	})
	p := open(t, Options{Models: session()})
	p.Route("churn-7", 5, []netip.AddrPort{at})
	p.Fail("iris-1", "no")
	for _, row := range []struct {
		fact, request string
		want          fact
	}{
		{
			"answered: where, what and how much; the query may hold secrets and is left out",
			"POST /v1/models/churn-7:predict?token=secret HTTP/1.1\r\nHost: Churn-7.other.localhost:80\r\nContent-Length: 4\r\n\r\nbody",
			fact{"churn-7", 5, served("POST", "Churn-7.other.localhost:80", "/v1/models/churn-7:predict", 418, at.String(), 4, 15, "")},
		},
		{
			"a failed model",
			"GET /a HTTP/1.1\r\nHost: iris-1.sample.localhost\r\n\r\n",
			fact{"iris-1", 0, served("GET", "iris-1.sample.localhost", "/a", 503, "", 0, 0, "model iris-1 does not serve: no")},
		},
		{
			"an unknown host is nobody's",
			"GET /a%20b HTTP/1.1\r\nHost: x\r\n\r\n",
			fact{"", 0, served("GET", "x", "/a%20b", 404, "", 0, 0, `no model answers at host "x"`)},
		},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p.ask(row.request)
			got := p.told()
			if got.Took <= 0 {
				t.Errorf("took %v", got.Took)
			}
			row.want.ID, row.want.Sent, row.want.FirstByte, row.want.Took = got.ID, got.Sent, got.FirstByte, got.Took
			if got != row.want {
				t.Errorf("told %+v\nwant %+v", got, row.want)
			}
		})
	}
	if n := len(p.served); n > 0 {
		t.Errorf("%d more", n)
	}
}

func TestWhatNetHTTPComplainsOfIsANotice(t *testing.T) {
	p := open(t, Options{})
	_, _ = complaints{p}.Write([]byte("http: something odd\n"))
	if got := (<-p.notices).Text; !strings.Contains(got, "something odd") || strings.HasSuffix(got, "\n") {
		t.Errorf("told %q", got)
	}
}

func served(method, host, path string, status int, replica string, in, out int64, err string) event.Served {
	return event.Served{Method: method, Host: host, Path: path, Proto: "HTTP/1.1", Status: status, Replica: replica, BytesIn: in, BytesOut: out, Error: err}
}

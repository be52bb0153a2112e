package proxy

import (
	"bufio"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// request makes a request of one line, header lines, and body.
func request(line string, header ...string) string {
	return line + "\r\n" + strings.Join(append(header, "Connection: close"), "\r\n") + "\r\n\r\n"
}

func TestTheContainerSeesWhatQueueProxyLetsThrough(t *testing.T) {
	p := front(t, iris(), echo)
	for _, row := range []struct {
		fact    string
		request string
		has     []string // lines of what the container got
		hasNot  []string
	}{
		{
			"path and query go byte for byte",
			request("GET //a/../%2F;p/%41?x=1;y=%zz&&%00 HTTP/1.1", "Host: h"),
			[]string{"GET //a/../%2F;p/%41?x=1;y=%zz&&%00 HTTP/1.1"},
			nil,
		},
		{
			"a question mark alone stays",
			request("GET /a? HTTP/1.1", "Host: h"),
			[]string{"GET /a? HTTP/1.1"},
			nil,
		},
		{
			"a path that is no valid encoding is encoded as a whole",
			request("GET /ü('x')<> HTTP/1.1", "Host: h"),
			[]string{"GET /%C3%BC%28%27x%27%29%3C%3E HTTP/1.1"},
			nil,
		},
		{
			"Host goes unchanged, with port and case",
			request("GET / HTTP/1.1", "Host: MiXed.example:81"),
			[]string{"Host: MiXed.example:81"},
			nil,
		},
		{
			"an absolute target wins over Host",
			request("GET http://target.example/a?b HTTP/1.1", "Host: other"),
			[]string{"GET /a?b HTTP/1.1", "Host: target.example"},
			[]string{"Host: other"},
		},
		{
			"K-Original-Host becomes Host",
			request("GET / HTTP/1.1", "Host: h", "K-Original-Host: iris.example"),
			[]string{"Host: iris.example"},
			[]string{"K-Original-Host: iris.example"},
		},
		{
			"an odd method passes",
			request("BREW /pot HTTP/1.1", "Host: h"),
			[]string{"BREW /pot HTTP/1.1"},
			nil,
		},
		{
			"an HTTP/1.0 client becomes HTTP/1.1",
			request("GET / HTTP/1.0", "Host: h"),
			[]string{"GET / HTTP/1.1"},
			nil,
		},
		{
			"hop-by-hop headers and those that Connection names are removed",
			request("GET / HTTP/1.1", "Host: h", "Keep-Alive: 5", "Proxy-Connection: keep-alive", "Proxy-Authorization: a", "Te: gzip", "Upgrade: x", "X-Mine: a", "Connection: X-Mine", "X-Yours: b"),
			[]string{"X-Yours: b"},
			[]string{"Keep-Alive: 5", "Proxy-Connection: keep-alive", "Proxy-Authorization: a", "Te: gzip", "Upgrade: x", "X-Mine: a"},
		},
		{
			"Te: trailers is the one that passes",
			request("GET / HTTP/1.1", "Host: h", "Te: trailers"),
			[]string{"Te: trailers"},
			nil,
		},
		{
			"Knative's routing headers end here, its other ones pass",
			request("GET / HTTP/1.1", "Host: h", "Knative-Serving-Revision: r", "Knative-Serving-Namespace: n", "Knative-Serving-Tag: t", "K-Proxy-Request: activator", "Authorization: a", "Cookie: c", "Traceparent: t"),
			[]string{"Knative-Serving-Tag: t", "K-Proxy-Request: activator", "Authorization: a", "Cookie: c", "Traceparent: t"},
			[]string{"Knative-Serving-Revision: r", "Knative-Serving-Namespace: n"},
		},
		{
			"X-Forwarded-For: the client is one hop; nothing else is added",
			request("GET / HTTP/1.1", "Host: h"),
			[]string{"X-Forwarded-For: 127.0.0.1"},
			[]string{"User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip", "X-Forwarded-Proto: http", "X-Forwarded-Host: h", "Forwarded: for=127.0.0.1"},
		},
		{
			"X-Forwarded-For: lines are joined; Forwarded is made of the first as it came",
			request("GET / HTTP/1.1", "Host: h", "X-Forwarded-For: 1.2.3.4, ::1", "X-Forwarded-For: 5.6.7.8", "X-Forwarded-Proto: https", "X-Forwarded-Host: front"),
			[]string{"X-Forwarded-For: 1.2.3.4, ::1, 5.6.7.8, 127.0.0.1", `Forwarded: for=1.2.3.4;host=front;proto=https, for="[::1]"`, "X-Forwarded-Proto: https", "X-Forwarded-Host: front"},
			nil,
		},
		{
			"Forwarded is made of the protocol alone too",
			request("GET / HTTP/1.1", "Host: h", "X-Forwarded-Proto: https"),
			[]string{"Forwarded: proto=https"},
			nil,
		},
		{
			"a Forwarded that came is kept",
			request("GET / HTTP/1.1", "Host: h", "Forwarded: for=9.9.9.9", "X-Forwarded-For: 1.2.3.4"),
			[]string{"Forwarded: for=9.9.9.9", "X-Forwarded-For: 1.2.3.4, 127.0.0.1"},
			nil,
		},
		{
			"repeated headers stay apart, names are canonical",
			request("GET / HTTP/1.1", "Host: h", "x-a: 1", "X-A: 2", "user-AGENT: me"),
			[]string{"X-A: 1", "X-A: 2", "User-Agent: me"},
			nil,
		},
		{
			"a body of known length",
			request("POST / HTTP/1.1", "Host: h", "Content-Length: 5") + "hello",
			[]string{"Content-Length: 5", "hello"},
			nil,
		},
		{
			"POST without a body",
			request("POST / HTTP/1.1", "Host: h"),
			[]string{"Content-Length: 0"},
			nil,
		},
		{
			"a body on GET passes",
			request("GET / HTTP/1.1", "Host: h", "Content-Length: 2") + "hi",
			[]string{"Content-Length: 2", "hi"},
			nil,
		},
		{
			"a chunked body with trailers",
			request("POST / HTTP/1.1", "Host: h", "Transfer-Encoding: chunked", "Trailer: X-Sum") + "3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n",
			[]string{"abcX-Sum: 42"},
			[]string{"Content-Length: 3"},
		},
		{
			"a content coding is nobody's business",
			request("GET / HTTP/1.1", "Host: h", "Accept-Encoding: br"),
			[]string{"Accept-Encoding: br"},
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

func TestAMissingHostIsTheContainersAddress(t *testing.T) {
	at := serve(t, echo)
	p := open(t, Options{Models: []Model{iris()}})
	p.Route("iris-1", 1, []netip.AddrPort{at})
	if got := p.raw("GET / HTTP/1.0\r\n\r\n"); !strings.Contains(got, "\nHost: "+at.String()+"\n") {
		t.Errorf("got %q", got)
	}
}

func TestNetHTTPAnswersWhatIsNoRequest(t *testing.T) {
	p := front(t, iris(), echo)
	for _, row := range []struct{ fact, request, want string }{
		{"HTTP/1.1 without Host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request: missing required Host header"},
		{"an invalid escape in the path", request("GET /%zz HTTP/1.1", "Host: h"), "HTTP/1.1 400 Bad Request"},
		{"a path without its slash", request("GET a HTTP/1.1", "Host: h"), "HTTP/1.1 400 Bad Request"},
		{"an Expect that nobody knows", request("POST / HTTP/1.1", "Host: h", "Expect: a-miracle", "Content-Length: 0"), "HTTP/1.1 417 Expectation Failed"},
		{"OPTIONS *", request("OPTIONS * HTTP/1.1", "Host: h"), "HTTP/1.1 200 OK"},
		{"more than 1 MiB of header", request("GET / HTTP/1.1", "Host: h", "X: "+strings.Repeat("x", 1<<20+8<<10)), "HTTP/1.1 431 Request Header Fields Too Large"},
		{"two lengths", request("POST / HTTP/1.1", "Host: h", "Content-Length: 1", "Content-Length: 2") + "ab", "HTTP/1.1 400 Bad Request"},
		{"what is no HTTP", "hello there\r\n\r\n", "HTTP/1.1 400 Bad Request"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			conn := p.dial()
			send(t, conn, row.request)
			got, _, err := bufio.NewReader(conn).ReadLine()
			if err != nil || string(got) != row.want {
				t.Errorf("got %q, %v; want %q", got, err, row.want)
			}
		})
	}
}

package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// tape is a container that gives the answers in turn, and keeps the requests as they
// came. An answer that ends in "<end>" ends its connection.
type tape struct {
	mu      sync.Mutex
	answers []string
	seen    bytes.Buffer
}

func (c *tape) answer() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.answers) == 0 {
		return "<end>"
	}
	next := c.answers[0]
	c.answers = c.answers[1:]
	return next
}

func (c *tape) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen.Write(p)
}

// play serves until the test ends.
func (c *tape) play(t *testing.T) netip.AddrPort {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); conns.Wait() })
	conns.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { c.serve(conn) })
		}
	})
	return netip.MustParseAddrPort(ln.Addr().String())
}

func (c *tape) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	read := bufio.NewReader(io.TeeReader(conn, c))
	for {
		r, err := http.ReadRequest(read)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		text, ends := strings.CutSuffix(c.answer(), "<end>")
		if _, err := io.WriteString(conn, text); err != nil || ends {
			return
		}
	}
}

// carried returns what client and container get where one engine is between them.
func carried(t *testing.T, general, drips bool, request string, answers []string) (client, container string) {
	t.Helper()
	defer func(was bool) { onGeneral = was }(onGeneral)
	onGeneral = general
	p := open(t, Options{Models: []Model{iris()}})
	c := &tape{answers: answers}
	p.Route("iris-1", 1, []netip.AddrPort{c.play(t)})
	conn := p.dial()
	if drips {
		for i := range len(request) {
			if _, err := io.WriteString(conn, request[i:i+1]); err != nil {
				break // it was refused already
			}
		}
	} else {
		send(t, conn, request)
	}
	got, _ := io.ReadAll(conn)
	p.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	return plainly(string(got)), plainly(unchunked(c.seen.String()))
}

// unchunked is a request without its chunks' sizes: they depend on what came together.
func unchunked(request string) string {
	header, body, _ := strings.Cut(request, "\r\n\r\n")
	if !strings.Contains(header, "chunked") {
		return request
	}
	read := bufio.NewReader(strings.NewReader(body))
	whole, err := io.ReadAll(httputil.NewChunkedReader(read))
	rest, _ := io.ReadAll(read)
	return fmt.Sprintf("%s\r\n\r\n%s %v %q", header, whole, err, rest)
}

var changing = regexp.MustCompile(`Date: [^\r]*|127\.0\.0\.1:\d+`)

func plainly(text string) string { return changing.ReplaceAllString(text, "") }

const (
	ok2      = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
	chunked3 = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
)

func TestBothEnginesCarryTheSameBytes(t *testing.T) {
	if onGeneral {
		t.Skip("it compares the two")
	}
	get := request("GET / HTTP/1.1", "Host: h")
	one := func(answer string) []string { return []string{answer} }
	for _, row := range []struct {
		fact    string
		request string
		answers []string
	}{
		{"a request and its answer", get, one(ok2)},
		{"what a browser sends", request("GET /a/b?c=d&e HTTP/1.1", "Host: h:1", "user-agent: Mozilla/5.0 (X11)", "Accept: */*", "ACCEPT-ENCODING: gzip, br", "Cookie: a=b; c=d", "Pragma: no-cache", "Sec-Fetch-Mode:   cors\t"), one(ok2)},
		{"an empty Host", request("GET / HTTP/1.1", "Host:"), one(ok2)},
		{"two User-Agents, and an empty one", request("GET / HTTP/1.1", "Host: h", "User-Agent:", "User-Agent: b"), one(ok2)},
		{"many headers of one name", request("GET / HTTP/1.1", append([]string{"Host: h"}, strings.Split(strings.Repeat("X-A: 1|B: 2|x-a: 3|C:|", 12)+"D: 4", "|")...)...), one(ok2)},
		{"forwarded headers", request("GET / HTTP/1.1", "Host: h", "X-Forwarded-For: a, b", "x-forwarded-for: ::1", "X-Forwarded-Proto: https", "Z: 1"), one(ok2)},
		{"hop-by-hop headers of the request", request("GET / HTTP/1.1", "Host: h", "Keep-Alive: 1", "Proxy-Authorization: x", "Proxy-Connection: close", "A: 1"), one(ok2)},
		{"headers that Connection names", "GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-B: 2\r\nConnection: close, x-a\r\n\r\n", one(ok2)},
		{"Te", request("GET / HTTP/1.1", "Host: h", "Te: trailers, deflate"), one(ok2)},
		{"K-Original-Host", request("GET / HTTP/1.1", "Host: h", "K-Original-Host: o"), one(ok2)},
		{"a path that is to be encoded", request("GET /ü|\"<>?ü HTTP/1.1", "Host: h"), one(ok2)},
		{"an escape that is none", request("GET /%zz HTTP/1.1", "Host: h"), nil},
		{"an absolute target", request("GET http://other/a HTTP/1.1", "Host: h"), one(ok2)},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", one(ok2)},
		{"HTTP/1.0 keeps alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nHost: h\r\n\r\nGET /b HTTP/1.0\r\n\r\n", []string{ok2, ok2}},
		{"bare line feeds", "GET / HTTP/1.1\nHost: h\nConnection: close\n\n", one(ok2)},
		{"a folded header", request("GET / HTTP/1.1", "Host: h", "X: a\r\n b"), one(ok2)},
		{"a header of 30 KiB", request("GET / HTTP/1.1", "Host: h", "X: "+strings.Repeat("x", 30<<10)), one(ok2)},
		{"no such method", request("G(T / HTTP/1.1", "Host: h"), nil},
		{"no Host", request("GET / HTTP/1.1"), nil},
		{"a Host that is none", request("GET / HTTP/1.1", "Host: a b"), nil},
		{"two Hosts", request("GET / HTTP/1.1", "Host: a", "Host: b"), nil},
		{"HTTP/2.0", request("GET / HTTP/2.0", "Host: h"), nil},
		{"HTTP/1.2", request("GET / HTTP/1.2", "Host: h"), one(ok2)},
		{"a body", request("POST / HTTP/1.1", "Host: h", "Content-Length: 5") + "hello", one(ok2)},
		{"a body of 100 KiB", request("PUT / HTTP/1.1", "Host: h", "Content-Length: 102400") + strings.Repeat("0123456789", 10240), one(ok2)},
		{"an announced length of nothing", request("DELETE / HTTP/1.1", "Host: h", "Content-Length: 0"), one(ok2)},
		{"POST, PUT and PATCH say their length, also of nothing", "POST / HTTP/1.1\r\nHost: h\r\n\r\nPUT / HTTP/1.1\r\nHost: h\r\n\r\n" + request("PATCH / HTTP/1.1", "Host: h"), []string{ok2, ok2, ok2}},
		{"a chunked body in one chunk", request("POST / HTTP/1.1", "Host: h", "Transfer-Encoding: Chunked") + "5\r\nhello\r\n0\r\n\r\n", one(ok2)},
		{"a chunked body of nothing", request("POST / HTTP/1.1", "Host: h", "Transfer-Encoding: chunked") + "0\r\n\r\n", one(ok2)},
		{"a length in a list", request("POST / HTTP/1.1", "Host: h", "Content-Length: 2, 2") + "ab", nil},
		{"the same length twice", request("POST / HTTP/1.1", "Host: h", "Content-Length: 2", "Content-Length: 2") + "ab", one(ok2)},
		{"length and chunks", request("POST / HTTP/1.1", "Host: h", "Content-Length: 2", "Transfer-Encoding: chunked") + "1\r\na\r\n0\r\n\r\n", one(ok2)},
		{"another encoding", request("POST / HTTP/1.1", "Host: h", "Transfer-Encoding: gzip, chunked"), nil},
		{"pipelined requests", "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi" + request("GET /c HTTP/1.1", "Host: h"), []string{ok2, chunked3, ok2}},
		{"pipelined around one that is lent", "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\nTe: trailers\r\nContent-Length: 2\r\n\r\nhiGET /c HTTP/1.1\r\nHost: h\r\n\r\nGET /d HTTP/1.1\r\nHost: h\r\nTe: trailers\r\n\r\n" + request("GET /e HTTP/1.1", "Host: h"), []string{ok2, ok2, chunked3, ok2, ok2}},
		{"line ends behind a POST are forgiven", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi\r\n\r\n" + request("GET /b HTTP/1.1", "Host: h"), []string{ok2, ok2}},
		{"line ends behind a GET are not", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n\r\n" + request("GET /b HTTP/1.1", "Host: h"), one(ok2)},
		{"garbage behind a request", "GET /a HTTP/1.1\r\nHost: h\r\n\r\ngarbage\r\n\r\n", one(ok2)},
		{"OPTIONS *", request("OPTIONS * HTTP/1.1", "Host: h"), nil},
		{"another Expect", request("POST / HTTP/1.1", "Host: h", "Expect: x", "Content-Length: 0"), nil},

		{"HEAD of a length", request("HEAD / HTTP/1.1", "Host: h"), one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\n")},
		{"HEAD of chunks", request("HEAD / HTTP/1.1", "Host: h"), one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n")},
		{"HEAD of a 502", request("HEAD / HTTP/1.1", "Host: h"), nil},
		{"204", get, one("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX: 1\r\n\r\n")},
		{"304 loses what speaks of a body", get, one("HTTP/1.1 304 Not Modified\r\nContent-Type: a/b\r\nContent-Length: 7\r\nEtag: \"e\"\r\n\r\n")},
		{"an answer of no length", get, one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 0\r\n\r\n")},
		{"an answer in one chunk", get, one(chunked3)},
		{"an answer until the end", get, one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nabc<end>")},
		{"an answer that ends its connection", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n" + get, []string{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nok<end>", ok2}},
		{"an HTTP/1.0 container", get, one("HTTP/1.0 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nok<end>")},
		{"an answer of 100 KiB", get, one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 102400\r\n\r\n" + strings.Repeat("0123456789", 10240))},
		{"a kind is found in the first bytes", get, one("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n<html>" + strings.Repeat("x", 8994))},
		{"no kind is given to what is coded", get, one("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok")},
		{"status text, order, canonical names", get, one("HTTP/1.1 299 Mine\r\nzeta: 1\r\nAlpha: 2\r\nSERVER: s\r\nset-cookie: b\r\nSet-Cookie: a\r\nDate: d\r\nCONTENT-TYPE: a/b\r\nContent-Length: 2\r\n\r\nok")},
		{"hop-by-hop headers of the answer", get, one("HTTP/1.1 200 OK\r\nConnection: x-a\r\nX-A: 1\r\nX-B: 1\r\nKeep-Alive: 5\r\nUpgrade: x\r\nProxy-Authenticate: y\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nok")},
		{"announced trailers", get, one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n")},
		{"trailers that were not", get, one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 42\r\nA: 1\r\n\r\n")},
		{"1xx, then the answer", get, one("HTTP/1.1 103 Early Hints\r\nLink: </b>\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + ok2)},
		{"more 1xx than a buffer holds, then the answer", get, one(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <"+strings.Repeat("x", 92)+">\r\n\r\n", 250) + "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 9000\r\n\r\n" + strings.Repeat("012345678", 1000))},
		{"a 100 nobody asked for", get, one("HTTP/1.1 100 Continue\r\n\r\n" + ok2)},
		{"an answer with folded and odd lines", get, one("HTTP/1.1 200 OK\nX: a\n b\nContent-Type: a/b\r\nY: c\rd\r\nContent-Length: 2\r\n\r\nok")},
		{"the same length twice in an answer", get, one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok")},
		{"two lengths in an answer", get, one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok<end>")},
		{"length and chunks in an answer", get, one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")},
		{"an encoding nobody knows in an answer", get, one("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n<end>")},
		{"what is no answer", get, one("HTTP/1.1 20 OK\r\n\r\n<end>")},
		{"a switch of protocols that nobody asked for", get, one("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n<end>")},
		{"short of its length and nothing sent", get, one("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nabc<end>")},
		{"an answer's header of 30 KiB", get, one("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 30<<10) + "\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nok")},
		{"nothing at all", get, one("<end>")},
	} {
		t.Run(row.fact, func(t *testing.T) {
			client, container := carried(t, true, false, row.request, row.answers)
			for _, drips := range []bool{false, true} {
				if drips && len(row.request) > 4<<10 {
					continue
				}
				gotClient, gotContainer := carried(t, false, drips, row.request, row.answers)
				if gotClient != client {
					t.Errorf("byte by byte %t: the client got\n%q\nof the general engine\n%q", drips, gotClient, client)
				}
				if gotContainer != container {
					t.Errorf("byte by byte %t: the container got\n%q\nof the general engine\n%q", drips, gotContainer, container)
				}
			}
		})
	}
}

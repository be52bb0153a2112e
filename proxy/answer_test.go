package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestTheClientSeesWhatTheContainerAnswered(t *testing.T) {
	for _, row := range []struct {
		fact, request, answer string
		has                   []string
		hasNot                []string
	}{
		{
			"status text is Go's, headers pass, hop-by-hop ones do not",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 404 Nope\r\nServer: mine\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nKeep-Alive: 3\r\nX-A: 1\r\nX-A: 2\r\nLocation: http://elsewhere/\r\nContent-Length: 2\r\n\r\nno",
			[]string{"HTTP/1.1 404 Not Found\r\n", "Server: mine\r\n", "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", "X-A: 1\r\nX-A: 2\r\n", "Location: http://elsewhere/\r\n", "Content-Length: 2\r\n", "\r\n\r\nno"},
			[]string{"Keep-Alive"},
		},
		{
			"an unknown status",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n",
			[]string{"HTTP/1.1 599 status code 599\r\n"},
			nil,
		},
		{
			"a redirect is not followed",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
			[]string{"HTTP/1.1 302 Found\r\n", "Location: /there\r\n"},
			nil,
		},
		{
			"HEAD keeps the length and has no body",
			request("HEAD / HTTP/1.1", "Host: h"),
			"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
			[]string{"HTTP/1.1 200 OK\r\n", "Content-Length: 7\r\n"},
			nil,
		},
		{
			"204 has no length",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 204 No Content\r\n\r\n",
			[]string{"HTTP/1.1 204 No Content\r\n"},
			[]string{"Content-Length", "Transfer-Encoding"},
		},
		{
			"304 has no length",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n",
			[]string{"HTTP/1.1 304 Not Modified\r\n", "Etag: \"x\"\r\n"},
			[]string{"Content-Length", "Transfer-Encoding"},
		},
		{
			"a compressed body passes as it is",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
			[]string{"Content-Encoding: gzip\r\n", "\r\n\r\n\x1f\x8b\x08"},
			nil,
		},
		{
			"trailers that were announced",
			request("GET / HTTP/1.1", "Host: h", "Te: trailers"),
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n",
			[]string{"Trailer: X-Sum\r\n", "3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n"},
			nil,
		},
		{
			"trailers that were not",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n",
			[]string{"3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n"},
			nil,
		},
		{
			"a body until the connection ends becomes chunked",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nabc",
			[]string{"Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"},
			nil,
		},
		{
			"every 1xx passes, and the status after it stands",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
			[]string{"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n", "HTTP/1.1 404 Not Found\r\n"},
			nil,
		},
		{
			"a missing Content-Type is filled in from the body",
			request("GET / HTTP/1.1", "Host: h"),
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
			[]string{"Content-Type: text/plain; charset=utf-8\r\n"},
			nil,
		},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := open(t, Options{Models: []Model{iris()}})
			p.Route("iris-1", 1, []netip.AddrPort{script(t, row.answer)})
			got := p.raw(row.request)
			for _, want := range row.has {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in %q", want, got)
				}
			}
			for _, not := range row.hasNot {
				if strings.Contains(got, not) {
					t.Errorf("%q in %q", not, got)
				}
			}
		})
	}
}

func TestContainerFailuresAreBadGateways(t *testing.T) {
	closed := serve(t, echo)
	for _, row := range []struct{ fact, answer, says string }{
		{"accepts, then closes", "", "EOF"},
		{"is not HTTP", "garbage\r\n\r\n", `malformed HTTP response "garbage"`},
		{"dies inside the header", "HTTP/1.1 200 OK\r\nContent-Le", "Content-Le"},
		{"switches to what was not asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n", `backend tried to switch protocol "other" when "" was requested`},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := open(t, Options{Models: []Model{iris()}})
			p.Route("iris-1", 3, []netip.AddrPort{script(t, row.answer)})
			badGateway(t, p, row.says)
		})
	}
	t.Run("closed port", func(t *testing.T) {
		p := open(t, Options{Models: []Model{iris()}})
		p.Route("iris-1", 3, []netip.AddrPort{netip.AddrPortFrom(closed.Addr(), 1)})
		badGateway(t, p, "dial tcp 127.0.0.1:1: ")
	})
}

// badGateway checks a 502 and that the connection stays open after it.
func badGateway(t *testing.T, p *port, says string) {
	t.Helper()
	conn := p.dial()
	read := bufio.NewReader(conn)
	for range 2 {
		send(t, conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		res, err := http.ReadResponse(read, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := body(t, res)
		if res.StatusCode != 502 || !strings.Contains(got, says) || !strings.HasSuffix(got, "\n") {
			t.Errorf("got %d %q, want 502 with %q", res.StatusCode, got, says)
		}
		if res.Header.Get("Content-Type") != "text/plain; charset=utf-8" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("header %v", res.Header)
		}
		told := p.told()
		if told.Status != 502 || !strings.Contains(told.Error, says) || told.model != "iris-1" || told.revision != 3 {
			t.Errorf("told %+v", told)
		}
	}
}

func TestAnAnswerThatBreaksOffIsNotEndedWell(t *testing.T) {
	for _, row := range []struct{ fact, answer, ends string }{
		{"chunked: no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "3\r\nabc\r\n"},
		{"short of its length and never flushed: nothing at all", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", ""},
		{"a status below 100: nothing at all", "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", ""},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := open(t, Options{Models: []Model{iris()}})
			p.Route("iris-1", 1, []netip.AddrPort{script(t, row.answer)})
			got := p.raw("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			if !strings.HasSuffix(got, row.ends) || (row.ends == "" && got != "") {
				t.Errorf("got %q, want it to end in %q", got, row.ends)
			}
			if told := p.told(); told.Error == "" {
				t.Errorf("told no error: %+v", told)
			}
		})
	}
}

func TestExpectIsTheContainersToAnswer(t *testing.T) {
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		got, _ := io.ReadAll(r.Body) // sends the 100
		_, _ = w.Write(got)
	})
	for _, row := range []struct{ fact, path, first string }{
		{"it goes on", "/", "HTTP/1.1 100 Continue"},
		{"it refuses", "/refuse", "HTTP/1.1 422 Unprocessable Entity"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			conn := p.dial()
			send(t, conn, "POST "+row.path+" HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
			read := bufio.NewReader(conn)
			first, _, err := read.ReadLine()
			if err != nil || string(first) != row.first {
				t.Fatalf("got %q, %v; want %q", first, err, row.first)
			}
			if row.path != "/" {
				return
			}
			_, _, _ = read.ReadLine()
			send(t, conn, "hello")
			res, err := http.ReadResponse(read, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := body(t, res); res.StatusCode != 200 || got != "hello" {
				t.Errorf("got %d %q", res.StatusCode, got)
			}
		})
	}
}

func TestAnswersOfUnknownLengthAreFlushedAtOnce(t *testing.T) {
	for _, row := range []struct{ fact, contentType string }{
		{"chunked", "application/json"},
		{"server-sent events", "text/event-stream"},
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", row.fact, http2), func(t *testing.T) {
				next := make(chan string)
				p := front(t, iris(), func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", row.contentType)
					w.WriteHeader(200)
					for part := range next {
						_, _ = io.WriteString(w, part)
						_ = http.NewResponseController(w).Flush()
					}
				})
				go func() { next <- "data: 0\n\n" }()
				res, err := client(t, http2).Get("http://" + p.address + "/")
				if err != nil {
					t.Fatal(err)
				}
				read := bufio.NewReader(res.Body)
				for i := range 3 { // each part arrives before the next is written
					line, err := read.ReadString('\n')
					if want := fmt.Sprintf("data: %d\n", i); err != nil || line != want {
						t.Fatalf("got %q, %v; want %q", line, err, want)
					}
					_, _ = read.ReadString('\n')
					if i < 2 {
						next <- fmt.Sprintf("data: %d\n\n", i+1)
					}
				}
				close(next)
				if rest, err := io.ReadAll(read); err != nil || len(rest) > 0 {
					t.Errorf("rest %q, %v", rest, err)
				}
				_ = res.Body.Close()
			})
		}
	}
}

func TestAClientThatClosesOnlyItsSendingSideIsToldThatItLeft(t *testing.T) {
	p := front(t, iris(), func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for _, row := range []struct {
		fact, want string
		at         string
	}{
		{"while the container has its request", "HTTP/1.1 502 Bad Gateway", "context canceled\n"},
		{"while it is held", "HTTP/1.1 500 Internal Server Error", "\r\n\r\n"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			conn := p.dial()
			send(t, conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			await(t, "it waits", func() bool { return p.Load("iris-1") != (Load{}) })
			_ = conn.CloseWrite()
			if got := receive(conn); !strings.HasPrefix(got, row.want) || !strings.HasSuffix(got, row.at) {
				t.Errorf("got %q", got)
			}
			if told := p.told(); told.Status != statusGone {
				t.Errorf("told %+v", told)
			}
		})
		p.Hold("iris-1")
	}
}

package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// container is a replica of which every connection is played by hand.
type container struct {
	t     *testing.T
	conns chan net.Conn
	at    netip.AddrPort
}

func byHand(t *testing.T) *container {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &container{t: t, conns: make(chan net.Conn, 64), at: netip.MustParseAddrPort(ln.Addr().String())}
	done := make(chan struct{})
	t.Cleanup(func() { _ = ln.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			t.Cleanup(func() { _ = conn.Close() })
			c.conns <- conn
		}
	}()
	return c
}

// asked returns the next connection, of which a request's header was read.
func (c *container) asked() (net.Conn, *bufio.Reader) {
	c.t.Helper()
	conn := hears(c.t, "a connection to the container", c.conns)
	read := bufio.NewReader(conn)
	if _, err := http.ReadRequest(read); err != nil {
		c.t.Fatal(err)
	}
	return conn, read
}

func (c *container) front(m Model) *port {
	p := open(c.t, Options{Models: []Model{m}})
	p.Route(m.ID, 1, []netip.AddrPort{c.at})
	return p
}

func answerOf(t *testing.T, read *bufio.Reader) *http.Response {
	t.Helper()
	res, err := http.ReadResponse(read, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestAClientThatLeavesIsNoticedInEveryState(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	for _, row := range []struct {
		fact   string
		ask    string
		answer string // what the container has said by then
		reads  string // what the client has got of it
	}{
		{"the container has its request", get, "", ""},
		{"and another one is pipelined behind it", get + get, "", ""},
		{"half a body is there", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello", "", ""},
		{"half a chunk is there", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello", "", ""},
		{"half the answer's header is there", get, "HTTP/1.1 200 OK\r\nX: ", ""},
		{"a 1xx went out", get, "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n"},
		{"some of the answer is kept back", get, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", ""},
		{"some of the answer went out", get, "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"},
		{"an odd answer went out in part", get, "HTTP/1.0 200 OK\r\nContent-Type: a/b\r\nDate: d\r\n\r\na", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			c := byHand(t)
			p := c.front(iris())
			client := p.dial()
			send(t, client, row.ask)
			conn, read := c.asked()
			send(t, conn, row.answer)
			if got := make([]byte, len(row.reads)); len(got) > 0 {
				if _, err := io.ReadFull(client, got); err != nil || string(got) != row.reads {
					t.Fatalf("the client got %q, %v", got, err)
				}
			}
			_ = client.Close()
			_, err := io.Copy(io.Discard, read)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				t.Error("the container's connection was not cut")
			}
			if told := p.told(); told.Error != errGone.Error() {
				t.Errorf("told %+v", told)
			}
			await(t, "nothing runs", func() bool { return p.Load("iris-1") == (Load{}) })
		})
	}
}

func TestAClientThatLeavesTheQueueGivesUpItsPlace(t *testing.T) {
	for name, ask := range asks() {
		if name == "POST of many KiB" {
			continue // noticed when its turn has come
		}
		t.Run(name, func(t *testing.T) {
			c := byHand(t)
			m := iris()
			m.ContainerConcurrency = 1
			p := c.front(m)
			first := p.dial()
			send(t, first, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			conn, _ := c.asked()
			second := p.dial()
			send(t, second, ask)
			await(t, "it waits", func() bool { return p.Load("iris-1").Waiting == 1 })
			_ = second.Close()
			await(t, "it waits no more", func() bool { return p.Load("iris-1").Waiting == 0 })
			send(t, conn, ok2)
			if got := body(t, answerOf(t, bufio.NewReader(first))); got != "ok" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestAReplicaThatDiesIsTold(t *testing.T) {
	for _, row := range []struct {
		fact   string
		answer string
		want   string // of what the client gets
		broken bool
	}{
		{"before its answer", "", "HTTP/1.1 502 Bad Gateway\r\n", false},
		{"inside the status line", "HTTP/1.1 20", "HTTP/1.1 502 Bad Gateway\r\n", false},
		{"behind a 1xx", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 502 Bad Gateway\r\n", false},
		{"inside a short body: nothing was sent", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "", true},
		{"inside a long body", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 10000\r\n\r\n" + strings.Repeat("x", 9999), "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n", true},
		{"between chunks", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "HTTP/1.1 200 OK\r\n", true},
		{"inside a chunk", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n9\r\na", "HTTP/1.1 200 OK\r\n", true},
		{"inside the trailers", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ", "HTTP/1.1 200 OK\r\n", true},
	} {
		t.Run(row.fact, func(t *testing.T) {
			c := byHand(t)
			p := c.front(iris())
			client := p.dial()
			send(t, client, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx")
			conn, _ := c.asked()
			send(t, conn, row.answer)
			_ = conn.Close()
			got, err := io.ReadAll(client)
			if err != nil {
				t.Fatal(err)
			}
			status, _, _ := strings.Cut(row.want, "Content-Length")
			if !strings.HasPrefix(string(got), status) || (row.want == "" && len(got) > 0) || strings.HasSuffix(string(got), "0\r\n\r\n") {
				t.Errorf("the client got %q", got)
			}
			told := p.told()
			if told.Error == "" {
				t.Errorf("told no error: %+v", told)
			}
		})
	}
}

// A replica closes what is idle as it likes; a request must not meet that.
func TestAConnectionThatDiedWhileIdleIsNotUsed(t *testing.T) {
	if onGeneral {
		t.Skip("net/http notices a moment later")
	}
	for _, row := range []struct {
		fact string
		dies func(conn net.Conn)
	}{
		{"closed", func(conn net.Conn) { _ = conn.Close() }},
		{"reset", func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0); _ = conn.Close() }},
		{"half closed", func(conn net.Conn) { _ = conn.(*net.TCPConn).CloseWrite() }},
	} {
		t.Run(row.fact, func(t *testing.T) {
			c := byHand(t)
			p := c.front(iris())
			client := p.dial()
			read := bufio.NewReader(client)
			for range 3 {
				send(t, client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
				conn, _ := c.asked()
				row.dies(afterAnswer(t, conn))
				if res := answerOf(t, read); res.StatusCode != 200 || body(t, res) != "ok" {
					t.Errorf("got %d", res.StatusCode)
				}
			}
		})
	}
}

func afterAnswer(t *testing.T, conn net.Conn) net.Conn {
	send(t, conn, ok2)
	return conn
}

// Where the replica takes a request and dies without a byte on a connection that was
// used before, a request that may be repeated is.
func TestOnlyWhatMayBeRepeatedIs(t *testing.T) {
	for _, row := range []struct {
		fact, ask string
		again     bool
	}{
		{"GET", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
		{"HEAD", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", true},
		{"POST", "POST / HTTP/1.1\r\nHost: h\r\n\r\n", false},
		{"DELETE", "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", false},
		{"POST with a key", "POST / HTTP/1.1\r\nHost: h\r\nIdempotency-Key: k\r\n\r\n", true},
		{"GET with a body", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", false},
	} {
		t.Run(row.fact, func(t *testing.T) {
			c := byHand(t)
			p := c.front(iris())
			client := p.dial()
			read := bufio.NewReader(client)
			send(t, client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			conn, asked := c.asked()
			send(t, conn, ok2)
			_ = body(t, answerOf(t, read))
			send(t, client, row.ask)
			if _, err := http.ReadRequest(asked); err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
			want := 502
			if row.again {
				conn, _ = c.asked()
				send(t, conn, ok2)
				want = 200
			}
			if res := answerOf(t, read); res.StatusCode != want {
				t.Errorf("got %d, want %d", res.StatusCode, want)
			}
			if len(c.conns) > 0 {
				t.Error("it was repeated")
			}
		})
	}
}

func TestAFreshConnectionThatDiesIsNotRetried(t *testing.T) {
	c := byHand(t)
	p := c.front(iris())
	client := p.dial()
	send(t, client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	conn, _ := c.asked()
	_ = conn.Close()
	if res := answerOf(t, bufio.NewReader(client)); res.StatusCode != 502 {
		t.Errorf("got %d", res.StatusCode)
	}
	if len(c.conns) > 0 {
		t.Error("it was repeated")
	}
}

func TestAnAnswerBeforeTheEndOfTheRequestIsGivenBehindIt(t *testing.T) {
	for _, row := range []struct {
		fact   string
		length int
		closes bool // the connection ends: too much is left
	}{
		{"a body that is read to its end", 200 << 10, false},
		{"a body of which too much is left", 64 << 20, true},
	} {
		t.Run(row.fact, func(t *testing.T) {
			c := byHand(t)
			p := c.front(iris())
			client := p.dial()
			send(t, client, fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", row.length))
			conn, _ := c.asked()
			send(t, conn, "HTTP/1.1 413 Too Large\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nno")
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				_, _ = io.Copy(client, &zeros{int64(row.length)})
			}()
			read := bufio.NewReader(client)
			res := answerOf(t, read)
			if got := body(t, res); res.StatusCode != 413 || got != "no" || res.Close != row.closes {
				t.Errorf("got %d %q, closes %t", res.StatusCode, got, res.Close)
			}
			if row.closes {
				_, _ = io.Copy(io.Discard, read)
				_ = client.Close()
				<-sent
				return
			}
			<-sent
			send(t, client, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n") // the port's own to answer
			if res := answerOf(t, read); res.StatusCode != 200 {
				t.Errorf("then got %d", res.StatusCode)
			}
		})
	}
}

func TestAMalformedBodyIsRefusedAndEndsTheConnection(t *testing.T) {
	for _, row := range []struct{ fact, body string }{
		{"a length that is none", "xyz\r\nabc\r\n0\r\n\r\n"},
		{"a length with a sign", "+3\r\nabc\r\n0\r\n\r\n"},
		{"a length with a prefix", "0x3\r\nabc\r\n0\r\n\r\n"},
		{"no length", "\r\nabc\r\n0\r\n\r\n"},
		{"too long a length", "11111111111111111\r\n"},
		{"a bare line feed", "3\nabc\r\n0\r\n\r\n"},
		{"a CR inside the line", "3;\rx\r\nabc\r\n0\r\n\r\n"},
		{"more data than said", "3\r\nabcd\r\n0\r\n\r\n"},
		{"no end behind the data", "3\r\nabc0\r\n\r\n"},
		{"extensions without end", strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 40)},
		{"a line without end", "1;" + strings.Repeat("x", 8<<10)},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := front(t, iris(), func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
			conn := p.dial()
			send(t, conn, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"+row.body+"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
			got, _ := io.ReadAll(conn)
			if n := strings.Count(string(got), "HTTP/1.1 "); n > 1 || strings.HasPrefix(string(got), "HTTP/1.1 2") {
				t.Errorf("got %q", got)
			}
			told := p.told()
			if told.Path == "/smuggled" || len(p.served) > 0 {
				t.Errorf("told %+v", told)
			}
		})
	}
}

func TestManyClientsShareOneReplica(t *testing.T) {
	m := iris()
	m.ContainerConcurrency = 4
	p := front(t, m, func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Chunked") != "" {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = w.Write(got)
	})
	var clients sync.WaitGroup
	for i := range 24 {
		clients.Go(func() {
			conn := p.dial()
			read := bufio.NewReader(conn)
			for n := range 40 {
				text := strings.Repeat(fmt.Sprintf("%d/%d ", i, n), 1+n*n)
				ask := fmt.Sprintf("POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n", i, len(text))
				switch n % 4 {
				case 1:
					ask += "X-Chunked: 1\r\n"
				case 2:
					ask += "Te: trailers\r\n" // it is lent
				}
				if _, err := io.WriteString(conn, ask+"\r\n"+text); err != nil {
					t.Error(err)
					return
				}
				res, err := http.ReadResponse(read, nil)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(res.Body)
				if err != nil || res.StatusCode != 200 || string(got) != text {
					t.Errorf("%d/%d: %d with %d bytes of %d, %v", i, n, res.StatusCode, len(got), len(text), err)
					return
				}
			}
		})
	}
	clients.Wait()
	await(t, "nothing runs", func() bool { return p.Load("iris-1") == (Load{}) })
}

func TestARequestThatIsLentDoesNotTakeTheConnection(t *testing.T) {
	p := front(t, iris(), echo)
	conn := p.dial()
	read := bufio.NewReader(conn)
	for i := range 6 {
		send(t, conn, fmt.Sprintf("POST /%d HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", i))
		if res := answerOf(t, read); res.StatusCode != 100 {
			t.Fatalf("got %d", res.StatusCode)
		}
		send(t, conn, "helloGET /between HTTP/1.1\r\nHost: h\r\n\r\n")
		for _, want := range []string{fmt.Sprintf("POST /%d HTTP/1.1", i), "GET /between HTTP/1.1"} {
			if got := body(t, answerOf(t, read)); !strings.HasPrefix(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
}

func TestAClientThatLeavesDuringALoanIsNoticed(t *testing.T) {
	c := byHand(t)
	p := c.front(iris())
	client := p.dial()
	send(t, client, "GET / HTTP/1.1\r\nHost: h\r\nTe: trailers\r\n\r\n")
	_, read := c.asked()
	_ = client.Close()
	if _, err := io.Copy(io.Discard, read); err != nil {
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			t.Error("the container's connection was not cut")
		}
	}
	if told := p.told(); told.Status != statusGone {
		t.Errorf("told %+v", told)
	}
}

func TestADrainEndsAConnectionBehindTheAnswerThatItWaitsFor(t *testing.T) {
	for _, row := range []struct{ fact, more string }{{"its own", ""}, {"lent", "Te: trailers\r\n"}} {
		t.Run(row.fact, func(t *testing.T) {
			c := byHand(t)
			p := c.front(iris())
			client := p.dial()
			send(t, client, "GET / HTTP/1.1\r\nHost: h\r\n"+row.more+"\r\n")
			conn, _ := c.asked()
			idle := p.dial()
			send(t, idle, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")
			idleRead := bufio.NewReader(idle)
			_ = answerOf(t, idleRead)
			p.stop()
			if _, err := io.ReadAll(idleRead); err != nil {
				t.Errorf("the idle one: %v", err)
			}
			send(t, conn, ok2)
			read := bufio.NewReader(client)
			if res := answerOf(t, read); !res.Close || body(t, res) != "ok" {
				t.Errorf("got %v", res)
			}
			if rest, err := io.ReadAll(read); err != nil || len(rest) > 0 {
				t.Errorf("then %q, %v", rest, err)
			}
			p.close()
		})
	}
}

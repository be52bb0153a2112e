package proxy

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// What is sent behind an answer that may have no body must never be taken for the
// answer to somebody else's request.
func TestABodyThatMayNotBeIsNobodysAnswer(t *testing.T) {
	if onGeneral {
		t.Skip("net/http uses the connection again, and drops it once the body comes")
	}
	for _, row := range []struct{ fact, answer string }{
		{"204 that announces chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"204 that announces a length", "HTTP/1.1 204 No Content\r\nContent-Length: 38\r\n\r\n"},
		{"304 that announces chunks", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			c := byHand(t)
			client := c.front(iris()).dial()
			read := bufio.NewReader(client)
			const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

			send(t, client, get)
			first, _ := c.asked()
			send(t, first, row.answer)
			if res := answerOf(t, read); res.Header.Get("Content-Length") != "" || len(res.TransferEncoding) > 0 {
				t.Errorf("got %v", res)
			}
			send(t, client, get)
			second, _ := c.asked()
			_, _ = io.WriteString(first, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
			send(t, second, ok2)
			if got := body(t, answerOf(t, read)); got != "ok" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestAnIdleAnswerWithoutABodyIsNotGivenOne(t *testing.T) {
	for _, row := range []struct {
		fact, method string
		status       int
		want         string
	}{
		{"GET", "GET", 200, "header 15"},
		{"HEAD", "HEAD", 200, "header"},
		{"204", "GET", 204, "header"},
		{"304", "GET", 304, "header"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			ours, clients := net.Pipe()
			c := &h1Conn{conn: ours, out: []byte("header ")}
			c.request.method = []byte(row.method)
			c.answer.status, c.answer.length = row.status, 15
			go func() {
				c.lapse(new(exchange))
				_ = ours.Close()
			}()
			got, _ := io.ReadAll(clients)
			want := strings.Replace(row.want, "15", "request timeout", 1)
			if strings.TrimSpace(string(got)) != want || c.closing {
				t.Errorf("got %q, ends %t; want %q", got, c.closing, want)
			}
		})
	}
}

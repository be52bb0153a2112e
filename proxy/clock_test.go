package proxy

import (
	"bufio"
	"io"
	"net/http"
	"testing"
	"time"
)

// isTimeout checks a 504 to the letter.
func isTimeout(t *testing.T, res *http.Response, text string) {
	t.Helper()
	got := body(t, res)
	if res.StatusCode != 504 || got != text || res.ContentLength != int64(len(text)) {
		t.Errorf("got %d %q with length %d, want 504 %q", res.StatusCode, got, res.ContentLength, text)
	}
	if res.Header.Get("Content-Type") != "text/plain; charset=utf-8" || res.Header.Get("X-Content-Type-Options") != "" || res.Header.Get("Date") == "" {
		t.Errorf("header %v", res.Header)
	}
}

func TestARequestThatIsNotAnsweredInTimeIs504AndCancelled(t *testing.T) {
	m := iris()
	m.Timeout = 20 * time.Millisecond
	cancelled := make(chan struct{}, 2)
	p := front(t, m, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		cancelled <- struct{}{}
	})
	t.Run("HTTP/1.1, and the connection stays usable", func(t *testing.T) {
		conn := p.dial()
		read := bufio.NewReader(conn)
		for range 2 {
			send(t, conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")
			res, err := http.ReadResponse(read, nil)
			if err != nil {
				t.Fatal(err)
			}
			isTimeout(t, res, "request timeout")
			hears(t, "the container is cancelled", cancelled)
			if told := p.told(); told.Status != 504 || told.Error != "request timeout" || told.Replica == "" {
				t.Errorf("told %+v", told)
			}
		}
	})
	t.Run("HTTP/2", func(t *testing.T) {
		res, err := client(t, true).Get("http://" + p.address)
		if err != nil {
			t.Fatal(err)
		}
		isTimeout(t, res, "request timeout")
		hears(t, "the container is cancelled", cancelled)
	})
}

func TestOnceBegunAnAnswerIsNeverTimedOut(t *testing.T) {
	m := iris()
	m.Timeout = 50 * time.Millisecond
	for _, row := range []struct {
		fact  string
		begin func(w http.ResponseWriter)
	}{
		{"by its header", func(w http.ResponseWriter) { w.WriteHeader(200); _ = http.NewResponseController(w).Flush() }},
		{"by a 1xx", func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints) }},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := front(t, m, func(w http.ResponseWriter, r *http.Request) {
				row.begin(w)
				select { // longer than the timeout, unless it strikes
				case <-r.Context().Done():
				case <-time.After(4 * m.Timeout):
				}
				_, _ = io.WriteString(w, "all")
			})
			res, err := client(t, false).Get("http://" + p.address)
			if err != nil {
				t.Fatal(err)
			}
			if got := body(t, res); res.StatusCode != 200 || got != "all" {
				t.Errorf("got %d %q", res.StatusCode, got)
			}
		})
	}
}

func TestAClientThatLeavesReachesTheContainer(t *testing.T) {
	running, cancelled := make(chan struct{}, 1), make(chan struct{}, 1)
	p := front(t, iris(), func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		running <- struct{}{}
		<-r.Context().Done()
		cancelled <- struct{}{}
	})
	for name, ask := range asks() {
		t.Run(name, func(t *testing.T) {
			conn := p.dial()
			send(t, conn, ask)
			hears(t, "the container runs", running)
			_ = conn.Close()
			hears(t, "the container is cancelled", cancelled)
			if told := p.told(); told.Status != 499 || told.Error != "client closed request" {
				t.Errorf("told %+v", told)
			}
		})
	}
}

package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// held starts a request for a model that is not routed, and returns when it waits.
func held(t *testing.T, p *port, request string) (answer <-chan string, leave func()) {
	t.Helper()
	before := p.Load("iris-1").Held
	conn := p.dial()
	send(t, conn, request)
	await(t, "the request is held", func() bool { return p.Load("iris-1").Held == before+1 })
	got := make(chan string, 1)
	go func() { got <- receive(conn) }()
	return got, func() { _ = conn.Close() }
}

// ask sends a request on a connection of its own and returns the answer.
func (p *port) ask(request string) string {
	p.t.Helper()
	conn := p.dial()
	send(p.t, conn, request)
	return receive(conn)
}

// receive reads one answer; what it read is empty where the connection ended.
func receive(conn net.Conn) string {
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return ""
	}
	answer, _ := httputil.DumpResponse(res, true)
	return string(answer)
}

// asks are requests that wait: without a body, with one, and with one that is too
// long to be read ahead.
func asks() map[string]string {
	post := func(n int) string {
		return fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
	}
	return map[string]string{
		"GET":              "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST":             post(20_000),
		"POST of many KiB": post(3 * readAheadLimit),
		"chunked POST":     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	}
}

func TestHeldRequestsAreServedOnceTheModelIsRouted(t *testing.T) {
	for name, ask := range asks() {
		t.Run(name, func(t *testing.T) {
			p := open(t, Options{Models: []Model{iris()}})
			answer, _ := held(t, p, ask)
			p.Route("iris-1", 4, []netip.AddrPort{serve(t, func(w http.ResponseWriter, r *http.Request) {
				n, err := io.Copy(io.Discard, r.Body)
				_, _ = fmt.Fprint(w, r.ContentLength, n, err)
			})})
			got := body(t, parse(t, hears(t, "an answer", answer)))
			told := p.told()
			if want := map[string]string{
				"GET": "0 0 <nil>", "POST": "20000 20000 <nil>", "POST of many KiB": "196608 196608 <nil>", "chunked POST": "-1 3 <nil>",
			}[name]; got != want {
				t.Errorf("the container got %q, want %q", got, want)
			}
			if told.Status != 200 || told.Held == 0 || told.Took < told.Held || told.revision != 4 {
				t.Errorf("told %+v", told)
			}
		})
	}
}

func TestAHeldHTTP2RequestIsServedOnceTheModelIsRouted(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	got := make(chan string, 1)
	go func() {
		res, err := client(t, true).Post("http://"+p.address+"/", "", strings.NewReader("abc"))
		if err != nil {
			t.Error(err)
			return
		}
		got <- body(t, res)
	}()
	await(t, "the request is held", func() bool { return p.Load("iris-1").Held == 1 })
	p.Route("iris-1", 1, []netip.AddrPort{serve(t, echo)})
	if got := hears(t, "an answer", got); !strings.HasSuffix(got, "abc") {
		t.Errorf("got %q", got)
	}
}

func TestAFailedModelAnswersHeldAndLaterRequestsWithWhy(t *testing.T) {
	for name, ask := range asks() {
		t.Run(name, func(t *testing.T) {
			p := open(t, Options{Models: []Model{iris()}})
			answer, _ := held(t, p, ask)
			p.Fail("iris-1", "it exited with code 3")
			for _, got := range []string{hears(t, "an answer", answer), p.ask(ask)} {
				res := parse(t, got)
				text := body(t, res)
				if res.StatusCode != 503 || text != "model iris-1 does not serve: it exited with code 3\n" || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
					t.Errorf("got %q", got)
				}
			}
			p.Hold("iris-1")
			_, leave := held(t, p, ask)
			leave()
		})
	}
}

func TestAHeldRequestWhoseClientLeavesIsForgottenAtOnce(t *testing.T) {
	for name, ask := range asks() {
		if name == "POST of many KiB" {
			continue // noticed when its turn has come
		}
		t.Run(name, func(t *testing.T) {
			p := open(t, Options{Models: []Model{iris()}})
			_, leave := held(t, p, ask)
			leave()
			await(t, "the request is forgotten", func() bool { return p.Load("iris-1").Held == 0 })
			if told := p.told(); told.Status != 499 || told.Error != "client closed request" || told.Held == 0 || told.Replica != "" {
				t.Errorf("told %+v", told)
			}
		})
	}
}

func TestAHeldRequestIsTimedOutByTheActivator(t *testing.T) {
	m := iris()
	m.Timeout = 20 * time.Millisecond
	p := open(t, Options{Models: []Model{m}})
	conn := p.dial()
	read := bufio.NewReader(conn)
	for range 2 { // the connection stays open
		send(t, conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		res, err := http.ReadResponse(read, nil)
		if err != nil {
			t.Fatal(err)
		}
		isTimeout(t, res, "activator request timeout")
	}
}

func TestAStoppingPortRefusesWhatItHolds(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	answer, _ := held(t, p, asks()["POST"])
	p.close()
	if got := parse(t, hears(t, "an answer", answer)); got.StatusCode != 503 || body(t, got) != "merlin-local is stopping\n" {
		t.Errorf("got %v", got)
	}
}

func TestARequestIsHeldUntilItsModelIsRoutedFailsOrTimeIsUp(t *testing.T) {
	somewhere := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}
	for _, row := range []struct {
		fact string
		do   func(m *model, stop, cancel func())
		want string
	}{
		{"routed", func(m *model, _, _ func()) { m.route(1, somewhere) }, "replica"},
		{"held again, then routed", func(m *model, _, _ func()) { m.route(0, nil); m.route(2, somewhere) }, "replica"},
		{"failed", func(m *model, _, _ func()) { m.fail("because") }, "model m does not serve: because"},
		{"failed without a reason", func(m *model, _, _ func()) { m.fail("") }, "model m does not serve: it failed"},
		{"stopped", func(_ *model, stop, _ func()) { stop() }, "merlin-local is stopping"},
		{"cancelled", func(_ *model, _, cancel func()) { cancel() }, "nothing"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stopping := make(chan struct{})
				m := newModel(Model{ID: "m"}, stopping)
				ctx, cancel := context.WithCancel(t.Context())
				got, waited := make(chan string, 1), 0
				go func() {
					r, refused, held := m.pick(ctx, func() { waited++ })
					switch {
					case !held:
						got <- "not held"
					case r != nil:
						m.release(r)
						got <- "replica"
					case refused != nil:
						got <- refused.why
					default:
						got <- "nothing"
					}
				}()
				synctest.Wait()
				if l := m.load(); l.Held != 1 || waited != 1 {
					t.Errorf("load %+v, waits called %d times", l, waited)
				}
				row.do(m, func() { close(stopping) }, cancel)
				synctest.Wait()
				if got := <-got; got != row.want {
					t.Errorf("got %q, want %q", got, row.want)
				}
				if l := m.load(); l != (Load{}) {
					t.Errorf("left %+v", l)
				}
				cancel()
			})
		})
	}
}

package proxy

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

func TestTheClockPlaysThreeTimeouts(t *testing.T) {
	const s = time.Second
	for _, row := range []struct {
		fact   string
		given  timeouts
		writes []time.Duration // at which something is written
		state  int32
		at     time.Duration
	}{
		{"revision: nothing was written", timeouts{revision: 5 * s}, nil, clockStruck, 5 * s},
		{"revision: an answer that has begun goes on for ever", timeouts{revision: 5 * s}, []time.Duration{4 * s}, clockAnswers, 0},
		{"response start: nothing was written", timeouts{revision: 5 * s, start: 2 * s}, nil, clockStruck, 2 * s},
		{"response start: written in time", timeouts{revision: 5 * s, start: 2 * s}, []time.Duration{s}, clockAnswers, 0},
		{"response start: longer than the revision's", timeouts{revision: 5 * s, start: 9 * s}, nil, clockStruck, 5 * s},
		{"idle: nothing was written", timeouts{revision: 9 * s, idle: 2 * s}, nil, clockStruck, 2 * s},
		{"idle: from write to write", timeouts{revision: 5 * s, idle: 2 * s}, []time.Duration{s, 2 * s, 3 * s, 4 * s}, clockLapsed, 6 * s},
		{"idle: longer than the revision's", timeouts{revision: 2 * s, idle: 5 * s}, []time.Duration{s}, clockLapsed, 6 * s},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c clock
				began := time.Now()
				ctx, end := c.start(t.Context(), row.given)
				defer end()
				struck := atomic.Int64{}
				stop := context.AfterFunc(ctx, func() { struck.Store(int64(time.Since(began))) })
				defer stop()
				for _, at := range row.writes {
					time.Sleep(at - time.Since(began))
					if !c.stop() || !c.touch() {
						t.Fatalf("it may not write at %s", at)
					}
				}
				time.Sleep(time.Hour)
				if got := c.state.Load(); got != row.state || struck.Load() != int64(row.at) {
					t.Errorf("state %d at %s, want %d at %s", got, time.Duration(struck.Load()), row.state, row.at)
				}
				if may := c.stop(); may != (row.state == clockAnswers) {
					t.Errorf("may write: %t", may)
				}
			})
		})
	}
}

func TestAClockThatIsOverKeepsWhatItCameTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock
		ctx, end := c.start(t.Context(), timeouts{revision: time.Minute, idle: time.Second})
		time.Sleep(time.Second)
		<-ctx.Done()
		end()
		if !c.struck() {
			t.Error("forgotten")
		}
		var d clock
		_, end = d.start(t.Context(), timeouts{revision: time.Minute, idle: time.Second})
		end()
		time.Sleep(time.Hour)
		if d.struck() || d.lapsed() {
			t.Error("it struck after its end")
		}
	})
}

func TestResponseStartAndIdleTimeoutsAreThe504OfTheRevisions(t *testing.T) {
	for _, row := range []struct {
		fact string
		set  func(*Model)
	}{
		{"response start", func(m *Model) { m.ResponseStartTimeout = 20 * time.Millisecond }},
		{"idle", func(m *Model) { m.IdleTimeout = 20 * time.Millisecond }},
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(row.fact, func(t *testing.T) {
				m := iris()
				row.set(&m)
				p := front(t, m, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				res, err := client(t, http2).Get("http://" + p.address)
				if err != nil {
					t.Fatal(err)
				}
				isTimeout(t, res, "request timeout")
			})
		}
	}
}

// A difference from 1.13 and 1.15, where such an answer never ends.
func TestAnAnswerThatBeganInTimeEndsAfterTheResponseStartTimeout(t *testing.T) {
	m := iris()
	m.ResponseStartTimeout = 250 * time.Millisecond
	p := front(t, m, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(2 * m.ResponseStartTimeout):
		}
		_, _ = io.WriteString(w, "all")
	})
	res, err := client(t, false).Get("http://" + p.address)
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, res); got != "all" {
		t.Errorf("got %q", got)
	}
}

func TestAnIdleAnswerGetsTheTextAppendedAndEndsWell(t *testing.T) {
	m := iris()
	m.IdleTimeout = 300 * time.Millisecond
	cancelled := make(chan struct{}, 3)
	p := front(t, m, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", "1000")
		}
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		cancelled <- struct{}{}
	})
	for _, http2 := range []bool{false, true} {
		res, err := client(t, http2).Get("http://" + p.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, res); res.StatusCode != 200 || got != "firstrequest timeout" {
			t.Errorf("HTTP/2 %t: got %d %q", http2, res.StatusCode, got)
		}
		hears(t, "the container is cancelled", cancelled)
		if told := p.told(); told.Status != 200 || told.Error != errIdle.Error() {
			t.Errorf("told %+v", told)
		}
	}
	t.Run("with a length the connection breaks behind the text", func(t *testing.T) {
		conn := p.dial()
		send(t, conn, "GET /length HTTP/1.1\r\nHost: h\r\n\r\n")
		got, err := io.ReadAll(bufio.NewReader(conn))
		if err != nil || !strings.HasSuffix(string(got), "\r\n\r\nfirstrequest timeout") {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestAnAnswerThatGoesOnIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Models: []Model{iris()}})
		x := s.arrive("GET", "h", "/", "HTTP/1.1")
		a := &answer{ResponseWriter: httptest.NewRecorder(), x: x}
		ctx, end := x.clock.start(t.Context(), timeouts{revision: time.Minute, idle: time.Second})
		defer end()
		a.WriteHeader(200)
		for range 100 {
			time.Sleep(999 * time.Millisecond)
			if _, err := io.WriteString(a, "x"); err != nil || ctx.Err() != nil {
				t.Fatalf("cut: %v, %v", err, ctx.Err())
			}
		}
		time.Sleep(time.Second)
		<-ctx.Done()
		if _, err := io.WriteString(a, "x"); err == nil {
			t.Error("it may go on")
		}
	})
}

func TestAnUpgradedConnectionIsCutAtTheShortestTimeout(t *testing.T) {
	m := iris()
	m.IdleTimeout = 300 * time.Millisecond
	p := front(t, m, wsEcho)
	ctx, _ := contextWithCancel(t)
	conn, _, err := websocket.Dial(ctx, "ws://"+p.address+"/ws", &websocket.DialOptions{HTTPClient: client(t, false)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	for err == nil { // busy or not
		if err = conn.Write(ctx, websocket.MessageText, []byte("a")); err == nil {
			_, _, err = conn.Read(ctx)
		}
	}
	if ctx.Err() != nil {
		t.Error("it was not cut")
	}
}

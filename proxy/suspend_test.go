package proxy

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTimeThatAClockStandsStillDoesNotCount(t *testing.T) {
	const s = time.Second
	type span struct{ from, to time.Duration }
	for _, row := range []struct {
		fact  string
		given timeouts
		write time.Duration // 0 is never
		halts []span
		state int32
		at    time.Duration // at least; and at most two ticks later
	}{
		{"a halt amid the wait", timeouts{revision: 10 * s}, 0, []span{{5 * s, 35 * s}}, clockStruck, 40 * s},
		{"two halts", timeouts{revision: 10 * s}, 0, []span{{2 * s, 4 * s}, {8 * s, 28 * s}}, clockStruck, 32 * s},
		{"a halt that began when it was due", timeouts{revision: 10 * s}, 0, []span{{9999 * time.Millisecond, 20 * s}}, clockStruck, 20 * s},
		{"a halt that ended before", timeouts{revision: 10 * s}, 0, []span{{0, 3 * s}}, clockStruck, 13 * s},
		{"the shortest of three", timeouts{revision: 10 * s, start: 2 * s}, 0, []span{{s, 20 * s}}, clockStruck, 21 * s},
		{"amid an answer", timeouts{revision: 10 * s, idle: 2 * s}, s, []span{{2 * s, 60 * s}}, clockLapsed, 61 * s},
		{"an answer that began in a halt", timeouts{revision: 10 * s}, 30 * s, []span{{s, 60 * s}}, clockAnswers, 0},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				row.given.halts = newHalts()
				var c clock
				began := time.Now()
				ctx, end := c.start(t.Context(), row.given)
				defer end()
				struck := atomic.Int64{}
				defer context.AfterFunc(ctx, func() { struck.Store(int64(time.Since(began))) })()
				if row.write > 0 {
					time.AfterFunc(row.write, func() { c.stop() })
				}
				for _, h := range row.halts {
					time.Sleep(h.from - time.Since(began))
					row.given.halts.begin()
					time.Sleep(h.to - time.Since(began))
					row.given.halts.end()
				}
				time.Sleep(time.Hour)
				at := time.Duration(struck.Load())
				if c.state.Load() != row.state || at < row.at || at > row.at+2*haltTick {
					t.Errorf("state %d at %s, want %d at %s", c.state.Load(), at, row.state, row.at)
				}
			})
		})
	}
}

// A model that is debugged keeps its requests for longer than they may take: one that
// came before the debugger did, and one that came after. Once it is gone the timeout
// holds again.
func TestARequestOutlivesItsTimeoutWhileItsModelIsSuspended(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[http2], func(t *testing.T) {
			m := iris()
			m.Timeout = 300 * time.Millisecond
			arrived, goOn := make(chan struct{}, 2), make(chan struct{})
			p := front(t, m, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/late" {
					<-r.Context().Done()
					return
				}
				arrived <- struct{}{}
				select {
				case <-goOn:
				case <-r.Context().Done():
				}
			})
			c := client(t, http2)
			statuses := make(chan int, 3)
			ask := func(path string) {
				res, err := c.Get("http://" + p.address + path)
				if err != nil {
					t.Error(err)
					statuses <- 0
					return
				}
				_ = res.Body.Close()
				statuses <- res.StatusCode
			}
			go ask("/")
			hears(t, "the first", arrived)
			p.Suspend(m.ID, true)
			go ask("/")
			hears(t, "the second", arrived)
			longer := time.NewTimer(4 * m.Timeout) // what has to be outlived
			select {
			case status := <-statuses:
				t.Fatalf("one was answered with %d", status)
			case <-longer.C:
			}
			close(goOn)
			for range 2 {
				if status := hears(t, "an answer", statuses); status != http.StatusOK {
					t.Errorf("answered with %d", status)
				}
			}
			p.Suspend(m.ID, false)
			go ask("/late")
			if status := hears(t, "the last answer", statuses); status != http.StatusGatewayTimeout {
				t.Errorf("the timeout does not hold again: %d", status)
			}
		})
	}
}

package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestDrainWaitsForTheReplicasThatAreNotRouted(t *testing.T) {
	a, b := netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")
	for _, row := range []struct {
		fact  string
		then  func(m *model, stop func())
		waits bool
	}{
		{"still routed: nothing to wait for", func(*model, func()) {}, false},
		{"replaced", func(m *model, _ func()) { m.route(2, []netip.AddrPort{b}) }, true},
		{"replaced at the same address", func(m *model, _ func()) { m.route(2, []netip.AddrPort{a}) }, true},
		{"routed again as it was", func(m *model, _ func()) { m.route(1, []netip.AddrPort{a}) }, false},
		{"joined by another", func(m *model, _ func()) { m.route(1, []netip.AddrPort{b, a}) }, false},
		{"held", func(m *model, _ func()) { m.route(0, nil) }, true},
		{"failed", func(m *model, _ func()) { m.fail("x") }, true},
		{"routed, but the port stops", func(_ *model, stop func()) { stop() }, true},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stopping := make(chan struct{})
				m := newModel(Model{ID: "m"}, stopping)
				m.route(1, []netip.AddrPort{a})
				r, _, _ := m.pick(t.Context(), func() {})
				row.then(m, func() { close(stopping) })

				drained := make(chan error, 1)
				go func() { _, err := m.drain(t.Context()); drained <- err }()
				synctest.Wait()
				if waits := len(drained) == 0; waits != row.waits {
					t.Errorf("waits: %t, want %t", waits, row.waits)
				}
				m.release(r)
				if err := <-drained; err != nil {
					t.Error(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if busy, err := m.drain(ctx); busy != 0 || err != nil {
					t.Errorf("again: %d, %v", busy, err)
				}
			})
		})
	}
}

func TestDrainSaysHowManyRequestsStillRun(t *testing.T) {
	s := New(Options{Models: []Model{iris()}})
	s.Route("iris-1", 1, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")})
	m := s.models["iris-1"]
	for range 3 {
		r, _, _ := m.pick(t.Context(), func() {})
		defer m.release(r)
	}
	s.Hold("iris-1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Drain(ctx, "iris-1")
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "drain iris-1: 3 requests still run") {
		t.Errorf("got %v", err)
	}
	if err := s.Drain(ctx, "nobody"); err != nil {
		t.Errorf("unknown model: %v", err)
	}
}

func TestASwitchOfRevisionsLosesNoRequest(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %t", http2), func(t *testing.T) {
			p := open(t, Options{Models: []Model{iris()}})
			var done atomic.Bool
			var answered atomic.Int64
			var clients sync.WaitGroup
			c := client(t, http2)
			c.Transport.(*http.Transport).MaxIdleConnsPerHost = 8
			for range 8 {
				clients.Go(func() {
					for !done.Load() {
						res, err := c.Post("http://"+p.address, "", strings.NewReader("hello"))
						if err != nil {
							t.Error(err)
							return
						}
						if got := body(t, res); res.StatusCode != 200 || got != "hello" {
							t.Errorf("got %d %q", res.StatusCode, got)
							return
						}
						answered.Add(1)
					}
				})
			}
			switchRevisions(t, p, 20, &answered)
			done.Store(true)
			clients.Wait()
		})
	}
}

// switchRevisions makes before it breaks: each revision serves something, then the
// next one is routed and it is drained and closed.
func switchRevisions(t *testing.T, p *port, revisions int, answered *atomic.Int64) {
	t.Helper()
	var old *httptest.Server
	for revision := range revisions {
		s := newContainer(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
		p.Route("iris-1", revision+1, []netip.AddrPort{netip.MustParseAddrPort(s.Listener.Addr().String())})
		if err := p.Drain(t.Context(), "iris-1"); err != nil {
			t.Fatal(err)
		}
		if old != nil {
			old.Close()
		}
		old = s
		before := answered.Load()
		await(t, "the revision serves", func() bool { return answered.Load() >= before+50 || t.Failed() })
	}
	t.Cleanup(old.Close)
}

func TestReplicasShareTheLoad(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	finish := make(chan struct{})
	var running [3]atomic.Int64
	var replicas []netip.AddrPort
	for i := range running {
		replicas = append(replicas, serve(t, func(http.ResponseWriter, *http.Request) {
			running[i].Add(1)
			<-finish
		}))
	}
	p.Route("iris-1", 1, replicas)
	c := client(t, false)
	var clients sync.WaitGroup
	total := func() int64 { return running[0].Load() + running[1].Load() + running[2].Load() }
	for n := range int64(30) {
		clients.Go(func() { statusOf(t, c, p.address) })
		await(t, "it runs", func() bool { return total() == n+1 })
	}
	for i := range running {
		if n := running[i].Load(); n < 7 || n > 13 {
			t.Errorf("replica %d has %d of 30", i, n)
		}
	}
	close(finish)
	clients.Wait()
}

package proxy

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
)

// throttled is a model before which the activator counts.
func throttled(concurrency int, stopping <-chan struct{}) *model {
	m := iris()
	m.Deployed, m.ContainerConcurrency = true, concurrency
	return newModel(m, stopping)
}

func replicas(n int) []netip.AddrPort {
	all := make([]netip.AddrPort, n)
	for i := range all {
		all[i] = netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", i+1))
	}
	return all
}

func TestTheActivatorPicksByConcurrency(t *testing.T) {
	for _, row := range []struct {
		fact        string
		concurrency int
		want        string // ports, in the order of picking
	}{
		{"1: the first with a free place", 1, "1 2 3"},
		{"3: the first with a free place", 3, "1 1 1 2 2 2 3 3 3"},
		{"4: in turn", 4, "1 2 3 1 2 3 1 2 3 1 2 3"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			m := throttled(row.concurrency, nil)
			m.route(1, replicas(3))
			var got []string
			for range 3 * row.concurrency {
				r, _, _ := m.pick(t.Context(), func() { t.Fatal("waits") })
				got = append(got, fmt.Sprint(r.address.Port()))
			}
			if text := strings.Join(got, " "); text != row.want {
				t.Errorf("got %s, want %s", text, row.want)
			}
		})
	}
}

func TestTheActivatorLetsTenThousandWaitInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := throttled(1, nil)
		m.route(1, replicas(2))
		var running []*replica
		for range 2 {
			r, _, _ := m.pick(t.Context(), func() {})
			running = append(running, r)
		}
		type outcome struct {
			i int
			r *replica
		}
		turns := make(chan outcome, activatorDepth)
		for i := range activatorDepth {
			go func() {
				r, _, held := m.pick(t.Context(), func() {})
				if held {
					t.Error("held, though it is routed")
				}
				turns <- outcome{i, r}
			}()
			if i < 10 || i == activatorDepth-1 {
				synctest.Wait() // the first ones come one by one
			}
		}
		if l := m.load(); l.Waiting != activatorDepth || l.Running != 2 || l.Held != 0 {
			t.Errorf("load %+v", l)
		}
		if _, refused, _ := m.pick(t.Context(), func() {}); refused == nil || refused.status != 503 || refused.body != "pending request queue full\n" {
			t.Errorf("refused %+v", refused)
		}
		m.release(running[0])
		for i := range activatorDepth {
			turn := <-turns
			if i < 10 && turn.i != i {
				t.Fatalf("turn %d went to %d", i, turn.i)
			}
			m.release(turn.r)
		}
		m.release(running[1])
		if l := m.load(); l != (Load{}) {
			t.Errorf("left %+v", l)
		}
	})
}

func TestWhoWaitsInTheActivatorIsAnswered(t *testing.T) {
	for _, row := range []struct {
		fact   string
		routed bool
		do     func(m *model, running *replica, stop, leave func())
		want   string
	}{
		{"a place becomes free", true, func(m *model, running *replica, _, _ func()) { m.release(running) }, "replica 1"},
		{"another replica comes", true, func(m *model, _ *replica, _, _ func()) { m.route(1, replicas(2)) }, "replica 2"},
		{"the next revision comes", true, func(m *model, _ *replica, _, _ func()) { m.route(2, replicas(1)) }, "replica 1"},
		{"the first replica comes", false, func(m *model, _ *replica, _, _ func()) { m.route(1, replicas(1)) }, "replica 1"},
		{"the model fails", true, func(m *model, _ *replica, _, _ func()) { m.fail("because") }, "model iris-1 does not serve: because"},
		{"the client leaves", true, func(_ *model, _ *replica, _, leave func()) { leave() }, "nothing"},
		{"client and place come in one instant", true, func(m *model, running *replica, _, leave func()) { leave(); m.release(running) }, "nothing or replica 1"},
		{"the port stops: it is served still", true, func(m *model, running *replica, stop, _ func()) { stop(); synctest.Wait(); m.release(running) }, "replica 1"},
		{"the port stops, and nothing was ready", false, func(_ *model, _ *replica, stop, _ func()) { stop() }, "merlin-local is stopping"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stopping := make(chan struct{})
				m := throttled(1, stopping)
				var running *replica
				if row.routed {
					m.route(1, replicas(1))
					running, _, _ = m.pick(t.Context(), func() {})
				}
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				got := make(chan string, 1)
				go func() {
					r, refused, held := m.pick(ctx, func() {})
					switch {
					case held == row.routed:
						got <- fmt.Sprintf("held %t", held)
					case r != nil:
						got <- fmt.Sprintf("replica %d", r.address.Port())
						m.release(r)
					case refused != nil:
						got <- refused.why
					default:
						got <- "nothing"
					}
				}()
				synctest.Wait()
				row.do(m, running, func() { close(stopping) }, leave)
				synctest.Wait()
				if got := <-got; !strings.Contains(row.want, got) {
					t.Errorf("got %q, want %q", got, row.want)
				}
				if n := m.line.Len(); n != 0 {
					t.Errorf("%d still wait", n)
				}
				if row.routed && m.free() == nil && running.requests != 1 {
					t.Errorf("no free place is left, %d run", running.requests)
				}
			})
		})
	}
}

package proxy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// traffics keeps what is told of traffic, and when.
type traffics struct {
	began time.Time
	told  []event.Traffic
	at    []time.Duration
}

func (p *traffics) Publish(_ string, _ int, f event.Fact) {
	if t, ok := f.(event.Traffic); ok {
		p.told, p.at = append(p.told, t), append(p.at, time.Since(p.began))
	}
}

func TestTrafficIsToldEverySecondWhileItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := traffics{began: time.Now()}
		s := New(Options{Models: []Model{iris()}, Publisher: &told})
		s.Route("iris-1", 1, replicas(1))
		ctx, end := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.reporter.run(ctx) }()
		time.Sleep(10 * time.Second) // nothing happens
		for i := range 20 {
			pass(t, s, 20*time.Millisecond, 200+300*(i%2))
		}
		last := s.arrive("GET", "h", "/", "HTTP/1.1")
		_ = last.find()
		_ = last.admit(t.Context(), func() {})
		time.Sleep(10 * time.Second)
		last.release()
		last.leave()
		time.Sleep(10 * time.Second)
		end()
		<-done

		want := []event.Traffic{
			{Rate: 20, InFlight: 1, Requests: 20, Errors: 10},
			{InFlight: 1, Requests: 20, Errors: 10},
			{Rate: 1, Requests: 21, Errors: 10},
			{Requests: 21, Errors: 10},
		}
		at := []time.Duration{11, 12, 0, 0}
		if len(told.told) != len(want) {
			t.Fatalf("told %+v at %v", told.told, told.at)
		}
		for i, w := range want {
			got := told.told[i]
			if i < 2 && (got.P50 < 20*time.Millisecond || got.P99 > 22*time.Millisecond || told.at[i] != at[i]*time.Second) {
				t.Errorf("told %+v at %s", got, told.at[i])
			}
			if i >= 2 && got.P50 < 9*time.Second {
				t.Errorf("told %+v", got)
			}
			if o := got.Overall; o.P50 < 20*time.Millisecond || o.P95 > 22*time.Millisecond || o.P99 > 22*time.Millisecond {
				t.Errorf("of all in the session it tells %+v", o)
			}
			got.Percentiles, got.Overall = event.Percentiles{}, event.Percentiles{}
			if got != w {
				t.Errorf("told %+v, want %+v", got, w)
			}
		}
	})
}

// pass takes one exchange through its life, without a network.
func pass(t *testing.T, s *Server, took time.Duration, status int) {
	t.Helper()
	x := s.arrive("GET", "h", "/", "HTTP/1.1")
	_ = x.find()
	if refused := x.admit(t.Context(), func() {}); refused != nil {
		t.Fatal(refused.why)
	}
	time.Sleep(took)
	x.fact.Status = status
	x.release()
	x.leave()
}

func TestTheLastTrafficIsToldWhenThePortStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := traffics{began: time.Now()}
		s := New(Options{Models: []Model{iris()}, Publisher: &told})
		s.Route("iris-1", 1, replicas(1))
		ctx, end := context.WithCancel(t.Context())
		end()
		pass(t, s, 0, 200)
		s.reporter.run(ctx)
		if len(told.told) != 1 || told.told[0].Requests != 1 || told.told[0].Rate != 1 {
			t.Errorf("told %+v", told.told)
		}
	})
}

package proxy

import (
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func TestDemandIsTheAverageOverTime(t *testing.T) {
	start := time.Unix(0, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	d := newDemand(start)
	d.enter(at(0))
	d.enter(at(500))
	d.leave(at(750))
	// 1 for 500 ms, 2 for 250 ms, 1 for 250 ms.
	if got := d.take(at(1000)); got != (Demand{Concurrency: 1.25, Rate: 2}) {
		t.Errorf("got %+v", got)
	}
	// Who stays counts on.
	if got := d.take(at(2000)); got != (Demand{Concurrency: 1}) {
		t.Errorf("got %+v", got)
	}
	d.leave(at(3500))
	if got := d.take(at(4000)); got != (Demand{Concurrency: 0.75}) {
		t.Errorf("got %+v", got)
	}
	if got := d.take(at(4000)); got != (Demand{}) {
		t.Errorf("in no time: got %+v", got)
	}
}

func TestDemandCountsHeldRequestsAndWhoIsHeldIsWanted(t *testing.T) {
	for _, concurrency := range []int{0, 1} {
		wanted := make(chan string, 1)
		m := iris()
		m.ContainerConcurrency, m.Deployed = concurrency, concurrency > 0
		p := open(t, Options{Models: []Model{m}, Wanted: func(id string) { wanted <- id }})
		status := make(chan int, 1)
		go func() { s, _ := p.get("h", "/"); status <- s }()
		if id := hears(t, "it is wanted", wanted); id != m.ID {
			t.Errorf("%q is wanted", id)
		}
		await(t, "it is demanded", func() bool { return p.Demand(m.ID).Concurrency > 0 })
		p.Route(m.ID, 1, []netip.AddrPort{serve(t, func(http.ResponseWriter, *http.Request) {})})
		if s := hears(t, "its answer", status); s != http.StatusOK {
			t.Errorf("status %d", s)
		}
		_ = p.Demand(m.ID)
		await(t, "nothing is left", func() bool { return p.Demand(m.ID) == Demand{} })
	}
}

func TestARefusedRequestIsDemandNoMore(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	p.Fail("iris-1", "why")
	if s, _ := p.get("h", "/"); s != http.StatusServiceUnavailable {
		t.Errorf("status %d", s)
	}
	_ = p.Demand("iris-1")
	if d := p.Demand("iris-1"); d.Concurrency != 0 {
		t.Errorf("demand is %+v", d)
	}
	if d := p.Demand("unknown"); d != (Demand{}) {
		t.Errorf("an unknown model has %+v", d)
	}
}

package proxy

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
)

func TestARequestThatWaitedIsToldAsItsOwnFactTellsIt(t *testing.T) {
	waits := make(chan Wait, 1)
	p := open(t, Options{Models: []Model{iris()}, Waited: func(id string, w Wait) {
		if id != "iris-1" {
			t.Errorf("%q waited", id)
		}
		waits <- w
	}})
	answer, _ := held(t, p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	p.Route("iris-1", 1, []netip.AddrPort{serve(t, func(http.ResponseWriter, *http.Request) {})})
	_ = hears(t, "its answer", answer)
	w, f := hears(t, "it waited", waits), p.told()
	if !w.Answered || w.Ended.Sub(w.Arrived) != f.Took {
		t.Errorf("waited %+v, told %+v", w, f)
	}
	if s, _ := p.get("h", "/"); s != http.StatusOK || len(waits) != 0 { // who finds a replica waits for none
		t.Errorf("status %d, %d waited", s, len(waits))
	}

	p.Hold("iris-1")
	_, leave := held(t, p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	leave()
	if w := hears(t, "it left", waits); w.Answered || w.Ended.Before(w.Arrived) {
		t.Errorf("waited %+v", w)
	}
}

func TestADrainOfOneReplicaWaitsForItsRequestsAlone(t *testing.T) {
	a, b := netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")
	synctest.Test(t, func(t *testing.T) {
		stopping := make(chan struct{})
		s := New(Options{Models: []Model{iris()}})
		m := s.models["iris-1"]
		m.stopping = stopping
		m.route(1, []netip.AddrPort{a})
		onA, _, _ := m.pick(t.Context(), func() {})
		m.route(1, []netip.AddrPort{b})
		onB, _, _ := m.pick(t.Context(), func() {})
		m.route(1, nil)

		drained := make(chan error, 1)
		go func() { drained <- s.Drain(t.Context(), "iris-1", a) }()
		synctest.Wait()
		if len(drained) > 0 {
			t.Error("its own request still runs")
		}
		m.release(onA)
		if err := <-drained; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Drain(ctx, "iris-1", a); err != nil {
			t.Error(err)
		}
		if err := s.Drain(ctx, "iris-1", a, b); err == nil {
			t.Error("the other's still runs")
		}
		close(stopping) // then the routed count, too; but only these
		m.route(1, []netip.AddrPort{b})
		if err := s.Drain(ctx, "iris-1", a); err != nil {
			t.Error(err)
		}
		m.release(onB)
	})
}

package proxy

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"testing"
)

func TestAFarewellCountsTheRequestsThatAReplicaDoesNotAnswer(t *testing.T) {
	for _, row := range []struct {
		fact string
		end  func(w http.ResponseWriter) // of the container's handler
		cut  int
	}{
		{"answered", func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }, 0},
		{"answered with an error of the model's own", func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, 0},
		{"not answered", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, 1},
		{"broken off", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, 1},
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(row.fact, func(t *testing.T) {
				arrived, goOn := make(chan struct{}), make(chan struct{})
				p := front(t, iris(), func(w http.ResponseWriter, _ *http.Request) {
					arrived <- struct{}{}
					<-goOn
					row.end(w)
				})
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					res, err := client(t, http2).Post("http://"+p.address+"/v1/models/iris-1:predict", "application/json", nil)
					if err == nil { // who closes it unread has left
						_, _ = io.Copy(io.Discard, res.Body)
						_ = res.Body.Close()
					}
				}()
				<-arrived
				m := p.models["iris-1"]
				m.mu.Lock()
				replica := m.routed[0].address
				m.mu.Unlock()
				p.Hold("iris-1")
				cut := p.Farewell("iris-1", replica)
				close(goOn)
				if got := cut(t.Context()); got != row.cut {
					t.Errorf("%d are cut, want %d", got, row.cut)
				}
				<-ended
			})
		}
	}
}

func TestAFarewellOfAnIdleReplicaEndsAtOnceAndThatOfABusyOneWithItsContext(t *testing.T) {
	s := New(Options{Models: []Model{iris()}})
	a := netip.MustParseAddrPort("127.0.0.1:1")
	s.Route("iris-1", 1, []netip.AddrPort{a})
	if cut := s.Farewell("iris-1", a)(t.Context()); cut != 0 {
		t.Errorf("idle: %d", cut)
	}
	if cut := s.Farewell("nobody", a)(t.Context()); cut != 0 {
		t.Errorf("unknown: %d", cut)
	}
	m := s.models["iris-1"]
	r, _, _ := m.pick(t.Context(), func() {})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if cut := s.Farewell("iris-1", a)(ctx); cut != 1 {
		t.Errorf("busy: %d", cut)
	}
	m.giveUp(r)
	if cut := s.Farewell("iris-1", a)(t.Context()); cut != 0 {
		t.Errorf("idle again: %d", cut)
	}
}

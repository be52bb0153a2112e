package proxy

import (
	"io"
	"net/http"
	"net/netip"
	"testing"
)

func TestARequestTellsWhereItsTimeWent(t *testing.T) {
	for _, deployed := range []bool{false, true} {
		for _, http2 := range []bool{false, true} {
			running, finish := make(chan struct{}, 2), make(chan struct{})
			m := iris()
			m.ContainerConcurrency, m.Deployed = 1, deployed
			p := front(t, m, func(w http.ResponseWriter, _ *http.Request) {
				running <- struct{}{}
				<-finish
				_, _ = io.WriteString(w, "ok")
			})
			ask := func() {
				if res, err := client(t, http2).Get("http://" + p.address); err != nil {
					t.Error(err)
				} else {
					_ = body(t, res)
				}
			}
			go ask()
			hears(t, "the first runs", running)
			go ask()
			await(t, "the second waits", func() bool { return p.Load("iris-1").Waiting == 1 })
			finish <- struct{}{}
			first := p.told()
			finish <- struct{}{}
			second := p.told()
			if first.ID != 1 || first.Queued != 0 || second.ID != 2 || second.Queued == 0 {
				t.Errorf("deployed %t, HTTP/2 %t: told %+v, then %+v", deployed, http2, first, second)
			}
			for _, f := range []fact{first, second} {
				if f.Held != 0 || f.Sent == 0 || f.Sent < f.Queued || f.FirstByte < f.Sent || f.Took < f.FirstByte {
					t.Errorf("deployed %t, HTTP/2 %t: queued %s, sent %s, first byte %s, took %s", deployed, http2, f.Queued, f.Sent, f.FirstByte, f.Took)
				}
			}
			p.close()
		}
	}
}

func TestWhatNeverReachedAReplicaHasNoTimeOfIt(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		p := open(t, Options{Models: []Model{iris()}})
		p.Fail("iris-1", "no")
		res, err := client(t, http2).Get("http://" + p.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = body(t, res)
		if f := p.told(); f.ID != 1 || f.Sent != 0 || f.FirstByte != 0 || f.Took == 0 {
			t.Errorf("refused: told %+v", f)
		}
		p.Route("iris-1", 1, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")})
		res, err = client(t, http2).Get("http://" + p.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = body(t, res)
		if f := p.told(); f.ID != 2 || f.Status != http.StatusBadGateway || f.Sent != 0 || f.FirstByte != 0 {
			t.Errorf("nobody there: told %+v", f)
		}
	}
}

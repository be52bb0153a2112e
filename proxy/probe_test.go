package proxy

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// answersReady answers probes as told, without a replica's help.
func answersReady(ready bool) Ready {
	return func(context.Context, string, netip.AddrPort) bool { return ready }
}

func TestProbesAreAnsweredAsQueueProxyAnswersThem(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}, Ready: answersReady(true)})
	p.Route("iris-1", 1, []netip.AddrPort{serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("container")) })})
	const kubelet, activator, scaler = "User-Agent: kube-probe/1.29", "User-Agent: Knative-Activator-Probe", "User-Agent: Knative-Autoscaling-Probe"
	for _, row := range []struct {
		fact   string
		header []string
		status int
		body   string
		has    []string
	}{
		{"kubelet, ready", []string{kubelet, "K-Network-Probe: queue"}, 200, "queue", []string{"Content-Type: text/plain; charset=utf-8\r\n"}},
		{"activator, ready", []string{activator, "K-Network-Probe: queue"}, 200, "queue", nil},
		{"autoscaler, ready", []string{scaler, "K-Network-Probe: queue"}, 200, "queue", nil},
		{"another value", []string{kubelet, "K-Network-Probe: other"}, 400, "unexpected probe header value: other\n", []string{"X-Content-Type-Options: nosniff\r\n"}},
		{"no value", []string{kubelet}, 400, "unexpected probe header value: \n", nil},
		{"a probe of the route by the kubelet is none", []string{kubelet, "K-Network-Probe: probe", "K-Network-Hash: h"}, 400, "unexpected probe header value: probe\n", nil},
		{"a probe of the route gets its hash back", []string{"K-Network-Probe: probe", "K-Network-Hash: h4sh"}, 200, "", []string{"K-Network-Hash: h4sh\r\n", "Content-Length: 0\r\n"}},
		{"a probe of the route without a hash", []string{"K-Network-Probe: probe"}, 400, "a probe request must contain a non-empty \"K-Network-Hash\" header\n", nil},
		{"queue without a platform's agent is the container's", []string{"K-Network-Probe: queue"}, 200, "container", nil},
		{"activator is the container's", []string{"User-Agent: curl", "K-Network-Probe: activator"}, 200, "container", nil},
		{"an agent in capitals is the container's", []string{"User-Agent: Kube-Probe/1.29", "K-Network-Probe: queue"}, 200, "container", nil},
		{"the ingress' agent is the container's", []string{"User-Agent: Knative-Ingress-Probe"}, 200, "container", nil},
		{"a load balancer's agent is the container's", []string{"User-Agent: GoogleHC/1.0"}, 200, "container", nil},
		{"a kubelet probe by header is the container's", []string{"K-Kubelet-Probe: 1"}, 200, "container", nil},
	} {
		t.Run(row.fact, func(t *testing.T) {
			answer := p.raw(request("GET /any/path HTTP/1.1", append([]string{"Host: h"}, row.header...)...))
			res := parse(t, answer)
			if got := body(t, res); res.StatusCode != row.status || got != row.body {
				t.Errorf("got %d %q, want %d %q", res.StatusCode, got, row.status, row.body)
			}
			for _, want := range row.has {
				if !strings.Contains(answer, want) {
					t.Errorf("no %q in %q", want, answer)
				}
			}
			if row.body == "container" {
				if told := p.told(); told.Status != 200 {
					t.Errorf("told %+v", told)
				}
			} else if len(p.served) > 0 {
				t.Errorf("told a probe: %+v", <-p.served)
			}
		})
	}
}

func TestAProbeIsAnsweredWhileEveryPlaceIsTaken(t *testing.T) {
	m := iris()
	m.ContainerConcurrency = 1
	running, finish := make(chan struct{}, 2), make(chan struct{})
	p := front(t, m, func(http.ResponseWriter, *http.Request) {
		running <- struct{}{}
		<-finish
	})
	defer close(finish)
	go p.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	hears(t, "one runs", running)
	if got := p.ask("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: kube-probe/1\r\nK-Network-Probe: queue\r\n\r\n"); !strings.HasSuffix(got, "queue") {
		t.Errorf("got %q", got)
	}
	go p.ask("GET / HTTP/1.1\r\nHost: h\r\nK-Kubelet-Probe: 1\r\n\r\n")
	hears(t, "K-Kubelet-Probe waits for no turn", running)
}

func TestWithoutAProbeOfItsOwnAReplicaIsReadyOnceItListens(t *testing.T) {
	p := front(t, iris(), echo)
	if got := p.ask("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: kube-probe/1\r\nK-Network-Probe: queue\r\n\r\n"); !strings.HasSuffix(got, "queue") {
		t.Errorf("got %q", got)
	}
	if connects(t.Context(), "", netip.MustParseAddrPort("127.0.0.1:1")) {
		t.Error("a closed port is ready")
	}
}

func TestWhatIsNotReadyIsAskedForTenSeconds(t *testing.T) {
	for _, row := range []struct {
		fact  string
		after time.Duration // it is ready
		want  bool
		took  time.Duration
	}{
		{"ready at once", 0, true, 0},
		{"ready later", 990 * time.Millisecond, true, time.Second},
		{"never ready", time.Hour, false, readyAtAll},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newModel(iris(), nil)
				m.route(1, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")})
				began := time.Now()
				got := m.poll(t.Context(), func(context.Context, string, netip.AddrPort) bool { return time.Since(began) >= row.after })
				if took := time.Since(began); got != row.want || took != row.took {
					t.Errorf("got %t after %s, want %t after %s", got, took, row.want, row.took)
				}
			})
		})
	}
}

func TestAModelWithoutAReplicaIsNotReadyUntilItIsRouted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(iris(), nil)
		got := make(chan bool)
		go func() { got <- m.poll(t.Context(), answersReady(true)) }()
		synctest.Wait()
		m.route(1, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")})
		if !<-got {
			t.Error("not ready")
		}
	})
}

func TestProbesAtTheSameTimeShareOneRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q question
		var runs atomic.Int32
		go1, got := make(chan struct{}), make(chan bool, 6)
		ask := func() bool { runs.Add(1); <-go1; return true }
		for range 5 {
			go func() { got <- q.shared(t.Context(), ask) }()
		}
		left, leave := context.WithCancel(t.Context())
		go func() { got <- q.shared(left, ask) }()
		synctest.Wait()
		leave()
		synctest.Wait()
		close(go1)
		yes := 0
		for range 6 {
			if <-got {
				yes++
			}
		}
		if runs.Load() != 1 || yes < 5 {
			t.Errorf("%d runs, %d yes", runs.Load(), yes)
		}
		if !q.shared(t.Context(), ask) || runs.Load() != 2 {
			t.Error("the next one did not ask anew")
		}
	})
}

func TestAStoppingPortTellsProbesThatItShutsDown(t *testing.T) {
	p := front(t, iris(), echo)
	p.Server.stop()
	for _, header := range []string{"User-Agent: kube-probe/1\r\nK-Network-Probe: queue", "K-Network-Probe: probe\r\nK-Network-Hash: h"} {
		got := p.ask("GET / HTTP/1.1\r\nHost: h\r\n" + header + "\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 503 ") || !strings.HasSuffix(got, "\r\n\r\nshutting down\n") {
			t.Errorf("got %q", got)
		}
	}
	if got := p.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("a request got %q", got)
	}
}

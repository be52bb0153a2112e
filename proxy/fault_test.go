package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	upi "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// faulty opens a port with one model that is routed to the container, which answers with
// so many bytes, and counts.
func faulty(t *testing.T, o Options, size int) (p *port, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	o.Models = []Model{iris()}
	p = open(t, o)
	p.Route("iris-1", 1, []netip.AddrPort{serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, strings.Repeat("x", size))
	})})
	return p, asked
}

// predict sends one prediction and reads the answer as far as it comes.
func (p *port) predict(client *http.Client) (status int, body string, err error) {
	p.t.Helper()
	res, err := client.Post("http://"+p.address+"/v1/models/iris-1-r2:predict", "application/json", strings.NewReader("{}"))
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return res.StatusCode, string(got), err
}

// overBoth runs a test over HTTP/1.1 and over h2c.
func overBoth(t *testing.T, test func(t *testing.T, client *http.Client)) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2=%t", http2), func(t *testing.T) { test(t, client(t, http2)) })
	}
}

func TestAnErrorOnRequestPassesForTheContainersOwn(t *testing.T) {
	overBoth(t, func(t *testing.T, client *http.Client) {
		journal := &journal{}
		p, asked := faulty(t, Options{AccessLog: journal}, 10)
		var f Faults
		f.Errors.Status, f.Errors.Share = 503, 1
		p.Fault("iris-1", f)
		if status, body, err := p.predict(client); status != 503 || !strings.Contains(body, "fault") || err != nil {
			t.Errorf("got %d %q, %v", status, body, err)
		}
		told := p.told()
		if told.Fault != "errors 503" || told.Status != 503 || told.Replica == "" || told.FirstByte == 0 || told.BytesOut == 0 || told.Error != "" {
			t.Errorf("told %+v", told)
		}
		if n := asked.Load(); n != 0 {
			t.Errorf("the container was asked %d times", n)
		}
		if line := journal.take(); !strings.Contains(line, `"status": 503`) {
			t.Errorf("logged %s", line)
		}
		p.Fault("iris-1", Faults{})
		if status, _, err := p.predict(client); status != 200 || err != nil {
			t.Errorf("after the fault: %d, %v", status, err)
		}
		if told := p.told(); told.Fault != "" {
			t.Errorf("told %+v", told)
		}
	})
}

func TestLatencyOnRequestIsTheContainersTime(t *testing.T) {
	overBoth(t, func(t *testing.T, client *http.Client) {
		p, asked := faulty(t, Options{Draw: func() float64 { return 0.5 }}, 10)
		var f Faults
		f.Latency.From, f.Latency.To, f.Latency.Share = 20*time.Millisecond, 40*time.Millisecond, 1
		p.Fault("iris-1", f)
		if status, _, err := p.predict(client); status != 200 || err != nil {
			t.Errorf("got %d, %v", status, err)
		}
		if told := p.told(); told.Fault != "latency 30ms" || told.Took < 30*time.Millisecond || told.Sent < 30*time.Millisecond || told.Queued != 0 {
			t.Errorf("told %+v", told)
		}
		if asked.Load() != 1 {
			t.Error("the container was not asked")
		}
	})
}

func TestLatencyOnRequestIsUnderTheTimeoutAndEndsWithTheClient(t *testing.T) {
	overBoth(t, func(t *testing.T, client *http.Client) {
		m := iris()
		m.Timeout = 50 * time.Millisecond
		p := front(t, m, echo)
		var f Faults
		f.Latency.From, f.Latency.Share = time.Hour, 1
		p.Fault("iris-1", f)
		if status, body, err := p.predict(client); status != 504 || body != "request timeout" || err != nil {
			t.Errorf("got %d %q, %v", status, body, err)
		}
		if told := p.told(); told.Fault != "latency 1h0m0s" || told.Status != 504 {
			t.Errorf("told %+v", told)
		}
	})
	overBoth(t, func(t *testing.T, client *http.Client) {
		p := front(t, iris(), echo)
		var f Faults
		f.Latency.From, f.Latency.Share = time.Hour, 1
		p.Fault("iris-1", f)
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "GET", "http://"+p.address+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		var asking sync.WaitGroup
		defer asking.Wait()
		asking.Go(func() { _, _ = client.Do(r) })
		await(t, "a request that is late", func() bool { return p.Load("iris-1").Running == 1 })
		leave()
		if told := p.told(); told.Status != statusGone || told.Error != errGone.Error() {
			t.Errorf("told %+v", told)
		}
	})
}

func TestADroppedConnectionIsABadGateway(t *testing.T) {
	overBoth(t, func(t *testing.T, client *http.Client) {
		p, _ := faulty(t, Options{}, 10)
		p.Fault("iris-1", Faults{Drop: 1})
		if status, body, err := p.predict(client); status != 502 || !strings.Contains(body, "EOF") || err != nil {
			t.Errorf("got %d %q, %v", status, body, err)
		}
		if told := p.told(); told.Fault != "drop" || told.Status != 502 {
			t.Errorf("told %+v", told)
		}
	})
}

func TestABodyBreaksAmidItself(t *testing.T) {
	for _, size := range []int{10, 6000, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			overBoth(t, func(t *testing.T, client *http.Client) {
				p, asked := faulty(t, Options{}, size)
				p.Fault("iris-1", Faults{DropBody: 1})
				_, body, err := p.predict(client)
				if err == nil || len(body) >= size {
					t.Errorf("%d bytes came, %v", len(body), err)
				}
				told := p.told()
				if told.Fault != "drop body" || told.Error == "" || told.BytesOut >= int64(size) {
					t.Errorf("told %+v", told)
				}
				p.Fault("iris-1", Faults{})
				if _, body, err := p.predict(client); len(body) != size || err != nil {
					t.Errorf("after the fault %d bytes, %v", len(body), err)
				}
				if n := asked.Load(); n != 2 {
					t.Errorf("the container was asked %d times", n)
				}
			})
		})
	}
}

func TestAnAnswerWithoutABodyIsNotBroken(t *testing.T) {
	overBoth(t, func(t *testing.T, client *http.Client) {
		p, _ := faulty(t, Options{}, 0)
		p.Fault("iris-1", Faults{DropBody: 1})
		if status, _, err := p.predict(client); status != 200 || err != nil {
			t.Errorf("got %d, %v", status, err)
		}
		if told := p.told(); told.Fault != "" || told.Error != "" {
			t.Errorf("told %+v", told)
		}
	})
}

func TestSharesAreOfTheRequests(t *testing.T) {
	overBoth(t, func(t *testing.T, client *http.Client) {
		var turn atomic.Int64 // 0, 0.25, 0.5, 0.75, 0, …
		draw := func() float64 { return float64((turn.Add(1)-1)%4) / 4 }
		p, asked := faulty(t, Options{Draw: draw}, 10)
		var f Faults
		f.Errors.Status, f.Errors.Share = 500, 0.5
		p.Fault("iris-1", f)
		var got []int
		for range 8 {
			status, _, err := p.predict(client)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, status)
		}
		if want := "[500 500 200 200 500 500 200 200]"; fmt.Sprint(got) != want || asked.Load() != 4 {
			t.Errorf("got %v, want %s; the container was asked %d times", got, want, asked.Load())
		}
	})
}

// executioner is what kills: it notes who is to be killed, and that it was.
type executioner struct {
	doomed chan netip.AddrPort
	struck chan struct{}
}

func (e *executioner) kill(_ context.Context, _ string, replica netip.AddrPort) func() {
	e.doomed <- replica
	return func() { e.struck <- struct{}{} }
}

func TestAKillStrikesOnceTheContainerHasTheRequest(t *testing.T) {
	overBoth(t, func(t *testing.T, client *http.Client) {
		e := &executioner{make(chan netip.AddrPort, 8), make(chan struct{}, 8)}
		p := open(t, Options{Models: []Model{iris()}, Kill: e.kill})
		address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			select {
			case <-e.struck:
				panic(http.ErrAbortHandler) // as a kill looks from outside
			default:
			}
			hears(t, "the strike", e.struck)
			panic(http.ErrAbortHandler)
		})
		p.Route("iris-1", 1, []netip.AddrPort{address})
		var f Faults
		f.Kill.Once = true
		p.Fault("iris-1", f)
		if status, _, err := p.predict(client); status != 502 || err != nil {
			t.Errorf("got %d, %v", status, err)
		}
		if told := p.told(); told.Fault != "kill" || told.Status != 502 {
			t.Errorf("told %+v", told)
		}
		if got := hears(t, "who is killed", e.doomed); got != address {
			t.Errorf("%s was killed, want %s", got, address)
		}
		p.Fault("iris-1", f)   // as where another fault changes before the kill is known to be over
		e.struck <- struct{}{} // the container goes on to break off
		if _, _, err := p.predict(client); err != nil {
			t.Error(err)
		}
		if told := p.told(); told.Fault != "" {
			t.Errorf("the second request was hit too: %+v", told)
		}
	})
}

func TestFaultsOfAGRPCModelAreStatusesOfGRPC(t *testing.T) {
	for httpStatus, code := range map[int]codes.Code{500: codes.Internal, 501: codes.Unimplemented, 503: codes.Unavailable, 504: codes.DeadlineExceeded} {
		p := upiPort(t)
		conn := connect(t, p)
		var f Faults
		f.Errors.Status, f.Errors.Share = httpStatus, 1
		p.Fault("eta-1", f)
		_, err := upi.NewUniversalPredictionServiceClient(conn).PredictValues(t.Context(), &upi.PredictValuesRequest{TargetName: "t"})
		if status.Code(err) != code || !strings.Contains(err.Error(), "as if from the model") {
			t.Errorf("%d: got %v", httpStatus, err)
		}
		told := p.told()
		if told.GRPCStatus == nil || *told.GRPCStatus != int(code) || told.Status != 200 || told.Fault != fmt.Sprintf("errors %d", httpStatus) {
			t.Errorf("%d: told %+v", httpStatus, told)
		}
	}
}

func TestAGRPCAnswerBreaksAndADroppedOneIsUnavailable(t *testing.T) {
	for _, c := range []struct {
		f    Faults
		want codes.Code
		told string
	}{
		{Faults{Drop: 1}, codes.Unavailable, "drop"},
		{Faults{DropBody: 1}, codes.Internal, "drop body"},
	} {
		p := upiPort(t)
		conn := connect(t, p)
		p.Fault("eta-1", c.f)
		_, err := upi.NewUniversalPredictionServiceClient(conn).PredictValues(t.Context(), &upi.PredictValuesRequest{TargetName: "t"})
		if status.Code(err) != c.want {
			t.Errorf("%s: got %v", c.told, err)
		}
		if told := p.told(); told.Fault != c.told || told.Error == "" {
			t.Errorf("told %+v", told)
		}
	}
}

func TestFaultsOfAnUnknownModelAreIgnored(t *testing.T) {
	p, _ := faulty(t, Options{}, 1)
	p.Fault("nobody", Faults{Drop: 1})
	if status, _, err := p.predict(client(t, false)); status != 200 || err != nil {
		t.Error(status, err)
	}
}

func TestAFaultedRequestGivesItsPlaceBack(t *testing.T) {
	overBoth(t, func(t *testing.T, client *http.Client) {
		m := iris()
		m.ContainerConcurrency = 1
		p := front(t, m, echo)
		var f Faults
		f.Errors.Status, f.Errors.Share = 500, 1
		p.Fault("iris-1", f)
		for range 20 { // more than may run and wait
			if status, _, err := p.predict(client); status != 500 || err != nil {
				t.Fatal(status, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		p.Hold("iris-1")
		if err := p.Drain(ctx, "iris-1"); errors.Is(err, context.DeadlineExceeded) {
			t.Error("a request is on the replica for ever")
		}
	})
}

package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	calls "google.golang.org/grpc/interop/grpc_testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
)

func TestLargeGRPCMessagesPassThroughTinyWindows(t *testing.T) {
	p := upiPort(t)
	ctx, _ := contextWithCancel(t)
	c := calls.NewTestServiceClient(connect(t, p, grpc.WithStaticStreamWindowSize(64<<10), grpc.WithStaticConnWindowSize(64<<10),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20))))
	s, err := c.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		want := bytes.Repeat([]byte("tiny"), 750_000)
		if err := s.Send(&calls.StreamingOutputCallRequest{Payload: &calls.Payload{Body: want}}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Recv(); err != nil || !bytes.Equal(got.GetPayload().GetBody(), want) {
			t.Fatalf("got %v", err)
		}
	}
}

func TestABodyPassesByteByByteThroughAWindowOfOne(t *testing.T) {
	p := front(t, iris(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "one by one")
		w.Header().Set(http.TrailerPrefix+"x-end", "yes")
	})
	c := p.speak(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	c.ask(1, true, "GET", "/")
	got := seen{}
	for range len("one by one") {
		_ = c.WriteWindowUpdate(1, 1)
		f, ok := c.await(func(f http2.Frame) bool { got.take(f); return f.Header().Type == http2.FrameData })
		if !ok || f.Header().Length != 1 {
			t.Fatalf("got %v after %+v", f, got)
		}
	}
	c.await(func(f http2.Frame) bool { return got.take(f) })
	if got.body != "one by one" || got.trailer["x-end"] != "yes" {
		t.Errorf("got %+v", got)
	}
}

func TestAStreamThatStallsDelaysNoOther(t *testing.T) {
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stall" {
			_, _ = w.Write(make([]byte, 1<<20))
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n)
	})
	c := p.speak()
	c.ask(1, true, "GET", "/stall") // its window is never opened again
	for id := uint32(3); id < 41; id += 2 {
		c.ask(id, false, "POST", "/")
		_ = c.WriteData(id, true, []byte("abc"))
		if got := c.answer(id); got.body != "3" {
			t.Fatalf("stream %d got %+v", id, got)
		}
	}
}

func TestAClientThatTakesNothingStallsItsContainer(t *testing.T) {
	var sent atomic.Int64
	stalled := make(chan struct{})
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
		defer close(stalled)
		for r.Context().Err() == nil {
			n, err := w.Write(make([]byte, 64<<10))
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	})
	c := p.speak(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	c.ask(1, true, "GET", "/")
	got := seen{}
	c.await(func(f http2.Frame) bool { got.take(f); return len(got.body) == 10 })
	await(t, "bytes arrive", func() bool { return sent.Load() > 0 })
	_ = c.conn.Close()
	hears(t, "the container is cancelled", stalled)
	if n := sent.Load(); n > 16<<20 {
		t.Errorf("%d MiB were taken for nobody", n>>20)
	}
}

func TestAContainerThatTakesNothingStallsItsClient(t *testing.T) {
	release := make(chan struct{})
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
		<-release
		n, err := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n, err)
	})
	sent := &countingZeros{zeros: zeros{large}}
	answered := make(chan string, 1)
	go func() {
		res, err := client(t, true).Post("http://"+p.address, "", sent)
		if err != nil {
			t.Error(err)
			answered <- ""
			return
		}
		answered <- body(t, res)
	}()
	await(t, "it runs", func() bool { return sent.n.Load() > 64<<10 })
	if n := sent.n.Load(); n > 16<<20 {
		t.Errorf("%d MiB were taken for nobody", n>>20)
	}
	close(release)
	if got := hears(t, "an answer", answered); got != fmt.Sprint(large, " <nil>") {
		t.Errorf("got %q", got)
	}
}

type countingZeros struct {
	zeros
	n atomic.Int64
}

func (c *countingZeros) Read(p []byte) (int, error) {
	n, err := c.zeros.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func TestADrainTellsHTTP2ClientsTwice(t *testing.T) {
	finish := make(chan struct{})
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-finish
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})
	c := p.speak()
	c.ask(1, true, "GET", "/slow")
	await(t, "it runs", func() bool { return p.Load("iris-1").Running == 1 })
	p.stop()
	var lasts []uint32
	for len(lasts) == 0 || lasts[len(lasts)-1] > 100 {
		f, ok := c.await(func(f http2.Frame) bool { return f.Header().Type == http2.FrameGoAway })
		if !ok {
			t.Fatalf("ended after %v", lasts)
		}
		lasts = append(lasts, f.(*http2.GoAwayFrame).LastStreamID)
	}
	if lasts[len(lasts)-1] != 1 || (!onGeneral && (len(lasts) != 2 || lasts[0] != 1<<31-1)) {
		t.Errorf("last streams %v", lasts)
	}
	close(finish)
	if got := c.answer(1); got.body != "/slow" {
		t.Errorf("got %+v", got)
	}
	c.wait()
	_ = c.conn.Close()
	p.close()
	if len(p.notices) > 0 {
		t.Errorf("it was cut: %v", <-p.notices)
	}
}

func TestMoreStreamsThanAContainerTakesGoOnMoreConnections(t *testing.T) {
	finish := make(chan struct{})
	var conns, most atomic.Int64
	p := open(t, Options{Models: []Model{iris()}})
	p.Route("iris-1", 1, []netip.AddrPort{scripted(t, func(c *h2Peer) {
		conns.Add(1)
		_ = c.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: h2StreamsAt0})
		var writing sync.Mutex
		var answering sync.WaitGroup
		defer answering.Wait()
		for n := int64(1); ; n++ {
			f := c.request()
			if f == nil {
				return
			}
			most.Store(max(n, most.Load()))
			id := f.StreamID
			answering.Go(func() {
				<-finish
				writing.Lock()
				defer writing.Unlock()
				c.head(id, true, ":status", "204")
			})
		}
	})})
	if onGeneral {
		close(finish)
		t.Skip("net/http has its clients wait")
	}
	c := p.speak()
	for id := uint32(1); id < 480; id += 2 {
		c.ask(id, true, "GET", "/")
	}
	await(t, "all run on three connections", func() bool { return conns.Load() == 3 && p.Load("iris-1").Running == 240 })
	if n := most.Load(); n > h2StreamsAt0 {
		t.Errorf("%d on one", n)
	}
	close(finish)
	for answered := 0; answered < 240; answered++ {
		if f, ok := c.await(func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders }); !ok {
			t.Fatalf("after %d answers: %v", answered, f)
		}
	}
}

func TestManyConnectionsAtATimeAreServed(t *testing.T) {
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	want := strings.Repeat("z", 3000)
	done := make(chan error, 8)
	for range cap(done) {
		go func() {
			c := client(t, true)
			for range 100 {
				res, err := c.Post("http://"+p.address, "", strings.NewReader(want))
				if err == nil && body(t, res) != want {
					err = io.ErrUnexpectedEOF
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range cap(done) {
		if err := hears(t, "an end", done); err != nil {
			t.Error(err)
		}
	}
}

package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	calls "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture"
)

// captured is a store as the port takes it.
type captured struct{ *capture.Store }

func (c captured) Begin() Recording { return c.Store.Begin() }

func newCapture(t testing.TB, o capture.Options) captured {
	t.Helper()
	store, err := capture.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return captured{store}
}

// recorded is a port that captures, with one model that is routed to the container.
func recorded(t testing.TB, o capture.Options, container http.HandlerFunc) (*port, captured) {
	t.Helper()
	c := newCapture(t, o)
	m := iris()
	p := open(t, Options{Models: []Model{m}, Capture: c})
	p.Route(m.ID, 1, []netip.AddrPort{serve(t, container)})
	return p, c
}

// exchange is what was captured of the request that was told next.
func (c captured) exchange(t testing.TB, p *port) event.Exchange {
	t.Helper()
	told := p.told()
	e, err := c.Lookup(told.ID)
	if err != nil {
		t.Fatal(err)
	}
	if e.Served.Took != told.Took || e.Status != told.Status || e.Error != told.Error || e.Model != told.model || e.Revision != told.revision {
		t.Errorf("captured %+v, told %+v", e.Served, told)
	}
	return e
}

func value(fields []event.Field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func TestAnExchangeIsCapturedToTheByte(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, chunked := range []bool{false, true} {
			for _, size := range []int{0, 1, 1024, 100_000, 3 << 20} {
				t.Run(fmt.Sprint(http2, chunked, size), func(t *testing.T) {
					p, c := recorded(t, capture.Options{Dir: t.TempDir() + "/spill"}, func(w http.ResponseWriter, r *http.Request) {
						got, _ := io.ReadAll(r.Body)
						w.Header().Set("X-Answer", "a b")
						w.Header().Set("Set-Cookie", "secret")
						w.WriteHeader(http.StatusTeapot)
						if chunked {
							_ = http.NewResponseController(w).Flush()
						}
						_, _ = w.Write(bytes.ToUpper(got))
					})
					sent := bytes.Repeat([]byte("abcdefg\x00\n"), size/9+1)[:size]
					var from io.Reader = bytes.NewReader(sent)
					if chunked {
						from = io.MultiReader(from)
					}
					req, err := http.NewRequest(http.MethodPost, "http://"+p.address+"/v1/models/iris-1:predict?a=b&token=xyz", from)
					if err != nil {
						t.Fatal(err)
					}
					req.Header.Set("X-Ask", "q")
					req.Header.Set("Authorization", "Bearer secret")
					res, err := client(t, http2).Do(req)
					if err != nil {
						t.Fatal(err)
					}
					_ = body(t, res)
					e := c.exchange(t, p)
					if e.Query != "?a=b&token=***" || e.Arrived.IsZero() {
						t.Errorf("query %q, arrived %s", e.Query, e.Arrived)
					}
					for _, m := range []struct {
						event.Message
						want            []byte
						name, value, no string
					}{{e.Request, sent, "X-Ask", "q", "Authorization"}, {e.Answer, bytes.ToUpper(sent), "X-Answer", "a b", "Set-Cookie"}} {
						if !bytes.Equal(m.Body, m.want) || m.Size != int64(size) || m.Cut != "" {
							t.Errorf("%d bytes are captured of %d, %d said, cut %q", len(m.Body), size, m.Size, m.Cut)
						}
						if value(m.Header, m.name) != m.value || value(m.Header, m.no) != "***" {
							t.Errorf("header is %v", m.Header)
						}
					}
					if value(e.Request.Header, "Host") != p.address {
						t.Errorf("header is %v", e.Request.Header)
					}
				})
			}
		}
	}
}

func TestTrailersAreCaptured(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		p, c := recorded(t, capture.Options{}, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Trailer", "X-Sum")
			_, _ = io.WriteString(w, "abc")
			_ = http.NewResponseController(w).Flush()
			w.Header().Set("X-Sum", "42")
		})
		req, _ := http.NewRequest(http.MethodPost, "http://"+p.address, io.MultiReader(strings.NewReader("x")))
		req.Trailer = http.Header{"X-End": {"1"}}
		res, err := client(t, http2).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = body(t, res)
		e := c.exchange(t, p)
		if value(e.Answer.Trailer, "X-Sum") != "42" || value(e.Request.Trailer, "X-End") != "1" || string(e.Answer.Body) != "abc" || string(e.Request.Body) != "x" {
			t.Errorf("HTTP/2 %t: captured %+v and %+v", http2, e.Request, e.Answer)
		}
	}
}

func TestAnAnswerOfThePortsOwnIsCapturedWithItsRequest(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		p, c := recorded(t, capture.Options{}, echo)
		p.Fail("iris-1", "no")
		res, err := client(t, http2).Post("http://"+p.address, "text/plain", strings.NewReader("question"))
		if err != nil {
			t.Fatal(err)
		}
		want := body(t, res)
		e := c.exchange(t, p)
		if e.Status != 503 || string(e.Answer.Body) != want || value(e.Answer.Header, "Content-Length") != fmt.Sprint(len(want)) {
			t.Errorf("HTTP/2 %t: captured %+v", http2, e.Answer)
		}
		// The general engine leaves a body that nobody asked for to net/http, and says so.
		if got := string(e.Request.Body); got != "question" && !strings.Contains(e.Request.Cut, "of the 8 bytes") {
			t.Errorf("HTTP/2 %t: captured %q, cut %q", http2, got, e.Request.Cut)
		}
	}
}

func TestAStreamIsCapturedAndNotHeldBack(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		next := make(chan struct{})
		p, c := recorded(t, capture.Options{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 3 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				_ = http.NewResponseController(w).Flush()
				<-next
			}
		})
		res, err := client(t, http2).Get("http://" + p.address)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, len("data: 0\n\n"))
		for i := range 3 { // the next is written once this one has come
			if _, err := io.ReadFull(res.Body, buf); err != nil || string(buf) != fmt.Sprintf("data: %d\n\n", i) {
				t.Fatalf("got %q, %v", buf, err)
			}
			next <- struct{}{}
		}
		_ = body(t, res)
		if e := c.exchange(t, p); string(e.Answer.Body) != "data: 0\n\ndata: 1\n\ndata: 2\n\n" {
			t.Errorf("captured %q", e.Answer.Body)
		}
	}
}

func TestOfAnUpgradeOnlyTheHeadersAreCaptured(t *testing.T) {
	p, c := recorded(t, capture.Options{}, wsEcho)
	conn := p.dial()
	send(t, conn, "GET /ws HTTP/1.1\r\nHost: "+p.address+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	await(t, "it runs", func() bool { return p.Load("iris-1").Running == 1 })
	buf := make([]byte, 12)
	if _, err := io.ReadFull(conn, buf); err != nil || string(buf) != "HTTP/1.1 101" {
		t.Fatalf("got %q, %v", buf, err)
	}
	_ = conn.Close()
	e := c.exchange(t, p)
	if e.Status != 101 || value(e.Answer.Header, "Upgrade") != "websocket" || len(e.Request.Body)+len(e.Answer.Body) > 0 {
		t.Errorf("captured %+v", e)
	}
}

func TestAProbeIsNotCaptured(t *testing.T) {
	p, c := recorded(t, capture.Options{}, echo)
	p.raw("GET / HTTP/1.1\r\nHost: " + p.address + "\r\nUser-Agent: kube-probe/1\r\nK-Network-Probe: queue\r\nConnection: close\r\n\r\n")
	p.raw("GET / HTTP/1.1\r\nHost: " + p.address + "\r\nConnection: close\r\n\r\n")
	if e := c.exchange(t, p); e.ID != 1 {
		t.Errorf("the request is number %d", e.ID)
	}
	if ids := c.IDs(); !reflect.DeepEqual(ids, []uint64{1}) {
		t.Errorf("captured %v", ids)
	}
}

func TestWhatAClientBreaksOffIsCapturedAsFarAsItCame(t *testing.T) {
	p, c := recorded(t, capture.Options{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})
	conn := p.dial()
	send(t, conn, "POST / HTTP/1.1\r\nHost: "+p.address+"\r\nContent-Length: 100\r\n\r\nhalf")
	await(t, "it runs", func() bool { return p.Load("iris-1").Running == 1 })
	_ = conn.Close()
	e := c.exchange(t, p)
	if string(e.Request.Body) != "half" || e.Request.Cut != "only 4 of the 100 bytes that its header announces passed" {
		t.Errorf("captured %+v", e.Request)
	}
}

func TestALargeBodyPassesWholeAndIsCapturedAsFarAsThereIsRoom(t *testing.T) {
	const size = 64 << 20
	for _, http2 := range []bool{false, true} {
		p, c := recorded(t, capture.Options{Bytes: 8 << 20, Dir: t.TempDir() + "/spill"}, func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			_, _ = io.Copy(w, &zeros{n})
		})
		res, err := client(t, http2).Post("http://"+p.address, "a/b", &zeros{size})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); n != size || err != nil {
			t.Errorf("%d bytes came back, %v", n, err)
		}
		_ = res.Body.Close()
		e := c.exchange(t, p)
		for _, m := range []event.Message{e.Request, e.Answer} {
			if m.Size != size || len(m.Body) < 512<<10 || len(m.Body) > 9<<20 || m.Cut == "" {
				t.Errorf("%d of %d bytes are captured: %s", len(m.Body), m.Size, m.Cut)
			}
		}
		if got := c.Stats(); got.Bytes > got.Most || got.Disk > got.DiskMost {
			t.Errorf("stats are %+v", got)
		}
	}
}

func TestAGRPCStreamIsCapturedByMessage(t *testing.T) {
	c := newCapture(t, capture.Options{})
	p := open(t, Options{Models: []Model{eta()}, Capture: c})
	p.Route("eta-1", 1, []netip.AddrPort{serveUPI(t)})
	call, err := calls.NewTestServiceClient(connect(t, p)).FullDuplexCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := call.Send(&calls.StreamingOutputCallRequest{Payload: &calls.Payload{Body: []byte(fmt.Sprint("ask ", i))}}); err != nil {
			t.Fatal(err)
		}
		if _, err := call.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	_ = call.CloseSend()
	_, _ = call.Recv()
	e := c.exchange(t, p)
	if e.GRPCStatus == nil || *e.GRPCStatus != int(codes.DataLoss) || value(e.Answer.Trailer, "grpc-status") != fmt.Sprint(*e.GRPCStatus) || value(e.Answer.Trailer, "x-end") != "yes" {
		t.Errorf("status %v, trailer %v", e.GRPCStatus, e.Answer.Trailer)
	}
	if !e.Request.IsGRPC() || len(e.Request.GRPCMessages()) != 3 || len(e.Answer.GRPCMessages()) != 3 {
		t.Errorf("captured %q and %q", e.Request.Body, e.Answer.Body)
	}
	var second calls.StreamingOutputCallRequest
	if err := proto.Unmarshal(e.Request.GRPCMessages()[1].Data, &second); err != nil || string(second.GetPayload().GetBody()) != "ask 1" {
		t.Errorf("the second message is %q, %v", second.GetPayload().GetBody(), err)
	}
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// What the backend answers. The prediction's path ends alike whether or not a
// proxy has rewritten it.
const (
	predictSuffix = ":predict"
	largePath     = "/large"  // takes any body, then gives ?bytes= back
	eventsPath    = "/events" // server-sent events, each the time of its writing
	eventsEvery   = time.Millisecond
)

// serveBackend answers HTTP/1.1 by net/http and HTTP/2 by grpc-go on one port, as
// queue-proxy knows but one.
func serveBackend(ctx context.Context, ln net.Listener) error {
	split := newSplit(ln)
	web := &http.Server{Handler: http.HandlerFunc(answer)}
	rpc := grpc.NewServer(grpc.MaxConcurrentStreams(1 << 20))
	upiv1.RegisterUniversalPredictionServiceServer(rpc, predictor{})
	context.AfterFunc(ctx, func() {
		split.close()
		_ = web.Close()
		rpc.Stop()
	})
	var servers errgroup.Group
	servers.Go(split.run)
	servers.Go(func() error { return web.Serve(split.http1) })
	servers.Go(func() error { return rpc.Serve(split.http2) })
	if err := servers.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

func answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, predictSuffix):
		predict(w, r)
	case r.URL.Path == largePath:
		large(w, r)
	case r.URL.Path == eventsPath:
		events(w, r)
	default:
		http.NotFound(w, r)
	}
}

// prediction is 1 KB of JSON.
var prediction = []byte(`{"predictions":[` + strings.Repeat(`{"score":0.12345678901},`, 41) + `{"score":0.1}]}`)

func predict(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(prediction)))
	_, _ = w.Write(prediction)
}

func large(w http.ResponseWriter, r *http.Request) {
	left, err := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	got, err := io.Copy(io.Discard, r.Body)
	if err != nil || got != max(r.ContentLength, 0) {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Length", strconv.FormatInt(left, 10))
	block := make([]byte, 64<<10)
	for left > 0 {
		n, err := w.Write(block[:min(left, int64(len(block)))])
		if err != nil {
			return
		}
		left -= int64(n)
	}
}

func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	next := time.NewTicker(eventsEvery)
	defer next.Stop()
	for {
		if _, err := fmt.Fprintf(w, "data: %d\n\n", time.Now().UnixNano()); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-next.C:
		case <-r.Context().Done():
			return
		}
	}
}

// predictor answers a table of one column for a table of any.
type predictor struct {
	upiv1.UnimplementedUniversalPredictionServiceServer
}

func (predictor) PredictValues(_ context.Context, in *upiv1.PredictValuesRequest) (*upiv1.PredictValuesResponse, error) {
	table := &upiv1.Table{Name: "result", Columns: []*upiv1.Column{{Name: "score", Type: upiv1.Type_TYPE_DOUBLE}}}
	for _, row := range in.GetPredictionTable().GetRows() {
		table.Rows = append(table.Rows, &upiv1.Row{RowId: row.GetRowId(), Values: []*upiv1.Value{{DoubleValue: 0.5}}})
	}
	return &upiv1.PredictValuesResponse{TargetName: in.GetTargetName(), PredictionResultTable: table}, nil
}

// split parts one listener's connections by their first bytes.
type split struct {
	ln           net.Listener
	http1, http2 handed
	done         chan struct{}
	close        func()
}

func newSplit(ln net.Listener) *split {
	s := &split{ln: ln, done: make(chan struct{})}
	s.http1 = handed{Listener: ln, conns: make(chan net.Conn), done: s.done}
	s.http2 = handed{Listener: ln, conns: make(chan net.Conn), done: s.done}
	s.close = sync.OnceFunc(func() {
		close(s.done)
		_ = ln.Close()
	})
	return s
}

// run returns when the listener is closed and every connection is handed on.
func (s *split) run() error {
	var looking sync.WaitGroup
	defer looking.Wait()
	for {
		conn, err := s.ln.Accept()
		if err != nil {
			return err
		}
		looking.Go(func() { s.hand(conn) })
	}
}

const lookTimeout = 10 * time.Second

func (s *split) hand(conn net.Conn) {
	c := &peeked{Conn: conn, r: bufio.NewReaderSize(conn, 4<<10)}
	_ = conn.SetReadDeadline(time.Now().Add(lookTimeout))
	start, err := c.r.Peek(len("PRI"))
	_ = conn.SetReadDeadline(time.Time{})
	to := s.http1.conns
	if string(start) == "PRI" {
		to = s.http2.conns
	}
	if err == nil {
		select {
		case to <- c:
			return
		case <-s.done:
		}
	}
	_ = conn.Close()
}

// peeked is a connection whose first bytes were looked at.
type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (c *peeked) Read(p []byte) (int, error) {
	if c.r == nil {
		return c.Conn.Read(p)
	}
	n, err := c.r.Read(p)
	if c.r.Buffered() == 0 {
		c.r = nil
	}
	return n, err
}

// handed is a listener that gets its connections from a split.
type handed struct {
	net.Listener
	conns chan net.Conn
	done  chan struct{}
}

func (h handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

func (h handed) Close() error { return nil }

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"sync"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy"
	"github.com/caraml-dev/merlin-local/proxy/capture"
)

// serveCommand makes this program one of the processes of the stage.
const serveCommand = "serve"

// containerConcurrency is the same for all that admit: never in the way, but on.
const containerConcurrency = 1000

// serve listens on loopback, says where on standard output, and serves until
// standard input ends.
func serve(args []string) error {
	if len(args) != 2 {
		return errors.New(serveCommand + " is for this program itself")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	switch what, backend := args[0], args[1]; what {
	case "backend":
		return serveBackend(ctx, ln)
	case "merlin-local":
		return serveMerlinLocal(ctx, ln, backend)
	case "with capture":
		return serveCapturing(ctx, ln, backend)
	case "ReverseProxy":
		return serveReverseProxy(ctx, ln, backend)
	default:
		return fmt.Errorf("serve %q: no such server", what)
	}
}

// serveMerlinLocal has everything on: routes, admission, and a reader of all that
// is published.
func serveMerlinLocal(ctx context.Context, ln net.Listener, backend string) error {
	return serveOwn(ctx, ln, backend, nil)
}

// serveCapturing keeps every exchange besides, within the default budget.
func serveCapturing(ctx context.Context, ln net.Listener, backend string) error {
	dir, err := os.MkdirTemp("", "merlin-local-bench-capture-")
	if err != nil {
		return err
	}
	store, err := capture.New(capture.Options{Dir: dir})
	if err != nil {
		return err
	}
	return errors.Join(serveOwn(ctx, ln, backend, captured{store}), store.Close(), os.RemoveAll(dir))
}

// captured is a store as the port takes it.
type captured struct{ *capture.Store }

func (c captured) Begin() proxy.Recording { return c.Store.Begin() }

func serveOwn(ctx context.Context, ln net.Listener, backend string, keeps proxy.Capture) error {
	address, err := netip.ParseAddrPort(backend)
	if err != nil {
		return err
	}
	stream := event.NewStream()
	subscription := stream.Subscribe()
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			if _, err := subscription.Next(context.Background()); err != nil {
				return
			}
		}
	})
	defer reader.Wait()
	defer stream.Close()
	server := proxy.New(proxy.Options{Publisher: stream, Capture: keeps, Models: []proxy.Model{
		{
			ID: "iris-1", Project: "bench", Name: "iris", Version: "1", FullName: "iris-1-r1",
			ContainerConcurrency: containerConcurrency,
		},
		{
			ID: "eta-1", Project: "bench", Name: "eta", Version: "1", FullName: "eta-1-r1",
			ContainerConcurrency: containerConcurrency, UPI: true,
		},
	}})
	server.Route("iris-1", 1, []netip.AddrPort{address})
	server.Route("eta-1", 1, []netip.AddrPort{address})
	return server.Serve(ctx, ln)
}

// serveReverseProxy is what the standard library has, set up as queue-proxy sets
// it up: pooled buffers, enough idle connections, every write flushed.
func serveReverseProxy(ctx context.Context, ln net.Listener, backend string) error {
	var h1, h2c, both http.Protocols
	h1.SetHTTP1(true)
	h2c.SetUnencryptedHTTP2(true)
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: backend})
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport: byProtocol{
			h1: &http.Transport{Protocols: &h1, MaxIdleConnsPerHost: 1000, DisableCompression: true},
			h2: &http.Transport{Protocols: &h2c, DisableCompression: true},
		},
		FlushInterval: -1,
		BufferPool:    &buffers{},
	}
	server := &http.Server{Handler: forward, Protocols: &both}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// byProtocol sends a request on as it came.
type byProtocol struct{ h1, h2 http.RoundTripper }

func (t byProtocol) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ProtoMajor == 2 {
		return t.h2.RoundTrip(r)
	}
	return t.h1.RoundTrip(r)
}

// buffers is an httputil.BufferPool.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

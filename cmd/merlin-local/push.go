package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/scrape"
	"github.com/caraml-dev/merlin-local/proxy/push"
)

// pushPort is where one model pushes its metrics to.
type pushPort struct {
	listener net.Listener
	url      string // as the model's containers call it
}

// listenForPushes takes a port for every model that asks for one, where its containers
// reach it. Why there is none comes back by model, and is no reason not to run it.
func listenForPushes(ctx context.Context, e *engine, models []*emulator.Model) (ports map[string]pushPort, without map[string]string, err error) {
	ports, without = map[string]pushPort{}, map[string]string{}
	for _, m := range models {
		if m.Metrics.Push == "" {
			continue
		}
		address, host, err := e.inward(ctx)
		if err != nil {
			without[m.ID()] = err.Error()
			continue
		}
		listener, err := wish{address: address, fallback: defaultPush, names: "metrics.push"}.listen()
		if err != nil {
			closePushes(ports)
			return nil, nil, fmt.Errorf("listen for pushed metrics: %w", err)
		}
		port := listener.Addr().(*net.TCPAddr).AddrPort().Port()
		ports[m.ID()] = pushPort{listener, fmt.Sprintf("http://%s:%d", host, port)}
	}
	return ports, without, nil
}

// inward is how what runs here reaches a program of this host.
func (e *engine) inward(ctx context.Context) (listen netip.Addr, host string, err error) {
	if e.docker == nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), "127.0.0.1", nil
	}
	return e.docker.Inward(ctx)
}

func closePushes(ports map[string]pushPort) {
	for _, p := range ports {
		_ = p.listener.Close()
	}
}

// pushURLs are the addresses that containers are told.
func (s *upSession) pushURLs() map[string]string {
	urls := map[string]string{}
	for model, port := range s.pushes {
		urls[model] = port.url
	}
	return urls
}

// takePushes answers on a model's port until ctx ends. Only its own containers may push
// where the port is not on loopback.
func (s *upSession) takePushes(ctx context.Context, model string, port pushPort, tell func(model string, f event.Fact)) error {
	options := push.Options{Format: exposition{}, Tell: func(f event.Fact) { tell(model, f) }}
	if !port.listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		options.Sender = func(ctx context.Context, from netip.Addr) (string, bool) {
			return s.engine.docker.Owner(ctx, model, from)
		}
	}
	server := &http.Server{Handler: push.New(options), ReadHeaderTimeout: time.Minute, ReadTimeout: 5 * time.Minute}
	if err := serveUntil(ctx, port.listener, server); err != nil {
		return fmt.Errorf("take pushed metrics: %w", err)
	}
	return nil
}

// exposition is what the endpoint reads and writes metrics by.
type exposition struct{}

func (exposition) Read(body []byte, header http.Header) (push.Page, error) {
	p, err := scrape.ParsePushed(body, header)
	return push.Page{Families: p.Families, Series: p.Series, Cut: p.Cut, Timestamps: p.Timestamps}, err
}

func (exposition) Write(w io.Writer, families []event.Family) error {
	return scrape.Write(w, families)
}

func (exposition) ContentType() string { return scrape.ContentType }
func (exposition) MostBytes() int64    { return scrape.MostBytes }

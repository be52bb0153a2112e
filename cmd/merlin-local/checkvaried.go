package main

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	checks "github.com/caraml-dev/merlin-local/emulator/check"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// varied is the runtime as one variation sees it. Several use the engine at once, and the
// session outlives each of them.
type varied struct {
	emulator.Runtime
	image emulator.Image
	v     checks.Variation
}

func (r varied) Image(context.Context, emulator.ImageSpec, func(event.Fact)) (emulator.Image, error) {
	return r.image, nil
}

func (r varied) Place(ctx context.Context, spec emulator.PlaceSpec) (merlin.Place, error) {
	place, err := r.Runtime.Place(ctx, spec)
	if r.v.HTTPPort != 0 {
		place.HTTPPort, place.GRPCPort = r.v.HTTPPort, r.v.GRPCPort
	}
	return place, err
}

func (r varied) Start(ctx context.Context, spec emulator.ContainerSpec) (emulator.Container, error) {
	spec.User = r.v.User
	return r.Runtime.Start(ctx, spec)
}

// Watch is the main run's alone: what the Engine tells is told to all containers.
func (r varied) Watch(ctx context.Context, report func(event.Fact)) error {
	if r.v != (checks.Variation{}) {
		return nil
	}
	return r.Runtime.Watch(ctx, report)
}

func (r varied) Tidy(context.Context, func(event.Fact)) {}

func (r varied) Sweep(context.Context) error { return nil }

// stagedOnce stages the artifact for all variations; the session's end removes it.
type stagedOnce struct {
	emulator.Stager
	once   sync.Once
	folder string
	err    error
}

// Stage gives the same folder each time.
func (s *stagedOnce) Stage(ctx context.Context, modelDir string, properties []byte) (string, func() error, error) {
	s.once.Do(func() { s.folder, _, s.err = s.Stager.Stage(ctx, modelDir, properties) })
	return s.folder, func() error { return nil }, s.err
}

// noRouter is no port at all: a check asks the containers themselves.
type noRouter struct{}

func (noRouter) Route(string, int, []netip.AddrPort)                    {}
func (noRouter) Hold(string)                                            {}
func (noRouter) Fail(string, string)                                    {}
func (noRouter) Drain(context.Context, string, ...netip.AddrPort) error { return nil }
func (noRouter) Farewell(string, netip.AddrPort) func(context.Context) int {
	return func(context.Context) int { return 0 }
}

// progressView shows facts as they come. It is safe for concurrent use.
type progressView struct {
	mu   sync.Mutex
	view *plain
}

// Publish shows a fact.
func (p *progressView) Publish(model string, revision int, f event.Fact) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.view.show(event.Event{Time: time.Now().UTC(), Model: model, Revision: revision, Fact: f})
}

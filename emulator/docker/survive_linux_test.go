package docker_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// noPort is the port's side of a model that gets no requests.
type noPort struct{}

func (noPort) Route(string, int, []netip.AddrPort)                    {}
func (noPort) Hold(string)                                            {}
func (noPort) Fail(string, string)                                    {}
func (noPort) Drain(context.Context, string, ...netip.AddrPort) error { return nil }
func (noPort) Farewell(string, netip.AddrPort) func(context.Context) int {
	return func(context.Context) int { return 0 }
}

// nothing stages no artifact.
type nothing struct{}

func (nothing) Stage(context.Context, string, []byte) (string, func() error, error) {
	return "", func() error { return nil }, nil
}

func TestAModelOutlivesARestartOfItsEngineWithoutBackOff(t *testing.T) {
	newLab(t)
	e := newPrivateEngine(t)
	l := newLab(t, at(e.host()), reach(docker.ReachAddress))
	m := buildable(t)
	m.Deployment.Project = "fruits"
	m.Readiness.Kind, m.Liveness.Kind = emulator.CheckNone, emulator.CheckNone // it is in another network
	stream := event.NewStream()
	emulating := emulator.New(emulator.Options{
		Models: []*emulator.Model{m}, Runtime: l.Runtime, Router: noPort{}, Stager: nothing{}, Events: stream,
		Grace: patience, Deadline: patience, FirstExitFails: true,
	})
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- emulating.Run(ctx) }()
	ready := func(times int) func() bool {
		return func() bool {
			return len(factsOf(stream, func(f event.PhaseChanged) bool { return f.Phase == event.PhaseReady })) == times
		}
	}
	eventually(t, "the model is ready", ready(1))
	e.stop(t)
	e.start(t)
	eventually(t, "it is ready again", ready(2))
	eventually(t, "the Engine's return is told", func() bool {
		return len(factsOf(stream, func(f event.Engine) bool { return f.Answers })) == 1
	})
	end()
	if err := <-done; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if exits := factsOf(stream, func(event.Exited) bool { return true }); len(exits) != 2 || !exits[0].WithEngine || !exits[1].Expected {
		t.Errorf("exits are %+v", exits)
	}
	if bad := factsOf(stream, func(f event.PodChanged) bool { return f.Phase == event.PhaseBackOff || f.Restarts > 0 }); len(bad) > 0 {
		t.Errorf("restarts are counted: %+v", bad)
	}
	if cards := factsOf(stream, func(event.Failed) bool { return true }); len(cards) > 0 {
		t.Errorf("failures are told: %+v", cards)
	}
}

// factsOf are the facts so far that a condition holds for.
func factsOf[F event.Fact](stream *event.Stream, holds func(F) bool) (found []F) {
	for _, e := range stream.History() {
		if f, ok := e.Fact.(F); ok && holds(f) {
			found = append(found, f)
		}
	}
	return slices.Clip(found)
}

func TestASessionEndsWithoutItsEngine(t *testing.T) {
	newLab(t)
	e := newPrivateEngine(t, "--live-restore")
	l := newLab(t, at(e.host()), reach(docker.ReachAddress))
	m := buildable(t)
	m.Readiness.Kind, m.Liveness.Kind = emulator.CheckNone, emulator.CheckNone
	stream := event.NewStream()
	emulating := emulator.New(emulator.Options{
		Models: []*emulator.Model{m}, Runtime: l.Runtime, Router: noPort{}, Stager: nothing{}, Events: stream,
		Grace: time.Second, Deadline: patience,
	})
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- emulating.Run(ctx) }()
	eventually(t, "the model is ready", func() bool {
		return len(factsOf(stream, func(f event.PhaseChanged) bool { return f.Phase == event.PhaseReady })) == 1
	})
	e.kill(t)
	end()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("it never ended")
	}
	if warned := factsOf(stream, func(f event.Notice) bool { return f.Level == event.NoticeWarning }); len(warned) == 0 {
		t.Error("what could not be removed is not told")
	}
	e.start(t) // for the sweep of what is left
}

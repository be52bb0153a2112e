package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy"
)

// faulting is how a session breaks its models on request.
type faulting struct {
	*emulator.Saboteur
	*faultBoard
}

// faultsOn returns what plays faults on the session's models, by what server and the
// emulator's parts do then. server may be called only once it is made.
func (s *upSession) faultsOn(server func() *proxy.Server) *faulting {
	f := &faulting{}
	f.Saboteur = emulator.NewSaboteur(func(model string, err error) {
		s.stream.Publish(model, 0, event.Notice{Level: event.NoticeWarning, Text: err.Error()})
	})
	var ids []string
	for _, m := range s.models {
		ids = append(ids, m.ID())
	}
	f.faultBoard = newFaultBoard(ids, func(ctx context.Context, model string, on []fault) error {
		var requests proxy.Faults
		var sabotage emulator.Sabotage
		for _, one := range on {
			one.into(&requests, &sabotage)
		}
		if sabotage.CPUMillis > 0 && s.engine.name == "process" {
			return errors.New("cpu: a process of this host has no CPU limit; it takes a container (--runtime docker)")
		}
		if err := f.Set(ctx, model, sabotage); err != nil {
			return err
		}
		server().Fault(model, requests)
		return nil
	}, s.tellFaults)
	return f
}

// kill has a request's replica killed under it.
func (f *faulting) kill(ctx context.Context, model string, replica netip.AddrPort) (strike func()) {
	killing := f.Kill(ctx, model, replica)
	return func() {
		killing()
		f.noteKill(model)
	}
}

// begin has the faults on that `up` was started with.
func (f *faulting) begin(ctx context.Context, specs []string) error {
	if len(specs) == 0 {
		return nil
	}
	return f.change(ctx, control.FaultRequest{Set: specs})
}

// tellFaults says what is on, and that it is no production.
func (s *upSession) tellFaults(model string, on []fault) {
	s.stream.Publish(model, 0, facts(on))
	m := byID(*s.current.Load(), model)
	if m == nil {
		return
	}
	parity := m.Parity(s.circumstances())
	for _, f := range on {
		parity.Points = append(parity.Points, event.ParityPoint{
			Area: "faults", Verdict: event.Approximated,
			Text: f.text + " on request; production has no such fault (merlin-local fault clear)",
		})
	}
	s.stream.Publish(model, 0, parity)
}

// wrapFault says where a fault comes from that cannot be.
func wrapFault(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("--fault: %w", err)
}

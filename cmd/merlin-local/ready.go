package main

import (
	"context"
	"net/netip"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/probe"
)

// prober asks containers for the emulator.
type prober struct{}

// Probe asks once.
func (prober) Probe(ctx context.Context, check emulator.Check, address netip.AddrPort) emulator.ProbeResult {
	begun := time.Now()
	result := ask(ctx, check, address)
	return event.Probed{
		Kind: result.Kind, Target: result.Target, OK: result.OK, Status: result.Status,
		Outcome: result.Outcome, Body: result.Body, Took: time.Since(begun),
	}
}

func ask(ctx context.Context, check emulator.Check, address netip.AddrPort) probe.Result {
	p := probe.Prober{Timeout: check.Timeout}
	switch check.Kind {
	case emulator.CheckHTTP:
		return p.HTTP(ctx, address, check.Path)
	case emulator.CheckGRPC:
		return p.GRPC(ctx, address)
	default:
		return p.TCP(ctx, address)
	}
}

package main

import (
	"context"
	"net/netip"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/diagnose"
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

// examiner looks further into a model that is not ready.
type examiner struct{}

// examinerTimeout is for one exchange.
const examinerTimeout = time.Second

// Speech tells what the port talks.
func (examiner) Speech(ctx context.Context, address netip.AddrPort) diagnose.Speech {
	return diagnose.Speech(probe.Prober{Timeout: examinerTimeout}.Speech(ctx, address))
}

// Status asks for a path.
func (examiner) Status(ctx context.Context, address netip.AddrPort, path string) int {
	return probe.Prober{Timeout: examinerTimeout}.Status(ctx, address, path)
}

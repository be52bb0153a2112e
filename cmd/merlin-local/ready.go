package main

import (
	"context"
	"net/netip"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
	"github.com/caraml-dev/merlin-local/emulator/probe"
)

// readiness asks a model what its contract says: HTTP_JSON answers 200 on
// /v1/models/{full name}; UPI_V1 says SERVING where it has the gRPC health service.
type readiness struct{ probe.Prober }

func (r readiness) Probe(ctx context.Context, protocol merlin.Protocol, address netip.AddrPort, fullName string) emulator.ProbeResult {
	begun := time.Now()
	var result probe.Result
	if protocol == merlin.UPIV1 {
		result = r.GRPC(ctx, address)
	} else {
		result = r.HTTP(ctx, address, "/v1/models/"+fullName)
	}
	return event.Probed{
		Kind: result.Kind, Target: result.Target, OK: result.OK, Status: result.Status,
		Outcome: result.Outcome, Body: result.Body, Took: time.Since(begun),
	}
}

package emulator

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// sabotagedOutcome is what a probe tells that fails on request.
const sabotagedOutcome = "fails on request (fault probes)"

// Prober returns one whose probes fail where that is asked for. Questions that are no
// probes are answered as ever.
func (s *Saboteur) Prober(p Prober) Prober { return frailProber{p, s} }

type frailProber struct {
	Prober
	saboteur *Saboteur
}

func (p frailProber) Probe(ctx context.Context, check Check, address netip.AddrPort) ProbeResult {
	c := p.saboteur.at(address)
	if c == nil {
		return p.Prober.Probe(ctx, check, address)
	}
	on := p.saboteur.of(c.model)
	fails := check.Purpose == event.Readiness && on.Readiness || check.Purpose == event.Liveness && on.Liveness
	if !fails {
		return p.Prober.Probe(ctx, check, address)
	}
	result := ProbeResult{Kind: string(check.Kind), Outcome: sabotagedOutcome, Fault: "probes"}
	if check.Kind == CheckHTTP {
		result.Target, result.Status = "GET "+check.Path, http.StatusServiceUnavailable
	}
	return result
}

// Stager returns one that takes longer where that is asked for: it is slow for every model
// whose model_dir a slow one shares. models are those of now.
func (s *Saboteur) Stager(stager Stager, models func() []*Model) Stager {
	return frailStager{stager, s, models}
}

type frailStager struct {
	Stager
	saboteur *Saboteur
	models   func() []*Model
}

func (f frailStager) Stage(ctx context.Context, modelDir string, properties []byte) (folder string, remove func() error, err error) {
	begun := time.Now()
	for {
		changed := f.saboteur.change()
		left := f.longest(modelDir) - time.Since(begun)
		if left <= 0 {
			return f.Stager.Stage(ctx, modelDir, properties)
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return "", nil, ctx.Err()
		}
	}
}

// longest is how long staging takes longer now.
func (f frailStager) longest(modelDir string) (longest time.Duration) {
	for _, m := range f.models() {
		if m.ModelDir == modelDir {
			longest = max(longest, f.saboteur.of(m.ID()).Staging)
		}
	}
	return longest
}

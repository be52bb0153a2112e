package emulator

import (
	"context"
	"net/netip"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// CheckKind is how a container is asked.
type CheckKind string

// The kinds of a check.
const (
	CheckHTTP CheckKind = "http" // GET a path, and want a 200
	CheckTCP  CheckKind = "tcp"  // connect
	CheckGRPC CheckKind = "grpc" // the standard health service
	CheckNone CheckKind = "none" // no probe at all
)

// Check is one question to a container.
type Check struct {
	Kind    CheckKind
	Path    string        // of CheckHTTP
	Purpose event.Purpose // of a probe; empty where it is none
	Timeout time.Duration
}

// Probe is a check with the kubelet's arithmetic.
type Probe struct {
	Check
	// InitialDelay is from the container's start to the first attempt.
	InitialDelay time.Duration
	// Period is between two attempts.
	Period time.Duration
	// Eager is the period until the first success; 0 is Period. Knative asks a
	// container that is to become ready every 50 ms.
	Eager time.Duration
	// EagerTimeout is an attempt's timeout for as long; 0 is the check's own.
	EagerTimeout time.Duration
	// The thresholds are how many attempts in a row it takes to change one's mind.
	SuccessThreshold, FailureThreshold int
}

// ProbeSettings are what a user changes in a probe; what is zero stays as it is.
type ProbeSettings struct {
	Kind                               CheckKind
	Path                               string
	InitialDelay, Period, Timeout      time.Duration
	SuccessThreshold, FailureThreshold int
}

const (
	// eagerPeriod and eagerTimeout are those of Knative's own probe.
	eagerPeriod  = 50 * time.Millisecond
	eagerTimeout = 100 * time.Millisecond
	// kubeletPeriod, kubeletTimeout and kubeletFailures are Kubernetes' defaults.
	kubeletPeriod   = 10 * time.Second
	kubeletTimeout  = time.Second
	kubeletFailures = 3
	// livenessDelay and merlinTimeout are what Merlin gives its own models.
	livenessDelay = 30 * time.Second
	merlinTimeout = 5 * time.Second
)

// ReadinessProbe asks whether requests may come. Documented: the contract's GET of the
// model's path, or gRPC health for UPI_V1. Deployed: Knative's TCP connect, since Merlin
// sets none for a custom model.
func (m *Model) ReadinessProbe() Probe {
	p := Probe{
		Period: kubeletPeriod, Eager: eagerPeriod,
		SuccessThreshold: 1, FailureThreshold: kubeletFailures,
	}
	switch {
	case m.Fidelity == Deployed:
		p.Check, p.EagerTimeout = Check{Kind: CheckTCP, Timeout: kubeletTimeout}, eagerTimeout
	case m.Deployment.Protocol == merlin.UPIV1:
		p.Check = Check{Kind: CheckGRPC, Timeout: merlinTimeout}
	default:
		p.Check = Check{Kind: CheckHTTP, Path: m.Deployment.ReadinessPath(), Timeout: merlinTimeout}
	}
	return m.Readiness.over(p)
}

// LivenessProbe asks whether the container must be started again; its kind is CheckNone
// where there is none, as the cluster has it. The numbers are those of Merlin's standard
// models, and so are the variables that turn it off.
func (m *Model) LivenessProbe() Probe {
	p := Probe{
		Check:        Check{Kind: CheckHTTP, Path: "/", Timeout: merlinTimeout},
		InitialDelay: livenessDelay, Period: kubeletPeriod,
		SuccessThreshold: 1, FailureThreshold: kubeletFailures,
	}
	if m.Deployment.Protocol == merlin.UPIV1 {
		p.Check = Check{Kind: CheckGRPC, Timeout: merlinTimeout}
	}
	if m.Fidelity == Deployed || m.disablesLiveness() {
		p.Kind = CheckNone
	}
	return m.Liveness.over(p)
}

func (m *Model) disablesLiveness() bool {
	for _, v := range m.Deployment.EnvVars {
		if (v.Name == "MERLIN_DISABLE_LIVENESS_PROBE" || v.Name == "CARAML_DISABLE_LIVENESS_PROBE") && v.Value == "true" {
			return true
		}
	}
	return false
}

// over returns the probe with what the user changes.
func (s ProbeSettings) over(p Probe) Probe {
	if s.Kind != "" && s.Kind != p.Kind {
		p.Kind, p.Path = s.Kind, ""
	}
	switch {
	case s.Path != "":
		p.Kind, p.Path = CheckHTTP, s.Path
	case p.Kind == CheckHTTP && p.Path == "":
		p.Path = "/"
	}
	if s.InitialDelay > 0 {
		p.InitialDelay = s.InitialDelay
	}
	if s.Period > 0 { // a user's own period holds from the start
		p.Period, p.Eager = s.Period, 0
	}
	if s.Timeout > 0 {
		p.Timeout, p.EagerTimeout = s.Timeout, 0
	}
	if s.SuccessThreshold > 0 {
		p.SuccessThreshold = s.SuccessThreshold
	}
	if s.FailureThreshold > 0 {
		p.FailureThreshold = s.FailureThreshold
	}
	return p
}

// probing asks a container again and again, and counts as the kubelet does.
type probing struct {
	Probe
	purpose event.Purpose
	pod     string
	prober  Prober
	address netip.AddrPort
	now     func() time.Time
	void    func() bool // whether a failure counts for nothing now; nil is never

	ok     bool // the last attempt's
	inARow int
	once   bool // it has succeeded once
}

// attempt asks once. The counts are of attempts in a row with the same result.
func (p *probing) attempt(ctx context.Context) ProbeResult {
	check := p.Check
	check.Purpose = p.purpose
	if !p.once && p.EagerTimeout > 0 {
		check.Timeout = p.EagerTimeout
	}
	result := p.prober.Probe(ctx, check, p.address)
	if p.inARow == 0 || result.OK != p.ok {
		p.ok, p.inARow = result.OK, 0
	}
	p.inARow++
	p.once = p.once || result.OK
	result.Pod, result.Purpose = p.pod, p.purpose
	result.InARow, result.Threshold = p.inARow, p.FailureThreshold
	if result.OK {
		result.Threshold = p.SuccessThreshold
	}
	return result
}

// firstPause is the eager probe's first one; it doubles up to Eager, so that a model
// that starts in no time is not kept waiting.
const firstPause = 5 * time.Millisecond

// run sends the result of every attempt until ctx ends. One that failed while the
// machine slept counts for nothing, as do those before it.
func (p *probing) run(ctx context.Context, results chan<- ProbeResult) {
	eager, wait := firstPause, p.InitialDelay
	for {
		begun := p.now()
		if !pause(ctx, wait) {
			return
		}
		result := p.attempt(ctx)
		asleep := overslept(begun, p.now(), wait+p.Timeout) > 0
		if !result.OK && (asleep || p.void != nil && p.void()) {
			p.inARow = 0
		} else {
			select {
			case results <- result:
			case <-ctx.Done():
				return
			}
		}
		wait = p.Period
		if !p.once && p.Eager > 0 {
			wait = min(eager, p.Eager)
			eager = min(2*eager, p.Eager)
		}
	}
}

// pause waits; it returns false where ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

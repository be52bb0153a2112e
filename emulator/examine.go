package emulator

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/diagnose"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Examiner finds out more of a model that is not ready than its probe does. It is asked
// seldom, and each answer takes it a second at most.
type Examiner interface {
	// Speech is what the port answers to the first bytes of a protocol.
	Speech(ctx context.Context, address netip.AddrPort) diagnose.Speech
	// Status is the answer to GET path; 0 where there is none.
	Status(ctx context.Context, address netip.AddrPort, path string) int
}

const (
	// lookFirst is between two looks at a container that has just begun, or just
	// stopped being ready; lookLater is between the others.
	lookFirst = time.Second
	lookLater = 5 * time.Second
	// lookPatience is how long a model may be not ready before it gets a card. A cause
	// that is certain in two looks in a row does not wait for it.
	lookPatience = 5 * time.Second
	// lookLimit bounds one look, with all that is asked.
	lookLimit = 10 * time.Second
)

// examination looks again and again why a container that runs is not ready, beside its
// probes. Its run goroutine owns what follows cards.
type examination struct {
	*incarnation
	heard chan *ProbeResult  // the last probe's result; nil where it is ready
	cards chan *event.Failed // receives where the diagnosis is new

	probed  *ProbeResult
	since   time.Time // since when it is not ready; zero while it is
	speech  diagnose.Speech
	spoke   string // the outcome that speech was asked for
	answers []diagnose.Answer
}

// examine starts the examination of a container; stop ends it and waits for it.
func (c *incarnation) examine(ctx context.Context) (x *examination, stop func()) {
	x = &examination{incarnation: c, since: c.begun, heard: make(chan *ProbeResult, 1), cards: make(chan *event.Failed)}
	ctx, cancel := context.WithCancel(ctx)
	var examining sync.WaitGroup
	examining.Go(func() { x.run(ctx) })
	return x, func() {
		cancel()
		examining.Wait()
	}
}

// hear takes what the readiness probe said last. One goroutine calls it.
func (x *examination) hear(result ProbeResult, ready bool) {
	latest := &result
	if ready || result.OK {
		latest = nil
	}
	select {
	case <-x.heard: // nobody has seen it
	default:
	}
	x.heard <- latest
}

// run examines until ctx ends.
func (x *examination) run(ctx context.Context) {
	var told, before diagnose.Finding
	for pause(ctx, x.interval()) {
		if !x.listen() {
			told, before = diagnose.Finding{}, diagnose.Finding{}
			continue
		}
		evidence := x.look(ctx)
		card := x.cardOf("runs, but is not ready", evidence)
		finding := diagnose.Finding{Cause: card.Cause, Certainty: card.Certainty}
		sure := finding.Certainty == event.Certain && finding == before
		before = finding
		if finding == told || !sure && time.Since(x.since) < lookPatience {
			continue
		}
		select {
		case x.cards <- card:
			told = finding
		case <-ctx.Done():
			return
		}
	}
}

func (x *examination) interval() time.Duration {
	if time.Since(x.since) < lookPatience {
		return lookFirst
	}
	return lookLater
}

// listen takes over what was heard, and tells whether the container is not ready.
func (x *examination) listen() bool {
	select {
	case latest := <-x.heard:
		switch {
		case latest == nil:
			x.since = time.Time{}
		case x.since.IsZero():
			x.since = time.Now()
		}
		x.probed = latest
	default:
	}
	return x.probed != nil
}

// look gathers what can be known now.
func (x *examination) look(ctx context.Context) diagnose.Evidence {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	e := x.evidence(*x.probed)
	if found, err := x.container.Listening(ctx); err == nil {
		e.Listening, e.SocketsKnown = slices.DeleteFunc(found, x.isDebuggers), true
	}
	if x.Examiner == nil {
		return e
	}
	if puzzling(*x.probed) && x.spoke != x.probed.Outcome {
		x.spoke, x.speech = x.probed.Outcome, x.Examiner.Speech(ctx, x.container.Address())
	}
	if x.probed.Status == http.StatusNotFound && x.answers == nil {
		x.tryPaths(ctx)
	}
	e.Speech, e.Answers = x.speech, x.answers
	return e
}

// puzzling tells a probe's result that a wrong protocol can be behind. A server of TLS
// may answer a plain request with 400.
func puzzling(p ProbeResult) bool {
	return (p.Status == 0 || p.Status == http.StatusBadRequest) && !slices.Contains([]string{"connection refused", "NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN"}, p.Outcome)
}

// tryPaths asks for the health at other paths, once for a container.
func (x *examination) tryPaths(ctx context.Context) {
	x.answers = []diagnose.Answer{}
	for _, candidate := range x.given.Candidates(x.model.ReadinessProbe().Path) {
		if ctx.Err() != nil {
			return
		}
		status := x.Examiner.Status(ctx, x.container.Address(), candidate.Path)
		x.answers = append(x.answers, diagnose.Answer{Candidate: candidate, Status: status})
	}
}

package emulator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/diagnose"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// pod is one replica of a model: a container that is started again whenever it ends.
// Its run goroutine owns it but for cancel and what follows, which are the supervisor's;
// of revision and supervisor it uses what does not change while pods run.
type pod struct {
	*revision
	suffix   string // of its name in Kubernetes
	name     string // the suffix' last letters
	restarts int
	given    diagnose.Asked // of the last container
	retry    chan struct{}  // receives where a wait is to be cut short

	spec     ContainerSpec // of its last container
	debugger debugged      // of its last container; zero where it has none
	usage    gauge         // of the container that runs

	birth *birth // nil where nobody waits for it

	cancel  context.CancelFunc
	state   podState
	died    *event.Failed // the card of its last container's end; nil where none has
	again   int           // restarts, as it reported last
	leaves  *departure    // nil where it stays
	began   time.Time     // its container; zero where none runs
	changed time.Time     // since when it is ready, or not
}

// podState is what a pod tells its supervisor.
type podState struct {
	phase   event.Phase
	why     string
	retryAt time.Time      // in back-off
	address netip.AddrPort // while it is ready
	ended   *died          // how its last container ended, once
	probe   ProbeResult    // the last attempt for readiness
	err     error          // it could not be started

	withEngine bool // its container ended with the Docker Engine

	card  *event.Failed // why its container ended, or is not ready once that was looked into
	vague *event.Failed // what the last attempt alone tells of that
}

// report is a change of a pod's state; heeded closes when the supervisor has dealt
// with it.
type report struct {
	pod    *pod
	state  podState
	heeded chan struct{}
}

func newPod(r *revision) *pod {
	own := letters(5)
	return &pod{revision: r, suffix: r.podHash + "-" + own, name: own, retry: make(chan struct{}, 1)}
}

// letters are random ones of the alphabet that Kubernetes uses in names.
func letters(n int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	random := make([]byte, n)
	_, _ = rand.Read(random) // never fails
	for i, b := range random {
		random[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(random)
}

// enter tells everybody, and the supervisor first, that the pod is in another state.
func (p *pod) enter(state podState) {
	r := report{p, state, make(chan struct{})}
	p.reports <- r
	<-r.heeded
}

// run keeps a container running until ctx ends; then it takes the last one away.
func (p *pod) run(ctx context.Context) {
	defer p.enter(podState{phase: event.PhaseStopped})
	var crashes backOff
	for ctx.Err() == nil {
		state := p.incarnate(ctx)
		if ctx.Err() != nil {
			return
		}
		if state.withEngine {
			continue // no crash: at once, and not counted
		}
		p.rest(ctx, state, crashes.next(time.Now()))
		p.restarts++
	}
}

// rest is the pod's wait after a container has ended.
func (p *pod) rest(ctx context.Context, state podState, wait time.Duration) {
	state.phase = event.PhaseBackOff
	if wait > 0 {
		state.retryAt = time.Now().Add(wait).UTC().Round(time.Millisecond)
		state.why += "; starts again in " + wait.Round(time.Second).String()
	} else {
		state.why += "; starts again at once"
	}
	p.enter(state)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.retry:
	case <-ctx.Done():
	}
}

// incarnate runs one container from its start to its end, and returns how it ended.
func (p *pod) incarnate(ctx context.Context) podState {
	select {
	case <-p.retry: // one that came while a container ran
	default:
	}
	p.enter(podState{phase: event.PhaseStarting})
	container, err := p.startAnswered(ctx)
	if err != nil {
		card := p.startFailed(err).card()
		card.Pod = p.name
		return podState{why: "cannot be started: " + err.Error(), err: err, card: &card}
	}
	c := newIncarnation(p, container)
	defer c.close()
	return c.live(ctx)
}

// live watches over a container until it ends, or ends it when ctx does.
func (c *incarnation) live(ctx context.Context) podState {
	c.enter(podState{phase: event.PhaseWaiting})
	defer c.offerDebugger()()
	defer c.born(ctx)()
	readiness, liveness, stop := c.probes(ctx)
	defer stop()
	examination, examined := c.examine(ctx)
	defer examined()
	metrics, scraped := c.scrape(ctx)
	defer scraped()
	state := podState{phase: event.PhaseWaiting}
	for {
		select {
		case card := <-examination.cards:
			if !state.address.IsValid() {
				state.card = card
				c.enter(state)
			}
		case exit := <-c.container.Exited():
			c.exit = &exit
			metrics.hear(false)
			return c.bury(ctx, state)
		case <-c.container.OOMs():
			c.ooms.add()
		case <-c.ooms.settle:
			c.survived()
		case result := <-readiness:
			c.publish(result)
			c.judge(&state, result)
			examination.hear(result, state.address.IsValid())
			metrics.hear(state.address.IsValid())
		case result := <-liveness:
			c.publish(result)
			if !result.OK && result.InARow >= result.Threshold {
				metrics.hear(false)
				return c.kill(ctx, state, result)
			}
		case <-ctx.Done():
			c.retire()
			return state
		}
	}
}

// judge makes the container ready, or no longer so.
func (c *incarnation) judge(state *podState, result ProbeResult) {
	ready := state.address.IsValid()
	same := result.Outcome == state.probe.Outcome
	state.probe = result
	if !result.OK && !same {
		state.vague = c.cardOf("is not ready", c.evidence(result))
	}
	switch {
	case result.OK && !ready && result.InARow >= result.Threshold:
		state.phase, state.why, state.address = event.PhaseReady, "", c.container.Address()
		state.card, state.vague = nil, nil
	case !result.OK && ready && result.InARow >= result.Threshold:
		state.phase, state.why, state.address = event.PhaseWaiting, "not ready any more: "+result.Target+": "+result.Outcome, netip.AddrPort{}
	case same:
		return
	}
	c.enter(*state)
}

// bury takes a container that has ended out of the traffic, and returns how it ended.
func (c *incarnation) bury(ctx context.Context, state podState) podState {
	if state.address.IsValid() { // before its last words are waited for
		c.enter(podState{phase: event.PhaseWaiting, probe: state.probe})
	}
	d, ok := c.buried(ctx)
	if !ok {
		return podState{}
	}
	if d.WithEngine && c.why == "" {
		return podState{withEngine: true}
	}
	what := d.describe()
	return podState{why: what, ended: &d, probe: state.probe, card: c.cardOf(what, c.ending(d, state.probe))}
}

// kill ends a container that fails its liveness probe, as the kubelet does.
func (c *incarnation) kill(ctx context.Context, state podState, last ProbeResult) podState {
	c.why = fmt.Sprintf("liveness probe failed %s: %s: %s", times(last.InARow), last.Target, last.Outcome)
	if state.address.IsValid() {
		c.enter(podState{phase: event.PhaseWaiting, why: c.why, probe: state.probe})
		state.address = netip.AddrPort{}
	}
	if err := c.terminate(ctx, c.grace()); err != nil && ctx.Err() == nil {
		c.warn(fmt.Errorf("stop %s: %w", c.id, err))
	}
	if ctx.Err() != nil {
		c.retire()
		return state
	}
	return c.bury(ctx, state)
}

// probes starts both probes; stop ends them and waits for them.
func (c *incarnation) probes(ctx context.Context) (readiness, liveness <-chan ProbeResult, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	ask := func(purpose event.Purpose, probe Probe) <-chan ProbeResult {
		results := make(chan ProbeResult, 1)
		switch {
		case !c.container.Address().IsValid(): // it ended before it had one
		case probe.Kind != CheckNone:
			p := &probing{Probe: probe, purpose: purpose, pod: c.name, prober: c.Prober, now: c.now, address: c.container.Address()}
			p.void = func() bool { // published ports go and come with the Engine
				return c.suspended.on.Load() || purpose == event.Liveness && c.engineAway.Load()
			}
			asking.Go(func() { p.run(ctx, results) })
		case purpose == event.Readiness: // without a probe a container is ready at once
			results <- ProbeResult{Pod: c.name, Purpose: purpose, Kind: string(CheckNone), OK: true, Outcome: "no probe", InARow: 1, Threshold: 1}
		}
		return results
	}
	readiness, liveness = ask(event.Readiness, c.model.ReadinessProbe()), ask(event.Liveness, c.model.LivenessProbe())
	return readiness, liveness, func() {
		cancel()
		asking.Wait()
	}
}

// retire takes a container away as a pod is: the supervisor has taken it out of the
// traffic; running requests finish, then SIGTERM, then after the grace period SIGKILL.
func (c *incarnation) retire() {
	c.drain()
	grace := c.grace()
	ctx, cancel := c.unforced(grace + stopSlack)
	defer cancel()
	c.expected = true
	err := c.terminate(ctx, grace)
	switch {
	case err == nil:
		c.buried(ctx)
	case ctx.Err() == nil:
		c.warn(fmt.Errorf("stop %s: %w", c.id, err)) // its end will not be seen either
	}
}

// productionQuiet is how long queue-proxy waits for late requests before the container
// gets its SIGTERM.
const productionQuiet = 30 * time.Second

// drain waits for running requests. Those that outlive the grace period have until the
// container's end.
func (c *incarnation) drain() {
	limit := c.grace()
	if c.ProductionGrace {
		limit = max(limit, productionQuiet)
	}
	ctx, cancel := c.unforced(limit)
	defer cancel()
	err := c.Router.Drain(ctx, c.id, c.container.Address())
	if errors.Is(err, context.DeadlineExceeded) {
		running := strings.TrimSuffix(err.Error(), ": "+context.DeadlineExceeded.Error())
		c.warn(fmt.Errorf("%s after %s: the container gets its SIGTERM all the same", running, limit))
	}
	if c.ProductionGrace && err == nil {
		pause(ctx, productionQuiet)
	}
}

// grace is how long the container has between SIGTERM and SIGKILL: in production the
// revision's timeout.
func (r *revision) grace() time.Duration {
	if r.ProductionGrace {
		return r.model.timeout()
	}
	return r.Grace
}

// stopSlack is what the runtime may take beyond the grace period to notice the end.
const stopSlack = 5 * time.Second

// unforced returns a context for work on the way out: it outlives the session's own
// context, ends after the limit, and at once when Force is closed.
func (s *supervisor) unforced(limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-s.Force:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); <-done }
}

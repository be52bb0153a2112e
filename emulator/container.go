package emulator

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// incarnation is one container of a pod, and the copying of its output.
type incarnation struct {
	*pod
	container Container
	started   event.Started
	begun     time.Time
	limit     int64 // of memory, in bytes; 0 is none
	ooms      oomKills
	exit      *Exit  // once it is known
	expected  bool   // a stop ended it
	why       string // we ended it, where it was no stop

	last      *tail
	stopLogs  context.CancelFunc // and the measuring
	logs      sync.WaitGroup
	measuring sync.WaitGroup
}

// start asks the runtime for a container with production's environment.
func (p *pod) start(ctx context.Context) (Container, error) {
	d := p.model.Deployment
	place, err := p.Runtime.Place(ctx, PlaceSpec{Model: p.model, Artifact: p.artifact})
	if err != nil {
		return nil, err
	}
	resources, err := d.Resources()
	if err != nil {
		return nil, err
	}
	given := p.unexpanded(place)
	env := merlin.Resolve(given, p.model.SecretValues)
	spec := ContainerSpec{
		Model: p.model, Pod: p.name, Revision: p.number, Image: p.image,
		Env:      merlin.Assignments(env),
		Command:  merlin.ExpandWords(merlin.Words(d.Command), env),
		Args:     merlin.ExpandWords(merlin.Words(d.Args), env),
		Port:     place.ServingPort(d.Protocol),
		Hostname: merlin.Hostname(d.PodName(p.suffix)),
		Artifact: p.artifact,
		Files:    p.files.files(),
		Created:  p.birth.create,
	}
	if !p.NoLimits {
		spec.limit(resources.Limits)
	}
	p.spec, p.given = spec, p.asked(place, env)
	if p.model.Debug.On {
		if err := p.underDebugger(&spec); err != nil {
			return nil, err
		}
	}
	p.tellEnvironment(place, given, spec, resources)
	return p.Runtime.Start(ctx, spec)
}

// limit sets what the container may take at most.
func (s *ContainerSpec) limit(l merlin.Quantities) {
	if l.CPU != nil {
		s.CPUMillis, s.CPULimit = l.CPU.MilliValue(), l.CPU.String()
	}
	if l.Memory != nil {
		s.MemoryBytes, s.MemoryLimit = l.Memory.Value(), l.Memory.String()
	}
}

func newIncarnation(p *pod, container Container) *incarnation {
	c := &incarnation{pod: p, container: container, started: container.Started(), begun: time.Now(), limit: p.spec.MemoryBytes, last: &tail{}}
	c.started.Pod = p.name
	p.publish(c.started)
	ctx, cancel := context.WithCancel(context.Background())
	c.stopLogs = cancel
	c.usage.begin()
	c.logs.Go(func() { c.copyLogs(ctx) })
	c.measuring.Go(func() { c.measure(ctx) })
	return c
}

func (c *incarnation) copyLogs(ctx context.Context) {
	out := c.lines(event.Log{Source: event.LogModel, Replica: c.started.Replica})
	errs := c.lines(event.Log{Source: event.LogModel, Replica: c.started.Replica, Stderr: true})
	out.last, errs.last = c.last, c.last
	err := c.container.Logs(ctx, out, errs)
	out.flush()
	errs.flush()
	if err != nil && ctx.Err() == nil {
		c.warn(errors.New("the logs of " + c.id + " ended early: " + err.Error()))
	}
}

// logSlack is how long the output of a dead container may take to arrive.
const logSlack = 2 * time.Second

// died tells how a container ended.
type died struct {
	Exit
	why         string
	lastLogs    []string
	memoryPeak  int64 // bytes; 0 is not known
	memoryLimit int64 // bytes; 0 is none
	oomKills    int   // processes of it that the kernel killed for memory
}

// describe tells the end in words. The code of one that was ended says nothing.
func (d died) describe() string {
	if d.why != "" {
		return "was ended, as its liveness probe failed"
	}
	return d.Exit.describe()
}

// buried waits for the end of a container and of its output, and reports it. It is
// false where ctx ends first.
func (c *incarnation) buried(ctx context.Context) (d died, ok bool) {
	if c.exit == nil {
		select {
		case exit := <-c.container.Exited():
			c.exit = &exit
		case <-ctx.Done():
			return died{}, false // the forced way out: close kills it
		}
	}
	c.awaitLogs()
	d = died{Exit: *c.exit, why: c.why, lastLogs: c.last.lines()}
	d.oomKills = c.countOOMs()
	d.memoryPeak, d.memoryLimit = c.memory(d.oomKills > 0)
	why := c.why
	if d.Fault != "" {
		why = "killed by the fault " + d.Fault
	}
	c.publish(event.Exited{
		Pod: c.name, Replica: c.started.Replica, Code: d.Code, Signal: d.signal(), OOMKilled: d.OOMKilled,
		Error: d.Error, Expected: c.expected, Why: why, Ran: time.Since(c.begun), LastLogs: d.lastLogs,
		MemoryPeak: d.memoryPeak, MemoryLimit: d.memoryLimit, OOMKills: d.oomKills, WithEngine: d.WithEngine,
	})
	return d, true
}

func (c *incarnation) awaitLogs() {
	done := make(chan struct{})
	go func() { c.logs.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(logSlack):
	}
}

// close removes what is left of the container and waits for the copying to end.
func (c *incarnation) close() {
	ctx, cancel := context.WithTimeout(context.Background(), removeLimit)
	defer cancel()
	if err := c.container.Remove(ctx); err != nil {
		c.warn(errors.New("remove " + c.id + ": " + err.Error() + "; the next up or down tries again"))
	}
	c.stopLogs()
	c.logs.Wait()
	c.measuring.Wait()
	c.usage.end()
}

// removeLimit bounds the removal, so that an Engine that hangs cannot keep us.
const removeLimit = 15 * time.Second

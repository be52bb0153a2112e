package docker

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// replica is one container.
type replica struct {
	*Runtime
	id, name   string
	model, pod string
	volume     string // holds the artifact; empty where it is bind-mounted
	cpuMillis  int64  // its limit when it was created; 0 is none
	stopSignal string // the image's own, which containerd honours in production too

	pid      int // on the Engine's host, while it runs
	started  event.Started
	address  netip.AddrPort
	debugger netip.AddrPort // not valid where there is none

	inner atomic.Pointer[netip.Addr] // on the containers' network, once it was asked for
	told  atomic.Bool                // a signal of ours has reached it: what ends it then is that

	ooms    chan struct{}      // receives for every process that the kernel killed for memory
	exits   chan emulator.Exit // receives once
	ended   chan struct{}      // closed after exits has its value
	stop    context.CancelFunc // of the watching
	watched chan struct{}      // closed when the watching is over
}

var _ emulator.Container = (*replica)(nil)

func newReplica(r *Runtime, spec emulator.ContainerSpec, id, name, volume string) *replica {
	c := &replica{
		Runtime: r, id: id, name: name, model: spec.Model.ID(), pod: spec.Pod, volume: volume, cpuMillis: spec.CPUMillis,
		ooms: make(chan struct{}, keptOOMs), exits: make(chan emulator.Exit, 1), ended: make(chan struct{}),
		stop: func() {}, watched: make(chan struct{}),
	}
	close(c.watched)
	r.known.add(c)
	return c
}

// keptOOMs bounds the kills for memory that nobody has asked for yet.
const keptOOMs = 64

func (c *replica) noteOOM() {
	select {
	case c.ooms <- struct{}{}:
	default:
	}
}

// OOMs receives once for every process of the container that the kernel killed for the
// memory limit.
func (c *replica) OOMs() <-chan struct{} { return c.ooms }

// start starts the container and watches it from before it runs.
func (c *replica) start(ctx context.Context, spec emulator.ContainerSpec, reach Reach) error {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop, c.watched = stop, make(chan struct{})
	c.describe(spec, reach)
	exit := c.waitFor(watching, container.WaitConditionNextExit)
	if spec.Created != nil {
		spec.Created()
	}
	if err := c.client.ContainerStart(ctx, c.id, container.StartOptions{}); err != nil {
		stop()
		close(c.watched)
		return c.notStarted(ctx, err)
	}
	go func() {
		defer close(c.watched)
		c.watch(watching, exit)
	}()
	found, err := c.client.ContainerInspect(ctx, c.id)
	if err != nil {
		return fmt.Errorf("inspect the container: %w", err)
	}
	c.stopSignal = found.Config.StopSignal
	if !found.State.Running {
		return nil // ended already, as the watch will say: it has no address any more
	}
	c.pid = found.State.Pid
	if spec.DebugPort > 0 {
		if c.debugger, err = address(found, reach, spec.DebugPort); err != nil {
			return err
		}
	}
	c.address, err = address(found, reach, spec.Port)
	c.started.Address = c.address.String()
	return err
}

func (c *replica) describe(spec emulator.ContainerSpec, reach Reach) {
	c.started = event.Started{
		Replica: short(c.id), Container: c.id, Name: c.name,
		Image: spec.Image.ID, Reach: string(reach),
		CPULimit: spec.CPULimit, MemoryLimit: spec.MemoryLimit,
		EffectiveCPUs: c.effectiveCPUs(spec),
	}
}

// notStarted makes an exit of a refused start where the model is to blame: the Engine
// then has set an exit code. A wait for the next exit would never end here.
func (c *replica) notStarted(ctx context.Context, refusal error) error {
	found, err := c.client.ContainerInspect(ctx, c.id)
	full := strings.Contains(refusal.Error(), "no space left on device")
	if err != nil || found.State.ExitCode == 0 || full || c.isAway(ctx) { // no fault of the model's
		return fmt.Errorf("start the container: %w", refusal)
	}
	c.end(emulator.Exit{Code: found.State.ExitCode, Error: refusal.Error()})
	return nil
}

func (c *replica) end(exit emulator.Exit) {
	c.exits <- exit
	close(c.ended)
}

// Started describes the container.
func (c *replica) Started() event.Started { return c.started }

// Address is where the host reaches the serving port.
func (c *replica) Address() netip.AddrPort { return c.address }

// DebugAddress is where the host reaches the debugger.
func (c *replica) DebugAddress() netip.AddrPort { return c.debugger }

// Exited receives once, when the container has ended.
func (c *replica) Exited() <-chan emulator.Exit { return c.exits }

// killLimit is how long the Engine may take to report a kill.
const killLimit = 10 * time.Second

// Stop signals the container to end, kills it after the grace period, and waits.
func (c *replica) Stop(ctx context.Context, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace+killLimit)
	defer cancel()
	if err := c.signal(ctx, c.stopSignal); err != nil {
		return err
	}
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(grace):
	}
	if err := c.signal(ctx, "SIGKILL"); err != nil {
		return err
	}
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the Engine reports no end of container %s after SIGKILL: %w", short(c.id), ctx.Err())
	}
}

// signal sends a signal; one to a container that has ended is no error.
func (c *replica) signal(ctx context.Context, name string) error {
	if name == "" {
		name = "SIGTERM"
	}
	select {
	case <-c.ended:
		return nil
	default:
	}
	err := c.client.ContainerKill(ctx, c.id, name)
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
		return fmt.Errorf("send %s to container %s: %w", name, short(c.id), err)
	}
	if err == nil {
		c.told.Store(true)
	}
	return nil
}

// Remove kills the container where it runs and deletes it with its artifact volume.
// Exited has its value when it returns, with an error too.
func (c *replica) Remove(ctx context.Context) error {
	err := c.remove(ctx)
	c.stopWatching(err)
	return err
}

func (c *replica) remove(ctx context.Context) error {
	err := c.removeContainer(ctx, c.id)
	if err == nil && c.volume != "" {
		err = c.removeVolume(ctx, c.volume)
	}
	c.known.remove(c, err == nil)
	return err
}

// stopWatching ends the watch. It lets the watch report the kill itself first.
func (c *replica) stopWatching(removal error) {
	patience := time.Second
	if removal != nil {
		patience = 0
	}
	select {
	case <-c.watched:
	case <-time.After(patience):
	}
	c.stop()
	<-c.watched
}

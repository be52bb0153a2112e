package docker

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/caraml-dev/merlin-local/emulator"
)

var _ emulator.Frail = (*replica)(nil)

// Freeze stops all processes of the container, also those that it makes.
func (c *replica) Freeze(ctx context.Context) error {
	if err := c.client.ContainerPause(ctx, c.id); err != nil {
		return fmt.Errorf("pause container %s: %w", short(c.id), err)
	}
	return nil
}

// Kill sends SIGKILL. The Engine lets a paused container go on with it.
func (c *replica) Kill(ctx context.Context) error { return c.signal(ctx, "SIGKILL") }

// Squeeze changes the container's CPU limit while it runs. One that has ended has none.
func (c *replica) Squeeze(ctx context.Context, cpuMillis int64) error {
	if cpuMillis == 0 {
		cpuMillis = c.cpuMillis
	}
	quota := cpuMillis * cpuPeriod / 1000
	if cpuMillis == 0 {
		quota = -1 // none: 0 would be "as it is"
	}
	update := container.UpdateConfig{Resources: container.Resources{CPUPeriod: cpuPeriod, CPUQuota: quota}}
	_, err := c.client.ContainerUpdate(ctx, c.id, update)
	if err == nil || c.hasEnded(ctx) {
		return nil
	}
	return fmt.Errorf("change the CPU limit of container %s: %w", short(c.id), err)
}

// hasEnded asks the Engine, which may know of an end before the watch does.
func (c *replica) hasEnded(ctx context.Context) bool {
	found, err := c.client.ContainerInspect(ctx, c.id)
	return errdefs.IsNotFound(err) || err == nil && !found.State.Running
}

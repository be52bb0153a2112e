package docker

import (
	"context"
	"fmt"

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
	select {
	case <-c.ended:
		return nil
	default:
	}
	if cpuMillis == 0 {
		cpuMillis = c.cpuMillis
	}
	quota := cpuMillis * cpuPeriod / 1000
	if cpuMillis == 0 {
		quota = -1 // none: 0 would be "as it is"
	}
	update := container.UpdateConfig{Resources: container.Resources{CPUPeriod: cpuPeriod, CPUQuota: quota}}
	if _, err := c.client.ContainerUpdate(ctx, c.id, update); err != nil {
		return fmt.Errorf("change the CPU limit of container %s: %w", short(c.id), err)
	}
	return nil
}

package process

import (
	"context"
	"errors"
	"fmt"

	"github.com/caraml-dev/merlin-local/emulator"
)

var _ emulator.Frail = (*container)(nil)

// Freeze stops the whole group, where the host can.
func (c *container) Freeze(ctx context.Context) error {
	return c.group.tree.freeze(ctx, c.group.pid)
}

// Kill ends the whole group.
func (c *container) Kill(context.Context) error {
	c.group.kill()
	return nil
}

// Squeeze is refused: a process of this host has no limit.
func (c *container) Squeeze(context.Context, int64) error {
	return fmt.Errorf("a process of this host has no CPU limit: %w", errors.ErrUnsupported)
}

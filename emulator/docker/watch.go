package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/caraml-dev/merlin-local/emulator"
)

// wait is an answer of the Engine about a container's end, which is yet to come.
type wait struct {
	done <-chan container.WaitResponse
	err  <-chan error
}

func (c *replica) waitFor(ctx context.Context, condition container.WaitCondition) wait {
	done, err := c.client.ContainerWait(ctx, c.id, condition)
	return wait{done, err}
}

const (
	// lookLimit bounds one look at a container after a lost connection.
	lookLimit = 5 * time.Second
	// lookFirst doubles up to lookMost between two looks.
	lookFirst = 50 * time.Millisecond
	lookMost  = 2 * time.Second
	// killedCode stands for an exit that nobody saw.
	killedCode = 137
)

// watch reports the container's end once. A lost connection to the Engine is no end:
// the Engine may restart, or only the way to it may be broken.
func (c *replica) watch(ctx context.Context, w wait) {
	for {
		select {
		case answer := <-w.done:
			exit := c.exitOf(ctx, answer)
			exit.WithEngine = c.isAway(ctx)
			c.end(exit)
			return
		case lost := <-w.err:
			exit, running := c.lookAgain(ctx, lost)
			if !running {
				c.end(exit)
				return
			}
			w = c.waitFor(ctx, container.WaitConditionNotRunning)
		}
	}
}

// exitOf adds what the Engine knows beyond the code. A container that was removed at
// once leaves only the code.
func (c *replica) exitOf(ctx context.Context, answer container.WaitResponse) emulator.Exit {
	exit := emulator.Exit{Code: int(answer.StatusCode)}
	if answer.Error != nil {
		exit.Error = answer.Error.Message
	}
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	if found, err := c.client.ContainerInspect(ctx, c.id); err == nil {
		exit.OOMKilled = found.State.OOMKilled
		if exit.Error == "" {
			exit.Error = found.State.Error
		}
	}
	return exit
}

// lookAgain asks until the Engine answers whether the container still runs.
func (c *replica) lookAgain(ctx context.Context, lost error) (exit emulator.Exit, running bool) {
	for pause := lookFirst; ; pause = min(2*pause, lookMost) {
		found, err := c.look(ctx)
		switch {
		case ctx.Err() != nil:
			return emulator.Exit{Code: killedCode, Error: "it was given up before its end was seen"}, false
		case errdefs.IsNotFound(err):
			return emulator.Exit{Code: killedCode, WithEngine: true, Error: fmt.Sprintf("the container was removed while the Engine did not answer (%v)", lost)}, false
		case err == nil && (found.State.Running || found.State.Status == container.StateCreated):
			return emulator.Exit{}, true
		case err == nil && c.told.Load(): // after the Engine was there again, and before this look
			return emulator.Exit{Code: found.State.ExitCode, OOMKilled: found.State.OOMKilled}, false
		case err == nil:
			return emulator.Exit{
				Code: found.State.ExitCode, OOMKilled: found.State.OOMKilled, WithEngine: true,
				Error: fmt.Sprintf("it ended while the Engine did not answer (%v); after a restart of the Engine the code is not the model's own", lost),
			}, false
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (c *replica) look(ctx context.Context) (container.InspectResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	return c.client.ContainerInspect(ctx, c.id)
}

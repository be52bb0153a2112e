package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/docker"
)

func newDown(where *location) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the session of this repo, and remove what killed sessions left",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return down(c, where) },
	}
}

// downLimit is far beyond any grace period that makes sense.
const downLimit = 10 * time.Minute

func down(c *cobra.Command, where *location) error {
	session, err := where.session()
	if err != nil {
		return err
	}
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	ran, err := stopSession(ctx, session)
	if err != nil {
		return err
	}
	swept, err := sweep(ctx)
	if err != nil {
		return fmt.Errorf("remove what killed sessions left: %w", err)
	}
	switch {
	case ran:
		fmt.Fprintln(c.OutOrStdout(), "stopped")
	case swept > 0:
		fmt.Fprintf(c.OutOrStdout(), "nothing was running here; removed what %d killed session(s) had left\n", swept)
	default:
		fmt.Fprintln(c.OutOrStdout(), "nothing is running here")
	}
	return nil
}

// stopSession ends the session where it is alive, and waits for its end.
func stopSession(ctx context.Context, session control.Session) (ran bool, err error) {
	if !session.Alive() {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, downLimit)
	defer cancel()
	for {
		// Without an answer it is on its way down, or up: then it must be asked again.
		err := session.Down(ctx)
		if err != nil && !errors.Is(err, control.ErrNotRunning) {
			return true, err
		}
		lock, err := waitEnd(ctx, session, err == nil)
		switch {
		case err == nil:
			return true, lock.Release()
		case ctx.Err() != nil:
			return true, fmt.Errorf("it does not stop: end process %d yourself, then run down again", session.Owner().PID)
		case !errors.Is(err, context.DeadlineExceeded):
			return true, err
		}
	}
}

// askAgain is how long a session that did not answer is waited for at a time.
const askAgain = 100 * time.Millisecond

func waitEnd(ctx context.Context, session control.Session, told bool) (*control.Lock, error) {
	if !told {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, askAgain)
		defer cancel()
	}
	return session.Wait(ctx)
}

// sweep removes what killed sessions left, on the Engine too where one answers.
func sweep(ctx context.Context) (int, error) {
	runtime, err := docker.Connect(ctx, docker.Options{})
	var none *docker.NoEngineError
	if errors.As(err, &none) {
		return sweepDead(ctx, nil)
	}
	if err != nil {
		return 0, err
	}
	defer runtime.Close()
	return sweepDead(ctx, runtime)
}

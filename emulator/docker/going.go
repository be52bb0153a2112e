package docker

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
)

// goingLimit bounds the question whether the Engine still takes connections: behind a
// socket that systemd holds, one that stops leaves them unanswered.
const goingLimit = 2 * time.Second

// isAway tells whether the Engine takes no new connection. It stops taking them before
// it ends its containers, and answers on older ones for as long: a new one alone tells.
func (r *Runtime) isAway(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, goingLimit)
	defer cancel()
	conn, err := r.client.Dialer()(ctx)
	if err != nil {
		return ctx.Err() == nil || ctx.Err() == context.DeadlineExceeded
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(goingLimit))
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := io.WriteString(conn, "GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"); err != nil {
		return true
	}
	_, err = conn.Read(make([]byte, 1))
	return err != nil && ctx.Err() != context.Canceled
}

// blame says of an error that the Engine is away, where it is.
func (r *Runtime) blame(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil && r.isAway(ctx) {
		return fmt.Errorf("%w: %w", emulator.ErrEngineAway, err)
	}
	return err
}

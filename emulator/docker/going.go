package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
)

// isAway tells whether the Engine answers nothing on a new connection. One that stops
// refuses those before it ends its containers, and answers on older ones until it is
// gone; behind a socket that systemd holds it leaves them unanswered.
func (r *Runtime) isAway(ctx context.Context) bool {
	limit := answerLimit
	if !r.engine.sharesFiles() {
		limit = farAnswerLimit // an ssh logs in anew
	}
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return r.ping(asking) != nil && ctx.Err() == nil
}

func (r *Runtime) ping(ctx context.Context) error {
	conn, err := r.client.Dialer()(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	if _, err := io.WriteString(conn, "GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"); err != nil {
		return err
	}
	answer := make([]byte, len("HTTP/1.0 200"))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if !strings.HasSuffix(string(answer), " 200") {
		return errors.New("it answers " + string(answer))
	}
	return nil
}

// blame says of an error that the Engine is away, where it is.
func (r *Runtime) blame(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil && r.isAway(ctx) {
		return fmt.Errorf("%w: %w", emulator.ErrEngineAway, err)
	}
	return err
}

package docker

import (
	"context"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Logs copies the output from its start until the container and its output have
// ended. Where the connection breaks it reads on where it was.
func (c *replica) Logs(ctx context.Context, stdout, stderr io.Writer) error {
	out, errs := &resumed{w: stdout}, &resumed{w: stderr}
	for pause := lookFirst; ; pause = min(2*pause, lookMost) {
		over := c.isOver()
		err := c.copyLogs(ctx, !over, out, errs)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errdefs.IsNotFound(err):
			return nil // removed, and its output with it
		case over && err == nil:
			return nil
		case out.err != nil:
			return out.err
		case errs.err != nil:
			return errs.err
		}
		// What was followed ended: the container did, or the connection. Read what
		// is left once its end is known, for a stream can end before the last line.
		select {
		case <-c.ended:
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (c *replica) isOver() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

func (c *replica) copyLogs(ctx context.Context, follow bool, stdout, stderr *resumed) error {
	body, err := c.client.ContainerLogs(ctx, c.id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: follow})
	if err != nil {
		return err
	}
	defer body.Close()
	stdout.rewind()
	stderr.rewind()
	_, err = stdcopy.StdCopy(stdout, stderr, body)
	return err
}

// resumed passes on only what it has not yet seen of a stream that is read again from
// its start.
type resumed struct {
	w    io.Writer
	seen int64 // bytes passed on
	skip int64 // bytes still to be left out
	err  error // of w: no use reading on
}

func (r *resumed) rewind() { r.skip = r.seen }

func (r *resumed) Write(p []byte) (int, error) {
	rest := p[min(int64(len(p)), r.skip):]
	r.skip -= int64(len(p) - len(rest))
	if len(rest) == 0 {
		return len(p), nil
	}
	n, err := r.w.Write(rest)
	r.seen += int64(n)
	if err != nil {
		r.err = err
		return len(p) - len(rest) + n, err
	}
	return len(p), nil
}

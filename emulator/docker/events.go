package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Watch follows the Engine's own events for the whole session, until ctx ends. It
// tells containers of the kernel's kills for memory, and reports when the Engine stops
// answering and when it answers again.
func (r *Runtime) Watch(ctx context.Context, report func(event.Fact)) error {
	f := &follower{Runtime: r, report: report, since: time.Now().Add(r.engine.ahead)}
	for {
		lost := f.follow(ctx)
		if ctx.Err() != nil || !f.await(ctx, lost) {
			return nil
		}
	}
}

// follower reads events on where a connection broke.
type follower struct {
	*Runtime
	report func(event.Fact)
	since  time.Time // by the Engine's clock
}

// follow reads events until the connection breaks, and returns how.
func (f *follower) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, errs := f.client.Events(ctx, events.ListOptions{
		Since: fmt.Sprintf("%d.%09d", f.since.Unix(), f.since.Nanosecond()),
		Filters: filters.NewArgs(
			filters.Arg("type", string(events.ContainerEventType)),
			filters.Arg("event", string(events.ActionOOM)),
			filters.Arg("label", labelSession+"="+f.options.Session),
		),
	})
	for {
		select {
		case m := <-messages:
			at := time.Unix(0, m.TimeNano)
			if c := f.known.find(m.Actor.ID); c != nil {
				c.noteOOM()
			}
			f.since = at.Add(1) // not again after a broken connection
		case err := <-errs:
			return err
		}
	}
}

// followPause spares an Engine whose streams end at once.
const followPause = 200 * time.Millisecond

// await returns true once the Engine answers, and false where ctx ends before. It
// reports only an Engine that did not answer at once: else the connection alone broke.
func (f *follower) await(ctx context.Context, lost error) bool {
	since := time.Now()
	told := false
	for wait := followPause; ; wait = min(2*wait, lookMost) {
		found, err := f.census(ctx)
		switch {
		case ctx.Err() != nil:
			return false
		case err == nil:
			if told {
				found.Away = time.Since(since)
				f.report(found)
			}
		case !told:
			told = true
			if errors.Is(lost, io.EOF) || errors.Is(lost, io.ErrUnexpectedEOF) {
				lost = err // says more
			}
			f.report(event.Engine{Error: reason(lost)})
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false
		}
		if err == nil {
			return true
		}
	}
}

// census counts the session's containers, and removes those that could not be removed
// while the Engine did not answer.
func (f *follower) census(ctx context.Context) (event.Engine, error) {
	looking, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	found := event.Engine{Answers: true}
	list, err := f.client.ContainerList(looking, container.ListOptions{All: true, Filters: ofSession(f.options.Session)})
	if err != nil {
		return found, err
	}
	for _, c := range list {
		switch {
		case f.known.find(c.ID) == nil: // given up, or for an artifact
		case c.State == string(container.StateRunning):
			found.Running++
		default:
			found.Ended++
		}
	}
	for _, c := range f.known.left() {
		_ = c.remove(ctx) // else the next sweep does
	}
	return found, nil
}

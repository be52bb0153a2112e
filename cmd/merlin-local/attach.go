package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

func newAttach(where *location) *cobra.Command {
	var noMouse bool
	c := &cobra.Command{
		Use:   "attach",
		Short: "Open the screen on this repo's session, which runs elsewhere",
		Long: `Open the screen on the session of this repo, which runs in the background (up -d) or in
another terminal. q leaves the screen; the session goes on.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return attachTo(c, where, noMouse) },
	}
	c.Flags().BoolVar(&noMouse, "no-mouse", false, "leave the mouse wheel to the terminal instead of scrolling the screen's panels")
	return c
}

func attachTo(c *cobra.Command, where *location, noMouse bool) error {
	in, out := terminal(c.InOrStdin(), c.OutOrStdout())
	if in == nil {
		return usageError{errors.New("attach needs a terminal, at standard input and output: without one, `merlin-local logs -f` follows the logs, and `merlin-local status` tells the state")}
	}
	s, err := where.session()
	if err != nil {
		return err
	}
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	followed, err := follow(ctx, s)
	if err != nil {
		return notRunning(err)
	}
	defer followed.close()
	options := screenOptions(in, out)
	options.Source, options.Control, options.Attached, options.NoMouse = followed, inSession{s}, true, noMouse
	return runScreen(ctx, options)
}

// follower is a session of another process as a source of events.
type follower struct {
	events chan event.Event
	failed error // why there are no more; set before events is closed
	stop   context.CancelFunc
	read   sync.WaitGroup
	first  []event.Event // what came before anybody asked
}

// atOnce is how many events are handed over in one go, at most.
const atOnce = 4096

// follow reads a session's events from its beginning. It returns once the first has come,
// or why none does.
func follow(ctx context.Context, s control.Session) (*follower, error) {
	ctx, stop := context.WithCancel(ctx)
	f := &follower{events: make(chan event.Event, atOnce), stop: stop}
	f.read.Go(func() {
		defer close(f.events)
		for e, err := range s.Events(ctx, control.Query{Follow: true}) {
			if err != nil {
				f.failed = err
				return
			}
			select {
			case f.events <- e:
			case <-ctx.Done():
				f.failed = ctx.Err()
				return
			}
		}
	})
	first, err := f.Next(ctx)
	if err != nil {
		f.close()
		if errors.Is(err, io.EOF) {
			err = control.ErrNotRunning // it ended as it was asked
		}
		return nil, err
	}
	f.first = first
	return f, nil
}

// Next gives what is pending, as tui.Source says.
func (f *follower) Next(ctx context.Context) ([]event.Event, error) {
	events := f.first
	if f.first = nil; events != nil {
		return events, nil
	}
	select {
	case e, more := <-f.events:
		if !more {
			return nil, f.end()
		}
		events = append(events, e)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for len(events) < atOnce {
		select {
		case e, more := <-f.events:
			if !more { // the next call says so
				return events, nil
			}
			events = append(events, e)
		default:
			return events, nil
		}
	}
	return events, nil
}

func (f *follower) end() error {
	if f.failed != nil && !errors.Is(f.failed, io.ErrUnexpectedEOF) {
		return f.failed
	}
	return io.EOF // it ended, or was killed while it wrote a line
}

func (f *follower) close() {
	f.stop()
	f.read.Wait()
}

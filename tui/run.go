package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// Options say what a screen shows, where, and what it can do.
type Options struct {
	// Source gives the session's events; or Recording is looked at, from its end.
	Source    Source
	Recording *session.Recording
	// Control does what keys ask for; nil where nothing can be done, as in a recording.
	Control Controller
	// Attached tells that the session goes on when the screen is left.
	Attached bool
	// Asked is closed once the session was asked to end, by a signal or another command: the
	// screen ends with it then, where otherwise it stays open on a failure. nil never is.
	Asked <-chan struct{}

	// Example gives the repo's own request to a model: an exchange that is only that, and
	// a command line for a shell that sends it. Nil where there can be none. It may read
	// files.
	Example func(model session.Model) (request event.Exchange, command string, err error)

	In  *os.File
	Out *os.File
	// Profile is how many colours the terminal shows; ASCII that it is not in UTF-8.
	Profile termenv.Profile
	ASCII   bool
	// NoMouse leaves the wheel to the terminal.
	NoMouse bool
	// Lend is called before another program has the terminal, an editor, and what it
	// returns after that. A Ctrl-C meanwhile is the other program's. nil does nothing.
	Lend func() (back func())
	// Now is the time; nil is time.Now.
	Now func() time.Time
}

// framesPerSecond is how often the screen is redrawn at most. Bubble Tea looks that often
// even where nothing changed, which is what an idle screen costs.
const framesPerSecond = 10

// between is how long events gather before they are shown, and betweenMany where they
// are more than a person reads in that time: what passes is told by its numbers then.
const (
	between     = 100 * time.Millisecond
	betweenMany = 200 * time.Millisecond
	many        = 200
)

// Run shows the session until a person leaves the screen, or until it ended as asked, or
// until ctx ends.
// It restores the terminal however it ends, and returns what the session was like then.
func Run(ctx context.Context, o Options) (*session.State, error) {
	m := newScreen(o)
	options := []tea.ProgramOption{
		tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithAltScreen(), tea.WithFPS(framesPerSecond),
		tea.WithoutSignalHandler(), // signals end the session, and that ends the screen
	}
	if !o.NoMouse {
		options = append(options, tea.WithMouseCellMotion())
	}
	p := tea.NewProgram(m, options...)
	ctx, cancel := context.WithCancel(ctx)
	var feeding sync.WaitGroup
	if o.Source != nil {
		feeding.Go(func() { pump(ctx, o.Source, p.Send) })
	}
	leave := context.AfterFunc(ctx, p.Quit)
	feeding.Go(func() {
		select {
		case <-o.Asked:
			p.Send(endAsked{})
		case <-ctx.Done():
		}
	})
	_, err := p.Run()
	leave()
	cancel()
	feeding.Wait()
	if err != nil {
		return m.state, fmt.Errorf("the screen ended: %w", err)
	}
	return m.state, nil
}

// pump hands events to the screen, several at a time where they come fast.
func pump(ctx context.Context, source Source, send func(tea.Msg)) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		events, err := source.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			send(ended{})
			return
		case ctx.Err() != nil:
			return
		case err != nil:
			send(said{text: "the session cannot be followed any more: " + err.Error(), bad: true})
			send(ended{})
			return
		}
		send(arrived(events))
		gather := between
		if len(events) > many {
			gather = betweenMany
		}
		pause.Reset(gather)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

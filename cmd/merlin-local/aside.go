package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// aside runs models in a session beside whatever runs in their repo: on free ports, with
// nothing watched, captured or recorded, for as long as somebody uses it. It is swept as
// any session is where it is killed.
type aside struct {
	engineOptions
	file   *config.File
	models []*emulator.Model
	// progress gets what the session tells, as `up -d` prints it; nil gets nothing, and the
	// error says why a model failed.
	progress io.Writer
	deadline time.Duration // until they are ready; 0 is as `up`
	noLimits bool
	logs     bool // progress gets what the models write, too
	// second is another one beside the repo's session and a first, of this same process.
	second bool
}

// withImage is the model as it runs with another image, of which nothing is built.
func withImage(m *emulator.Model, image string) *emulator.Model {
	other := *m
	other.Deployment.Image, other.Build, other.Exec = image, nil, ""
	return &other
}

// use calls what once all models are ready, with the session as it is then, and ends the
// session when what returns. Where the session ends before, or meanwhile, its context
// ends, and the error says why.
func (a *aside) use(ctx context.Context, what func(ctx context.Context, state *session.State) error) (err error) {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	v := &asideView{plain: newPlain(io.Discard, a.models), ready: make(chan struct{}), a: a}
	ended := make(chan error, 1)
	go func() {
		err := s.run(ctx, v.show)
		if err == nil {
			err = errors.New("it was stopped")
		}
		end(err)
		ended <- err
	}()
	select {
	case <-v.ready:
		err = what(ctx, s.state())
	case <-ctx.Done():
	}
	failed := context.Cause(ctx) // before it is told to end
	end(nil)
	runErr := <-ended
	switch {
	case failed == nil:
		return err
	case v.failed != nil:
		v.failed.err = runErr
		return v.failed
	default:
		return errors.Join(failed, err)
	}
}

// open takes what a session needs; all that would be another's it takes anew.
func (a *aside) open(ctx context.Context) (*upSession, error) {
	u := &up{engineOptions: a.engineOptions, location: &location{}, noCapture: true, noWatch: true, noLimits: a.noLimits, output: outputPlain, debug: debugNone, timeScale: 1, deadline: a.deadline}
	u.grace = grace{limit: defaultGrace}
	u.passing = true
	u.wishes.port, u.wishes.metrics = wish{asked: true}, wish{asked: true}
	if u.deadline == 0 {
		u.deadline = deploymentTimeout
	}
	file := *a.file
	file.Capture.Off = true
	beside := file.Dir
	if a.second {
		beside += "\x00second"
	}
	return u.open(ctx, control.FindHome().Beside(beside), &file, a.models)
}

// asideView follows the session until it is ready.
type asideView struct {
	*plain
	a       *aside
	ready   chan struct{}
	isReady bool
	failed  *asideFailure
}

// asideFailure says why a model of an aside session does not serve. It does not unwrap:
// nobody has seen the card.
type asideFailure struct {
	card event.Failed
	text string // the card, for people
	err  error
}

func (f *asideFailure) Error() string { return f.err.Error() + "\n" + f.text }

func (v *asideView) show(e event.Event) error {
	v.state.Apply(e)
	text := v.text(e)
	if f, is := e.Fact.(event.Failed); is && f.Final {
		v.failed = &asideFailure{card: f, text: text}
	}
	_, log := e.Fact.(event.Log)
	_, served := e.Fact.(event.Served) // whoever asks knows
	if v.a.progress != nil && text != "" && !served && (!log || v.a.logs) {
		fmt.Fprintln(v.a.progress, text)
	}
	if !v.isReady && v.state.Ready() {
		v.isReady = true
		close(v.ready)
	}
	return nil
}

// state is what the session is now, for whoever does not follow it.
func (s *upSession) state() *session.State {
	state := &session.State{}
	for _, e := range s.stream.History() {
		state.Apply(e)
	}
	return state
}

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/artifact"
	checks "github.com/caraml-dev/merlin-local/emulator/check"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/process"
)

// checkAside is the session of a check, beside whatever runs in the repo.
type checkAside struct {
	session control.Session
	engine  *engine
	lock    *control.Lock
}

// aside opens the session. What killed ones left is removed first.
func (k *checking) aside(ctx context.Context, file *config.File, models []*emulator.Model) (*checkAside, error) {
	a := &checkAside{session: control.FindHome().Beside(file.Dir)}
	var err error
	if a.lock, err = a.session.Acquire(control.Owner{PID: os.Getpid(), Dir: file.Dir}); err != nil {
		return nil, err
	}
	options := k.engineOptions
	options.emulatedPlatform, options.passing = true, true // a rule tells of another architecture
	if a.engine, err = options.choose(ctx, a.session, models); err != nil {
		return nil, errors.Join(err, a.lock.Release())
	}
	if _, err := sweepDead(ctx, a.engine.docker); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// close removes all that the session made, the images too: another session of the same
// kind builds them from the Engine's cache.
func (a *checkAside) close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), sweepTimeout)
	defer cancel()
	err = sweepSession(ctx, a.session, a.engine.docker)
	a.engine.close()
	return errors.Join(err, a.lock.Release())
}

// checkLauncher runs one model in its variations.
type checkLauncher struct {
	*checkAside
	model  *emulator.Model
	image  emulator.Image
	grace  time.Duration
	limit  time.Duration
	staged *stagedOnce
}

// launcher makes the model's image ready; progress gets how that goes.
func (a *checkAside) launcher(ctx context.Context, progress io.Writer, m *emulator.Model, k *checking) (*checkLauncher, error) {
	l := &checkLauncher{
		checkAside: a, model: plainly(m), grace: k.grace, limit: k.deadline,
		staged: &stagedOnce{Stager: artifact.Stager{Root: a.session.Artifacts()}},
	}
	if m.OnHost {
		return l, nil
	}
	view := &progressView{view: newPlain(progress, []*emulator.Model{m})}
	var err error
	l.image, err = emulator.New(emulator.Options{
		Models: []*emulator.Model{l.model}, Runtime: a.engine, Shell: process.Shell{}, Events: view,
	}).Image(ctx, m.ID())
	var failure *emulator.Failure
	if errors.As(err, &failure) && failure.Next != "" {
		err = errors.New(failure.Error() + "\n  next: " + failure.Next)
	}
	return l, err
}

// plainly is a model as the contract has it: one replica, its documented probes but for
// liveness, which would end what is only slow under a check, and nothing of this machine.
func plainly(m *emulator.Model) *emulator.Model {
	plain := *m
	plain.Fidelity, plain.Readiness, plain.Liveness = emulator.Documented, emulator.ProbeSettings{}, emulator.ProbeSettings{Kind: emulator.CheckNone}
	plain.Replicas, plain.MaxReplicas, plain.ScaleToZero = 1, 1, false
	plain.Debug, plain.Metrics = emulator.Debug{}, emulator.Metrics{}
	return &plain
}

// about is what is known of the image; nil where there is none.
func (l *checkLauncher) about(place string) *checks.Image {
	if l.model.OnHost {
		return nil
	}
	i, built := l.image, l.model.Build != nil
	if built {
		i.Reference = "built of " + place
	}
	return &checks.Image{
		Reference: i.Reference, Built: built, Architecture: i.Architecture, User: i.User, Size: i.Size,
		Entrypoint: i.Entrypoint, Cmd: i.Cmd, Env: i.Env, Exposed: i.Exposed, HealthCheck: i.HealthCheck,
	}
}

// Launch runs an emulator of the one model until Stop, or at once to its end when ctx ends.
func (l *checkLauncher) Launch(ctx context.Context, v checks.Variation) checks.Running {
	model := *l.model
	model.Build = nil // the image is there
	if v.Revision != 0 {
		model.Deployment.Revision = v.Revision
	}
	stream := event.NewStream()
	force := make(chan struct{})
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	e := emulator.New(emulator.Options{
		Models: []*emulator.Model{&model}, Runtime: varied{l.engine, l.image, v}, Router: noRouter{}, Events: stream,
		Prober: prober{}, Examiner: examiner{}, Stager: l.staged, Shell: process.Shell{},
		Grace: l.grace, Deadline: l.limit, FirstExitFails: true, Force: force,
	})
	r := &checkRun{Subscription: stream.Subscribe(), stop: stop, retry: func() { _ = e.Retry(model.ID()) }}
	unhook := context.AfterFunc(ctx, func() { close(force); stop() })
	go func() {
		_ = e.Run(running) // the failure's card is an event
		unhook()
		stop()
		stream.Close() // the reader waits for it
	}()
	return r
}

// checkRun is one replica's events, and its end.
type checkRun struct {
	*event.Subscription
	stop, retry func()
}

// Next gives the events, and cuts short what a container that ended would be waited for: a
// check ends them on purpose, and nobody learns from the wait.
func (r *checkRun) Next(ctx context.Context) ([]event.Event, error) {
	events, err := r.Subscription.Next(ctx)
	for _, e := range events {
		if f, is := e.Fact.(event.PodChanged); is && f.RetryAt != nil {
			r.retry()
		}
	}
	return events, err
}

// Stop begins the end.
func (r *checkRun) Stop() { r.stop() }

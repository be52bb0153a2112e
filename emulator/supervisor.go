package emulator

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// supervisor owns one model's state. Only its run goroutine touches the fields;
// what it starts reports back to it.
type supervisor struct {
	*Options
	model    *Model
	id       string
	revision int

	mask     mask
	image    Image
	artifact string
	everUp   bool     // it has been ready at least once
	told     *Failure // why it will not serve, once that is told
}

func newSupervisor(model *Model, options *Options) *supervisor {
	return &supervisor{
		Options: options, model: model, id: model.ID(), revision: 1,
		mask: newMask(model),
	}
}

func (s *supervisor) publish(f event.Fact) { s.Events.Publish(s.id, s.revision, s.mask.fact(f)) }

func (s *supervisor) enter(phase event.Phase, why string) {
	s.publish(event.PhaseChanged{Phase: phase, Why: why})
}

// run takes the model through its life. It returns nil when ctx ends, and a
// *Failure where the model will not serve.
func (s *supervisor) run(ctx context.Context) error {
	s.Router.Hold(s.id)
	s.enter(event.PhasePending, "")
	removeArtifact, err := s.prepare(ctx)
	defer removeArtifact()
	if err == nil {
		err = s.serve(ctx)
	}
	if s.told == nil && ctx.Err() != nil {
		s.enter(event.PhaseStopped, "")
		return nil
	}
	return s.fail(err)
}

// fail ends the model's life with a failure.
func (s *supervisor) fail(err error) error {
	s.tell(err)
	s.enter(event.PhaseFailed, s.told.What)
	return s.told
}

// tell says to everybody, held requests too, that the model will not serve. What was
// told first stands.
func (s *supervisor) tell(err error) {
	if s.told != nil {
		return
	}
	var failure *Failure
	if !errors.As(err, &failure) {
		failure = &Failure{Model: s.id, What: "cannot run", Why: err.Error()}
	}
	s.told = &Failure{
		Model: failure.Model, What: s.mask.text(failure.What),
		Why: s.mask.text(failure.Why), Next: s.mask.text(failure.Next),
	}
	s.Router.Fail(s.id, s.told.Error())
	s.publish(event.Failed{What: s.told.What, Why: s.told.Why, Next: s.told.Next})
}

// prepare makes image and artifact ready, side by side: neither needs the other.
// What it returns removes the staged artifact, and is never nil.
func (s *supervisor) prepare(ctx context.Context) (removeArtifact func(), err error) {
	removeArtifact = func() {}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		s.image, err = s.makeImage(ctx)
		return err
	})
	group.Go(func() error {
		folder, remove, err := s.Stager.Stage(ctx, s.model.ModelDir, s.model.Deployment.Properties())
		if err != nil {
			return &Failure{Model: s.id, What: "cannot have its artifact staged", Why: err.Error(), Next: "check model_dir"}
		}
		s.artifact = folder
		removeArtifact = func() { s.warn(remove()) }
		return nil
	})
	err = group.Wait()
	return removeArtifact, err
}

// warn reports what went wrong on the way out, where nothing can be done about it.
func (s *supervisor) warn(err error) {
	if err != nil {
		s.publish(event.Notice{Level: event.NoticeWarning, Text: err.Error()})
	}
}

// serve runs one replica after another until ctx ends or the model fails.
func (s *supervisor) serve(ctx context.Context) error {
	var crashes backOff
	for {
		started := time.Now()
		exit, err := s.runReplica(ctx)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if !s.everUp {
			return s.diedBeforeReady(exit)
		}
		wait := crashes.next(time.Since(started))
		s.Router.Hold(s.id)
		s.enter(event.PhaseBackOff, fmt.Sprintf("%s; starts again in %s", exit.describe(), wait))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// runReplica starts a replica, waits until it is ready, lets it serve, and returns
// how it ended. When ctx ends it stops the replica first.
func (s *supervisor) runReplica(ctx context.Context) (died, error) {
	s.enter(event.PhaseStarting, "")
	container, err := s.start(ctx)
	if err != nil {
		return died{}, s.startFailed(ctx, err)
	}
	r := newReplica(s, container)
	defer r.close()

	s.enter(event.PhaseWaiting, "")
	switch err := s.awaitReady(ctx, r); {
	case errors.Is(err, errDied):
		return r.buried(ctx), nil
	case ctx.Err() != nil:
		s.retire(r)
		return died{}, nil
	case err != nil:
		s.tell(err) // before the grace period, not after it
		s.retire(r)
		return died{}, err
	}
	s.everUp = true
	s.Router.Route(s.id, s.revision, []netip.AddrPort{container.Address()})
	s.enter(event.PhaseReady, "")
	select {
	case exit := <-container.Exited():
		r.exit = &exit
		return r.buried(ctx), nil
	case <-ctx.Done():
		s.retire(r)
		return died{}, nil
	}
}

// retire takes a replica away as a pod is: running requests finish, then SIGTERM,
// then after the grace period SIGKILL.
func (s *supervisor) retire(r *replica) {
	s.enter(event.PhaseStopping, "")
	s.drain()
	ctx, cancel := s.unforced(s.Grace + stopSlack)
	defer cancel()
	r.expected = true
	err := r.container.Stop(ctx, s.Grace)
	switch {
	case err == nil:
		r.buried(ctx)
	case ctx.Err() == nil:
		s.warn(fmt.Errorf("stop %s: %w", s.id, err)) // its end will not be seen either
	}
}

// drain waits for running requests. Those that outlive the grace period are cut with
// the container.
func (s *supervisor) drain() {
	if s.told == nil { // else requests are answered with why
		s.Router.Hold(s.id)
	}
	ctx, cancel := s.unforced(s.Grace)
	defer cancel()
	_ = s.Router.Drain(ctx, s.id)
}

// stopSlack is what the runtime may take beyond the grace period to notice the end.
const stopSlack = 5 * time.Second

// unforced returns a context for work on the way out: it outlives the session's own
// context, ends after the limit, and at once when Force is closed.
func (s *supervisor) unforced(limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-s.Force:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); <-done }
}

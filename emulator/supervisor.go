package emulator

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// supervisor owns one model's state. Only its run goroutine touches the fields below
// pods; its pods report back to it. Those above do not change while pods run.
type supervisor struct {
	*Options
	*conditions
	model    *Model
	id       string
	revision int
	mask     mask
	image    Image
	artifact string
	podHash  string // of the ReplicaSet
	reports  chan report
	retries  chan struct{} // receives where waiting pods shall start now
	sleeps   chan time.Duration
	bell     *bell // rings where a request finds no replica
	drained  chan *departure
	leaving  sync.WaitGroup // for what sends to drained

	pods   []*pod // until they have reported their end
	routed []netip.AddrPort
	phase  event.PhaseChanged // as told last
	everUp bool               // it has been ready at least once
	wanted int                // replicas that stay
	scaler *autoscaler        // nil where their number is fixed
	cold   *coldStart         // nil where none goes on
	told   *Failure           // why it will not serve, once that is told
}

func newSupervisor(model *Model, options *Options, shared *conditions) *supervisor {
	return &supervisor{
		Options: options, conditions: shared, model: model, id: model.ID(), revision: 1,
		mask: newMask(model), podHash: letters(9),
		reports: make(chan report), retries: make(chan struct{}, 1), sleeps: make(chan time.Duration, 1),
		bell: newBell(), drained: make(chan *departure),
	}
}

func (s *supervisor) publish(f event.Fact) { s.Events.Publish(s.id, s.revision, s.mask.fact(f)) }

func (s *supervisor) enter(phase event.Phase, why string) {
	f := event.PhaseChanged{Phase: phase, Why: why}
	if f != s.phase {
		s.phase = f
		s.publish(f)
	}
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
	s.told = s.masked(failure)
	s.Router.Fail(s.id, s.told.Error())
	card := s.told.card()
	card.Final = true
	s.publish(card)
}

// masked hides the model's secrets in a failure.
func (s *supervisor) masked(f *Failure) *Failure {
	return &Failure{Model: f.Model, What: s.mask.text(f.What), Why: s.mask.text(f.Why), Next: s.mask.text(f.Next), Card: f.Card}
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
			const what = "cannot have its artifact staged"
			if full := s.fullHere(what, err); full != nil {
				return full
			}
			f := &Failure{Model: s.id, What: what, Why: err.Error(), Next: "check model_dir"}
			return f.because(event.CauseNoArtifact)
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

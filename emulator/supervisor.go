package emulator

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// supervisor owns one model's state. Only its run goroutine touches the fields below
// pods; its pods and revisions report back to it. Those above do not change while pods
// run.
type supervisor struct {
	*Options
	*conditions
	id      string
	reports chan report
	retries chan struct{} // receives where waiting pods shall start now
	sleeps  chan time.Duration
	bell    *bell // rings where a request finds no replica
	drained chan *departure
	leaving sync.WaitGroup // for what sends to drained
	edits   chan Edits
	wishes  *wishes
	made    chan *making
	makings sync.WaitGroup           // for what sends to made
	answers atomic.Pointer[revision] // the one that serves, for whom is not the supervisor
	untidy  chan struct{}            // receives where a revision has gone, or came to nothing

	pods      []*pod // of all revisions, until they have reported their end
	serving   *revision
	next      *making // nil where no revision is on its way
	latest    int     // the number of the newest revision
	behind    edited  // the files that the serving revision does not have
	sources   string  // identifies the files as they are
	watched   bool    // they are known
	suspended *suspension
	config    *Model // for the next revision
	routed    []netip.AddrPort
	phase     event.PhaseChanged // as told last
	everUp    bool               // it has been ready at least once
	wanted    int                // replicas that stay
	scaler    *autoscaler        // nil where their number is fixed
	cold      *coldStart         // nil where none goes on
	told      *Failure           // why it will not serve, once that is told
}

func newSupervisor(model *Model, options *Options, shared *conditions) *supervisor {
	s := &supervisor{
		Options: options, conditions: shared, id: model.ID(), latest: 1,
		reports: make(chan report), retries: make(chan struct{}, 1), sleeps: make(chan time.Duration, 1),
		bell: newBell(), drained: make(chan *departure),
		edits: make(chan Edits), wishes: newWishes(), made: make(chan *making),
		untidy: make(chan struct{}, 1), behind: edited{}, config: model, suspended: newSuspension(),
	}
	s.serving = newRevision(s, 1, model)
	s.answers.Store(s.serving)
	return s
}

// publish tells a fact of the revision that serves, or is to be the first that does.
func (s *supervisor) publish(f event.Fact) { s.serving.publish(f) }

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
	watching := s.watchFiles(ctx)
	defer watching()
	tidying := s.tidyUp(ctx)
	defer tidying()
	defer func() { s.serving.drop() }()
	err := s.serving.prepare(ctx, s.enter)
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
	return &Failure{Model: f.Model, What: s.serving.mask.text(f.What), Why: s.serving.mask.text(f.Why), Next: s.serving.mask.text(f.Next), Card: f.Card}
}

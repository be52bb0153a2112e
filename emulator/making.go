package emulator

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// making is a revision on its way to serve: it is prepared beside the one that serves,
// then its pods start, and once all are ready it takes over.
type making struct {
	*revision
	plan     event.Reloading
	begun    time.Time
	stages   bool // the artifact is copied anew
	received bool // the supervisor has it; else who prepares it undoes it
	card     *event.Failed

	cancel context.CancelFunc
	off    chan struct{} // closed where it is given up
	done   chan struct{} // closed when the preparing has ended
	err    error         // of the preparing, once done

	started time.Time   // its pods were
	limit   *time.Timer // until when they must be ready; nil before

	mu    sync.Mutex
	steps []event.ReloadStep
}

// begin has a new revision made, in place of one that is being made. What it is made of
// comes from the revision that serves, as far as the tier leaves it.
func (s *supervisor) begin(plan event.Reloading, model *Model) {
	var before <-chan struct{}
	if s.next != nil {
		before = s.giveUp("a newer edit: " + plan.Why)
	}
	s.latest++
	base := s.serving
	m := &making{
		revision: newRevision(s, s.latest, model), plan: plan, begun: time.Now(),
		off: make(chan struct{}), done: make(chan struct{}),
	}
	m.sources, m.image, m.files, m.copies = s.sources, base.image, base.files, base.copies
	edits := s.behind.sorted()
	m.stages = base.staged == nil || model.ModelDir != base.model.ModelDir || touches(model.ModelDir, edits) ||
		!reflect.DeepEqual(model.Deployment, base.model.Deployment) // model.properties
	if !m.stages {
		m.staged, m.artifact = base.staged.share(), base.artifact
	}
	switch plan.Tier {
	case event.TierRebuild:
		m.files = nil
	case event.TierSync:
		m.files = base.files.with(base, edits)
	}
	if plan.Replaces == "" {
		m.plan.Replaces = s.replaces(model)
	}
	m.publish(m.plan)
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	s.next = m
	s.makings.Go(func() { m.run(ctx, before) })
}

func touches(folder string, edits []Edit) bool {
	for _, e := range edits {
		if folder != "" && isWithin(folder, e.Path) {
			return true
		}
	}
	return false
}

// run prepares the revision and reports to the supervisor; one that is given up undoes
// what it did.
func (m *making) run(ctx context.Context, before <-chan struct{}) {
	if before != nil {
		<-before // two builds of one repo would write the same files
	}
	m.err = m.prepareAnew(ctx)
	close(m.done)
	select {
	case m.made <- m:
	case <-m.off:
		m.drop()
	}
}

func (m *making) prepareAnew(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if m.plan.Tier == event.TierRebuild {
		group.Go(func() (err error) {
			m.image, err = m.makeImage(ctx, func(event.Phase, string) {}, m.took)
			return err
		})
	}
	if m.stages {
		group.Go(func() error {
			begun := time.Now()
			err := m.stage(ctx)
			m.took("artifact", time.Since(begun))
			return err
		})
	}
	return group.Wait()
}

// took notes a step.
func (m *making) took(name string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steps = append(m.steps, event.ReloadStep{Name: name, Took: took})
}

func (m *making) told() []event.ReloadStep {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]event.ReloadStep(nil), m.steps...)
}

// prepared goes on with a revision whose image and artifact are there. Where the old one
// has to stop first, it has the grace period for the requests that run on it, and not as
// long as any request may take: what comes meanwhile waits, and a stream that is open
// would have it wait until it fails.
func (s *supervisor) prepared(m *making) {
	if m != s.next { // given up in the same instant
		m.drop()
		return
	}
	m.received = true
	switch {
	case m.err != nil:
		s.abandon(m.failureOf(m.err))
	case m.plan.Replaces != "" && len(s.podsOf(s.serving)) > 0: // gone goes on
		for _, p := range s.staying() {
			s.sendAway(p, "replaced by revision "+fmt.Sprint(m.number)+": "+m.plan.Replaces)
		}
		for _, p := range s.podsOf(s.serving) {
			s.finish(p.leaves)
		}
		s.route()
	default:
		s.launch(m)
	}
}

func (m *making) failureOf(err error) event.Failed {
	var failure *Failure
	if !errors.As(err, &failure) {
		failure = &Failure{Model: m.id, What: "cannot be made", Why: err.Error()}
	}
	return failure.card()
}

// launch starts the pods of a revision that is prepared: as many as serve now.
func (s *supervisor) launch(m *making) {
	m.started = time.Now()
	m.limit = time.NewTimer(s.Deadline)
	replicas := max(s.wanted, 1)
	s.makeRoom(m.model, replicas)
	for range replicas {
		s.addPod(m.revision)
	}
}

// late receives when the revision on its way should have been ready.
func (m *making) late() <-chan time.Time {
	if m == nil || m.limit == nil {
		return nil
	}
	return m.limit.C
}

// heedNext deals with a change of a pod of the revision on its way.
func (s *supervisor) heedNext(r report) {
	m := s.next
	switch {
	case r.state.err != nil:
		s.abandon(m.failureOf(s.startFailed(r.state.err)))
	case r.state.ended != nil:
		card := *r.state.card
		card.What += " before it was ready"
		s.abandon(card)
	case s.allReady(m.revision):
		s.takeOver()
	case r.state.card != nil && r.state.card != m.card:
		m.card = r.state.card
		m.publish(event.ReloadStuck{Card: *m.card})
	}
}

func (s *supervisor) allReady(r *revision) bool {
	pods := s.podsOf(r)
	for _, p := range pods {
		if !p.state.address.IsValid() {
			return false
		}
	}
	return len(pods) > 0
}

// takeOver lets the revision on its way serve. Requests that run on the old one finish
// there.
func (s *supervisor) takeOver() {
	m, old := s.next, s.serving
	now := time.Now()
	m.took("start and ready", now.Sub(m.started))
	m.limit.Stop()
	m.cancel()
	s.next, s.serving = nil, m.revision
	s.answers.Store(m.revision)
	s.wanted = len(s.podsOf(m.revision))
	m.announced = true
	s.route() // before anybody is told
	m.publish(event.Serving{
		Image: m.image.ID, Sources: m.sources, Tier: m.plan.Tier, File: m.plan.File,
		Took: now.Sub(m.begun), Steps: m.told(),
	})
	s.tellServing()
	clear(s.behind)
	for _, p := range s.podsOf(old) {
		if p.leaves == nil {
			s.sendAway(p, fmt.Sprintf("revision %d serves", m.number))
		}
	}
	s.forget(old)
	s.tidySoon()
	s.rescale(old.model)
}

// rescale starts the autoscaler anew where its settings may have changed.
func (s *supervisor) rescale(old *Model) {
	if old == s.serving.model {
		return
	}
	s.scaler.rest()
	scaler, err := s.newAutoscaler()
	if err != nil {
		s.serving.warn(err)
		return
	}
	s.scaler = scaler
	if bounds := s.serving.model.bounds(); scaler == nil && s.wanted != bounds.Min {
		s.scaleTo(bounds.Min)
	}
	if len(s.routed) > 0 {
		s.scaler.begin(s)
	}
}

// late says why a revision is given up that did not become ready in time.
func (s *supervisor) overdue() {
	m := s.next
	if s.waitsFor() != "" { // heedSuspension begins anew
		return
	}
	card := event.Failed{}
	for _, p := range s.podsOf(m.revision) {
		for _, c := range []*event.Failed{p.state.vague, p.state.card} {
			if c != nil {
				card = *c
			}
		}
	}
	card.What = fmt.Sprintf("was not ready within the deployment timeout of %s", s.Deadline)
	s.abandon(card)
}

// abandon ends the making of a revision with why it will never serve. The old one goes
// on; where it was stopped already, it starts again.
func (s *supervisor) abandon(card event.Failed) {
	s.dismiss(event.ReloadEnded{Card: &card})
	s.tidySoon()
	for len(s.staying()) < s.wanted {
		s.addPod(s.serving)
	}
	s.settle()
}

// giveUp ends the making of a revision for no fault of its own. What it returns closes
// once nothing of it is being prepared any more.
func (s *supervisor) giveUp(why string) (ended <-chan struct{}) {
	m := s.next
	s.dismiss(event.ReloadEnded{Cancelled: why})
	return m.done
}

// dismiss ends the making of a revision, and tells it.
func (s *supervisor) dismiss(f event.ReloadEnded) {
	m := s.next
	s.next = nil
	m.cancel()
	close(m.off)
	if m.limit != nil {
		m.limit.Stop()
	}
	f.Tier, f.File, f.Took, f.Steps = m.plan.Tier, m.plan.File, time.Since(m.begun), m.told()
	m.publish(f)
	for _, p := range s.podsOf(m.revision) { // no request ever came to them
		if p.leaves == nil {
			p.leaves = &departure{pod: p, cancel: func() {}, off: make(chan struct{}), final: true}
			p.cancel()
		}
	}
	if m.received {
		s.forget(m.revision)
	}
}

// podsOf are the pods of a revision.
func (s *supervisor) podsOf(r *revision) []*pod {
	var all []*pod
	for _, p := range s.pods {
		if p.revision == r {
			all = append(all, p)
		}
	}
	return all
}

// forget undoes what a revision was made of, once it has no pods any more and neither
// serves nor is on its way.
func (s *supervisor) forget(r *revision) {
	if r != s.serving && (s.next == nil || r != s.next.revision) && len(s.podsOf(r)) == 0 {
		r.drop()
	}
}

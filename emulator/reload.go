package emulator

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// wishes are what people asked of a model since the supervisor looked. They are safe for
// concurrent use.
type wishes struct {
	there chan struct{} // receives where there is a wish

	mu      sync.Mutex
	pending wish
}

// wish is a reload that no edit of a watched file asked for.
type wish struct {
	tier  event.Tier // at least
	why   string
	file  string
	model *Model // its new configuration; nil where it stays
}

func newWishes() *wishes { return &wishes{there: make(chan struct{}, 1)} }

// add joins a wish to those that are not heeded yet.
func (w *wishes) add(more wish) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending.tier = stronger(w.pending.tier, more.tier)
	w.pending.why, w.pending.file = more.why, more.file
	if more.model != nil {
		w.pending.model = more.model
	}
	select {
	case w.there <- struct{}{}:
	default:
	}
}

func (w *wishes) take() wish {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.pending
	w.pending = wish{}
	return taken
}

// Reload makes a new revision of a model, or of all where none is named: with a new
// image where rebuild is true, else by the cheapest tier that is correct, a restart at
// least. It does not wait for it. It is an error where there is no such model.
func (e *Emulator) Reload(model string, rebuild bool) error {
	w := wish{tier: event.TierRestart, why: "asked for"}
	if rebuild {
		w.tier, w.why = event.TierRebuild, "a rebuild was asked for"
	}
	return e.each(model, func(s *supervisor) { s.wishes.add(w) })
}

// Reconfigure gives a model a new configuration: a new revision has it. Its ID stays.
// file is what was edited, for people.
func (e *Emulator) Reconfigure(model *Model, file string) error {
	return e.each(model.ID(), func(s *supervisor) {
		s.wishes.add(wish{tier: event.TierRestart, why: "the configuration changed", file: file, model: model})
	})
}

func (e *Emulator) each(model string, do func(*supervisor)) error {
	found := false
	for _, s := range e.supervisors {
		if model == "" || s.id == model {
			found = true
			do(s)
		}
	}
	if !found {
		return fmt.Errorf("there is no model %s", model)
	}
	return nil
}

// heedEdits begins a reload where files changed that the container comes from.
func (s *supervisor) heedEdits(e Edits) {
	s.sources = e.Sources
	if e.First {
		s.serving.sources = e.Sources
		s.watched = true
		s.tellSinceLastRun(e.Files)
		s.announce()
		return
	}
	new := s.serving.judge(e.Files)
	if new.tier == event.TierNone {
		only := edited{}
		only.add(e.Files)
		s.publish(only.fact(s.config, new))
		return
	}
	s.behind.add(new.matter)
	all := s.serving.judge(s.behind.sorted())
	told := s.behind.fact(s.config, all)
	told.Waits = s.waitsFor()
	s.publish(told)
	if told.Waits != "" {
		s.suspended.later.add(wish{tier: all.tier, file: all.file, why: all.why})
		return
	}
	s.begin(event.Reloading{Tier: s.possible(all.tier), File: all.file, Why: all.why}, s.config)
}

// tellSinceLastRun tells what the first revision has that the last run's had not.
func (s *supervisor) tellSinceLastRun(files []Edit) {
	if len(files) == 0 {
		return
	}
	all := edited{}
	all.add(files)
	f := event.SinceLastRun{}
	f.Files, f.More = all.named(s.config)
	s.publish(f)
}

// possible is the tier that the model can have: without a build there is no image to be
// made anew.
func (s *supervisor) possible(tier event.Tier) event.Tier {
	if tier == event.TierRebuild && s.config.Build == nil && s.config.Deployment.Image == s.serving.model.Deployment.Image {
		return event.TierRestart
	}
	return tier
}

// heedWish begins a reload that a person or a changed configuration asks for.
func (s *supervisor) heedWish() {
	w := s.wishes.take()
	if waits := s.waitsFor(); waits != "" && w.model != nil { // one that a person asks for does not wait
		s.publish(event.Edited{Files: []string{w.file}, Tier: w.tier, File: w.file, Why: w.why, Waits: waits})
		s.suspended.later.add(w)
		return
	}
	tier := w.tier
	if w.model != nil {
		tier = stronger(tier, s.serving.model.needs(w.model))
		s.config = w.model
	}
	if all := s.serving.judge(s.behind.sorted()); len(s.behind) > 0 {
		tier = stronger(tier, all.tier)
	}
	s.begin(event.Reloading{Tier: s.possible(tier), File: w.file, Why: w.why}, s.config)
}

// needs is the tier that another configuration of the model takes.
func (m *Model) needs(other *Model) event.Tier {
	if !reflect.DeepEqual(m.Build, other.Build) || m.Deployment.Image != other.Deployment.Image {
		return event.TierRebuild
	}
	return event.TierRestart
}

// announce tells who serves first, once it is known what that was made of.
func (s *supervisor) announce() {
	if r := s.serving; s.everUp && !r.announced && (s.watched || s.Watcher == nil) {
		r.announced = true
		r.publish(event.Serving{Image: r.image.ID, Sources: r.sources})
		s.tellServing()
		s.tidySoon()
	}
}

// tellServing calls who wants to know that the revision answers.
func (s *supervisor) tellServing() {
	if s.Serving != nil {
		s.Serving(s.id, s.serving.number)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// view returns what shows the session's events in the chosen form.
func (s *upSession) view(w io.Writer) func(event.Event) error {
	if s.output == "json" {
		encoder := json.NewEncoder(w)
		return func(e event.Event) error { return encoder.Encode(e) }
	}
	return newPlain(w, s.models).show
}

// plain shows events as lines. It keeps the session's state, as every view does.
type plain struct {
	w         io.Writer
	state     session.State
	models    []*emulator.Model
	begun     map[string]time.Time // when a model's phase that takes long began
	idle      map[string]bool      // models that went to zero and are not ready again yet
	asked     map[string]string    // what a pod's probe said last, by pod and purpose
	cards     map[string]string    // a model's failure card as shown last
	debuggers map[string]string    // a model's debugger as shown last
	limits    map[string]string    // a model's limits as told last
}

func newPlain(w io.Writer, models []*emulator.Model) *plain {
	return &plain{w: w, models: models, begun: map[string]time.Time{}, idle: map[string]bool{}, asked: map[string]string{}, cards: map[string]string{}, limits: map[string]string{}, debuggers: map[string]string{}}
}

func (p *plain) show(e event.Event) error {
	p.state.Apply(e)
	text := p.text(e)
	if text == "" {
		return nil
	}
	_, err := fmt.Fprintln(p.w, text)
	return err
}

// text is what a person reads of an event; empty where it says nothing new.
func (p *plain) text(e event.Event) string {
	switch f := e.Fact.(type) {
	case event.Session:
		return strings.TrimRight("merlin-local "+f.Version+", "+f.Engine, ", ")
	case event.Notice:
		if f.Level == event.NoticeWarning {
			return "warning: " + f.Text
		}
		return f.Text
	case event.Engine:
		return prose.Engine(f)
	case event.Slept:
		return prose.Slept(f)
	case event.Dropped:
		return fmt.Sprintf("(%d lines dropped: this terminal is slower than the model writes)", f.Count)
	case event.Log:
		return e.Model + " | " + prose.Clean(f.Text)
	}
	if line := p.line(e); line != "" {
		return e.Model + "  " + line
	}
	return ""
}

// line tells what depends on what was told before; all else is a happening.
func (p *plain) line(e event.Event) string {
	switch f := e.Fact.(type) {
	case event.PhaseChanged:
		return p.phase(e, f)
	case event.Step:
		return prose.Step(f)
	case event.Started:
		return p.started(e, f)
	case event.Probed:
		return p.probed(e, f)
	case event.Exited:
		return p.exited(e, f)
	case event.Debugger:
		return p.debugger(e, f)
	case event.Failed:
		return p.carded(e, f)
	case event.Served:
		return prose.Served(f)
	}
	return prose.Happening(e)
}

func (p *plain) exited(e event.Event, f event.Exited) string {
	if f.WithEngine {
		p.begun[e.Model] = e.Time
	}
	if f.Expected || p.cardFollows(e.Model, f) {
		return ""
	}
	return prose.Exited(f)
}

// probed tells what a probe found where that is new.
func (p *plain) probed(e event.Event, f event.Probed) string {
	key := e.Model + "/" + f.Pod + "/" + string(f.Purpose)
	news := p.asked[key] != f.Outcome
	p.asked[key] = f.Outcome
	if f.OK || !news {
		return ""
	}
	text := prose.Clean(strings.TrimSuffix(f.Target+": "+f.Outcome+": "+f.Body, ": "))
	m := p.state.Model(e.Model)
	switch {
	case f.Purpose == event.Liveness:
		return fmt.Sprintf("liveness: %s (after %d of these it is restarted)", text, f.Threshold)
	case m == nil || podPhase(m, f.Pod) == event.PhaseReady:
		return fmt.Sprintf("readiness: %s (after %d of these it gets no requests)", text, f.Threshold)
	case m.Deadline != nil && e.Time.Sub(p.begun[e.Model]) > time.Second:
		text += fmt.Sprintf(" (%s left)", m.Deadline.Sub(e.Time).Round(time.Second))
	}
	return "waiting for " + text
}

// podPhase is a pod's phase; the model's where there is no such pod.
func podPhase(m *session.Model, name string) event.Phase {
	for _, p := range m.Pods {
		if p.Name == name {
			return p.Phase
		}
	}
	return m.Phase
}

func (p *plain) phase(e event.Event, f event.PhaseChanged) string {
	switch f.Phase {
	case event.PhasePending, event.PhaseStarting, event.PhaseWaiting, event.PhaseStopped, event.PhaseFailed:
		if f.Phase == event.PhasePending || f.Phase == event.PhaseStarting && p.idle[e.Model] {
			p.begun[e.Model] = e.Time
		}
		return ""
	case event.PhaseIdle:
		p.idle[e.Model] = true
	case event.PhaseBackOff:
		p.begun[e.Model] = e.Time
		return restart(p.state.Model(e.Model), e.Time)
	case event.PhaseReady:
		delete(p.cards, e.Model)
		text := "ready in " + prose.Duration(e.Time.Sub(p.begun[e.Model]))
		if p.idle[e.Model] { // the address is known
			delete(p.idle, e.Model)
			return text
		}
		return text + "\n" + paste(p.state.Model(e.Model), p.models)
	}
	if f.Why != "" {
		return string(f.Phase) + ": " + prose.Clean(f.Why)
	}
	return string(f.Phase)
}

// started tells a container, and its limits once.
func (p *plain) started(e event.Event, f event.Started) string {
	text := prose.Started(f)
	if f.Address == "" {
		return text
	}
	limits := prose.Limits(f)
	if limits == p.limits[e.Model] {
		return text
	}
	p.limits[e.Model] = limits
	return text + limits
}

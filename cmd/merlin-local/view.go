package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
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
		return engineTrouble(f)
	case event.Slept:
		return fmt.Sprintf("this machine slept for about %s, or its clock was set: probes across it do not count, and the deployment timeout moves by it", f.Took.Round(time.Second))
	case event.Dropped:
		return fmt.Sprintf("(%d lines dropped: this terminal is slower than the model writes)", f.Count)
	case event.Log:
		return e.Model + " | " + clean(f.Text)
	}
	if line := p.line(e); line != "" {
		return e.Model + "  " + line
	}
	return ""
}

func (p *plain) line(e event.Event) string {
	switch f := e.Fact.(type) {
	case event.PhaseChanged:
		return p.phase(e, f)
	case event.Step:
		return step(f)
	case event.Built:
		return "built in " + round(f.Took)
	case event.Started:
		return p.started(e, f)
	case event.Probed:
		return p.probed(e, f)
	case event.Exited:
		if f.WithEngine {
			p.begun[e.Model] = e.Time
		}
		if !f.Expected && !p.cardFollows(e.Model, f) {
			return exited(f)
		}
	case event.SinceLastRun:
		return sinceLastRun(f)
	case event.Reloading:
		return reloading(e, f)
	case event.Serving:
		return reloaded(e, f)
	case event.Debugger:
		return p.debugger(e, f)
	case event.Attached:
		return attached(f)
	case event.Edited:
		if f.Waits != "" {
			return fmt.Sprintf("STALE: behind %s: the reload waits: %s", clean(behind(f)), f.Waits)
		}
	case event.ReloadStuck:
		return fmt.Sprintf("revision %d is not ready yet: %s", e.Revision, cardOf(f.Card))
	case event.ReloadEnded:
		return reloadEnded(e, f)
	case event.Autoscaler:
		return autoscaler(f)
	case event.Scaled:
		if f.From != f.Desired {
			return scaled(f)
		}
	case event.ColdStart:
		return coldStart(f)
	case event.Failed:
		return p.carded(e, f)
	case event.OutOfMemory:
		return outOfMemory(f)
	case event.Terminated:
		return terminated(f)
	case event.Served:
		return served(f)
	}
	return ""
}

// probed tells what a probe found where that is new.
func (p *plain) probed(e event.Event, f event.Probed) string {
	key := e.Model + "/" + f.Pod + "/" + string(f.Purpose)
	news := p.asked[key] != f.Outcome
	p.asked[key] = f.Outcome
	if f.OK || !news {
		return ""
	}
	text := clean(strings.TrimSuffix(f.Target+": "+f.Outcome+": "+f.Body, ": "))
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
		text := "ready in " + round(e.Time.Sub(p.begun[e.Model]))
		if p.idle[e.Model] { // the address is known
			delete(p.idle, e.Model)
			return text
		}
		return text + "\n" + paste(p.state.Model(e.Model), p.models)
	}
	if f.Why != "" {
		return string(f.Phase) + ": " + clean(f.Why)
	}
	return string(f.Phase)
}

// step tells what has ended and took its time; a builder's own steps say nothing to
// a person.
func step(f event.Step) string {
	if strings.HasPrefix(f.Name, "[internal]") && f.State != event.StepFailed {
		return ""
	}
	text := string(f.Stage) + ": " + clean(f.Name)
	switch f.State {
	case event.StepStarted:
		if strings.Contains(f.Name, "] RUN ") { // it may take long, and say nothing
			return text
		}
	case event.StepCached:
		return text + " (cached)"
	case event.StepDone:
		return text + " " + round(f.Took)
	case event.StepFailed:
		return text + " FAILED " + clean(f.Detail)
	}
	return ""
}

// started tells a container, and its limits once.
func (p *plain) started(e event.Event, f event.Started) string {
	text := f.Container
	if f.Reach != "process" {
		text = "container " + f.Replica
	}
	if f.Address == "" {
		return "created " + text + ", which ended at once"
	}
	text = "started " + text + " at " + f.Address
	limits := limitsOf(f)
	if limits == p.limits[e.Model] {
		return text
	}
	p.limits[e.Model] = limits
	return text + limits
}

func limitsOf(f event.Started) (text string) {
	if f.MemoryLimit != "" {
		text += ", memory " + f.MemoryLimit
	}
	if f.CPULimit != "" {
		text += ", CPU " + f.CPULimit
	}
	if limit, err := resource.ParseQuantity(f.CPULimit); err == nil && limit.AsApproximateFloat64() > f.EffectiveCPUs && f.EffectiveCPUs > 0 {
		text += fmt.Sprintf(" (of which this machine has %g)", f.EffectiveCPUs)
	}
	return text
}

func exited(f event.Exited) string {
	if f.WithEngine {
		return "ended with the Docker Engine: no exit of the model's own; it is started again once the Engine answers"
	}
	text := fmt.Sprintf("exited with code %d", f.Code)
	if f.OOMKilled {
		text += oomKilled(f)
	} else if f.Signal != "" {
		text += ", " + f.Signal
	}
	for _, known := range []string{f.Error, f.Why} {
		if known != "" {
			text += ": " + clean(known)
		}
	}
	return text
}

func served(f event.Served) string {
	text := fmt.Sprintf("%s %s %d", f.Method, clean(f.Path), f.Status)
	if f.GRPCStatus != nil {
		text += fmt.Sprintf(" grpc-status %d", *f.GRPCStatus)
	}
	text += " in " + round(f.Took)
	if f.Held > 0 {
		text += " (held " + round(f.Held) + ")"
	}
	if f.Error != "" {
		text += ": " + clean(f.Error)
	}
	return text
}

// clean makes foreign text safe to print: colours are dropped, and what a terminal
// would interpret is shown as an escape.
func clean(text string) string {
	text = ansi.Strip(text)
	if !strings.ContainsFunc(text, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if r != '\t' && unicode.IsControl(r) {
			fmt.Fprintf(&out, "\\x%02x", r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// round gives a duration two or three digits that mean something.
func round(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// overview is the model at a glance: why it does not serve, its replicas and their
// probes, why there are so many of them, and what happened.
type overview struct {
	up int // by how many lines the events are scrolled up
}

func newOverview() *overview { return &overview{} }

func (o *overview) title() string { return "Overview" }

func (o *overview) badge(*scene) string {
	if o.up > 0 {
		return fmt.Sprintf("%d lines back", o.up)
	}
	return ""
}

var eventsUp, eventsDown, eventsEnd = bind("older events", "↑/k", "up", "k", "pgup"), bind("newer events", "↓/j", "down", "j", "pgdown"), bind("latest event", "G", "G", "end")

func (o *overview) keys() []key.Binding { return []key.Binding{eventsUp, eventsDown, eventsEnd} }

func (o *overview) press(s *scene, msg tea.KeyMsg) (tea.Cmd, bool) {
	step := 1
	if t := msg.Type; t == tea.KeyPgUp || t == tea.KeyPgDown {
		step = 10
	}
	switch {
	case key.Matches(msg, eventsUp):
		o.scroll(s, -step)
	case key.Matches(msg, eventsDown):
		o.scroll(s, step)
	case key.Matches(msg, eventsEnd):
		o.up = 0
	default:
		return nil, false
	}
	return nil, true
}

func (o *overview) scroll(_ *scene, lines int) { o.up = max(o.up-lines, 0) }

// leastEvents is how many lines the events have at least; where they have so few, each
// has one.
const leastEvents = 4

func (o *overview) draw(s *scene, width, height int) []string {
	if s.model == nil {
		return nil
	}
	var lines []string
	waiting := o.waiting(s, width)
	room := height - leastEvents - len(waiting)
	for _, part := range [][]string{
		waiting, o.failure(s, width, room), o.reload(s, width, room), o.pods(s, width), o.scale(s, width), o.coldStart(s, width),
	} {
		lines = append(lines, part...)
	}
	if most := height - leastEvents; len(lines) > most {
		lines = lines[:max(most, 0)]
	}
	return append(lines, o.events(s, width, height-len(lines))...)
}

// failure is the failure card.
func (o *overview) failure(s *scene, width, room int) []string {
	if s.model.Failure == nil {
		return nil
	}
	return append(card(s, prose.Failed(*s.model.Failure), width, room-1), "")
}

// reload is a reload that failed, or that is stuck, until the next one.
func (o *overview) reload(s *scene, width, room int) []string {
	r := s.model.LastReload()
	if r == nil || r.Failure == nil {
		return nil
	}
	text := fmt.Sprintf("RELOAD FAILED: revision %d will not serve, the one before goes on: %s", r.Revision, prose.Card(*r.Failure))
	if r.State == session.ReloadRuns {
		text = fmt.Sprintf("revision %d is not ready yet: %s", r.Revision, prose.Card(*r.Failure))
	}
	return append(card(s, text, width, room-1), "")
}

// waiting says how long there is left to become ready, or when it is started again.
func (o *overview) waiting(s *scene, width int) []string {
	m := s.model
	text := ""
	switch {
	case prose.Comeback(m, s.now) != "":
		text, _, _ = strings.Cut(prose.Comeback(m, s.now), ";") // then a command, in place of which is a key
		if s.control != nil {
			text += "; S starts it now"
		}
	case m.Deadline != nil && m.Phase != event.PhaseReady:
		text = fmt.Sprintf("%s for %s; %s left to become ready", prose.Phase(m.Phase), ago(s.now.Sub(m.Since)), ago(m.Deadline.Sub(s.now)))
	case m.Why != "" && m.Failure == nil:
		text = prose.Phase(m.Phase) + ": " + prose.Clean(m.Why)
	default:
		return nil
	}
	var lines []string
	for _, l := range wrap(text, width-2, 2) {
		lines = append(lines, " "+s.warn.Render(l))
	}
	return append(lines, "")
}

// pods are the replicas, each with its probes as a line of time.
func (o *overview) pods(s *scene, width int) []string {
	var lines []string
	for _, p := range s.model.Pods {
		lines = append(lines, o.pod(s, p, width)...)
		for _, purpose := range []event.Purpose{event.Readiness, event.Liveness} {
			if line := timeline(s, p, purpose, width); line != "" {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	return lines
}

func (o *overview) pod(s *scene, p *session.Pod, width int) []string {
	glyph, style := s.phase(p.Phase)
	text := " " + style.Render(glyph+" "+p.Name+" "+prose.Phase(p.Phase)) + " " + s.faint.Render(ago(s.now.Sub(p.Since)))
	if s.model.Serving != nil && p.Revision != s.model.Serving.Number {
		text += s.warn.Render(fmt.Sprintf(" of revision %d", p.Revision))
	}
	if p.Usage != nil && p.Usage.Memory > 0 { // it runs
		text += fmt.Sprintf("  cpu %.2f  memory %s", p.Usage.CPU, size(p.Usage.Memory))
		if p.Usage.ThrottledShare > 0 {
			text += s.warn.Render(fmt.Sprintf("  throttled %.0f%%", 100*p.Usage.ThrottledShare))
		}
	}
	if p.Restarts > 0 {
		text += s.warn.Render(fmt.Sprintf("  restarts %d", p.Restarts))
	}
	if p.OOMKills > 0 {
		text += s.badBad.Render(fmt.Sprintf("  OOM kills %d", p.OOMKills))
	}
	if p.Address != "" && ansi.StringWidth(text)+2+len(p.Address) <= width {
		text += "  " + s.faint.Render(p.Address)
	}
	lines := []string{s.fit(text, width)}
	if p.Why != "" && p.Phase != event.PhaseBackOff {
		lines = append(lines, "     "+prose.Clean(p.Why))
	}
	return lines
}

// timeline is a pod's latest attempts of a probe, oldest first, and what the last one
// found: a dot for each that went well, a cross for each that did not.
func timeline(s *scene, p *session.Pod, purpose event.Purpose, width int) string {
	const name = 10
	room := max(min(width-name-26, 40), 8)
	var marks []string
	var last *session.Attempt
	probes := &s.past.Probes
	for place := probes.End() - 1; place >= probes.First() && len(marks) < room; place-- {
		a := probes.At(place)
		if a.Pod != p.Name || a.Purpose != purpose {
			continue
		}
		if last == nil {
			last = a
		}
		mark := s.good.Render(s.glyphs.ok)
		if !a.OK {
			mark = s.badBad.Render(s.glyphs.failed)
		}
		marks = append(marks, mark)
	}
	if last == nil {
		return ""
	}
	var line strings.Builder
	line.WriteString("   " + s.faint.Render(s.fit(string(purpose), name)) + " ")
	for i := len(marks) - 1; i >= 0; i-- {
		line.WriteString(marks[i])
	}
	outcome := prose.Clean(last.Outcome)
	if !last.OK {
		outcome = s.bad.Render(fmt.Sprintf("%s (%d of %d)", outcome, last.InARow, last.Threshold))
	}
	return line.String() + " " + outcome + s.faint.Render(" "+took(last.Took))
}

// scale is the number of replicas, and why.
func (o *overview) scale(s *scene, width int) []string {
	sc := s.model.Scale
	if sc == nil {
		return nil
	}
	text := fmt.Sprintf("%s %d wanted, %d ready, %d to %d, aims at %s each", strings.ToUpper(sc.Class), sc.Wanted, sc.Ready, sc.Min, sc.Max, prose.Target(sc.Autoscaler))
	if sc.Mode == session.ModePanic {
		text += "; " + s.warnBold.Render("panic mode")
	}
	var lines []string
	for _, l := range wrap(text, width-2, 4) {
		lines = append(lines, " "+l)
	}
	if n := len(sc.Decisions); n > 0 {
		d := sc.Decisions[n-1]
		for _, l := range wrap(prose.Clock(d.At)+" "+prose.Clean(d.Why), width-5, 9) {
			lines = append(lines, "   "+s.faint.Render(l))
		}
	}
	return append(lines, "")
}

// coldStart is the last start from zero, its five parts as a bar.
func (o *overview) coldStart(s *scene, width int) []string {
	sc := s.model.Scale
	if sc == nil || len(sc.ColdStarts) == 0 {
		return nil
	}
	last := sc.ColdStarts[len(sc.ColdStarts)-1]
	parts := []struct {
		name string
		took time.Duration
	}{{"create", last.Create}, {"process", last.Process}, {"listening", last.Listening}, {"ready", last.Ready}, {"answer", last.Answer}}
	barWidth := max(min(width-4, 60), 10)
	var bar strings.Builder
	var legend []string
	spent, drawn := time.Duration(0), 0
	for i, part := range parts {
		spent += part.took
		cells := 0
		if last.Total > 0 {
			cells = int(int64(barWidth)*int64(spent)/int64(last.Total)) - drawn
		}
		drawn += max(cells, 0)
		letter := string(part.name[0])
		style := s.sources[i%len(s.sources)]
		bar.WriteString(style.Render(strings.Repeat(letter, max(cells, 0))))
		legend = append(legend, style.Render(part.name)+" "+took(part.took))
	}
	return []string{
		" cold start " + prose.Clock(last.At) + " in " + s.bold.Render(took(last.Total)),
		"   " + bar.String(),
		s.fit("   "+strings.Join(legend, "  "), width), "",
	}
}

// events are the latest happenings of the model and the session, the newest last.
func (o *overview) events(s *scene, width, height int) []string {
	h := &s.state.History.Happenings
	var blocks [][]string
	lines := 0
	for place := h.End() - 1; place >= h.First() && lines < height+o.up; place-- {
		e := h.At(place)
		if e.Model != "" && e.Model != s.model.ID {
			continue
		}
		block := happening(s, *e, width, height > leastEvents)
		blocks = append(blocks, block)
		lines += len(block)
	}
	var all []string
	for i := len(blocks) - 1; i >= 0; i-- {
		all = append(all, blocks[i]...)
	}
	o.up = min(o.up, max(len(all)-height, 0))
	end := len(all) - o.up
	return all[max(end-height, 0):end]
}

// happening is an event's first line, at its time; where not the whole, as much as fits.
func happening(s *scene, e event.Event, width int, whole bool) []string {
	text := prose.Happening(e)
	if text == "" {
		return nil
	}
	style := s.plain
	switch f := e.Fact.(type) {
	case event.Failed, event.OutOfMemory, event.ReloadEnded, event.Step:
		style = s.bad
		if r, is := f.(event.ReloadEnded); is && r.Cancelled != "" {
			style = s.warn
		}
	case event.Exited, event.Terminated, event.ReloadStuck:
		style = s.warn
	case event.Notice:
		if f.Level == event.NoticeWarning {
			style = s.warn
		}
	case event.PhaseChanged:
		if f.Phase == event.PhaseReady {
			style = s.good
		}
	case event.Serving:
		style = s.good
	}
	lines := []string{s.fit(firstLine(text), width-11)}
	if whole {
		lines = wrap(firstLine(text), width-11, 0)
	}
	for i := range lines {
		at := spaces(8)
		if i == 0 {
			at = s.faint.Render(prose.Clock(e.Time))
		}
		lines[i] = " " + at + " " + style.Render(lines[i])
	}
	return lines
}

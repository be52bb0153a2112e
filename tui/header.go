package tui

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/x/ansi"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// header is who the model is and how it does, in the lines that the width asks for,
// then what happened last.
func (m *screen) header(s *scene, width int) []string {
	if s.model == nil {
		return []string{s.fit(s.bold.Render("merlin-local")+" "+s.state.Version+"  nothing has happened yet", width), s.fit("", width)}
	}
	lines := flow(s, [][]string{m.identity(s), m.numbers(s)}, width)
	lines = append(lines, s.fit(m.lately(s), width))
	if width < wideWidth && len(s.state.Models) > 1 {
		lines = append([]string{s.fit(m.modelLine(s), width)}, lines...)
	}
	return lines
}

// flow puts chips side by side, two cells apart, and begins a line where one is full. A
// group begins a line of its own.
func flow(s *scene, groups [][]string, width int) []string {
	var lines []string
	for _, chips := range groups {
		line := ""
		for _, chip := range chips {
			switch {
			case chip == "":
			case line == "":
				line = " " + chip
			case ansi.StringWidth(line)+2+ansi.StringWidth(chip) <= width:
				line += "  " + chip
			default:
				lines = append(lines, s.fit(line, width))
				line = " " + chip
			}
		}
		lines = append(lines, s.fit(line, width))
	}
	return lines
}

// loud is a model's phase where it must be seen.
func loud(m *session.Model) string {
	if m.Phase == event.PhaseBackOff {
		return prose.Phase(m.Phase) // as kubectl writes it
	}
	return strings.ToUpper(prose.Phase(m.Phase))
}

// identity says which model this is, which revision answers, and where.
func (m *screen) identity(s *scene) []string {
	model := s.model
	glyph, style := s.phase(model.Phase)
	return []string{
		style.Render(glyph + " " + model.ID + " " + loud(model)),
		revision(s),
		stale(s),
		faultBadge(s, model),
		model.Protocol,
		s.accent.Render(calledAt(s)),
	}
}

// calledAt is where the model answers. Among several it is the host that tells which, a
// name that is this machine.
func calledAt(s *scene) string {
	urls := s.model.URLs
	at := urls.Predict + urls.GRPC // it has one of them
	if host, _, err := net.SplitHostPort(s.state.Address); err == nil && len(s.state.Models) > 1 {
		at = strings.Replace(at, host, urls.Host, 1)
	}
	return at
}

// revision is the one that answers, and how it came to be.
func revision(s *scene) string {
	r := s.model.Serving
	if r == nil {
		if s.model.LocalRevision == 0 {
			return ""
		}
		return s.faint.Render(fmt.Sprintf("revision %d", s.model.LocalRevision))
	}
	text := fmt.Sprintf("revision %d", r.Number)
	if r.Tier != "" {
		text += " " + string(r.Tier)
	}
	if r.Sources != "" {
		text += " " + r.Sources[:min(8, len(r.Sources))]
	}
	return text
}

// stale says that the revision is behind the files on disk, or that a new one is made.
func stale(s *scene) string {
	last := s.model.LastReload()
	making := last != nil && last.State == session.ReloadRuns
	switch {
	case s.model.Stale != nil:
		return s.warnBold.Render("STALE " + firstLine(prose.Clean(prose.Behind(s.model.Stale.Edited))))
	case making:
		return s.warn.Render(fmt.Sprintf("making revision %d", last.Revision))
	}
	return ""
}

// numbers are how it does.
func (m *screen) numbers(s *scene) []string {
	model := s.model
	var chips []string
	add := func(name, value string) { chips = append(chips, s.faint.Render(name)+" "+value) }
	if u := model.Usage; u != nil && u.Memory > 0 { // a container runs
		add("cpu", against(fmt.Sprintf("%.2f", u.CPU), model.CPULimit))
		memory := size(u.Memory)
		if u.MemoryLimit > 0 {
			memory += "/" + size(u.MemoryLimit)
			if u.Memory*10 > u.MemoryLimit*9 {
				memory = s.badBad.Render(memory + "!")
			}
		}
		add("memory", memory)
	}
	if t := model.Traffic; t != nil {
		add("req/s", rate(t.Rate))
		add("p95", took(t.P95))
		errors := count(t.Errors)
		if t.Errors > 0 {
			errors = s.bad.Render(errors + " of " + count(t.Requests))
		}
		add("errors", errors)
		add("in flight", count(int64(t.InFlight)))
		add("queued", count(int64(t.Queued+t.Held)))
	}
	add("replicas", replicas(model))
	if model.Restarts > 0 {
		add("restarts", s.warn.Render(count(int64(model.Restarts))))
	}
	if model.Debugger != nil && model.Debugger.Attached {
		chips = append(chips, s.warnBold.Render("DEBUGGER ATTACHED"))
	}
	if s.state.EngineTrouble != "" {
		chips = append(chips, s.badBad.Render("ENGINE DOES NOT ANSWER"))
	}
	if p := model.Pins; p != nil {
		text := prose.PinCount(p.Pins)
		if !prose.PinsPass(p.Pins) {
			text = s.badBad.Render(text)
		}
		add("pins", text)
	}
	if model.Parity != nil {
		same, about, not := model.Parity.Count()
		add("parity", fmt.Sprintf("%d same, %d about, %d not", same, about, not))
	}
	return chips
}

func against(value, limit string) string {
	if limit == "" {
		return value
	}
	return value + "/" + limit
}

// replicas are those that take requests, of those that are wanted.
func replicas(m *session.Model) string {
	if m.Scale != nil {
		return fmt.Sprintf("%d/%d", m.Scale.Ready, m.Scale.Wanted)
	}
	ready := 0
	for _, p := range m.Pods {
		if p.Phase == event.PhaseReady {
			ready++
		}
	}
	return fmt.Sprintf("%d/%d", ready, max(len(m.Pods), 1))
}

// glance is a model in a few cells.
func (m *screen) glance(model *session.Model) string {
	text := prose.Phase(model.Phase)
	if t := model.Traffic; t != nil {
		text = rate(t.Rate) + "/s"
		if t.Errors > 0 {
			text += " " + count(t.Errors) + " err"
		}
	}
	if model.Stale != nil {
		text += " STALE"
	}
	if len(model.Faults) > 0 {
		text += " FAULTS"
	}
	return text
}

// modelLine are all models in a line, for where there is no room for a list.
func (m *screen) modelLine(s *scene) string {
	var chips []string
	for _, model := range s.state.Models {
		glyph, style := s.phase(model.Phase)
		name := style.Render(glyph + " " + model.ID)
		if model == s.model {
			name = s.theme.chosen.Render(" " + glyph + " " + model.ID + " ")
		}
		chips = append(chips, name)
	}
	return " " + strings.Join(chips, "  ") + s.faint.Render("  [ ]")
}

// lately is the last thing that happened to the model or the session.
func (m *screen) lately(s *scene) string {
	h := &s.state.History.Happenings
	for place := h.End() - 1; place >= h.First(); place-- {
		e := h.At(place)
		if e.Model != "" && e.Model != s.model.ID {
			continue
		}
		if text := prose.Happening(*e); text != "" {
			return " " + s.faint.Render(prose.Clock(e.Time)) + " " + firstLine(text)
		}
	}
	return ""
}

// bottom is the last line: an action's outcome, or the keys.
func (m *screen) bottom(s *scene, width int) []string {
	switch {
	case m.said.text != "" && m.said.bad:
		return []string{s.fit(" "+s.badBad.Render(firstLine(prose.Clean(m.said.text))), width)}
	case m.said.text != "":
		return []string{s.fit(" "+firstLine(prose.Clean(m.said.text)), width)}
	}
	right := ""
	switch {
	case m.player != nil:
		right = m.player.told(s) + " "
	case m.recorded:
		right = s.warnBold.Render("RECORDING ")
	case m.state.Ended && m.state.Error != "":
		right = s.badBad.Render("THE SESSION HAS FAILED ")
	case m.over:
		right = s.warnBold.Render("THE SESSION HAS ENDED ")
	}
	var hints []string
	if m.player != nil {
		for _, b := range playerKeys()[:3] {
			hints = append(hints, hint(s, b))
		}
	}
	slash := m.keymap.filter
	for _, b := range m.panels[m.focus].keys() {
		switch {
		case !b.Enabled():
		case slices.Contains(b.Keys(), "/"):
			slash = b // the panel's own is in place of the filter
		default:
			hints = append(hints, hint(s, b))
		}
	}
	for _, b := range []key.Binding{slash, m.keymap.palette, m.keymap.help, m.keymap.quit} {
		if b.Enabled() {
			hints = append(hints, hint(s, b))
		}
	}
	return []string{s.ends(" "+m.hints(s, hints, width-ansi.StringWidth(right)-2), right, width)}
}

// hints are as many as fit; the last four, which lead to the others, always do.
func (m *screen) hints(_ *scene, all []string, width int) string {
	const always = 4
	last := all[max(len(all)-always, 0):]
	room := width - ansi.StringWidth(strings.Join(last, "  "))
	var shown []string
	for _, h := range all[:len(all)-len(last)] {
		if room -= ansi.StringWidth(h) + 2; room < 0 {
			break
		}
		shown = append(shown, h)
	}
	return strings.Join(append(shown, last...), "  ")
}

// hint is a key and, in short, what it does.
func hint(s *scene, b key.Binding) string {
	does := b.Help().Desc
	if at := strings.IndexAny(does, ":;,"); at > 0 {
		does = does[:at]
	}
	return s.theme.key.Render(b.Help().Key) + " " + s.faint.Render(does)
}

func dimensions(width, height int) string { return fmt.Sprintf("%dx%d", width, height) }

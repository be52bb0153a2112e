package tui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// builds are the makings of revisions: which file caused each, by which tier, how long
// every step took, and why one failed.
type builds struct {
	pager  pager
	at     int // the chosen one, from the latest: 0
	opened bool
}

func newBuilds() *builds { return &builds{} }

func (p *builds) title() string { return "Builds" }

func (p *builds) badge(s *scene) string {
	if p.opened {
		return p.pager.badge()
	}
	if s.model == nil || len(s.model.Reloads) == 0 {
		return ""
	}
	return plural(len(s.model.Reloads), "reload")
}

var buildUp, buildDown, buildOpen = bind("later", "↑/k", "up", "k"), bind("earlier", "↓/j", "down", "j"), bind("steps and log", "enter")

func (p *builds) keys() []key.Binding {
	if p.opened {
		return p.pager.keys()
	}
	return []key.Binding{buildUp, buildDown, buildOpen}
}

func (p *builds) press(s *scene, msg tea.KeyMsg) (tea.Cmd, bool) {
	if p.opened {
		return nil, p.pager.press(msg)
	}
	switch {
	case key.Matches(msg, buildUp):
		p.at--
	case key.Matches(msg, buildDown):
		p.at++
	default:
		return nil, false
	}
	p.at = min(max(p.at, 0), max(len(makings(s))-1, 0))
	return nil, true
}

func (p *builds) scroll(s *scene, lines int) {
	if p.opened {
		p.pager.top += lines
		return
	}
	p.at = min(max(p.at+lines/3, 0), max(len(makings(s))-1, 0))
}

func (p *builds) enter(s *scene) tea.Cmd {
	p.opened = len(makings(s)) > 0
	p.pager.top = 0
	return nil
}

func (p *builds) inside() bool { return p.opened }

func (p *builds) back() bool {
	was := p.opened
	p.opened = false
	return was
}

// making is how one revision came to be, or did not.
type making struct {
	revision int
	reload   *session.Reload // nil for the first revision
	build    *session.Build  // nil where nothing was built, or long ago
}

// makings are all that are known, the latest first.
func makings(s *scene) []making {
	if s.model == nil {
		return nil
	}
	var all []making
	find := func(revision int) *session.Build {
		for _, b := range s.past.Builds {
			if b.Revision == revision {
				return b
			}
		}
		return nil
	}
	for i := len(s.model.Reloads) - 1; i >= 0; i-- {
		r := s.model.Reloads[i]
		all = append(all, making{r.Revision, r, find(r.Revision)})
	}
	if first := find(1); first != nil || len(all) == 0 && s.model.LocalRevision > 0 {
		all = append(all, making{1, nil, first})
	}
	return all
}

func (p *builds) draw(s *scene, width, height int) []string {
	all := makings(s)
	if len(all) == 0 {
		return []string{" " + s.faint.Render("nothing was built yet")}
	}
	p.at = min(p.at, len(all)-1)
	if p.opened {
		return p.pager.window(p.whole(s, all[p.at], width), height)
	}
	var lines []string
	if st := s.model.Stale; st != nil {
		text := "STALE: behind " + prose.Clean(prose.Behind(st.Edited))
		if st.Waits != "" {
			text += ": the reload waits: " + st.Waits
		}
		for _, l := range wrap(text, width-2, 2) {
			lines = append(lines, " "+s.warnBold.Render(l))
		}
	}
	lines = append(lines, p.pins(s, width)...)
	// The list gets the lines that the chosen one's steps do not need.
	steps := p.steps(s, all[p.at], width)
	rows := max(height-len(lines)-len(steps)-1, min(len(all), max(height/3, 2)))
	from := max(0, min(p.at-rows/2, len(all)-rows))
	for i := from; i < len(all) && i < from+rows; i++ {
		lines = append(lines, p.row(s, all[i], i == p.at, width))
	}
	lines = append(lines, "")
	return append(lines, steps...)
}

// row is a making in one line.
func (p *builds) row(s *scene, m making, chosen bool, width int) string {
	glyph, style, word := s.glyphs.ready, s.plain, "first"
	text, at := "", ""
	if r := m.reload; r != nil {
		glyph, style, word = state(s, r)
		at = prose.Clock(r.Since)
		cause := r.Plan.File
		if cause == "" {
			cause = r.Plan.Why
		}
		text = fmt.Sprintf("%-7s %-7s %s", r.Plan.Tier, durationSoFar(s, r), prose.Clean(cause))
	} else if m.build != nil {
		at = prose.Clock(m.build.Began)
		text = "built at the start"
	}
	head := fmt.Sprintf(" %s %-3d %-9s ", glyph, m.revision, word)
	if chosen && s.focused {
		return s.theme.chosen.Render(s.fit(head+at+" "+text, width))
	}
	return style.Render(head) + s.faint.Render(at) + " " + text
}

func durationSoFar(s *scene, r *session.Reload) string {
	if r.State == session.ReloadRuns {
		return ago(s.now.Sub(r.Since))
	}
	return took(r.Took)
}

// state is a reload's glyph, how it looks, and its word.
func state(s *scene, r *session.Reload) (string, lipgloss.Style, string) {
	switch r.State {
	case session.ReloadServes:
		return s.glyphs.ready, s.good, "serves"
	case session.ReloadFailed:
		return s.glyphs.failed, s.badBad, "failed"
	case session.ReloadCancelled:
		return s.glyphs.stopping, s.faint, "cancelled"
	}
	return s.glyphs.busy, s.warnBold, "making"
}

// steps are those of the chosen one: what a reload's parts took as bars, then the
// build's own.
func (p *builds) steps(s *scene, m making, width int) []string {
	var lines []string
	if r := m.reload; r != nil {
		for _, l := range wrap(prose.Clean(r.Plan.Why), width-3, 2) {
			lines = append(lines, " "+s.faint.Render(l))
		}
		if r.Plan.Replaces != "" {
			lines = append(lines, wrap(" the old revision stops first: "+prose.Clean(r.Plan.Replaces), width-2, 3)...)
		}
		if r.Cancelled != "" {
			lines = append(lines, " "+s.warn.Render("given up: "+prose.Clean(r.Cancelled)))
		}
		lines = append(lines, bars(s, r.Steps, r.Took, width)...)
		if r.Failure != nil {
			lines = append(lines, card(s, prose.Card(*r.Failure), width, math.MaxInt)...)
		}
	}
	if m.build == nil {
		return lines
	}
	for _, step := range m.build.Steps {
		if line := buildStep(s, step, width); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// bars are the parts of a reload, each as long as its share of the whole.
func bars(s *scene, steps []event.ReloadStep, whole time.Duration, width int) []string {
	room := max(min(width-26, 50), 4)
	var lines []string
	for _, step := range steps {
		cells := 0
		if whole > 0 {
			cells = min(int(int64(room)*int64(step.Took)/int64(whole)), room)
		}
		lines = append(lines, "   "+s.fit(step.Name, 10)+" "+s.fit(took(step.Took), 8)+" "+s.accent.Render(strings.Repeat(s.glyphs.bar, cells))+s.faint.Render(strings.Repeat(s.glyphs.shade, room-cells)))
	}
	return lines
}

// buildStep is one of a build's; a builder's own say nothing to a person.
func buildStep(s *scene, step session.BuildStep, width int) string {
	if strings.HasPrefix(step.Name, "[internal]") && step.State != event.StepFailed {
		return ""
	}
	glyph, style, right := s.glyphs.busy, s.warn, ago(s.now.Sub(step.Began))
	switch step.State {
	case event.StepDone:
		glyph, style, right = s.glyphs.ready, s.good, took(step.Took)
	case event.StepCached:
		glyph, style, right = s.glyphs.idle, s.faint, "cached"
	case event.StepFailed:
		glyph, style, right = s.glyphs.failed, s.badBad, "failed"
	case event.StepProgress:
		if step.Detail != "" {
			right = prose.Clean(step.Detail)
		}
	}
	name := string(step.Stage) + ": " + firstLine(prose.Clean(step.Name))
	return s.ends(s.fitIf("   "+style.Render(glyph)+" "+name, width-12), s.faint.Render(right), width-1)
}

// whole is all that is known of a making: its steps, then what was written meanwhile.
func (p *builds) whole(s *scene, m making, width int) []string {
	lines := append([]string{p.row(s, m, false, width)}, p.steps(s, m, width)...)
	lines = append(lines, "", " "+s.bold.Render("what the build wrote"))
	logs := &s.state.History.Logs
	before := len(lines)
	for place := logs.First(); place < logs.End(); place++ {
		e := logs.At(place)
		if l := e.Fact.(event.Log); l.Source == event.LogBuild && e.Revision == m.revision && e.Model == s.model.ID {
			lines = append(lines, wrap(" "+prose.Clean(capped(l.Text)), width-1, 3)...)
		}
	}
	if len(lines) == before {
		lines = append(lines, " "+s.faint.Render("nothing, or it is not kept any more"))
	}
	return lines
}

// mostLine is how much of a line is drawn, in bytes.
const mostLine = 8 << 10

func capped(text string) string {
	if len(text) <= mostLine {
		return text
	}
	return strings.ToValidUTF8(text[:mostLine], "") + fmt.Sprintf(" (cut: %s more)", size(int64(len(text)-mostLine)))
}

package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// environment is what the model's containers are given, who gives it, and how near that
// is to production.
type environment struct {
	pager pager
	words string // a row is shown where it holds all of these
}

func newEnvironment() *environment { return &environment{} }

func (p *environment) title() string { return "Environment" }

func (p *environment) badge(*scene) string { return p.pager.badge() }

func (p *environment) keys() []key.Binding { return p.pager.keys() }

func (p *environment) press(_ *scene, msg tea.KeyMsg) (tea.Cmd, bool) { return nil, p.pager.press(msg) }

func (p *environment) scroll(_ *scene, lines int) { p.pager.top += lines }

func (p *environment) filter() string { return p.words }

func (p *environment) filterHelp() string { return "words of a name, a value, an origin or a remark" }

func (p *environment) setFilter(_ *scene, text string) (tea.Cmd, error) {
	p.words, p.pager.top = text, 0
	return nil, nil
}

func (p *environment) draw(s *scene, width, height int) []string {
	if s.model == nil {
		return nil
	}
	var lines []string
	for _, section := range p.sections(s) {
		rows := section.matching(p.words)
		if len(rows) == 0 {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, " "+s.bold.Render(section.name))
		for _, r := range rows {
			lines = append(lines, r.lines(s, section.names, width)...)
		}
	}
	if len(lines) == 0 {
		text := "what its containers are given is known once the first of them is about to start"
		if p.words != "" {
			text = "nothing here has these words: esc shows all"
		}
		lines = []string{" " + s.faint.Render(text)}
	}
	return p.pager.window(lines, height)
}

// section is a group of rows under a name.
type section struct {
	name  string
	names int // width of the rows' names
	rows  []row
}

// row is one thing that a container is given.
type row struct {
	name, value, origin string
	verdict             event.Verdict
	remark              string
}

func (x *section) add(r row) {
	r.name, r.value, r.remark = prose.Clean(r.name), prose.Clean(strings.ReplaceAll(r.value, "\n", `\n`)), prose.Clean(r.remark)
	x.rows = append(x.rows, r)
	x.names = min(max(x.names, len([]rune(r.name))), mostNames)
}

// mostNames is how wide the column of names gets.
const mostNames = 34

func (x *section) matching(words string) []row {
	if words == "" {
		return x.rows
	}
	var found []row
	for _, r := range x.rows {
		text := strings.ToLower(strings.Join([]string{r.name, r.value, r.origin, string(r.verdict), r.remark}, " "))
		all := true
		for word := range strings.FieldsSeq(strings.ToLower(words)) {
			all = all && strings.Contains(text, word)
		}
		if all {
			found = append(found, r)
		}
	}
	return found
}

// lines are a row's: its name, its value, whose it is, and what is not as in production.
func (r row) lines(s *scene, names, width int) []string {
	mark, style := verdict(s, r.verdict)
	head := " " + style.Render(mark) + " " + s.accent.Render(s.fit(r.name, names)) + " "
	text := r.remark // where it is all that there is to say
	if r.value != "" {
		text = r.value
	}
	if r.origin == "" && (r.value == "" || r.remark == "" || r.verdict == event.Same) {
		in := names + 4
		lines := wrap(text, max(width-in-1, 8), 0)
		for i := range lines {
			if lines[i] = spaces(in) + lines[i]; i == 0 {
				lines[i] = head + lines[i][in:]
			}
		}
		return lines
	}
	origin := ""
	if r.origin != "" {
		origin = s.faint.Render(r.origin)
	}
	lines := []string{s.ends(s.fitIf(head+r.value, width-len(r.origin)-2), origin, width-1)}
	if r.remark != "" && r.verdict != event.Same {
		for _, l := range wrap(r.remark, width-6, 0) {
			lines = append(lines, "     "+style.Render(l))
		}
	}
	return lines
}

// fitIf cuts a line that is wider than that.
func (t *theme) fitIf(line string, width int) string {
	if lipgloss.Width(line) <= width {
		return line
	}
	return t.fit(line, width)
}

// verdict is its sign and how it looks.
func verdict(s *scene, v event.Verdict) (string, lipgloss.Style) {
	switch v {
	case event.Same:
		return "=", s.good
	case event.Approximated:
		return "~", s.warn
	case event.NotEmulated:
		return "!", s.bad
	}
	return " ", s.plain
}

// sections are all that there is to tell, what is looked for most first.
func (p *environment) sections(s *scene) []*section {
	var all []*section
	if e := s.model.Environment; e != nil {
		all = append(all, variables(e), mounts(e), process(e))
	}
	if s.model.Parity != nil {
		all = append(all, parity(s.model.Parity))
	}
	return all
}

func variables(e *event.Environment) *section {
	x := &section{name: fmt.Sprintf("Variables (%d)", len(e.Variables))}
	for _, v := range e.Variables {
		remark := v.Remark
		value := v.Value
		if v.Secret != "" {
			value += "  (MLP secret " + v.Secret + ")"
		}
		if v.Hidden {
			value += "  (hidden by a later one)"
		}
		x.add(row{v.Name, value, string(v.Origin), v.Verdict, remark})
	}
	return x
}

func mounts(e *event.Environment) *section {
	x := &section{name: "Mounts"}
	for _, m := range e.Mounts {
		how := "read-write"
		if m.ReadOnly {
			how = "read-only"
		}
		if m.Copied {
			how = "copied"
		}
		from := m.From
		if from == "" {
			from = m.Source
		}
		x.add(row{m.Target, fmt.Sprintf("%s, %s, %d files, %s", from, how, m.Files, size(m.Bytes)), string(m.Kind), m.Verdict, m.Remark})
	}
	return x
}

func process(e *event.Environment) *section {
	x := &section{name: "Process"}
	words := func(name string, w event.Words) {
		if len(w.Words) > 0 || w.Remark != "" {
			x.add(row{name, quoted(w.Words), string(w.Origin), "", w.Remark})
		}
	}
	words("command", e.Command)
	words("args", e.Args)
	if e.User != "" {
		x.add(row{name: "user", value: e.User})
	}
	if e.WorkingDir != "" {
		x.add(row{name: "working directory", value: e.WorkingDir})
	}
	x.add(row{name: "port", value: fmt.Sprint(e.Port)})
	holds := event.Same
	if !e.LimitsHold {
		holds = event.NotEmulated
	}
	amounts := func(name string, a event.Amounts, v event.Verdict, remark string) {
		if a != (event.Amounts{}) {
			x.add(row{name: name, value: strings.TrimSpace("cpu " + orNone(a.CPU) + ", memory " + orNone(a.Memory)), verdict: v, remark: remark})
		}
	}
	amounts("requests", e.Requests, "", "")
	amounts("limits", e.Limits, holds, e.Remark)
	for _, note := range e.Notes {
		x.add(row{name: "note", value: note})
	}
	return x
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// quoted are words as a shell would take them.
func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; w == "" || strings.ContainsAny(w, " \t\n\"'$\\") {
			out[i] = fmt.Sprintf("%q", w)
		}
	}
	return strings.Join(out, " ")
}

// parity are the points of the comparison with production, what differs first.
func parity(p *event.Parity) *section {
	x := &section{name: prose.ParityCount(*p)}
	for _, v := range []event.Verdict{event.NotEmulated, event.Approximated, event.Same} {
		for _, point := range p.Points {
			if point.Verdict != v {
				continue
			}
			r := row{name: point.Area, verdict: v}
			if v == event.Same {
				r.value = point.Text
			} else {
				r.remark = point.Text
			}
			x.add(r)
		}
	}
	return x
}

package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// overlay lies over the screen and takes every key.
type overlay interface {
	// press returns what lies over the screen from now on: itself, or nil.
	press(m *screen, s *scene, msg tea.KeyMsg) (overlay, tea.Cmd)
	// over draws itself onto the screen's lines.
	over(s *scene, lines []string, width int) []string
}

// filterPrompt asks for a panel's filter; it is applied while it is typed.
type filterPrompt struct {
	panel  filterer
	input  textinput.Model
	before string
	wrong  string
}

func newFilterPrompt(p filterer) *filterPrompt {
	f := &filterPrompt{panel: p, input: newInput(p.filter()), before: p.filter()}
	return f
}

func newInput(text string) textinput.Model {
	input := textinput.New()
	input.Prompt = ""
	input.SetValue(text)
	input.CursorEnd()
	input.Focus()
	input.Cursor.SetMode(cursor.CursorHide) // a blinking one would redraw an idle screen: typed draws it
	return input
}

func (f *filterPrompt) press(_ *screen, s *scene, msg tea.KeyMsg) (overlay, tea.Cmd) {
	switch msg.String() {
	case "enter":
		if f.wrong != "" {
			return f, nil
		}
		return nil, nil
	case "esc":
		cmd, _ := f.panel.setFilter(s, f.before)
		return nil, cmd
	}
	f.input, _ = f.input.Update(msg)
	cmd, err := f.panel.setFilter(s, f.input.Value())
	f.wrong = ""
	if err != nil {
		f.wrong = err.Error()
	}
	return f, cmd
}

func (f *filterPrompt) over(s *scene, lines []string, width int) []string {
	right := s.faint.Render(f.panel.filterHelp())
	if f.wrong != "" {
		right = s.badBad.Render(f.wrong)
	}
	lines[len(lines)-1] = s.ends(s.key.Render("filter /")+typed(s, f.input), right, width)
	return lines
}

// typed is an input's text with its cursor.
func typed(s *scene, input textinput.Model) string {
	text, at := []rune(input.Value()), input.Position()
	under := " "
	if at < len(text) {
		under = string(text[at])
	}
	after := ""
	if at+1 < len(text) {
		after = string(text[at+1:])
	}
	return string(text[:at]) + s.theme.chosen.Render(under) + after
}

// question asks before something that cannot be undone; y and the key that asked do it.
type question struct {
	text string
	keys key.Binding // those that say yes
	yes  func() tea.Cmd
}

func (q *question) press(_ *screen, _ *scene, msg tea.KeyMsg) (overlay, tea.Cmd) {
	if key.Matches(msg, q.keys) {
		return nil, q.yes()
	}
	return nil, nil
}

func (q *question) over(s *scene, lines []string, width int) []string {
	lines[len(lines)-1] = s.fit(" "+s.warnBold.Render(q.text)+"  "+s.theme.key.Render("y")+" "+s.faint.Render("yes")+"  "+s.theme.key.Render("any other")+" "+s.faint.Render("no"), width)
	return lines
}

// palette lists every action; typing chooses among them.
type palette struct {
	input   textinput.Model
	actions []action
	at      int
}

func newPalette(m *screen, s *scene) *palette {
	p := &palette{input: newInput("")}
	seen := map[string]bool{}
	add := func(list []action) {
		for _, a := range list {
			if name := a.key.Help().Desc; a.enabled() && !seen[name] {
				seen[name] = true
				p.actions = append(p.actions, a)
			}
		}
	}
	for _, b := range m.panels[m.focus].keys() {
		panel := m.panels[m.focus]
		add([]action{{b, func() tea.Cmd {
			cmd, _ := panel.press(s, keyMsg(b.Keys()[0]))
			return cmd
		}}})
	}
	add(m.actions(s))
	return p
}

// keyMsg is the message of a key, by its name.
func keyMsg(name string) tea.KeyMsg {
	for t := tea.KeyType(-200); t < 200; t++ {
		if t != tea.KeyRunes && (tea.KeyMsg{Type: t}).String() == name && name != "" {
			return tea.KeyMsg{Type: t}
		}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// matching are the actions that hold every typed word.
func (p *palette) matching() []action {
	words := strings.Fields(strings.ToLower(p.input.Value()))
	var found []action
	for _, a := range p.actions {
		text := strings.ToLower(a.key.Help().Desc + " " + a.key.Help().Key)
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			found = append(found, a)
		}
	}
	return found
}

func (p *palette) press(m *screen, s *scene, msg tea.KeyMsg) (overlay, tea.Cmd) {
	found := p.matching()
	switch msg.String() {
	case "esc":
		return nil, nil
	case "up", "ctrl+p":
		p.at = max(p.at-1, 0)
	case "down", "ctrl+n", "tab":
		p.at = min(p.at+1, max(len(found)-1, 0))
	case "enter":
		if p.at >= len(found) {
			return p, nil
		}
		m.overlay = nil
		cmd := found[p.at].run()
		return m.overlay, cmd
	default:
		p.input, _ = p.input.Update(msg)
		p.at = 0
	}
	return p, nil
}

func (p *palette) over(s *scene, lines []string, width int) []string {
	found := p.matching()
	rows := []string{s.key.Render(":") + typed(s, p.input), ""}
	room := max(min(len(lines)-8, 16), 1)
	from := max(0, p.at-room+1)
	for i := from; i < len(found) && i < from+room; i++ {
		h := found[i].key.Help()
		row := s.fit(s.ends(" "+h.Desc, h.Key+" ", 50), 50)
		if i == p.at {
			row = s.theme.chosen.Render(ansi.Strip(row))
		}
		rows = append(rows, row)
	}
	if len(found) == 0 {
		rows = append(rows, s.faint.Render(" no action has these words"))
	}
	return boxed(s, "every action", rows, 50, lines, width)
}

// help shows the keys of the focused panel and of the screen.
type help struct{ rows []string }

func (h help) press(_ *screen, _ *scene, _ tea.KeyMsg) (overlay, tea.Cmd) { return nil, nil }

// over shows the keys in two columns where one is too long for the screen.
func (h help) over(s *scene, lines []string, width int) []string {
	if len(h.rows) <= len(lines)-4 {
		return boxed(s, "keys", h.rows, helpWidth, lines, width)
	}
	inner := min(2*helpWidth, width-4)
	half := (len(h.rows) + 1) / 2
	rows := make([]string, half)
	for i := range rows {
		right := ""
		if half+i < len(h.rows) {
			right = h.rows[half+i]
		}
		rows[i] = s.fit(h.rows[i], inner/2-1) + "  " + right
	}
	return boxed(s, "keys", rows, inner, lines, width)
}

const helpWidth = 56

// helpTable are the focused panel's keys and the screen's, from their key maps.
func (m *screen) helpTable() []string {
	p := m.panels[m.focus]
	rows := []string{m.bold.Render(p.title())}
	add := func(list []key.Binding) {
		for _, b := range list {
			if b.Enabled() {
				rows = append(rows, m.key.Render(m.fit(" "+b.Help().Key, 14))+b.Help().Desc)
			}
		}
	}
	add(p.keys())
	if m.player != nil {
		rows = append(rows, "", m.bold.Render("the recording"))
		add(playerKeys())
	}
	rows = append(rows, "", m.bold.Render("everywhere"))
	add(m.keymap.all())
	return rows
}

// boxed lays a box in the middle of the screen's lines.
func boxed(s *scene, title string, rows []string, inner int, lines []string, width int) []string {
	inner = min(inner, width-4)
	b := s.glyphs.thick
	rows = rows[:min(len(rows), max(len(lines)-4, 1))]
	left := max((width-inner-2)/2, 0)
	top := max((len(lines)-len(rows)-2)/2, 0)
	head := " " + title + " "
	box := []string{s.accent.Render(b.TopLeft+b.Top) + s.key.Render(head) + s.accent.Render(strings.Repeat(b.Top, max(inner-ansi.StringWidth(head)-1, 0))+b.TopRight)}
	for _, row := range rows {
		box = append(box, s.accent.Render(b.Left)+s.fit(row, inner)+s.accent.Render(b.Right))
	}
	box = append(box, s.accent.Render(b.BottomLeft+strings.Repeat(b.Bottom, inner)+b.BottomRight))
	for i, row := range box {
		if at := top + i; at < len(lines) {
			before := ansi.Truncate(lines[at], left, "")
			after := ansi.TruncateLeft(lines[at], left+inner+2, "")
			lines[at] = s.fit(before, left) + "\x1b[0m" + row + after
		}
	}
	return lines
}

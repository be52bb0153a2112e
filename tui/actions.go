package tui

import (
	"context"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// action is something that a person can do: by its key, or from the palette.
type action struct {
	key key.Binding
	run func() tea.Cmd
}

func (a action) enabled() bool { return a.key.Enabled() && a.run != nil }

// actions are the screen's own, those of the focused panel aside.
func (m *screen) actions(s *scene) []action {
	k := m.keymap
	list := []action{
		{k.next, func() tea.Cmd { return m.focusOn((m.focus + 1) % len(m.panels)) }},
		{k.previous, func() tea.Cmd { return m.focusOn((m.focus + len(m.panels) - 1) % len(m.panels)) }},
		{k.enter, func() tea.Cmd { return m.goIn(s) }},
		{k.back, func() tea.Cmd { m.goBack(s); return nil }},
		{k.zoom, func() tea.Cmd { m.zoomed = !m.zoomed; return nil }},
		{k.filter, func() tea.Cmd { return m.askFilter(s) }},
		{k.palette, func() tea.Cmd { m.overlay = newPalette(m, s); return nil }},
		{k.help, func() tea.Cmd { m.overlay = help{m.helpTable()}; return nil }},
		{k.modelBefore, func() tea.Cmd { m.chooseModel(-1); return nil }},
		{k.modelAfter, func() tea.Cmd { m.chooseModel(1); return nil }},
		{k.quit, m.quit},
	}
	if m.player != nil {
		list = append(list, m.playerActions()...)
	}
	for i := range m.panels {
		b := bind("show "+m.panels[i].title(), digit(i))
		list = append(list, action{b, func() tea.Cmd { return m.focusOn(i) }})
	}
	if s.model == nil || m.control == nil || m.over {
		return list
	}
	id, control := s.model.ID, m.control
	if example := m.example; example != nil {
		model := *s.model // as it is now: the screen's own changes
		list = append(
			list,
			action{k.predict, func() tea.Cmd {
				return do("request.json was sent to "+id+": see Requests", func(ctx context.Context) error {
					request, _, err := example(model)
					if err != nil {
						return err
					}
					return control.Send(ctx, request)
				})
			}},
			action{k.paste, func() tea.Cmd {
				return func() tea.Msg {
					_, command, err := example(model)
					if err != nil {
						return said{text: err.Error(), bad: true}
					}
					return clipboard(command)
				}
			}},
		)
	}
	return append(
		append(list, m.faultActions(s)...),
		action{k.reload, func() tea.Cmd {
			return do("reload of "+id+" asked for", func(ctx context.Context) error { return control.Reload(ctx, id, false) })
		}},
		action{k.rebuild, func() tea.Cmd {
			return do("reload of "+id+" with a new image asked for", func(ctx context.Context) error { return control.Reload(ctx, id, true) })
		}},
		action{k.retry, func() tea.Cmd {
			return do("what waits of "+id+" starts now", func(ctx context.Context) error { return control.Retry(ctx, id) })
		}},
	)
}

// quit leaves the screen, and asks before it takes the session along.
func (m *screen) quit() tea.Cmd {
	if m.leaving || !m.ownsSession() {
		return m.leave(false)
	}
	m.overlay = &question{
		text: "stop the session and its containers?", keys: bind("yes", "y", "y", "q", "enter"),
		yes: func() tea.Cmd { return m.leave(false) },
	}
	return nil
}

func (m *screen) focusOn(index int) tea.Cmd {
	m.focus = index
	return nil
}

func (m *screen) goIn(s *scene) tea.Cmd {
	if p, is := m.panels[m.focus].(opener); is && !p.inside() {
		if cmd := p.enter(s); cmd != nil || p.inside() {
			return cmd
		}
	}
	if !m.zoomed && m.grid() != nil {
		m.zoomed = true
	}
	return nil
}

// goBack leaves the innermost thing: what was gone into, the filter, the zoom.
func (m *screen) goBack(s *scene) {
	p := m.panels[m.focus]
	if o, is := p.(opener); is && o.back() {
		return
	}
	if f, is := p.(filterer); is && f.filter() != "" {
		_, _ = f.setFilter(s, "") // no text is a valid filter
		return
	}
	m.zoomed = false
}

// chooseModel looks at the model so many places further, around the end.
func (m *screen) chooseModel(step int) {
	n := len(m.state.Models)
	for i, model := range m.state.Models {
		if model == m.model() {
			m.chosen = m.state.Models[(i+step+n)%n].ID
			return
		}
	}
}

func (m *screen) askFilter(s *scene) tea.Cmd {
	if f, is := m.panels[m.focus].(filterer); is {
		m.overlay = newFilterPrompt(f)
		return nil
	}
	return m.say(said{text: "there is nothing to filter in " + m.panels[m.focus].title()})
}

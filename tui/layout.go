package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// The screen's sizes in cells: below the floor it only says so; from wide on several
// panels are shown at once, from huge on all.
const (
	floorWidth, floorHeight = 60, 16
	wideWidth, wideHeight   = 110, 30
	hugeWidth, hugeHeight   = 180, 45
	listWidth               = 26 // of the models' list, borders included
)

// grids say which panels are shown at once, by their indices: columns of panels.
var (
	wideGrid = [][]int{{overviewPanel, metricsPanel}, {requestsPanel, logsPanel}}
	hugeGrid = [][]int{{overviewPanel, metricsPanel}, {requestsPanel, buildsPanel}, {logsPanel, environmentPanel}}
)

// grid is the one in use; nil where one panel is shown alone.
func (m *screen) grid() [][]int {
	if m.zoomed || m.open() != nil {
		return nil
	}
	switch {
	case m.width >= hugeWidth && m.height >= hugeHeight:
		return hugeGrid
	case m.width >= wideWidth && m.height >= wideHeight && m.focus != environmentPanel && m.focus != buildsPanel:
		return wideGrid
	}
	return nil
}

// body draws what is between the header and the bottom line.
func (m *screen) body(s *scene, width, height int) []string {
	if len(m.state.Models) > 1 && width >= wideWidth {
		return beside(m.modelList(s, listWidth, height), m.shown(s, width-listWidth, height))
	}
	return m.shown(s, width, height)
}

// shown draws the panels that are shown.
func (m *screen) shown(s *scene, width, height int) []string {
	grid := m.grid()
	if grid == nil {
		return m.alone(s, width, height)
	}
	var columns [][]string
	for i, column := range grid {
		w := share(width, len(grid), i)
		var lines []string
		for j, index := range column {
			lines = append(lines, m.framed(s, index, w, share(height, len(column), j))...)
		}
		columns = append(columns, lines)
	}
	return beside(columns...)
}

// share is the i-th of n nearly equal parts of a whole.
func share(whole, n, i int) int { return whole*(i+1)/n - whole*i/n }

// beside joins blocks of the same height.
func beside(blocks ...[]string) []string {
	lines := make([]string, len(blocks[0]))
	for i := range lines {
		var line strings.Builder
		for _, block := range blocks {
			line.WriteString(block[i])
		}
		lines[i] = line.String()
	}
	return lines
}

// alone draws the focused panel below a line with all their names.
func (m *screen) alone(s *scene, width, height int) []string {
	p := m.panels[m.focus]
	s.focused = true
	return append([]string{m.tabs(s, width)}, s.block(p.draw(s, width, height-1), width, height-1)...)
}

// tabs name the panels; the one that is shown stands out.
func (m *screen) tabs(s *scene, width int) string {
	var line strings.Builder
	for i, p := range m.panels {
		name := " " + digit(i) + " " + p.title() + " "
		if i == m.focus {
			line.WriteString(s.chosen.Render(name))
		} else {
			line.WriteString(s.faint.Render(name))
		}
	}
	return s.ends(line.String(), m.note(s, m.focus), width)
}

// note is what a panel says of itself: its filter and its badge.
func (m *screen) note(s *scene, index int) string {
	p := m.panels[index]
	text := p.badge(s)
	if f, is := p.(filterer); is && f.filter() != "" {
		text = strings.TrimSpace(text + "  /" + f.filter()) // where there is no room for all of it, the numbers are there
	}
	return text
}

// framed draws a panel in a border that has its name; the focused one's is thick.
func (m *screen) framed(s *scene, index, width, height int) []string {
	p := m.panels[index]
	focused := index == m.focus
	border, line, name := s.glyphs.border, s.faint, s.bold
	if focused {
		border, line, name = s.glyphs.thick, s.accent, s.key
	}
	s.focused = focused
	title := " " + digit(index) + " " + p.title() + " "
	right := ""
	if note := m.note(s, index); note != "" {
		right = " " + ansi.Truncate(note, max(width-ansi.StringWidth(title)-6, 0), s.glyphs.ellipsis) + " "
	}
	fill := max(width-3-ansi.StringWidth(title)-ansi.StringWidth(right)-1, 0)
	out := make([]string, 0, height)
	out = append(out, line.Render(border.TopLeft+border.Top)+name.Render(title)+line.Render(strings.Repeat(border.Top, fill))+s.plain.Render(right)+line.Render(border.Top+border.TopRight))
	for _, l := range s.block(p.draw(s, width-2, height-2), width-2, height-2) {
		out = append(out, line.Render(border.Left)+l+line.Render(border.Right))
	}
	return append(out, line.Render(border.BottomLeft+strings.Repeat(border.Bottom, max(width-2, 0))+border.BottomRight))
}

// modelList is a glance at every model.
func (m *screen) modelList(s *scene, width, height int) []string {
	var lines []string
	for _, model := range m.state.Models {
		glyph, style := s.phase(model.Phase)
		name := glyph + " " + model.ID
		if model == s.model {
			name = s.glyphs.bullet + name
		} else {
			name = " " + name
		}
		lines = append(lines, style.Render(s.fit(name, width-1)), s.faint.Render("   "+m.glance(model)), "")
	}
	return s.block(lines, width, height)
}

func digit(index int) string { return string(rune('1' + index)) }

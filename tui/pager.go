package tui

import (
	"fmt"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// pager shows a window of many lines.
type pager struct {
	top    int
	height int // of the window, when it was drawn last
	lines  int // how many there were then
}

var (
	pageUp   = bind("up", "↑/k", "up", "k")
	pageDown = bind("down", "↓/j", "down", "j")
	pageOn   = bind("a page on", "space", " ", "pgdown", "ctrl+f")
	pageBack = bind("a page back", "b", "b", "pgup", "ctrl+b")
	pageTop  = bind("to the top", "g", "g", "home")
	pageEnd  = bind("to the end", "G", "G", "end")
)

func (p *pager) keys() []key.Binding {
	return []key.Binding{pageUp, pageDown, pageOn, pageBack, pageTop, pageEnd}
}

func (p *pager) press(msg tea.KeyMsg) bool {
	switch {
	case key.Matches(msg, pageUp):
		p.top--
	case key.Matches(msg, pageDown):
		p.top++
	case key.Matches(msg, pageOn):
		p.top += max(p.height-1, 1)
	case key.Matches(msg, pageBack):
		p.top -= max(p.height-1, 1)
	case key.Matches(msg, pageTop):
		p.top = 0
	case key.Matches(msg, pageEnd):
		p.top = p.lines
	default:
		return false
	}
	p.top = min(max(p.top, 0), max(p.lines-p.height, 0))
	return true
}

// window is the part of the lines that is shown, as high as that.
func (p *pager) window(lines []string, height int) []string {
	p.height, p.lines = height, len(lines)
	p.top = min(max(p.top, 0), max(len(lines)-height, 0))
	return lines[p.top:min(p.top+max(height, 0), len(lines))]
}

// badge tells where in the lines the window is; nothing where all are shown.
func (p *pager) badge() string {
	if p.lines <= p.height || p.height <= 0 {
		return ""
	}
	return fmt.Sprintf("%d-%d of %d", p.top+1, min(p.top+p.height, p.lines), p.lines)
}

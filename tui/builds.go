package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

type builds struct{}

func newBuilds() *builds { return &builds{} }

func (p *builds) title() string { return "Builds" }

func (p *builds) badge(*scene) string { return "" }

func (p *builds) keys() []key.Binding { return nil }

func (p *builds) press(*scene, tea.KeyMsg) (tea.Cmd, bool) { return nil, false }

func (p *builds) draw(*scene, int, int) []string { return nil }

package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

type environment struct{}

func newEnvironment() *environment { return &environment{} }

func (p *environment) title() string { return "Environment" }

func (p *environment) badge(*scene) string { return "" }

func (p *environment) keys() []key.Binding { return nil }

func (p *environment) press(*scene, tea.KeyMsg) (tea.Cmd, bool) { return nil, false }

func (p *environment) draw(*scene, int, int) []string { return nil }

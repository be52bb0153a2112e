package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

type logs struct{}

func newLogs() *logs { return &logs{} }

func (p *logs) title() string { return "Logs" }

func (p *logs) badge(*scene) string { return "" }

func (p *logs) keys() []key.Binding { return nil }

func (p *logs) press(*scene, tea.KeyMsg) (tea.Cmd, bool) { return nil, false }

func (p *logs) draw(*scene, int, int) []string { return nil }

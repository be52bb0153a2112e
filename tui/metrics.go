package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

type metrics struct{}

func newMetrics() *metrics { return &metrics{} }

func (p *metrics) title() string { return "Metrics" }

func (p *metrics) badge(*scene) string { return "" }

func (p *metrics) keys() []key.Binding { return nil }

func (p *metrics) press(*scene, tea.KeyMsg) (tea.Cmd, bool) { return nil, false }

func (p *metrics) draw(*scene, int, int) []string { return nil }

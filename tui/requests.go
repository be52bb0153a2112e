package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

type requests struct{}

func newRequests() *requests { return &requests{} }

func (p *requests) title() string { return "Requests" }

func (p *requests) badge(*scene) string { return "" }

func (p *requests) keys() []key.Binding { return nil }

func (p *requests) press(*scene, tea.KeyMsg) (tea.Cmd, bool) { return nil, false }

func (p *requests) draw(*scene, int, int) []string { return nil }

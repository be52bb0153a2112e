package tui

import (
	"context"
	"strings"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// faultBadge says loudly what is broken on request; empty where nothing is.
func faultBadge(s *scene, model *session.Model) string {
	if len(model.Faults) == 0 {
		return ""
	}
	return s.warnBold.Render("FAULTS " + firstLine(prose.FaultList(model.Faults)))
}

// faulted is what a request was hit by on request, as a sentence.
func faulted(served *event.Served) string {
	if served.Fault == "" {
		return ""
	}
	return "FAULT on request: " + legible(served.Fault)
}

// faultActions break the model on request, and end that.
func (m *screen) faultActions(s *scene) []action {
	id, control := s.model.ID, m.control
	list := []action{{bind("break the model on request (faults)", "F"), func() tea.Cmd {
		m.overlay = &faultPrompt{model: id, input: newInput("")}
		return nil
	}}}
	if len(s.model.Faults) == 0 {
		return list
	}
	return append(list, action{bind("end all faults", "X"), func() tea.Cmd {
		return do("no faults any more on "+id, func(ctx context.Context) error { return control.Fault(ctx, id, nil) })
	}})
}

// faultPrompt asks for faults, as merlin-local fault takes them.
type faultPrompt struct {
	model string
	input textinput.Model
}

func (f *faultPrompt) press(m *screen, _ *scene, msg tea.KeyMsg) (overlay, tea.Cmd) {
	control, faults := m.control, strings.Fields(f.input.Value())
	switch {
	case msg.String() == "esc", msg.String() == "enter" && len(faults) == 0:
		return nil, nil
	case msg.String() == "enter":
		return nil, do("faults of "+f.model+" set", func(ctx context.Context) error { return control.Fault(ctx, f.model, faults) })
	}
	f.input, _ = f.input.Update(msg)
	return f, nil
}

func (f *faultPrompt) over(s *scene, lines []string, width int) []string {
	help := s.faint.Render("latency=200ms errors=503:10% drop=5% kill probes cpu=100m staging=30s")
	lines[len(lines)-1] = s.ends(s.key.Render("faults ")+typed(s, f.input), help, width)
	return lines
}

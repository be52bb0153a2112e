package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// debugger tells where a model is debugged, and again only where that changes.
func (p *plain) debugger(e event.Event, f event.Debugger) string {
	text := prose.Debugger(f)
	var launch bytes.Buffer
	if len(f.Launch) > 0 && json.Indent(&launch, f.Launch, "  ", "  ") == nil {
		text += "; for VS Code, in configurations of .vscode/launch.json:\n  " + launch.String()
	}
	if f.Note != "" {
		text += "\n  " + prose.Clean(f.Note)
	}
	if p.debuggers[e.Model] == text {
		return ""
	}
	p.debuggers[e.Model] = text
	return text
}

func printDebugger(w io.Writer, m *session.Model) {
	if m.Debugger == nil {
		return
	}
	state := "nobody is attached"
	if m.Debugger.Attached {
		state = "attached: " + prose.Suspended
	}
	fmt.Fprintf(w, "\n%s: debugger %s at %s, %s\n", m.ID, m.Debugger.Kind, m.Debugger.Address, state)
}

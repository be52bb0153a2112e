package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// Summary sums a session up, in lines for the scrollback: what ran, for how long, its
// requests, its reloads, and why it failed where it did.
func Summary(state *session.State) string {
	if state == nil || len(state.Models) == 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "merlin-local: %s", prose.Clean(state.Dir))
	if end := lastTime(state); !end.IsZero() && !state.Started.IsZero() {
		fmt.Fprintf(&out, ", %s", end.Sub(state.Started).Round(time.Second))
	}
	out.WriteString("\n")
	for _, m := range state.Models {
		summary(&out, m)
	}
	if state.Error != "" {
		fmt.Fprintf(&out, "ended with: %s\n", prose.Clean(state.Error))
	}
	return out.String()
}

func summary(out *strings.Builder, m *session.Model) {
	fmt.Fprintf(out, "  %s", m.ID)
	if m.Serving != nil {
		fmt.Fprintf(out, "  revision %d", m.Serving.Number)
	}
	if t := m.Traffic; t != nil && t.Requests > 0 {
		fmt.Fprintf(out, "  %s, %d errors, p50 %s, p95 %s, p99 %s", plural(int(t.Requests), "request"), t.Errors, took(t.Overall.P50), took(t.Overall.P95), took(t.Overall.P99))
	} else {
		out.WriteString("  no requests")
	}
	if n := len(m.Reloads); n > 0 {
		failed := 0
		for _, r := range m.Reloads {
			if r.State == session.ReloadFailed {
				failed++
			}
		}
		fmt.Fprintf(out, "; %s, %d failed", plural(n, "reload"), failed)
	}
	if m.Restarts > 0 {
		fmt.Fprintf(out, "; %s", plural(m.Restarts, "restart"))
	}
	if len(m.FaultsSeen) > 0 {
		fmt.Fprintf(out, "; FAULTS were on: %s", prose.Clean(strings.Join(m.FaultsSeen, ", ")))
	}
	out.WriteString("\n")
	if m.Failure != nil {
		fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(prose.Failed(*m.Failure), "\n", "\n  "))
	}
}

// lastTime is when the last thing happened; zero without a history.
func lastTime(state *session.State) time.Time {
	if state.History == nil {
		return time.Time{}
	}
	if e := state.History.Happenings.Last(); e != nil {
		return e.Time
	}
	return time.Time{}
}

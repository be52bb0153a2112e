package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// fastest bounds --time-scale: a bucket of a second is then 10 ms.
const fastest = 100

// shownChanges is how much of the past status tells; --json has more.
const shownChanges = 5

// printScale shows how many replicas a model has, why, and how it got there.
func printScale(w io.Writer, m *session.Model) error {
	s := m.Scale
	fmt.Fprintf(w, "\n%s: replicas: %d wanted, %d ready; %s", m.ID, s.Wanted, s.Ready, prose.Autoscaler(s.Autoscaler))
	if s.Mode == session.ModePanic {
		fmt.Fprint(w, "; in panic mode")
	}
	if s.TimeScale > 1 {
		fmt.Fprintf(w, "; time passes %g times faster", s.TimeScale)
	}
	fmt.Fprintln(w)
	if n := len(s.Decisions); n > 0 {
		last := s.Decisions[n-1]
		fmt.Fprintf(w, "  last decision, %s: %s\n", prose.Clock(last.At), prose.Clean(last.Why))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range s.Changes[max(0, len(s.Changes)-shownChanges):] {
		fmt.Fprintf(table, "  %s\t%s\n", prose.Clock(c.At), prose.Scaled(c.Scaled))
	}
	for _, c := range s.ColdStarts[max(0, len(s.ColdStarts)-shownChanges):] {
		fmt.Fprintf(table, "  %s\t%s\n", prose.Clock(c.At), prose.ColdStart(c.ColdStart))
	}
	return table.Flush()
}

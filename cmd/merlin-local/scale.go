package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// fastest bounds --time-scale: a bucket of a second is then 10 ms.
const fastest = 100

// target is what one replica is aimed at, in words.
func target(f event.Autoscaler) string {
	value := strconv.FormatFloat(f.Target, 'f', -1, 64)
	switch f.Metric {
	case "concurrency":
		return value + " requests at a time"
	case "rps":
		return value + " requests a second"
	case "cpu_utilization":
		return value + " % of the CPU request"
	}
	return value + "Mi of memory"
}

func autoscaler(f event.Autoscaler) string {
	return fmt.Sprintf("scales from %d to %d replicas, aiming at %s each", f.Min, f.Max, target(f))
}

func scaled(f event.Scaled) string {
	return fmt.Sprintf("scaled %d -> %d: %s", f.From, f.Desired, clean(f.Why))
}

// coldStart tells the parts and their sum.
func coldStart(f event.ColdStart) string {
	text := fmt.Sprintf("cold start in %s: create %s, process up %s, listening %s, ready %s, first answer %s",
		round(f.Total), round(f.Create), round(f.Process), round(f.Listening), round(f.Ready), round(f.Answer))
	if f.Restarts > 0 {
		text += fmt.Sprintf(" (after %d restarts)", f.Restarts)
	}
	return text
}

// shownChanges is how much of the past status tells; --json has more.
const shownChanges = 5

// printScale shows how many replicas a model has, why, and how it got there.
func printScale(w io.Writer, m *session.Model) error {
	s := m.Scale
	fmt.Fprintf(w, "\n%s: replicas: %d wanted, %d ready; %s", m.ID, s.Wanted, s.Ready, autoscaler(s.Autoscaler))
	if s.Mode == session.ModePanic {
		fmt.Fprint(w, "; in panic mode")
	}
	if s.TimeScale > 1 {
		fmt.Fprintf(w, "; time passes %g times faster", s.TimeScale)
	}
	fmt.Fprintln(w)
	if n := len(s.Decisions); n > 0 {
		last := s.Decisions[n-1]
		fmt.Fprintf(w, "  last decision, %s: %s\n", clock(last.At), clean(last.Why))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range s.Changes[max(0, len(s.Changes)-shownChanges):] {
		fmt.Fprintf(table, "  %s\t%s\n", clock(c.At), scaled(c.Scaled))
	}
	for _, c := range s.ColdStarts[max(0, len(s.ColdStarts)-shownChanges):] {
		fmt.Fprintf(table, "  %s\t%s\n", clock(c.At), coldStart(c.ColdStart))
	}
	return table.Flush()
}

func clock(at time.Time) string { return at.Local().Format(time.TimeOnly) }

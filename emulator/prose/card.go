package prose

import (
	"fmt"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/diagnose"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// cardLines is how many of a model's last lines are shown: above the card are all.
const cardLines = 5

// Failed is a failure card, a line for each thing that is known.
func Failed(f event.Failed) string {
	if f.Final {
		return "FAILED: " + Card(f)
	}
	return "NOT SERVING: " + Card(f)
}

// Card is a card without saying what it is of.
func Card(f event.Failed) string {
	lines := []string{Clean(f.What) + ended(f)}
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, fmt.Sprintf("  %-8s%s", label+":", strings.ReplaceAll(text, "\n", "\n          ")))
		}
	}
	add("cause", cause(f))
	add("why", cleanLines(strings.Split(f.Why, "\n")))
	add("probe", probeLine(f.Probe))
	add("memory", memoryLine(f))
	last := f.LastLogs
	if len(last) > cardLines {
		last = last[len(last)-cardLines:]
	}
	add("log", cleanLines(last))
	add("next", Clean(f.Next))
	return strings.Join(lines, "\n")
}

// cause names it with what is known of its certainty.
func cause(f event.Failed) string {
	if f.Cause == "" {
		return ""
	}
	return fmt.Sprintf("%s (%s)", f.Cause, f.Certainty)
}

// ended explains an exit code that is the model's own.
func ended(f event.Failed) string {
	switch e := f.Exit; {
	case e == nil || e.Meaning == "" || f.Cause == event.CauseLiveness:
		return ""
	case e.OOMKilled:
		return ": killed for its memory"
	default:
		return ": " + e.Meaning
	}
}

func probeLine(p *event.Probed) string {
	if p == nil {
		return ""
	}
	return Clean(strings.TrimSuffix(p.Target+": "+p.Outcome+": "+p.Body, ": "))
}

func memoryLine(f event.Failed) string {
	switch {
	case f.MemoryPeak > 0 && f.MemoryLimit > 0:
		return fmt.Sprintf("peak %s, limit %s", diagnose.Bytes(f.MemoryPeak), diagnose.Bytes(f.MemoryLimit))
	case f.MemoryPeak > 0:
		return "peak " + diagnose.Bytes(f.MemoryPeak) + ", no limit"
	}
	return ""
}

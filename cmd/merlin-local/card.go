package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/diagnose"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// cardLines is how many of a model's last lines are shown: above the card are all.
const cardLines = 5

// failed is a failure card, a line for each thing that is known.
func failed(f event.Failed) string {
	if f.Final {
		return "FAILED: " + cardOf(f)
	}
	return "NOT SERVING: " + cardOf(f)
}

// cardOf is a card without saying what it is of.
func cardOf(f event.Failed) string {
	lines := []string{clean(f.What) + ended(f.Exit)}
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
	add("next", clean(f.Next))
	return strings.Join(lines, "\n")
}

// cause names it with what is known of its certainty.
func cause(f event.Failed) string {
	if f.Cause == "" {
		return ""
	}
	return fmt.Sprintf("%s (%s)", f.Cause, f.Certainty)
}

// ended explains an exit code.
func ended(e *event.Ending) string {
	switch {
	case e == nil || e.Meaning == "":
		return ""
	case e.OOMKilled:
		return ": killed for its memory"
	}
	return ": " + e.Meaning
}

func probeLine(p *event.Probed) string {
	if p == nil {
		return ""
	}
	return clean(strings.TrimSuffix(p.Target+": "+p.Outcome+": "+p.Body, ": "))
}

func memoryLine(f event.Failed) string {
	switch {
	case f.MemoryPeak > 0 && f.MemoryLimit > 0:
		return fmt.Sprintf("%s at most, of %s", diagnose.Bytes(f.MemoryPeak), diagnose.Bytes(f.MemoryLimit))
	case f.MemoryPeak > 0:
		return diagnose.Bytes(f.MemoryPeak) + " at most, no limit"
	}
	return ""
}

func cleanLines(lines []string) string {
	cleaned := make([]string, len(lines))
	for i, line := range lines {
		cleaned[i] = clean(line)
	}
	return strings.Join(cleaned, "\n")
}

// carded shows a card; one that is as the last but for its time in one line.
func (p *plain) carded(e event.Event, f event.Failed) string {
	text := failed(event.Failed{What: f.What, Why: f.Why, Next: f.Next, Cause: f.Cause, Final: f.Final})
	if p.cards[e.Model] == text {
		return fmt.Sprintf("NOT SERVING: %s again: %s: %s", clean(f.What), f.Cause, clean(f.Why))
	}
	p.cards[e.Model] = text
	return failed(f)
}

// comeback says when a model that waits in back-off is started again; empty where none
// of it waits.
func comeback(m *session.Model, now time.Time) string {
	for _, p := range m.Pods {
		if p.Phase == event.PhaseBackOff && p.RetryAt != nil {
			left := max(p.RetryAt.Sub(now), 0).Round(time.Second)
			return fmt.Sprintf("starts again in %s, for the %s time; `merlin-local retry` starts it now", left, ordinal(p.Restarts+1))
		}
	}
	return ""
}

func ordinal(n int) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2 && n%100 != 12:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3 && n%100 != 13:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}

package main

import (
	"fmt"
	"slices"
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
	lines := []string{clean(f.What) + ended(f)}
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
	return clean(strings.TrimSuffix(p.Target+": "+p.Outcome+": "+p.Body, ": "))
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

// cardFollows tells whether an exit takes the model down, so that its card says all of
// it at once.
func (p *plain) cardFollows(model string, f event.Exited) bool {
	m := p.state.Model(model)
	return m != nil && !f.WithEngine && !slices.ContainsFunc(m.Pods, func(pod *session.Pod) bool {
		return pod.Name != f.Pod && pod.Phase == event.PhaseReady || pod.Name == f.Pod && pod.Phase == event.PhaseStopping
	})
}

// restart says when what has ended is started again; the card before it says why.
func restart(m *session.Model, now time.Time) string {
	if back := comeback(m, now); back != "" {
		return crashLoop + ": " + back
	}
	return "starts again at once"
}

// crashLoop is what kubectl calls the wait before a container is started again.
const crashLoop = "CrashLoopBackOff"

// phaseName is a phase as people know it.
func phaseName(p event.Phase) string {
	if p == event.PhaseBackOff {
		return crashLoop
	}
	return string(p)
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

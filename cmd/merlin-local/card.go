package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// carded shows a card; one that is as the last but for its time in one line.
func (p *plain) carded(e event.Event, f event.Failed) string {
	text := prose.Failed(event.Failed{What: f.What, Why: f.Why, Next: f.Next, Cause: f.Cause, Final: f.Final})
	if p.cards[e.Model] == text {
		return fmt.Sprintf("NOT SERVING: %s again: %s: %s", prose.Clean(f.What), f.Cause, prose.Clean(f.Why))
	}
	p.cards[e.Model] = text
	return prose.Failed(f)
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
	if back := prose.Comeback(m, now); back != "" {
		return prose.CrashLoop + ": " + back
	}
	return "starts again at once"
}

package prose

import (
	"fmt"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Reloading says that a new revision is being made, and why.
func Reloading(e event.Event, f event.Reloading) string {
	text := fmt.Sprintf("reload to revision %d (%s): ", e.Revision, f.Tier)
	if f.File != "" {
		text += Clean(f.File) + ": "
	}
	text += f.Why
	if f.Replaces != "" {
		text += "; the old revision stops first: " + f.Replaces
	}
	return text
}

// Reloaded says that a new revision took over; empty for the first one.
func Reloaded(e event.Event, f event.Serving) string {
	if f.Tier == "" {
		return "" // the first one: its URL says it all
	}
	text := fmt.Sprintf("revision %d serves, %s in %s", e.Revision, f.Tier, Duration(f.Took))
	if steps := Steps(f.Steps); steps != "" {
		text += " (" + steps + ")"
	}
	return text
}

// ReloadEnded says why a new revision will not serve.
func ReloadEnded(e event.Event, f event.ReloadEnded) string {
	if f.Cancelled != "" {
		return fmt.Sprintf("revision %d is given up: %s", e.Revision, Clean(f.Cancelled))
	}
	return fmt.Sprintf("RELOAD FAILED: revision %d will not serve, the one before goes on: %s", e.Revision, Card(*f.Card))
}

// Steps are the parts of a reload, and what each took.
func Steps(steps []event.ReloadStep) string {
	parts := make([]string, 0, len(steps))
	for _, s := range steps {
		parts = append(parts, s.Name+" "+Duration(s.Took))
	}
	return strings.Join(parts, ", ")
}

// Behind names edited files.
func Behind(f event.Edited) string { return named(f.Files, f.More) }

func named(files []string, more int) string {
	text := strings.Join(files, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// SinceLastRun names what changed while nothing ran.
func SinceLastRun(f event.SinceLastRun) string {
	count := "1 file"
	if n := len(f.Files) + f.More; n > 1 {
		count = fmt.Sprintf("%d files", n)
	}
	return count + " changed since the last run: " + Clean(named(f.Files, f.More))
}

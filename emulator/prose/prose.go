// Package prose tells events in words: the same sentences in plain output, in status
// and on the screen. What comes from a model is made safe to print.
package prose

import (
	"fmt"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Happening is what a person reads of an event that is rare and matters: the first line
// says what happened. It is empty for what comes as fast as traffic and logs do, and
// for what is shown in a place of its own.
func Happening(e event.Event) string {
	switch f := e.Fact.(type) {
	case event.Notice:
		return Clean(f.Text)
	case event.Engine:
		return strings.TrimPrefix(Engine(f), "warning: ")
	case event.Slept:
		return Slept(f)
	case event.PhaseChanged:
		if f.Why != "" {
			return Phase(f.Phase) + ": " + Clean(f.Why)
		}
		return Phase(f.Phase)
	case event.Step:
		if f.State == event.StepFailed {
			return Step(f)
		}
	case event.Built:
		return "built in " + Duration(f.Took)
	case event.Started:
		return Started(f)
	case event.Exited:
		if !f.Expected {
			return Exited(f)
		}
	case event.Terminated:
		return Terminated(f)
	case event.OutOfMemory:
		return OutOfMemory(f)
	case event.Failed:
		return Failed(f)
	case event.Debugger:
		return Debugger(f)
	case event.Attached:
		return Attached(f)
	case event.Faults:
		return Faults(f)
	case event.Pins:
		return Pins(f)
	case event.Autoscaler:
		return Autoscaler(f)
	case event.Scaled:
		if f.From != f.Desired {
			return Scaled(f)
		}
	case event.ColdStart:
		return ColdStart(f)
	}
	return reload(e)
}

// reload tells the events of a reload.
func reload(e event.Event) string {
	switch f := e.Fact.(type) {
	case event.SinceLastRun:
		return SinceLastRun(f)
	case event.Edited:
		return Edited(f)
	case event.Reloading:
		return Reloading(e, f)
	case event.Serving:
		return Reloaded(e, f)
	case event.ReloadStuck:
		return fmt.Sprintf("revision %d is not ready yet: %s", e.Revision, Card(f.Card))
	case event.ReloadEnded:
		return ReloadEnded(e, f)
	}
	return ""
}

// Slept says that this machine stood still.
func Slept(f event.Slept) string {
	return fmt.Sprintf("this machine slept for about %s, or its clock was set: probes across it do not count, and the deployment timeout moves by it", f.Took.Round(time.Second))
}

// Started says which container runs, and where.
func Started(f event.Started) string {
	text := f.Container
	if f.Reach != "process" {
		text = "container " + f.Replica
	}
	if f.Address == "" {
		return "created " + text + ", which ended at once"
	}
	return "started " + text + " at " + f.Address
}

// Edited says why a reload waits; it is empty where none does.
func Edited(f event.Edited) string {
	if f.Waits == "" {
		return ""
	}
	return fmt.Sprintf("STALE: behind %s: the reload waits: %s", Clean(Behind(f)), f.Waits)
}

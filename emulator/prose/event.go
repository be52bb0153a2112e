package prose

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Suspended is what does not count while a debugger is attached.
const Suspended = "no timeout passes, failed probes do not count, edits wait"

// Debugger says where a model is debugged.
func Debugger(f event.Debugger) string { return fmt.Sprintf("debugger: %s at %s", f.Kind, f.Address) }

// Attached says what is suspended while somebody debugs.
func Attached(f event.Attached) string {
	if f.On {
		return "debugger attached: " + Suspended
	}
	return "debugger detached: timeouts, probes and edits count again"
}

// oomKilled tells of an exit for memory whom the kernel killed, and at what.
func oomKilled(f event.Exited) string {
	text := ", OOMKilled"
	if f.Code != 137 {
		text = ", after the kernel killed a process of it (OOMKilled)"
	}
	if f.MemoryLimit > 0 {
		text += fmt.Sprintf(" at %s of %s", Memory(f.MemoryPeak), Memory(f.MemoryLimit))
	}
	return text
}

// OutOfMemory tells a kill that the container survived, and what to do.
func OutOfMemory(f event.OutOfMemory) string {
	return fmt.Sprintf("OUT OF MEMORY: the kernel killed a process of it at the limit of %s, and the container lives on (%d so far)\n"+
		"  next: load less, or raise resource_request.memory_request; a cluster with control groups v2 and Kubernetes 1.28 or newer kills the whole container instead",
		Memory(f.MemoryLimit), f.Kills)
}

// Terminated tells what was wrong with a container's end, and what to do.
func Terminated(f event.Terminated) string {
	var text string
	switch {
	case f.Forced:
		return fmt.Sprintf("was ended at once, with %d request(s) cut", f.Cut)
	case f.Killed && f.Cut > 0:
		text = fmt.Sprintf("ignored SIGTERM for %s and was killed, with %d request(s) cut", f.Grace, f.Cut)
	case f.Killed:
		text = fmt.Sprintf("ignored SIGTERM for %s and was killed", f.Grace)
	default:
		text = fmt.Sprintf("ended at SIGTERM with %d request(s) cut", f.Cut)
	}
	return text + "\n  next: " + Clean(f.Next)
}

// engineTrouble tells what becomes of the Docker Engine.
func Engine(f event.Engine) string {
	if !f.Answers {
		return "warning: the Docker Engine does not answer: " + Clean(f.Error) + "; the model may still serve; reconnecting"
	}
	text := "the Docker Engine answers again after " + Duration(f.Away)
	if f.Running > 0 {
		text += fmt.Sprintf(": %d container(s) ran on", f.Running)
	} else {
		text += ": no container ran on"
	}
	if f.Ended > 0 {
		text += fmt.Sprintf("; what ended with it (%d) is started again", f.Ended)
	}
	return text
}

// step tells what has ended and took its time; a builder's own steps say nothing to
// a person.
func Step(f event.Step) string {
	if strings.HasPrefix(f.Name, "[internal]") && f.State != event.StepFailed {
		return ""
	}
	text := string(f.Stage) + ": " + Clean(f.Name)
	switch f.State {
	case event.StepStarted:
		if strings.Contains(f.Name, "] RUN ") { // it may take long, and say nothing
			return text
		}
	case event.StepCached:
		return text + " (cached)"
	case event.StepDone:
		return text + " " + Duration(f.Took)
	case event.StepFailed:
		return text + " FAILED " + Clean(f.Detail)
	}
	return ""
}

// Limits are those of a container, to be added to a sentence about it.
func Limits(f event.Started) (text string) {
	if f.MemoryLimit != "" {
		text += ", memory " + f.MemoryLimit
	}
	if f.CPULimit != "" {
		text += ", CPU " + f.CPULimit
	}
	if limit, err := resource.ParseQuantity(f.CPULimit); err == nil && limit.AsApproximateFloat64() > f.EffectiveCPUs && f.EffectiveCPUs > 0 {
		text += fmt.Sprintf(" (of which this machine has %g)", f.EffectiveCPUs)
	}
	return text
}

// Exited tells how a container ended.
func Exited(f event.Exited) string {
	if f.WithEngine {
		return "ended with the Docker Engine: no exit of the model's own; it is started again once the Engine answers"
	}
	text := fmt.Sprintf("exited with code %d", f.Code)
	if f.OOMKilled {
		text += oomKilled(f)
	} else if f.Signal != "" {
		text += ", " + f.Signal
	}
	for _, known := range []string{f.Error, f.Why} {
		if known != "" {
			text += ": " + Clean(known)
		}
	}
	return text
}

// Served is a request in one line.
func Served(f event.Served) string {
	text := fmt.Sprintf("%s %s %d", f.Method, Clean(f.Path), f.Status)
	if f.GRPCStatus != nil {
		text += fmt.Sprintf(" grpc-status %d", *f.GRPCStatus)
	}
	text += " in " + Duration(f.Took)
	if f.Held > 0 {
		text += " (held " + Duration(f.Held) + ")"
	}
	if f.Fault != "" {
		text += " (FAULT " + Clean(f.Fault) + ")"
	}
	if f.Error != "" {
		text += ": " + Clean(f.Error)
	}
	return text
}

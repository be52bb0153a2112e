package prose

import (
	"fmt"
	"strconv"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// ParityCount counts the points of a comparison with production.
func ParityCount(p event.Parity) string {
	same, approximated, notEmulated := p.Count()
	return fmt.Sprintf("%d points are the same as in production, %d approximated, %d not emulated", same, approximated, notEmulated)
}

// Target is what one replica is aimed at, in words.
func Target(f event.Autoscaler) string {
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

// Autoscaler says by what a model scales, and within which bounds.
func Autoscaler(f event.Autoscaler) string {
	return fmt.Sprintf("scales from %d to %d replicas, aiming at %s each", f.Min, f.Max, Target(f))
}

// Scaled says which number of replicas was decided on, and why.
func Scaled(f event.Scaled) string {
	return fmt.Sprintf("scaled %d -> %d: %s", f.From, f.Desired, Clean(f.Why))
}

// ColdStart tells the parts and their sum.
func ColdStart(f event.ColdStart) string {
	text := fmt.Sprintf("cold start in %s: create %s, process up %s, listening %s, ready %s, first answer %s",
		Duration(f.Total), Duration(f.Create), Duration(f.Process), Duration(f.Listening), Duration(f.Ready), Duration(f.Answer))
	if f.Restarts > 0 {
		text += fmt.Sprintf(" (after %d restarts)", f.Restarts)
	}
	return text
}

package prose

import (
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Faults says what is done to a model on request, and until when.
func Faults(f event.Faults) string {
	if len(f.On) == 0 {
		return "faults: none any more"
	}
	return "FAULTS on request: " + FaultList(f.On)
}

// FaultList are faults in a line, as they are asked for.
func FaultList(on []event.Fault) string {
	var words []string
	for _, fault := range on {
		text := Clean(fault.Spec)
		if fault.Until != nil {
			text += " until " + Clock(*fault.Until)
		}
		words = append(words, text)
	}
	return strings.Join(words, ", ")
}
